//! What the leader should do now: [`plan`]. It decides, [`State::apply`](crate::State::apply)
//! decides again: a plan made on an old state is refused, never wrong.
//!
//! - Tenants share by weight (`apply/shares.rs`): one that floods delays another's first task by
//!   the end of one running task at most.
//! - Within a tenant urgency is priority plus age, so that nothing waits for ever: see
//!   `limits::PRIORITY_STEP_MS`.
//! - A worker is never given more attempts than its slots, nor more than its memory. For a task whose
//!   turn has come and that has waited `limits::RESERVE_AFTER_MS` for room, one worker is reserved: it
//!   takes nothing else until the task fits. There is one reservation at a time, a fact like the
//!   others, so that a large task is delayed by what runs and by large tasks before it, never by a
//!   stream of small ones.
//! - A straggler near its deadline gets a second attempt on another worker, from slots that nobody
//!   else wants.
//!
//! A plan costs what it does: the queue is read from its heads, workers and tenants once each.

use crate::fair::FairQueue;
use crate::limits::{PLAN_MAX, RESERVE_AFTER_MS, SPECULATION_FACTOR, STRAGGLER_FACTOR};
use crate::place::{Fit, Only, Placed, Places};
use crate::{
    AttemptRef, Command, Digest, Expiry, Lease, Millis, Need, Reservation, State, TaskKind,
    TaskRecord, TaskState, WorkerView,
};

/// How to plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// How long a lease lasts without a renewal.
    pub lease_ms: Millis,
}

/// Returns the commands that the time and the free workers call for: leases and tasks that are past
/// their deadline are ended, waiting tasks are given to workers.
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
    let mut round = Round {
        state,
        now,
        lease_ms: options.lease_ms,
        places: Places::new(state, workers),
        reservation: state.reservation(),
    };
    let mut queue = FairQueue::new(state, now);
    commands.extend(round.honour_reservation(&mut queue));
    round.lease_queued(&mut queue, &mut commands);
    round.second_attempts(&mut commands);
    commands
}

/// One plan in the making.
struct Round<'a> {
    state: &'a State,
    now: Millis,
    lease_ms: Millis,
    places: Places<'a>,
    /// The one that holds; a void one is forgotten.
    reservation: Option<&'a Reservation>,
}

// === impl Round ===

impl Round<'_> {
    /// Leases the task that a worker is reserved for, or closes the worker for others. A reservation
    /// on a worker that left, or is too small by now, is void.
    fn honour_reservation(&mut self, queue: &mut FairQueue<'_>) -> Option<Command> {
        let Reservation { task, worker } = self.reservation?;
        let task = self.state.task(task)?;
        let need = self.state.memory_need(&task.kind);
        let digest = circuit_digest(self.state, &task.kind);
        if !self.places.reserve(worker, need) {
            self.reservation = None;
            return None;
        }
        let may_start = matches!(task.state, TaskState::Queued { not_before } if not_before <= self.now)
            && !is_late(task, self.now);
        if !may_start {
            return None;
        }
        let choices = [Only::Worker(worker), Only::Any];
        let fits = choices.map(|only| self.places.find(need, digest, 1, &only));
        let placed = fits.into_iter().find_map(|fit| match fit {
            Fit::Now(placed) => Some(placed),
            Fit::Later | Fit::Never => None,
        })?;
        queue.charge(&task.tenant, self.state.charge_of(&task.kind));
        self.lease(task, &placed, false)
    }

    /// Leases queued tasks in the fair order, as long as there is room.
    fn lease_queued(&mut self, queue: &mut FairQueue<'_>, commands: &mut Vec<Command>) {
        while commands.len() < PLAN_MAX && self.places.any_free() {
            let Some(candidate) = queue.peek() else {
                return;
            };
            let task = self.state.task(&candidate.key.task);
            let Some(task) = task.filter(|task| !self.passes_over(task)) else {
                queue.skip();
                continue;
            };
            let need = self.state.memory_need(&task.kind);
            let digest = circuit_digest(self.state, &task.kind);
            match self.places.find(need, digest, queue.left(), &Only::Any) {
                Fit::Now(placed) => {
                    commands.extend(self.lease(task, &placed, false));
                    queue.take(self.state.charge_of(&task.kind));
                }
                Fit::Later => {
                    if self.reservation.is_none() && is_overdue(task, self.now) {
                        commands.extend(self.reserve(task, need));
                    }
                    queue.block(candidate.lane);
                }
                Fit::Never => queue.block(candidate.lane),
            }
        }
    }

    /// Tasks that something else is planned for.
    fn passes_over(&self, task: &TaskRecord) -> bool {
        is_late(task, self.now) || self.reservation.is_some_and(|held| held.task == task.id)
    }

    fn reserve(&mut self, task: &TaskRecord, need: Need) -> Option<Command> {
        let worker = self.places.nearest(need)?.0.clone();
        self.places.reserve(&worker, need);
        Some(Command::ReserveWorker {
            task: task.id,
            worker,
        })
    }

    /// Gives stragglers near their deadline a second attempt, from what is left.
    fn second_attempts(&mut self, commands: &mut Vec<Command>) {
        for (deadline, id) in self.state.lonely_by_deadline() {
            if commands.len() >= PLAN_MAX || !self.places.any_free() {
                return;
            }
            let Some(task) = self.state.task(&id) else {
                continue;
            };
            let Some(first) = task.lease().filter(|_| task.may_be_doubled()) else {
                continue;
            };
            let estimate = self.state.estimate(&task.kind, first.threads, false);
            if !is_straggler(first, estimate.duration_ms.max(1), deadline, self.now) {
                continue;
            }
            let digest = circuit_digest(self.state, &task.kind);
            let others = Only::Not(&first.worker);
            if let Fit::Now(placed) = self.places.find(estimate.memory, digest, 1, &others) {
                commands.extend(self.lease(task, &placed, true));
            }
        }
    }

    fn lease(&mut self, task: &TaskRecord, placed: &Placed, speculative: bool) -> Option<Command> {
        self.places.take(placed);
        Some(Command::LeaseTask {
            task: task.id,
            attempt: task.attempt.checked_add(1)?,
            worker: placed.worker.clone(),
            expires_at: self.now.saturating_add(self.lease_ms),
            now: self.now,
            threads: placed.threads,
            memory_bytes: placed.memory_bytes,
            speculative,
        })
    }
}

