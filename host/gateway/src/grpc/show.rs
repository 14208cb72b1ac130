//! The documents of REST as messages.

use std::collections::BTreeMap;

use aureole_api::{Problem, public::v1, rest};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Serialize;

/// A document as JSON text.
pub(super) fn json(document: &impl Serialize) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

pub(super) fn problem(problem: &Problem) -> v1::Problem {
    v1::Problem {
        code: problem.code().to_owned(),
        title: problem.title().to_owned(),
        status: problem.status().into(),
        detail: problem.detail().to_owned(),
        path: problem.path().unwrap_or_default().to_owned(),
    }
}

pub(super) fn state(state: rest::TaskState) -> v1::TaskState {
    match state {
        rest::TaskState::Queued => v1::TaskState::Queued,
        rest::TaskState::Running => v1::TaskState::Running,
        rest::TaskState::Done => v1::TaskState::Done,
        rest::TaskState::Failed => v1::TaskState::Failed,
        rest::TaskState::Cancelled => v1::TaskState::Cancelled,
    }
}

pub(super) fn task(task: rest::Task) -> v1::Task {
    let kind = match task.kind {
        rest::TaskKind::Inspect => "inspect",
        rest::TaskKind::Prepare => "prepare",
        rest::TaskKind::Prove => "prove",
    };
    v1::Task {
        id: task.id,
        kind: kind.to_owned(),
        state: state(task.state).into(),
        stage: task.stage.map(|stage| stage.name().to_owned()),
        priority: task.priority.into(),
        plugin: task.plugin,
        circuit: task.circuit,
        submitted_at: task.submitted_at.to_string(),
        deadline: task.deadline.map(|instant| instant.to_string()),
        finished_at: task.finished_at.map(|instant| instant.to_string()),
        attempts: task.attempts.into_iter().map(attempt).collect(),
        timings_ms: task.timings_ms.map(timings).unwrap_or_default(),
        public_inputs: elements(task.public_inputs.unwrap_or_default()),
        proof: task.proof.map(proof),
        error: task.error.as_ref().map(problem),
        tenant: task.tenant,
        receipt: task.receipt.map(|receipt| v1::TaskReceipt {
            leaf: receipt.leaf,
            salt: receipt.salt,
            public_inputs_digest: receipt.public_inputs_digest,
        }),
    }
}

fn attempt(attempt: rest::Attempt) -> v1::task::Attempt {
    v1::task::Attempt {
        attempt: attempt.attempt,
        worker: attempt.worker,
        leased_at: attempt.leased_at.to_string(),
        ended_at: attempt.ended_at.map(|instant| instant.to_string()),
        problem: attempt.problem.as_ref().map(problem),
    }
}

fn timings<M: FromIterator<(String, f64)>>(timings: rest::Timings) -> M {
    let each = [
        ("queue", timings.queue),
        ("compile", timings.compile),
        ("inspect", timings.inspect),
        ("keygen", timings.keygen),
        ("witness", timings.witness),
        ("check", timings.check),
        ("prove", timings.prove),
        ("verify", timings.verify),
        ("total", timings.total),
    ];
    each.into_iter()
        .filter_map(|(stage, millis)| Some((stage.to_owned(), millis?)))
        .collect()
}

fn elements<M: FromIterator<(String, v1::Elements)>>(
    inputs: BTreeMap<String, rest::Elements>,
) -> M {
    inputs
        .into_iter()
        .map(|(name, elements)| {
            let values = elements.texts().to_vec();
            (name, v1::Elements { values })
        })
        .collect()
}

fn proof(record: rest::ProofRecord) -> v1::Proof {
    let bytes = record
        .base64
        .and_then(|text| BASE64_STANDARD.decode(text).ok());
    v1::Proof {
        digest: record.digest,
        bytes: bytes.unwrap_or_default(),
    }
}

pub(super) fn explanation(told: rest::Explanation) -> v1::Explanation {
    let wait = serde_json::to_value(told.wait).unwrap_or_default();
    v1::Explanation {
        task: told.task,
        state: state(told.state).into(),
        wait: wait.as_str().unwrap_or_default().to_owned(),
        summary: told.summary,
        ahead: told.ahead,
        queued: told.queued,
        starts_in_ms: told.starts_in_ms,
        ends_in_ms: told.ends_in_ms,
        duration_ms: told.estimate.duration_ms,
        memory_bytes: told.estimate.memory_bytes,
    }
}

pub(super) fn event(id: String, event: &rest::TaskEvent) -> v1::TaskEvent {
    v1::TaskEvent {
        id,
        task: event.task.clone(),
        state: state(event.state).into(),
        stage: event.stage.map(|stage| stage.name().to_owned()),
        attempt: event.attempt,
        summary: event.summary.clone(),
        starts_in_ms: event.starts_in_ms,
        ends_in_ms: event.ends_in_ms,
        error: event.error.as_ref().map(problem),
    }
}

fn lint(lint: rest::Lint) -> v1::Lint {
    v1::Lint {
        code: lint.code,
        item: lint.item,
        detail: lint.detail,
    }
}

