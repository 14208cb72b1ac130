//! What the leader should do now: [`plan`]. It decides, [`State::apply`](crate::State::apply)
//! decides again: a plan made on an old state is refused, never wrong.

use std::collections::BTreeMap;

use crate::limits::PLAN_MAX;
use crate::{Command, Expiry, Millis, State, TaskId, WorkerId};

/// A worker as the leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerView {
    /// Its name.
    pub id: WorkerId,
    /// Attempts it runs at a time.
    pub slots: u32,
}

/// How to plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// How long a lease lasts without a renewal.
    pub lease_ms: Millis,
}

/// Returns the commands that the time and the free workers call for: leases that are past their
/// deadline are taken away, waiting tasks are given to workers with a free slot.
///
/// At most `PLAN_MAX` commands are returned; the caller applies them and calls again until there are
/// none. What else waits, waits for a command or for [`State::next_deadline`].
pub fn plan(
    state: &State,
    now: Millis,
    options: &PlanOptions,
    workers: &[WorkerView],
) -> Vec<Command> {
    let mut commands = expirations(state, now);
    let mut free = free_slots(state, workers);
    let room = PLAN_MAX.saturating_sub(commands.len());
    for id in state.leasable(now).take(room) {
        let Some(worker) = take_slot(&mut free) else {
            break;
        };
        commands.extend(lease(state, id, worker, now, options));
    }
    commands
}

fn expirations(state: &State, now: Millis) -> Vec<Command> {
    state
        .leases_by_deadline()
        .take_while(|(expires_at, _)| *expires_at <= now)
        .take(PLAN_MAX)
        .map(|(_, task)| Command::ExpireLease {
            task: task.id,
            attempt: task.attempt,
            reason: Expiry::Deadline,
            now,
        })
        .collect()
}

/// Counts the slots that no lease holds, by worker. Full workers are left out.
fn free_slots(state: &State, workers: &[WorkerView]) -> BTreeMap<WorkerId, u64> {
    let mut free = BTreeMap::new();
    for worker in workers {
        let held = state.leases_of(&worker.id).count() as u64;
        let slots = u64::from(worker.slots).saturating_sub(held);
        if slots > 0 {
            free.insert(worker.id.clone(), slots);
        }
    }
    free
}

/// Takes a slot of the worker that has the most; the first by name among equals.
fn take_slot(free: &mut BTreeMap<WorkerId, u64>) -> Option<WorkerId> {
    let most = *free.values().max()?;
    let worker = free.iter().find(|(_, slots)| **slots == most)?.0.clone();
    if most == 1 {
        free.remove(&worker);
    } else {
        free.insert(worker.clone(), most - 1);
    }
    Some(worker)
}

fn lease(
    state: &State,
    id: TaskId,
    worker: WorkerId,
    now: Millis,
    options: &PlanOptions,
) -> Option<Command> {
    let task = state.task(&id)?;
    Some(Command::LeaseTask {
        task: id,
        attempt: task.attempt.checked_add(1)?,
        worker,
        expires_at: now.saturating_add(options.lease_ms),
        now,
    })
}
