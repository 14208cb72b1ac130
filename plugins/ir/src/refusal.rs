//! Why a circuit, a witness or a list of public inputs was refused.
//!
//! A refusal names the item, its value and the limit or rule it broke, and never shows a
//! witness value. Its code is stable: clients branch on it.

use std::fmt;

/// One broken rule. Checking stops at the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// One of [`Refusal::CODES`].
    pub code: &'static str,
    /// What was refused, such as `advice query 3`.
    pub item: String,
    /// Its value, the limit or rule, and what would be right.
    pub detail: String,
}

/// `k` out of range, or too small for the rows needed.
pub(crate) const K: &str = "ir.k";
/// A degree above the limit.
pub(crate) const DEGREE: &str = "ir.degree";
/// A rotation out of range, or any rotation of a fixed column.
pub(crate) const ROTATION: &str = "ir.rotation";
/// A column index out of range, a column twice, too many columns, or a query list that halo2
/// would not make.
pub(crate) const COLUMN: &str = "ir.column";
/// A selector out of range, or a simple selector where halo2 forbids one.
pub(crate) const SELECTOR: &str = "ir.selector";
/// An expression that refers to a later node or to a query that does not exist.
pub(crate) const EXPRESSION: &str = "ir.expression";
/// Too many of something, or too much memory.
pub(crate) const SIZE: &str = "ir.size";
/// A copy out of the usable rows, the permutation or the public inputs.
pub(crate) const COPY: &str = "ir.copy";
/// A lookup or its table.
pub(crate) const LOOKUP: &str = "ir.lookup";
/// A field element of the circuit that is not below the modulus.
pub(crate) const NON_CANONICAL: &str = "ir.field_non_canonical";
/// A fixed cell, fill or selector activation out of place or out of order.
pub(crate) const LAYOUT: &str = "ir.layout";
/// A public input's column or rows.
pub(crate) const PUBLIC_INPUTS: &str = "ir.public_inputs";
/// A name that is too long, not unique or not of the allowed characters.
pub(crate) const NAME: &str = "ir.name";
/// A witness of another shape than its circuit's.
pub(crate) const WITNESS_SHAPE: &str = "witness.shape";
/// A witness value that is not below the modulus.
pub(crate) const WITNESS_NON_CANONICAL: &str = "witness.field_non_canonical";
/// Another number of public inputs than the circuit has.
pub(crate) const PUBLIC_INPUTS_LENGTH: &str = "public_inputs.length";
/// A public input that is not below the modulus.
pub(crate) const PUBLIC_INPUTS_NON_CANONICAL: &str = "public_inputs.field_non_canonical";

// === impl Refusal ===

impl Refusal {
    /// Every code a refusal may carry.
    pub const CODES: &'static [&'static str] = &[
        K,
        DEGREE,
        ROTATION,
        COLUMN,
        SELECTOR,
        EXPRESSION,
        SIZE,
        COPY,
        LOOKUP,
        NON_CANONICAL,
        LAYOUT,
        PUBLIC_INPUTS,
        NAME,
        WITNESS_SHAPE,
        WITNESS_NON_CANONICAL,
        PUBLIC_INPUTS_LENGTH,
        PUBLIC_INPUTS_NON_CANONICAL,
    ];

    pub(crate) fn new(
        code: &'static str,
        item: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            code,
            item: item.into(),
            detail: detail.into(),
        }
    }

    /// `value` of `item` is above `limit`.
    pub(crate) fn above(
        code: &'static str,
        item: impl Into<String>,
        value: u64,
        limit: u64,
    ) -> Self {
        Self::new(code, item, format!("{value} is above the limit of {limit}"))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.item, self.detail)
    }
}

impl std::error::Error for Refusal {}
