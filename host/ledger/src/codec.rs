//! The compact binary form of commands and states, versioned and bounded.
//!
//! A command is one version byte and its postcard encoding. A state is a header of a magic word, a
//! version and a SHA-256 over the rest, so that a damaged snapshot is refused instead of believed.

use thiserror::Error;

use crate::limits::{COMMAND_BYTES_MAX, FORGET_MAX, RENEWALS_MAX};
use crate::state::Facts;
use crate::{Command, Digest, State};

/// First byte of an encoded command. 2: tenants, deadlines, threads and memory. 3: bytes of inputs,
/// who retires a plugin, and what the log says of a proof. 4: what of a tenant changes.
const COMMAND_VERSION: u8 = 4;

/// First bytes of an encoded state.
const STATE_MAGIC: [u8; 8] = *b"AURLEDGR";

/// Version of the state's layout, after the magic. 3: the newest time. 4: tenants, keys, usage, the
/// trail and plugins' holders; the log, verifying keys and distrust; webhooks. 5: whose a circuit is.
const STATE_VERSION: u16 = 5;

/// Bytes before the state's body: magic, version, digest.
const HEADER_BYTES: usize = 8 + 2 + 32;

/// Why a command cannot be written to or read from the log.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// It is larger than the log takes.
    #[error("a command of {bytes} bytes, the limit is {max}")]
    TooLarge {
        /// Its encoded size.
        bytes: u64,
        /// The most allowed.
        max: u64,
    },
    /// It lists more items than one command may.
    #[error("a command naming {items} tasks, the limit is {max}")]
    TooMany {
        /// How many.
        items: u64,
        /// The most allowed.
        max: u64,
    },
    /// It was written by a version that this one does not know.
    #[error("a command of version {found}, this build reads {known}")]
    Version {
        /// Its version byte.
        found: u8,
        /// The version read here.
        known: u8,
    },
    /// Its bytes are no command: the log is damaged, or newer than this build.
    #[error("{bytes} bytes are no command: {reason}")]
    Malformed {
        /// How many bytes there were.
        bytes: u64,
        /// What the decoder met.
        reason: String,
    },
}

/// Why bytes are no state.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateError {
    /// The header is missing or is not a ledger's.
    #[error("{bytes} bytes without the header of a ledger state")]
    Header {
        /// How many bytes there were.
        bytes: u64,
    },
    /// It was written by a version that this one does not know.
    #[error("a ledger state of version {found}, this build reads {known}")]
    Version {
        /// Its version.
        found: u16,
        /// The version read here.
        known: u16,
    },
    /// The body is not what was written.
    #[error("a ledger state with digest {found}, its header says {expected}")]
    Damaged {
        /// What the header says.
        expected: Digest,
        /// What the body has.
        found: Digest,
    },
    /// The body has the right digest but does not decode.
    #[error("a ledger state of {bytes} bytes does not decode: {reason}")]
    Malformed {
        /// How many bytes there were.
        bytes: u64,
        /// What the decoder met.
        reason: String,
    },
}

// === impl Command ===

impl Command {
    /// Encodes the command for the log.
    ///
    /// # Errors
    /// [`CommandError::TooLarge`] and [`CommandError::TooMany`]: the limits of this crate. Checked
    /// before a command is proposed, so that the log never holds one that breaks them.
    pub fn encode(&self) -> Result<Vec<u8>, CommandError> {
        let (items, max) = match self {
            Self::RenewLeases { leases, .. } => (leases.len(), RENEWALS_MAX),
            Self::ForgetTasks { tasks } => (tasks.len(), FORGET_MAX),
            _ => (0, 0),
        };
        if items > max {
            return Err(CommandError::TooMany {
                items: items as u64,
                max: max as u64,
            });
        }
        let bytes = postcard::to_extend(self, vec![COMMAND_VERSION]).map_err(|error| {
            CommandError::Malformed {
                bytes: 0,
                reason: error.to_string(),
            }
        })?;
        if bytes.len() > COMMAND_BYTES_MAX {
            return Err(CommandError::TooLarge {
                bytes: bytes.len() as u64,
                max: COMMAND_BYTES_MAX as u64,
            });
        }
        Ok(bytes)
    }

    /// Decodes a command of the log. Nothing may follow it.
    ///
    /// # Errors
    /// [`CommandError::Version`] and [`CommandError::Malformed`]. A node that meets either stops:
    /// to skip a command would make its state another one than its peers'.
    pub fn decode(bytes: &[u8]) -> Result<Self, CommandError> {
        let malformed = |reason: String| CommandError::Malformed {
            bytes: bytes.len() as u64,
            reason,
        };
        let (version, body) = bytes
            .split_first()
            .ok_or_else(|| malformed("empty".to_owned()))?;
        if *version != COMMAND_VERSION {
            return Err(CommandError::Version {
                found: *version,
                known: COMMAND_VERSION,
            });
        }
        let (command, rest) = postcard::take_from_bytes::<Self>(body)
            .map_err(|error| malformed(error.to_string()))?;
        if !rest.is_empty() {
            return Err(malformed(format!("{} bytes follow it", rest.len())));
        }
        Ok(command)
    }
}

// === impl State ===

impl State {
    /// Encodes the whole state for a snapshot.
    ///
    /// # Errors
    /// [`StateError::Malformed`], which no state of this crate causes.
    pub fn encode(&self) -> Result<Vec<u8>, StateError> {
        let body = self.body()?;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
        bytes.extend_from_slice(&STATE_MAGIC);
        bytes.extend_from_slice(&STATE_VERSION.to_be_bytes());
        bytes.extend_from_slice(Digest::of(&body).as_bytes());
        bytes.extend_from_slice(&body);
        Ok(bytes)
    }

    /// Decodes a snapshot, after checking its digest.
    ///
    /// # Errors
    /// Each variant of [`StateError`]: what is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        let header = || StateError::Header {
            bytes: bytes.len() as u64,
        };
        let (magic, rest) = bytes.split_first_chunk::<8>().ok_or_else(header)?;
        let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(header)?;
        let (digest, body) = rest.split_first_chunk::<32>().ok_or_else(header)?;
        if *magic != STATE_MAGIC {
            return Err(header());
        }
        let version = u16::from_be_bytes(*version);
        if version != STATE_VERSION {
            return Err(StateError::Version {
                found: version,
                known: STATE_VERSION,
            });
        }
        let (expected, found) = (Digest::from_bytes(*digest), Digest::of(body));
        if expected != found {
            return Err(StateError::Damaged { expected, found });
        }
        let malformed = |reason: String| StateError::Malformed {
            bytes: bytes.len() as u64,
            reason,
        };
        let (facts, rest) = postcard::take_from_bytes::<Facts>(body)
            .map_err(|error| malformed(error.to_string()))?;
        if !rest.is_empty() {
            return Err(malformed(format!("{} bytes follow it", rest.len())));
        }
        Ok(Self::from_facts(facts))
    }

    /// Names the state: equal states, and only they, have equal digests.
    ///
    /// # Errors
    /// [`StateError::Malformed`], which no state of this crate causes.
    pub fn digest(&self) -> Result<Digest, StateError> {
        Ok(Digest::of(&self.body()?))
    }

    fn body(&self) -> Result<Vec<u8>, StateError> {
        postcard::to_stdvec(self.facts()).map_err(|error| StateError::Malformed {
            bytes: 0,
            reason: error.to_string(),
        })
    }
}
