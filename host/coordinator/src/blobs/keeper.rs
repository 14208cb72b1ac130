//! Upkeep of one member's disk: what the ledger calls for is here, whole, and what it calls off is
//! gone.
//!
//! ```text
//! events ──▶ watch ── a task ended ─────▶ its key is destroyed, its sealed input removed
//!              │ ──── a record names blobs ──▶ queue ──▶ pull ◀── every 10 s: all the ledger names
//!              └ missed some, snapshot ──▶ all of it again
//! time   ──▶ scrub: re-reads every blob; what has rotted is pulled again
//!        ──▶ collect: removes what nothing refers to
//! ```
//!
//! Everything here may be late or done twice; nothing waits for it but the disk.

mod pull;
mod scrub;

use std::sync::Arc;
use std::time::Duration;

use aureole_ledger::{Digest, State, TaskId, TaskKind};
use aureole_store::Blobs;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::collect::Collector;
use super::keys::{Fate, KeyRing};
use super::limits::{
    COLLECT_EVERY, ORPHAN_GRACE, PULLS_QUEUED_MAX, REPAIR_BYTES_PER_SECOND, REPAIR_EVERY,
    SCRUB_BYTES_PER_SECOND,
};
use super::references::{of_circuit, of_plugin, of_task};
use super::replicated::Replicated;
use crate::Coordinator;
use crate::events::Event;

/// How a member's disk is kept.
#[derive(Clone, Debug)]
pub struct KeeperConfig {
    /// How often everything the ledger refers to is looked for. Default 10 s.
    pub repair_every: Duration,
    /// Bytes that repair pulls a second at most. Default 64 MiB.
    pub repair_bytes_per_second: u64,
    /// Bytes that are re-read a second to find rot. Default 2 MiB.
    pub scrub_bytes_per_second: u64,
    /// How often what nothing refers to is removed; never when absent. Default 1 h.
    pub collect_every: Option<Duration>,
}

/// What upkeep has found and done since the member started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Blobs that the ledger refers to and this member lacked when it last looked and pulled.
    pub missing: u64,
    /// Blobs that were pulled because this member lacked them.
    pub pulled: u64,
    /// Blobs that had rotted on this disk.
    pub rotten: u64,
    /// How often everything was looked for, to the end.
    pub rounds: u64,
}

/// The upkeep of one member. Dropping it without [`Keeper::stop`] ends it at once.
#[derive(Debug)]
pub struct Keeper {
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    upkeep: watch::Receiver<Upkeep>,
}

/// What the parts of the upkeep share.
struct Shared {
    config: KeeperConfig,
    coordinator: Coordinator,
    replicated: Replicated,
    keys: KeyRing,
    collector: Collector,
    upkeep: watch::Sender<Upkeep>,
    /// Asks for a look at everything.
    everything: Notify,
    stop: CancellationToken,
}

impl Default for KeeperConfig {
    fn default() -> Self {
        Self {
            repair_every: REPAIR_EVERY,
            repair_bytes_per_second: REPAIR_BYTES_PER_SECOND,
            scrub_bytes_per_second: SCRUB_BYTES_PER_SECOND,
            collect_every: Some(COLLECT_EVERY),
        }
    }
}

// === impl Keeper ===

impl Keeper {
    /// Starts the upkeep. What this member missed while it was down is made up for first.
    pub fn start(
        config: KeeperConfig,
        coordinator: Coordinator,
        replicated: Replicated,
        keys: KeyRing,
        collector: Collector,
    ) -> Self {
        let stop = CancellationToken::new();
        let (upkeep, seen) = watch::channel(Upkeep::default());
        // Subscribed before the first look: no change falls between.
        let events = coordinator.subscribe();
        let shared = Arc::new(Shared {
            config,
            coordinator,
            replicated,
            keys,
            collector,
            upkeep,
            everything: Notify::new(),
            stop: stop.clone(),
        });
        let (named, queue) = mpsc::channel(PULLS_QUEUED_MAX);
        let tasks = vec![
            tokio::spawn(watch_events(Arc::clone(&shared), events, named)),
            tokio::spawn(pull::run(Arc::clone(&shared), queue)),
            tokio::spawn(scrub::run(Arc::clone(&shared))),
            tokio::spawn(collect(shared)),
        ];
        Self {
            stop,
            tasks,
            upkeep: seen,
        }
    }

