//! Copying a blob from others that may have it: in parallel parts, checked as a whole.
//!
//! ```text
//! first part ── asked of one holder after the other until one has it; tells the length
//! the rest   ── PARTS_AT_ONCE at a time, from all holders in turn; a part that fails at one is
//!               asked of the others
//! the whole  ── must have the digest; else each holder is asked for all of it by itself, and one
//!               that gave wrong bytes is named in the log
//! ```
//!
//! How parts travel is the holders' business; nothing here knows a network.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aureole_ledger::Digest;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt, stream};

use crate::depot::DepotError;
use crate::limits::{BLOB_BYTES_MAX, PART_BYTES, PARTS_AT_ONCE};

/// Somebody who may have a blob.
#[async_trait]
pub trait Holder: Send + Sync + fmt::Debug {
    /// Its name in messages: an address as a rule.
    fn name(&self) -> String;

    /// A part of a blob; `None` if it does not have the blob. Bounded in time.
    ///
    /// # Errors
    /// Whatever kept it from answering.
    async fn part(
        &self,
        digest: &Digest,
        offset: u64,
        length: u64,
    ) -> Result<Option<Part>, HolderError>;
}

/// A part of a blob.
#[derive(Clone, Debug)]
pub struct Part {
    /// Bytes of the whole.
    pub total: u64,
    /// Bytes of the part.
    pub bytes: Bytes,
}

/// A holder that gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct HolderError {
    /// What was seen.
    pub reason: String,
}

/// A shared holder.
type Shared = Arc<dyn Holder>;

/// Copies a blob from the first holders that have it; the bytes have the digest.
///
/// # Errors
/// [`DepotError::NotFound`] if every holder says that it has no such blob,
/// [`DepotError::Unreachable`] if one could not say or gave something else,
/// [`DepotError::TooLarge`] if the blob has more than `max` bytes.
pub async fn pull(digest: &Digest, max: u64, holders: &[Shared]) -> Result<Bytes, DepotError> {
    let max = max.min(BLOB_BYTES_MAX);
    let mut troubles = Troubles::default();
    for (place, holder) in holders.iter().enumerate() {
        let Some(first) = troubles.ask(holder, digest, 0).await else {
            continue;
        };
        if first.total > max {
            return Err(DepotError::TooLarge { max });
        }
        // Those before this one lack the blob or do not answer.
        let candidates = holders.get(place..).unwrap_or_default();
        match assemble(digest, first.clone(), candidates).await {
            Ok(bytes) if Digest::of(&bytes) == *digest => return Ok(bytes),
            Ok(_) => tracing::warn!(%digest, "parts of a blob do not fit; asking one by one"),
            Err(trouble) => tracing::debug!(%digest, reason = trouble.reason, "parts are missing"),
        }
        let alone = std::slice::from_ref(holder);
        match assemble(digest, first, alone).await {
            Ok(bytes) if Digest::of(&bytes) == *digest => return Ok(bytes),
            Ok(_) => {
                tracing::error!(%digest, holder = holder.name(), "wrong bytes for a blob");
                troubles.add(holder, "its bytes have another digest");
            }
            Err(trouble) => troubles.add(holder, &trouble.reason),
        }
    }
    Err(troubles.into_error(digest))
}

/// Gets the parts behind the first and puts all together.
async fn assemble(digest: &Digest, first: Part, holders: &[Shared]) -> Result<Bytes, HolderError> {
    let Part { total, bytes } = first;
    let offsets: Vec<u64> = (PART_BYTES..total)
        .step_by(usize::try_from(PART_BYTES).unwrap_or(usize::MAX))
        .collect();
    if offsets.is_empty() {
        return Ok(bytes);
    }
    let rest: Vec<Bytes> = stream::iter(offsets.into_iter().enumerate())
        .map(|(turn, offset)| part(digest, total, offset, turn, holders))
        .buffered(PARTS_AT_ONCE)
        .try_collect()
        .await?;
    let mut whole = BytesMut::from(bytes);
    rest.iter().for_each(|part| whole.extend_from_slice(part));
    Ok(whole.freeze())
}

/// Gets one part, from the holder whose turn it is or from any other.
async fn part(
    digest: &Digest,
    total: u64,
    offset: u64,
    turn: usize,
    holders: &[Shared],
) -> Result<Bytes, HolderError> {
    let expected = PART_BYTES.min(total - offset);
    let mut reason = "nobody has the rest of the blob".to_owned();
    for holder in holders.iter().cycle().skip(turn).take(holders.len()) {
        match holder.part(digest, offset, PART_BYTES).await {
            Ok(Some(part)) if part.total == total && part.bytes.len() as u64 == expected => {
                return Ok(part.bytes);
            }
            Ok(Some(_)) => reason = format!("{} gave a part of another length", holder.name()),
            Ok(None) => {}
            Err(error) => reason = format!("{}: {error}", holder.name()),
        }
    }
    Err(HolderError { reason })
}

/// What kept holders from helping.
#[derive(Debug, Default)]
struct Troubles(Vec<String>);

// === impl Troubles ===

impl Troubles {
    /// Asks for the part at an offset and keeps in mind what went wrong.
    async fn ask(&mut self, holder: &Shared, digest: &Digest, offset: u64) -> Option<Part> {
        match holder.part(digest, offset, PART_BYTES).await {
            Ok(Some(part)) if part.bytes.len() as u64 == PART_BYTES.min(part.total) => Some(part),
            Ok(Some(_)) => {
                self.add(holder, "its part has another length");
                None
            }
            Ok(None) => None,
            Err(error) => {
                self.add(holder, &error.reason);
                None
            }
        }
    }

    fn add(&mut self, holder: &Shared, reason: &str) {
        self.0.push(format!("{}: {reason}", holder.name()));
    }

    fn into_error(self, digest: &Digest) -> DepotError {
        let digest = *digest;
        if self.0.is_empty() {
            return DepotError::NotFound { digest };
        }
        DepotError::Unreachable {
            digest,
            detail: self.0.join("; "),
        }
    }
}
