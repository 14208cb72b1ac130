//! Signatures of the Standard Webhooks scheme: HMAC-SHA-256 over id, time and body.
//!
//! The time is signed, so that a receiver refuses what somebody recorded; the id stays the same over
//! all attempts, so that it knows what it has had already.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What a secret's text begins with.
const PREFIX: &str = "whsec_";

/// The version of the scheme, before each signature.
const VERSION: &str = "v1";

/// The key that a receiver checks signatures with. Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey([u8; 32]);

// === impl SigningKey ===

impl SigningKey {
    /// A key of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret as a receiver is given it: `whsec_` and the bytes in base64.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(self.0))
    }

    /// Reads a secret's text.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The `webhook-signature` of a message.
    pub fn sign(&self, id: &str, seconds: u64, body: &[u8]) -> String {
        let tag = self.mac(id, seconds, body).finalize().into_bytes();
        format!("{VERSION},{}", STANDARD.encode(tag))
    }

    fn mac(&self, id: &str, seconds: u64, body: &[u8]) -> Hmac<Sha256> {
        // A key shorter than the block is padded with zeros (RFC 2104).
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        mac
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// Says whether one of the signatures in a `webhook-signature` is the key's, in constant time. What
/// receivers do; whether the time is near is theirs to check.
pub fn verify(key: &SigningKey, id: &str, seconds: u64, body: &[u8], signatures: &str) -> bool {
    signatures.split(' ').any(|signature| {
        let tag = signature.strip_prefix(VERSION);
        let tag = tag.and_then(|tag| tag.strip_prefix(','));
        tag.and_then(|tag| STANDARD.decode(tag).ok())
            .is_some_and(|tag| key.mac(id, seconds, body).verify_slice(&tag).is_ok())
    })
}

#[cfg(test)]
mod tests {
    //! The scheme's own example, and each part that a signature binds.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::{SigningKey, verify};

    fn key() -> SigningKey {
        SigningKey::from_bytes([7; 32])
    }

    #[test]
    fn a_signature_is_that_of_any_hmac() {
        // printf 'evt_1.1700000000.{}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707..07
        let expected = "v1,a1DASGgVAakARPzCBfaKZ61ux1lULadh72WCLbrcpuA=";
        assert_eq!(key().sign("evt_1", 1_700_000_000, b"{}"), expected);
    }

    #[test]
    fn a_secret_reads_back_and_its_debug_form_hides_it() {
        let text = key().reveal();
        assert_eq!(SigningKey::parse(&text), Some(key()));
        assert_eq!(SigningKey::parse("whsec_AAAA"), None);
        assert_eq!(SigningKey::parse(text.trim_start_matches("whsec_")), None);
        assert_eq!(format!("{:?}", key()), "SigningKey");
    }

    #[test]
    fn a_signature_binds_key_id_time_and_body() {
        let signature = key().sign("evt_1", 5, b"body");
        assert!(verify(&key(), "evt_1", 5, b"body", &signature));
        let two = format!("v1,AAAA {signature}");
        assert!(verify(&key(), "evt_1", 5, b"body", &two), "one of several");
        let other = SigningKey::from_bytes([8; 32]);
        assert!(!verify(&other, "evt_1", 5, b"body", &signature));
        assert!(!verify(&key(), "evt_2", 5, b"body", &signature));
        assert!(!verify(&key(), "evt_1", 6, b"body", &signature));
        assert!(!verify(&key(), "evt_1", 5, b"body.", &signature));
        for bad in ["", "v1,", "v1", "v2,AAAA", &signature[3..]] {
            assert!(!verify(&key(), "evt_1", 5, b"body", bad), "{bad:?}");
        }
    }
}
