//! Why a task waits: [`explain`]. And whether it is worth waiting at all: [`admit`].
//!
//! Both read what [`plan`](crate::plan) reads, in the same order, and change nothing.

use crate::fair::FairQueue;
use crate::limits::POSITION_MAX;
use crate::place::{Fit, Only, Places};
use crate::plan::circuit_digest;
use crate::{
    CircuitId, CircuitState, Estimate, Lease, Millis, Need, Problem, State, TaskId, TaskKind,
    TaskPhase, TaskRecord, TaskState, TenantId, WorkerId, WorkerView, codes,
};

/// Where a task stands, and why it is not further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The task.
    pub task: TaskId,
    /// Where it stands.
    pub phase: TaskPhase,
    /// Whose share it uses.
    pub tenant: TenantId,
    /// The tenant's weight.
    pub weight: u32,
    /// How many attempts the tenant has running.
    pub tenant_running: u64,
    /// What it waits for.
    pub wait: Wait,
    /// Its place in the order of leasing, while it could be leased.
    pub position: Option<Position>,
    /// How many tasks are queued, back-offs included.
    pub queued: u64,
    /// What an attempt takes.
    pub estimate: Estimate,
    /// The threads that the estimate assumes.
    pub threads: u32,
    /// When it starts, from now; absent when that cannot be foreseen, or it runs.
    pub starts_in_ms: Option<Millis>,
    /// When it is done, from now; absent when that cannot be foreseen, or it has ended.
    pub ends_in_ms: Option<Millis>,
    /// When its result is of no use any more.
    pub deadline: Option<Millis>,
}

/// A place in the order of leasing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Tasks that are leased before this one.
    pub ahead: u64,
    /// False when there are more than that: counting stops at `POSITION_MAX`.
    pub exact: bool,
}

/// What a task waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Nothing: it has ended.
    Ended,
    /// Its result: workers have it.
    Result {
        /// Who.
        workers: Vec<WorkerId>,
        /// For how long.
        since_ms: Millis,
    },
    /// Its circuit, which is being prepared.
    Circuit {
        /// Which.
        circuit: CircuitId,
    },
    /// The end of the back-off after a lost attempt.
    BackOff {
        /// When that is.
        until: Millis,
        /// Attempts that were lost.
        strikes: u32,
    },
    /// A worker: none is joined, or all are draining.
    Worker,
    /// A larger worker than any that is joined.
    LargerWorker {
        /// The memory that it needs.
        needed: u64,
        /// The memory of the largest.
        largest: u64,
    },
    /// Memory of a worker that runs others now.
    Memory {
        /// The worker with most to spare.
        worker: WorkerId,
        /// The memory that it needs.
        needed: u64,
        /// What the worker has to spare.
        free: u64,
        /// Whether the worker takes nothing else until it fits.
        reserved: bool,
    },
    /// A slot: all of them are taken.
    Slot {
        /// How many there are.
        slots: u64,
    },
    /// Its turn, or its tenant's: there are tasks before it.
    Turn,
    /// Nothing: the next plan leases it.
    Nothing,
}

/// Says why a task waits; `None` when it is unknown.
pub fn explain(
    state: &State,
    now: Millis,
    id: &TaskId,
    workers: &[WorkerView],
) -> Option<Explanation> {
    let task = state.task(id)?;
    let places = Places::new(state, workers);
    let ahead = ahead(state, now, task);
    let wait = wait(state, now, task, &places, workers, ahead.as_ref());
    let digest = circuit_digest(state, &task.kind);
    let need = state.memory_need(&task.kind);
    let (threads, warm) = match (task.lease(), places.find(need, digest, 1, &Only::Any)) {
        (Some(lease), _) => (lease.threads, is_warm(state, task, &lease.worker, workers)),
        (None, Fit::Now(placed)) => (
            placed.threads,
            is_warm(state, task, &placed.worker, workers),
        ),
        (None, _) => (1, false),
    };
    let estimate = state.estimate(&task.kind, threads, warm);
    let starts_in_ms = starts_in(state, now, &wait, &places, ahead.as_ref());
    let ends_in_ms = match task.lease() {
        Some(lease) => Some(left(&estimate, lease, now)),
        None => starts_in_ms.map(|start| start.saturating_add(estimate.duration_ms)),
    };
    let share = state.share(&task.tenant);
    Some(Explanation {
        task: *id,
        phase: task.phase(),
        tenant: task.tenant.clone(),
        weight: share.weight,
        tenant_running: state.running_of(&task.tenant),
        wait,
        position: ahead.map(|ahead| ahead.position),
        queued: state.queued_count(),
        estimate,
        threads,
        starts_in_ms,
        ends_in_ms: ends_in_ms.filter(|_| !task.is_finished()),
        deadline: task.deadline,
    })
}

/// Refuses a proof that no joined worker has the memory for. Without any worker it is taken: one may
/// join.
///
/// # Errors
/// `task.too_large_for_workers`, with the figures.
pub fn admit(state: &State, circuit: &CircuitId, workers: &[WorkerView]) -> Result<(), Problem> {
    let Some((_, facts)) = state.ready_circuit(circuit) else {
        return Ok(());
    };
    let kind = TaskKind::Prove {
        circuit: *circuit,
        input: facts.circuit_digest,
    };
    let need = state.memory_need(&kind);
    match larger_worker(need, workers) {
        Some((needed, largest)) => {
            let detail = format!(
                "a proof of circuit {circuit} takes about {needed} bytes of memory, the largest \
                 worker has {largest}: start a larger worker, or make the circuit smaller"
            );
            Err(Problem::new(codes::TOO_LARGE, detail))
        }
        None => Ok(()),
    }
}

