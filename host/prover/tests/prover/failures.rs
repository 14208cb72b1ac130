//! What an unsatisfied witness is told: names and places, no values.

use aureole_ir::PublicInput;
use aureole_prover::{FAILURES_MAX, Fault, RegionRow, Values, check, diagnose, explain, mock};
use aureole_sdk::record;
use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner, Value},
    plonk::{Advice, Circuit, Column, ConstraintSystem, Error},
    poly::Rotation,
};
use pasta_curves::Fp;

use crate::{
    case::{Case, backend, recorded, witness},
    circuits::{copies::CopiesCircuit, lookups::Lookups, mixed::Mixed, series::Series},
};

/// An author's mistake: a gate without a selector, which the proof's random rows break.
pub struct Unguarded;

impl Circuit<Fp> for Unguarded {
    type Config = Column<Advice>;
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Column<Advice> {
        let column = meta.advice_column();
        meta.create_gate("always on", |cells| {
            let value = cells.query_advice(column, Rotation::cur());
            let next = cells.query_advice(column, Rotation::next());
            vec![
                ("is bit", value.clone() * (value.clone() - next.clone())),
                ("zero", value * Fp::zero()),
            ]
        });
        column
    }

    fn synthesize(
        &self,
        column: Self::Config,
        mut layouter: impl Layouter<Fp>,
    ) -> Result<(), Error> {
        layouter.assign_region(
            || "one cell",
            |mut region| {
                region
                    .assign_advice(|| "zero", column, 0, || Value::known(Fp::zero()))
                    .map(|_| ())
            },
        )
    }
}

impl Case for Unguarded {
    type Circuit = Self;

    fn public_inputs() -> Vec<PublicInput> {
        Vec::new()
    }

    fn empty() -> Self {
        Self
    }

    fn filled() -> (Self, Vec<Vec<Fp>>) {
        (Self, Vec::new())
    }
}

#[test]
fn a_gate_that_reaches_the_random_rows_is_found_and_its_proofs_are_indeed_invalid() {
    let circuit = recorded::<Unguarded>();
    let witness = witness::<Unguarded>(&circuit);
    let unsatisfied = check(&circuit, &witness).unwrap_err();
    assert_eq!(unsatisfied.failures.len(), 1);
    assert!(matches!(
        unsatisfied.failures[0].fault,
        Fault::UnusableRow { constraint: 0, .. }
    ));
    let text = unsatisfied.to_string();
    assert!(
        text.contains("gate 0 'always on' constraint 0 'is bit' reads a row"),
        "{text}"
    );
    assert_eq!(mock(&circuit, &witness).unwrap().len(), 1);
    let proof = backend().prove(&circuit, &witness).unwrap();
    assert!(
        !backend()
            .verify(&circuit, &[], &proof.bytes)
            .unwrap()
            .is_valid()
    );
}

#[test]
fn an_unsatisfied_witness_makes_a_proof_that_does_not_verify() {
    let circuit = recorded::<Series<5>>();
    let mut witness = witness::<Series<5>>(&circuit);
    witness.advice_values[2 * 32] ^= 1;
    assert!(check(&circuit, &witness).is_err());
    let proof = backend().prove(&circuit, &witness).unwrap();
    assert!(
        !backend()
            .verify(&circuit, &witness.public_inputs, &proof.bytes)
            .unwrap()
            .is_valid()
    );
}

#[test]
fn a_failed_constraint_is_named_with_its_region_and_offset() {
    let circuit = recorded::<Series<40>>();
    let mut witness = witness::<Series<40>>(&circuit);
    witness.advice_values[20 * 32] ^= 1;
    let annotations = record::annotations(&Series::<40>::empty()).unwrap();
    let failures = diagnose(&circuit, &annotations, &witness);
    assert_eq!(failures.len(), 1);
    let failure = &failures[0];
    assert_eq!((failure.row, failure.rows), (20, 3));
    let region = failure.region.clone().unwrap();
    assert_eq!(
        region,
        RegionRow {
            name: "fibonacci/series".to_owned(),
            offset: 20
        }
    );
    assert_eq!(
        failure.to_string(),
        "gate 0 'next of the series' constraint 0 'sum' is not zero at fibonacci/series offset 20 \
         and 2 more rows"
    );
}

#[test]
fn a_wrong_public_input_is_named() {
    let circuit = recorded::<Mixed>();
    let mut witness = witness::<Mixed>(&circuit);
    // The second of the flat inputs is `a`, in instance column 2.
    witness.public_inputs[32] ^= 1;
    let unsatisfied = check(&circuit, &witness).unwrap_err();
    let text = unsatisfied.to_string();
    assert!(
        text.contains("public input 'a' (instance column 2 row 0)"),
        "{text}"
    );
}

