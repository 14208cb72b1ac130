//! The ledger as openraft's state machine: applied in memory, persistent by snapshot and log.

use std::io::Cursor;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

use aureole_ledger::{Command, Digest, Outcome, State, StateError, TaskId, TaskKind};
use aureole_store::{TileLog, TileLogError};
use openraft::storage::{RaftStateMachine, Snapshot};
use openraft::{EntryPayload, OptionalSend, RaftSnapshotBuilder, StorageIOError};
use tokio::sync::{Notify, broadcast};

use crate::events::{Event, events_of};
use crate::limits::{EVENTS_BEHIND_MAX, READERS_PATIENCE};
use crate::raft::{Answers, Entry, LogId, SnapshotMeta, StorageError, StoredMembership, Types};
use crate::runtime::{apart, behind};
use crate::snapshot::{SnapshotError, SnapshotFile, Stored};

/// What was applied so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Applied {
    pub(crate) state: State,
    last: Option<LogId>,
    membership: StoredMembership,
}

/// The applied facts, shared by everybody in this process who reads them.
#[derive(Debug)]
pub(crate) struct Facts {
    applied: RwLock<Applied>,
    events: broadcast::Sender<Event>,
    /// Wakes the planner. Holds one permit: a wake-up while it works is not lost.
    pub(crate) wake: Notify,
    /// Where accepted proofs go beside.
    pub(crate) log: Arc<TileLog>,
}

// === impl Facts ===

impl Facts {
    fn new(applied: Applied, log: Arc<TileLog>) -> Self {
        let (events, _) = broadcast::channel(EVENTS_BEHIND_MAX);
        Self {
            applied: RwLock::new(applied),
            events,
            wake: Notify::new(),
            log,
        }
    }

    // A poisoned lock means a panic in `apply`, which changes one record at a time and has none.
    fn reading(&self) -> RwLockReadGuard<'_, Applied> {
        self.applied.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> RwLockWriteGuard<'_, Applied> {
        self.applied.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies entries, unless somebody goes on reading.
    fn try_apply(&self, entries: Vec<Entry>) -> Result<(Vec<Answers>, Vec<Event>), Vec<Entry>> {
        for _ in 0..READERS_PATIENCE {
            match self.applied.try_write() {
                Ok(mut applied) => return Ok(applied.apply_all(entries, &self.log)),
                Err(TryLockError::Poisoned(poisoned)) => {
                    return Ok(poisoned.into_inner().apply_all(entries, &self.log));
                }
                // Most readers look at one task.
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
            }
        }
        Err(entries)
    }

    pub(crate) fn read<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.reading().state)
    }

    /// Returns the last entry that was applied, and the digest of the facts after it.
    pub(crate) fn stamp(&self) -> (Option<u64>, Result<Digest, StateError>) {
        let applied = self.reading();
        (applied.last.map(|id| id.index), applied.state.digest())
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    pub(crate) fn publish(&self, event: Event) {
        // An error says that nobody listens.
        let _ = self.events.send(event);
    }
}

/// The state machine.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) facts: Arc<Facts>,
    file: SnapshotFile,
}

// === impl Machine ===

impl Machine {
    /// Starts from the snapshot of a folder, or from nothing.
    pub(crate) fn open(file: SnapshotFile, log: Arc<TileLog>) -> Result<Self, SnapshotError> {
        let applied = match file.load()? {
            Some((meta, state)) => Applied {
                state,
                last: meta.last_log_id,
                membership: meta.last_membership,
            },
            None => Applied::default(),
        };
        Ok(Self {
            facts: Arc::new(Facts::new(applied, log)),
            file,
        })
    }
}

impl Applied {
    /// The log has each leaf before anybody else sees the facts: a snapshot of them waits for it.
    fn apply_all(&mut self, entries: Vec<Entry>, log: &TileLog) -> (Vec<Answers>, Vec<Event>) {
        let mut events = Vec::new();
        let entries = entries.into_iter();
        let answers = entries.map(|entry| self.apply(entry, &mut events, log));
        (answers.collect(), events)
    }

    fn apply(&mut self, entry: Entry, events: &mut Vec<Event>, log: &TileLog) -> Answers {
        self.last = Some(entry.log_id);
        match entry.payload {
            EntryPayload::Blank => Answers::default(),
            EntryPayload::Normal(batch) => Answers(
                batch
                    .commands()
                    .iter()
                    .map(|command| self.step(command, events, log))
                    .collect(),
            ),
            EntryPayload::Membership(membership) => {
                self.membership = StoredMembership::new(Some(entry.log_id), membership);
                Answers::default()
            }
        }
    }

    fn step(&mut self, command: &Command, events: &mut Vec<Event>, log: &TileLog) -> Outcome {
        let waiting = waiting_for_preparation(&self.state, command);
        let outcome = self.state.apply(command);
        events.extend(events_of(&self.state, command, &outcome));
        let finished = |id: &TaskId| self.state.task(id).is_some_and(|task| task.is_finished());
        events.extend(waiting.into_iter().filter(finished).map(Event::TaskChanged));
        if let Outcome::Completed {
            leaf: Some(appended),
            ..
        } = &outcome
        {
            log.append(appended.index, appended.leaf.clone());
        }
        if let Outcome::Refused(refusal) = &outcome {
            tracing::debug!(command = command.name(), code = refusal.code(), %refusal, "refused");
        }
        outcome
    }
}

