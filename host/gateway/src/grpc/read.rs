//! Messages to types that cannot be wrong.

use std::{collections::BTreeMap, time::Duration};

use aureole_api::{
    Problem,
    codes::request,
    public::v1,
    rest::{
        Elements, ProofClaim, PublicInputs, TaskRequest, TaskState, Timestamp, VerifyBatchRequest,
        VerifyRequest,
    },
};
use aureole_ledger::{CircuitId, TaskId};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;

use crate::{
    Sort, TaskFilter,
    extract::{Page, Wait, is_key, malformed_key},
    json, limits,
};

pub(super) fn task(text: &str) -> Result<TaskId, Problem> {
    let form = "a task is tsk_ and 32 lower-case hex digits";
    text.parse()
        .map_err(|_| Problem::new(request::ID, form).at("/task"))
}

pub(super) fn circuit(text: &str) -> Result<CircuitId, Problem> {
    let form = "a circuit is cir_ and 32 lower-case hex digits";
    text.parse()
        .map_err(|_| Problem::new(request::ID, form).at("/circuit"))
}

pub(super) fn plugin(text: &str) -> Result<aureole_api::rest::PluginRef, Problem> {
    text.parse()
        .map_err(|error| Problem::new(request::ID, format!("{error}")).at("/plugin"))
}

/// A wait as text; `default` when there is none.
pub(super) fn wait(text: Option<String>, default: Duration) -> Result<Duration, Problem> {
    Wait::new(text).or(default)
}

/// JSON in a field, read as strictly as a body; a long one on a thread that may block.
pub(super) async fn value(text: String, field: &str) -> Result<Value, Problem> {
    let at = |problem: Problem| {
        let path = problem.path().unwrap_or_default().to_owned();
        problem.at(format!("/{field}{path}"))
    };
    json::read_anywhere(text.into()).await.map_err(at)
}

pub(super) async fn params(text: Option<String>) -> Result<Option<Value>, Problem> {
    match text {
        Some(text) => value(text, "params").await.map(Some),
        None => Ok(None),
    }
}

/// A key of at most `max` characters.
pub(super) fn key(key: Option<String>, max: u32) -> Result<Option<String>, Problem> {
    match key {
        Some(key) if !is_key(&key, max) => Err(malformed_key(max).at("/idempotency_key")),
        key => Ok(key),
    }
}

/// A submission without its key and wait.
pub(super) async fn submission(asked: v1::SubmitTaskRequest) -> Result<TaskRequest, Problem> {
    let mut task = TaskRequest {
        params: params(asked.params).await?,
        input: value(asked.input, "input").await?,
        ..TaskRequest::default()
    };
    match asked.target {
        Some(v1::submit_task_request::Target::Circuit(circuit)) => task.circuit = Some(circuit),
        Some(v1::submit_task_request::Target::Plugin(name)) => task.plugin = Some(plugin(&name)?),
        None => {}
    }
    // More than fits is more than the highest, and refused as such.
    let level = |priority: u32| u8::try_from(priority).unwrap_or(u8::MAX);
    task.priority = asked.priority.map(level);
    let instant = |text: String| {
        let read: Result<Timestamp, _> = text.parse();
        read.map_err(|error| {
            Problem::new(aureole_api::codes::json::TYPE, format!("{error}")).at("/deadline")
        })
    };
    task.deadline = asked.deadline.map(instant).transpose()?;
    Ok(task)
}

pub(super) fn filter(asked: v1::ListTasksRequest) -> Result<TaskFilter, Problem> {
    let state = state(asked.state)?;
    let sort = match v1::Sort::try_from(asked.sort) {
        Ok(v1::Sort::Unspecified | v1::Sort::Newest) => Sort::Newest,
        Ok(v1::Sort::Oldest) => Sort::Oldest,
        Err(_) => return Err(unknown("sort", asked.sort)),
    };
    let page = Page {
        plugin: asked.plugin,
        circuit: asked.circuit,
        since: asked.since,
        until: asked.until,
        before: asked.before,
        limit: asked.limit.map(|limit| limit.to_string()),
        ..Page::default()
    };
    let filter = page.filter()?;
    Ok(TaskFilter {
        state,
        sort,
        ..filter
    })
}

fn state(number: i32) -> Result<Option<TaskState>, Problem> {
    match v1::TaskState::try_from(number) {
        Ok(v1::TaskState::Unspecified) => Ok(None),
        Ok(v1::TaskState::Queued) => Ok(Some(TaskState::Queued)),
        Ok(v1::TaskState::Running) => Ok(Some(TaskState::Running)),
        Ok(v1::TaskState::Done) => Ok(Some(TaskState::Done)),
        Ok(v1::TaskState::Failed) => Ok(Some(TaskState::Failed)),
        Ok(v1::TaskState::Cancelled) => Ok(Some(TaskState::Cancelled)),
        Err(_) => Err(unknown("state", number)),
    }
}

fn unknown(field: &str, number: i32) -> Problem {
    Problem::new(request::QUERY, format!("{field} has no value {number}")).at(format!("/{field}"))
}

pub(super) fn verification(asked: v1::VerifyProofRequest) -> VerifyRequest {
    VerifyRequest {
        circuit: asked.circuit,
        public_inputs: public_inputs(asked.public_inputs.into_iter().collect()),
        proof: BASE64_STANDARD.encode(asked.proof),
    }
}

pub(super) fn verifications(asked: v1::VerifyProofsRequest) -> VerifyBatchRequest {
    let claims = asked.proofs.into_iter().map(|claim| ProofClaim {
        public_inputs: public_inputs(claim.public_inputs.into_iter().collect()),
        proof: BASE64_STANDARD.encode(claim.proof),
    });
    VerifyBatchRequest {
        circuit: asked.circuit,
        // One more than is taken says that there are too many.
        proofs: claims
            .take(aureole_api::rest::BATCH_PROOFS_MAX as usize + 1)
            .collect(),
    }
}

fn public_inputs(given: BTreeMap<String, v1::Elements>) -> PublicInputs {
    let each = given.into_iter();
    each.map(|(name, elements)| (name, Elements::Many(elements.values)))
        .collect()
}

/// The longest id of an event that is looked at.
pub(super) fn event_id(id: Option<String>) -> Option<String> {
    id.filter(|id| id.len() <= limits::EVENT_ID_MAX as usize)
}
