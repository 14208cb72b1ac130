//! Every acknowledged command is in the final state of every member, and again after all were killed.

use std::collections::BTreeMap;

use aureole_ledger::{Outcome, TaskId, TaskPhase};
use aureole_simnet::{Deed, History, Promise};

use crate::every::holds;

/// What a promise says of the facts: a task that is there, and whether it is cancelled for good.
const fn promised(promise: &Promise) -> Option<(TaskId, bool)> {
    match (&promise.deed, &promise.outcome) {
        (Deed::Submit(task, _), Outcome::TaskSubmitted { .. }) => Some((*task, false)),
        (Deed::Cancel(task), Outcome::Cancelled { .. }) => Some((*task, true)),
        _ => None,
    }
}

pub(crate) fn check(history: &History) -> Result<(), String> {
    for (member, end) in history.ends.iter().chain(&history.kept) {
        for promise in &history.promises {
            kept(promise, &end.tasks).map_err(|what| format!("at member {member} {what}"))?;
        }
    }
    Ok(())
}

fn kept(promise: &Promise, tasks: &BTreeMap<TaskId, TaskPhase>) -> Result<(), String> {
    let Some((task, cancelled)) = promised(promise) else {
        return Ok(());
    };
    let Promise { at, client, .. } = promise;
    match tasks.get(&task) {
        None => Err(format!(
            "task {task} is lost, acknowledged to client {client} at {at} ms"
        )),
        Some(phase) if cancelled && *phase != TaskPhase::Cancelled => Err(format!(
            "task {task} is {}, cancelled by client {client} at {at} ms",
            phase.name()
        )),
        Some(_) => Ok(()),
    }
}

#[test]
fn what_was_acknowledged_is_kept() -> Result<(), String> {
    holds("what_was_acknowledged_is_kept", check)
}
