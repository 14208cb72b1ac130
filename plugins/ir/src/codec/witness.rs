//! A witness and annotations as bytes.

use super::{Reader, Writer, circuit};
use crate::{Annotations, DecodeError, Region, Witness, flat};

pub(super) fn write(w: &mut Writer, witness: &Witness) {
    w.list(&witness.advice_rows, |w, rows| w.u32(*rows));
    w.records(witness.advice_values.len(), &witness.advice_values);
    w.records(
        witness.denominators.len(),
        &flat::denominators_bytes(&witness.denominators),
    );
    w.records(witness.public_inputs.len(), &witness.public_inputs);
}

pub(super) fn read(r: &mut Reader<'_>) -> Result<Witness, DecodeError> {
    Ok(Witness {
        advice_rows: r.list("advice rows", 4, |r| r.u32("advice rows"))?,
        advice_values: r.records("advice values", 1)?.to_vec(),
        denominators: flat::denominators(r.records("denominators", 40)?)?,
        public_inputs: r.records("public inputs", 1)?.to_vec(),
    })
}

pub(super) fn write_annotations(w: &mut Writer, annotations: &Annotations) {
    w.list(&annotations.regions, |w, region| {
        w.text(&region.name);
        w.list(&region.columns, circuit::write_column);
        w.u32(region.first_row);
        w.u32(region.rows);
    });
}

pub(super) fn read_annotations(r: &mut Reader<'_>) -> Result<Annotations, DecodeError> {
    let regions = r.list("regions", 16, |r| {
        Ok(Region {
            name: r.text("a region's name")?,
            columns: r.list("a region's columns", 5, circuit::read_column)?,
            first_row: r.u32("a region's first row")?,
            rows: r.u32("a region's rows")?,
        })
    })?;
    Ok(Annotations { regions })
}