/// Returns the tasks that fail when the attempt that a command ends was the last at preparing their
/// circuit.
fn waiting_for_preparation(state: &State, command: &Command) -> Vec<TaskId> {
    let (Command::FailAttempt { task, .. } | Command::ExpireLease { task, .. }) = command else {
        return Vec::new();
    };
    match state.task(task).map(|task| task.kind) {
        Some(TaskKind::PrepareCircuit { circuit }) => state.waiting_for(&circuit),
        _ => Vec::new(),
    }
}

/// Brings the leaves to disk that the log of entries is about to be purged of. A member that lacks
/// leaves before them gets all of them from the others, who have them by the same rule; one without
/// others keeps the entries, for nobody else has what they bring.
fn settle(log: &TileLog, has_others: bool) -> Result<(), SnapshotError> {
    match log.settle() {
        Ok(_) => Ok(()),
        Err(TileLogError::Behind { .. }) if has_others => Ok(()),
        Err(error) => Err(SnapshotError::Tiles(error)),
    }
}

/// Runs file work where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SnapshotError> + Send + 'static,
) -> Result<T, SnapshotError> {
    apart(work).await.map_err(|_| SnapshotError::Stopped)?
}

impl RaftStateMachine<Types> for Machine {
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), StorageError> {
        let applied = self.facts.reading();
        Ok((applied.last, applied.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Answers>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<Entry> = entries.into_iter().collect();
        let last = entries.last().map(|entry| entry.log_id);
        let applied = match self.facts.try_apply(entries) {
            Ok(applied) => applied,
            // Somebody reads at length: this thread has beats to send meanwhile.
            Err(entries) => {
                let facts = Arc::clone(&self.facts);
                let applied = apart(move || facts.writing().apply_all(entries, &facts.log)).await;
                applied.map_err(|error| StorageIOError::apply(last.unwrap_or_default(), &error))?
            }
        };
        let (answers, events) = applied;
        events
            .into_iter()
            .for_each(|event| self.facts.publish(event));
        self.facts.wake.notify_one();
        Ok(answers)
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        let facts = Arc::clone(&self.facts);
        // Many tasks take a while to copy, and nothing is applied meanwhile; beats are sent.
        let applied = apart(move || facts.reading().clone()).await;
        Builder {
            applied: Some(applied.unwrap_or_else(|_| self.facts.reading().clone())),
            log: Arc::clone(&self.facts.log),
            file: self.file.clone(),
        }
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<Cursor<Vec<u8>>>, StorageError> {
        Ok(Box::default())
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: Box<Cursor<Vec<u8>>>,
    ) -> Result<(), StorageError> {
        let stored = Stored {
            meta: meta.clone(),
            state: snapshot.into_inner(),
        };
        let file = self.file.clone();
        let state = blocking(move || file.install(&stored))
            .await
            .map_err(|error| StorageIOError::write_snapshot(Some(meta.signature()), &error))?;
        let new = Applied {
            state,
            last: meta.last_log_id,
            membership: meta.last_membership.clone(),
        };
        let facts = Arc::clone(&self.facts);
        apart(move || {
            let old = std::mem::replace(&mut *facts.writing(), new);
            // One task after another, which takes a while too.
            drop(old);
        })
        .await
        .map_err(|error| StorageIOError::write_state_machine(&error))?;
        self.facts.publish(Event::Replaced);
        self.facts.wake.notify_one();
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<Types>>, StorageError> {
        let file = self.file.clone();
        let stored = match blocking(move || file.read_checked()).await {
            // The disk changed what was written. The facts in memory are right: they replace it, and
            // no member gets it.
            Err(error @ (SnapshotError::Damaged { .. } | SnapshotError::State { .. })) => {
                tracing::error!(%error, "the snapshot on disk is damaged and is written anew");
                let mut builder = self.get_snapshot_builder().await;
                return builder.build_snapshot().await.map(Some);
            }
            read => read.map_err(|error| StorageIOError::read_snapshot(None, &error))?,
        };
        Ok(stored.map(|stored| Snapshot {
            meta: stored.meta,
            snapshot: Box::new(Cursor::new(stored.state)),
        }))
    }
}

/// A copy of the state, to be written as a snapshot while the original moves on.
#[derive(Debug)]
pub(crate) struct Builder {
    /// Taken by who writes it.
    applied: Option<Applied>,
    file: SnapshotFile,
    log: Arc<TileLog>,
}

impl RaftSnapshotBuilder<Types> for Builder {
    async fn build_snapshot(&mut self) -> Result<Snapshot<Types>, StorageError> {
        let taken = || StorageIOError::write_snapshot(None, &SnapshotError::Stopped);
        let applied = self.applied.take().ok_or_else(taken)?;
        let last = applied.last;
        let position = last.map_or_else(|| "empty".to_owned(), |last| last.to_string());
        let meta = SnapshotMeta {
            last_log_id: last,
            last_membership: applied.membership.clone(),
            snapshot_id: position,
        };
        let (file, signature) = (self.file.clone(), meta.signature());
        let log = Arc::clone(&self.log);
        let has_others = applied.membership.nodes().nth(1).is_some();
        let stored = behind(move || {
            settle(&log, has_others)?;
            file.save(meta, &applied.state)
        })
        .await
        .unwrap_or(Err(SnapshotError::Stopped))
        .map_err(|error| StorageIOError::write_snapshot(Some(signature), &error))?;
        Ok(Snapshot {
            meta: stored.meta,
            snapshot: Box::new(Cursor::new(stored.state)),
        })
    }
}
