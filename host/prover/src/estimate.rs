//! What a circuit's keys and proofs will take, from its shape alone and before any work.
//!
//! Upper bounds for admission and scheduling: every selector counts as a fixed column of its
//! own, though halo2 usually combines several. `estimates_bound_what_is_measured` compares them
//! with a process's real memory.

use aureole_ir::Shape;
use serde::{Deserialize, Serialize};

/// What a prover process has resident besides what its circuit's shape decides: pages of the program's
/// code, stacks, the allocator's own. The peak that a worker tells is that of the whole process. Measured
/// for nine circuits (`cargo xtask bench memory`): 12 to 17 MiB where a shape's part is small.
const PROCESS_BYTES: u64 = 13 << 20;

/// Bytes of a field element.
const ELEMENT: u64 = 32;

/// Memory that a circuit needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// Public parameters for the circuit's k, shared by all circuits of that k.
    pub params_bytes: u64,
    /// A proving key, kept while warm.
    pub key_bytes: u64,
    /// Peak on top of the two while one proof is made, the process itself included.
    pub prove_bytes: u64,
}

/// Column counts that decide a key's size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    pub(crate) k: u32,
    pub(crate) degree: u64,
    /// Selectors' columns included.
    pub(crate) fixed: u64,
    pub(crate) permutation: u64,
}

/// Estimates a circuit's memory.
#[must_use]
pub fn estimate(shape: &Shape) -> Estimate {
    let columns = Columns {
        k: shape.k,
        degree: shape.degree.into(),
        fixed: u64::from(shape.fixed_columns).saturating_add(shape.selectors.into()),
        permutation: shape.permutation_columns.into(),
    };
    let n = columns.rows();
    let e = columns.extended_rows();
    let advice = u64::from(shape.advice_columns);
    let instance = u64::from(shape.instance_columns);
    let lookups = u64::from(shape.lookups);
    let sets = columns
        .permutation
        .div_ceil(columns.degree.saturating_sub(2).max(1));

    // Values, their copy for the lookups and coefficients, then cosets and their copy.
    let columns_rows = sum(&[mul(3, n), mul(2, e)]);
    let parts = [
        mul(advice.saturating_add(instance), columns_rows),
        mul(columns.fixed, n.saturating_add(e)),
        mul(columns.permutation, e),
        mul(sets, sum(&[mul(2, n), e])),
        mul(lookups, sum(&[mul(8, n), mul(3, e)])),
        // Boundary polynomials, then h as evaluations and its transform.
        mul(6, e),
        // Pieces of h, the random polynomials and one multiexponentiation's temporaries.
        mul(columns.degree.saturating_add(12), n),
    ];
    Estimate {
        params_bytes: mul(2, mul(64, n)),
        key_bytes: columns.key_bytes(),
        prove_bytes: mul(ELEMENT, sum(&parts)).saturating_add(PROCESS_BYTES),
    }
}

// === impl Columns ===

impl Columns {
    /// A proving key: l_0, l_blind, l_last over the extended domain, and each fixed and
    /// permutation column as values, coefficients and coset.
    pub(crate) fn key_bytes(self) -> u64 {
        let each = sum(&[mul(2, self.rows()), self.extended_rows()]);
        let columns = self.fixed.saturating_add(self.permutation);
        mul(
            ELEMENT,
            sum(&[mul(3, self.extended_rows()), mul(columns, each)]),
        )
    }

    fn rows(self) -> u64 {
        1_u64.checked_shl(self.k).unwrap_or(u64::MAX)
    }

    /// The domain for the quotient: the least power of two times n that is at least
    /// n * (degree - 1).
    fn extended_rows(self) -> u64 {
        let factor = self.degree.saturating_sub(1).max(1);
        mul(
            self.rows(),
            factor.checked_next_power_of_two().unwrap_or(u64::MAX),
        )
    }
}

fn mul(a: u64, b: u64) -> u64 {
    a.saturating_mul(b)
}

fn sum(parts: &[u64]) -> u64 {
    parts.iter().fold(0, |sum, part| sum.saturating_add(*part))
}
