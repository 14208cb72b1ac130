//! The least circuit: it has nothing to prove, and still keys and proofs.

use aureole_ir::PublicInput;
use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner},
    plonk::{Circuit, ConstraintSystem, Error},
};
use pasta_curves::Fp;

use crate::case::Case;

pub struct Empty;

impl Circuit<Fp> for Empty {
    type Config = ();
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self
    }

    fn configure(_: &mut ConstraintSystem<Fp>) {}

    fn synthesize(&self, (): (), _: impl Layouter<Fp>) -> Result<(), Error> {
        Ok(())
    }
}

impl Case for Empty {
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
