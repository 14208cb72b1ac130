//! The check against halo2's mock prover: every single tampering, and many at once.

use std::collections::{BTreeMap, BTreeSet};

use aureole_ir::{CheckedCircuit, Witness};
use aureole_prover::{FAILURES_MAX, Fault, check, mock};
use ff::PrimeField;
use halo2_proofs::dev::{FailureLocation, VerifyFailure};
use pasta_curves::Fp;

use crate::{
    case::{Case, recorded, witness},
    circuits::{
        copies::Copies, deep::Deep, lookups::Lookups, mixed::Mixed, rotations::Rotations,
        series::Series,
    },
    failures::Unguarded,
    first_party::{First, PreimageOnly, Range10},
};

/// What fails: by constraint or lookup, the first row and how many; poisoned constraints; whether
/// any copy does.
#[derive(Debug, Default, PartialEq, Eq)]
struct Findings {
    constraints: BTreeMap<String, (u32, u32)>,
    lookups: BTreeMap<String, (u32, u32)>,
    poisoned: BTreeSet<String>,
    copies: bool,
}

fn ours(circuit: &CheckedCircuit, witness: &Witness) -> Findings {
    let mut findings = Findings::default();
    let Err(unsatisfied) = check(circuit, witness) else {
        return findings;
    };
    assert_eq!(
        unsatisfied.more, 0,
        "more than {FAILURES_MAX}: not comparable"
    );
    for failure in unsatisfied.failures {
        let rows = (failure.row, failure.rows);
        match failure.fault {
            Fault::Constraint {
                gate, constraint, ..
            } => {
                findings
                    .constraints
                    .insert(format!("{gate}.{constraint}"), rows);
            }
            Fault::UnusableRow {
                gate, constraint, ..
            } => {
                findings.poisoned.insert(format!("{gate}.{constraint}"));
            }
            Fault::Lookup { lookup } => {
                findings.lookups.insert(lookup.to_string(), rows);
            }
            Fault::Copy { .. } => findings.copies = true,
            other => panic!("{other:?}"),
        }
    }
    findings
}

fn halo2s(circuit: &CheckedCircuit, witness: &Witness) -> Findings {
    let mut findings = Findings::default();
    let count = |to: fn(&mut Findings) -> &mut BTreeMap<String, (u32, u32)>,
                 findings: &mut Findings,
                 name: String,
                 location: &FailureLocation| {
        let row = row(location);
        let rows = to(findings).entry(name).or_insert((row, 0));
        *rows = (rows.0.min(row), rows.1 + 1);
    };
    for failure in mock(circuit, witness).unwrap() {
        match &failure {
            VerifyFailure::ConstraintNotSatisfied {
                constraint,
                location,
                ..
            } => {
                let name = indices(&constraint.to_string());
                count(
                    |findings| &mut findings.constraints,
                    &mut findings,
                    name,
                    location,
                );
            }
            VerifyFailure::ConstraintPoisoned { constraint } => {
                findings.poisoned.insert(indices(&constraint.to_string()));
            }
            VerifyFailure::Lookup {
                lookup_index,
                location,
            } => {
                let name = lookup_index.to_string();
                count(
                    |findings| &mut findings.lookups,
                    &mut findings,
                    name,
                    location,
                );
            }
            VerifyFailure::Permutation { .. } => findings.copies = true,
            other => panic!("{other:?}"),
        }
    }
    findings
}

/// The one region begins at row 0, as every circuit here assigns something there.
fn row(location: &FailureLocation) -> u32 {
    let row = match location {
        FailureLocation::InRegion { offset, .. } => *offset,
        FailureLocation::OutsideRegion { row } => *row,
    };
    row.try_into().unwrap()
}

/// `Constraint 1 in gate 2 ('')` to `2.1`.
fn indices(text: &str) -> String {
    let numbers: Vec<&str> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .collect();
    format!("{}.{}", numbers[1], numbers[0])
}

fn set(bytes: &mut [u8], cell: usize, change: impl FnOnce(Fp) -> Fp) {
    let repr = &mut bytes[cell * 32..(cell + 1) * 32];
    let value = Fp::from_repr(repr.try_into().unwrap()).unwrap();
    repr.copy_from_slice(&change(value).to_repr());
}

/// Changes each cell alone, then many at random; returns how often the witness failed.
fn compare<C: Case>(step: usize) -> u32 {
    let circuit = recorded::<C>();
    let good = witness::<C>(&circuit);
    assert_eq!(ours(&circuit, &good), halo2s(&circuit, &good));
    let mut failed = 0;
    let mut same = |witness: &Witness, what: &str| {
        let findings = ours(&circuit, witness);
        assert_eq!(findings, halo2s(&circuit, witness), "{what}");
        failed += u32::from(findings != Findings::default());
    };
    for cell in (0..good.advice_values.len() / 32).step_by(step) {
        let mut witness = good.clone();
        set(&mut witness.advice_values, cell, |value| value + Fp::one());
        same(&witness, &format!("advice cell {cell}"));
    }
    for cell in 0..good.public_inputs.len() / 32 {
        let mut witness = good.clone();
        set(&mut witness.public_inputs, cell, |value| value + Fp::one());
        same(&witness, &format!("public input {cell}"));
    }
    let mut random = 7_u64;
    for round in 0..20 {
        let mut witness = good.clone();
        for _ in 0..3 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let cells = witness.advice_values.len() / 32;
            let cell = usize::try_from(random >> 33).unwrap() % cells.max(1);
            set(&mut witness.advice_values, cell, |value| {
                value * Fp::from(random >> 60)
            });
        }
        same(&witness, &format!("round {round}"));
    }
    failed
}

#[test]
fn copies_fail_alike() {
    assert!(compare::<Copies>(1) > 0);
}

#[test]
fn lookups_fail_alike() {
    assert!(compare::<Lookups>(1) > 0);
}

#[test]
fn selectors_constants_and_rationals_fail_alike() {
    assert!(compare::<Mixed>(1) > 0);
}

#[test]
fn rotations_fail_alike() {
    assert!(compare::<Rotations>(1) > 0);
}

#[test]
fn a_series_fails_alike() {
    assert!(compare::<Series<40>>(1) > 0);
}

#[test]
fn gates_without_a_selector_are_poisoned_alike() {
    assert!(compare::<Unguarded>(1) > 0);
}

#[test]
fn the_highest_expression_fails_alike() {
    assert!(compare::<Deep>(1) > 0);
}

#[test]
fn first_party_circuits_fail_alike() {
    assert!(compare::<First<PreimageOnly>>(29) > 0);
    assert!(compare::<First<Range10>>(61) > 0);
}
