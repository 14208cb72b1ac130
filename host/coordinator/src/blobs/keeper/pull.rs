//! Pulls what this member lacks, at a bounded rate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aureole_ledger::{Digest, TaskId, TaskKind};
use aureole_store::DepotError;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::Shared;
use crate::blobs::references::references;

/// Runs until told to stop.
pub(super) async fn run(shared: Arc<Shared>, mut named: mpsc::Receiver<Digest>) {
    let mut round = interval(shared.config.repair_every);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stop = shared.stop.clone();
    let work = async {
        loop {
            tokio::select! {
                digest = named.recv() => match digest {
                    Some(digest) => shared.pull_named(digest).await,
                    None => return,
                },
                () = shared.everything.notified() => shared.repair().await,
                _ = round.tick() => {
                    shared.sweep().await;
                    shared.repair().await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = work => {}
    }
}

// === impl Shared ===

impl Shared {
    /// Looks for everything that the ledger refers to, and pulls what is not here.
    async fn repair(&self) {
        self.repair_blobs().await;
        self.repair_keys().await;
        self.upkeep.send_modify(|upkeep| upkeep.rounds += 1);
    }

    async fn repair_blobs(&self) {
        let mut wanted = self.coordinator.read(references);
        wanted.sort_unstable();
        wanted.dedup();
        let missing = match self.replicated.local().missing(wanted).await {
            Ok(missing) => missing,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the depot fails");
                return;
            }
        };
        let mut left = missing.len() as u64;
        self.upkeep.send_modify(|upkeep| upkeep.missing = left);
        if left == 0 || !self.can_pull().await {
            return;
        }
        tracing::info!(blobs = left, "pulling what this member lacks");
        for digest in missing {
            if self.pull(&digest).await {
                left -= 1;
                self.upkeep.send_modify(|upkeep| upkeep.missing = left);
            }
        }
    }

    /// Brings the keys of live tasks here: a majority may have lost one since it had them all.
    async fn repair_keys(&self) {
        let have: BTreeSet<(TaskId, Digest)> = match self.keys.all().await {
            Ok(keys) => keys.iter().map(|key| (key.task, key.input)).collect(),
            Err(_) => return,
        };
        let live: BTreeMap<TaskId, Digest> = self.coordinator.read(|state| {
            let live = state.tasks().filter(|task| !task.is_finished());
            live.filter_map(|task| match task.kind {
                TaskKind::Prove { input, .. } => Some((task.id, input)),
                _ => None,
            })
            .collect()
        });
        for (task, input) in live {
            if have.contains(&(task, input)) {
                continue;
            }
            if let Err(error) = self.keys.find(task, input).await {
                tracing::warn!(%task, error = &error as &dyn std::error::Error,
                    "a key is not brought here");
            }
        }
    }

    async fn pull_named(&self, digest: Digest) {
        if let Ok(false) = self.replicated.local().contains(&digest).await
            && self.can_pull().await
        {
            self.pull(&digest).await;
        }
    }

    /// Whether there is anybody to pull from, and room for it.
    async fn can_pull(&self) -> bool {
        let (group, _) = self.replicated.peers();
        if group.others().next().is_none() {
            return false;
        }
        match self.replicated.local().space().await {
            Ok(space) if space.admits(0) => true,
            Ok(space) => {
                tracing::warn!(free = space.free, "the disk is too full for repairs");
                false
            }
            Err(_) => false,
        }
    }

    /// Pulls a blob and waits as long as its bytes may take; returns whether it is here now.
    async fn pull(&self, digest: &Digest) -> bool {
        match self.replicated.fetch(digest).await {
            Ok(bytes) => {
                self.upkeep.send_modify(|upkeep| upkeep.pulled += 1);
                pause(bytes, self.config.repair_bytes_per_second).await;
                true
            }
            // Its record may be gone since, and the blob with it.
            Err(DepotError::NotFound { .. }) => {
                tracing::debug!(%digest, "nobody has a blob that the ledger refers to");
                false
            }
            Err(error) => {
                tracing::warn!(%digest, error = &error as &dyn std::error::Error,
                    "a blob is not brought here");
                false
            }
        }
    }
}

/// Waits as long as some bytes take at a rate.
pub(super) async fn pause(bytes: u64, per_second: u64) {
    let micros = bytes.saturating_mul(1_000_000) / per_second.max(1);
    sleep(Duration::from_micros(micros)).await;
}
