//! One member of the group, as the rest of the process sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aureole_api::internal::v1;
use aureole_api::internal::v1::workers_server::WorkersServer;
use aureole_ledger::{AttemptRef, Command, Outcome, Stage, State, StateError, TaskId, TaskRecord, WorkerView};
use aureole_store::Depot;
use openraft::{BasicNode, ServerState, SnapshotPolicy};
use thiserror::Error;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::{Clock, Config};
use crate::events::Event;
use crate::hub::{Hub, WorkerStatus};
use crate::limits::{ELECTION_MAX_MS, ELECTION_MIN_MS, HEARTBEAT_MS, LOG_KEPT, START_PATIENCE};
use crate::log::{LogError, LogStore};
use crate::machine::{Facts, Machine};
use crate::network::Network;
use crate::planner;
use crate::proposer::{ProposeError, Proposer, write};
use crate::raft::Raft;
use crate::snapshot::{SnapshotError, SnapshotFile};
use crate::verify::{InputKeys, Verifier};
use crate::workers::WorkersService;

/// Why a coordinator does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The log does not open.
    #[error("the coordinator's log")]
    Log(#[from] LogError),
    /// The snapshot does not load.
    #[error("the coordinator's snapshot")]
    Snapshot(#[from] SnapshotError),
    /// The configuration contradicts itself.
    #[error("the coordinator's configuration: {reason}")]
    Config {
        /// How.
        reason: String,
    },
    /// Raft does not start.
    #[error("the coordinator's group: {reason}")]
    Raft {
        /// What openraft said.
        reason: String,
    },
    /// The log could not be brought up to date.
    #[error("the coordinator could not apply its log")]
    Apply(#[from] ProposeError),
}

/// A task and what it is doing right now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskView {
    /// The facts.
    pub task: TaskRecord,
    /// The running attempt's stage, if its worker said so to this leader.
    pub stage: Option<Stage>,
}

/// What the parts of a coordinator share.
pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) facts: Arc<Facts>,
    pub(crate) hub: Hub,
    pub(crate) proposer: Proposer,
    pub(crate) depot: Depot,
    pub(crate) verifier: Arc<dyn Verifier>,
    pub(crate) keys: Arc<dyn InputKeys>,
    raft: Raft,
}

/// One member of the group. Cheap to clone; all clones are one member.
#[derive(Clone)]
pub struct Coordinator {
    inner: Arc<Inner>,
    stop: CancellationToken,
    planner: Arc<std::sync::Mutex<Option<JoinHandle<()>>>>,
}

impl fmt::Debug for Coordinator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coordinator")
            .field("config", &self.inner.config)
            .finish_non_exhaustive()
    }
}

// === impl Inner ===

impl Inner {
    /// Says whether this member leads the group, as far as it knows.
    pub(crate) fn is_leader(&self) -> bool {
        self.raft.metrics().borrow().state == ServerState::Leader
    }

    /// Proposes, and tells workers to stop what the outcome ended.
    pub(crate) async fn propose(&self, command: Command) -> Result<Outcome, ProposeError> {
        let outcome = self.proposer.propose(command).await?;
        for attempt in outcome.to_stop() {
            self.stop_attempt(*attempt);
        }
        Ok(outcome)
    }

    /// Tells the worker that has, or had, an attempt to stop it. A worker that is not
    /// reached learns it from its next heartbeat.
    fn stop_attempt(&self, attempt: AttemptRef) {
        let worker = self.facts.read(|state| {
            let task = state.task(&attempt.task)?;
            let mut records = task.attempts.iter();
            let record = records.find(|record| record.attempt == attempt.attempt)?;
            Some(record.worker.clone())
        });
        if let Some(worker) = worker {
            let cancel = v1::assignment::Assignment::Cancel(crate::wire::attempt_id(attempt));
            self.hub.send(
                &worker,
                v1::Assignment {
                    assignment: Some(cancel),
                },
            );
        }
    }
}

// === impl Coordinator ===

