//! Fixed-size bytes that name things: hashes of the tree, digests of what a leaf speaks of, tasks.
//!
//! Each has one text form, lower-case hexadecimal, which parses back and is what JSON carries; the
//! compact form is the bare bytes. The text forms are those of the ledger, so that a receipt can be
//! read beside a task.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// Put before the bytes of a leaf when it is hashed (RFC 9162, 2.1.1).
const LEAF_PREFIX: [u8; 1] = [0];

/// Put before a salt and a digest when they become a commitment.
const COMMITMENT_DOMAIN: &[u8] = b"aureole public inputs v1";

/// Put before two hashes when they become one (RFC 9162, 2.1.1). A leaf never passes for a node.
const NODE_PREFIX: [u8; 1] = [1];

/// Why a text is no hash, digest or task.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextError {
    /// The prefix that names the kind is missing.
    #[error("a text of this kind starts with {expected:?}")]
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
    #[error("only the digits 0-9 and a-f may stand here")]
    Digit,
}

/// Defines a fixed number of bytes with a prefixed hexadecimal text form.
macro_rules! fixed_bytes {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Wraps raw bytes.
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// Wraps raw bytes, if there are exactly as many as there must be.
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
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                let digits = text
                    .strip_prefix($prefix)
                    .ok_or(TextError::Prefix { expected: $prefix })?;
                if digits.len() != $bytes * 2 {
                    return Err(TextError::Length {
                        expected: $bytes * 2,
                        found: digits.len() as u64,
                    });
                }
                if digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
                    return Err(TextError::Digit);
                }
                let mut bytes = [0; $bytes];
                hex::decode_to_slice(digits, &mut bytes).map_err(|_| TextError::Digit)?;
                Ok(Self(bytes))
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

fixed_bytes! {
    /// A hash of the tree: of a leaf, of two hashes below, or of nothing. 64 hexadecimal digits.
    Hash, 32, ""
}

fixed_bytes! {
    /// SHA-256 of something outside the log, which a leaf names by it. 64 hexadecimal digits.
    Digest, 32, ""
}

fixed_bytes! {
    /// The task whose proof a leaf speaks of: `tsk_` and 32 hexadecimal digits.
    TaskId, 16, "tsk_"
}

fixed_bytes! {
    /// What makes the commitment to some public inputs unlike any other: 32 bytes of randomness that
    /// only the task's owner is told. 64 hexadecimal digits.
    Salt, 32, ""
}

// === impl Digest ===

impl Digest {
    /// Computes the digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// Commits to public inputs by their digest: without the salt nobody can try values.
pub fn commit(salt: &Salt, public_inputs: &Digest) -> Digest {
    let mut hash = Sha256::new();
    hash.update(COMMITMENT_DOMAIN);
    hash.update(salt.0);
    hash.update(public_inputs.0);
    Digest(hash.finalize().into())
}

// === impl Hash ===

impl Hash {
    /// Returns the root of the tree without leaves: SHA-256 of nothing.
    pub fn empty() -> Self {
        Self(Sha256::digest([]).into())
    }

    /// Computes the hash of a leaf's bytes.
    pub fn of_leaf(bytes: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(LEAF_PREFIX);
        hash.update(bytes);
        Self(hash.finalize().into())
    }

    /// Computes the hash over two subtrees.
    #[must_use]
    pub fn of_node(left: &Self, right: &Self) -> Self {
        let mut hash = Sha256::new();
        hash.update(NODE_PREFIX);
        hash.update(left.0);
        hash.update(right.0);
        Self(hash.finalize().into())
    }
}
