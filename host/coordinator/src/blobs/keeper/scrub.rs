//! Re-reads every blob, slowly and for ever: rot is found while a peer still has the bytes.

use std::sync::Arc;
use std::time::Duration;

use aureole_ledger::Digest;
use aureole_store::{BLOB_BYTES_MAX, DepotError};
use tokio::time::sleep;

use super::Shared;
use super::pull::pause;

/// The shortest round: a depot of a few blobs need not be listed all the time.
const ROUND_MIN: Duration = Duration::from_secs(60);

/// Runs until told to stop.
pub(super) async fn run(shared: Arc<Shared>) {
    let stop = shared.stop.clone();
    let work = async {
        loop {
            match shared.replicated.local().list().await {
                Ok(blobs) => {
                    for blob in blobs {
                        shared.reread(&blob.digest).await;
                        pause(blob.bytes, shared.config.scrub_bytes_per_second).await;
                    }
                }
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the depot cannot be listed"
                    );
                }
            }
            sleep(ROUND_MIN).await;
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
    /// Reads a blob; one that has rotted is replaced by a peer's.
    async fn reread(&self, digest: &Digest) {
        match self.replicated.local().get(digest, BLOB_BYTES_MAX).await {
            // Removed since the listing.
            Ok(_) | Err(DepotError::NotFound { .. }) => {}
            Err(DepotError::Corrupt { .. }) => {
                self.upkeep.send_modify(|upkeep| upkeep.rotten += 1);
                if let Err(error) = self.replicated.fetch(digest).await {
                    tracing::error!(%digest, error = &error as &dyn std::error::Error,
                        "a blob has rotted, and no other member gives it");
                }
            }
            Err(error) => {
                tracing::warn!(%digest, error = &error as &dyn std::error::Error,
                    "a blob cannot be read");
            }
        }
    }
}
