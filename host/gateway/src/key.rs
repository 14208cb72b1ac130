//! API keys as text: what a caller sends, what is shown once, and what is written down instead.
//!
//! ```text
//! aur_0123456789abcdef_<40 hex digits>    the key: its public part, then its secret
//! aur_0123456789abcdef:<64 hex digits>    its hash: the public part, then SHA-256 of the secret
//! ```

use std::fmt;
use std::str::FromStr;

use aureole_ledger::{Digest, KeyId};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::Zeroizing;

/// Bytes of a key's secret. 160 bits from the operating system's randomness: nobody guesses them,
/// and a plain hash hides them as well as a slow one.
const SECRET_BYTES: usize = 20;

/// An API key. It is shown to its holder once, when it is made; nobody keeps it.
pub struct ApiKey {
    id: KeyId,
    secret: Zeroizing<[u8; SECRET_BYTES]>,
}

/// What is kept of a key: enough to know it again, not enough to use it.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct KeyHash {
    /// The key's public part.
    pub id: KeyId,
    /// SHA-256 of its secret.
    pub secret: Digest,
}

/// The text is the hash of no key.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the hash of a key is aur_, 16 hex digits, a colon and 64 hex digits")]
pub struct KeyHashError;

// === impl ApiKey ===

impl ApiKey {
    /// Makes a key.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn fresh() -> Result<Self, getrandom::Error> {
        let mut id = [0; 8];
        getrandom::fill(&mut id)?;
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        getrandom::fill(secret.as_mut())?;
        Ok(Self {
            id: KeyId::from_bytes(id),
            secret,
        })
    }

    /// Reads a key; `None` when the text is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, digits) = text.rsplit_once('_')?;
        if digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        hex::decode_to_slice(digits, secret.as_mut()).ok()?;
        Some(Self {
            id: id.parse().ok()?,
            secret,
        })
    }

    /// The key as its holder sends it.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        let digits = Zeroizing::new(hex::encode(self.secret.as_ref()));
        Zeroizing::new(format!("{}_{}", self.id, digits.as_str()))
    }

    /// What may be kept of it.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash {
            id: self.id,
            secret: Digest::of(self.secret.as_ref()),
        }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_[secret]", self.id)
    }
}

// === impl KeyHash ===

impl KeyHash {
    /// Whether both are of one key. The time it takes says nothing of where they differ.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.id == other.id && bool::from(self.secret.as_bytes().ct_eq(other.secret.as_bytes()))
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.id, self.secret)
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:[hash]", self.id)
    }
}

impl FromStr for KeyHash {
    type Err = KeyHashError;

    fn from_str(text: &str) -> Result<Self, KeyHashError> {
        let (id, secret) = text.split_once(':').ok_or(KeyHashError)?;
        Ok(Self {
            id: id.parse().map_err(|_| KeyHashError)?,
            secret: secret.parse().map_err(|_| KeyHashError)?,
        })
    }
}

#[cfg(test)]
mod tests {
    //! A key reads back, differs from every other, and shows its secret nowhere by itself.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::{ApiKey, KeyHash};

    #[test]
    fn a_key_reads_back_and_its_hash_too() {
        let key = ApiKey::fresh().unwrap();
        let text = key.text();
        assert_eq!((text.len(), &text[..4]), (61, "aur_"));
        let read = ApiKey::parse(&text).unwrap();
        assert!(read.hash().matches(&key.hash()));
        let hash: KeyHash = key.hash().to_string().parse().unwrap();
        assert!(hash.matches(&key.hash()));
    }

    #[test]
    fn two_keys_match_neither_by_their_name_nor_by_their_secret_alone() {
        let (one, two) = (ApiKey::fresh().unwrap(), ApiKey::fresh().unwrap());
        assert!(!one.hash().matches(&two.hash()));
        let mixed = KeyHash {
            id: one.hash().id,
            secret: two.hash().secret,
        };
        assert!(!mixed.matches(&one.hash()) && !mixed.matches(&two.hash()));
    }

    #[test]
    fn what_is_no_key_does_not_read() {
        let text = ApiKey::fresh().unwrap().text();
        let upper = text.to_uppercase();
        let secret_up = format!("{}{}", &text[..21], text[21..].to_uppercase());
        for wrong in [
            "",
            "aur_",
            &text[..60],
            &text[4..],
            &format!("{}0", *text),
            &upper,
            &format!(" {}", *text),
        ] {
            assert!(ApiKey::parse(wrong).is_none(), "{wrong}");
        }
        let has_letters = text[21..].bytes().any(|byte| byte.is_ascii_alphabetic());
        assert_eq!(ApiKey::parse(&secret_up).is_none(), has_letters);
        for wrong in ["", "aur_00:00", &*text] {
            assert!(wrong.parse::<KeyHash>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_not_in_debug_output() {
        let key = ApiKey::fresh().unwrap();
        let shown = format!("{key:?} {:?}", key.hash());
        assert!(!shown.contains(&key.text()[21..]), "{shown}");
        assert!(!shown.contains(&key.hash().secret.to_string()), "{shown}");
    }
}
