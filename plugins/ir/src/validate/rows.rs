//! How many rows there are, how many may be used, and what the extended domain costs.

use super::count;
use crate::refusal::{self, Refusal};
use crate::{Circuit, ConstraintSystem, Limits};

/// The rows of a circuit.
pub(super) struct Rows {
    /// 2^k.
    pub(super) all: u32,
    /// Rows that may hold values.
    pub(super) usable: u32,
    /// As halo2's `ConstraintSystem::blinding_factors`.
    pub(super) blinding_factors: u32,
}

/// The domain on which the quotient polynomial is computed.
pub(super) struct Domain {
    pub(super) extended_k: u32,
    pub(super) extended_bytes: u64,
}

/// Checks k. The number of columns and queries was checked before.
pub(super) fn check(circuit: &Circuit, limits: &Limits) -> Result<Rows, Refusal> {
    let k = circuit.k;
    // 2^31 rows would overflow what follows; parameters for k = 25 would take a day.
    let k_max = limits.k_max.min(25);
    if k > k_max {
        return Err(Refusal::above(refusal::K, "k", k.into(), k_max.into()));
    }
    let all = 1_u32 << k;
    let blinding_factors = circuit.constraint_system.blinding_factors();
    // Blinding rows, one for the last value of the permutation, one to part it from the first,
    // and one to use: halo2's `minimum_rows`.
    let least = blinding_factors.saturating_add(3);
    if all < least {
        return Err(Refusal::new(
            refusal::K,
            "k",
            format!(
                "{k} gives {all} rows, and this circuit needs at least {least}, \
                 {blinding_factors} of them to blind the proof"
            ),
        ));
    }
    Ok(Rows {
        all,
        usable: all - (blinding_factors + 1),
        blinding_factors,
    })
}

/// Checks what the extended domain costs.
pub(super) fn domain(
    circuit: &Circuit,
    rows: &Rows,
    degree: u32,
    limits: &Limits,
) -> Result<Domain, Refusal> {
    let cs = &circuit.constraint_system;
    // halo2's `EvaluationDomain::new`: the quotient has degree - 1 pieces of 2^k coefficients.
    let pieces = u64::from(degree.saturating_sub(1));
    let mut extended_k = circuit.k;
    while (1_u64 << extended_k) < u64::from(rows.all) * pieces {
        extended_k += 1;
    }
    let two_adicity = circuit.field.two_adicity();
    if extended_k > two_adicity {
        return Err(Refusal::new(
            refusal::DEGREE,
            "degree",
            format!(
                "{degree} with k = {} needs a domain of 2^{extended_k} points, and the field \
                 has one of 2^{two_adicity} at most",
                circuit.k
            ),
        ));
    }

    let points = 1_u64 << extended_k;
    if degree > limits.degree_max && points > limits.extended_rows_free {
        return Err(Refusal::new(
            refusal::DEGREE,
            "degree",
            format!(
                "{degree} with k = {} needs a domain of {points} points; a degree above {} may \
                 take {} at most; an intermediate advice cell lowers the degree",
                circuit.k, limits.degree_max, limits.extended_rows_free
            ),
        ));
    }

    let permutation = u64::from(count(&cs.permutation));
    let chunk = u64::from(degree.saturating_sub(2)).max(1);
    let columns = u64::from(cs.advice_columns)
        + u64::from(cs.fixed_columns)
        + u64::from(cs.instance_columns)
        + u64::from(count(&cs.selectors))
        + permutation
        + permutation.div_ceil(chunk)
        // Compressed input and table, both permuted, and the product.
        + 5 * u64::from(count(&cs.lookups))
        // First row, last row and blinding rows, and the quotient.
        + 4;
    let extended_bytes = columns.saturating_mul(32 << extended_k);
    if extended_bytes > limits.extended_bytes_max {
        return Err(Refusal::new(
            refusal::SIZE,
            "columns in extended form",
            format!(
                "{columns} columns of 2^{extended_k} points take {extended_bytes} bytes, above \
                 the limit of {}; a smaller k or degree or fewer columns would do",
                limits.extended_bytes_max
            ),
        ));
    }
    Ok(Domain {
        extended_k,
        extended_bytes,
    })
}

// === impl ConstraintSystem ===

impl ConstraintSystem {
    /// Rows of random values that hide each advice column, as halo2 counts them: one for each
    /// point at which a column is opened, at least three, and two more.
    #[must_use]
    pub fn blinding_factors(&self) -> u32 {
        let mut columns: Vec<u32> = self.advice_queries.iter().map(|q| q.column).collect();
        columns.sort_unstable();
        let most = columns
            .chunk_by(|left, right| left == right)
            .map(count)
            .max()
            .unwrap_or(0);
        most.max(3).saturating_add(2)
    }
}
