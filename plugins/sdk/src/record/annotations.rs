//! The recorder of region names. It runs only when a failure is to be explained.

use std::collections::BTreeSet;

use aureole_ir as ir;
use halo2_proofs::{
    circuit::Value,
    plonk::{Advice, Any, Assigned, Assignment, Column, Error, Fixed, Instance, Selector},
};
use pasta_curves::Fp;

use super::Handles;

pub(super) struct Recorder<'a> {
    handles: &'a Handles,
    namespaces: Vec<String>,
    current: Option<Region>,
    done: Vec<ir::Region>,
}

/// A region as it grows.
struct Region {
    name: String,
    columns: BTreeSet<ir::Column>,
    /// First and last row.
    rows: Option<(u32, u32)>,
}

// === impl Recorder ===

impl<'a> Recorder<'a> {
    pub(super) fn new(handles: &'a Handles) -> Self {
        Self {
            handles,
            namespaces: Vec::new(),
            current: None,
            done: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> ir::Annotations {
        ir::Annotations { regions: self.done }
    }

    fn touch(&mut self, column: Option<ir::Column>, row: usize) -> Result<(), Error> {
        let row = u32::try_from(row).map_err(|_| Error::BoundsFailure)?;
        // Constants are assigned outside of any region.
        if let Some(region) = &mut self.current {
            region.columns.extend(column);
            let (first, last) = region.rows.unwrap_or((row, row));
            region.rows = Some((first.min(row), last.max(row)));
        }
        Ok(())
    }
}

fn column(kind: ir::ColumnKind, index: usize) -> Option<ir::Column> {
    u32::try_from(index)
        .ok()
        .map(|index| ir::Column { kind, index })
}

impl Assignment<Fp> for Recorder<'_> {
    fn enter_region<NR, N>(&mut self, name: N)
    where
        NR: Into<String>,
        N: FnOnce() -> NR,
    {
        let mut path = self.namespaces.clone();
        path.push(name().into());
        self.current = Some(Region {
            name: path.join("/"),
            columns: BTreeSet::new(),
            rows: None,
        });
    }

    fn exit_region(&mut self) {
        if let Some(region) = self.current.take() {
            let (first_row, rows) = match region.rows {
                Some((first, last)) => (first, (last - first).saturating_add(1)),
                None => (0, 0),
            };
            self.done.push(ir::Region {
                name: region.name,
                columns: region.columns.into_iter().collect(),
                first_row,
                rows,
            });
        }
    }

    fn enable_selector<A, AR>(&mut self, _: A, _: &Selector, row: usize) -> Result<(), Error>
    where
        A: FnOnce() -> AR,
        AR: Into<String>,
    {
        self.touch(None, row)
    }

    fn query_instance(&self, _: Column<Instance>, _: usize) -> Result<Value<Fp>, Error> {
        Ok(Value::unknown())
    }

    fn assign_advice<V, VR, A, AR>(
        &mut self,
        _: A,
        advice: Column<Advice>,
        row: usize,
        _: V,
    ) -> Result<(), Error>
    where
        V: FnOnce() -> Value<VR>,
        VR: Into<Assigned<Fp>>,
        A: FnOnce() -> AR,
        AR: Into<String>,
    {
        let index = self.handles.advice(advice)?;
        self.touch(column(ir::ColumnKind::Advice, index), row)
    }

    fn assign_fixed<V, VR, A, AR>(
        &mut self,
        _: A,
        fixed: Column<Fixed>,
        row: usize,
        to: V,
    ) -> Result<(), Error>
    where
        V: FnOnce() -> Value<VR>,
        VR: Into<Assigned<Fp>>,
        A: FnOnce() -> AR,
        AR: Into<String>,
    {
        // A table's layouter takes its default value from here.
        let _ = to();
        let index = self.handles.fixed(fixed)?;
        self.touch(column(ir::ColumnKind::Fixed, index), row)
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

    fn push_namespace<NR, N>(&mut self, name: N)
    where
        NR: Into<String>,
        N: FnOnce() -> NR,
    {
        self.namespaces.push(name().into());
    }

    fn pop_namespace(&mut self, _: Option<String>) {
        self.namespaces.pop();
    }
}
