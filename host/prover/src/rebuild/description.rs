//! A recorded constraint system and the native column handles for it.

use std::collections::{BTreeMap, BTreeSet};

use aureole_ir::{
    Backend, Circuit, Column as IrColumn, ColumnKind, ConstraintSystem as IrConstraintSystem,
    Expression as Node, Field, NodeIndex, Selector as SelectorKind,
};
use halo2_proofs::{
    plonk::{
        Advice, Any, Column, Constraint, ConstraintSystem, Expression, Fixed, Instance, Selector,
        VirtualCells,
    },
    poly::Rotation,
};
use pasta_curves::Fp;

use crate::{Error, values};

/// Everything `configure` needs, checked once when it is made.
///
/// Column handles are private to halo2, but equal by index, so those of a scratch system serve.
#[derive(Debug)]
pub(crate) struct Description {
    system: IrConstraintSystem,
    constants: BTreeMap<NodeIndex, Fp>,
    is_table: Vec<bool>,
    pub(super) advice: Vec<Column<Advice>>,
    pub(super) fixed: Vec<Column<Fixed>>,
    pub(super) selectors: Vec<Selector>,
    pub(super) permutation: Vec<Column<Any>>,
    instance: Vec<Column<Instance>>,
}

/// The circuit's queries as expressions, in recorded order.
struct Leaves {
    advice: Vec<Expression<Fp>>,
    instance: Vec<Expression<Fp>>,
    fixed: Vec<Expression<Fp>>,
}

// === impl Description ===

impl Description {
    /// Copies the shape out of a circuit that was checked.
    pub(crate) fn new(circuit: &Circuit) -> Result<Self, Error> {
        if (circuit.backend, circuit.field) != (Backend::Halo2Ipa, Field::PallasBase) {
            return Err(Error::Backend {
                found: format!("{:?} over {:?}", circuit.backend, circuit.field),
                expected: "Halo2Ipa over PallasBase",
            });
        }
        let system = circuit.constraint_system.clone();
        let mut constants = BTreeMap::new();
        for (index, node) in (0..).zip(&system.expressions) {
            if let Node::Constant(value) | Node::Scaled(_, value) = node {
                let value = values::element(value).ok_or(Error::NonCanonical {
                    what: "the expressions",
                    index: index as usize,
                })?;
                constants.insert(index, value);
            }
        }
        let mut is_table = vec![false; system.fixed_columns as usize];
        for column in system.lookups.iter().flat_map(|lookup| &lookup.table) {
            if let Some(flag) = is_table.get_mut(*column as usize) {
                *flag = true;
            }
        }

        let mut scratch = ConstraintSystem::<Fp>::default();
        let advice: Vec<_> = (0..system.advice_columns)
            .map(|_| scratch.advice_column())
            .collect();
        let fixed: Vec<_> = (0..system.fixed_columns)
            .map(|_| scratch.fixed_column())
            .collect();
        let instance: Vec<_> = (0..system.instance_columns)
            .map(|_| scratch.instance_column())
            .collect();
        let selectors = system
            .selectors
            .iter()
            .map(|kind| allocate(&mut scratch, *kind))
            .collect();
        let any = |column: &IrColumn| -> Option<Column<Any>> {
            let index = column.index as usize;
            match column.kind {
                ColumnKind::Advice => advice.get(index).map(|column| (*column).into()),
                ColumnKind::Fixed => fixed.get(index).map(|column| (*column).into()),
                ColumnKind::Instance => instance.get(index).map(|column| (*column).into()),
            }
        };
        let permutation = system.permutation.iter().filter_map(any).collect();
        Ok(Self {
            system,
            constants,
            is_table,
            advice,
            fixed,
            selectors,
            permutation,
            instance,
        })
    }

    /// Makes the constraint system that the author's `configure` made.
    pub(super) fn configure(&self, meta: &mut ConstraintSystem<Fp>) {
        for _ in &self.advice {
            meta.advice_column();
        }
        for _ in &self.instance {
            meta.instance_column();
        }
        let mut tables = BTreeMap::new();
        for (index, is_table) in (0_u32..).zip(&self.is_table) {
            if *is_table {
                tables.insert(index, meta.lookup_table_column());
            } else {
                meta.fixed_column();
            }
        }
        for kind in &self.system.selectors {
            allocate(meta, *kind);
        }

        // A circuit with neither gate nor lookup has no queries but those that
        // `enable_equality` makes below, in the permutation's order.
        let mut leaves = None;
        for gate in &self.system.gates {
            // Gates' names are no part of a key, and halo2 wants them 'static: leave them out.
            meta.create_gate("", |cells| {
                let leaves = leaves.get_or_insert_with(|| self.query_all(cells));
                let polynomial = |node| Constraint::from(self.expression(node, leaves));
                gate.constraints
                    .iter()
                    .map(|c| polynomial(c.expression))
                    .collect::<Vec<_>>()
            });
        }
        for lookup in &self.system.lookups {
            meta.lookup(|cells| {
                let leaves = leaves.get_or_insert_with(|| self.query_all(cells));
                let pairs = lookup.inputs.iter().zip(&lookup.table);
                pairs
                    .filter_map(|(input, table)| {
                        Some((self.expression(*input, leaves), *tables.get(table)?))
                    })
                    .collect()
            });
        }
        for column in &self.permutation {
            meta.enable_equality(*column);
        }
        for column in &self.system.constants {
            if let Some(column) = self.fixed.get(*column as usize) {
                meta.enable_constant(*column);
            }
        }
        if let Some(degree) = self.system.minimum_degree {
            meta.set_minimum_degree(degree as usize);
        }
    }

