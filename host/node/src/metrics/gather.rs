//! Looking: every figure that a page needs, from where it is true. Nobody's work waits for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aureole_coordinator::Coordinator;
use aureole_gateway::Platform;
use aureole_ledger::{State, TenantId};
use aureole_store::Depot;
use aureole_telemetry::{MeterError, Meters};
use aureole_worker::{Lookout, Provers, RemoteBlobs};

use super::facts::{Facts, JoinedWorker, LeaderFacts, MemberFacts, WorkerFacts};
use super::sheet;
use crate::archivist;
use crate::history::History;

/// Files of compiled code that are looked at: a hundred plugins in ten versions each. What is beyond
/// is not counted.
const CODE_FILES_MAX: usize = 1000;

/// Where figures come from; what the process does not have is left out.
pub(crate) struct Sources {
    meters: Meters,
    started_at: u64,
    roles: String,
    /// When the process's certificate ends, in seconds since 1970.
    pub(crate) certificate_ends: Option<u64>,
    pub(crate) member: Option<MemberSource>,
    pub(crate) worker: Option<WorkerSource>,
    pub(crate) platform: Option<Arc<dyn Platform>>,
}

/// A coordinator.
pub(crate) struct MemberSource {
    pub(crate) coordinator: Coordinator,
    pub(crate) history: History,
    pub(crate) disk: Depot,
}

/// A worker.
pub(crate) struct WorkerSource {
    pub(crate) lookout: Lookout,
    pub(crate) provers: Provers,
    pub(crate) blobs: Option<Arc<RemoteBlobs>>,
    pub(crate) code_dir: PathBuf,
}

// === impl Sources ===

impl Sources {
    /// Nothing to look at yet but what is counted.
    pub(crate) fn new(meters: Meters, roles: String) -> Self {
        let started = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            meters,
            // A clock before 1970 is not set.
            started_at: started.map_or(0, |since| since.as_secs()),
            roles,
            certificate_ends: None,
            member: None,
            worker: None,
            platform: None,
        }
    }

    /// Looks everything up and writes the page.
    ///
    /// # Errors
    /// [`MeterError`]: a figure is not made as Prometheus wants it, or there are too many.
    pub(super) async fn page(&self) -> Result<String, MeterError> {
        let facts = self.facts().await;
        self.meters.page(sheet::of(&facts)?)
    }

    async fn facts(&self) -> Facts {
        let health = match &self.platform {
            Some(platform) => Some(platform.health().await),
            None => None,
        };
        Facts {
            started_at: self.started_at,
            roles: self.roles.clone(),
            certificate_ends: self.certificate_ends,
            member: match &self.member {
                Some(member) => Some(member.look().await),
                None => None,
            },
            worker: match &self.worker {
                Some(worker) => Some(worker.look().await),
                None => None,
            },
            ready: health.as_ref().map(|health| health.ready),
            checks: health
                .into_iter()
                .flat_map(|health| health.checks)
                .map(|check| (check.name, check.ok))
                .collect(),
        }
    }
}

// === impl MemberSource ===

impl MemberSource {
    async fn look(&self) -> MemberFacts {
        let coordinator = self.coordinator.clone();
        let disk_use = tokio::task::spawn_blocking(move || coordinator.disk_use()).await;
        MemberFacts {
            standing: self.coordinator.standing(),
            // Both are told by health too, with the reason.
            disk_use: disk_use.unwrap_or_default(),
            space: self.disk.space().await.ok(),
            leaves: self.coordinator.log().size(),
            leader: self.coordinator.is_leading().then(|| self.leader()),
        }
    }

    fn leader(&self) -> LeaderFacts {
        let coordinator = &self.coordinator;
        let now = coordinator.now();
        let archived = self.history.archive().is_some();
        let workers = coordinator.workers();
        let threads = workers
            .first()
            .map_or(1, |worker| (worker.cores / worker.slots.max(1)).max(1));
        let leases_of = |state: &State| {
            let leases = workers
                .iter()
                .map(|worker| state.leases_of(&worker.id).count());
            leases.sum::<usize>() as u64
        };
        let mut facts = coordinator.read(|state| {
            let oldest = state
                .finished_tasks()
                .next()
                .and_then(|task| task.finished_at);
            LeaderFacts {
                now,
                backlog: state.backlog(threads),
                waiting: state.waiting_count(),
                running: state.running_count(),
                leases: leases_of(state),
                finished: state.finished_count(),
                finished_max: self.history.buffer_tasks(),
                archive_lag_ms: archived.then(|| archivist::lag_ms(now, oldest)),
                receipts: state.log().size(),
                workers: Vec::new(),
                tenants: tenants(state),
            }
        });
        let joined = workers.into_iter().map(|worker| JoinedWorker {
            name: worker.id.to_string(),
            slots: worker.slots,
            draining: worker.draining,
            quarantined: worker.distrust.quarantined_at.is_some(),
        });
        facts.workers = joined.collect();
        facts
    }
}

/// What every tenant has used: those that were made, and the one that always is.
fn tenants(state: &State) -> Vec<(TenantId, aureole_ledger::Usage)> {
    let default = TenantId::default();
    let made = state.tenants().map(|(id, _)| id.clone());
    let made = made.filter(|id| *id != default);
    let ids = std::iter::once(default.clone()).chain(made);
    ids.map(|id| {
        let usage = state.usage(&id);
        (id, usage)
    })
    .collect()
}

// === impl WorkerSource ===

impl WorkerSource {
    async fn look(&self) -> WorkerFacts {
        let dir = self.code_dir.clone();
        let code_bytes = tokio::task::spawn_blocking(move || bytes_in(&dir)).await;
        WorkerFacts {
            joined: self.lookout.is_joined(),
            slots: self.lookout.slots(),
            running: self.lookout.running() as u64,
            warm_keys: self.provers.warm().len() as u64,
            key_bytes: self.provers.warm_bytes(),
            code_bytes: code_bytes.unwrap_or_default(),
            blob_bytes: self.blobs.as_ref().map(|blobs| blobs.cached_bytes()),
        }
    }
}

/// Bytes of the files of a folder; one that cannot be read has none.
fn bytes_in(dir: &Path) -> u64 {
    let files = std::fs::read_dir(dir).into_iter().flatten();
    let files = files.take(CODE_FILES_MAX).filter_map(Result::ok);
    let sizes = files.filter_map(|file| file.metadata().ok());
    sizes
        .filter(|file| file.is_file())
        .map(|file| file.len())
        .sum()
}
