//! The exact length of a circuit's proofs.
//!
//! Counted from halo2's protocol, in the order its prover writes. Points and scalars are 32
//! bytes each.

use std::collections::BTreeSet;

use aureole_ir::{ConstraintSystem, Query};

use crate::Error;

/// Bytes of a point or a scalar.
const ELEMENT_BYTES: u64 = 32;

/// Distinct rotations at which one polynomial is opened, modulo the number of rows.
type Points = BTreeSet<i64>;

/// Numbers that only key generation knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compiled {
    /// Rows are 2^k.
    pub(crate) k: u32,
    /// Degree of the constraint system.
    pub(crate) degree: u64,
    /// Fixed columns once selectors are compressed into such.
    pub(crate) fixed_columns: u64,
}

/// The length of every proof of the circuit.
///
/// # Errors
/// [`Error::Rotation`] if halo2 cannot open proofs of this circuit at all.
pub(crate) fn proof_bytes(system: &ConstraintSystem, compiled: Compiled) -> Result<u64, Error> {
    let permutation = length(system.permutation.len());
    let lookups = length(system.lookups.len());
    let chunk = compiled.degree.saturating_sub(2).max(1);
    let sets = permutation.div_ceil(chunk);
    // Each selector column that compression adds is queried once, at rotation 0.
    let selectors = compiled
        .fixed_columns
        .saturating_sub(system.fixed_columns.into());
    let fixed_evaluations = length(system.fixed_queries.len()).saturating_add(selectors);

    let commitments = [
        system.advice_columns.into(),
        lookups.saturating_mul(2),         // permuted input and table
        sets,                              // permutation products
        lookups,                           // lookup products
        1,                                 // random polynomial
        compiled.degree.saturating_sub(1), // pieces of h
    ];
    let evaluations = [
        length(system.instance_queries.len()),
        length(system.advice_queries.len()),
        fixed_evaluations,
        1, // random polynomial
        permutation,
        sets.saturating_mul(3).saturating_sub(1), // two for each set, a third for all but the last
        lookups.saturating_mul(5),
    ];
    let opening = [
        1, // q'
        point_sets(system, compiled, sets)?,
        1, // blinding polynomial of the inner product argument
        u64::from(compiled.k).saturating_mul(2),
        2,
    ];
    let elements = commitments.iter().chain(&evaluations).chain(&opening);
    Ok(elements
        .fold(0_u64, |sum, part| sum.saturating_add(*part))
        .saturating_mul(ELEMENT_BYTES))
}

/// How many different sets of points polynomials are opened at: one evaluation each.
fn point_sets(system: &ConstraintSystem, compiled: Compiled, sets: u64) -> Result<u64, Error> {
    let rows = 1_i64.checked_shl(compiled.k).unwrap_or(i64::MAX);
    // h and the random polynomial, fixed columns and the permutation's own are opened at x.
    let mut distinct = BTreeSet::from([Points::from([0])]);
    for (kind, columns, queries) in [
        ("advice", system.advice_columns, &system.advice_queries),
        (
            "instance",
            system.instance_columns,
            &system.instance_queries,
        ),
    ] {
        distinct.extend(rotations(kind, columns, queries, rows)?);
    }
    let last = length_of_blinding(system).saturating_add(1);
    if sets > 0 {
        distinct.insert(Points::from([0, 1]));
    }
    if sets > 1 {
        distinct.insert(Points::from([0, 1, last.saturating_neg().rem_euclid(rows)]));
    }
    if !system.lookups.is_empty() {
        distinct.insert(Points::from([0, 1]));
        distinct.insert(Points::from([0, (-1_i64).rem_euclid(rows)]));
    }
    Ok(length(distinct.len()))
}

fn rotations(
    kind: &'static str,
    columns: u32,
    queries: &[Query],
    rows: i64,
) -> Result<BTreeSet<Points>, Error> {
    let mut of_columns = vec![Points::new(); columns as usize];
    for query in queries {
        let Some(points) = of_columns.get_mut(query.column as usize) else {
            continue;
        };
        if !points.insert(i64::from(query.rotation).rem_euclid(rows)) {
            return Err(Error::Rotation {
                kind,
                column: query.column,
                rotation: query.rotation,
                rows: rows.unsigned_abs(),
            });
        }
    }
    Ok(of_columns
        .into_iter()
        .filter(|points| !points.is_empty())
        .collect())
}

/// halo2's `blinding_factors`: the most queries of one advice column, at least 3, and 2 more.
fn length_of_blinding(system: &ConstraintSystem) -> i64 {
    let mut counts = vec![0_i64; system.advice_columns as usize];
    for query in &system.advice_queries {
        if let Some(count) = counts.get_mut(query.column as usize) {
            *count = count.saturating_add(1);
        }
    }
    counts
        .into_iter()
        .max()
        .unwrap_or(1)
        .max(3)
        .saturating_add(2)
}

fn length(items: usize) -> u64 {
    items.try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first broken fact")]
mod tests {
    use super::*;

    const COMPILED: Compiled = Compiled {
        k: 4,
        degree: 3,
        fixed_columns: 0,
    };

    fn advice(rotations: &[i32]) -> ConstraintSystem {
        let queries = rotations.iter().map(|rotation| Query {
            column: 0,
            rotation: *rotation,
        });
        ConstraintSystem {
            advice_columns: 1,
            advice_queries: queries.collect(),
            ..ConstraintSystem::default()
        }
    }

    #[test]
    fn the_least_circuit_has_a_known_length() {
        // Random polynomial, two pieces of h, random evaluation, q', one point set, blinding
        // polynomial, two points for each of four rounds, two scalars.
        let bytes = proof_bytes(&ConstraintSystem::default(), COMPILED).unwrap();
        assert_eq!(bytes, 32 * (1 + 2 + 1 + 1 + 1 + 1 + 8 + 2));
    }

    #[test]
    fn each_new_set_of_rotations_costs_an_evaluation() {
        let one = proof_bytes(&advice(&[0]), COMPILED).unwrap();
        let shifted = proof_bytes(&advice(&[1]), COMPILED).unwrap();
        let two = proof_bytes(&advice(&[0, 1]), COMPILED).unwrap();
        assert_eq!(shifted, one + 32);
        assert_eq!(two, one + 64);
    }

    #[test]
    fn rotations_that_meet_modulo_the_rows_are_refused() {
        let error = proof_bytes(&advice(&[-1, 15]), COMPILED).unwrap_err();
        assert!(matches!(
            error,
            Error::Rotation {
                column: 0,
                rotation: 15,
                rows: 16,
                ..
            }
        ));
        assert_eq!(error.code(), "ir.rotation");
    }
}
