//! Columns, gates, lookups and the permutation: the shape that every row obeys.

use crate::FieldElement;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ColumnKind {
    /// Private values, one set a proof.
    Advice,
    /// Values fixed by the circuit.
    Fixed,
    /// Public inputs.
    Instance,
}

/// A column: its kind and its index among the columns of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Column {
    /// What the column holds.
    pub kind: ColumnKind,
    /// Index among the columns of this kind.
    pub index: u32,
}

/// A column read at an offset from the current row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Query {
    /// Index among the columns of the list's kind.
    pub column: u32,
    /// Rows from the current one; negative is above.
    pub rotation: i32,
}

/// Whether halo2 may combine a selector with others into one fixed column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    /// Stands alone as a factor of a gate; may be combined.
    Simple,
    /// May stand anywhere in an expression; never combined.
    Complex,
}

/// Index into [`ConstraintSystem::expressions`].
pub type NodeIndex = u32;

/// A node of the flat expression list; operands have smaller indices than the node itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expression {
    /// A constant.
    Constant(FieldElement),
    /// A selector, by index.
    Selector(u32),
    /// Index into [`ConstraintSystem::fixed_queries`].
    Fixed(u32),
    /// Index into [`ConstraintSystem::advice_queries`].
    Advice(u32),
    /// Index into [`ConstraintSystem::instance_queries`].
    Instance(u32),
    /// The negation of a node.
    Negated(NodeIndex),
    /// The sum of two nodes.
    Sum(NodeIndex, NodeIndex),
    /// The product of two nodes.
    Product(NodeIndex, NodeIndex),
    /// A node times a constant. halo2 keeps it apart from a product, and so does the key.
    Scaled(NodeIndex, FieldElement),
}

/// One polynomial of a gate: zero on every row of a satisfied circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// The author's name for it; may be empty.
    pub name: String,
    /// The polynomial.
    pub expression: NodeIndex,
}

/// A gate as the author created it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The author's name for it.
    pub name: String,
    /// At least one.
    pub constraints: Vec<Constraint>,
}

/// A lookup argument: the inputs' tuple on each row stands in some row of the table's columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Input expressions, as many as table columns.
    pub inputs: Vec<NodeIndex>,
    /// Fixed columns of the table, read at rotation 0.
    pub table: Vec<u32>,
}

/// A circuit's constraint system, before halo2 compresses its selectors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConstraintSystem {
    /// Number of fixed columns, tables included, selectors not.
    pub fixed_columns: u32,
    /// Number of advice columns.
    pub advice_columns: u32,
    /// Number of instance columns.
    pub instance_columns: u32,
    /// Selectors in order of allocation. One that no gate queries is recorded as complex: its
    /// kind leaves no trace in halo2's constraint system or key.
    pub selectors: Vec<Selector>,
    /// Queries in the order the circuit made them, which orders the proof's evaluations.
    pub advice_queries: Vec<Query>,
    /// See `advice_queries`.
    pub instance_queries: Vec<Query>,
    /// See `advice_queries`.
    pub fixed_queries: Vec<Query>,
    /// All nodes of all gates and lookups.
    pub expressions: Vec<Expression>,
    /// Gates in order of creation.
    pub gates: Vec<Gate>,
    /// Lookups in order of creation.
    pub lookups: Vec<Lookup>,
    /// Columns under equality constraints, in the order they were enabled.
    pub permutation: Vec<Column>,
    /// Fixed columns for constants, in the order they were enabled.
    pub constants: Vec<u32>,
    /// The least degree the author asked for.
    pub minimum_degree: Option<u32>,
}
