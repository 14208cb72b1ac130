//! The workers that are joined: their streams, slots and progress. The leader's memory only; all of
//! it may be lost at any time, workers join again.
//!
//! A hub presides while its member leads: it has workers only then. What it knows of the reign before
//! is which leases it inherited; see `planner.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aureole_api::internal::v1;
use aureole_ledger::{AttemptRef, Digest, Distrust, Millis, Stage, TaskId, WorkerId, WorkerView};
use tokio::sync::{mpsc, watch};
use tonic::Status;

use crate::limits::{
    ASSIGNMENTS_QUEUED_MAX, NAMESAKE_SILENCE_MS, STAGES_REMEMBERED_MAX, WORKERS_MAX,
};

/// What goes into a worker's stream.
pub(crate) type Assigned = Result<v1::Assignment, Status>;

/// A joined worker, for health pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerStatus {
    /// Its name.
    pub id: WorkerId,
    /// Cores it may use.
    pub cores: u32,
    /// Memory it may use.
    pub memory_bytes: u64,
    /// Attempts it runs at a time.
    pub slots: u32,
    /// Proving backends it has.
    pub backends: BTreeSet<String>,
    /// Circuits whose keys it has in memory.
    pub warm: BTreeSet<Digest>,
    /// Whether it asked for no further assignments.
    pub draining: bool,
    /// What the facts hold against it.
    pub distrust: Distrust,
}

/// A worker that knocks.
#[derive(Clone, Debug)]
pub(crate) struct Joining {
    pub(crate) id: WorkerId,
    /// Which process it is.
    pub(crate) instance: Vec<u8>,
    pub(crate) cores: u32,
    pub(crate) memory_bytes: u64,
    pub(crate) slots: u32,
    pub(crate) backends: BTreeSet<String>,
    pub(crate) warm: BTreeSet<Digest>,
    pub(crate) draining: bool,
}

/// Why a worker is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turned {
    /// Another process of this name is here, and was heard of so long ago.
    Namesake { heard_ms: Millis },
    /// There are too many workers.
    Full,
    /// This member does not lead any more.
    Away,
}

#[derive(Debug)]
struct Session {
    number: u64,
    worker: Joining,
    heard_at: Millis,
    stream: mpsc::Sender<Assigned>,
}

#[derive(Debug, Default)]
struct Inner {
    sessions: BTreeMap<WorkerId, Session>,
    joined: u64,
    quiet: bool,
    stages: BTreeMap<TaskId, (u32, Stage)>,
    /// Leases found in the ledger when this member began to lead.
    inherited: BTreeSet<AttemptRef>,
}

/// The joined workers.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    inner: Mutex<Inner>,
    presides: watch::Sender<bool>,
}

// === impl Hub ===

impl Hub {
    // Nothing in here panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a reign. These leases are of the reign before.
    pub(crate) fn preside(&self, inherited: BTreeSet<AttemptRef>) {
        self.lock().inherited = inherited;
        self.presides.send_replace(true);
    }

    /// Ends a reign: the workers' streams end with the refusal that says where to go.
    pub(crate) fn abdicate(&self, refusal: &Status) {
        self.presides.send_replace(false);
        let mut inner = self.lock();
        inner.stages.clear();
        inner.inherited.clear();
        for session in std::mem::take(&mut inner.sessions).into_values() {
            // A full stream ends without a reason, which is one too.
            let _ = session.stream.try_send(Err(refusal.clone()));
        }
    }

    /// Returns a value that follows whether this member presides.
    pub(crate) fn presides(&self) -> watch::Receiver<bool> {
        self.presides.subscribe()
    }

    /// Lets a worker's name go for the process that asks for it, and ends the stream it had. Refuses
    /// while another process of the same name is heard of.
    pub(crate) fn admit(
        &self,
        worker: &WorkerId,
        instance: &[u8],
        now: Millis,
    ) -> Result<(), Turned> {
        let mut inner = self.lock();
        if let Some(session) = inner.sessions.get(worker) {
            let heard_ms = now.saturating_sub(session.heard_at);
            let is_here = !session.stream.is_closed() && heard_ms < NAMESAKE_SILENCE_MS;
            if is_here && session.worker.instance != instance {
                return Err(Turned::Namesake { heard_ms });
            }
        }
        inner.sessions.remove(worker);
        Ok(())
    }

