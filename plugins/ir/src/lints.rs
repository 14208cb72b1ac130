//! What is odd about a circuit that keeps every rule: accepted, and worth a second look.
//!
//! A lint is a guess about what the author meant, made from the circuit alone and without
//! computing with field elements. It refuses nothing, and a circuit without lints is not
//! sound for that: `aureole plugin fuzz` looks at a witness too.

use serde::Serialize;

use crate::{CheckedCircuit, ColumnKind};

mod expressions;
mod public_inputs;

use expressions::Nodes;

/// Lints of one circuit. 32: a screenful; who has so many has made one mistake many times.
const LINTS_MAX: usize = 32;

/// Something odd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lint {
    /// Stable: `lint.no_gates`, `lint.gate_always_zero`, `lint.gate_never_on`,
    /// `lint.column_unconstrained`, `lint.public_input_unbound` or `lint.public_input_free`.
    pub code: &'static str,
    /// What it is about, such as `` gate 2 `sum` ``.
    pub item: String,
    /// What is odd about it, and what it may mean.
    pub detail: String,
}

// === impl CheckedCircuit ===

impl CheckedCircuit {
    /// Everything odd, gates first; 32 at most.
    ///
    /// Takes time in proportion to the description's size.
    #[must_use]
    pub fn lints(&self) -> Vec<Lint> {
        let nodes = Nodes::of(self.circuit());
        let mut lints = gates(self, &nodes);
        lints.extend(columns(self, &nodes));
        lints.extend(public_inputs::lints(self, &nodes));
        lints.truncate(LINTS_MAX);
        lints
    }
}

// === impl Lint ===

impl Lint {
    fn new(code: &'static str, item: String, detail: impl Into<String>) -> Self {
        Self {
            code,
            item,
            detail: detail.into(),
        }
    }
}

fn gates(checked: &CheckedCircuit, nodes: &Nodes) -> Vec<Lint> {
    let cs = &checked.circuit().constraint_system;
    if cs.gates.is_empty() {
        return vec![Lint::new(
            "lint.no_gates",
            "the circuit".to_owned(),
            "it has no gate: lookups and copies are all that a witness must satisfy",
        )];
    }
    let gates = cs.gates.iter().enumerate().filter_map(|(index, gate)| {
        let all = |holds: fn(&Nodes, u32) -> bool| {
            let mut constraints = gate.constraints.iter();
            constraints.all(|constraint| holds(nodes, constraint.expression))
        };
        let (code, detail) = if all(Nodes::is_zero) {
            ("lint.gate_always_zero", "every witness satisfies it")
        } else if all(Nodes::is_off) {
            (
                "lint.gate_never_on",
                "its selectors, or the fixed columns it is multiplied by, are zero in every row: \
                 it constrains nothing",
            )
        } else {
            return None;
        };
        Some(Lint::new(
            code,
            format!("gate {index} `{}`", gate.name),
            detail,
        ))
    });
    gates.collect()
}

fn columns(checked: &CheckedCircuit, nodes: &Nodes) -> Vec<Lint> {
    let circuit = checked.circuit();
    let cs = &circuit.constraint_system;
    let mut used = nodes.advice_columns(cs);
    for copy in &circuit.layout.copies {
        for position in [copy.left_column, copy.right_column] {
            if let Some(column) = cs.permutation.get(position as usize)
                && column.kind == ColumnKind::Advice
            {
                used.insert(column.index);
            }
        }
    }
    let unused = (0..cs.advice_columns).filter(|column| !used.contains(column));
    unused
        .map(|column| {
            Lint::new(
                "lint.column_unconstrained",
                format!("advice column {column}"),
                "no gate, lookup or copy reads it: its cells can hold anything",
            )
        })
        .collect()
}
