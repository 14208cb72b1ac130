//! The circuit: shape, layout and the names of its public inputs.

use std::fmt;

use crate::{ConstraintSystem, Field, Layout};

/// The proof system a circuit is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// PLONK with the inner product argument over Vesta: crate `halo2_proofs`.
    Halo2Ipa,
}

/// One named run of instance cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicInput {
    /// Lower-case name, unique within the circuit.
    pub name: String,
    /// Instance column.
    pub column: u32,
    /// Field elements it takes, at least one, after those of the entries before it in the column.
    pub rows: u32,
}

/// A circuit as recorded; anybody may have made it. See [`Circuit::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// The proof system.
    pub backend: Backend,
    /// The field.
    pub field: Field,
    /// The circuit has 2^k rows.
    pub k: u32,
    /// The shape.
    pub constraint_system: ConstraintSystem,
    /// The rows.
    pub layout: Layout,
    /// What the instance columns hold, in order: a column's length is the sum of its entries'
    /// rows, and zero without one.
    pub public_inputs: Vec<PublicInput>,
}

/// SHA-256 of a circuit's canonical bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CircuitDigest(pub [u8; 32]);

// === impl Circuit ===

impl Circuit {
    /// How many public inputs each instance column has.
    #[must_use]
    pub fn instance_lengths(&self) -> Vec<u32> {
        let mut lengths = vec![0_u32; self.constraint_system.instance_columns as usize];
        for input in &self.public_inputs {
            if let Some(length) = lengths.get_mut(input.column as usize) {
                *length = length.saturating_add(input.rows);
            }
        }
        lengths
    }
}

// === impl PublicInput ===

impl PublicInput {
    /// `rows` cells of an instance column, after those of the entries before it.
    pub fn new(name: impl Into<String>, column: u32, rows: u32) -> Self {
        Self {
            name: name.into(),
            column,
            rows,
        }
    }
}

// === impl CircuitDigest ===

impl fmt::Display for CircuitDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CircuitDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
