//! The circuit: a leaf of 32 bytes stands in a tree with a public root.
//!
//! ```text
//!   region    row   state 0        state 1        state 2
//!   leaf       0    first half     last half      tag (constant)
//!              1    running sum    running sum    index
//!             ...   to 0           to 0
//!   hash      H3(tag, first, last)                                    -> node
//!   step i     0    node           sibling        index >> i
//!              1    left           right          index >> (i + 1)
//!   hash      H2(left, right)                                         -> node, next step
//! ```
//!
//! What it promises: the maker of a proof knew 32 bytes, an index below 2^depth, and siblings
//! that lead from the leaf at that index to the root, as `tree.rs` defines it.
//!
//! - Both halves are below 2^128: running sums of 64 two-bit words that end in zero. So the pair
//!   is 32 bytes and nothing else, and any 32 bytes are a pair.
//! - The index bit of a step has no cell of its own: it is `z - 2 z'` for two cells of one
//!   running sum, constrained to be boolean. The sum begins with the index (public by choice)
//!   and ends in the constant zero, so no other bits fit, and order cannot be changed without
//!   changing the index. (`CondSwapChip` would witness a bit that nothing ties to an index.)
//! - A sibling is free, which is what a path is. Everything else is copied from where it was
//!   first witnessed.
//!
//! Only the four columns of the Poseidon chip are used, and no table: proofs stay small.

use std::fmt;

use ff::{Field, PrimeField};
use halo2_gadgets::{
    poseidon::{
        Hash, Pow5Chip, Pow5Config,
        primitives::{ConstantLength, P128Pow5T3},
    },
    utilities::{bool_check, decompose_running_sum::RunningSumConfig, ternary},
};
use halo2_proofs::{
    circuit::{AssignedCell, Layouter, SimpleFloorPlanner, Value},
    plonk::{Advice, Circuit, Column, ConstraintSystem, Constraints, Error, Instance, Selector},
    poly::Rotation,
};
use pasta_curves::Fp;

use crate::tree::{INNER_ELEMENTS, LEAF_ELEMENTS, LEAF_TAG, RATE, WIDTH};

/// Bits of one word of a running sum; a word's gate has degree 2^2 + 1, below Poseidon's 6.
const WORD_BITS: usize = 2;

/// Bits of half a leaf.
const HALF_BITS: usize = 128;

/// Which circuit: its depth and what is public beside the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Levels above the leaves, 1 to 32.
    pub depth: u32,
    /// Whether the leaf's two halves are public.
    pub public_leaf: bool,
    /// Whether the leaf's index is public.
    pub public_index: bool,
}

/// What the prover knows.
#[derive(Clone)]
pub struct Opening {
    /// The two halves of the leaf.
    pub halves: [Fp; 2],
    /// The leaf's position.
    pub index: u32,
    /// The other child at each height, from the leaves up.
    pub siblings: Vec<Fp>,
}

/// A leaf stands in a tree with a public root.
#[derive(Clone)]
pub struct MerkleCircuit {
    shape: Shape,
    halves: [Value<Fp>; 2],
    index: Value<u32>,
    siblings: Vec<Value<Fp>>,
}

/// The columns and gates of [`MerkleCircuit`].
#[derive(Clone, Debug)]
pub struct MerkleConfig {
    poseidon: Pow5Config<Fp, WIDTH, RATE>,
    state: [Column<Advice>; WIDTH],
    half_sums: [RunningSumConfig<Fp, WORD_BITS>; 2],
    q_step: Selector,
    public: Column<Instance>,
}

type Cell = AssignedCell<Fp, Fp>;

/// The cells that hold what the prover chose, but for the siblings.
struct Leaf {
    tag: Cell,
    halves: [Cell; 2],
    index: Cell,
}

/// One level done: the children in order, and the index bits that are left.
struct Step {
    left: Cell,
    right: Cell,
    index: Cell,
}

// === impl Shape ===

impl Shape {
    /// Row of the root in the instance column; the others follow it.
    pub const ROOT_ROW: usize = 0;

    fn leaf_row(self) -> Option<usize> {
        self.public_leaf.then_some(Self::ROOT_ROW + 1)
    }

    fn index_row(self) -> Option<usize> {
        let after_leaf = self.leaf_row().map_or(Self::ROOT_ROW + 1, |row| row + 2);
        self.public_index.then_some(after_leaf)
    }

