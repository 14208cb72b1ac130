//! What is known of a task: its kind, its lease, its attempts and its end.

use std::collections::BTreeMap;

use aureole_receipts::Salt;
use serde::{Deserialize, Serialize};

use crate::limits::{ATTEMPTS_MAX, RETURNS_MAX};
use crate::{
    AttemptRef, CircuitId, Completion, Digest, Idempotency, Millis, Problem, TaskId, TenantId,
    WorkerId,
};

/// Microseconds by stage.
pub type Timings = BTreeMap<Stage, u64>;

/// What a worker is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskKind {
    /// Find out what an uploaded component is.
    InspectPlugin {
        /// The component.
        plugin: Digest,
    },
    /// Build a plugin's circuit for parameters, and its keys.
    PrepareCircuit {
        /// The circuit.
        circuit: CircuitId,
    },
    /// Prove a circuit for an input.
    Prove {
        /// The circuit.
        circuit: CircuitId,
        /// The sealed input, in the depot.
        input: Digest,
    },
}

/// How urgent a task is: 0 to 9, higher first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Priority(u8);

/// A part of the work, timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// From submission to the winning attempt's lease.
    Queue,
    /// Component to machine code.
    Compile,
    /// Describing the plugin.
    Inspect,
    /// Making the keys.
    Keygen,
    /// The plugin computing its witness.
    Witness,
    /// Checking the witness row by row.
    Check,
    /// Proving.
    Prove,
    /// The coordinator verifying the proof.
    Verify,
}

/// A task and everything that happened to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRecord {
    /// Its id.
    pub id: TaskId,
    /// What is to be done.
    pub kind: TaskKind,
    /// How urgent it is.
    pub priority: Priority,
    /// When it was submitted.
    pub submitted_at: Millis,
    /// The submitter's key against double submission.
    pub idempotency: Option<Idempotency>,
    /// Where it stands.
    pub state: TaskState,
    /// Number of the newest attempt; 0 before the first. The fence: only this one and, beside a
    /// second attempt, the one it was added to may end the task.
    pub attempt: u32,
    /// Attempts that count against `ATTEMPTS_MAX`.
    pub strikes: u32,
    /// Attempts that ended through nobody's fault; they count against `RETURNS_MAX`.
    pub returns: u32,
    /// The newest attempts, oldest first, at most `ATTEMPT_RECORDS_MAX`.
    pub attempts: Vec<Attempt>,
    /// Stage times of the attempt that completed.
    pub timings: Timings,
    /// When it ended.
    pub finished_at: Option<Millis>,
    /// Whose share it uses.
    pub tenant: TenantId,
    /// When the result is of no use any more.
    pub deadline: Option<Millis>,
    /// A second attempt beside the one in `state`; only while that is a lease. The first result
    /// of either is the task's.
    pub second: Option<Lease>,
    /// How many bytes the input has; 0 for what has none.
    pub input_bytes: u64,
    /// Where the log has the proof; of an accepted proof always.
    pub accepted: Option<Accepted>,
}

/// Where the log has an accepted proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The index of its leaf.
    pub leaf: u64,
    /// The salt with which the leaf commits to the public inputs.
    pub salt: Salt,
}

/// Where a task stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskState {
    /// It waits for a worker, or for its circuit.
    Queued {
        /// No lease before this time: back-off after a lost attempt.
        not_before: Millis,
    },
    /// A worker has it.
    Leased(Lease),
    /// It ended well.
    Done(Completion),
    /// It ended badly.
    Failed(Problem),
    /// Its owner stopped it.
    Cancelled,
}

/// Where a task stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskPhase {
    /// Waiting.
    Queued,
    /// With a worker.
    Running,
    /// Ended well.
    Done,
    /// Ended badly.
    Failed,
    /// Stopped.
    Cancelled,
}

/// A worker's right to end an attempt, until a deadline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The attempt's number.
    pub attempt: u32,
    /// Who has it.
    pub worker: WorkerId,
    /// Since when.
    pub leased_at: Millis,
    /// Until when without a renewal.
    pub expires_at: Millis,
    /// How many threads the attempt may use.
    pub threads: u32,
    /// How much of the worker's memory is set aside for it.
    pub memory_bytes: u64,
    /// What the tenant was charged for it, in thread-milliseconds.
    pub charge: u64,
}

/// A worker that is kept free until a task fits it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The queued task.
    pub task: TaskId,
    /// The worker.
    pub worker: WorkerId,
}

