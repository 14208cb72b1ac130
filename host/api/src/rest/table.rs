//! The table of codes on the wire.

use serde::Serialize;

use crate::codes::Code;

/// Every stable code.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CodeTable {
    /// The codes, family by family.
    pub errors: Vec<&'static Code>,
}
