//! Names of things: digests of bytes, ids of tasks, circuits and workers.
//!
//! Every id has one text form, which parses back and is what JSON carries; the compact form of logs
//! and snapshots is the bare bytes. A value of these types is always well formed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::limits::WORKER_ID_BYTES_MAX;

/// Milliseconds since the Unix epoch, as the proposer's clock said.
pub type Millis = u64;

/// Separates circuit ids from every other use of SHA-256 here.
const CIRCUIT_DOMAIN: &[u8] = b"aureole circuit id v1";

/// Why a text is no id.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdError {
    /// The prefix that names the kind of id is missing.
    #[error("an id of this kind starts with {expected:?}")]
    Prefix {
        /// The prefix it must have.
        expected: &'static str,
    },
    /// The hexadecimal part has the wrong length.
    #[error("expected {expected} hexadecimal digits, found {found} bytes")]
    Length {
        /// How many digits there must be.
        expected: u32,
        /// How many bytes of text there were.
        found: u64,
    },
    /// A character is no lower-case hexadecimal digit.
    #[error("only the digits 0-9 and a-f may stand in an id")]
    Digit,
    /// A worker's name is empty, too long, or has a character outside its alphabet.
    #[error("a worker id has 1 to {max} of the characters a-z A-Z 0-9 . _ -")]
    Worker {
        /// The longest name allowed.
        max: u32,
    },
    /// The text is the name of no role.
    #[error("a role is admin, author, submitter or auditor")]
    Role,
    /// A tenant's name is empty, too long, or has a character outside its alphabet.
    #[error("a tenant id has 1 to {max} of the characters a-z 0-9 -")]
    Tenant {
        /// The longest name allowed.
        max: u32,
    },
}

/// Parses exactly `N` bytes of lower-case hexadecimal.
fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], IdError> {
    if text.len() != N * 2 {
        return Err(IdError::Length {
            expected: u32::try_from(N * 2).unwrap_or(u32::MAX),
            found: text.len() as u64,
        });
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(IdError::Digit);
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| IdError::Digit)?;
    Ok(bytes)
}

/// Defines an id of a fixed number of bytes with a prefixed hexadecimal text form.
macro_rules! byte_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Wraps raw bytes.
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// Wraps raw bytes, if there are exactly as many as the id has.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Returns the raw bytes.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($prefix)?;
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let digits =
                    text.strip_prefix($prefix).ok_or(IdError::Prefix { expected: $prefix })?;
                parse_hex(digits).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    self.0.serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = String::deserialize(deserializer)?;
                    text.parse().map_err(de::Error::custom)
                } else {
                    <[u8; $bytes]>::deserialize(deserializer).map(Self)
                }
            }
        }
    };
}

byte_id! {
    /// The public part of an API key: it names the key and opens nothing.
    KeyId, 8, "aur_"
}

byte_id! {
    /// SHA-256 of some bytes, which it names: 64 lower-case hexadecimal digits.
    Digest, 32, ""
}

byte_id! {
    /// A task: `tsk_` and 32 lower-case hexadecimal digits, drawn at random by the submitter.
    TaskId, 16, "tsk_"
}

byte_id! {
    /// A circuit: `cir_` and 32 lower-case hexadecimal digits, computed from its plugin and
    /// parameters.
    CircuitId, 16, "cir_"
}

byte_id! {
    /// A webhook: `whk_` and 32 lower-case hexadecimal digits, drawn at random by whoever makes it.
    WebhookId, 16, "whk_"
}

byte_id! {
    /// Who signed a component: `ed25519:` and a public key, 64 lower-case hexadecimal digits.
    Signer, 32, "ed25519:"
}

// === impl Digest ===

impl Digest {
    /// Computes the digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

// === impl CircuitId ===

impl CircuitId {
    /// Computes the id of the circuit that a component gives for parameters: the first 16 bytes of a
    /// domain-separated SHA-256 of both digests.
    pub fn of(component: &Digest, params: &Digest) -> Self {
        let mut hash = Sha256::new();
        hash.update(CIRCUIT_DOMAIN);
        hash.update(component.as_bytes());
        hash.update(params.as_bytes());
        let full: [u8; 32] = hash.finalize().into();
        let mut id = [0; 16];
        id.copy_from_slice(full.split_at(16).0);
        Self(id)
    }
}

/// A worker's name, chosen by its operator and unique in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct WorkerId(String);

// === impl WorkerId ===

impl WorkerId {
    /// Checks a name.
    ///
    /// # Errors
    /// [`IdError::Worker`] unless it has 1 to 64 of the characters `a-z A-Z 0-9 . _ -`.
    pub fn new(name: impl Into<String>) -> Result<Self, IdError> {
        let name = name.into();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if name.is_empty() || name.len() > WORKER_ID_BYTES_MAX || !name.bytes().all(allowed) {
            return Err(IdError::Worker {
                max: u32::try_from(WORKER_ID_BYTES_MAX).unwrap_or(u32::MAX),
            });
        }
        Ok(Self(name))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for WorkerId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for WorkerId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
