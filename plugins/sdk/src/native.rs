//! A plugin's calls as the platform makes them, without the sandbox: for tests and for authors.
//!
//! The sandbox runs these very functions.

use aureole_ir as ir;
use ff::PrimeField;
use halo2_proofs::dev::MockProver;
use pasta_curves::Fp;

use crate::{Description, Plugin, Problem, describe, json, record};

/// Rows reserved for each advice column before k is known.
const ROWS_GUESS: usize = 1_024;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The parameters are no good.
    #[error("parameters: {0}")]
    Params(Problem),
    /// The input is no good.
    #[error("input: {0}")]
    Input(Problem),
    /// The circuit was not recorded.
    #[error(transparent)]
    Record(#[from] record::RecordError),
    /// A public input of the circuit is not among [`Plugin::PUBLIC_INPUTS`].
    #[error("the public input `{name}` is not described in `PUBLIC_INPUTS`")]
    UndescribedPublicInput {
        /// Its name.
        name: String,
    },
    /// A public input stands in a column that the circuit does not have.
    #[error(
        "the public input `{name}` stands in instance column {column}, and the circuit has {columns}"
    )]
    NoInstanceColumn {
        /// Its name.
        name: String,
        /// Its column.
        column: u32,
        /// How many there are.
        columns: u32,
    },
    /// `assign` gave another number of values than `public_inputs` declares.
    #[error("`assign` gave {given} public values, and `public_inputs` declares {declared}")]
    PublicValues {
        /// How many there are.
        given: u64,
        /// How many there should be.
        declared: u64,
    },
    /// The circuit breaks a rule.
    #[error("the circuit breaks a rule of the platform ({})", .0.code)]
    Refused(#[source] ir::Refusal),
    /// The description is no JSON.
    #[error("the description cannot be written as JSON")]
    Description(#[source] serde_json::Error),
}

/// Describes the plugin.
///
/// # Errors
/// When the default parameters or a schema cannot be written as JSON.
pub fn describe<P: Plugin>() -> Result<Description, Error> {
    describe::describe::<P>().map_err(Error::Description)
}

/// Records the circuit for these parameters.
///
/// # Errors
/// When the parameters are no good or the circuit cannot be recorded.
pub fn circuit<P: Plugin>(params_json: &str) -> Result<ir::Circuit, Error> {
    let params = params::<P>(params_json)?;
    let public_inputs = P::public_inputs(&params);
    for input in &public_inputs {
        if !P::PUBLIC_INPUTS.iter().any(|(name, _)| *name == input.name) {
            return Err(Error::UndescribedPublicInput {
                name: input.name.clone(),
            });
        }
    }
    let circuit = record::circuit(&P::shape(&params), P::k(&params), public_inputs)?;
    let columns = circuit.constraint_system.instance_columns;
    for input in &circuit.public_inputs {
        if input.column >= columns {
            return Err(Error::NoInstanceColumn {
                name: input.name.clone(),
                column: input.column,
                columns,
            });
        }
    }
    Ok(circuit)
}

/// Records the circuit and applies the platform's rules with its default limits.
///
/// # Errors
/// As [`circuit`], or when the circuit breaks a rule.
pub fn check<P: Plugin>(params_json: &str) -> Result<ir::CheckedCircuit, Error> {
    circuit::<P>(params_json)?
        .check(&ir::Limits::default())
        .map_err(Error::Refused)
}

/// Records the names of the circuit's regions.
///
/// # Errors
/// As [`circuit`].
pub fn annotate<P: Plugin>(params_json: &str) -> Result<ir::Annotations, Error> {
    let params = params::<P>(params_json)?;
    Ok(record::annotations(&P::shape(&params))?)
}

/// Records the witness for one input.
///
/// # Errors
/// When the parameters or the input are no good, or the witness cannot be recorded.
pub fn witness<P: Plugin>(params_json: &str, input_json: &str) -> Result<ir::Witness, Error> {
    let configured = record::Configured::<P::Circuit>::new()?;
    let assigned = assign::<P>(params_json, input_json, configured.instance_columns())?;
    let mut witness = configured.assign(&assigned.circuit, &assigned.instance, ROWS_GUESS)?;
    witness.public_inputs = assigned
        .public_values
        .iter()
        .flat_map(PrimeField::to_repr)
        .collect();
    Ok(witness)
}

/// Runs `MockProver` on the author's own circuit.
///
/// # Errors
/// What failed, one line each.
pub fn mock<P: Plugin>(params_json: &str, input_json: &str) -> Result<(), Vec<String>> {
    let lines = |error: &dyn std::fmt::Display| vec![error.to_string()];
    let recorded = circuit::<P>(params_json).map_err(|error| lines(&error))?;
    let columns = recorded.constraint_system.instance_columns;
    let assigned = assign::<P>(params_json, input_json, columns).map_err(|error| lines(&error))?;
    MockProver::run(recorded.k, &assigned.circuit, assigned.instance)
        .map_err(|error| lines(&error))?
        .verify()
        .map_err(|failures| failures.iter().map(ToString::to_string).collect())
}

/// An author's circuit with its witness.
struct AssignedCircuit<C> {
    circuit: C,
    /// Column by column.
    instance: Vec<Vec<Fp>>,
    /// In the order of the public inputs.
    public_values: Vec<Fp>,
}

fn params<P: Plugin>(params_json: &str) -> Result<P::Params, Error> {
    let params = json::parse(params_json).map_err(Error::Params)?;
    P::validate(&params).map_err(Error::Params)?;
    Ok(params)
}

fn assign<P: Plugin>(
    params_json: &str,
    input_json: &str,
    columns: u32,
) -> Result<AssignedCircuit<P::Circuit>, Error> {
    let params = params::<P>(params_json)?;
    let input = json::parse(input_json).map_err(Error::Input)?;
    let (circuit, public_values) = P::assign(&params, input).map_err(Error::Input)?;
    let declared = P::public_inputs(&params);

    let rows: u64 = declared.iter().map(|input| u64::from(input.rows)).sum();
    if public_values.len() as u64 != rows {
        return Err(Error::PublicValues {
            given: public_values.len() as u64,
            declared: rows,
        });
    }
    let mut instance = vec![Vec::new(); columns as usize];
    let mut values = public_values.iter().copied();
    for input in &declared {
        let Some(column) = instance.get_mut(input.column as usize) else {
            return Err(Error::NoInstanceColumn {
                name: input.name.clone(),
                column: input.column,
                columns,
            });
        };
        column.extend(values.by_ref().take(input.rows as usize));
    }
    Ok(AssignedCircuit {
        circuit,
        instance,
        public_values,
    })
}