/// Ends leases and tasks whose deadline passed.
fn expirations(state: &State, now: Millis) -> Vec<Command> {
    let leases = state
        .leases_by_deadline()
        .take_while(|(expires_at, _)| *expires_at <= now)
        .map(|(_, AttemptRef { task, attempt })| Command::ExpireLease {
            task,
            attempt,
            reason: Expiry::Deadline,
            now,
        });
    let tasks = state
        .tasks_by_deadline()
        .take_while(|(deadline, _)| *deadline <= now)
        .map(|(_, task)| Command::ExpireTask { task, now });
    // A lease of a task that is ended needs no end of its own.
    let late = |command: &Command| match command {
        Command::ExpireLease { task, .. } => state
            .task(task)
            .and_then(|task| task.deadline)
            .is_none_or(|deadline| deadline > now),
        _ => true,
    };
    leases.filter(late).chain(tasks).take(PLAN_MAX).collect()
}

/// Says whether a task's deadline has passed.
fn is_late(task: &TaskRecord, now: Millis) -> bool {
    task.deadline.is_some_and(|deadline| deadline <= now)
}

/// Says whether a queued task has waited so long for room that some is made.
fn is_overdue(task: &TaskRecord, now: Millis) -> bool {
    let TaskState::Queued { not_before } = task.state else {
        return false;
    };
    now.saturating_sub(not_before.max(task.submitted_at)) >= RESERVE_AFTER_MS
}

/// Says whether an attempt is much slower than expected, with so little time left that a second one
/// must start now, and enough that it may succeed.
fn is_straggler(lease: &Lease, expected_ms: Millis, deadline: Millis, now: Millis) -> bool {
    let elapsed = now.saturating_sub(lease.leased_at);
    let left = deadline.saturating_sub(now);
    elapsed >= expected_ms.saturating_mul(STRAGGLER_FACTOR)
        && left <= expected_ms.saturating_mul(SPECULATION_FACTOR)
        && left >= expected_ms
}

/// Returns the digest by which workers know a proof's keys.
pub(crate) fn circuit_digest<'a>(state: &'a State, kind: &TaskKind) -> Option<&'a Digest> {
    match kind {
        TaskKind::Prove { circuit, .. } => state
            .ready_circuit(circuit)
            .map(|(_, facts)| &facts.circuit_digest),
        TaskKind::InspectPlugin { .. } | TaskKind::PrepareCircuit { .. } => None,
    }
}
