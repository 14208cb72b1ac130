//! Expressions, gates and lookups: one pass over the flat list, operands before their users.

use super::count;
use crate::refusal::{self, Refusal};
use crate::{
    ConstraintSystem, Expression, Field, FieldElement, Limits, NodeIndex, Query, Selector,
};

/// What the pass found.
pub(super) struct Sizes {
    /// As halo2's `ConstraintSystem::degree`.
    pub(super) degree: u32,
    /// Constraints of all gates.
    pub(super) constraints: u32,
    /// Nodes of all trees.
    pub(super) expanded: u64,
}

/// What is known of one node, everything below it included.
#[derive(Clone, Copy)]
struct Node {
    degree: u32,
    depth: u32,
    expanded: u64,
    /// Whether a simple selector stands in it; two never do.
    simple: bool,
}

const LEAF: Node = Node {
    degree: 1,
    depth: 1,
    expanded: 1,
    simple: false,
};

/// Checks all expressions, then what gates and lookups make of them.
pub(super) fn check(
    cs: &ConstraintSystem,
    field: Field,
    limits: &Limits,
) -> Result<Sizes, Refusal> {
    let mut nodes = Vec::with_capacity(cs.expressions.len());
    for (index, expression) in cs.expressions.iter().enumerate() {
        let item = || format!("expression {index}");
        let node = node(cs, field, &nodes, expression, &item)?;
        if node.depth > limits.depth_max {
            return Err(Refusal::new(
                refusal::SIZE,
                item(),
                format!(
                    "a depth of {} is above the limit of {}",
                    node.depth, limits.depth_max
                ),
            ));
        }
        if node.degree > limits.degree_most() {
            return Err(too_high(item(), node.degree, limits));
        }
        nodes.push(node);
    }

    // The permutation argument has constraints of degree 3 with or without columns.
    let mut sizes = Sizes {
        degree: 3,
        constraints: 0,
        expanded: 0,
    };
    gates(cs, &nodes, &mut sizes, limits)?;
    lookups(cs, &nodes, &mut sizes, limits)?;
    if let Some(degree) = cs.minimum_degree {
        if degree > limits.degree_most() {
            return Err(too_high("minimum degree".into(), degree, limits));
        }
        sizes.degree = sizes.degree.max(degree);
    }
    Ok(sizes)
}

fn node(
    cs: &ConstraintSystem,
    field: Field,
    nodes: &[Node],
    expression: &Expression,
    item: &impl Fn() -> String,
) -> Result<Node, Refusal> {
    let operand = |index: NodeIndex| {
        nodes.get(index as usize).copied().ok_or_else(|| {
            Refusal::new(
                refusal::EXPRESSION,
                item(),
                format!("operand {index} is not an earlier node"),
            )
        })
    };
    match expression {
        Expression::Constant(value) => {
            canonical(field, value, item)?;
            Ok(Node { degree: 0, ..LEAF })
        }
        Expression::Selector(index) => match cs.selectors.get(*index as usize) {
            Some(kind) => Ok(Node {
                simple: *kind == Selector::Simple,
                ..LEAF
            }),
            None => Err(Refusal::new(
                refusal::SELECTOR,
                item(),
                format!("there is no selector {index}, only {}", cs.selectors.len()),
            )),
        },
        Expression::Fixed(index) => query("fixed", *index, &cs.fixed_queries, item),
        Expression::Advice(index) => query("advice", *index, &cs.advice_queries, item),
        Expression::Instance(index) => query("instance", *index, &cs.instance_queries, item),
        Expression::Negated(of) => Ok(operand(*of)?.within()),
        Expression::Scaled(of, by) => {
            canonical(field, by, item)?;
            Ok(operand(*of)?.within())
        }
        Expression::Sum(left, right) => {
            let (left, right) = (operand(*left)?, operand(*right)?);
            if left.simple || right.simple {
                return Err(Refusal::new(
                    refusal::SELECTOR,
                    item(),
                    "a simple selector stands in a sum; halo2 may combine it with others, so it \
                     may only be a factor: use a complex selector",
                ));
            }
            Ok(left.with(right, left.degree.max(right.degree)))
        }
        Expression::Product(left, right) => {
            let (left, right) = (operand(*left)?, operand(*right)?);
            if left.simple && right.simple {
                return Err(Refusal::new(
                    refusal::SELECTOR,
                    item(),
                    "two simple selectors stand in one product: use complex selectors",
                ));
            }
            Ok(left.with(right, left.degree.saturating_add(right.degree)))
        }
    }
}