#[test]
fn a_lookup_outside_its_table_is_numbered() {
    let circuit = recorded::<Lookups>();
    let mut witness = witness::<Lookups>(&circuit);
    witness.advice_values[0] = 200;
    let unsatisfied = check(&circuit, &witness).unwrap_err();
    let faults: Vec<_> = unsatisfied
        .failures
        .iter()
        .map(|f| f.fault.clone())
        .collect();
    assert_eq!(
        faults,
        [Fault::Lookup { lookup: 0 }, Fault::Lookup { lookup: 1 }]
    );
}

#[test]
fn no_failure_shows_a_value() {
    let circuit = recorded::<Series<40>>();
    let mut witness = witness::<Series<40>>(&circuit);
    let secret = [0x5a; 31];
    witness.advice_values[20 * 32..20 * 32 + 31].copy_from_slice(&secret);
    let unsatisfied = check(&circuit, &witness).unwrap_err();
    let shown = format!("{unsatisfied} {unsatisfied:?}").to_lowercase();
    assert!(!shown.contains("5a5a"), "{shown}");
    assert!(!shown.contains("0x"), "{shown}");
}

#[test]
fn the_list_is_bounded_and_says_how_many_more() {
    // Forty copies of one cell, each with a wrong value of its own.
    struct Wide;
    impl Circuit<Fp> for Wide {
        type Config = <CopiesCircuit as Circuit<Fp>>::Config;
        type FloorPlanner = SimpleFloorPlanner;

        fn without_witnesses(&self) -> Self {
            Self
        }

        fn configure(meta: &mut ConstraintSystem<Fp>) -> Self::Config {
            CopiesCircuit::configure(meta)
        }

        fn synthesize(
            &self,
            (left, right, _): Self::Config,
            mut layouter: impl Layouter<Fp>,
        ) -> Result<(), Error> {
            layouter.assign_region(
                || "wide",
                |mut region| {
                    for row in 0..40_u64 {
                        let at = usize::try_from(row).unwrap();
                        let value = Value::known(Fp::from(row));
                        let a = region.assign_advice(|| "", left, at, || value)?;
                        let b = region.assign_advice(
                            || "",
                            right,
                            at,
                            || value + Value::known(Fp::one()),
                        )?;
                        region.constrain_equal(a.cell(), b.cell())?;
                    }
                    Ok(())
                },
            )
        }
    }
    let circuit = record::circuit(&Wide, aureole_sdk::K::Auto, Vec::new()).unwrap();
    let circuit = circuit.check(&aureole_ir::Limits::default()).unwrap();
    let witness = record::witness(&Wide, circuit.circuit(), &[Vec::new()]).unwrap();
    let unsatisfied = check(&circuit, &witness).unwrap_err();
    assert_eq!(unsatisfied.failures.len(), FAILURES_MAX);
    assert_eq!(unsatisfied.more, 40 - FAILURES_MAX as u64);
    assert!(
        unsatisfied.to_string().ends_with("; and 39 more"),
        "{unsatisfied}"
    );
}

#[test]
fn failures_travel_as_json_unchanged() {
    let circuit = recorded::<Mixed>();
    let mut witness = witness::<Mixed>(&circuit);
    witness.advice_values[0] ^= 1;
    let unsatisfied = check(&circuit, &witness).unwrap_err();
    let text = serde_json::to_string(&unsatisfied).unwrap();
    assert_eq!(
        serde_json::from_str::<aureole_prover::Unsatisfied>(&text).unwrap(),
        unsatisfied
    );
}

#[test]
fn a_failure_names_the_cells_it_reads_and_shows_them_only_when_told() {
    let circuit = recorded::<Series<40>>();
    let mut witness = witness::<Series<40>>(&circuit);
    witness.advice_values[20 * 32] ^= 1;
    let annotations = record::annotations(&Series::<40>::empty()).unwrap();
    let explained = |values| explain(&circuit, &annotations, &witness, values).unwrap_err();
    let hidden = explained(Values::Hidden);
    let cells = &hidden.failures[0].cells;
    assert!(cells.iter().all(|cell| cell.value.is_none()));
    let names: Vec<_> = cells
        .iter()
        .map(|cell| (cell.name.as_str(), cell.place.row))
        .collect();
    assert!(names.contains(&("a0", 20)), "{names:?}");
    assert!(
        names
            .iter()
            .any(|(name, row)| name.starts_with("a0[") && *row != 20),
        "{names:?}"
    );

    let shown = explained(Values::Shown);
    let values = shown.failures[0]
        .cells
        .iter()
        .map(|cell| cell.value.as_ref().unwrap());
    assert!(values.clone().all(|value| value.expose().starts_with("0x")));
    assert!(!format!("{shown:?} {shown}").contains("0x"), "{shown:?}");
    let text = serde_json::to_string(&shown).unwrap();
    assert!(
        text.contains(values.clone().next().unwrap().expose()),
        "{text}"
    );
}
