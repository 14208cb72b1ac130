//! The table of stable error codes: every refusal a caller can meet, in one place.
//!
//! A code, once released, keeps its meaning and its status; it may get a better title or advice.
//! `CODES.md` is generated from this table and a test keeps the two equal
//! (`AUREOLE_BLESS=1` in the environment of `cargo test -p aureole-api` rewrites it).
//! Transport knows codes only through [`Code`]; the rooms inside name them as strings.

/// One stable error code and everything that is promised about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Code {
    /// The stable name, `family.item`.
    pub code: &'static str,
    /// The HTTP status of an answer that carries it.
    pub status: u16,
    /// One line for people; also the `title` of the problem document.
    pub title: &'static str,
    /// When it is answered.
    pub meaning: &'static str,
    /// What the caller can do about it.
    pub what_to_do: &'static str,
}

/// Declares one family: a constant per code and the family's table.
macro_rules! codes {
    ($($name:ident = $code:literal, $status:literal, $title:literal, $meaning:literal, $todo:literal;)*) => {
        $(
            #[doc = concat!("`", $code, "`: ", $title, ".")]
            pub const $name: $crate::codes::Code = $crate::codes::Code {
                code: $code,
                status: $status,
                title: $title,
                meaning: $meaning,
                what_to_do: $todo,
            };
        )*
        pub(super) const TABLE: &[$crate::codes::Code] = &[$($name),*];
    };
}

pub mod access;
pub mod circuit;
pub mod ir;
pub mod json;
pub mod log;
pub mod node;
pub mod page;
pub mod plugin;
pub mod proof;
pub mod quota;
pub mod request;
pub mod task;
pub mod verifying_key;
pub mod webhook;
pub mod witness;
pub mod worker;

const FAMILIES: [&[Code]; 15] = [
    request::TABLE,
    access::TABLE,
    quota::TABLE,
    json::TABLE,
    plugin::TABLE,
    circuit::TABLE,
    ir::TABLE,
    witness::TABLE,
    task::TABLE,
    proof::TABLE,
    verifying_key::TABLE,
    log::TABLE,
    worker::TABLE,
    webhook::TABLE,
    node::TABLE,
];

/// Every code, family by family, in the order of the documentation page.
pub fn all() -> impl Iterator<Item = &'static Code> {
    FAMILIES.into_iter().flatten()
}

/// Finds a code by its stable name.
pub fn find(code: &str) -> Option<&'static Code> {
    all().find(|known| known.code == code)
}

#[cfg(test)]
mod tests;
