//! One member of the group, as the rest of the process sees it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aureole_api::internal::v1;
use aureole_api::internal::v1::members_server::MembersServer;
use aureole_api::internal::v1::raft_server::RaftServer;
use aureole_api::internal::v1::workers_server::WorkersServer;
use aureole_ledger::{
    AttemptRef, Command, Millis, Outcome, Stage, State, StateError, TaskId, TaskRecord, WorkerView,
};
use aureole_store::{SharedBlobs, TileLog};
use tokio::runtime::Handle;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::blobs::{Fate, KeyRing, Links, Membership};
use crate::clock::LedgerClock;
use crate::config::{Clock, Config};
use crate::dial::Dial;
use crate::events::Event;
use crate::group::{Group, LeaderWatch, Reads};
use crate::hub::{Hub, WorkerStatus};
use crate::limits::{MESSAGE_BYTES_MAX, START_PATIENCE};
use crate::machine::Facts;
use crate::members::{ClusterStatus, MemberError, MembersService, Verb};
use crate::network::RaftService;
use crate::planner;
use crate::proposer::{ProposeError, Proposer};
use crate::runtime::RaftRuntime;
use crate::start::{self, StartError, Started};
use crate::verify::{InputKeys, Verifier};
use crate::workers::WorkersService;

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
    pub(crate) clock: LedgerClock,
    pub(crate) facts: Arc<Facts>,
    pub(crate) hub: Hub,
    pub(crate) proposer: Proposer,
    pub(crate) depot: SharedBlobs,
    pub(crate) verifier: Arc<dyn Verifier>,
    pub(crate) keys: Arc<dyn InputKeys>,
    pub(crate) group: Arc<Group>,
    pub(crate) reads: Reads,
    pub(crate) leader: LeaderWatch,
    /// Last: what runs on it ends when everybody has let go of this member.
    pub(crate) runtime: RaftRuntime,
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
        self.group.leads()
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
    /// Starts a member.
    ///
    /// With [`Founding::Alone`] it returns when this member leads and has applied its whole log; the
    /// first start in a folder makes a group of one, later ones continue it. Else it returns at once,
    /// and the group comes about, or this member into it, while the services of
    /// [`Self::raft_service`] and [`Self::members_service`] are reachable at `config.address`.
    /// Leases of the process before stay with their workers, who have a whole lease from the election to
    /// come back.
    ///
    /// # Errors
    /// [`StartError`]: the folder is in use, damaged, another member's or not writable, or there is
    /// no leader of the group of one.
    pub async fn start(
        config: Config,
        depot: SharedBlobs,
        verifier: Arc<dyn Verifier>,
        keys: Arc<dyn InputKeys>,
        clock: Arc<dyn Clock>,
        dial: Arc<dyn Dial>,
    ) -> Result<Self, StartError> {
        let Started {
            runtime,
            group,
            facts,
            leader,
            proposer,
            reads,
        } = start::member(&config, dial).await?;
        let inner = Arc::new(Inner {
            clock: LedgerClock::new(clock, Arc::clone(&facts)),
            facts,
            hub: Hub::default(),
            proposer,
            depot,
            verifier,
            keys,
            group,
            reads,
            leader,
            runtime,
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
    /// [`ProposeError::Stopped`] and [`ProposeError::Undecided`] the command may or may not be
    /// committed: propose it again.
    ///
    /// # Cancel safety
    /// A proposal whose future is dropped may or may not be committed.
    pub async fn propose(&self, command: Command) -> Result<Outcome, ProposeError> {
        self.inner.propose(command).await
    }

    /// Returns the time for a command: steady, and never behind what the facts know. Not to be called
    /// within [`Self::read`].
    pub fn now(&self) -> Millis {
        self.inner.clock.now()
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
        let stage = self
            .inner
            .hub
            .stage(&id)
            .and_then(|(attempt, stage)| task.lease_of(attempt).map(|_| stage));
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
        let mut workers = self.inner.hub.statuses();
        self.read(|state| {
            for worker in &mut workers {
                worker.distrust = state.distrust(&worker.id);
            }
        });
        workers
    }

    /// Returns the log of accepted proofs on this member's disk.
    pub fn log(&self) -> &Arc<TileLog> {
        &self.inner.facts.log
    }

    /// Waits until what [`Self::read`] shows has everything that was committed before this call: a
    /// majority confirms that this member leads. Calls at the same time share a confirmation.
    ///
    /// # Errors
    /// [`ProposeError::NotLeader`], also when too few members answer within a second, and
    /// [`ProposeError::Stopped`].
    pub async fn linearizable(&self) -> Result<(), ProposeError> {
        self.inner.reads.linearizable().await
    }

    /// Says whether this member leads the group and accepts commands.
    pub fn is_leading(&self) -> bool {
        self.inner.group.leads()
    }

    /// Follows who leads, as far as this member knows.
    pub fn leader(&self) -> LeaderWatch {
        self.inner.leader.clone()
    }

    /// Tells blob and key replication who the members are and which inputs are still needed. Called
    /// once, right after the start: until then nothing has a majority.
    pub fn attach(&self, links: &Links, keys: &KeyRing) {
        let (me, metrics) = (self.id(), self.inner.group.raft.metrics());
        links.attach(move || {
            let metrics = metrics.borrow();
            let membership = metrics.membership_config.membership();
            Membership {
                me,
                voters: membership.get_joint_config().clone(),
                addresses: membership
                    .nodes()
                    .map(|(id, member)| (*id, member.address.clone()))
                    .collect(),
            }
        });
        let facts = Arc::clone(&self.inner.facts);
        keys.attach(move |task, input| facts.read(|state| Fate::of(state, task, input)));
    }

    /// Returns how many members the group has, as far as this one knows.
    pub fn member_count(&self) -> usize {
        let metrics = self.inner.group.raft.metrics();
        let metrics = metrics.borrow();
        metrics.membership_config.membership().nodes().count()
    }

    /// Returns this member's id.
    pub fn id(&self) -> u64 {
        self.inner.group.identity.member
    }

    /// Returns the service for the other members. Only they may reach it.
    pub fn raft_service(&self) -> RaftServer<RaftService> {
        RaftServer::new(RaftService::new(Arc::clone(&self.inner.group)))
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Returns the service for operators, which members pass on to the leader.
    pub fn members_service(&self) -> MembersServer<MembersService> {
        MembersServer::new(MembersService::new(
            Arc::clone(&self.inner.group),
            Arc::clone(&self.inner.facts),
        ))
    }

    /// Returns the runtime of Raft, whose threads have priority: the internal listener, which brings
    /// the beats of the leader, belongs on it. It must not be given long work.
    pub fn raft_runtime(&self) -> Handle {
        self.inner.runtime.handle().clone()
    }

    /// Tells how the group stands: as the leader sees it, or as this member does without one.
    pub async fn status(&self) -> ClusterStatus {
        self.inner.group.status(false).await
    }

    /// Adds a member, which must be running, empty and reachable at host:port. It becomes a learner,
    /// catches up, and votes when this returns. A member that belongs to the group already is
    /// recorded at its new address.
    ///
    /// # Errors
    /// [`MemberError`]. After [`MemberError::Behind`] it is a learner: call again.
    pub async fn add_member(&self, id: u64, address: &str) -> Result<ClusterStatus, MemberError> {
        let address = address.to_owned();
        self.member_verb(Verb::Add { id, address }).await
    }

    /// Removes a member, alive or dead.
    ///
    /// # Errors
    /// [`MemberError`].
    pub async fn remove_member(&self, id: u64) -> Result<ClusterStatus, MemberError> {
        self.member_verb(Verb::Remove { id }).await
    }

    /// Makes another member the leader. Proposals wait for the fraction of a second that it takes.
    ///
    /// # Errors
    /// [`MemberError`]. Whoever leads then, nothing is lost.
    pub async fn transfer_leader(&self, id: u64) -> Result<ClusterStatus, MemberError> {
        self.member_verb(Verb::Transfer { id }).await
    }

    /// Hands leadership to the voter that has most of the log, if this member leads and is not alone:
    /// before it stops, or when its disk is full. A failure costs an election, nothing else.
    pub async fn step_aside(&self) {
        let Some(heir) = self.inner.group.heir() else {
            return;
        };
        tracing::info!(heir, "handing leadership over");
        if let Err(error) = self.transfer_leader(heir).await {
            tracing::warn!(%error, heir, "leadership was not handed over");
        }
    }

    /// Carries a verb out, or passes it on. A caller that goes away does not end it half-way.
    async fn member_verb(&self, verb: Verb) -> Result<ClusterStatus, MemberError> {
        let group = Arc::clone(&self.inner.group);
        let done = self
            .inner
            .runtime
            .handle()
            .spawn(async move { group.carry_out(verb, false).await });
        done.await.unwrap_or_else(|error| {
            Err(MemberError::Stopped {
                reason: error.to_string(),
            })
        })
    }

    /// Waits until this member has stopped, and says why: it was told to, its disk failed, its group
    /// knows another under its id, or its log has a command that this build does not know. A member
    /// that stopped acknowledges nothing more; the process should end.
    pub async fn stopped(&self) -> String {
        self.inner.group.halt.stopped(&self.inner.group.raft).await
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
        let raft = &self.inner.group.raft;
        let (applied, mut seen) = {
            let metrics = raft.metrics();
            let metrics = metrics.borrow();
            (metrics.last_applied, metrics.snapshot)
        };
        // One that is under way is of an earlier state, and another is not begun beside it.
        loop {
            raft.trigger()
                .snapshot()
                .await
                .map_err(|error| stopped(error.to_string()))?;
            let metrics = raft
                .wait(Some(START_PATIENCE))
                .metrics(
                    |metrics| metrics.snapshot >= applied || metrics.snapshot > seen,
                    "a snapshot of what was applied",
                )
                .await
                .map_err(|error| stopped(error.to_string()))?;
            if metrics.snapshot >= applied {
                return Ok(());
            }
            seen = metrics.snapshot;
        }
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
        self.inner.group.halt.end(&self.inner.group.raft).await;
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
