//! What an input breaks, for people: name, region, row, formula and cells.

use std::collections::BTreeMap;

use aureole_client::rest::{Cell, Failure, Region};
use aureole_draw::Formulas;
use aureole_ir::Circuit;
use aureole_prover::Unsatisfied;

use crate::print;

/// Prints failures; the circuit gives formulas where it is at hand.
pub(crate) fn print(failures: &[Failure], more: u64, circuit: Option<&Circuit>) {
    for failure in failures {
        print::line(format_args!("  {}", failure.message));
        let row = match &failure.region {
            Some(region) => format!("row {} ({} +{})", failure.row, region.name, region.offset),
            None => format!("row {}", failure.row),
        };
        print::line(format_args!("    at       {row}"));
        if let Some(formula) = circuit.and_then(|circuit| formula(failure, circuit)) {
            print::line(format_args!("    formula  {formula}"));
        }
        for cell in &failure.cells {
            let value = cell
                .value
                .as_ref()
                .map_or_else(String::new, |value| format!(" = {value}"));
            let public = cell
                .public_input
                .as_ref()
                .map_or_else(String::new, |name| format!(" (public input '{name}')"));
            print::line(format_args!(
                "    cell     {:<8} row {}{public}{value}",
                cell.name, cell.row
            ));
        }
    }
    if more > 0 {
        print::line(format_args!("  and {more} more"));
    }
}

fn formula(failure: &Failure, circuit: &Circuit) -> Option<String> {
    let system = &circuit.constraint_system;
    let formulas = Formulas::new(system, circuit.field);
    if let Some(lookup) = failure.lookup {
        let lookup = system.lookups.get(usize::try_from(lookup).ok()?)?;
        return Some(formulas.lookup(lookup).to_string());
    }
    let gate = system.gates.get(usize::try_from(failure.gate?).ok()?)?;
    let constraint = gate
        .constraints
        .get(usize::try_from(failure.constraint?).ok()?)?;
    Some(formulas.polynomial(constraint.expression).to_string())
}

/// The prover's failures in the API's form.
pub(crate) fn failures(unsatisfied: &Unsatisfied) -> Vec<Failure> {
    unsatisfied.failures.iter().map(failure).collect()
}

fn failure(failure: &aureole_prover::Failure) -> Failure {
    // The fault's fields have the API's names.
    let fault: BTreeMap<String, serde_json::Value> = serde_json::to_value(&failure.fault)
        .ok()
        .and_then(|value| serde_json::from_value(value).ok())
        .unwrap_or_default();
    let number = |key: &str| {
        fault
            .get(key)
            .and_then(serde_json::Value::as_u64)
            .and_then(|n| u32::try_from(n).ok())
    };
    let text = |key: &str| {
        let text = fault.get(key).and_then(serde_json::Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    Failure {
        fault: text("fault").unwrap_or_default(),
        message: failure.to_string(),
        gate: number("gate"),
        gate_name: text("gate_name"),
        constraint: number("constraint"),
        constraint_name: text("constraint_name"),
        lookup: number("lookup"),
        row: failure.row,
        rows: failure.rows,
        region: failure.region.as_ref().map(|region| Region {
            name: region.name.clone(),
            offset: region.offset,
        }),
        cells: failure.cells.iter().map(cell).collect(),
    }
}

fn cell(cell: &aureole_prover::Cell) -> Cell {
    Cell {
        name: cell.name.clone(),
        kind: cell.place.kind.clone(),
        column: cell.place.column,
        row: cell.place.row,
        public_input: cell.place.public_input.clone(),
        value: cell.value.as_ref().map(|value| value.expose().to_owned()),
    }
}