    /// Makes every query in recorded order, before any polynomial does: the order of queries is
    /// the order of the proof's evaluations, and part of the key.
    fn query_all(&self, cells: &mut VirtualCells<'_, Fp>) -> Leaves {
        let mut leaves = Leaves {
            advice: Vec::new(),
            instance: Vec::new(),
            fixed: Vec::new(),
        };
        for query in &self.system.advice_queries {
            if let Some(column) = self.advice.get(query.column as usize) {
                leaves
                    .advice
                    .push(cells.query_advice(*column, Rotation(query.rotation)));
            }
        }
        for query in &self.system.instance_queries {
            if let Some(column) = self.instance.get(query.column as usize) {
                leaves
                    .instance
                    .push(cells.query_instance(*column, Rotation(query.rotation)));
            }
        }
        for query in &self.system.fixed_queries {
            if let Some(column) = self.fixed.get(query.column as usize) {
                leaves.fixed.push(cells.query_fixed(*column));
            }
        }
        leaves
    }

    /// The tree under a node. Built upwards without recursion; a shared node is cloned for each
    /// use but its last, so the work is the size of the tree, which the circuit's check bounds.
    fn expression(&self, root: NodeIndex, leaves: &Leaves) -> Expression<Fp> {
        let nodes = reachable(&self.system.expressions, [root]);
        let mut uses: BTreeMap<NodeIndex, u32> = BTreeMap::new();
        for index in &nodes {
            for operand in operands(self.system.expressions.get(*index as usize)) {
                let count = uses.entry(operand).or_insert(0);
                *count = count.saturating_add(1);
            }
        }

        let zero = || Expression::Constant(Fp::zero());
        let mut built: BTreeMap<NodeIndex, Expression<Fp>> = BTreeMap::new();
        for index in nodes {
            let mut take = |operand: NodeIndex| {
                let left = uses.get_mut(&operand).map_or(0, |left| {
                    *left = left.saturating_sub(1);
                    *left
                });
                let found = if left == 0 {
                    built.remove(&operand)
                } else {
                    built.get(&operand).cloned()
                };
                Box::new(found.unwrap_or_else(zero))
            };
            let constant = || self.constants.get(&index).copied().unwrap_or_else(Fp::zero);
            let leaf = |list: &[Expression<Fp>], query: u32| {
                list.get(query as usize).cloned().unwrap_or_else(zero)
            };
            let Some(node) = self.system.expressions.get(index as usize) else {
                break;
            };
            let expression = match *node {
                Node::Constant(_) => Expression::Constant(constant()),
                Node::Selector(selector) => self
                    .selectors
                    .get(selector as usize)
                    .map_or_else(zero, |selector| Expression::Selector(*selector)),
                Node::Fixed(query) => leaf(&leaves.fixed, query),
                Node::Advice(query) => leaf(&leaves.advice, query),
                Node::Instance(query) => leaf(&leaves.instance, query),
                Node::Negated(a) => Expression::Negated(take(a)),
                Node::Sum(a, b) => {
                    let a = take(a);
                    Expression::Sum(a, take(b))
                }
                Node::Product(a, b) => {
                    let a = take(a);
                    Expression::Product(a, take(b))
                }
                Node::Scaled(a, _) => Expression::Scaled(take(a), constant()),
            };
            built.insert(index, expression);
        }
        built.remove(&root).unwrap_or_else(zero)
    }
}

fn allocate(meta: &mut ConstraintSystem<Fp>, kind: SelectorKind) -> Selector {
    match kind {
        SelectorKind::Simple => meta.selector(),
        SelectorKind::Complex => meta.complex_selector(),
    }
}

/// The nodes under some nodes and these themselves, ascending, so operands first.
pub(crate) fn reachable(
    expressions: &[Node],
    roots: impl IntoIterator<Item = NodeIndex>,
) -> BTreeSet<NodeIndex> {
    let mut pending: Vec<NodeIndex> = roots.into_iter().collect();
    let mut seen: BTreeSet<NodeIndex> = pending.iter().copied().collect();
    while let Some(index) = pending.pop() {
        for operand in operands(expressions.get(index as usize)) {
            if seen.insert(operand) {
                pending.push(operand);
            }
        }
    }
    seen
}

/// The nodes that a node uses.
fn operands(node: Option<&Node>) -> impl Iterator<Item = NodeIndex> {
    let (first, second) = match node {
        Some(Node::Negated(a) | Node::Scaled(a, _)) => (Some(*a), None),
        Some(Node::Sum(a, b) | Node::Product(a, b)) => (Some(*a), Some(*b)),
        _ => (None, None),
    };
    first.into_iter().chain(second)
}
