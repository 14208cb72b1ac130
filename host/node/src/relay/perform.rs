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
    match &call {
        Call::Checks => return written(health::of_leader(desk).await),
        Call::Authenticate { key } => return written(desk.holder(key)),
        _ => {}
    }
    let caller = &caller.ok_or_else(|| unnamed(&call))?;
    desk.recognise(caller)?;
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
        Call::TaskChange {
            task,
            seen,
            wait_ms,
        } => written(
            desk.changed_task(caller, task, &seen, wait(wait_ms))
                .await?,
        ),
        Call::Tasks(filter) => written(desk.list_tasks(caller, filter.read()).await?),
        Call::Cancel { task } => written(desk.cancel_task(caller, task).await?),
        Call::Explain { task } => written(desk.explain_task(caller, task).await?),
        Call::Webhooks(call) => written(webhooks::perform(desk, caller, call).await?),
        Call::Verify(verify) => written(desk.verdict(caller, verify.read()?).await?),
        Call::VerifyBatch(batch) => written(desk.verdicts(caller, batch.read()?).await?),
        Call::SharePlugin { plugin, sharing } => {
            written(desk.share(caller, &plugin, sharing).await?)
        }
        Call::Me => written(desk.introduce(caller)),
        Call::Administer(asked) => written(desk.administer(caller, asked).await?),
        Call::Receipt { task } => written(desk.receipt_of(caller, task).await?),
        Call::VerifyingKeys => written(desk.list_verifying_keys(caller).await?),
        Call::VerifyingKey { name } => written(desk.show_verifying_key(caller, &name).await?),
        Call::PublishVerifyingKey { name, circuit } => {
            written(desk.publish_verifying_key(caller, &name, circuit).await?)
        }
        Call::CircuitKey { circuit } => written(desk.show_circuit_key(caller, circuit).await?),
        Call::RevokeVerifyingKey { circuit, reason } => {
            written(desk.revoke_verifying_key(caller, circuit, reason).await?)
        }
        Call::Workers => written(desk.list_workers(caller).await?),
        Call::TrustWorker { worker } => written(desk.trust_worker(caller, worker).await?),
        Call::Checks
        | Call::Authenticate { .. }
        | Call::CircuitIr { .. }
        | Call::Proof { .. }
        | Call::Log(_) => Err(misplaced(&call)),
    }
}

/// Does a verb that answers with bytes.
pub(super) async fn blob(
    desk: &Arc<Desk>,
    caller: Option<Caller>,
    call: Call,
) -> Result<Blob, Problem> {
    let caller = &caller.ok_or_else(|| unnamed(&call))?;
    desk.recognise(caller)?;
    match call {
        Call::CircuitIr { circuit } => desk.circuit_bytes(caller, &circuit).await,
        Call::Proof { task } => desk.proof_of(caller, task).await,
        Call::Log(read) => desk.log_read(caller, read.into()).await,
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
