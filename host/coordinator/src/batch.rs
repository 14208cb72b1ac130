//! Commands that share a log entry: as they are, and as they are encoded.
//!
//! A command is encoded once, by its proposer, and decoded once by each other member. What lies between
//! (the log, the messages, the ledger) hands both on without a copy.

use std::fmt;
use std::sync::Arc;

use aureole_ledger::Command;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Commands that share a log entry, in order. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Batch(Arc<Both>);

struct Both {
    commands: Vec<Command>,
    /// postcard of the list of encoded commands.
    bytes: Vec<u8>,
}

// === impl Batch ===

impl Batch {
    /// Puts commands together with what `Command::encode` makes of each.
    pub(crate) fn of(commands: Vec<Command>, encoded: &[Vec<u8>]) -> Self {
        // Neither a list in memory nor a vector of bytes can fail to be written down.
        let bytes = postcard::to_stdvec(encoded).unwrap_or_default();
        Self(Arc::new(Both { commands, bytes }))
    }

    /// Reads what [`Self::bytes`] gives. An error says what is unknown to this build.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let encoded: Vec<&[u8]> = postcard::from_bytes(bytes).map_err(|error| error.to_string())?;
        let commands = encoded.into_iter().map(Command::decode);
        let commands: Result<_, _> = commands.collect();
        Ok(Self(Arc::new(Both {
            commands: commands.map_err(|error| error.to_string())?,
            bytes: bytes.to_vec(),
        })))
    }

    pub(crate) fn commands(&self) -> &[Command] {
        &self.0.commands
    }

    /// The commands as they are encoded.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::of(Vec::new(), &[])
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Batch").field(&self.0.commands).finish()
    }
}

impl PartialEq for Batch {
    fn eq(&self, other: &Self) -> bool {
        self.0.commands == other.0.commands
    }
}

impl Eq for Batch {}

impl Serialize for Batch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.bytes())
    }
}

impl<'de> Deserialize<'de> for Batch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Vec::<u8>::deserialize(deserializer)?;
        Self::decode(&bytes).map_err(de::Error::custom)
    }
}
