//! Records any halo2 circuit over `Fp`: what it is, what a proof's witness is, what its regions
//! are called.
//!
//! The circuit meets the same calls as under stock halo2 (`keygen_vk` for [`circuit`],
//! `create_proof` for [`witness`], `MockProver` for [`annotations`]), so what is recorded is what
//! halo2 itself would have made of it.

use aureole_ir as ir;
use ff::PrimeField;
use halo2_proofs::plonk::{self, Circuit, ConstraintSystem, FloorPlanner};
use pasta_curves::Fp;

use crate::K;

mod annotations;
mod assignment;
mod debug;
mod handles;
mod layout;
mod tokens;
mod witness;

use annotations::Annotations;
use assignment::Listening;
pub use debug::ParseError;
use handles::Handles;
use layout::Layout;
use witness::Witness;

/// Rows a recorder accepts when k is automatic. Parameters for more would take a day to make.
const K_MAX: u32 = 25;
/// Rows reserved for a witness before they are needed: 2^14, which is 1 MiB a column.
const ROWS_GUESS_MAX: u32 = 14;

/// Why a circuit or a witness was not recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The circuit's own `synthesize` or its floor planner gave up.
    #[error("the circuit cannot be laid out")]
    Synthesis(#[source] plonk::Error),
    /// The circuit does not fit.
    #[error(
        "k = {k} gives {rows_usable} usable rows, and the circuit uses {rows_used}: k = {k_needed} would do"
    )]
    NotEnoughRows {
        /// The k asked for.
        k: u32,
        /// Rows that may hold values.
        rows_usable: u32,
        /// Rows the circuit uses.
        rows_used: u32,
        /// The least k that would do.
        k_needed: u32,
    },
    /// No k would do.
    #[error("the circuit uses {rows_used} rows, more than k = {k_max} gives")]
    TooManyRows {
        /// Rows the circuit uses.
        rows_used: u64,
        /// The largest k.
        k_max: u32,
    },
    /// A fixed value is unknown although no witness was needed for it.
    #[error("the fixed cell at column {column}, row {row} has no value without a witness")]
    UnknownFixed {
        /// Fixed column.
        column: u32,
        /// Row.
        row: u64,
    },
    /// An advice value is unknown in a circuit that should have its witness.
    #[error("the advice cell at column {column}, row {row} has no value")]
    UnknownAdvice {
        /// Advice column.
        column: u32,
        /// Row.
        row: u64,
    },
    /// The circuit's constraint system is not the recorded one.
    #[error("the circuit has {found} {what}, and {expected} were recorded")]
    OtherCircuit {
        /// What differs.
        what: &'static str,
        /// How many there are.
        found: u32,
        /// How many there should be.
        expected: u32,
    },
    /// Another number of public inputs than declared.
    #[error("instance column {column} has {found} values, and {expected} are declared")]
    PublicInputs {
        /// Instance column.
        column: u32,
        /// How many there are.
        found: u64,
        /// How many there should be.
        expected: u64,
    },
    /// halo2's debug form is not what this crate was written for.
    #[error("the constraint system's debug form cannot be read; another halo2_proofs than 0.4?")]
    Debug(#[from] ParseError),
}

/// Records a circuit: `keygen` without the cryptography.
///
/// # Errors
/// When the circuit cannot be laid out, or not in the k asked for.
pub fn circuit<C: Circuit<Fp>>(
    circuit: &C,
    k: K,
    public_inputs: Vec<ir::PublicInput>,
) -> Result<ir::Circuit, RecordError> {
    let mut cs = ConstraintSystem::default();
    let config = C::configure(&mut cs);
    let constraint_system = debug::parse(&cs)?;
    let handles = Handles::new(&constraint_system);
    let mut recorder = Layout::new(&handles);
    C::FloorPlanner::synthesize(
        &mut Listening(&mut recorder),
        circuit,
        config,
        handles.constants(),
    )
    .map_err(|error| recorder.explain(error))?;
    let (layout, rows_used) = recorder.finish()?;

    let mut recorded = ir::Circuit {
        backend: ir::Backend::Halo2Ipa,
        field: ir::Field::PallasBase,
        k: 0,
        constraint_system,
        layout,
        public_inputs,
    };
    let instance_rows = recorded.instance_lengths().into_iter().max().unwrap_or(0);
    recorded.k = choose_k(
        k,
        cs.blinding_factors(),
        rows_used.max(instance_rows.into()),
    )?;
    Ok(recorded)
}

