//! Small JSON documents of the depot (descriptions, parameters, reports), parsed once.
//!
//! A blob never changes under its digest, so a parsed one can be kept for as long as there is
//! room.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aureole_api::{Problem, codes};
use aureole_ledger::Digest;
use aureole_store::SharedBlobs;
use serde_json::Value;

/// Documents kept parsed: the descriptions, default parameters and reports of some eighty plugins.
const KEPT_MAX: usize = 256;

/// Largest document: two schemas of 64 KiB each, with escapes, and what stands around them.
pub(crate) const DOCUMENT_BYTES_MAX: u64 = 1 << 20;

/// Reads documents.
#[derive(Debug)]
pub(crate) struct Documents {
    depot: SharedBlobs,
    kept: Mutex<BTreeMap<Digest, Arc<Value>>>,
}

// === impl Documents ===

impl Documents {
    pub(crate) fn new(depot: SharedBlobs) -> Self {
        Self {
            depot,
            kept: Mutex::new(BTreeMap::new()),
        }
    }

    /// The document with this digest.
    pub(crate) async fn get(&self, digest: &Digest) -> Result<Arc<Value>, Problem> {
        if let Some(document) = self.kept().get(digest) {
            return Ok(document.clone());
        }
        let bytes = self.depot.get(digest, DOCUMENT_BYTES_MAX).await.map_err(|error| {
            tracing::error!(%digest, error = &error as &dyn std::error::Error, "a document cannot be read");
            Problem::new(codes::node::STORAGE, "a stored document cannot be read")
        })?;
        let document: Arc<Value> =
            serde_json::from_slice(&bytes)
                .map(Arc::new)
                .map_err(|error| {
                    tracing::error!(%digest, %error, "a document is no JSON");
                    Problem::new(codes::node::STORAGE, "a stored document is damaged")
                })?;
        let mut kept = self.kept();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(*digest, document.clone());
        Ok(document)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, BTreeMap<Digest, Arc<Value>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