impl Coordinator {
    /// Starts a member and returns when it leads and has applied its whole log.
    ///
    /// The first start in a folder makes a group of this one member; later ones continue it. Leases
    /// of the process before stay with their workers, who have until the deadline to come back.
    ///
    /// # Errors
    /// [`StartError`]: the folder is in use, damaged or not writable, or there is no leader.
    pub async fn start(
        config: Config,
        depot: Depot,
        verifier: Arc<dyn Verifier>,
        keys: Arc<dyn InputKeys>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let dir = config.dir.clone();
        let opened = tokio::task::spawn_blocking(move || -> Result<_, StartError> {
            let log = LogStore::open(&dir)?;
            Ok((log, Machine::open(SnapshotFile::open(&dir)?)?))
        });
        let (log, machine) = opened.await.map_err(|error| raft_error(&error))??;
        let facts = Arc::clone(&machine.facts);
        let raft = Raft::new(
            config.node_id,
            Arc::new(raft_config(&config)?),
            Network,
            log,
            machine,
        )
        .await
        .map_err(|error| raft_error(&error))?;
        lead(&raft, config.node_id).await?;
        // An empty entry: what it waits for, everything before it being applied, is the point.
        write(&raft, Vec::new()).await?;

        let inherited = facts.read(leases);
        let inner = Arc::new(Inner {
            clock,
            facts,
            hub: Hub::new(inherited),
            proposer: Proposer::start(raft.clone()),
            depot,
            verifier,
            keys,
            raft,
            config,
        });
        let stop = CancellationToken::new();
        let planner = tokio::spawn(planner::run(Arc::clone(&inner), stop.clone()));
        Ok(Self {
            inner,
            stop,
            planner: Arc::new(std::sync::Mutex::new(Some(planner))),
        })
    }

    /// Proposes a command and returns what it did, when it is committed, on disk and applied.
    ///
    /// # Errors
    /// [`ProposeError::Invalid`] and [`ProposeError::NotLeader`] changed nothing. After
    /// [`ProposeError::Stopped`] the command may or may not be committed: propose it again.
    ///
    /// # Cancel safety
    /// A proposal whose future is dropped may or may not be committed.
    pub async fn propose(&self, command: Command) -> Result<Outcome, ProposeError> {
        self.inner.propose(command).await
    }

    /// Looks at the applied facts. `look` must be quick: nothing is applied while it runs.
    pub fn read<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        self.inner.facts.read(look)
    }

    /// Returns a stream of changes from now on. A receiver that is too slow misses some and is told.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.inner.facts.subscribe()
    }

    /// Returns the attempt and stage that a running task is at, if its worker said so.
    pub fn stage_of(&self, id: TaskId) -> Option<(u32, Stage)> {
        let (attempt, stage) = self.inner.hub.stage(&id)?;
        let runs = self.read(|state| Some(state.task(&id)?.lease_of(attempt).is_some()))?;
        runs.then_some((attempt, stage))
    }

    /// Returns a task as it is now.
    pub fn task(&self, id: TaskId) -> Option<TaskView> {
        let task = self.read(|state| state.task(&id).cloned())?;
        let stage = self.inner.hub.stage(&id).and_then(|(attempt, stage)| {
            task.lease_of(attempt).map(|_| stage)
        });
        Some(TaskView { task, stage })
    }

    /// Waits until a task is as wanted, and at most for some time. Returns the task as it is then, as
    /// wanted or not; `None` when it is unknown.
    pub async fn wait_task(
        &self,
        id: TaskId,
        until: impl Fn(&TaskView) -> bool,
        patience: Duration,
    ) -> Option<TaskView> {
        // Subscribed before the first look: no change falls between.
        let mut events = self.subscribe();
        let wait = async {
            loop {
                match self.task(id) {
                    Some(view) if !until(&view) => {}
                    _ => return,
                }
                if !next_change(&mut events, id).await {
                    return;
                }
            }
        };
        // Running out of patience is an answer too.
        let _ = tokio::time::timeout(patience, wait).await;
        self.task(id)
    }

    /// Returns the service for workers.
    pub fn workers_service(&self) -> WorkersServer<WorkersService> {
        WorkersServer::new(WorkersService::new(Arc::clone(&self.inner)))
    }

    /// Returns what the joined workers can take, as plans see it.
    pub fn worker_views(&self) -> Vec<WorkerView> {
        self.inner.hub.views()
    }

    /// Returns the workers that are joined.
    pub fn workers(&self) -> Vec<WorkerStatus> {
        self.inner.hub.statuses()
    }

    /// Says whether this member leads the group and accepts commands.
    pub fn is_leading(&self) -> bool {
        let metrics = self.inner.raft.metrics();
        let metrics = metrics.borrow();
        metrics.running_state.is_ok() && metrics.state == ServerState::Leader
    }

    /// Hands out no further leases: the first step of a shutdown. What runs may still complete.
    pub fn quiesce(&self) {
        self.inner.hub.quiesce();
    }

    /// Writes a snapshot of everything applied so far, and waits for it.
    ///
    /// # Errors
    /// [`ProposeError::Stopped`] when the member stopped, or its disk is full.
    pub async fn compact(&self) -> Result<(), ProposeError> {
        let stopped = |reason: String| ProposeError::Stopped { reason };
        let raft = &self.inner.raft;
        let applied = raft.metrics().borrow().last_applied;
        raft.trigger()
            .snapshot()
            .await
            .map_err(|error| stopped(error.to_string()))?;
        raft.wait(Some(START_PATIENCE))
            .metrics(
                |metrics| metrics.snapshot >= applied,
                "a snapshot of what was applied",
            )
            .await
            .map_err(|error| stopped(error.to_string()))?;
        Ok(())
    }

    /// Returns the digest of the applied facts: equal on members that applied the same log.
    ///
    /// # Errors
    /// None that a state of this process causes.
    pub fn state_digest(&self) -> Result<aureole_ledger::Digest, StateError> {
        self.read(State::digest)
    }

    /// Stops: ends the workers' streams, finishes the write under way and closes the log.
    ///
    /// Nothing is lost without it; with it the folder is free when it returns.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.inner.hub.close();
        let planner = self
            .planner
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        if let Some(planner) = planner
            && let Err(error) = planner.await
        {
            tracing::error!(%error, "the planner did not end well");
        }
        if let Err(error) = self.inner.raft.shutdown().await {
            tracing::error!(%error, "raft did not end well");
        }
    }
}