    /// What upkeep has found and done.
    pub fn upkeep(&self) -> watch::Receiver<Upkeep> {
        self.upkeep.clone()
    }

    /// Stops and waits until nothing is touched any more.
    pub async fn stop(mut self) {
        self.stop.cancel();
        for task in std::mem::take(&mut self.tasks) {
            if let Err(error) = task.await {
                tracing::error!(%error, "a part of the upkeep did not end well");
            }
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.cancel();
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Follows what is applied. It never waits for a pull: keys must go as soon as their task ends.
async fn watch_events(
    shared: Arc<Shared>,
    mut events: broadcast::Receiver<Event>,
    named: mpsc::Sender<Digest>,
) {
    shared.catch_up().await;
    loop {
        let event = tokio::select! {
            biased;
            () = shared.stop.cancelled() => return,
            event = events.recv() => event,
        };
        match event {
            Ok(Event::TaskChanged(task)) => shared.settle(task).await,
            Ok(Event::Replaced) | Err(RecvError::Lagged(_)) => shared.catch_up().await,
            Ok(_) => {}
            Err(RecvError::Closed) => return,
        }
        if let Ok(event) = event {
            for digest in shared.coordinator.read(|state| named_by(state, event)) {
                if named.try_send(digest).is_err() {
                    shared.everything.notify_one();
                    break;
                }
            }
        }
    }
}

/// The blobs that the record of an event names.
fn named_by(state: &State, event: Event) -> Vec<Digest> {
    let mut found = Vec::new();
    match event {
        Event::TaskChanged(id) => {
            if let Some(task) = state.task(&id) {
                of_task(task, &mut found);
            }
        }
        Event::PluginChanged(component) => {
            if let Some(plugin) = state.plugin(&component) {
                of_plugin(plugin, &mut found);
            }
        }
        Event::CircuitChanged(id) => {
            if let Some(circuit) = state.circuit(&id) {
                of_circuit(circuit, &mut found);
            }
        }
        _ => {}
    }
    found
}

/// Removes what nothing refers to, from time to time.
async fn collect(shared: Arc<Shared>) {
    let Some(every) = shared.config.collect_every else {
        return;
    };
    let mut round = interval(every);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once, and a member that just started knows too little.
    round.tick().await;
    loop {
        tokio::select! {
            biased;
            () = shared.stop.cancelled() => return,
            _ = round.tick() => {}
        }
        if let Err(error) = shared.collector.collect(false).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "nothing was collected"
            );
        }
    }
}

// === impl Shared ===

impl Shared {
    /// Makes up for whatever was missed.
    async fn catch_up(&self) {
        self.sweep().await;
        self.everything.notify_one();
    }

    /// Destroys the keys that are of no use any more, and removes what they opened.
    async fn sweep(&self) {
        match self.keys.sweep(ORPHAN_GRACE).await {
            Ok(destroyed) => {
                for (task, input) in destroyed {
                    self.remove_input(task, &input).await;
                }
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "keys are not swept"
                );
            }
        }
    }

    /// Destroys this member's copy of the key of a task that has ended, and the sealed input.
    async fn settle(&self, id: TaskId) {
        let input = self.coordinator.read(|state| match state.task(&id)?.kind {
            TaskKind::Prove { input, .. } if Fate::of(state, id, &input) == Fate::Ended => {
                Some(input)
            }
            _ => None,
        });
        let Some(input) = input else { return };
        if let Err(error) = self.keys.forget(id, input).await {
            tracing::error!(task = %id, error = &error as &dyn std::error::Error,
                "an input's key is not destroyed");
        }
        self.remove_input(id, &input).await;
    }

    async fn remove_input(&self, task: TaskId, input: &Digest) {
        if let Err(error) = self.replicated.remove(input).await {
            tracing::warn!(%task, error = &error as &dyn std::error::Error,
                "a sealed input stays until it is collected");
        }
    }
}