fn query(
    kind: &str,
    index: u32,
    list: &[Query],
    item: &impl Fn() -> String,
) -> Result<Node, Refusal> {
    match list.get(index as usize) {
        Some(_) => Ok(LEAF),
        None => Err(Refusal::new(
            refusal::EXPRESSION,
            item(),
            format!("there is no {kind} query {index}, only {}", list.len()),
        )),
    }
}

fn canonical(
    field: Field,
    value: &FieldElement,
    item: &impl Fn() -> String,
) -> Result<(), Refusal> {
    match value.is_canonical(field) {
        true => Ok(()),
        false => Err(Refusal::new(
            refusal::NON_CANONICAL,
            item(),
            "the constant is not below the field's modulus",
        )),
    }
}

fn gates(
    cs: &ConstraintSystem,
    nodes: &[Node],
    sizes: &mut Sizes,
    limits: &Limits,
) -> Result<(), Refusal> {
    for (index, gate) in cs.gates.iter().enumerate() {
        if gate.constraints.is_empty() {
            return Err(Refusal::new(
                refusal::EXPRESSION,
                format!("gate {index}"),
                "a gate needs at least one constraint",
            ));
        }
        sizes.constraints = sizes.constraints.saturating_add(count(&gate.constraints));
        for (inner, constraint) in gate.constraints.iter().enumerate() {
            let item = || format!("constraint {inner} of gate {index}");
            let node = root(nodes, constraint.expression, item)?;
            sizes.degree = sizes.degree.max(node.degree);
            sizes.grow(node, item, limits)?;
        }
    }
    Ok(())
}

fn lookups(
    cs: &ConstraintSystem,
    nodes: &[Node],
    sizes: &mut Sizes,
    limits: &Limits,
) -> Result<(), Refusal> {
    for (index, lookup) in cs.lookups.iter().enumerate() {
        let item = || format!("lookup {index}");
        let (inputs, table) = (count(&lookup.inputs), count(&lookup.table));
        if inputs != table || inputs == 0 {
            return Err(Refusal::new(
                refusal::LOOKUP,
                item(),
                format!("{inputs} inputs and {table} table columns: as many of each are needed"),
            ));
        }
        if inputs > limits.lookup_columns_max {
            return Err(Refusal::above(
                refusal::LOOKUP,
                format!("columns of lookup {index}"),
                inputs.into(),
                limits.lookup_columns_max.into(),
            ));
        }
        let mut input_degree = 1;
        for (inner, input) in lookup.inputs.iter().enumerate() {
            let item = || format!("input {inner} of lookup {index}");
            let node = root(nodes, *input, item)?;
            if node.simple {
                return Err(Refusal::new(
                    refusal::SELECTOR,
                    item(),
                    "a simple selector stands in a lookup: use a complex selector",
                ));
            }
            input_degree = input_degree.max(node.degree);
            sizes.grow(node, item, limits)?;
        }
        // Two for the argument's own factors, one for the table's column; never less than 4.
        let degree = input_degree.saturating_add(3);
        if degree > limits.degree_most() {
            return Err(too_high(item(), degree, limits));
        }
        sizes.degree = sizes.degree.max(degree);
    }
    Ok(())
}

fn root(nodes: &[Node], index: NodeIndex, item: impl Fn() -> String) -> Result<Node, Refusal> {
    nodes.get(index as usize).copied().ok_or_else(|| {
        Refusal::new(
            refusal::EXPRESSION,
            item(),
            format!("there is no expression {index}, only {}", nodes.len()),
        )
    })
}

fn too_high(item: String, degree: u32, limits: &Limits) -> Refusal {
    Refusal::new(
        refusal::DEGREE,
        item,
        format!(
            "a degree of {degree} is above the limit of {}; an intermediate advice cell lowers it",
            limits.degree_most()
        ),
    )
}

// === impl Node ===

impl Node {
    /// One node around this one.
    fn within(self) -> Self {
        Self {
            depth: self.depth.saturating_add(1),
            expanded: self.expanded.saturating_add(1),
            ..self
        }
    }

    /// One node around this one and another.
    fn with(self, other: Self, degree: u32) -> Self {
        Self {
            degree,
            depth: self.depth.max(other.depth).saturating_add(1),
            expanded: self
                .expanded
                .saturating_add(other.expanded)
                .saturating_add(1),
            simple: self.simple || other.simple,
        }
    }
}

// === impl Sizes ===

impl Sizes {
    fn grow(
        &mut self,
        root: Node,
        item: impl Fn() -> String,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        self.expanded = self.expanded.saturating_add(root.expanded);
        if self.expanded > limits.expanded_max {
            return Err(Refusal::new(
                refusal::SIZE,
                item(),
                format!(
                    "written out, it brings the expressions to {} nodes, above the limit of {}",
                    self.expanded, limits.expanded_max
                ),
            ));
        }
        Ok(())
    }
}