    /// The public inputs of one proof, in the order of the instance column.
    #[must_use]
    pub fn public_values(self, root: Fp, halves: [Fp; 2], index: u32) -> Vec<Fp> {
        let mut values = vec![root];
        if self.public_leaf {
            values.extend(halves);
        }
        if self.public_index {
            values.push(Fp::from(u64::from(index)));
        }
        values
    }
}

// === impl MerkleCircuit ===

impl MerkleCircuit {
    /// The circuit without a witness.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            halves: [Value::unknown(); 2],
            index: Value::unknown(),
            siblings: (0..shape.depth).map(|_| Value::unknown()).collect(),
        }
    }

    /// The same circuit with a witness; it is not checked here, the constraints do that.
    ///
    /// Siblings beyond the depth are ignored, and missing ones stay unknown: the shape alone
    /// decides the layout.
    #[must_use]
    pub fn with_opening(mut self, opening: &Opening) -> Self {
        self.halves = opening.halves.map(Value::known);
        self.index = Value::known(opening.index);
        for (slot, sibling) in self.siblings.iter_mut().zip(&opening.siblings) {
            *slot = Value::known(*sibling);
        }
        self
    }

    /// Witnesses the leaf and the index; constrains both halves to 128 bits.
    fn load_leaf(
        &self,
        config: &MerkleConfig,
        layouter: &mut impl Layouter<Fp>,
    ) -> Result<Leaf, Error> {
        let words = HALF_BITS / WORD_BITS;
        let [first, last] = self.halves;
        let [first_sum, last_sum] = config.half_sums;
        let [_, _, column] = config.state;
        layouter.assign_region(
            || "leaf",
            |mut region| {
                let tag = Fp::from_u128(LEAF_TAG);
                let tag = region.assign_advice_from_constant(|| "tag", column, 0, tag)?;
                let index = self.index.map(|index| Fp::from(u64::from(index)));
                let index = region.assign_advice(|| "index", column, 1, || index)?;
                // Strict: the sums end in the constant zero.
                let first =
                    first_sum.witness_decompose(&mut region, 0, first, true, HALF_BITS, words)?;
                let last =
                    last_sum.witness_decompose(&mut region, 0, last, true, HALF_BITS, words)?;
                let half = |sum: &[Cell]| sum.first().cloned().ok_or(Error::Synthesis);
                let halves = [half(&first)?, half(&last)?];
                Ok(Leaf { tag, halves, index })
            },
        )
    }

    /// Takes one bit off the index and puts node and sibling in its order.
    fn step(
        &self,
        config: &MerkleConfig,
        layouter: &mut impl Layouter<Fp>,
        level: u32,
        sibling: Value<Fp>,
        (node, index): (&Cell, &Cell),
    ) -> Result<Step, Error> {
        let [left_column, right_column, index_column] = config.state;
        // A shift by 32, above the last level of the deepest tree, leaves nothing.
        let rest = self
            .index
            .map(|index| index.checked_shr(level + 1).unwrap_or(0));
        let is_right = self.index.map(|index| index >> level & 1 == 1);
        let node_value = node.value().copied();
        let pair = node_value.zip(sibling).zip(is_right);
        let left = pair.map(|((node, sibling), is_right)| if is_right { sibling } else { node });
        let right = pair.map(|((node, sibling), is_right)| if is_right { node } else { sibling });

        layouter.assign_region(
            || format!("step {level}"),
            |mut region| {
                config.q_step.enable(&mut region, 0)?;
                node.copy_advice(|| "node", &mut region, left_column, 0)?;
                region.assign_advice(|| "sibling", right_column, 0, || sibling)?;
                index.copy_advice(|| "index", &mut region, index_column, 0)?;

                let left = region.assign_advice(|| "left", left_column, 1, || left)?;
                let right = region.assign_advice(|| "right", right_column, 1, || right)?;
                let rest = rest.map(|rest| Fp::from(u64::from(rest)));
                let index = region.assign_advice(|| "index rest", index_column, 1, || rest)?;
                if level + 1 == self.shape.depth {
                    region.constrain_constant(index.cell(), Fp::ZERO)?;
                }
                Ok(Step { left, right, index })
            },
        )
    }

    /// Climbs from the leaf's node to the root.
    fn climb(
        &self,
        config: &MerkleConfig,
        layouter: &mut impl Layouter<Fp>,
        leaf_node: Cell,
        index: Cell,
    ) -> Result<Cell, Error> {
        let (mut node, mut index) = (leaf_node, index);
        for (level, sibling) in (0..self.shape.depth).zip(&self.siblings) {
            let step = self.step(config, layouter, level, *sibling, (&node, &index))?;
            let name = format!("node {level}");
            node = hash::<INNER_ELEMENTS>(config, layouter, &name, [step.left, step.right])?;
            index = step.index;
        }
        Ok(node)
    }
}

