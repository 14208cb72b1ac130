//! How large a circuit may be, each number with its reason.
//!
//! All limits refuse; none waits. They are checked before a number from a plugin is used for an
//! allocation, a loop or a recursion in halo2.

use serde::{Deserialize, Serialize};

/// Limits on one circuit. A node may lower or raise them; the defaults suit a machine that gives
/// a prover 4 GiB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest k. 14: parameters take 9 s to make once, a proof of six columns 4 s.
    pub k_max: u32,
    /// Advice, fixed and instance columns together. 512: five times Orchard's Action circuit and
    /// what `extended_bytes_max` allows for k = 14 at degree 9.
    pub columns_max: u32,
    /// Selectors. 256: halo2 compares every pair row by row, which takes half a second at k = 14.
    pub selectors_max: u32,
    /// Queries of all kinds. 2,048: each is an evaluation of 32 bytes in every proof, and halo2
    /// finds one by walking the list.
    pub queries_max: u32,
    /// Gates. 1,024: names are interned for the life of the process.
    pub gates_max: u32,
    /// Constraints of all gates. 4,096: each is a pass over the extended domain.
    pub constraints_max: u32,
    /// Lookups. 64: each costs five columns and two sorts.
    pub lookups_max: u32,
    /// Columns of one lookup. 32: the widest table of the gadget crates has 3.
    pub lookup_columns_max: u32,
    /// Nodes of the flat list. 65,536: Orchard's Action circuit has about 6,000.
    pub expressions_max: u32,
    /// Nodes once shared ones are written out, as halo2 holds them. 262,144: about 30 MiB, and
    /// halo2 walks each tree several times.
    pub expanded_max: u64,
    /// Height of an expression. 1,024: halo2 recurses over it on threads with 2 MiB of stack.
    pub depth_max: u32,
    /// Degree of the constraint system at any k. 17: the extended domain is then 16 times the
    /// rows; the next step doubles it.
    pub degree_max: u32,
    /// Degree of a constraint system whose extended domain has at most `extended_rows_free`
    /// points. 129: the proof has as many commitments, and the domain is 128 times the rows.
    pub degree_small_max: u32,
    /// Points of an extended domain up to which only `degree_small_max` bounds the degree. 2^18:
    /// what k = 14 takes at degree 17.
    pub extended_rows_free: u64,
    /// Distance of a rotation from the current row, and less than half of the rows: two queries
    /// of a column must never fall on one point of the domain. 8,191: half of k = 14.
    pub rotation_max: u32,
    /// Fixed cells. 1,048,576: 40 MiB of canonical bytes, 64 full columns at k = 14.
    pub fixed_cells_max: u32,
    /// Selector activations. 1,048,576: 8 MiB, 64 full selectors at k = 14.
    pub selector_rows_max: u32,
    /// Copies. 1,048,576: 16 MiB, and the permutation's cycles stay below a second.
    pub copies_max: u32,
    /// Columns in extended form, as the proving key and one proof hold them. 2 GiB: half of what
    /// a prover may take.
    pub extended_bytes_max: u64,
    /// Public inputs by name. 64: people read them.
    pub public_inputs_max: u32,
    /// Instance cells. 4,096: the verifier's work grows with them before it knows whether a
    /// proof is any good.
    pub instance_cells_max: u32,
    /// Bytes of a gate's or constraint's name. 256: they stand in one line of a message.
    pub name_bytes_max: u32,
    /// Bytes of all names. 262,144: they are interned.
    pub names_bytes_max: u32,
}

// === impl Limits ===

impl Limits {
    /// The largest degree that any circuit may have; its domain is looked at once it is known.
    pub(crate) fn degree_most(&self) -> u32 {
        self.degree_max.max(self.degree_small_max)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            k_max: 14,
            columns_max: 512,
            selectors_max: 256,
            queries_max: 2_048,
            gates_max: 1_024,
            constraints_max: 4_096,
            lookups_max: 64,
            lookup_columns_max: 32,
            expressions_max: 65_536,
            expanded_max: 262_144,
            depth_max: 1_024,
            degree_max: 17,
            degree_small_max: 129,
            extended_rows_free: 1 << 18,
            rotation_max: 8_191,
            fixed_cells_max: 1 << 20,
            selector_rows_max: 1 << 20,
            copies_max: 1 << 20,
            extended_bytes_max: 2 << 30,
            public_inputs_max: 64,
            instance_cells_max: 4_096,
            name_bytes_max: 256,
            names_bytes_max: 256 << 10,
        }
    }
}
