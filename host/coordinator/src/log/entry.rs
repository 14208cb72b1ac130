//! One log entry as bytes: a checksum, then its position and payload.
//!
//! ```text
//! 8 bytes    the first of SHA-256 over the rest: a flipped bit is noticed on read
//! postcard   position and kind
//! postcard   by kind: nothing; a list of commands, each in the ledger's own versioned encoding; members
//! ```

use aureole_ledger::Digest;
use openraft::{EntryPayload, Membership};

use super::LogError;
use crate::raft::{Batch, Entry, LogId, Member};

/// Bytes of the checksum. Eight catch what a disk does; nobody forges the own disk's bytes.
pub(super) const CHECKSUM_BYTES: usize = 8;

/// The most that position and kind take.
const HEAD_BYTES_MAX: usize = 32 + 5;

/// What an entry is. Append-only, like everything that is stored.
const BLANK: u32 = 0;
const COMMANDS: u32 = 1;
const MEMBERSHIP: u32 = 2;

pub(super) fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest = Digest::of(bytes);
    let mut checksum = [0; CHECKSUM_BYTES];
    checksum.copy_from_slice(digest.as_bytes().split_at(CHECKSUM_BYTES).0);
    checksum
}

/// Encodes an entry; returns it with its position.
pub(crate) fn encode_entry(entry: &Entry) -> Result<(u64, Vec<u8>), LogError> {
    let failed = |error: postcard::Error| LogError::Encode {
        reason: error.to_string(),
    };
    let begin = |kind: u32, content: usize| {
        let mut bytes = Vec::with_capacity(CHECKSUM_BYTES + HEAD_BYTES_MAX + content);
        bytes.resize(CHECKSUM_BYTES, 0);
        postcard::to_extend(&(entry.log_id, kind), bytes).map_err(failed)
    };
    let bytes = match &entry.payload {
        EntryPayload::Blank => begin(BLANK, 0)?,
        EntryPayload::Normal(batch) => {
            let mut bytes = begin(COMMANDS, batch.bytes().len())?;
            bytes.extend_from_slice(batch.bytes());
            bytes
        }
        EntryPayload::Membership(membership) => {
            postcard::to_extend(membership, begin(MEMBERSHIP, 0)?).map_err(failed)?
        }
    };
    Ok((entry.log_id.index, sealed(bytes)))
}

/// Fills in the checksum that has been left room for.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some((place, body)) = bytes.split_first_chunk_mut::<CHECKSUM_BYTES>() {
        *place = checksum(body);
    }
    bytes
}

/// Returns what stands behind a checksum that fits.
fn checked(bytes: &[u8]) -> Result<&[u8], String> {
    match bytes.split_first_chunk::<CHECKSUM_BYTES>() {
        None => Err(format!("it has only {} bytes", bytes.len())),
        Some((found, body)) if *found == checksum(body) => Ok(body),
        Some(_) => Err("its checksum differs".to_owned()),
    }
}

/// Decodes what stands at a position. Bytes that pass the checksum and still do not decode were
/// written by a newer build.
pub(crate) fn decode_entry(index: u64, bytes: &[u8]) -> Result<Entry, LogError> {
    let damaged = |reason: String| LogError::Damaged { index, reason };
    let body = checked(bytes).map_err(damaged)?;
    let unknown = |reason: String| LogError::Unknown { index, reason };
    let (head, content) =
        postcard::take_from_bytes(body).map_err(|error| unknown(error.to_string()))?;
    let (log_id, kind): (LogId, u32) = head;
    if log_id.index != index {
        return Err(damaged(format!("it says it is entry {}", log_id.index)));
    }
    let payload = match kind {
        BLANK => EntryPayload::Blank,
        COMMANDS => EntryPayload::Normal(Batch::decode(content).map_err(unknown)?),
        MEMBERSHIP => {
            let membership: Membership<u64, Member> =
                postcard::from_bytes(content).map_err(|error| unknown(error.to_string()))?;
            EntryPayload::Membership(membership)
        }
        other => return Err(unknown(format!("an entry of kind {other}"))),
    };
    Ok(Entry { log_id, payload })
}

/// An entry as a newer build would write it: whole, with a command of a version that is to come.
#[cfg(test)]
pub(crate) fn newer_for_tests(log_id: LogId) -> (u64, Vec<u8>) {
    let bytes = postcard::to_extend(&(log_id, COMMANDS), vec![0; CHECKSUM_BYTES]);
    let newer = vec![vec![u8::MAX, 1, 2, 3]];
    let bytes = bytes.and_then(|bytes| postcard::to_extend(&newer, bytes));
    (log_id.index, sealed(bytes.unwrap_or_default()))
}
