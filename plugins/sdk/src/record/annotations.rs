//! The recorder of region names. It runs only when a failure is to be explained.

use std::collections::BTreeSet;

use aureole_ir as ir;
use halo2_proofs::{
    circuit::Value,
    plonk::{Advice, Assigned, Column, Error, Fixed, Selector},
};
use pasta_curves::Fp;

use super::Handles;
use super::assignment::Recorder;

pub(super) struct Annotations<'a> {
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

// === impl Annotations ===

impl<'a> Annotations<'a> {
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

impl Recorder for Annotations<'_> {
    fn enter_region(&mut self, name: impl FnOnce() -> String) {
        let mut path = self.namespaces.clone();
        path.push(name());
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

    fn push_namespace(&mut self, name: impl FnOnce() -> String) {
        self.namespaces.push(name());
    }

    fn pop_namespace(&mut self) {
        self.namespaces.pop();
    }

    fn selector(&mut self, _: &Selector, row: usize) -> Result<(), Error> {
        self.touch(None, row)
    }

    fn advice(
        &mut self,
        advice: Column<Advice>,
        row: usize,
        _: impl FnOnce() -> Value<Assigned<Fp>>,
    ) -> Result<(), Error> {
        let index = self.handles.advice(advice)?;
        self.touch(column(ir::ColumnKind::Advice, index), row)
    }

    fn fixed(
        &mut self,
        fixed: Column<Fixed>,
        row: usize,
        value: impl FnOnce() -> Value<Assigned<Fp>>,
    ) -> Result<(), Error> {
        // A table's layouter takes its default value from here.
        let _ = value();
        let index = self.handles.fixed(fixed)?;
        self.touch(column(ir::ColumnKind::Fixed, index), row)
    }
}
