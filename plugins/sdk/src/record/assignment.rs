//! The one `Assignment` of this crate: what halo2 calls while it lays a circuit out, without the
//! type parameters, and with nothing to do where a recorder does not care.

use halo2_proofs::{
    circuit::Value,
    plonk::{Advice, Any, Assigned, Assignment, Column, Error, Fixed, Instance, Selector},
};
use pasta_curves::Fp;

/// What a recorder hears. Names and values are handed over as closures: not asking for one costs
/// nothing, and where there is no witness an advice value must not be asked for.
pub(super) trait Recorder {
    fn enter_region(&mut self, _name: impl FnOnce() -> String) {}

    fn exit_region(&mut self) {}

    fn push_namespace(&mut self, _name: impl FnOnce() -> String) {}

    fn pop_namespace(&mut self) {}

    fn selector(&mut self, _selector: &Selector, _row: usize) -> Result<(), Error> {
        Ok(())
    }

    /// Unknown to whoever has no instance.
    fn instance(&self, _column: Column<Instance>, _row: usize) -> Result<Value<Fp>, Error> {
        Ok(Value::unknown())
    }

    fn advice(
        &mut self,
        column: Column<Advice>,
        row: usize,
        value: impl FnOnce() -> Value<Assigned<Fp>>,
    ) -> Result<(), Error>;

    fn fixed(
        &mut self,
        _column: Column<Fixed>,
        _row: usize,
        _value: impl FnOnce() -> Value<Assigned<Fp>>,
    ) -> Result<(), Error> {
        Ok(())
    }

    fn copy(
        &mut self,
        _left: (Column<Any>, usize),
        _right: (Column<Any>, usize),
    ) -> Result<(), Error> {
        Ok(())
    }

    fn fill(
        &mut self,
        _column: Column<Fixed>,
        _from_row: usize,
        _value: Value<Assigned<Fp>>,
    ) -> Result<(), Error> {
        Ok(())
    }
}

/// A recorder as floor planners take it.
pub(super) struct Listening<'a, R>(pub(super) &'a mut R);

// === impl Listening ===

impl<R: Recorder> Assignment<Fp> for Listening<'_, R> {
    fn enter_region<NR, N>(&mut self, name: N)
    where
        NR: Into<String>,
        N: FnOnce() -> NR,
    {
        self.0.enter_region(|| name().into());
    }

    fn exit_region(&mut self) {
        self.0.exit_region();
    }

    fn enable_selector<A, AR>(&mut self, _: A, selector: &Selector, row: usize) -> Result<(), Error>
    where
        A: FnOnce() -> AR,
        AR: Into<String>,
    {
        self.0.selector(selector, row)
    }

    fn query_instance(&self, column: Column<Instance>, row: usize) -> Result<Value<Fp>, Error> {
        self.0.instance(column, row)
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
        self.0.advice(column, row, || to().into_field())
    }

    fn assign_fixed<V, VR, A, AR>(
        &mut self,
        _: A,
        column: Column<Fixed>,
        row: usize,
        to: V,
    ) -> Result<(), Error>
    where
        V: FnOnce() -> Value<VR>,
        VR: Into<Assigned<Fp>>,
        A: FnOnce() -> AR,
        AR: Into<String>,
    {
        self.0.fixed(column, row, || to().into_field())
    }

    fn copy(
        &mut self,
        left_column: Column<Any>,
        left_row: usize,
        right_column: Column<Any>,
        right_row: usize,
    ) -> Result<(), Error> {
        self.0
            .copy((left_column, left_row), (right_column, right_row))
    }

    fn fill_from_row(
        &mut self,
        column: Column<Fixed>,
        row: usize,
        to: Value<Assigned<Fp>>,
    ) -> Result<(), Error> {
        self.0.fill(column, row, to)
    }

    fn push_namespace<NR, N>(&mut self, name: N)
    where
        NR: Into<String>,
        N: FnOnce() -> NR,
    {
        self.0.push_namespace(|| name().into());
    }

    fn pop_namespace(&mut self, _: Option<String>) {
        self.0.pop_namespace();
    }
}

/// `Value` has no getter; mapping over it observes it.
pub(super) fn known(value: Value<Assigned<Fp>>) -> Option<Assigned<Fp>> {
    let mut known = None;
    let _ = value.map(|value| known = Some(value));
    known
}
