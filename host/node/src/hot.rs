//! Finished tasks in the cache: what one gateway has read, every gateway finds there.
//!
//! A finished task never changes, so a document of it is as good as the leader's answer, and is served
//! also while there is no leader. It stands under the credential that read it, so nobody finds in the
//! cache what the leader would not have shown them, and is shown only while that is let in (see
//! `relay::doorman`). It holds what the API shows: never an input.

use std::error::Error;
use std::time::Duration;

use aureole_api::rest;
use aureole_gateway::{Blob, Caller};
use aureole_ledger::{Digest, TaskId};
use aureole_store::Cache;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How long a document stays: whoever waits for a task reads it several times in the seconds after its
/// end, and history that was removed is shown no longer than this.
const KEEP: Duration = Duration::from_secs(60);

/// Reads and fills the cache, if there is one.
#[derive(Clone, Debug)]
pub(crate) struct Hot(Option<Cache>);

// === impl Hot ===

impl Hot {
    pub(crate) fn new(cache: Option<Cache>) -> Self {
        Self(cache)
    }

    /// A finished task, as this caller has read it a moment ago.
    pub(crate) async fn task(&self, caller: &Caller, id: TaskId) -> Option<rest::Task> {
        let cache = self.0.as_ref()?;
        match cache.document(&name(caller, id)).await {
            Ok(document) => serde_json::from_slice(&document?).ok(),
            Err(error) => {
                let error: &dyn Error = &error;
                tracing::debug!(error, "the cache was not read");
                None
            }
        }
    }

    /// A done task's proof, if its task is there.
    pub(crate) async fn proof(&self, caller: &Caller, id: TaskId) -> Option<Blob> {
        let proof = self.task(caller, id).await?.proof?;
        let bytes = STANDARD.decode(proof.base64?).ok()?;
        let digest = proof.digest.parse().ok()?;
        // Whoever may write to the cache cannot make up a proof's bytes, only a whole document.
        (Digest::of(&bytes) == digest).then(|| Blob {
            digest,
            bytes: bytes.into(),
        })
    }

    /// Puts a task there, if it is finished. Nobody waits for that.
    pub(crate) fn keep(&self, caller: &Caller, task: &rest::Task) {
        let (Some(cache), true) = (&self.0, task.state.is_final()) else {
            return;
        };
        let (Ok(id), Ok(document)) = (task.id.parse(), serde_json::to_vec(task)) else {
            return;
        };
        let (cache, name) = (cache.clone(), name(caller, id));
        tokio::spawn(async move {
            if let Err(error) = cache.put_document(&name, &document, KEEP).await {
                let error: &dyn Error = &error;
                tracing::debug!(error, "the cache takes no document");
            }
        });
    }

    /// Whether the cache answers; nothing if there is none.
    pub(crate) async fn state(&self) -> Option<Result<(), String>> {
        let cache = self.0.as_ref()?;
        Some(cache.ping().await.map_err(|error| error.to_string()))
    }
}

/// The version stands in front: a document of another build may have another form.
fn name(caller: &Caller, id: TaskId) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let (tenant, role, credential) = (&caller.tenant, caller.role, &caller.credential);
    format!("{version}/{tenant}/{role:?}/{credential}/{id}")
}
