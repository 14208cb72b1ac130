//! A witness as `create_proof` collects it: every value where the author's floor planner puts it.

use anyhow::Context as _;
use ff::Field as _;
use halo2_proofs::{
    circuit::Value,
    plonk::{
        Advice, Any, Assigned, Assignment, Circuit, Column, ConstraintSystem, Error, Fixed,
        FloorPlanner, Instance, Selector,
    },
};
use pasta_curves::Fp;

/// The advice columns of a circuit with its witness, 2^k rows each, zero where nothing stands.
///
/// `shape` has the numbers of columns and of constants columns, which halo2 keeps to itself.
///
/// # Errors
/// When the circuit cannot be laid out.
pub fn witness<C: Circuit<Fp>>(
    circuit: &C,
    shape: &aureole_ir::ConstraintSystem,
    k: u32,
    instance: &[Vec<Fp>],
) -> anyhow::Result<Vec<Vec<Fp>>> {
    let config = C::configure(&mut ConstraintSystem::default());
    // Handles are equal by index, so those of another constraint system serve.
    let mut scratch = ConstraintSystem::<Fp>::default();
    let advice = (0..shape.advice_columns)
        .map(|_| scratch.advice_column())
        .collect();
    let fixed: Vec<_> = (0..shape.fixed_columns)
        .map(|_| scratch.fixed_column())
        .collect();
    let public = (0..shape.instance_columns)
        .map(|_| scratch.instance_column())
        .collect();
    let constants = shape
        .constants
        .iter()
        .filter_map(|column| fixed.get(*column as usize));
    let constants = constants.copied().collect();
    let mut collector = Collector {
        advice,
        public,
        instance,
        cells: vec![vec![Fp::zero(); 1 << k]; shape.advice_columns as usize],
    };
    C::FloorPlanner::synthesize(&mut collector, circuit, config, constants)
        .context("the author's circuit cannot be laid out")?;
    Ok(collector.cells)
}

struct Collector<'a> {
    advice: Vec<Column<Advice>>,
    public: Vec<Column<Instance>>,
    instance: &'a [Vec<Fp>],
    cells: Vec<Vec<Fp>>,
}

impl Assignment<Fp> for Collector<'_> {
    fn enter_region<NR: Into<String>, N: FnOnce() -> NR>(&mut self, _: N) {}

    fn exit_region(&mut self) {}

    fn enable_selector<A, AR>(&mut self, _: A, _: &Selector, _: usize) -> Result<(), Error>
    where
        A: FnOnce() -> AR,
        AR: Into<String>,
    {
        Ok(())
    }

    fn query_instance(&self, column: Column<Instance>, row: usize) -> Result<Value<Fp>, Error> {
        let column = self.public.iter().position(|known| *known == column);
        let cell = column.and_then(|column| self.instance.get(column)?.get(row));
        cell.map(|value| Value::known(*value))
            .ok_or(Error::BoundsFailure)
    }

    fn assign_advice<V, VR, A, AR>(
        &mut self,
        _: A,
        column: Column<Advice>,
        row: usize,
        to: V,
    ) -> Result<(), Error>
    where
        V: FnOnce() -> Value<VR>,
        VR: Into<Assigned<Fp>>,
        A: FnOnce() -> AR,
        AR: Into<String>,
    {
        let mut assigned = None;
        to().into_field()
            .map(|value: Assigned<Fp>| assigned = Some(value));
        let value = match assigned.ok_or(Error::Synthesis)? {
            Assigned::Zero => Fp::zero(),
            Assigned::Trivial(value) => value,
            Assigned::Rational(numerator, denominator) => {
                numerator * denominator.invert().unwrap_or(Fp::zero())
            }
        };
        let column = self.advice.iter().position(|known| *known == column);
        let cell = column.and_then(|column| self.cells.get_mut(column)?.get_mut(row));
        *cell.ok_or(Error::BoundsFailure)? = value;
        Ok(())
    }

    fn assign_fixed<V, VR, A, AR>(
        &mut self,
        _: A,
        _: Column<Fixed>,
        _: usize,
        _: V,
    ) -> Result<(), Error>
    where
        V: FnOnce() -> Value<VR>,
        VR: Into<Assigned<Fp>>,
        A: FnOnce() -> AR,
        AR: Into<String>,
    {
        Ok(())
    }

    fn copy(&mut self, _: Column<Any>, _: usize, _: Column<Any>, _: usize) -> Result<(), Error> {
        Ok(())
    }

    fn fill_from_row(
        &mut self,
        _: Column<Fixed>,
        _: usize,
        _: Value<Assigned<Fp>>,
    ) -> Result<(), Error> {
        Ok(())
    }

    fn push_namespace<NR: Into<String>, N: FnOnce() -> NR>(&mut self, _: N) {}

    fn pop_namespace(&mut self, _: Option<String>) {}
}
