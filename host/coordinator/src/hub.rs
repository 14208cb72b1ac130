//! The workers that are joined: their streams, slots and progress. The leader's memory only; all of
//! it may be lost at any time, workers join again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aureole_api::internal::v1;
use aureole_ledger::{AttemptRef, Stage, TaskId, WorkerId, WorkerView};
use tokio::sync::mpsc;
use tonic::Status;

use crate::limits::{ASSIGNMENTS_QUEUED_MAX, STAGES_REMEMBERED_MAX, WORKERS_MAX};

/// What goes into a worker's stream.
pub(crate) type Assigned = Result<v1::Assignment, Status>;

/// A joined worker, for health pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerStatus {
    /// Its name.
    pub id: WorkerId,
    /// Its machine's cores.
    pub cores: u32,
    /// Its machine's memory.
    pub memory_bytes: u64,
    /// Attempts it runs at a time.
    pub slots: u32,
    /// Whether it asked for no further assignments.
    pub draining: bool,
}

#[derive(Debug)]
struct Session {
    number: u64,
    status: WorkerStatus,
    stream: mpsc::Sender<Assigned>,
}

#[derive(Debug, Default)]
struct Inner {
    sessions: BTreeMap<WorkerId, Session>,
    joined: u64,
    quiet: bool,
    stages: BTreeMap<TaskId, (u32, Stage)>,
    /// Leases found in the ledger when this process started.
    inherited: BTreeSet<AttemptRef>,
}

/// The joined workers.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    inner: Mutex<Inner>,
}

// === impl Hub ===

impl Hub {
    pub(crate) fn new(inherited: BTreeSet<AttemptRef>) -> Self {
        Self {
            inner: Mutex::new(Inner {
                inherited,
                ..Inner::default()
            }),
        }
    }

    // Nothing in here panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a worker's stream, in place of an earlier one, which ends. `None` when there are too
    /// many workers.
    pub(crate) fn join(&self, status: WorkerStatus) -> Option<(u64, mpsc::Receiver<Assigned>)> {
        let mut inner = self.lock();
        if inner.sessions.len() >= WORKERS_MAX && !inner.sessions.contains_key(&status.id) {
            return None;
        }
        let (stream, assignments) = mpsc::channel(ASSIGNMENTS_QUEUED_MAX);
        inner.joined += 1;
        let number = inner.joined;
        inner.sessions.insert(
            status.id.clone(),
            Session {
                number,
                status,
                stream,
            },
        );
        Some((number, assignments))
    }

    /// Forgets a worker whose stream ended, unless it joined again since.
    pub(crate) fn leave(&self, worker: &WorkerId, number: u64) {
        let mut inner = self.lock();
        if inner
            .sessions
            .get(worker)
            .is_some_and(|session| session.number == number)
        {
            inner.sessions.remove(worker);
        }
    }

    /// Ends a worker's stream, if it has one.
    pub(crate) fn forget(&self, worker: &WorkerId) {
        self.lock().sessions.remove(worker);
    }

    /// Gives a worker no further assignments. False when it is not joined.
    pub(crate) fn drain(&self, worker: &WorkerId) -> bool {
        let mut inner = self.lock();
        let Some(session) = inner.sessions.get_mut(worker) else {
            return false;
        };
        session.status.draining = true;
        true
    }

    /// Gives nobody any further assignments.
    pub(crate) fn quiesce(&self) {
        self.lock().quiet = true;
    }

    /// Ends every stream.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.quiet = true;
        inner.sessions.clear();
    }

    /// Returns the workers that take assignments.
    pub(crate) fn views(&self) -> Vec<WorkerView> {
        let inner = self.lock();
        if inner.quiet {
            return Vec::new();
        }
        let willing = inner
            .sessions
            .values()
            .filter(|session| !session.status.draining && !session.stream.is_closed());
        willing
            .map(|session| WorkerView {
                cores: session.status.cores,
                memory_bytes: session.status.memory_bytes,
                ..WorkerView::with_slots(session.status.id.clone(), session.status.slots)
            })
            .collect()
    }

    /// Returns the joined workers.
    pub(crate) fn statuses(&self) -> Vec<WorkerStatus> {
        self.lock()
            .sessions
            .values()
            .map(|session| session.status.clone())
            .collect()
    }

    /// Puts an assignment into a worker's stream. False when there is none, or it is full.
    pub(crate) fn send(&self, worker: &WorkerId, assignment: v1::Assignment) -> bool {
        let inner = self.lock();
        let session = inner.sessions.get(worker);
        session.is_some_and(|session| session.stream.try_send(Ok(assignment)).is_ok())
    }

    /// Remembers where an attempt stands.
    pub(crate) fn set_stage(&self, attempt: AttemptRef, stage: Stage) {
        let mut inner = self.lock();
        if inner.stages.len() < STAGES_REMEMBERED_MAX || inner.stages.contains_key(&attempt.task) {
            inner.stages.insert(attempt.task, (attempt.attempt, stage));
        }
    }

    /// Returns where the newest attempt that said so stands.
    pub(crate) fn stage(&self, task: &TaskId) -> Option<(u32, Stage)> {
        self.lock().stages.get(task).copied()
    }

    /// Forgets the stages of tasks that are no longer running.
    pub(crate) fn retain_stages(&self, running: impl Fn(&TaskId) -> bool) {
        self.lock().stages.retain(|task, _| running(task));
    }

    /// Says whether a lease is older than this process, once: the answer is forgotten.
    pub(crate) fn take_inherited(&self, attempt: &AttemptRef) -> bool {
        self.lock().inherited.remove(attempt)
    }
}