/// One Poseidon hash of cells, which it copies.
fn hash<const L: usize>(
    config: &MerkleConfig,
    layouter: &mut impl Layouter<Fp>,
    name: &str,
    message: [Cell; L],
) -> Result<Cell, Error> {
    let chip = Pow5Chip::construct(config.poseidon.clone());
    let hash = Hash::<_, _, P128Pow5T3, ConstantLength<L>, WIDTH, RATE>::init(
        chip,
        layouter.namespace(|| name),
    )?;
    hash.hash(layouter.namespace(|| name), message)
}

// A witness is private: the debug forms show none of it.
impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").finish_non_exhaustive()
    }
}

impl fmt::Debug for MerkleCircuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MerkleCircuit")
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

impl Circuit<Fp> for MerkleCircuit {
    type Config = MerkleConfig;
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self::new(self.shape)
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Self::Config {
        let state = [(); WIDTH].map(|()| meta.advice_column());
        let partial_sbox = meta.advice_column();
        let rc_a = [(); WIDTH].map(|()| meta.fixed_column());
        let rc_b = [(); WIDTH].map(|()| meta.fixed_column());
        // The chip leaves `rc_b` free on the rows where it needs constants.
        let [constants, ..] = rc_b;
        meta.enable_constant(constants);
        let public = meta.instance_column();
        meta.enable_equality(public);

        let poseidon = Pow5Chip::configure::<P128Pow5T3>(meta, state, partial_sbox, rc_a, rc_b);
        let [column_0, column_1, column_2] = state;

        // Both halves stand side by side on the same rows, so one selector serves both.
        let q_word = meta.selector();
        let half_sums =
            [column_0, column_1].map(|column| RunningSumConfig::configure(meta, q_word, column));

        let q_step = meta.selector();
        meta.create_gate("step", |meta| {
            let q_step = meta.query_selector(q_step);
            let node = meta.query_advice(column_0, Rotation::cur());
            let sibling = meta.query_advice(column_1, Rotation::cur());
            let index = meta.query_advice(column_2, Rotation::cur());
            let left = meta.query_advice(column_0, Rotation::next());
            let right = meta.query_advice(column_1, Rotation::next());
            let rest = meta.query_advice(column_2, Rotation::next());
            let is_right = index - rest * Fp::from(2);
            Constraints::with_selector(
                q_step,
                [
                    ("the index bit is boolean", bool_check(is_right.clone())),
                    (
                        "left is the node, or the sibling if the node is on the right",
                        ternary(is_right, sibling.clone(), node.clone()) - left.clone(),
                    ),
                    ("right is the other one", node + sibling - left - right),
                ],
            )
        });

        MerkleConfig {
            poseidon,
            state,
            half_sums,
            q_step,
            public,
        }
    }

    fn synthesize(
        &self,
        config: Self::Config,
        mut layouter: impl Layouter<Fp>,
    ) -> Result<(), Error> {
        let Leaf { tag, halves, index } = self.load_leaf(&config, &mut layouter)?;
        let [first, last] = halves.clone();
        let message = [tag, first, last];
        let node = hash::<LEAF_ELEMENTS>(&config, &mut layouter, "leaf node", message)?;
        let root = self.climb(&config, &mut layouter, node, index.clone())?;

        layouter.constrain_instance(root.cell(), config.public, Shape::ROOT_ROW)?;
        if let Some(row) = self.shape.leaf_row() {
            for (half, row) in halves.iter().zip(row..) {
                layouter.constrain_instance(half.cell(), config.public, row)?;
            }
        }
        if let Some(row) = self.shape.index_row() {
            layouter.constrain_instance(index.cell(), config.public, row)?;
        }
        Ok(())
    }
}
