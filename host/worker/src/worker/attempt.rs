//! The work of one attempt. Dropping the future kills the children that work for it.

use std::time::Duration;

use aureole_api::internal::v1::{self, complete_request, lease};
use aureole_prover::Values;
use aureole_store::{DepotError, Digest, Secret, open_input};
use bytes::Bytes;
use tracing::{Instrument as _, Span};
use zeroize::Zeroize;

use super::Context;
use super::report::Done;
use super::running::AttemptKey;
use crate::error::Error;
use crate::limits::{PARAMS_BYTES_MAX, SEALED_BYTES_MAX};
use crate::message::{Prepared, Stage};
use crate::problem::Problem;
use crate::provers::Session;
use crate::spans;
use crate::unsatisfied::Unsatisfied;

type Timings = Vec<(Stage, Duration)>;

/// Does the work that a lease names.
pub(super) async fn run(
    context: &Context,
    key: &AttemptKey,
    work: lease::Work,
    threads: u32,
) -> Result<Done, Error> {
    match work {
        lease::Work::InspectPlugin(work) => inspect(context, key, &work, threads).await,
        lease::Work::PrepareCircuit(work) => prepare(context, key, &work, threads).await,
        lease::Work::Prove(work) => prove(context, key, work, threads).await,
    }
}

/// Finds out what a component is, and makes its default circuit.
async fn inspect(
    context: &Context,
    key: &AttemptKey,
    work: &v1::InspectPlugin,
    threads: u32,
) -> Result<Done, Error> {
    let component = digest(&work.component)?;
    let mut timings = Timings::new();
    let mut peak_bytes = 0;
    context.reporter.stage(key, Stage::Compile);
    let attempt = Span::current();
    let compiling = context.sandboxes.compile(&component);
    let compiling = compiling.instrument(spans::stage(&attempt, Stage::Compile));
    timings.push((Stage::Compile, compiling.await?));

    context.reporter.stage(key, Stage::Inspect);
    let inspecting = spans::stage(&attempt, Stage::Inspect);
    let described = context.sandboxes.describe(&component);
    let described = described.instrument(inspecting.clone()).await?;
    let mut inspect_time = described.took;
    let description = described.value;
    let json = to_json(&description)?;
    let mut result = v1::PluginInspected {
        name: description.name.clone(),
        version: description.version.clone(),
        description: context.depot.put(json.into()).await?.as_bytes().to_vec(),
        default_params: None,
        default_circuit: None,
    };
    if let Some(params) = &description.default_params {
        let params = to_json(params)?;
        let circuit = context.sandboxes.recorded(&component, &params);
        let circuit = circuit.instrument(inspecting).await?;
        inspect_time += circuit.took;
        context.reporter.stage(key, Stage::Keygen);
        let making = make_keys(context, circuit.value, threads);
        let making = making.instrument(spans::stage(&attempt, Stage::Keygen));
        let (prepared, keygen, peak) = making.await?;
        timings.push((Stage::Keygen, keygen));
        peak_bytes = peak;
        result.default_params = Some(context.depot.put(params.into()).await?.as_bytes().to_vec());
        result.default_circuit = Some(prepared);
    }
    timings.push((Stage::Inspect, inspect_time));
    Ok(Done {
        result: complete_request::Result::PluginInspected(result),
        timings,
        peak_bytes,
        threads,
    })
}

/// Makes the circuit of a plugin for parameters.
async fn prepare(
    context: &Context,
    key: &AttemptKey,
    work: &v1::PrepareCircuit,
    threads: u32,
) -> Result<Done, Error> {
    let component = digest(&work.component)?;
    let params = context
        .depot
        .get(&digest(&work.params)?, PARAMS_BYTES_MAX)
        .await?;
    context.reporter.stage(key, Stage::Inspect);
    let attempt = Span::current();
    let circuit = context.sandboxes.recorded(&component, &params);
    let circuit = circuit.instrument(spans::stage(&attempt, Stage::Inspect));
    let circuit = circuit.await?;
    context.reporter.stage(key, Stage::Keygen);
    let making = make_keys(context, circuit.value, threads);
    let making = making.instrument(spans::stage(&attempt, Stage::Keygen));
    let (prepared, keygen, peak_bytes) = making.await?;
    Ok(Done {
        result: complete_request::Result::CircuitPrepared(prepared),
        timings: vec![(Stage::Inspect, circuit.took), (Stage::Keygen, keygen)],
        peak_bytes,
        threads,
    })
}

/// Checks a circuit and makes its keys; keeps its bytes and its report in the depot. Returns the time
/// and the memory that the keys took as well.
async fn make_keys(
    context: &Context,
    circuit: Vec<u8>,
    threads: u32,
) -> Result<(v1::CircuitPrepared, Duration, u64), Error> {
    let Prepared {
        key_digest,
        k,
        proof_bytes,
        report,
        keygen_micros,
        peak_bytes,
        memory_bytes,
        work,
        ..
    } = context.provers.prepare_with(&circuit, threads).await?;
    let (circuit, report) = tokio::try_join!(
        context.depot.put(circuit.into()),
        context.depot.put(to_json(&report)?.into())
    )?;
    let key = hex::decode(&key_digest).map_err(|_| Error::Lease {
        detail: format!("the key digest is {key_digest}"),
    })?;
    let prepared = v1::CircuitPrepared {
        circuit: circuit.as_bytes().to_vec(),
        key,
        report: report.as_bytes().to_vec(),
        k,
        proof_bytes,
        memory_bytes,
        work,
    };
    Ok((prepared, Duration::from_micros(keygen_micros), peak_bytes))
}

