//! Wire to domain and back: everything a worker sends is checked here, once.

use std::collections::BTreeSet;

use aureole_api::internal::v1;
use aureole_ledger::{
    AttemptRef, CircuitFacts, Completion, Digest, Problem, Refusal, Stage, TaskId, Timings,
    WorkerId, codes,
};
use thiserror::Error;
use tonic::Status;

use crate::hub::Joining;
use crate::limits::{
    ATTEMPTS_NAMED_MAX, BACKEND_BYTES_MAX, BACKENDS_MAX, SLOTS_MAX, WARM_CIRCUITS_MAX,
};

/// Bytes that tell a worker's process: workers draw 16.
const INSTANCE_BYTES_MAX: usize = 32;

/// Stages that are timed, at most one time each.
const TIMINGS_MAX: usize = 16;

/// Why a message is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{field}: {reason}")]
pub(crate) struct WireError {
    field: &'static str,
    reason: String,
}

impl From<WireError> for Status {
    fn from(error: WireError) -> Self {
        Self::invalid_argument(error.to_string())
    }
}

pub(crate) fn wrong(field: &'static str, reason: impl Into<String>) -> WireError {
    WireError {
        field,
        reason: reason.into(),
    }
}

pub(crate) fn attempt_id(attempt: AttemptRef) -> v1::AttemptId {
    v1::AttemptId {
        task_id: attempt.task.as_bytes().to_vec(),
        attempt: attempt.attempt,
    }
}

pub(crate) fn worker_id(text: &str) -> Result<WorkerId, WireError> {
    WorkerId::new(text).map_err(|error| wrong("worker_id", error.to_string()))
}

pub(crate) fn attempt(id: Option<&v1::AttemptId>) -> Result<AttemptRef, WireError> {
    let id = id.ok_or_else(|| wrong("attempt", "it is missing"))?;
    let task = TaskId::from_slice(&id.task_id).ok_or_else(|| {
        wrong(
            "attempt.task_id",
            format!("{} bytes, a task id has 16", id.task_id.len()),
        )
    })?;
    Ok(AttemptRef {
        task,
        attempt: id.attempt,
    })
}

pub(crate) fn attempts(ids: &[v1::AttemptId]) -> Result<Vec<AttemptRef>, WireError> {
    if ids.len() > ATTEMPTS_NAMED_MAX {
        let reason = format!("{} attempts, the limit is {ATTEMPTS_NAMED_MAX}", ids.len());
        return Err(wrong("running", reason));
    }
    ids.iter().map(|id| attempt(Some(id))).collect()
}

/// The circuits that a worker says it has warm.
pub(crate) fn warm(warm: &v1::WarmCircuits) -> Result<BTreeSet<Digest>, WireError> {
    let count = warm.circuits.len();
    if count > WARM_CIRCUITS_MAX {
        let reason = format!("{count} circuits, the limit is {WARM_CIRCUITS_MAX}");
        return Err(wrong("warm", reason));
    }
    let circuits = warm.circuits.iter();
    circuits.map(|bytes| digest("warm", bytes)).collect()
}

/// A worker that knocks.
pub(crate) fn joining(request: v1::JoinRequest) -> Result<Joining, WireError> {
    let v1::JoinRequest {
        cores,
        memory_bytes,
        slots,
        instance,
        backends,
        draining,
        ..
    } = request;
    if !(1..=SLOTS_MAX).contains(&slots) {
        let reason = format!("{slots}, a worker has 1 to {SLOTS_MAX}");
        return Err(wrong("slots", reason));
    }
    let named = |name: &String| !name.is_empty() && name.len() <= BACKEND_BYTES_MAX;
    if backends.len() > BACKENDS_MAX || !backends.iter().all(named) {
        let reason = format!("up to {BACKENDS_MAX} names of 1 to {BACKEND_BYTES_MAX} bytes each");
        return Err(wrong("backends", reason));
    }
    Ok(Joining {
        id: worker_id(&request.worker_id)?,
        instance: self::instance(instance)?,
        cores,
        memory_bytes,
        slots,
        backends: backends.into_iter().collect(),
        warm: request
            .warm
            .as_ref()
            .map(warm)
            .transpose()?
            .unwrap_or_default(),
        draining,
    })
}