/// Records a witness: what `create_proof` would assign. `instance` holds the columns' values.
///
/// # Errors
/// When the circuit cannot be laid out, an advice value is unknown, or the circuit or the
/// instance is not that of `recorded`.
pub fn witness<C: Circuit<Fp>>(
    circuit: &C,
    recorded: &ir::Circuit,
    instance: &[Vec<Fp>],
) -> Result<ir::Witness, RecordError> {
    let configured = Configured::<C>::new()?;
    let (found, expected) = (&configured.shape, &recorded.constraint_system);
    same(
        "advice columns",
        found.advice_columns,
        expected.advice_columns,
    )?;
    same(
        "instance columns",
        found.instance_columns,
        expected.instance_columns,
    )?;
    for (column, expected) in (0_u32..).zip(recorded.instance_lengths()) {
        let found = instance.get(column as usize).map_or(0, Vec::len) as u64;
        if found != u64::from(expected) {
            return Err(RecordError::PublicInputs {
                column,
                found,
                expected: expected.into(),
            });
        }
    }
    let rows = 1_usize << recorded.k.min(ROWS_GUESS_MAX);
    let mut witness = configured.assign(circuit, instance, rows)?;
    let mut columns: Vec<_> = instance.iter().map(|values| values.iter()).collect();
    for input in &recorded.public_inputs {
        if let Some(values) = columns.get_mut(input.column as usize) {
            for value in values.take(input.rows as usize) {
                witness.public_inputs.extend_from_slice(&value.to_repr());
            }
        }
    }
    Ok(witness)
}

/// Records the names of a circuit's regions.
///
/// # Errors
/// When the circuit cannot be laid out.
pub fn annotations<C: Circuit<Fp>>(circuit: &C) -> Result<ir::Annotations, RecordError> {
    let mut cs = ConstraintSystem::default();
    let config = C::configure(&mut cs);
    let handles = Handles::new(&debug::parse(&cs)?);
    let mut recorder = Annotations::new(&handles);
    C::FloorPlanner::synthesize(
        &mut Listening(&mut recorder),
        circuit,
        config,
        handles.constants(),
    )
    .map_err(RecordError::Synthesis)?;
    Ok(recorder.finish())
}

/// A circuit's configuration and as much of its shape as laying out a witness takes.
pub(crate) struct Configured<C: Circuit<Fp>> {
    shape: ir::ConstraintSystem,
    config: C::Config,
}

fn choose_k(k: K, blinding_factors: usize, rows_used: u64) -> Result<u32, RecordError> {
    // halo2 keeps the blinding rows and one more, and wants two usable rows (`minimum_rows`).
    let reserved = blinding_factors as u64 + 1;
    let needed = rows_used.max(2) + reserved;
    let k_needed = (0..=K_MAX)
        .find(|k| 1 << k >= needed)
        .ok_or(RecordError::TooManyRows {
            rows_used,
            k_max: K_MAX,
        })?;
    match k {
        K::Auto => Ok(k_needed),
        K::Fixed(k) if k >= k_needed => Ok(k),
        K::Fixed(k) => Err(RecordError::NotEnoughRows {
            k,
            rows_usable: (1_u32 << k.min(K_MAX))
                .saturating_sub(u32::try_from(reserved).unwrap_or(u32::MAX)),
            rows_used: u32::try_from(rows_used).unwrap_or(u32::MAX),
            k_needed,
        }),
    }
}

fn same(what: &'static str, found: u32, expected: u32) -> Result<(), RecordError> {
    match found == expected {
        true => Ok(()),
        false => Err(RecordError::OtherCircuit {
            what,
            found,
            expected,
        }),
    }
}

// === impl Configured ===

impl<C: Circuit<Fp>> Configured<C> {
    pub(crate) fn new() -> Result<Self, RecordError> {
        let mut cs = ConstraintSystem::default();
        let config = C::configure(&mut cs);
        let shape = debug::parse_without_gates(&cs)?;
        Ok(Self { shape, config })
    }

    pub(crate) fn instance_columns(&self) -> u32 {
        self.shape.instance_columns
    }

    /// The witness without its public inputs. `rows` is a guess at how many will be assigned.
    pub(crate) fn assign(
        self,
        circuit: &C,
        instance: &[Vec<Fp>],
        rows: usize,
    ) -> Result<ir::Witness, RecordError> {
        let found = u32::try_from(instance.len()).unwrap_or(u32::MAX);
        same("instance columns", self.shape.instance_columns, found)?;
        let handles = Handles::new(&self.shape);
        let mut recorder = Witness::new(&handles, instance, rows);
        C::FloorPlanner::synthesize(
            &mut Listening(&mut recorder),
            circuit,
            self.config,
            handles.constants(),
        )
        .map_err(|error| recorder.explain(error))?;
        Ok(recorder.finish())
    }
}