    /// Opens a worker's stream.
    pub(crate) fn join(
        &self,
        worker: Joining,
        now: Millis,
    ) -> Result<(u64, mpsc::Receiver<Assigned>), Turned> {
        let mut inner = self.lock();
        if !*self.presides.borrow() {
            return Err(Turned::Away);
        }
        if inner.sessions.len() >= WORKERS_MAX && !inner.sessions.contains_key(&worker.id) {
            return Err(Turned::Full);
        }
        let (stream, assignments) = mpsc::channel(ASSIGNMENTS_QUEUED_MAX);
        inner.joined += 1;
        let number = inner.joined;
        let id = worker.id.clone();
        let session = Session {
            number,
            worker,
            heard_at: now,
            stream,
        };
        inner.sessions.insert(id, session);
        Ok((number, assignments))
    }

    /// Forgets a worker whose stream ended, unless it joined again since.
    pub(crate) fn leave(&self, worker: &WorkerId, number: u64) {
        let mut inner = self.lock();
        let session = inner.sessions.get(worker);
        if session.is_some_and(|session| session.number == number) {
            inner.sessions.remove(worker);
        }
    }

    /// Notes that a worker is heard of, and what it has warm if that changed. False when another
    /// process has joined under its name.
    pub(crate) fn hear(
        &self,
        worker: &WorkerId,
        instance: &[u8],
        warm: Option<BTreeSet<Digest>>,
        now: Millis,
    ) -> bool {
        let mut inner = self.lock();
        let Some(session) = inner.sessions.get_mut(worker) else {
            return true;
        };
        if session.worker.instance != instance {
            return false;
        }
        session.heard_at = now;
        if let Some(warm) = warm {
            session.worker.warm = warm;
        }
        true
    }

    /// Gives a worker no further assignments. False when it is not joined.
    pub(crate) fn drain(&self, worker: &WorkerId) -> bool {
        let mut inner = self.lock();
        let Some(session) = inner.sessions.get_mut(worker) else {
            return false;
        };
        session.worker.draining = true;
        true
    }

    /// Gives nobody any further assignments.
    pub(crate) fn quiesce(&self) {
        self.lock().quiet = true;
    }

    /// Ends every stream.
    pub(crate) fn close(&self) {
        self.presides.send_replace(false);
        let mut inner = self.lock();
        inner.quiet = true;
        inner.sessions.clear();
    }

    /// Returns the workers that are here, as the plan sees them.
    pub(crate) fn views(&self) -> Vec<WorkerView> {
        let inner = self.lock();
        if inner.quiet {
            return Vec::new();
        }
        let here = inner
            .sessions
            .values()
            .filter(|session| !session.stream.is_closed());
        here.map(|session| WorkerView {
            id: session.worker.id.clone(),
            slots: session.worker.slots,
            cores: session.worker.cores,
            memory_bytes: session.worker.memory_bytes,
            warm: session.worker.warm.clone(),
            draining: session.worker.draining,
            backends: session.worker.backends.clone(),
        })
        .collect()
    }

    /// Returns the joined workers.
    pub(crate) fn statuses(&self) -> Vec<WorkerStatus> {
        let inner = self.lock();
        let workers = inner.sessions.values().map(|session| &session.worker);
        workers
            .map(|worker| WorkerStatus {
                id: worker.id.clone(),
                cores: worker.cores,
                memory_bytes: worker.memory_bytes,
                slots: worker.slots,
                backends: worker.backends.clone(),
                warm: worker.warm.clone(),
                draining: worker.draining,
                distrust: Distrust::default(),
            })
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

    /// Says whether a lease is of the reign before, once: the answer is forgotten.
    pub(crate) fn take_inherited(&self, attempt: &AttemptRef) -> bool {
        self.lock().inherited.remove(attempt)
    }
}