/// Which process of a worker's name it is; empty for one that does not say.
pub(crate) fn instance(bytes: Vec<u8>) -> Result<Vec<u8>, WireError> {
    if bytes.len() > INSTANCE_BYTES_MAX {
        let reason = format!("{} bytes, the limit is {INSTANCE_BYTES_MAX}", bytes.len());
        return Err(wrong("instance", reason));
    }
    Ok(bytes)
}

fn digest(field: &'static str, bytes: &[u8]) -> Result<Digest, WireError> {
    let reason = || wrong(field, format!("{} bytes, a digest has 32", bytes.len()));
    Digest::from_slice(bytes).ok_or_else(reason)
}

pub(crate) fn stage(number: i32) -> Result<Stage, WireError> {
    match v1::Stage::try_from(number) {
        Ok(v1::Stage::Compile) => Ok(Stage::Compile),
        Ok(v1::Stage::Inspect) => Ok(Stage::Inspect),
        Ok(v1::Stage::Keygen) => Ok(Stage::Keygen),
        Ok(v1::Stage::Witness) => Ok(Stage::Witness),
        Ok(v1::Stage::Check) => Ok(Stage::Check),
        Ok(v1::Stage::Prove) => Ok(Stage::Prove),
        Ok(v1::Stage::Verify) => Ok(Stage::Verify),
        Ok(v1::Stage::Unspecified) | Err(_) => Err(wrong(
            "stage",
            format!("{number} is no stage of this version"),
        )),
    }
}

pub(crate) fn timings(reported: &[v1::StageTiming]) -> Result<Timings, WireError> {
    if reported.len() > TIMINGS_MAX {
        let reason = format!("{} entries, the limit is {TIMINGS_MAX}", reported.len());
        return Err(wrong("timings", reason));
    }
    reported
        .iter()
        .map(|timing| Ok((stage(timing.stage)?, timing.micros)))
        .collect()
}

pub(crate) fn problem(problem: Option<v1::Problem>) -> Result<Problem, WireError> {
    let problem = problem.ok_or_else(|| wrong("problem", "it is missing"))?;
    if problem.code.is_empty() {
        return Err(wrong("problem.code", "it is empty"));
    }
    let mut made = Problem::new(problem.code, problem.detail);
    if let Some(path) = problem.path {
        made = made.at(path);
    }
    if let Some(report) = problem.report {
        made = made.with_report(digest("problem.report", &report)?);
    }
    Ok(made)
}

pub(crate) fn is_handed_back(problem: &Problem) -> bool {
    problem.code == codes::HANDED_BACK
}

pub(crate) fn refused(refusal: &Refusal) -> v1::CompleteReply {
    reply_with(&Problem::new(refusal.code(), refusal.to_string()))
}

pub(crate) fn reply_with(problem: &Problem) -> v1::CompleteReply {
    let Problem {
        code,
        detail,
        path,
        report,
    } = problem.clone();
    let report = report.map(|digest| digest.as_bytes().to_vec());
    v1::CompleteReply {
        refused: Some(v1::Problem {
            code,
            detail,
            path,
            report,
        }),
    }
}

pub(crate) fn completion(
    result: Option<v1::complete_request::Result>,
) -> Result<Completion, WireError> {
    use v1::complete_request::Result as Wire;
    match result.ok_or_else(|| wrong("result", "it is missing"))? {
        Wire::PluginInspected(inspected) => {
            let params = inspected.default_params.as_deref();
            Ok(Completion::PluginInspected {
                description: digest("description", &inspected.description)?,
                default_params: params
                    .map(|bytes| digest("default_params", bytes))
                    .transpose()?,
                default_circuit: inspected.default_circuit.as_ref().map(facts).transpose()?,
                name: inspected.name,
                version: inspected.version,
            })
        }
        Wire::CircuitPrepared(prepared) => Ok(Completion::CircuitPrepared(facts(&prepared)?)),
        Wire::Proved(proved) => Ok(Completion::Proved {
            proof: digest("proof", &proved.proof)?,
            public_inputs: digest("public_inputs", &proved.public_inputs)?,
        }),
    }
}

fn facts(prepared: &v1::CircuitPrepared) -> Result<CircuitFacts, WireError> {
    Ok(CircuitFacts {
        circuit_digest: digest("circuit", &prepared.circuit)?,
        key_digest: digest("key", &prepared.key)?,
        report: digest("report", &prepared.report)?,
        k: prepared.k,
        proof_bytes: prepared.proof_bytes,
        memory_bytes: prepared.memory_bytes,
        work: prepared.work,
    })
}
