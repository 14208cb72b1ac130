//! The audit finds the holes it is for, and stays silent where there is none.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up should stop at once"
)]

use aureole_audit::{AuditError, FreedomError, freedom, tampered_cells, tampered_public_inputs};
use aureole_sdk::{K, PublicInput, ir, record};
use halo2_proofs::{
    circuit::{AssignedCell, Layouter, SimpleFloorPlanner, Value},
    plonk::{Advice, Circuit, Column, ConstraintSystem, Constraints, Error, Instance, Selector},
    poly::Rotation,
};
use pasta_curves::Fp;

const K: u32 = 4;

/// How the circuit treats the first factor of its second product, which should be the first
/// factor of its first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hole {
    None,
    /// The factor is witnessed once more instead of copied.
    WitnessedTwice,
    /// A third value is witnessed and used by nothing.
    Unused,
    /// The second product is not bound to the public one.
    Unbound,
}

/// Two public numbers are multiples of one private one.
#[derive(Clone)]
struct Multiples {
    hole: Hole,
    factor: Value<Fp>,
}

#[derive(Clone)]
struct Config {
    columns: [Column<Advice>; 3],
    product: Selector,
    public: Column<Instance>,
}

impl Circuit<Fp> for Multiples {
    type Config = Config;
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        let factor = Value::unknown();
        Self { factor, ..*self }
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Config {
        let columns = [(); 3].map(|()| meta.advice_column());
        let public = meta.instance_column();
        columns
            .iter()
            .for_each(|column| meta.enable_equality(*column));
        meta.enable_equality(public);
        let constants = meta.fixed_column();
        meta.enable_constant(constants);
        let product = meta.selector();
        meta.create_gate("product", |meta| {
            let on = meta.query_selector(product);
            let [a, b, c] = columns.map(|column| meta.query_advice(column, Rotation::cur()));
            Constraints::with_selector(on, [a * b - c])
        });
        Config {
            columns,
            product,
            public,
        }
    }

    fn synthesize(&self, config: Config, mut layouter: impl Layouter<Fp>) -> Result<(), Error> {
        let mut first: Option<AssignedCell<Fp, Fp>> = None;
        for (row, times) in [(0, 3), (1, 5)] {
            let copied = first.clone().filter(|_| self.hole != Hole::WitnessedTwice);
            let (factor, product) = layouter.assign_region(
                || format!("product {row}"),
                |mut region| {
                    config.product.enable(&mut region, 0)?;
                    let [a, b, c] = config.columns;
                    let factor = match &copied {
                        Some(first) => first.copy_advice(|| "factor", &mut region, a, 0)?,
                        None => region.assign_advice(|| "factor", a, 0, || self.factor)?,
                    };
                    let other = Fp::from(times);
                    region.assign_advice_from_constant(|| "times", b, 0, other)?;
                    let other = Value::known(other);
                    if self.hole == Hole::Unused && row == 0 {
                        region.assign_advice(|| "unused", b, 1, || other)?;
                    }
                    let product = self.factor * other;
                    let product = region.assign_advice(|| "product", c, 0, || product)?;
                    Ok((factor, product))
                },
            )?;
            first.get_or_insert(factor);
            if self.hole != Hole::Unbound || row == 0 {
                layouter.constrain_instance(product.cell(), config.public, row)?;
            }
        }
        Ok(())
    }
}

fn multiples(hole: Hole) -> Multiples {
    let factor = Value::known(Fp::from(7));
    Multiples { hole, factor }
}

/// The circuit as recorded, and its witness.
fn recorded(hole: Hole) -> (ir::Circuit, ir::Witness) {
    let inputs = vec![PublicInput {
        name: "multiples".to_owned(),
        column: 0,
        rows: 2,
    }];
    let circuit = record::circuit(&multiples(hole), K::Auto, inputs).unwrap();
    let witness = record::witness(&multiples(hole), &circuit, &public()).unwrap();
    (circuit, witness)
}

fn public() -> Vec<Vec<Fp>> {
    vec![vec![Fp::from(21), Fp::from(35)]]
}

#[test]
fn a_circuit_without_a_hole_has_no_findings() {
    let circuit = multiples(Hole::None);
    assert_eq!(tampered_public_inputs(K, &circuit, &public()).unwrap(), []);
    assert_eq!(tampered_cells(K, circuit, &public()).unwrap(), []);
}

#[test]
fn a_cell_that_nothing_constrains_is_found_by_name() {
    let found = tampered_cells(K, multiples(Hole::Unused), &public()).unwrap();
    let names: Vec<_> = found
        .iter()
        .map(|c| (c.region.as_str(), c.name.as_str(), c.row))
        .collect();
    assert_eq!(names, [("product 0", "unused", 1)]);
}

#[test]
fn a_public_input_that_is_not_bound_is_found() {
    let found = tampered_public_inputs(K, &multiples(Hole::Unbound), &public()).unwrap();
    assert_eq!(found, [(0, 1)]);
}

#[test]
fn changing_one_cell_does_not_find_a_value_witnessed_twice() {
    let circuit = multiples(Hole::WitnessedTwice);
    assert_eq!(tampered_cells(K, circuit, &public()).unwrap(), []);
}

#[test]
fn a_witness_that_is_not_good_is_refused() {
    let wrong = [vec![Fp::from(22), Fp::from(35)]];
    let result = tampered_cells(K, multiples(Hole::None), &wrong);
    assert!(matches!(
        result,
        Err(AuditError::NotGood { failures: 1.., .. })
    ));
}

#[test]
fn a_circuit_that_does_not_fit_is_refused() {
    let result = tampered_cells(1, multiples(Hole::None), &public());
    assert!(matches!(result, Err(AuditError::Layout { k: 1, .. })));
}

#[test]
fn counting_directions_finds_a_value_witnessed_twice() {
    // One private factor; everything else follows from it.
    let (circuit, witness) = recorded(Hole::None);
    assert_eq!(freedom(&circuit, &witness).unwrap().directions, 1);
    let (circuit, witness) = recorded(Hole::WitnessedTwice);
    let found = freedom(&circuit, &witness).unwrap();
    assert_eq!(found.directions, 2);
    let rows: Vec<_> = found.free_cells.iter().map(|cell| cell.row).collect();
    assert_eq!(rows, [0, 1], "one factor a row");
}

#[test]
fn a_witness_that_breaks_a_gate_has_no_directions_to_count() {
    let (circuit, mut witness) = recorded(Hole::None);
    witness.advice_values[0] ^= 1;
    assert_eq!(
        freedom(&circuit, &witness),
        Err(FreedomError::Unsatisfied {
            gate: "product".to_owned(),
            constraint: String::new(),
            row: 0,
        })
    );
}

#[test]
fn a_witness_of_another_circuit_is_refused() {
    let (circuit, mut witness) = recorded(Hole::None);
    witness.advice_rows.clear();
    assert!(matches!(
        freedom(&circuit, &witness),
        Err(FreedomError::Malformed { .. })
    ));
}
