//! A verb that came over the wire, done at this desk.

use std::sync::Arc;
use std::time::Duration;

use aureole_api::{Problem, codes};
use aureole_gateway::{Blob, InputCheck};
use serde::Serialize;

use super::call::Call;
use crate::desk::Desk;
use crate::health;

/// Does a verb that answers with a document.
pub(super) async fn document(desk: &Arc<Desk>, call: Call) -> Result<Vec<u8>, Problem> {
    let wait = Duration::from_millis;
    match call {
        Call::Plugins => written(desk.list_plugins().await?),
        Call::Plugin { plugin, wait_ms } => {
            written(desk.show_plugin(&plugin, wait(wait_ms)).await?)
        }
        Call::RetirePlugin { plugin } => written(desk.retire(&plugin).await?),
        Call::PutCircuit { plugin, params } => {
            written(desk.make_circuit(&plugin, params.as_ref()).await?)
        }
        Call::Circuit { circuit, wait_ms } => {
            written(desk.show_circuit(&circuit, wait(wait_ms)).await?)
        }
        Call::CheckInput {
            circuit,
            input,
            reveal,
        } => {
            let check = InputCheck {
                circuit,
                input,
                reveal,
            };
            written(desk.check_against(check).await?)
        }
        Call::Submit(submit) => {
            let (task, submission, verdict) = submit.read()?;
            written(desk.submit_as(task, submission, verdict).await?)
        }
        Call::Task { task, wait_ms } => written(desk.show_task(task, wait(wait_ms)).await?),
        Call::Tasks(filter) => written(desk.list_tasks(filter.read()).await?),
        Call::Cancel { task } => written(desk.cancel_task(task).await?),
        Call::Explain { task } => written(desk.explain_task(task).await?),
        Call::Verify(verify) => written(desk.verdict(verify.read()?).await?),
        Call::Checks => written(health::of_leader(desk).await),
        Call::CircuitIr { .. } | Call::Proof { .. } => Err(misplaced(&call)),
    }
}

/// Does a verb that answers with bytes.
pub(super) async fn blob(desk: &Arc<Desk>, call: Call) -> Result<Blob, Problem> {
    match call {
        Call::CircuitIr { circuit } => desk.circuit_bytes(&circuit).await,
        Call::Proof { task } => desk.proof_of(task).await,
        other => Err(misplaced(&other)),
    }
}

fn written(answer: impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(&answer).map_err(|error| {
        tracing::error!(%error, "an answer cannot be written");
        Problem::new(codes::node::INTERNAL, "the answer cannot be written")
    })
}

fn misplaced(call: &Call) -> Problem {
    let detail = format!("the verb {} came by the wrong call", call.verb());
    Problem::new(codes::node::INTERNAL, detail)
}