/// One attempt at a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its number, from 1.
    pub attempt: u32,
    /// Who had it.
    pub worker: WorkerId,
    /// When it was leased.
    pub leased_at: Millis,
    /// When it ended.
    pub ended_at: Option<Millis>,
    /// Why it ended without a result.
    pub problem: Option<Problem>,
}

// === impl Priority ===

impl Priority {
    /// The lowest.
    pub const LOWEST: Self = Self(0);
    /// What a submission without a priority gets.
    pub const DEFAULT: Self = Self(5);
    /// The highest.
    pub const HIGHEST: Self = Self(9);

    /// Checks a number: `None` above 9.
    pub const fn new(level: u8) -> Option<Self> {
        if level <= Self::HIGHEST.0 {
            Some(Self(level))
        } else {
            None
        }
    }

    /// Returns the number, 0 to 9.
    pub const fn level(self) -> u8 {
        self.0
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self::DEFAULT
    }
}

// === impl Stage ===

impl Stage {
    /// Returns the stage's name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Compile => "compile",
            Self::Inspect => "inspect",
            Self::Keygen => "keygen",
            Self::Witness => "witness",
            Self::Check => "check",
            Self::Prove => "prove",
            Self::Verify => "verify",
        }
    }
}

// === impl TaskRecord ===

impl TaskRecord {
    /// Returns where the task stands, in one word.
    pub const fn phase(&self) -> TaskPhase {
        match self.state {
            TaskState::Queued { .. } => TaskPhase::Queued,
            TaskState::Leased(_) => TaskPhase::Running,
            TaskState::Done(_) => TaskPhase::Done,
            TaskState::Failed(_) => TaskPhase::Failed,
            TaskState::Cancelled => TaskPhase::Cancelled,
        }
    }

    /// Says whether the task has ended, which nothing undoes.
    pub const fn is_finished(&self) -> bool {
        matches!(
            self.phase(),
            TaskPhase::Done | TaskPhase::Failed | TaskPhase::Cancelled
        )
    }

    /// Returns the leases, while workers have the task: the first attempt's and the second's.
    pub fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.lease().into_iter().chain(&self.second)
    }

    /// Returns the lease of an attempt, while it runs.
    pub fn lease_of(&self, attempt: u32) -> Option<&Lease> {
        self.leases().find(|lease| lease.attempt == attempt)
    }

    /// Returns the attempts that run.
    pub fn running(&self) -> Vec<AttemptRef> {
        let of = |lease: &Lease| AttemptRef {
            task: self.id,
            attempt: lease.attempt,
        };
        self.leases().map(of).collect()
    }

    /// Says whether a running task may have a second attempt. Losing one of the two must leave it
    /// within its budget, so that no attempt is cut off by the loss of the other.
    pub(crate) const fn may_be_doubled(&self) -> bool {
        matches!(self.kind, TaskKind::Prove { .. })
            && matches!(self.state, TaskState::Leased(_))
            && self.second.is_none()
            && self.strikes + 1 < ATTEMPTS_MAX
            && self.returns + 1 < RETURNS_MAX
    }

    /// Returns the lease, while a worker has the task; the first attempt's when there are two.
    pub const fn lease(&self) -> Option<&Lease> {
        match &self.state {
            TaskState::Leased(lease) => Some(lease),
            _ => None,
        }
    }

    /// Returns why the task failed.
    pub const fn problem(&self) -> Option<&Problem> {
        match &self.state {
            TaskState::Failed(problem) => Some(problem),
            _ => None,
        }
    }

    /// Returns the result of a task that ended well.
    pub const fn completion(&self) -> Option<&Completion> {
        match &self.state {
            TaskState::Done(completion) => Some(completion),
            _ => None,
        }
    }
}

// === impl TaskPhase ===

impl TaskPhase {
    /// Returns the phase's name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Makes the record of a task that was just submitted.
pub(crate) const fn new_task(
    id: TaskId,
    kind: TaskKind,
    tenant: TenantId,
    now: Millis,
) -> TaskRecord {
    TaskRecord {
        id,
        kind,
        priority: Priority::DEFAULT,
        submitted_at: now,
        idempotency: None,
        state: TaskState::Queued { not_before: 0 },
        attempt: 0,
        strikes: 0,
        returns: 0,
        attempts: Vec::new(),
        timings: Timings::new(),
        finished_at: None,
        tenant,
        deadline: None,
        second: None,
        input_bytes: 0,
        accepted: None,
    }
}
