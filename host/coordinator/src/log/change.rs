//! What a record of the journal says: one change of the log, as postcard.

use serde::{Deserialize, Serialize, Serializer};

use super::LogError;
use crate::identity::Identity;
use crate::raft::{LogId, Vote};

/// A change. Append-only, like every stored enum.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Change<'a> {
    /// Entries, each with its index and as `encode_entry` writes it.
    #[serde(borrow)]
    Appended(Vec<(u64, Raw<'a>)>),
    /// The entries from an index on were cut off.
    Truncated(u64),
    /// The entries up to a position were dropped: the snapshot has them.
    Purged(LogId),
    /// The member's vote.
    Voted(Vote),
    /// Whose log it is.
    Belongs(Identity),
}

/// Bytes that are written as they are, not one by one.
#[derive(Debug, Deserialize)]
pub(crate) struct Raw<'a>(#[serde(borrow)] pub(crate) &'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

// === impl Change ===

impl<'a> Change<'a> {
    pub(super) fn encode(&self) -> Result<Vec<u8>, LogError> {
        postcard::to_stdvec(self).map_err(|error| LogError::Encode {
            reason: error.to_string(),
        })
    }

    /// Decodes a record that is whole: one that does not decode was written by a newer build.
    pub(super) fn decode(record: u64, content: &'a [u8]) -> Result<Self, LogError> {
        let unknown = |reason: String| LogError::Record { record, reason };
        let (change, rest) =
            postcard::take_from_bytes(content).map_err(|error| unknown(error.to_string()))?;
        if !rest.is_empty() {
            return Err(unknown(format!("{} bytes follow it", rest.len())));
        }
        Ok(change)
    }
}
