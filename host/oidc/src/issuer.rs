//! An issuer: its keys, fetched when they are needed and kept while they count.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use reqwest::Client;
use serde::Deserialize;
use thiserror::Error;

use crate::fetch::{self, FetchError};
use crate::keyset::KeySet;
use crate::limits::{FETCH_EVERY, FRESH_FOR, STALE_MAX};
use crate::rules::Rules;
use crate::token::{self, Bearer, Head, Refusal};

/// Checks the tokens of one issuer.
pub struct Issuer {
    rules: Rules,
    client: Client,
    known: Mutex<Known>,
    /// Held while keys are fetched: one fetch at a time.
    fetching: tokio::sync::Mutex<()>,
}

/// Why a token got nobody in.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The token is not good.
    #[error("the token is refused: {0}")]
    Refused(Refusal),
    /// Nobody knows: the issuer's keys are not to be had.
    #[error("the issuer's keys are not to be had: {reason}")]
    Away {
        /// What came of the last fetch.
        reason: String,
    },
}

/// What a process cannot check tokens without.
#[derive(Debug, Error)]
#[error("no connection could ever be made: {reason}")]
pub struct ClientError {
    reason: String,
}

#[derive(Default)]
struct Known {
    keys: KeySet,
    fetched: Option<Instant>,
    tried: Option<Instant>,
    /// What came of the last fetch, if it failed.
    failure: Option<String>,
}

/// What discovery says (OpenID Connect Discovery 1.0, section 3), as far as it is needed.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

// === impl Issuer ===

impl Issuer {
    /// An issuer whose keys are fetched with its first token.
    ///
    /// # Errors
    /// [`ClientError`] when this machine's TLS cannot be set up.
    pub fn new(rules: Rules) -> Result<Self, ClientError> {
        let client = fetch::client().map_err(|error| ClientError {
            reason: error.to_string(),
        })?;
        Ok(Self {
            rules,
            client,
            known: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        })
    }

    /// Checks a token.
    ///
    /// # Errors
    /// [`CheckError`]: it is not good, or the issuer's keys are not to be had.
    pub async fn check(&self, token: &str) -> Result<Bearer, CheckError> {
        let head = token::head(token).map_err(CheckError::Refused)?;
        if !self.has_fresh(&head) {
            self.refresh(&head).await;
        }
        let keys = {
            let known = self.known();
            if known.fetched.is_none_or(|at| at.elapsed() >= STALE_MAX) {
                let reason = known.failure.clone().unwrap_or_default();
                return Err(CheckError::Away { reason });
            }
            known.keys.clone()
        };
        token::check(token, &head, &keys, &self.rules).map_err(CheckError::Refused)
    }

    /// Whether what is known settles a token with this header.
    fn has_fresh(&self, head: &Head) -> bool {
        let known = self.known();
        let fresh = known.fetched.is_some_and(|at| at.elapsed() < FRESH_FOR);
        let mut candidates = known
            .keys
            .candidates(head.key_id.as_deref(), head.algorithm);
        fresh && candidates.next().is_some()
    }

    /// Fetches the keys, unless that was tried a moment ago or somebody has just done it.
    async fn refresh(&self, head: &Head) {
        let _one = self.fetching.lock().await;
        let lately = self
            .known()
            .tried
            .is_some_and(|at| at.elapsed() < FETCH_EVERY);
        if lately || self.has_fresh(head) {
            return;
        }
        let fetched = self.fetch().await;
        let mut known = self.known();
        let now = Instant::now();
        known.tried = Some(now);
        match fetched {
            Ok(keys) => {
                known.keys = keys;
                known.fetched = Some(now);
                known.failure = None;
            }
            Err(error) => {
                tracing::warn!(%error, "the keys of the issuer of tokens were not fetched");
                known.failure = Some(error.to_string());
            }
        }
    }

    async fn fetch(&self) -> Result<KeySet, FetchError> {
        let url = self.rules.discovery();
        let bytes = fetch::document(&self.client, &url).await?;
        let found: Discovery =
            serde_json::from_slice(&bytes).map_err(|error| FetchError::Document {
                url: url.clone(),
                reason: error.to_string(),
            })?;
        if found.issuer != self.rules.name {
            return Err(FetchError::OtherIssuer {
                url,
                found: found.issuer,
            });
        }
        let url = found.jwks_uri;
        let bytes = fetch::document(&self.client, &url).await?;
        let keys = KeySet::parse(&bytes).map_err(|error| FetchError::Document {
            url: url.clone(),
            reason: error.to_string(),
        })?;
        if keys.is_empty() {
            return Err(FetchError::NoKey { url });
        }
        Ok(keys)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
