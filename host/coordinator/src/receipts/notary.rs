//! Checkpoints: the leader signs what a majority has committed, and only what continues what was
//! signed before.

use std::sync::Arc;

use aureole_receipts::{
    Checkpoint, CheckpointError, Hash, Head, Log, LogError, Note, NoteError, ProofError, SignerKey,
    TrustError, TrustedKeys, VerifierKey, verify_consistency,
};
use aureole_store::{TileLog, TileLogError};
use thiserror::Error;

use crate::runtime::apart;
use crate::{Coordinator, ProposeError};

/// Why there is no checkpoint.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NotaryError {
    /// This member does not lead, or has stopped: it signs nothing.
    #[error("only the leader signs checkpoints")]
    NotLeader(#[from] ProposeError),
    /// The log is shorter than what was asked for.
    #[error("the log has {have} leaves, {needed} are asked for")]
    Short {
        /// How many it has.
        have: u64,
        /// How many it should have.
        needed: u64,
    },
    /// The tiles on this disk cannot be read or written.
    #[error("the tiles of the log")]
    Tiles(#[from] TileLogError),
    /// The tiles on this disk do not make a log.
    #[error("the tiles of the log do not make one")]
    Log(#[from] LogError<TileLogError>),
    /// The tiles on this disk are of another log than the facts.
    #[error("the tiles of {size} leaves hash to {found}, the facts say {expected}")]
    Root {
        /// How many leaves.
        size: u64,
        /// What the tiles hash to.
        found: Hash,
        /// What the facts say.
        expected: Hash,
    },
    /// What would be signed does not continue what was signed.
    #[error("the log does not continue the newest checkpoint: nothing is signed")]
    Inconsistent(#[source] ProofError),
    /// The newest checkpoint on this disk is none, or of another log.
    #[error("the newest checkpoint on this disk")]
    Checkpoint(#[from] CheckpointError),
    /// The file of the newest checkpoint is no signed note.
    #[error("the newest checkpoint on this disk is no signed note")]
    Note(#[from] NoteError),
    /// The newest checkpoint on this disk is of another log.
    #[error("the newest checkpoint on this disk is of {found:?}, this log is {expected:?}")]
    Origin {
        /// Its origin.
        found: String,
        /// The origin of the key.
        expected: String,
    },
    /// The runtime is shutting down.
    #[error("this member is stopping")]
    Stopped,
}

/// Signs checkpoints of the log, on the leader.
#[derive(Clone, Debug)]
pub struct Notary {
    coordinator: Coordinator,
    key: Arc<SignerKey>,
    trusted: Arc<TrustedKeys>,
}

// === impl Notary ===

impl Notary {
    /// Takes the log's key, which all members share.
    ///
    /// # Errors
    /// [`TrustError`], which one key does not cause.
    pub fn new(coordinator: Coordinator, key: SignerKey) -> Result<Self, TrustError> {
        let trusted = TrustedKeys::new(vec![key.verifier().clone()])?;
        Ok(Self {
            coordinator,
            key: Arc::new(key),
            trusted: Arc::new(trusted),
        })
    }

    /// Returns the key that verifies the checkpoints.
    pub fn verifier(&self) -> &VerifierKey {
        self.key.verifier()
    }

    /// Returns the keys that a receipt of this log is made and checked with.
    pub fn trusted(&self) -> &TrustedKeys {
        &self.trusted
    }

    /// Returns the newest checkpoint on this disk, and the size it is of.
    ///
    /// # Errors
    /// [`NotaryError`] if it cannot be read or is none of this log's.
    pub async fn newest(&self) -> Result<Option<(u64, String)>, NotaryError> {
        let (log, origin) = (Arc::clone(self.coordinator.log()), self.origin());
        on_disk(move || {
            let Some(note) = log.checkpoint()? else {
                return Ok(None);
            };
            let size = head_of(&note, &origin)?.size;
            Ok(Some((size, note)))
        })
        .await
    }

    /// Returns a checkpoint of so many leaves at least: the newest one if that has them, else a new
    /// one. It is on disk when this returns.
    ///
    /// # Errors
    /// [`NotaryError`]: nothing was signed.
    pub async fn covering(&self, leaves: u64) -> Result<String, NotaryError> {
        match self.newest().await? {
            Some((size, note)) if size >= leaves => return Ok(note),
            _ => {}
        }
        // Behind this every leaf that any leader may have signed is applied here.
        self.coordinator.linearizable().await?;
        let head = self.coordinator.read(|state| state.log().head());
        if head.size < leaves {
            return Err(NotaryError::Short {
                have: head.size,
                needed: leaves,
            });
        }
        let (log, key) = (Arc::clone(self.coordinator.log()), Arc::clone(&self.key));
        on_disk(move || sign(&log, &key, &head)).await
    }

    /// Takes a checkpoint over that another member signed, if it continues what this member has. It
    /// changes nothing if this member has that one or a newer one, or not all of its leaves.
    ///
    /// # Errors
    /// [`NotaryError`]: it is not to be believed, or tells another history than this member's.
    pub async fn adopt(&self, note: String) -> Result<(), NotaryError> {
        let log = Arc::clone(self.coordinator.log());
        let trusted = Arc::clone(&self.trusted);
        on_disk(move || {
            let opened = Checkpoint::open(&note, &trusted)?;
            let head = *opened.checkpoint.head();
            let origin = opened.checkpoint.origin().to_owned();
            if head.size > log.size() {
                return Ok(());
            }
            log.sign(head.size, |newest| {
                let fresh = continues(&log, newest.as_deref(), &origin, &head)?;
                Ok::<_, NotaryError>(fresh.then_some(note))
            })?;
            Ok(())
        })
        .await
    }

    fn origin(&self) -> String {
        self.key.verifier().name().to_owned()
    }
}

/// Signs a head of the facts, unless the newest checkpoint has as many leaves.
fn sign(log: &TileLog, key: &SignerKey, head: &Head) -> Result<String, NotaryError> {
    let have = log.settle()?;
    if have < head.size {
        return Err(NotaryError::Short {
            have,
            needed: head.size,
        });
    }
    let origin = key.verifier().name();
    let signed = log.sign(head.size, |newest| {
        if !continues(log, newest.as_deref(), origin, head)? {
            return Ok(None);
        }
        let note = Checkpoint::new(origin, *head)?.sign(&[key])?;
        Ok::<_, NotaryError>(Some(note.to_string()))
    })?;
    let newest = match signed {
        Some(note) => Some(note),
        None => log.checkpoint()?,
    };
    newest.ok_or(NotaryError::Short {
        have: 0,
        needed: head.size,
    })
}

/// Says whether a head is newer than the newest checkpoint; if it is not consistent with that one, or
/// not what the tiles on this disk hash to, that is an error.
fn continues(
    log: &TileLog,
    newest: Option<&str>,
    origin: &str,
    head: &Head,
) -> Result<bool, NotaryError> {
    let mut tiles = Log::new(log, head.size);
    let found = tiles.root_at(head.size)?;
    if found != head.root {
        return Err(NotaryError::Root {
            size: head.size,
            found,
            expected: head.root,
        });
    }
    let Some(newest) = newest else {
        return Ok(true);
    };
    let before = head_of(newest, origin)?;
    let (old, new) = match before.size <= head.size {
        true => (&before, head),
        // An older head than the newest: it must lie in the same history.
        false => (head, &before),
    };
    let proof = Log::new(log, new.size).consistency(old.size)?;
    verify_consistency(old, new, &proof).map_err(NotaryError::Inconsistent)?;
    Ok(head.size > before.size)
}

/// Reads the head of a checkpoint that this member has kept.
fn head_of(note: &str, origin: &str) -> Result<Head, NotaryError> {
    let note: Note = note.parse()?;
    let checkpoint: Checkpoint = note.text().parse()?;
    if checkpoint.origin() != origin {
        return Err(NotaryError::Origin {
            found: checkpoint.origin().to_owned(),
            expected: origin.to_owned(),
        });
    }
    Ok(*checkpoint.head())
}

/// Runs file work where it may block.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, NotaryError> + Send + 'static,
) -> Result<T, NotaryError> {
    apart(work).await.map_err(|_| NotaryError::Stopped)?
}
