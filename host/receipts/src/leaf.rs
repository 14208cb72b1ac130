//! What the log says of one accepted proof, and its canonical bytes.
//!
//! ```text
//! 0         1      17        49     81              113     145        177         185        193
//! | version | task | circuit | key  | public inputs | proof | verifier | submitted | finished |
//! |    1    | 16   | 32      | 32   | 32, salted    | 32    | 32       | u64, big endian each |
//! ```
//!
//! Whoever reads the log learns nothing of what was proved: of public inputs a leaf has a salted
//! commitment ([`crate::Salt`]), because a plain digest of few possible values tells them to whoever
//! tries all. A proof is drawn with fresh randomness, so its digest can be guessed by nobody.
//!
//! The bytes of a leaf never change: another layout is another version beside this one.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::limits::LEAF_BYTES;
use crate::{Digest, Hash, TaskId};

/// The layout above.
const VERSION: u8 = 1;

/// Why bytes are no leaf.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeafError {
    /// There is not even a version.
    #[error("a leaf of no bytes")]
    Empty,
    /// It was written by a version that this one does not know.
    #[error("a leaf of version {found}, this build reads {known}")]
    Version {
        /// Its version byte.
        found: u8,
        /// The version read here.
        known: u8,
    },
    /// A leaf of its version has another length.
    #[error("a leaf of {found} bytes, one of this version has {expected}")]
    Length {
        /// How many bytes there were.
        found: u64,
        /// How many there must be.
        expected: u64,
    },
}

/// One accepted proof: what was asked for, what was answered, when.
///
/// Any values are a leaf; that they are true is what the coordinators agreed on before they appended
/// it. The times are milliseconds since the Unix epoch by the ledger's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// The task that the proof answers. One task has at most one leaf.
    pub task: TaskId,
    /// Digest of the circuit's canonical bytes.
    pub circuit: Digest,
    /// Digest that identifies the verifying key.
    pub key: Digest,
    /// Salted commitment to the public inputs in the form that the proof was verified with: see
    /// [`crate::commit`].
    pub public_inputs: Digest,
    /// Digest of the proof's bytes.
    pub proof: Digest,
    /// Digest of the name of the build that verified the proof, so that what a faulty verifier let
    /// pass can be found later.
    pub verifier: Digest,
    /// When the task was submitted.
    pub submitted_ms: u64,
    /// When its proof was accepted.
    pub finished_ms: u64,
}

// === impl Leaf ===

impl Leaf {
    /// Writes the canonical bytes: what is hashed, and what an entry bundle holds.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LEAF_BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(self.task.as_bytes());
        let digests = [&self.circuit, &self.key, &self.public_inputs, &self.proof];
        for digest in digests.into_iter().chain([&self.verifier]) {
            bytes.extend_from_slice(digest.as_bytes());
        }
        bytes.extend_from_slice(&self.submitted_ms.to_be_bytes());
        bytes.extend_from_slice(&self.finished_ms.to_be_bytes());
        bytes
    }

    /// Reads canonical bytes. Encoding what it returns gives the same bytes again.
    ///
    /// # Errors
    /// [`LeafError`] unless they are exactly a leaf of a known version.
    pub fn decode(bytes: &[u8]) -> Result<Self, LeafError> {
        let (&version, mut rest) = bytes.split_first().ok_or(LeafError::Empty)?;
        if version != VERSION {
            return Err(LeafError::Version {
                found: version,
                known: VERSION,
            });
        }
        let leaf = Self {
            task: TaskId::from_bytes(take(&mut rest, bytes)?),
            circuit: Digest::from_bytes(take(&mut rest, bytes)?),
            key: Digest::from_bytes(take(&mut rest, bytes)?),
            public_inputs: Digest::from_bytes(take(&mut rest, bytes)?),
            proof: Digest::from_bytes(take(&mut rest, bytes)?),
            verifier: Digest::from_bytes(take(&mut rest, bytes)?),
            submitted_ms: u64::from_be_bytes(take(&mut rest, bytes)?),
            finished_ms: u64::from_be_bytes(take(&mut rest, bytes)?),
        };
        if !rest.is_empty() {
            return Err(wrong_length(bytes));
        }
        Ok(leaf)
    }

    /// Computes the leaf's hash in the tree.
    pub fn hash(&self) -> Hash {
        Hash::of_leaf(&self.encode())
    }
}

/// Cuts the next field off what is left of a leaf.
fn take<const N: usize>(rest: &mut &[u8], leaf: &[u8]) -> Result<[u8; N], LeafError> {
    let (field, after) = rest
        .split_first_chunk::<N>()
        .ok_or_else(|| wrong_length(leaf))?;
    *rest = after;
    Ok(*field)
}

fn wrong_length(leaf: &[u8]) -> LeafError {
    LeafError::Length {
        found: leaf.len() as u64,
        expected: LEAF_BYTES as u64,
    }
}
