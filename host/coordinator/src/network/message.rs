//! What members say to each other, as bytes: a version byte, then postcard.
//!
//! Log entries travel in the form in which they stand on disk, checksum included.

use openraft::raft::AppendEntriesRequest;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::log::{LogError, Raw, decode_entry, encode_entry};
use crate::raft::{LogId, SnapshotMeta, Types, Vote};

/// The first byte of every message. A build that changes a message raises it and still reads the one
/// before: members are updated one after another.
const VERSION: u8 = 1;

/// Why bytes from a member are no message.
#[derive(Debug, Error)]
pub(crate) enum MessageError {
    /// A version that this build does not speak.
    #[error("a message of version {found}, this build speaks {known}")]
    Version { found: u8, known: u8 },
    /// No message at all.
    #[error("{bytes} bytes are no message: {reason}")]
    Malformed { bytes: usize, reason: String },
    /// A log entry inside.
    #[error("a log entry in a message")]
    Entry(#[from] LogError),
}

/// Appends entries, or none as a beat.
#[derive(Serialize, Deserialize)]
struct Append<'a> {
    vote: Vote,
    previous: Option<LogId>,
    committed: Option<LogId>,
    #[serde(borrow)]
    entries: Vec<(u64, Raw<'a>)>,
}

/// What a snapshot's stream begins with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SnapshotHeader {
    pub(crate) vote: Vote,
    pub(crate) meta: SnapshotMeta,
    /// Of the data that follows.
    pub(crate) bytes: u64,
}

/// What a leader that hands over says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct HandOver {
    /// The vote it leads by: whoever follows another by now ignores it.
    pub(crate) vote: Vote,
    /// Who shall lead.
    pub(crate) successor: u64,
}

pub(crate) fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, MessageError> {
    postcard::to_extend(message, vec![VERSION]).map_err(|error| MessageError::Malformed {
        bytes: 0,
        reason: error.to_string(),
    })
}

pub(crate) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, MessageError> {
    let malformed = |reason: String| MessageError::Malformed {
        bytes: bytes.len(),
        reason,
    };
    match bytes.split_first() {
        None => Err(malformed("there are none".to_owned())),
        Some((&VERSION, body)) => {
            postcard::from_bytes(body).map_err(|error| malformed(error.to_string()))
        }
        Some((&found, _)) => Err(MessageError::Version {
            found,
            known: VERSION,
        }),
    }
}

/// Encodes an append, or says how many of its entries fit.
pub(crate) fn encode_append(
    append: &AppendEntriesRequest<Types>,
    bytes_max: usize,
) -> Result<Result<Vec<u8>, u64>, MessageError> {
    let mut entries = Vec::with_capacity(append.entries.len());
    let mut bytes = 0;
    for entry in &append.entries {
        let encoded = encode_entry(entry)?;
        bytes += encoded.1.len();
        // One entry always fits: its size has a limit of its own.
        if bytes > bytes_max && !entries.is_empty() {
            return Ok(Err(u64::try_from(entries.len()).unwrap_or(1)));
        }
        entries.push(encoded);
    }
    encode(&Append {
        vote: append.vote,
        previous: append.prev_log_id,
        committed: append.leader_commit,
        entries: raw(&entries),
    })
    .map(Ok)
}

fn raw(entries: &[(u64, Vec<u8>)]) -> Vec<(u64, Raw<'_>)> {
    let entries = entries.iter();
    entries.map(|(index, bytes)| (*index, Raw(bytes))).collect()
}

pub(crate) fn decode_append(bytes: &[u8]) -> Result<AppendEntriesRequest<Types>, MessageError> {
    let append: Append<'_> = decode(bytes)?;
    let entries = append.entries.iter();
    let entries = entries.map(|(index, bytes)| decode_entry(*index, bytes.0));
    Ok(AppendEntriesRequest {
        vote: append.vote,
        prev_log_id: append.previous,
        leader_commit: append.committed,
        entries: entries.collect::<Result<_, _>>()?,
    })
}

/// An append of entries as they are given.
#[cfg(test)]
pub(crate) fn append_for_tests(vote: Vote, entries: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let append = Append {
        vote,
        previous: None,
        committed: None,
        entries: raw(entries),
    };
    encode(&append).unwrap_or_default()
}
