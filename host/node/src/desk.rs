//! The desk: what the gateway asks of a node, answered from the ledger, the depot and the archive.
//!
//! It checks what can be checked without running a plugin, makes bytes durable, proposes commands
//! and shows what came of them. It decides nothing that the ledger decides.

pub(crate) mod admin;
pub(crate) mod check;
mod circuits;
mod explain;
mod plugins;
mod proofs;
mod receipts;
mod tasks;
pub(crate) mod verdicts;
mod verifying_keys;
mod view;
mod watch;
mod webhooks;
mod workers;

pub(crate) use plugins::COMPONENT_BYTES_MAX;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aureole_api::{Problem, codes};
use aureole_coordinator::Coordinator;
use aureole_coordinator::blobs::{KeyRing, KeysError};
use aureole_coordinator::receipts::Notary;
use aureole_ledger::{Command, Digest, Outcome, Refusal, TaskId};
use aureole_store::{ArchiveError, Depot, DepotError, SharedBlobs};
use aureole_webhooks::Courier;

use crate::documents::Documents;
use crate::history::History;
use crate::schema::Schema;
use crate::secret::Secret;
use crate::signers::Signers;

/// Compiled schemas kept; a hundred plugins with a parameter and an input schema each.
const SCHEMAS_KEPT_MAX: usize = 200;

/// Everything the gateway's verbs need; one per node.
pub(crate) struct Desk {
    pub(crate) depot: SharedBlobs,
    pub(crate) keys: KeyRing,
    pub(crate) history: History,
    pub(crate) coordinator: Coordinator,
    verifications: verdicts::Verifications,
    notary: Notary,
    /// This member's own disk.
    pub(crate) disk: Depot,
    secret: Secret,
    signers: Signers,
    checker: check::Checker,
    documents: Documents,
    /// Sends events; not set where webhooks are off.
    courier: OnceLock<Courier>,
    /// Submissions that are being made, by the id their task will have.
    submitting: Mutex<BTreeMap<TaskId, Arc<tokio::sync::Mutex<()>>>>,
    /// Compiled schemas by the digest of the description they stand in and their name there.
    schemas: Mutex<BTreeMap<(Digest, &'static str), Schema>>,
}

/// What a desk reads from and writes to.
pub(crate) struct Stores {
    pub(crate) depot: SharedBlobs,
    pub(crate) disk: Depot,
    pub(crate) keys: KeyRing,
    pub(crate) history: History,
}

// === impl Desk ===

impl Desk {
    pub(crate) fn new(
        stores: Stores,
        coordinator: Coordinator,
        verifications: verdicts::Verifications,
        notary: Notary,
        secret: Secret,
        signers: Signers,
        checker: check::Checker,
    ) -> Self {
        let Stores {
            depot,
            disk,
            keys,
            history,
        } = stores;
        let documents = Documents::new(depot.clone());
        let schemas = Mutex::new(BTreeMap::new());
        Self {
            depot,
            keys,
            history,
            coordinator,
            verifications,
            notary,
            disk,
            secret,
            signers,
            checker,
            documents,
            courier: OnceLock::new(),
            submitting: Mutex::default(),
            schemas,
        }
    }

    /// Proposes a command and turns a refusal into the problem a caller sees.
    async fn propose(&self, command: Command) -> Result<Outcome, Problem> {
        match self.coordinator.propose(command).await {
            Ok(Outcome::Refused(refusal)) => Err(refused(&refusal)),
            Ok(outcome) => Ok(outcome),
            Err(error) => {
                tracing::warn!(error = &error as &dyn Error, "a command was not committed");
                Err(Problem::new(
                    codes::node::NO_LEADER,
                    "the ledger takes no commands now",
                ))
            }
        }
    }

    /// A failure to store what was sent. A leader whose own disk is full hands over to a member whose
    /// is perhaps not: the next request meets that one.
    fn not_stored(&self, error: &(dyn Error + 'static), what: &str) -> Problem {
        let problem = storage(error, what);
        if problem.code() == codes::node::DISK_FULL.code {
            let coordinator = self.coordinator.clone();
            tokio::spawn(async move { coordinator.step_aside().await });
        }
        problem
    }

    /// A schema of a plugin's description, compiled once.
    async fn schema(&self, description: &Digest, name: &'static str) -> Result<Schema, Problem> {
        let key = (*description, name);
        let kept = || self.schemas.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = kept().get(&key) {
            return Ok(schema.clone());
        }
        let document = self.documents.get(description).await?;
        let schema = document.get(name).cloned().unwrap_or_default();
        let schema = blocking(move || Schema::compile(&schema))
            .await?
            .map_err(|reason| {
                Problem::new(
                    codes::plugin::DESCRIPTION,
                    format!("the plugin's {name}: {reason}"),
                )
            })?;
        let mut schemas = kept();
        if schemas.len() >= SCHEMAS_KEPT_MAX {
            schemas.clear();
        }
        schemas.insert(key, schema.clone());
        Ok(schema)
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

/// Runs what would hold up an async thread on one of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "a blocking task ended without a result");
        Problem::new(codes::node::INTERNAL, "the request could not be worked on")
    })
}

/// A refusal of the ledger as a caller sees it.
fn refused(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::PluginRejected { problem, .. } | Refusal::CircuitRejected { problem, .. } => {
            domain(problem)
        }
        Refusal::Quota { retry_ms, .. } => {
            let seconds = u32::try_from(retry_ms.div_ceil(1000)).unwrap_or(u32::MAX);
            Problem::named(refusal.code(), refusal.to_string()).retry_after(seconds.max(1))
        }
        _ => Problem::named(refusal.code(), refusal.to_string()),
    }
}

/// A problem of the ledger as a caller sees it.
fn domain(problem: &aureole_ledger::Problem) -> Problem {
    let shown = Problem::named(&problem.code, &problem.detail);
    match &problem.path {
        Some(path) => shown.at(path),
        None => shown,
    }
}

/// A failure of the depot or the archive: named for the operator in the log, for the caller as a
/// class only: a full disk, no majority, an archive that is away, or else.
fn storage(error: &(dyn Error + 'static), what: &str) -> Problem {
    tracing::error!(error, "{what}");
    let of_depot = error.downcast_ref().map(DepotError::code);
    let of_archive = error
        .downcast_ref()
        .filter(|error| ArchiveError::is_outage(error));
    let of_archive = of_archive.map(|_| codes::node::ARCHIVE.code);
    let of_keys = || error.downcast_ref().map(KeysError::code);
    match of_depot.or(of_archive).or_else(of_keys) {
        Some(code) => Problem::named(code, what),
        None => Problem::new(codes::node::STORAGE, what),
    }
}
