//! Expressions as straight-line code: each node once, operands before their users.

use std::collections::BTreeMap;

use aureole_ir::{Column, ColumnKind, ConstraintSystem, Expression as Node, NodeIndex, Query};
use pasta_curves::Fp;

use super::cells::Cells;
use crate::{Error, rebuild, values};

/// The value of a node on a row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    /// A field element.
    Value(Fp),
    /// Something random: only a factor of zero makes it a value again.
    Poison,
}

/// Code for some expressions of one constraint system.
pub(super) struct Program {
    steps: Vec<Step>,
    roots: Vec<usize>,
}

enum Step {
    Constant(Fp),
    Selector(u32),
    Fixed(Query),
    Advice(Query),
    Instance(Query),
    Negated(usize),
    Sum(usize, usize),
    Product(usize, usize),
    Scaled(usize, Fp),
}

/// The columns that expressions read, each with its rotation.
pub(super) fn readings(
    system: &ConstraintSystem,
    roots: impl IntoIterator<Item = NodeIndex>,
) -> Vec<(Column, i32)> {
    let read = |node: NodeIndex| {
        let (kind, queries, query) = match system.expressions.get(node as usize)? {
            Node::Fixed(query) => (ColumnKind::Fixed, &system.fixed_queries, query),
            Node::Advice(query) => (ColumnKind::Advice, &system.advice_queries, query),
            Node::Instance(query) => (ColumnKind::Instance, &system.instance_queries, query),
            _ => return None,
        };
        let query = queries.get(*query as usize)?;
        let column = Column {
            kind,
            index: query.column,
        };
        Some((column, query.rotation))
    };
    rebuild::reachable(&system.expressions, roots)
        .into_iter()
        .filter_map(read)
        .collect()
}

// === impl Program ===

impl Program {
    /// Compiles the expressions under the given nodes.
    pub(super) fn compile(
        system: &ConstraintSystem,
        roots: impl IntoIterator<Item = NodeIndex>,
    ) -> Result<Self, Error> {
        let roots: Vec<NodeIndex> = roots.into_iter().collect();
        let mut slots: BTreeMap<NodeIndex, usize> = BTreeMap::new();
        let mut steps = Vec::new();
        for node in rebuild::reachable(&system.expressions, roots.iter().copied()) {
            let slot = |operand: &NodeIndex| slots.get(operand).copied().unwrap_or(usize::MAX);
            let constant = |value| {
                values::element(value).ok_or(Error::NonCanonical {
                    what: "the expressions",
                    index: node as usize,
                })
            };
            let query = |list: &[Query], index: &u32| {
                list.get(*index as usize).copied().unwrap_or(Query {
                    column: u32::MAX,
                    rotation: 0,
                })
            };
            let Some(expression) = system.expressions.get(node as usize) else {
                continue;
            };
            let step = match expression {
                Node::Constant(value) => Step::Constant(constant(value)?),
                Node::Selector(selector) => Step::Selector(*selector),
                Node::Fixed(index) => Step::Fixed(query(&system.fixed_queries, index)),
                Node::Advice(index) => Step::Advice(query(&system.advice_queries, index)),
                Node::Instance(index) => Step::Instance(query(&system.instance_queries, index)),
                Node::Negated(a) => Step::Negated(slot(a)),
                Node::Sum(a, b) => Step::Sum(slot(a), slot(b)),
                Node::Product(a, b) => Step::Product(slot(a), slot(b)),
                Node::Scaled(a, value) => Step::Scaled(slot(a), constant(value)?),
            };
            slots.insert(node, steps.len());
            steps.push(step);
        }
        let roots = roots
            .iter()
            .filter_map(|root| slots.get(root).copied())
            .collect();
        Ok(Self { steps, roots })
    }

    /// How many expressions there are.
    pub(super) fn outputs(&self) -> usize {
        self.roots.len()
    }

    /// Room for one row's values.
    pub(super) fn scratch(&self) -> Vec<Outcome> {
        Vec::with_capacity(self.steps.len())
    }

    /// Evaluates all nodes on a row.
    pub(super) fn run(&self, cells: &Cells, row: u32, scratch: &mut Vec<Outcome>) {
        scratch.clear();
        for step in &self.steps {
            let at = |index: &usize| scratch.get(*index).copied().unwrap_or(Outcome::Poison);
            let outcome = match step {
                Step::Constant(value) => Outcome::Value(*value),
                Step::Selector(selector) => Outcome::Value(cells.selector(*selector, row)),
                Step::Fixed(q) => {
                    Outcome::Value(cells.fixed(q.column, cells.rotate(row, q.rotation)))
                }
                Step::Advice(q) => cells.advice(q.column, cells.rotate(row, q.rotation)),
                Step::Instance(q) => {
                    Outcome::Value(cells.instance(q.column, cells.rotate(row, q.rotation)))
                }
                Step::Negated(a) => at(a).map(|a| -a),
                Step::Sum(a, b) => at(a).sum(at(b)),
                Step::Product(a, b) => at(a).product(at(b)),
                Step::Scaled(a, value) => at(a).product(Outcome::Value(*value)),
            };
            scratch.push(outcome);
        }
    }

    /// The expressions' values after a run, in order.
    pub(super) fn outcomes<'a>(
        &'a self,
        scratch: &'a [Outcome],
    ) -> impl Iterator<Item = Outcome> + 'a {
        self.roots
            .iter()
            .map(|slot| scratch.get(*slot).copied().unwrap_or(Outcome::Poison))
    }
}

// === impl Outcome ===

impl Outcome {
    fn map(self, function: impl FnOnce(Fp) -> Fp) -> Self {
        match self {
            Self::Value(value) => Self::Value(function(value)),
            Self::Poison => Self::Poison,
        }
    }

    fn sum(self, other: Self) -> Self {
        match (self, other) {
            (Self::Value(a), Self::Value(b)) => Self::Value(a + b),
            _ => Self::Poison,
        }
    }

    fn product(self, other: Self) -> Self {
        match (self, other) {
            (Self::Value(a), Self::Value(b)) => Self::Value(a * b),
            (Self::Value(a), Self::Poison) | (Self::Poison, Self::Value(a)) if a == Fp::zero() => {
                Self::Value(Fp::zero())
            }
            _ => Self::Poison,
        }
    }
}
