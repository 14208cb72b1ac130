//! What can be said of expressions without their values: which are zero, which vary, and which
//! cells a gate computes.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Circuit, ConstraintSystem, Expression, NodeIndex, Query};

/// Facts of every node of the flat list.
pub(super) struct Nodes {
    /// Zero whatever the columns hold.
    zero: Vec<bool>,
    /// Zero with the selectors and fixed cells of this layout.
    off: Vec<bool>,
    /// Depends on the witness or the public inputs.
    varies: Vec<bool>,
    /// Part of a gate or a lookup.
    reached: Vec<bool>,
    /// Expressions by index, to walk them.
    list: Vec<Expression>,
}

/// A query whose cell is determined by the others of a constraint, where one of the selectors is
/// on; everywhere, where there are none.
pub(super) struct Computed {
    pub(super) query: Query,
    pub(super) selectors: Vec<u32>,
}

// === impl Nodes ===

impl Nodes {
    pub(super) fn of(circuit: &Circuit) -> Self {
        let cs = &circuit.constraint_system;
        let on: BTreeSet<u32> = circuit
            .layout
            .selector_rows
            .iter()
            .map(|row| row.selector)
            .collect();
        let filled = filled_columns(circuit);
        let mut nodes = Self {
            zero: Vec::with_capacity(cs.expressions.len()),
            off: Vec::with_capacity(cs.expressions.len()),
            varies: Vec::with_capacity(cs.expressions.len()),
            reached: reached(cs),
            list: cs.expressions.clone(),
        };
        for expression in &cs.expressions {
            let off = match expression {
                Expression::Selector(selector) => !on.contains(selector),
                Expression::Fixed(query) => cs
                    .fixed_queries
                    .get(*query as usize)
                    .is_some_and(|query| !filled.contains(&query.column)),
                _ => vanishes(expression, &nodes.off),
            };
            let varies = match *expression {
                Expression::Advice(_) | Expression::Instance(_) => true,
                Expression::Constant(_) | Expression::Selector(_) | Expression::Fixed(_) => false,
                Expression::Negated(a) | Expression::Scaled(a, _) => get(&nodes.varies, a),
                Expression::Sum(a, b) | Expression::Product(a, b) => {
                    get(&nodes.varies, a) || get(&nodes.varies, b)
                }
            };
            let zero = vanishes(expression, &nodes.zero);
            nodes.zero.push(zero);
            nodes.off.push(off);
            nodes.varies.push(varies);
        }
        nodes
    }

    pub(super) fn is_zero(&self, node: NodeIndex) -> bool {
        get(&self.zero, node)
    }

    pub(super) fn is_off(&self, node: NodeIndex) -> bool {
        get(&self.off, node)
    }

    /// Advice columns that a gate or a lookup reads.
    pub(super) fn advice_columns(&self, cs: &ConstraintSystem) -> BTreeSet<u32> {
        self.columns(|expression| match expression {
            Expression::Advice(query) => cs.advice_queries.get(*query as usize),
            _ => None,
        })
    }

    /// Instance columns that a gate or a lookup reads.
    pub(super) fn instance_columns(&self, cs: &ConstraintSystem) -> BTreeSet<u32> {
        self.columns(|expression| match expression {
            Expression::Instance(query) => cs.instance_queries.get(*query as usize),
            _ => None,
        })
    }

