//! Changes one value of a good witness at a time and asks halo2's mock prover to notice.
//!
//! The circuit is untouched: a floor planner around its own one adds 1 to the cell in question
//! on its way into the proof system. So any circuit can be tested, gadgets included.

use std::{cell::RefCell, marker::PhantomData};

use ff::Field;
use halo2_proofs::{
    circuit::Value,
    dev::MockProver,
    plonk::{
        Advice, Any, Assigned, Assignment, Circuit, Column, ConstraintSystem, Error, Fixed,
        FloorPlanner, Instance, Selector,
    },
};
use pasta_curves::Fp;

/// An assigned advice cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TamperedCell {
    /// The region it belongs to.
    pub region: String,
    /// What the circuit calls it.
    pub name: String,
    /// The column, as halo2 prints it.
    pub column: String,
    /// The row.
    pub row: usize,
}

/// Why a circuit cannot be tested.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// halo2 could not lay the circuit out.
    #[error("the circuit cannot be laid out in 2^{k} rows")]
    Layout {
        /// Binary logarithm of the rows.
        k: u32,
        /// What halo2 said.
        source: Error,
    },
    /// The untampered witness fails, so a tampered one would prove nothing.
    #[error("the untampered witness breaks {failures} constraints, first: {first}")]
    NotGood {
        /// How many.
        failures: usize,
        /// The first.
        first: String,
    },
}

/// Every advice cell whose value can be changed alone without any constraint failing.
///
/// # Errors
///
/// [`AuditError`] if the circuit does not fit or its witness is not good to begin with.
pub fn tampered_cells<C: Circuit<Fp>>(
    k: u32,
    circuit: C,
    public_inputs: &[Vec<Fp>],
) -> Result<Vec<TamperedCell>, AuditError> {
    let circuit = Tampering(circuit);
    TARGET.with_borrow_mut(|target| {
        *target = Target {
            watching: true,
            ..Target::default()
        };
    });
    let good = run(k, &circuit, public_inputs);
    let cells = TARGET.with_borrow_mut(|target| {
        target.watching = false;
        std::mem::take(&mut target.cells)
    });
    expect_good(&good?)?;

    let mut unnoticed = Vec::new();
    for (index, cell) in cells.into_iter().enumerate() {
        TARGET.with_borrow_mut(|target| {
            target.seen = 0;
            target.index = Some(index);
        });
        let tampered = run(k, &circuit, public_inputs);
        TARGET.with_borrow_mut(|target| target.index = None);
        if tampered?.verify().is_ok() {
            unnoticed.push(cell);
        }
    }
    Ok(unnoticed)
}

/// Every public input, as (column, row), that can be changed without any constraint failing.
///
/// # Errors
///
/// [`AuditError`] if the circuit does not fit or its witness is not good to begin with.
pub fn tampered_public_inputs<C: Circuit<Fp>>(
    k: u32,
    circuit: &C,
    public_inputs: &[Vec<Fp>],
) -> Result<Vec<(usize, usize)>, AuditError> {
    expect_good(&run(k, circuit, public_inputs)?)?;
    let mut unnoticed = Vec::new();
    for (column, values) in public_inputs.iter().enumerate() {
        for row in 0..values.len() {
            let mut tampered = public_inputs.to_vec();
            if let Some(value) = tampered.get_mut(column).and_then(|c| c.get_mut(row)) {
                *value += Fp::ONE;
            }
            if run(k, circuit, &tampered)?.verify().is_ok() {
                unnoticed.push((column, row));
            }
        }
    }
    Ok(unnoticed)
}

fn run<C: Circuit<Fp>>(
    k: u32,
    circuit: &C,
    public_inputs: &[Vec<Fp>],
) -> Result<MockProver<Fp>, AuditError> {
    MockProver::run(k, circuit, public_inputs.to_vec())
        .map_err(|source| AuditError::Layout { k, source })
}

fn expect_good(prover: &MockProver<Fp>) -> Result<(), AuditError> {
    prover.verify().map_err(|failures| AuditError::NotGood {
        failures: failures.len(),
        first: failures
            .first()
            .map(ToString::to_string)
            .unwrap_or_default(),
    })
}

/// Which assignment to change. It is reached through the thread because halo2 calls a floor
/// planner as a type, not as a value.
#[derive(Default)]
struct Target {
    index: Option<usize>,
    seen: usize,
    watching: bool,
    region: String,
    cells: Vec<TamperedCell>,
}

