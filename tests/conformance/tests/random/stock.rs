//! What stock halo2 itself says of the circuits that a node refuses: the facts behind the table in
//! `plugins/ir/README.md`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use aureole_conformance::Native;
use aureole_ir::Limits;
use aureole_sdk::{K, record};
use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner},
    plonk::{Advice, Circuit, Column, ConstraintSystem, Error, Expression},
    poly::Rotation,
};
use pasta_curves::Fp;

fn panics(configure: impl FnOnce(&mut ConstraintSystem<Fp>)) -> bool {
    let run = || configure(&mut ConstraintSystem::default());
    catch_unwind(AssertUnwindSafe(run)).is_err()
}

#[test]
fn stock_halo2_panics_at_simple_selectors_in_sums_products_and_lookups() {
    assert!(panics(|meta| {
        let (on, cell) = (meta.selector(), meta.advice_column());
        meta.create_gate("sum", |cells| {
            vec![cells.query_selector(on) + cells.query_advice(cell, Rotation::cur())]
        });
    }));
    assert!(panics(|meta| {
        let (on, other) = (meta.selector(), meta.selector());
        meta.create_gate("product", |cells| {
            vec![cells.query_selector(on) * cells.query_selector(other)]
        });
    }));
    assert!(panics(|meta| {
        let (on, table) = (meta.selector(), meta.lookup_table_column());
        meta.lookup(|cells| vec![(cells.query_selector(on), table)]);
    }));
}

#[test]
fn stock_halo2_panics_at_a_gate_without_constraints() {
    assert!(panics(
        |meta| meta.create_gate("none", |_| Vec::<Expression<Fp>>::new())
    ));
}

/// One column, and what the type says of it.
#[derive(Clone, Copy)]
struct Small<const WHAT: u8>;

const LOOKUP_WITHOUT_COLUMNS: u8 = 0;
const MEETING_ROTATIONS: u8 = 1;

impl<const WHAT: u8> Circuit<Fp> for Small<WHAT> {
    type Config = Column<Advice>;
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        *self
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Self::Config {
        let column = meta.advice_column();
        match WHAT {
            LOOKUP_WITHOUT_COLUMNS => {
                meta.lookup(|_| Vec::new());
            }
            _ => meta.create_gate("meeting", |cells| {
                let here = cells.query_advice(column, Rotation(0));
                vec![here - cells.query_advice(column, Rotation(16))]
            }),
        }
        column
    }

    fn synthesize(&self, _: Self::Config, _: impl Layouter<Fp>) -> Result<(), Error> {
        Ok(())
    }
}

fn refusal<const WHAT: u8>() -> &'static str {
    let recorded = record::circuit(&Small::<WHAT>, K::Fixed(4), Vec::new()).unwrap();
    recorded.check(&Limits::default()).unwrap_err().code
}

#[test]
fn stock_halo2_proves_a_lookup_without_columns_that_says_nothing() {
    let native = Native::new(&Small::<LOOKUP_WITHOUT_COLUMNS>, 4).unwrap();
    let proof = native.prove(Small::<LOOKUP_WITHOUT_COLUMNS>, &[]).unwrap();
    assert!(native.verifies(&[], &proof));
    assert_eq!(refusal::<LOOKUP_WITHOUT_COLUMNS>(), "ir.lookup");
}

#[test]
fn stock_halo2_makes_no_proof_with_rotations_that_meet() {
    let proof = catch_unwind(|| {
        let native = Native::new(&Small::<MEETING_ROTATIONS>, 4)?;
        native.prove(Small::<MEETING_ROTATIONS>, &[])
    });
    assert!(!matches!(proof, Ok(Ok(_))));
    assert_eq!(refusal::<MEETING_ROTATIONS>(), "ir.rotation");
}