/// Input to witness to proof.
async fn prove(
    context: &Context,
    key: &AttemptKey,
    work: v1::Prove,
    threads: u32,
) -> Result<Done, Error> {
    let component = digest(&work.component)?;
    let circuit = digest(&work.circuit)?;
    let params = digest(&work.params)?;
    context.reporter.stage(key, Stage::Witness);
    let (params, input, session) = tokio::join!(
        context.depot.get(&params, PARAMS_BYTES_MAX),
        open(context, key, work),
        context.provers.open(&circuit),
    );
    let (params, input, session) = (params?, input?, session?);
    let mut session = session.with_threads(threads);

    // The keys are made while the witness is. Both run to their end: an input that is refused
    // must not kill a prover in the middle of making keys for everybody.
    let attempt = Span::current();
    let witness = context.sandboxes.witness(&component, &params, &input);
    let (witness, keygen) = tokio::join!(
        witness.instrument(spans::stage(&attempt, Stage::Witness)),
        session
            .warm()
            .instrument(spans::stage(&attempt, Stage::Keygen))
    );
    drop(input);
    let (witness, mut keygen) = (witness?, keygen?);
    context.config.meters.looked("keys", keygen.is_zero());

    // The prover tells when it goes from the check to the proof.
    let mut stage_span = Span::none();
    let on_stage = |stage| {
        context.reporter.stage(key, stage);
        stage_span = spans::stage(&attempt, stage);
    };
    let proving = session.prove(&witness.value, on_stage).await;
    drop(stage_span);
    let proved = match proving? {
        Ok(proved) => proved,
        Err(unsatisfied) => {
            let named = explain(context, &mut session, &component, &params, &witness.value).await;
            return Err(refused(context, &named.unwrap_or(unsatisfied)).await);
        }
    };
    drop(witness.value);
    drop(session);
    keygen += proved.keygen;
    let (proof, public_inputs) = tokio::try_join!(
        context.depot.put(proved.proof.into()),
        context.depot.put(proved.public_inputs.into())
    )?;
    let result = v1::Proved {
        proof: proof.as_bytes().to_vec(),
        public_inputs: public_inputs.as_bytes().to_vec(),
    };
    Ok(Done {
        result: complete_request::Result::Proved(result),
        timings: vec![
            (Stage::Witness, witness.took),
            (Stage::Keygen, keygen),
            (Stage::Check, proved.check),
            (Stage::Prove, proved.prove),
        ],
        peak_bytes: proved.peak_bytes,
        threads,
    })
}

/// Fetches and opens the sealed input.
async fn open(context: &Context, key: &AttemptKey, mut work: v1::Prove) -> Result<Secret, Error> {
    let lost = |detail: &str| Error::Refused(Problem::new("task.input_lost", detail));
    let input_key = <[u8; 32]>::try_from(work.input_key.as_slice());
    work.input_key.zeroize();
    let mut input_key = input_key.map_err(|_| lost("the input's key is gone"))?;
    let sealed = match context
        .depot
        .get(&digest(&work.input)?, SEALED_BYTES_MAX)
        .await
    {
        Ok(sealed) => Ok(sealed),
        Err(DepotError::NotFound { .. }) => Err(lost("the sealed input is not in the depot")),
        Err(error) => Err(error.into()),
    };
    let input = sealed.and_then(|sealed: Bytes| {
        open_input(&input_key, key.task, &sealed)
            .map_err(|_| lost("the sealed input does not open with its key"))
    });
    input_key.zeroize();
    input
}

/// Names what fails; nothing if that does not work either, for the check has already said which
/// gate and row.
async fn explain(
    context: &Context,
    session: &mut Session,
    component: &Digest,
    params: &[u8],
    witness: &Secret,
) -> Option<Unsatisfied> {
    let names = async {
        let annotations = context.sandboxes.annotate(component, params).await?;
        session
            .diagnose(&annotations.value, witness, Values::Hidden)
            .await
    };
    match names.await {
        Ok(result) => result.err(),
        Err(error) => {
            tracing::debug!(%error, "an unsatisfied witness could not be explained by name");
            None
        }
    }
}

/// The refusal of an input, with its report in the depot. The refusal stands if the report does
/// not get there: it says the first failures itself.
async fn refused(context: &Context, unsatisfied: &Unsatisfied) -> Error {
    let problem = unsatisfied.to_problem();
    let stored = match unsatisfied.report() {
        Ok(report) => context
            .depot
            .put(report.into())
            .await
            .map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    Error::Refused(match stored {
        Ok(report) => problem.with_report(report),
        Err(error) => {
            tracing::warn!(error, "the report of an unsatisfied input is not kept");
            problem
        }
    })
}

fn digest(bytes: &[u8]) -> Result<Digest, Error> {
    Digest::from_slice(bytes).ok_or_else(|| Error::Lease {
        detail: format!("a digest has {} bytes instead of 32", bytes.len()),
    })
}

fn to_json(value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::Lease {
        detail: error.to_string(),
    })
}