thread_local! {
    static TARGET: RefCell<Target> = RefCell::default();
}

struct Tampering<C>(C);

struct TamperingPlanner<P>(PhantomData<P>);

struct TamperingAssignment<'a, CS>(&'a mut CS);

// === impl Tampering ===

impl<C: Circuit<Fp>> Circuit<Fp> for Tampering<C> {
    type Config = C::Config;
    type FloorPlanner = TamperingPlanner<C::FloorPlanner>;

    fn without_witnesses(&self) -> Self {
        Self(self.0.without_witnesses())
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Self::Config {
        C::configure(meta)
    }

    fn synthesize(
        &self,
        config: Self::Config,
        layouter: impl halo2_proofs::circuit::Layouter<Fp>,
    ) -> Result<(), Error> {
        self.0.synthesize(config, layouter)
    }
}

// === impl TamperingPlanner ===

impl<P: FloorPlanner> FloorPlanner for TamperingPlanner<P> {
    fn synthesize<F: Field, CS: Assignment<F>, C: Circuit<F>>(
        cs: &mut CS,
        circuit: &C,
        config: C::Config,
        constants: Vec<Column<Fixed>>,
    ) -> Result<(), Error> {
        P::synthesize(&mut TamperingAssignment(cs), circuit, config, constants)
    }
}

// === impl TamperingAssignment ===

impl<F: Field, CS: Assignment<F>> Assignment<F> for TamperingAssignment<'_, CS> {
    fn enter_region<NR, N>(&mut self, name: N)
    where
        NR: Into<String>,
        N: FnOnce() -> NR,
    {
        let name: String = name().into();
        TARGET.with_borrow_mut(|target| target.region.clone_from(&name));
        self.0.enter_region(|| name);
    }

    fn exit_region(&mut self) {
        self.0.exit_region();
    }

    fn enable_selector<A, AR>(
        &mut self,
        annotation: A,
        selector: &Selector,
        row: usize,
    ) -> Result<(), Error>
    where
        A: FnOnce() -> AR,
        AR: Into<String>,
    {
        self.0.enable_selector(annotation, selector, row)
    }

    fn query_instance(&self, column: Column<Instance>, row: usize) -> Result<Value<F>, Error> {
        self.0.query_instance(column, row)
    }

    fn assign_advice<V, VR, A, AR>(
        &mut self,
        annotation: A,
        column: Column<Advice>,
        row: usize,
        to: V,
    ) -> Result<(), Error>
    where
        V: FnOnce() -> Value<VR>,
        VR: Into<Assigned<F>>,
        A: FnOnce() -> AR,
        AR: Into<String>,
    {
        let name: String = annotation().into();
        let is_target = TARGET.with_borrow_mut(|target| {
            if target.watching {
                target.cells.push(TamperedCell {
                    region: target.region.clone(),
                    name: name.clone(),
                    column: format!("{column:?}"),
                    row,
                });
            }
            target.seen += 1;
            target.index == Some(target.seen - 1)
        });
        let change = if is_target { F::ONE } else { F::ZERO };
        let value = || to().map(|value| Into::<Assigned<F>>::into(value) + change);
        self.0.assign_advice(|| name, column, row, value)
    }

    fn assign_fixed<V, VR, A, AR>(
        &mut self,
        annotation: A,
        column: Column<Fixed>,
        row: usize,
        to: V,
    ) -> Result<(), Error>
    where
        V: FnOnce() -> Value<VR>,
        VR: Into<Assigned<F>>,
        A: FnOnce() -> AR,
        AR: Into<String>,
    {
        self.0.assign_fixed(annotation, column, row, to)
    }

    fn copy(
        &mut self,
        left_column: Column<Any>,
        left_row: usize,
        right_column: Column<Any>,
        right_row: usize,
    ) -> Result<(), Error> {
        self.0.copy(left_column, left_row, right_column, right_row)
    }

    fn fill_from_row(
        &mut self,
        column: Column<Fixed>,
        row: usize,
        to: Value<Assigned<F>>,
    ) -> Result<(), Error> {
        self.0.fill_from_row(column, row, to)
    }

    fn push_namespace<NR, N>(&mut self, name: N)
    where
        NR: Into<String>,
        N: FnOnce() -> NR,
    {
        self.0.push_namespace(name);
    }

    fn pop_namespace(&mut self, gadget_name: Option<String>) {
        self.0.pop_namespace(gadget_name);
    }
}