/// Waits for a change that may concern a task. False when there will be none.
async fn next_change(events: &mut broadcast::Receiver<Event>, id: TaskId) -> bool {
    loop {
        match events.recv().await {
            Ok(Event::TaskChanged(task) | Event::Progress { task, .. }) if task == id => {
                return true;
            }
            Ok(Event::Replaced) | Err(RecvError::Lagged(_)) => return true,
            Ok(_) => {}
            Err(RecvError::Closed) => return false,
        }
    }
}

fn raft_error(error: &dyn fmt::Display) -> StartError {
    StartError::Raft {
        reason: error.to_string(),
    }
}

fn raft_config(config: &Config) -> Result<openraft::Config, StartError> {
    openraft::Config {
        cluster_name: "aureole".to_owned(),
        heartbeat_interval: HEARTBEAT_MS,
        election_timeout_min: ELECTION_MIN_MS,
        election_timeout_max: ELECTION_MAX_MS,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(config.snapshot_every),
        max_in_snapshot_log_to_keep: LOG_KEPT.min(config.snapshot_every),
        ..openraft::Config::default()
    }
    .validate()
    .map_err(|error| StartError::Config {
        reason: error.to_string(),
    })
}

/// Makes a group of one on the first start, and waits for a leader.
async fn lead(raft: &Raft, node_id: u64) -> Result<(), StartError> {
    if !raft
        .is_initialized()
        .await
        .map_err(|error| raft_error(&error))?
    {
        let members = BTreeMap::from([(node_id, BasicNode::default())]);
        raft.initialize(members)
            .await
            .map_err(|error| raft_error(&error))?;
    } else if raft.metrics().borrow().state != ServerState::Leader {
        // Killed while it was voting: the only voter need not wait for an election timeout.
        raft.trigger()
            .elect()
            .await
            .map_err(|error| raft_error(&error))?;
    }
    raft.wait(Some(START_PATIENCE))
        .metrics(|metrics| metrics.state == ServerState::Leader, "leadership")
        .await
        .map_err(|error| raft_error(&error))?;
    Ok(())
}

/// Returns every lease.
fn leases(state: &State) -> BTreeSet<AttemptRef> {
    state.tasks().flat_map(TaskRecord::running).collect()
}
