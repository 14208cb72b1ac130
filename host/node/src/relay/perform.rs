//! A verb that came over the wire, done at this desk.

use std::sync::Arc;
use std::time::Duration;

use aureole_api::{Problem, codes};
use aureole_gateway::{Blob, Caller, InputCheck};
use serde::Serialize;

use super::call::Call;
use super::webhooks;
use crate::desk::Desk;
use crate::health;

/// Does a verb that answers with a document.
pub(super) async fn document(
    desk: &Arc<Desk>,
    caller: Option<Caller>,
    call: Call,
) -> Result<Vec<u8>, Problem> {
    let wait = Duration::from_millis;
    if call == Call::Checks {
        return written(health::of_leader(desk).await);
    }
    let caller = &caller.ok_or_else(|| unnamed(&call))?;
    match call {
        Call::Plugins => written(desk.list_plugins(caller).await?),
        Call::Plugin { plugin, wait_ms } => {
            written(desk.show_plugin(caller, &plugin, wait(wait_ms)).await?)
        }
        Call::RetirePlugin { plugin } => written(desk.retire(caller, &plugin).await?),
        Call::PutCircuit { plugin, params } => {
            written(desk.make_circuit(caller, &plugin, params.as_ref()).await?)
        }
        Call::Circuit { circuit, wait_ms } => {
            written(desk.show_circuit(caller, &circuit, wait(wait_ms)).await?)
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
            written(desk.check_against(caller, check).await?)
        }
        Call::Submit(submit) => {
            let (task, submission, verdict) = submit.read()?;
            written(desk.submit_as(caller, task, submission, verdict).await?)
        }
        Call::Task { task, wait_ms } => written(desk.show_task(caller, task, wait(wait_ms)).await?),
        Call::Tasks(filter) => written(desk.list_tasks(caller, filter.read()).await?),
        Call::Cancel { task } => written(desk.cancel_task(caller, task).await?),
        Call::Explain { task } => written(desk.explain_task(caller, task).await?),
        Call::Webhooks(call) => written(webhooks::perform(desk, caller, call).await?),
        Call::Verify(verify) => written(desk.verdict(caller, verify.read()?).await?),
        Call::Checks | Call::CircuitIr { .. } | Call::Proof { .. } => Err(misplaced(&call)),
    }
}

/// Does a verb that answers with bytes.
pub(super) async fn blob(
    desk: &Arc<Desk>,
    caller: Option<Caller>,
    call: Call,
) -> Result<Blob, Problem> {
    let caller = &caller.ok_or_else(|| unnamed(&call))?;
    match call {
        Call::CircuitIr { circuit } => desk.circuit_bytes(caller, &circuit).await,
        Call::Proof { task } => desk.proof_of(caller, task).await,
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

fn unnamed(call: &Call) -> Problem {
    let detail = format!("the verb {} came without its caller", call.verb());
    Problem::new(codes::node::INTERNAL, detail)
}
