//! One log entry as bytes: a checksum, then its position and payload.
//!
//! ```text
//! 8 bytes    the first of SHA-256 over the rest: a flipped bit is noticed on read
//! postcard   Stored { log_id, payload }; each command is the ledger's own versioned encoding
//! ```

use aureole_ledger::{Command, Digest};
use openraft::{BasicNode, EntryPayload, Membership};
use serde::{Deserialize, Serialize};

use super::LogError;
use crate::raft::{Batch, Entry, LogId};

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
    Membership(Membership<u64, BasicNode>),
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest = Digest::of(bytes);
    let mut checksum = [0; CHECKSUM_BYTES];
    checksum.copy_from_slice(digest.as_bytes().split_at(CHECKSUM_BYTES).0);
    checksum
}

/// Encodes an entry; returns it with its position.
pub(super) fn encode_entry(entry: &Entry) -> Result<(u64, Vec<u8>), LogError> {
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
    let mut bytes = Vec::with_capacity(CHECKSUM_BYTES + body.len());
    bytes.extend_from_slice(&checksum(&body));
    bytes.extend_from_slice(&body);
    Ok((entry.log_id.index, bytes))
}

/// Decodes what stands at a position.
pub(super) fn decode_entry(index: u64, bytes: &[u8]) -> Result<Entry, LogError> {
    let damaged = |reason: String| LogError::Damaged { index, reason };
    let (found, body) = bytes
        .split_first_chunk::<CHECKSUM_BYTES>()
        .ok_or_else(|| damaged(format!("it has only {} bytes", bytes.len())))?;
    if *found != checksum(body) {
        return Err(damaged("its checksum differs".to_owned()));
    }
    let stored: Stored = postcard::from_bytes(body).map_err(|error| damaged(error.to_string()))?;
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
            let commands: Result<_, _> = commands.collect();
            EntryPayload::Normal(Batch(commands.map_err(|error| damaged(error.to_string()))?))
        }
        Payload::Membership(membership) => EntryPayload::Membership(membership),
    };
    Ok(Entry {
        log_id: stored.log_id,
        payload,
    })
}
