//! Keys of signed notes (C2SP signed-note) in their text forms, Ed25519 only.
//!
//! ```text
//! example.com/log+530d903a+AekyeR...                 what is published: name, id, type 1 and key
//! PRIVATE+KEY+example.com/log+530d903a+AYEK...       what signs: the same of the 32-byte seed
//! ```

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::limits::{KEY_TEXT_BYTES_MAX, NAME_BYTES_MAX};
use crate::note::NoteSignature;

/// The signature type of Ed25519 over the note's text.
const ED25519: u8 = 1;

/// Before the text of a key that signs, so that nobody takes it for the one to publish.
const SIGNER_PREFIX: &str = "PRIVATE+KEY+";

/// Why a text is no key. No variant carries a secret.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// A name is empty, too long, or has a space, a plus or a control character.
    #[error("a key's name has 1 to {max} bytes, and no space, plus or control character")]
    Name {
        /// The longest name allowed.
        max: u64,
    },
    /// It is no `name+id+base64`, or no `PRIVATE+KEY+name+id+base64`.
    #[error("no key in the form of signed notes")]
    Format,
    /// It is longer than any key.
    #[error("a key of {bytes} bytes, the limit is {max}")]
    TooLong {
        /// Its length.
        bytes: u64,
        /// The most allowed.
        max: u64,
    },
    /// It is of another type than Ed25519.
    #[error("a key of type {found}, this build knows type 1, Ed25519")]
    Type {
        /// Its type.
        found: u8,
    },
    /// The id does not follow from the name and the key: one of the three was changed.
    #[error("the key has the id {computed:08x}, its text says {found:08x}")]
    Id {
        /// The id in the text.
        found: u32,
        /// The id that the name and the key have.
        computed: u32,
    },
    /// The bytes are no public key of Ed25519, or one under which anything is signed.
    #[error("{name} has no usable Ed25519 key")]
    Weak {
        /// The name of the key.
        name: String,
    },
}

/// A key that verifies notes, with its name.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    key: VerifyingKey,
}

/// A key that signs notes, with its name. It shows its secret in no log; memory that held it is
/// wiped.
#[derive(Clone)]
pub struct SignerKey {
    verifier: VerifierKey,
    key: SigningKey,
}

// === impl VerifierKey ===

impl VerifierKey {
    /// Names a public key.
    ///
    /// # Errors
    /// [`KeyError::Name`] or [`KeyError::Weak`].
    pub fn new(name: &str, key: &[u8; 32]) -> Result<Self, KeyError> {
        check_name(name)?;
        let weak = || KeyError::Weak {
            name: name.to_owned(),
        };
        let verifying = VerifyingKey::from_bytes(key).map_err(|_| weak())?;
        if verifying.is_weak() {
            return Err(weak());
        }
        Ok(Self {
            name: name.to_owned(),
            id: id_of(name, key),
            key: verifying,
        })
    }

    /// Returns the name: the log's origin, or a witness's own.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the id, the first four bytes of a hash of name and key.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Returns the public key.
    pub fn public_key(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// Returns whether the bytes are this key's signature of a text.
    pub(crate) fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(text.as_bytes(), &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode(typed(self.key.as_bytes()).as_slice());
        write!(f, "{}+{:08x}+{key}", self.name, self.id)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, id, key) = parse(text)?;
        let verifier = Self::new(name, &key)?;
        check_id(id, verifier.id)?;
        Ok(verifier)
    }
}

// === impl SignerKey ===

impl SignerKey {
    /// Names a key by its seed: 32 bytes from the system's randomness, which only the caller has.
    ///
    /// # Errors
    /// [`KeyError::Name`].
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, &key.verifying_key().to_bytes())?;
        Ok(Self { verifier, key })
    }

    /// Reads a key that signs from its text.
    ///
    /// # Errors
    /// [`KeyError`] unless it is one.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let (name, id, seed) = parse(text.strip_prefix(SIGNER_PREFIX).ok_or(KeyError::Format)?)?;
        let signer = Self::from_seed(name, &seed)?;
        check_id(id, signer.verifier.id)?;
        Ok(signer)
    }

    /// Writes the key with its secret, for the file that keeps it.
    pub fn to_text(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new(self.key.to_bytes());
        let key = Zeroizing::new(STANDARD.encode(typed(&seed).as_slice()));
        let VerifierKey { name, id, .. } = &self.verifier;
        Zeroizing::new(format!("{SIGNER_PREFIX}{name}+{id:08x}+{}", *key))
    }

    /// Returns the key that verifies what this one signs.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs the text of a note. Ed25519 needs no randomness: a text has one signature.
    pub(crate) fn sign(&self, text: &str) -> NoteSignature {
        NoteSignature {
            name: self.verifier.name.clone(),
            id: self.verifier.id,
            signature: self.key.sign(text.as_bytes()).to_bytes().to_vec(),
        }
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SignerKey({}+{:08x})",
            self.verifier.name, self.verifier.id
        )
    }
}

/// Reads `name+id+base64(type, 32 bytes)`. The base64 may hold a plus itself.
fn parse(text: &str) -> Result<(&str, u32, Zeroizing<[u8; 32]>), KeyError> {
    if text.len() > KEY_TEXT_BYTES_MAX {
        return Err(KeyError::TooLong {
            bytes: text.len() as u64,
            max: KEY_TEXT_BYTES_MAX as u64,
        });
    }
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyError::Format);
    };
    check_name(name)?;
    let mut id_bytes = [0; 4];
    if id.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(KeyError::Format);
    }
    hex::decode_to_slice(id, &mut id_bytes).map_err(|_| KeyError::Format)?;
    let typed = Zeroizing::new(STANDARD.decode(key).map_err(|_| KeyError::Format)?);
    let (&kind, key) = typed.split_first().ok_or(KeyError::Format)?;
    if kind != ED25519 {
        return Err(KeyError::Type { found: kind });
    }
    let key = key.try_into().map_err(|_| KeyError::Format)?;
    Ok((name, u32::from_be_bytes(id_bytes), Zeroizing::new(key)))
}

/// Puts the type before a key.
fn typed(key: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(1 + key.len()));
    bytes.push(ED25519);
    bytes.extend_from_slice(key);
    bytes
}

/// Computes a key's id: it ties the type and the key to the name.
fn id_of(name: &str, key: &[u8; 32]) -> u32 {
    let mut hash = Sha256::new();
    hash.update(name.as_bytes());
    hash.update(b"\n");
    hash.update([ED25519]);
    hash.update(key);
    let full: [u8; 32] = hash.finalize().into();
    let [a, b, c, d, ..] = full;
    u32::from_be_bytes([a, b, c, d])
}

fn check_id(found: u32, computed: u32) -> Result<(), KeyError> {
    if found != computed {
        return Err(KeyError::Id { found, computed });
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), KeyError> {
    if is_name(name) {
        return Ok(());
    }
    Err(KeyError::Name {
        max: NAME_BYTES_MAX as u64,
    })
}

/// Returns whether a text can name a key.
pub(crate) fn is_name(name: &str) -> bool {
    let allowed = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(allowed)
}