/// Returns the memory that is needed and the most there is, when the one is more than the other.
fn larger_worker(need: Need, workers: &[WorkerView]) -> Option<(u64, u64)> {
    let largest = workers.iter().map(|view| view.memory_bytes).max()?;
    let fits = workers
        .iter()
        .any(|view| need.on(view.memory_bytes).is_some());
    (!fits).then_some((need.least, largest))
}

fn is_warm(state: &State, task: &TaskRecord, worker: &WorkerId, workers: &[WorkerView]) -> bool {
    let view = workers.iter().find(|view| view.id == *worker);
    let digest = circuit_digest(state, &task.kind);
    view.zip(digest)
        .is_some_and(|(view, digest)| view.warm.contains(digest))
}

/// What is leased before a task.
struct Ahead {
    position: Position,
    /// What it is charged, in thread-milliseconds.
    charge: u64,
}

/// Plays the order of leasing until a task's turn; `None` when it is not leasable now.
fn ahead(state: &State, now: Millis, task: &TaskRecord) -> Option<Ahead> {
    let TaskState::Queued { not_before } = task.state else {
        return None;
    };
    if not_before > now {
        return None;
    }
    let mut queue = FairQueue::new(state, now);
    let (mut ahead, mut charge) = (0, 0_u64);
    while let Some(candidate) = queue.peek() {
        if candidate.key.task == task.id || ahead >= POSITION_MAX {
            let exact = candidate.key.task == task.id;
            let position = Position { ahead, exact };
            return Some(Ahead { position, charge });
        }
        let other = state.task(&candidate.key.task);
        let cost = other.map_or(1, |other| state.charge_of(&other.kind));
        queue.take(cost);
        ahead += 1;
        charge = charge.saturating_add(cost);
    }
    None
}

fn wait(
    state: &State,
    now: Millis,
    task: &TaskRecord,
    places: &Places<'_>,
    workers: &[WorkerView],
    ahead: Option<&Ahead>,
) -> Wait {
    let not_before = match &task.state {
        TaskState::Done(_) | TaskState::Failed(_) | TaskState::Cancelled => return Wait::Ended,
        TaskState::Leased(lease) => {
            return Wait::Result {
                workers: task.leases().map(|lease| lease.worker.clone()).collect(),
                since_ms: now.saturating_sub(lease.leased_at),
            };
        }
        TaskState::Queued { not_before } => *not_before,
    };
    if let Some(circuit) = preparing(state, task) {
        return Wait::Circuit { circuit };
    }
    if not_before > now {
        return Wait::BackOff {
            until: not_before,
            strikes: task.strikes,
        };
    }
    room(state, task, places, workers, ahead)
}

/// What a task that may be leased waits for.
fn room(
    state: &State,
    task: &TaskRecord,
    places: &Places<'_>,
    workers: &[WorkerView],
    ahead: Option<&Ahead>,
) -> Wait {
    let need = state.memory_need(&task.kind);
    let digest = circuit_digest(state, &task.kind);
    match places.find(need, digest, 1, &Only::Any) {
        Fit::Never => match larger_worker(need, workers) {
            Some((needed, largest)) => Wait::LargerWorker { needed, largest },
            None => Wait::Worker,
        },
        Fit::Later if places.has_slot(need) => match places.nearest(need) {
            Some((worker, free)) => Wait::Memory {
                worker: worker.clone(),
                needed: need.bytes,
                free,
                reserved: state.reservation().is_some_and(|held| held.task == task.id),
            },
            None => Wait::Worker,
        },
        _ if ahead.is_some_and(|ahead| ahead.position.ahead > 0) => Wait::Turn,
        Fit::Later => Wait::Slot {
            slots: places.slots().0,
        },
        Fit::Now(_) => Wait::Nothing,
    }
}

fn preparing(state: &State, task: &TaskRecord) -> Option<CircuitId> {
    let TaskKind::Prove { circuit, .. } = task.kind else {
        return None;
    };
    let record = state.circuit(&circuit)?;
    (!matches!(record.state, CircuitState::Ready(_))).then_some(circuit)
}

/// Returns how much longer an attempt should run.
fn left(estimate: &Estimate, lease: &Lease, now: Millis) -> Millis {
    let elapsed = now.saturating_sub(lease.leased_at);
    estimate.duration_ms.saturating_sub(elapsed)
}

/// Foresees the start of a task: the work before it and what is left of the work that runs, over all
/// cores.
fn starts_in(
    state: &State,
    now: Millis,
    wait: &Wait,
    places: &Places<'_>,
    ahead: Option<&Ahead>,
) -> Option<Millis> {
    match wait {
        Wait::Nothing => return Some(0),
        Wait::BackOff { until, .. } if places.slots().1 > 0 => {
            return Some(until.saturating_sub(now));
        }
        Wait::Turn | Wait::Slot { .. } | Wait::Memory { .. } => {}
        _ => return None,
    }
    let ahead = ahead.filter(|ahead| ahead.position.exact)?;
    let mut work = ahead.charge;
    for (_, attempt) in state.leases_by_deadline() {
        let Some(task) = state.task(&attempt.task) else {
            continue;
        };
        if let Some(lease) = task.lease_of(attempt.attempt) {
            let estimate = state.estimate(&task.kind, lease.threads, true);
            let left = left(&estimate, lease, now);
            work = work.saturating_add(left.saturating_mul(lease.threads.into()));
        }
    }
    work.checked_div(places.cores())
}