    fn columns<'a>(&self, query: impl Fn(&Expression) -> Option<&'a Query>) -> BTreeSet<u32> {
        let reached = self.list.iter().zip(&self.reached);
        reached
            .filter(|(_, reached)| **reached)
            .filter_map(|(expression, _)| query(expression))
            .map(|query| query.column)
            .collect()
    }

    /// The advice queries that a constraint determines: those that it has once, added and not
    /// multiplied with anything that varies. Where a lookup has several columns, all it reads.
    pub(super) fn computed(&self, cs: &ConstraintSystem) -> Vec<Computed> {
        let mut computed = Vec::new();
        for constraint in cs.gates.iter().flat_map(|gate| &gate.constraints) {
            let walk = self.walk(constraint.expression);
            let alone = walk.advice.iter().filter(|(_, alone)| **alone);
            computed.extend(alone.filter_map(|(query, _)| {
                let query = *cs.advice_queries.get(*query as usize)?;
                let selectors = walk.selectors.iter().copied().collect();
                Some(Computed { query, selectors })
            }));
        }
        let wide = cs.lookups.iter().filter(|lookup| lookup.inputs.len() > 1);
        for input in wide.flat_map(|lookup| &lookup.inputs) {
            let walk = self.walk(*input);
            computed.extend(walk.advice.keys().filter_map(|query| {
                let query = *cs.advice_queries.get(*query as usize)?;
                let selectors = walk.selectors.iter().copied().collect();
                Some(Computed { query, selectors })
            }));
        }
        computed
    }

    /// Walks one expression as a tree; its size is bounded by `expanded_max`.
    fn walk(&self, root: NodeIndex) -> Walk {
        let mut walk = Walk::default();
        let mut open = vec![(root, true)];
        while let Some((node, linear)) = open.pop() {
            match self.list.get(node as usize) {
                Some(Expression::Advice(query)) => {
                    let seen = walk.advice.contains_key(query);
                    walk.advice.insert(*query, linear && !seen);
                }
                Some(Expression::Selector(selector)) => {
                    walk.selectors.insert(*selector);
                }
                Some(Expression::Negated(a) | Expression::Scaled(a, _)) => open.push((*a, linear)),
                Some(Expression::Sum(a, b)) => open.extend([(*a, linear), (*b, linear)]),
                Some(Expression::Product(a, b)) => {
                    let linear = linear && !(get(&self.varies, *a) && get(&self.varies, *b));
                    open.extend([(*a, linear), (*b, linear)]);
                }
                _ => {}
            }
        }
        walk
    }
}

/// What stands in one expression.
#[derive(Default)]
struct Walk {
    /// Each advice query, and whether it stands there once and is not multiplied.
    advice: BTreeMap<u32, bool>,
    selectors: BTreeSet<u32>,
}

/// Whether a node is zero, given which of its operands are.
fn vanishes(expression: &Expression, zero: &[bool]) -> bool {
    match expression {
        Expression::Constant(value) => value.0 == [0; 32],
        Expression::Negated(a) => get(zero, *a),
        Expression::Sum(a, b) => get(zero, *a) && get(zero, *b),
        Expression::Product(a, b) => get(zero, *a) || get(zero, *b),
        Expression::Scaled(a, value) => value.0 == [0; 32] || get(zero, *a),
        _ => false,
    }
}

/// Fixed columns with anything but zeros.
fn filled_columns(circuit: &Circuit) -> BTreeSet<u32> {
    let layout = &circuit.layout;
    let cells = layout.fixed_cells.iter().map(|it| (it.column, it.value));
    let fills = layout.fixed_fills.iter().map(|it| (it.column, it.value));
    cells
        .chain(fills)
        .filter(|(_, value)| value.0 != [0; 32])
        .map(|(column, _)| column)
        .collect()
}

/// Which nodes are part of a gate or a lookup: operands stand before the nodes that use them.
fn reached(cs: &ConstraintSystem) -> Vec<bool> {
    let mut reached = vec![false; cs.expressions.len()];
    let reach = |node: NodeIndex, reached: &mut Vec<bool>| {
        if let Some(known) = reached.get_mut(node as usize) {
            *known = true;
        }
    };
    for constraint in cs.gates.iter().flat_map(|gate| &gate.constraints) {
        reach(constraint.expression, &mut reached);
    }
    for input in cs.lookups.iter().flat_map(|lookup| &lookup.inputs) {
        reach(*input, &mut reached);
    }
    for (index, expression) in cs.expressions.iter().enumerate().rev() {
        if !reached.get(index).copied().unwrap_or(false) {
            continue;
        }
        match *expression {
            Expression::Negated(a) | Expression::Scaled(a, _) => reach(a, &mut reached),
            Expression::Sum(a, b) | Expression::Product(a, b) => {
                reach(a, &mut reached);
                reach(b, &mut reached);
            }
            _ => {}
        }
    }
    reached
}

fn get(facts: &[bool], node: NodeIndex) -> bool {
    facts.get(node as usize).copied().unwrap_or(false)
}
