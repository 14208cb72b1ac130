//! A halo2 circuit as data, independent of the author who wrote it and the prover that uses it.
//!
//! [`Circuit`] holds the constraint system, the fixed layout and the public inputs' names;
//! [`Witness`] the values of one proof. Both have canonical bytes. [`Circuit::check`] turns a
//! description that anybody may have made into a [`CheckedCircuit`], the only form that a prover
//! takes. Nothing here computes with field elements, reads a clock or does IO, so the crate
//! builds for the sandbox and natively alike.

mod annotations;
mod circuit;
mod codec;
mod constraint_system;
mod field;
pub mod flat;
mod layout;
mod limits;
mod lints;
mod refusal;
mod validate;
mod witness;

pub use annotations::{Annotations, Region};
pub use circuit::{Backend, Circuit, CircuitDigest, PublicInput};
pub use codec::DecodeError;
pub use constraint_system::{
    Column, ColumnKind, Constraint, ConstraintSystem, Expression, Gate, Lookup, NodeIndex, Query,
    Selector,
};
pub use field::{Field, FieldElement};
pub use layout::{Copy, Fill, FixedCell, Layout, SelectorRow};
pub use limits::Limits;
pub use lints::Lint;
pub use refusal::Refusal;
pub use validate::{CheckedCircuit, Shape, unprintable};
pub use witness::{Denominator, Witness};
