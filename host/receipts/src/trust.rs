//! Whose word counts: the keys somebody trusts, and how many of them a note must bear.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::limits::KEYS_MAX;
use crate::{Note, NoteSignature, VerifierKey};

/// Why keys cannot be trusted together, or a note is not trusted.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustError {
    /// There are more keys than anybody holds.
    #[error("{found} trusted keys, the limit is {max}")]
    TooMany {
        /// How many.
        found: u64,
        /// The most allowed.
        max: u64,
    },
    /// Two keys have the same name and id, or the same public key, which would count twice.
    #[error("the key {name}+{id:08x} is trusted twice")]
    Repeated {
        /// The name of the second.
        name: String,
        /// Its id.
        id: u32,
    },
    /// More signatures are asked for than there are keys.
    #[error("{wanted} signatures cannot come from {keys} trusted keys")]
    Unreachable {
        /// How many are asked for.
        wanted: u64,
        /// How many keys there are.
        keys: u64,
    },
    /// A trusted key did not sign this text, though the note says so: it was changed.
    #[error("the signature of {name}+{id:08x} does not hold")]
    Forged {
        /// The name of the key.
        name: String,
        /// Its id.
        id: u32,
    },
    /// Too few trusted keys signed.
    #[error("{found} trusted keys signed, {wanted} must have")]
    TooFew {
        /// How many did.
        found: u64,
        /// How many must have.
        wanted: u64,
    },
}

/// The keys that somebody trusts: a log's own, through rotations, and its witnesses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKeys {
    keys: Vec<VerifierKey>,
    wanted: usize,
}

// === impl TrustedKeys ===

impl TrustedKeys {
    /// Trusts each of some keys alone.
    ///
    /// # Errors
    /// [`TrustError::TooMany`], [`TrustError::Repeated`], or [`TrustError::Unreachable`] without any.
    pub fn new(keys: Vec<VerifierKey>) -> Result<Self, TrustError> {
        Self::at_least(1, keys)
    }

    /// Trusts some keys if that many of them sign.
    ///
    /// # Errors
    /// [`TrustError::TooMany`], [`TrustError::Repeated`], or [`TrustError::Unreachable`] if that is
    /// none or more than there are.
    pub fn at_least(wanted: usize, keys: Vec<VerifierKey>) -> Result<Self, TrustError> {
        if keys.len() > KEYS_MAX {
            return Err(TrustError::TooMany {
                found: keys.len() as u64,
                max: KEYS_MAX as u64,
            });
        }
        if wanted == 0 || wanted > keys.len() {
            return Err(TrustError::Unreachable {
                wanted: wanted as u64,
                keys: keys.len() as u64,
            });
        }
        let mut names = BTreeSet::new();
        let mut publics = BTreeSet::new();
        for key in &keys {
            let fresh = names.insert((key.name(), key.id())) && publics.insert(key.public_key());
            if !fresh {
                return Err(TrustError::Repeated {
                    name: key.name().to_owned(),
                    id: key.id(),
                });
            }
        }
        Ok(Self { keys, wanted })
    }

    /// Returns the keys.
    pub fn keys(&self) -> &[VerifierKey] {
        &self.keys
    }

    /// Checks the signatures of a note and returns the trusted keys that signed, each once.
    ///
    /// Signatures of other keys are ignored, as the format asks: they may be of a type that this build
    /// does not know. One that says it is of a trusted key must hold.
    ///
    /// # Errors
    /// [`TrustError::Forged`] or [`TrustError::TooFew`].
    pub fn check(&self, note: &Note) -> Result<Vec<&VerifierKey>, TrustError> {
        let mut signers: Vec<&VerifierKey> = Vec::new();
        for signature in note.signatures() {
            let Some(key) = self.key_of(signature) else {
                continue;
            };
            if !key.verifies(note.text(), signature.signature()) {
                return Err(TrustError::Forged {
                    name: key.name().to_owned(),
                    id: key.id(),
                });
            }
            if !signers.contains(&key) {
                signers.push(key);
            }
        }
        if signers.len() < self.wanted {
            return Err(TrustError::TooFew {
                found: signers.len() as u64,
                wanted: self.wanted as u64,
            });
        }
        Ok(signers)
    }

    fn key_of(&self, signature: &NoteSignature) -> Option<&VerifierKey> {
        self.keys
            .iter()
            .find(|key| key.name() == signature.name() && key.id() == signature.id())
    }
}
