//! One log entry, or mark, as bytes: a checksum, then its position and payload.
//!
//! ```text
//! 8 bytes    the first of SHA-256 over the rest: a flipped bit is noticed on read
//! postcard   Stored { log_id, payload }; each command is the ledger's own versioned encoding
//! ```

use aureole_ledger::{Command, CommandError, Digest};
use openraft::{EntryPayload, Membership};
use serde::{Deserialize, Serialize};

use super::LogError;
use crate::raft::{Batch, Entry, LogId, Member};

/// Bytes of the checksum. Eight catch what a disk does; nobody forges the own disk's bytes.
const CHECKSUM_BYTES: usize = 8;

#[derive(Serialize, Deserialize)]
struct Stored {
    log_id: LogId,
    payload: Payload,
}

/// Append-only, like every stored enum.
#[derive(Serialize, Deserialize)]
enum Payload {
    Blank,
    Commands(Vec<Vec<u8>>),
    Membership(Membership<u64, Member>),
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest = Digest::of(bytes);
    let mut checksum = [0; CHECKSUM_BYTES];
    checksum.copy_from_slice(digest.as_bytes().split_at(CHECKSUM_BYTES).0);
    checksum
}

/// Encodes an entry; returns it with its position.
pub(crate) fn encode_entry(entry: &Entry) -> Result<(u64, Vec<u8>), LogError> {
    let failed = |reason: String| LogError::Encode { reason };
    let payload = match &entry.payload {
        EntryPayload::Blank => Payload::Blank,
        EntryPayload::Normal(Batch(commands)) => {
            let commands = commands
                .iter()
                .map(Command::encode)
                .collect::<Result<_, _>>();
            Payload::Commands(commands.map_err(|error| failed(error.to_string()))?)
        }
        EntryPayload::Membership(membership) => Payload::Membership(membership.clone()),
    };
    let stored = Stored {
        log_id: entry.log_id,
        payload,
    };
    let body = postcard::to_stdvec(&stored).map_err(|error| failed(error.to_string()))?;
    Ok((entry.log_id.index, with_checksum(&body)))
}

/// Puts the checksum in front of what it is of.
pub(super) fn with_checksum(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(CHECKSUM_BYTES + body.len());
    bytes.extend_from_slice(&checksum(body));
    bytes.extend_from_slice(body);
    bytes
}

/// Returns what stands behind a checksum that fits.
pub(super) fn checked(bytes: &[u8]) -> Result<&[u8], String> {
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
    let stored: Stored = postcard::from_bytes(body).map_err(|error| unknown(error.to_string()))?;
    if stored.log_id.index != index {
        return Err(damaged(format!(
            "it says it is entry {}",
            stored.log_id.index
        )));
    }
    let payload = match stored.payload {
        Payload::Blank => EntryPayload::Blank,
        Payload::Commands(commands) => {
            let commands = commands.iter().map(|bytes| Command::decode(bytes));
            let commands: Result<_, CommandError> = commands.collect();
            EntryPayload::Normal(Batch(commands.map_err(|error| unknown(error.to_string()))?))
        }
        Payload::Membership(membership) => EntryPayload::Membership(membership),
    };
    Ok(Entry {
        log_id: stored.log_id,
        payload,
    })
}

/// An entry as a newer build would write it: whole, with a command of a version that is to come.
#[cfg(test)]
pub(crate) fn newer_for_tests(log_id: LogId) -> (u64, Vec<u8>) {
    let stored = Stored {
        log_id,
        payload: Payload::Commands(vec![vec![u8::MAX, 1, 2, 3]]),
    };
    let body = postcard::to_stdvec(&stored).unwrap_or_default();
    (log_id.index, with_checksum(&body))
}
