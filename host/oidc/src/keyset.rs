//! An issuer's keys (RFC 7517): which of them count, and for which algorithms.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use crate::limits::{KEYS_MAX, RSA_BYTES_MIN};

/// The keys that count.
#[derive(Clone, Default)]
pub(crate) struct KeySet(Vec<Key>);

/// A key, and what it may sign with.
#[derive(Clone)]
pub(crate) struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    pub(crate) key: DecodingKey,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

// === impl KeySet ===

impl KeySet {
    /// Reads a set. Keys that cannot sign a token here are left out: a set may hold others.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let document: Document = serde_json::from_slice(bytes)?;
        let keys = document.keys.into_iter().take(KEYS_MAX).filter_map(|key| {
            let key = serde_json::from_value::<Jwk>(key).ok()?;
            Key::new(&key)
        });
        Ok(Self(keys.collect()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys that may have signed a token with this header.
    pub(crate) fn candidates<'a>(
        &'a self,
        id: Option<&'a str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'a Key> {
        self.0.iter().filter(move |key| {
            let named = id.is_none() || key.id.as_deref() == id;
            named && key.algorithms.contains(&algorithm)
        })
    }
}

// === impl Key ===

impl Key {
    fn new(key: &Jwk) -> Option<Self> {
        if !matches!(
            key.common.public_key_use,
            None | Some(PublicKeyUse::Signature)
        ) {
            return None;
        }
        let mut algorithms = algorithms(&key.algorithm)?;
        if let Some(only) = key.common.key_algorithm {
            let only = Algorithm::try_from(only).ok()?;
            algorithms.retain(|algorithm| *algorithm == only);
        }
        (!algorithms.is_empty()).then_some(())?;
        Some(Self {
            id: key.common.key_id.clone(),
            algorithms,
            key: DecodingKey::from_jwk(key).ok()?,
        })
    }
}

/// What a key of these parameters may sign with; nothing for a secret one, or one that is too short.
fn algorithms(parameters: &AlgorithmParameters) -> Option<Vec<Algorithm>> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    Some(match parameters {
        AlgorithmParameters::RSA(rsa) => {
            let modulus = URL_SAFE_NO_PAD.decode(rsa.n.as_bytes()).ok()?;
            let length = modulus.iter().skip_while(|byte| **byte == 0).count();
            (length >= RSA_BYTES_MIN).then_some(())?;
            vec![RS256, RS384, RS512, PS256, PS384, PS512]
        }
        AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
            EllipticCurve::P256 => vec![ES256],
            EllipticCurve::P384 => vec![ES384],
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(pair) => match pair.curve {
            EllipticCurve::Ed25519 => vec![EdDSA],
            _ => return None,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    //! Of a set only those keys count that could have signed a token for us.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use jsonwebtoken::Algorithm;
    use serde_json::{Value, json};

    use super::KeySet;

    fn set(keys: &Value) -> KeySet {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    fn rsa(bytes: usize, more: &Value) -> Value {
        let mut key =
            json!({"kty": "RSA", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode(vec![0x81; bytes])});
        for (name, value) in more.as_object().unwrap() {
            key[name] = value.clone();
        }
        key
    }

    fn count(set: &KeySet, id: Option<&str>, algorithm: Algorithm) -> usize {
        set.candidates(id, algorithm).count()
    }

    #[test]
    fn a_short_key_a_secret_one_and_one_for_encryption_do_not_count() {
        assert!(set(&json!([rsa(255, &json!({}))])).is_empty());
        assert!(set(&json!([{"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}])).is_empty());
        assert!(set(&json!([rsa(256, &json!({"use": "enc"}))])).is_empty());
        assert!(set(&json!([{"kty": "new"}, 7, rsa(256, &json!({"alg": "RSA-OAEP"}))])).is_empty());
    }

    #[test]
    fn a_key_counts_for_its_algorithm_alone() {
        let one = set(&json!([rsa(256, &json!({"kid": "a", "alg": "RS256"}))]));
        assert_eq!(count(&one, Some("a"), Algorithm::RS256), 1);
        assert_eq!(count(&one, None, Algorithm::RS256), 1);
        assert_eq!(count(&one, Some("b"), Algorithm::RS256), 0);
        assert_eq!(count(&one, Some("a"), Algorithm::PS256), 0);
        assert_eq!(count(&one, Some("a"), Algorithm::HS256), 0);
        let any = set(&json!([rsa(256, &json!({"kid": "a"}))]));
        assert_eq!(count(&any, Some("a"), Algorithm::PS256), 1);
        assert_eq!(count(&any, Some("a"), Algorithm::ES256), 0);
    }

    #[test]
    fn no_more_keys_are_looked_at_than_the_limit() {
        let keys: Vec<Value> = (0..100).map(|_| rsa(256, &json!({}))).collect();
        assert_eq!(count(&set(&json!(keys)), None, Algorithm::RS256), 64);
    }
}
