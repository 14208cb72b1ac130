//! Watched tasks: one question to the platform for all who watch a task with one credential, and a
//! bounded queue for each of them.
//!
//! ```text
//! watch ▸ platform.task (may the caller?) ▸ hub ─ first of this task? ▸ spawn keeper
//! keeper ▸ platform.task_change ▸ explain ▸ broadcast ▸ Subscription ▸ SSE or gRPC
//! ```
//!
//! A keeper ends with its task, or when nobody watches. A subscription that falls behind by more
//! than [`limits::EVENTS_BEHIND_MAX`] events is told so, and ends: what it missed it can ask for.

pub(crate) mod places;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aureole_api::{
    Problem,
    rest::{Task, TaskEvent},
};
use aureole_ledger::{TaskId, TenantId};
use tokio::{
    sync::broadcast,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use self::places::{Place, Places};
use crate::{Caller, Credential, Seen, limits, shared::Shared};

/// The tasks that somebody watches.
#[derive(Clone)]
pub(crate) struct Hub {
    watched: Arc<Mutex<BTreeMap<Key, Watched>>>,
    pub(crate) places: Places,
}

/// What is watched with a credential; no two share a keeper, for one may be revoked.
type Key = (TenantId, String, TaskId);

/// A task with a keeper.
struct Watched {
    keeper: Arc<()>,
    latest: Option<Note>,
    notes: broadcast::Sender<Note>,
}

/// What a watcher is told.
#[derive(Clone, Debug)]
pub(crate) enum Note {
    /// Where the task stands, and the name of that.
    Stands {
        id: String,
        event: Arc<TaskEvent>,
        last: bool,
    },
    /// Nothing new.
    Alive,
    /// The watcher was too slow and has missed some; nothing follows.
    Lagged { missed: u64 },
    /// The task cannot be watched further.
    Problem(Box<Problem>),
    /// The gateway stops.
    Stopping,
}

/// One watcher.
#[derive(Debug)]
pub(crate) struct Subscription {
    first: VecDeque<Note>,
    notes: Option<broadcast::Receiver<Note>>,
    /// The standing that a watcher who comes back has seen; it is not told again.
    resumed: Option<String>,
    heartbeat: Duration,
    /// When it has to come again with a fresh credential.
    ends: Option<Instant>,
    stopping: CancellationToken,
}

/// Takes a task off the list when its keeper ends, however it ends.
struct Kept {
    hub: Hub,
    keeper: Arc<()>,
    key: Key,
}

// === impl Kept ===

impl Drop for Kept {
    fn drop(&mut self) {
        let mut watched = self.hub.watched();
        // A later keeper of the same task is none of ours.
        if watched
            .get(&self.key)
            .is_some_and(|known| Arc::ptr_eq(&known.keeper, &self.keeper))
        {
            watched.remove(&self.key);
        }
    }
}

// === impl Hub ===

impl Hub {
    pub(crate) fn new(watchers_max: u32) -> Self {
        Self {
            watched: Arc::default(),
            places: Places::new(watchers_max),
        }
    }

    /// Watches a task that the caller may see; the place is the answer's to hold.
    ///
    /// # Errors
    /// `node.busy` when all places are taken, and what the platform says of the task.
    pub(crate) async fn watch(
        &self,
        shared: &Shared,
        caller: &Caller,
        task: TaskId,
    ) -> Result<(Subscription, Place), Problem> {
        let place = self.places.take(&caller.tenant)?;
        let now = shared.platform.task(caller, task, Duration::ZERO).await?;
        let (latest, notes) = if now.state.is_final() {
            (Some(stands(shared, caller, task, &now).await), None)
        } else {
            let (latest, notes) = self.join(shared, caller, task);
            (latest, Some(notes))
        };
        // A key is looked at with every question; a token was, once, when it came.
        let is_token = matches!(caller.credential, Credential::Token(_));
        let subscription = Subscription {
            first: latest.into_iter().collect(),
            notes,
            resumed: None,
            heartbeat: shared.config.heartbeat,
            ends: is_token.then(|| Instant::now() + shared.config.token_watch_max),
            stopping: shared.stopping.clone(),
        };
        Ok((subscription, place))
    }

    /// The last note of a task's keeper, and those to come. The first to join starts the keeper.
    fn join(
        &self,
        shared: &Shared,
        caller: &Caller,
        task: TaskId,
    ) -> (Option<Note>, broadcast::Receiver<Note>) {
        let credential = caller.credential.to_string();
        let key = (caller.tenant.clone(), credential, task);
        let mut watched = self.watched();
        if let Some(known) = watched.get(&key) {
            return (known.latest.clone(), known.notes.subscribe());
        }
        let (notes, receiver) = broadcast::channel(limits::EVENTS_BEHIND_MAX as usize);
        let keeper = Arc::new(());
        let fresh = Watched {
            keeper: Arc::clone(&keeper),
            latest: None,
            notes,
        };
        watched.insert(key.clone(), fresh);
        drop(watched);
        let kept = Kept {
            hub: self.clone(),
            keeper,
            key,
        };
        tokio::spawn(keep(shared.clone(), caller.clone(), kept));
        (None, receiver)
    }

    /// Tells everyone who watches; `false` when that is nobody, and the task is not kept any more.
    fn tell(&self, key: &Key, note: Note, last: bool) -> bool {
        let mut watched = self.watched();
        let Some(known) = watched.get_mut(key) else {
            return false;
        };
        known.latest = Some(note.clone());
        let heard = known.notes.send(note).is_ok();
        let goes_on = heard && !last;
        if !goes_on {
            watched.remove(key);
        }
        goes_on
    }

    fn watched(&self) -> MutexGuard<'_, BTreeMap<Key, Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

/// Follows one task and tells of it until it has ended or nobody watches.
async fn keep(shared: Shared, caller: Caller, kept: Kept) {
    let task = kept.key.2;
    let mut seen: Option<Seen> = None;
    let mut told = Instant::now();
    loop {
        let found = match &seen {
            None => shared.platform.task(&caller, task, Duration::ZERO).await,
            Some(seen) => {
                tokio::select! {
                    found = next_standing(&shared, &caller, task, *seen, told) => found,
                    () = shared.stopping.cancelled() => return,
                }
            }
        };
        let (note, last) = match found {
            Ok(found) => {
                seen = Some(Seen::of(&found));
                let note = stands(&shared, &caller, task, &found).await;
                (note, found.state.is_final())
            }
            Err(problem) => (Note::Problem(Box::new(problem)), true),
        };
        told = Instant::now();
        if !shared.hub.tell(&kept.key, note, last) {
            return;
        }
    }
}

/// What a task's watchers are told after `seen`, which they were told at `told`: its end at once,
/// anything else a moment later, with what comes meanwhile.
async fn next_standing(
    shared: &Shared,
    caller: &Caller,
    task: TaskId,
    mut seen: Seen,
    told: Instant,
) -> Result<Task, Problem> {
    let apart = told + limits::EVENTS_APART;
    let look = async |seen: &Seen| {
        let every = limits::ESTIMATE_EVERY;
        shared.platform.task_change(caller, task, seen, every).await
    };
    for _ in 0..limits::LOOKS_APART {
        let found = look(&seen).await?;
        if found.state.is_final() || Instant::now() >= apart {
            return Ok(found);
        }
        seen = Seen::of(&found);
    }
    sleep_until(apart).await;
    shared.platform.task(caller, task, Duration::ZERO).await
}

/// Where a task stands, with an estimate of what remains while that can be made.
async fn stands(shared: &Shared, caller: &Caller, id: TaskId, task: &Task) -> Note {
    let seen = Seen::of(task);
    let told = if task.state.is_final() {
        None
    } else {
        // It may have ended meanwhile, which the next look shows.
        shared.platform.explain(caller, id).await.ok()
    };
    let event = TaskEvent {
        task: task.id.clone(),
        state: task.state,
        stage: task.stage,
        attempt: seen.attempt,
        summary: told.as_ref().map(|told| told.summary.clone()),
        starts_in_ms: told.as_ref().and_then(|told| told.starts_in_ms),
        ends_in_ms: told.as_ref().and_then(|told| told.ends_in_ms),
        error: task.error.clone(),
    };
    Note::Stands {
        id: name(seen),
        event: Arc::new(event),
        last: task.state.is_final(),
    }
}

/// The id of an event: the same standing has the same one.
fn name(seen: Seen) -> String {
    let stage = seen.stage.map_or("-", |stage| stage.name());
    format!("{}.{}.{stage}", seen.attempt, seen.state.name())
}

// === impl Subscription ===

impl Subscription {
    /// Notes what the watcher has from before; `false` when nothing more can follow that.
    pub(crate) fn resume(&mut self, id: &str) -> bool {
        self.resumed = Some(id.to_owned());
        let is_had = |note: &Note| matches!(note, Note::Stands { id: of, .. } if of == id);
        self.notes.is_some() || !self.first.iter().all(is_had)
    }

    /// The next note; `None` after the last one.
    pub(crate) async fn next(&mut self) -> Option<Note> {
        let silence = Instant::now() + self.heartbeat;
        loop {
            let note = match self.first.pop_front() {
                Some(note) => note,
                None => self.coming(silence).await?,
            };
            match &note {
                Note::Stands { id, last, .. } => {
                    if *last {
                        self.notes = None;
                    }
                    if self.resumed.take().is_some_and(|had| had == *id) {
                        continue;
                    }
                }
                Note::Alive => {}
                Note::Lagged { .. } | Note::Problem(_) | Note::Stopping => self.notes = None,
            }
            return Some(note);
        }
    }

    async fn coming(&mut self, silence: Instant) -> Option<Note> {
        let notes = self.notes.as_mut()?;
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => Some(Note::Stopping),
            note = notes.recv() => match note {
                Ok(note) => Some(note),
                Err(broadcast::error::RecvError::Lagged(missed)) => Some(Note::Lagged { missed }),
                Err(broadcast::error::RecvError::Closed) => None,
            },
            () = sleep_until(self.ends.unwrap_or(silence)), if self.ends.is_some() => {
                Some(Note::Stopping)
            }
            () = sleep_until(silence) => Some(Note::Alive),
        }
    }
}