pub(super) fn plugin(plugin: rest::Plugin) -> v1::Plugin {
    let state = match plugin.state {
        rest::PluginState::Inspecting => v1::PluginState::Inspecting,
        rest::PluginState::Ready => v1::PluginState::Ready,
        rest::PluginState::Rejected => v1::PluginState::Rejected,
        rest::PluginState::Retired => v1::PluginState::Retired,
    };
    let inputs = plugin.public_inputs.into_iter();
    v1::Plugin {
        digest: plugin.digest,
        bytes: plugin.bytes,
        state: state.into(),
        signer: plugin.signer,
        registered_at: plugin.registered_at.to_string(),
        name: plugin.name,
        version: plugin.version,
        summary: plugin.summary,
        backend: plugin.backend,
        field: plugin.field,
        params_schema: plugin.params_schema.as_ref().map(json),
        input_schema: plugin.input_schema.as_ref().map(json),
        default_params: plugin.default_params.as_ref().map(json),
        default_circuit: plugin.default_circuit,
        public_inputs: inputs
            .map(|input| v1::plugin::PublicInput {
                name: input.name,
                summary: input.summary,
            })
            .collect(),
        lints: plugin.lints.into_iter().map(lint).collect(),
        problem: plugin.problem.as_ref().map(problem),
        task: plugin.task,
    }
}

pub(super) fn circuit(circuit: rest::Circuit) -> v1::Circuit {
    let state = match circuit.state {
        rest::CircuitState::Preparing => v1::CircuitState::Preparing,
        rest::CircuitState::Ready => v1::CircuitState::Ready,
        rest::CircuitState::Rejected => v1::CircuitState::Rejected,
    };
    let inputs = circuit.public_inputs.into_iter();
    v1::Circuit {
        id: circuit.id,
        state: state.into(),
        component: circuit.component,
        plugin: circuit.plugin,
        params: json(&circuit.params),
        registered_at: circuit.registered_at.to_string(),
        circuit_digest: circuit.circuit_digest,
        key_digest: circuit.key_digest,
        proof_bytes: circuit.proof_bytes,
        shape: circuit.shape.as_ref().map(json),
        gates: circuit.gates,
        public_inputs: inputs
            .map(|input| v1::circuit::PublicInput {
                name: input.name,
                column: input.column,
                rows: input.rows,
            })
            .collect(),
        lints: circuit.lints.into_iter().map(lint).collect(),
        estimate: circuit.estimate.as_ref().map(json),
        problem: circuit.problem.as_ref().map(problem),
    }
}

pub(super) fn report(report: &rest::CheckReport) -> v1::CheckInputReply {
    v1::CheckInputReply {
        satisfied: report.satisfied,
        code: report.code.clone(),
        failures: report.failures.iter().map(json).collect(),
        more: report.more,
    }
}

pub(super) fn verdict(verdict: rest::Verdict) -> v1::Verdict {
    v1::Verdict {
        valid: verdict.valid,
        reason: verdict.reason,
        revoked: verdict.revoked.map(revocation),
    }
}

pub(super) fn revocation(revocation: rest::Revocation) -> v1::Revocation {
    v1::Revocation {
        key_digest: revocation.key_digest,
        reason: revocation.reason,
        at: revocation.at.to_string(),
    }
}

pub(super) fn verifying_key(key: rest::VerifyingKey) -> v1::VerifyingKey {
    let version = |version: rest::VerifyingKeyVersion| {
        let state = match version.state {
            rest::VerifyingKeyState::Current => v1::VerifyingKeyState::Current,
            rest::VerifyingKeyState::Superseded => v1::VerifyingKeyState::Superseded,
            rest::VerifyingKeyState::Revoked => v1::VerifyingKeyState::Revoked,
        };
        v1::verifying_key::Version {
            version: version.version,
            state: state.into(),
            circuit: version.circuit,
            key_digest: version.key_digest,
            published_at: version.published_at.to_string(),
            revoked: version.revoked.map(revocation),
        }
    };
    v1::VerifyingKey {
        name: key.name,
        versions: key.versions.into_iter().map(version).collect(),
    }
}

pub(super) fn circuit_key(key: rest::CircuitKey) -> v1::CircuitKey {
    v1::CircuitKey {
        circuit: key.circuit,
        key_digest: key.key_digest,
        circuit_digest: key.circuit_digest,
        proof_bytes: key.proof_bytes,
        names: key.names,
        revoked: key.revoked.map(revocation),
    }
}

pub(super) fn item(item: rest::BatchItem) -> v1::submit_tasks_reply::Item {
    use v1::submit_tasks_reply::item::End;
    let end = match (item.task, item.problem) {
        (Some(found), _) => Some(End::Task(task(found))),
        (None, Some(refused)) => Some(End::Problem(problem(&refused))),
        (None, None) => None,
    };
    v1::submit_tasks_reply::Item {
        status: item.status.into(),
        end,
    }
}
