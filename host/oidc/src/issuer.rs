//! An issuer: its keys, fetched when they are needed and kept while they count.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use reqwest::Client;
use serde::Deserialize;
use thiserror::Error;
use tokio::sync::watch;

use crate::fetch::{self, FetchError};
use crate::keyset::KeySet;
use crate::limits::{FETCH_EVERY, FRESH_FOR, STALE_MAX};
use crate::rules::Rules;
use crate::token::{self, Bearer, Head, Refusal};

/// Checks the tokens of one issuer.
pub struct Issuer {
    shared: Arc<Shared>,
}

/// What a fetch outlives its caller with.
struct Shared {
    rules: Rules,
    client: Client,
    known: Mutex<Known>,
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
    /// When a fetch last began or ended.
    tried: Option<Instant>,
    /// Open while keys are fetched: one fetch at a time.
    fetching: Option<watch::Receiver<()>>,
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
            shared: Arc::new(Shared {
                rules,
                client,
                known: Mutex::default(),
            }),
        })
    }

    /// Checks a token.
    ///
    /// # Errors
    /// [`CheckError`]: it is not good, or the issuer's keys are not to be had.
    ///
    /// # Cancel safety
    /// A fetch that a dropped call began goes on, for whoever asks next.
    pub async fn check(&self, token: &str) -> Result<Bearer, CheckError> {
        let head = token::head(token).map_err(CheckError::Refused)?;
        let shared = &self.shared;
        if !shared.has_fresh(&head)
            && let Some(mut fetched) = Shared::refresh(shared)
            && !shared.may_go_on(&head)
        {
            // The channel ends with the fetch, and brings nothing.
            drop(fetched.changed().await);
        }
        let keys = {
            let known = shared.known();
            if known.fetched.is_none_or(|at| at.elapsed() >= STALE_MAX) {
                let reason = known.failure.clone().unwrap_or_default();
                return Err(CheckError::Away { reason });
            }
            known.keys.clone()
        };
        token::check(token, &head, &keys, &shared.rules).map_err(CheckError::Refused)
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("rules", &self.shared.rules)
            .finish_non_exhaustive()
    }
}

// === impl Shared ===

impl Shared {
    /// Whether what is known settles a token with this header.
    fn has_fresh(&self, head: &Head) -> bool {
        let known = self.known();
        let fresh = known.fetched.is_some_and(|at| at.elapsed() < FRESH_FOR);
        fresh && known.has_candidate(head)
    }

    /// Whether a token with this header is checked while keys are fetched: only by keys that were
    /// left to count because the issuer is away. Else a key that was taken back would count once more.
    fn may_go_on(&self, head: &Head) -> bool {
        let known = self.known();
        known.failure.is_some() && known.has_candidate(head)
    }

    /// Has the keys fetched, unless that was tried a moment ago; what it returns closes at the end of
    /// the fetch, this one or the one under way. The fetch is a task of its own, and counts as tried
    /// from its beginning: callers who go away neither end it nor have another made.
    fn refresh(shared: &Arc<Self>) -> Option<watch::Receiver<()>> {
        let mut known = shared.known();
        let under_way = known.fetching.as_ref();
        if let Some(fetching) = under_way.filter(|fetching| fetching.has_changed().is_ok()) {
            return Some(fetching.clone());
        }
        if known.tried.is_some_and(|at| at.elapsed() < FETCH_EVERY) {
            return None;
        }
        let (fetching, fetched) = watch::channel(());
        known.tried = Some(Instant::now());
        known.fetching = Some(fetched.clone());
        drop(known);
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            let found = shared.fetch().await;
            shared.keep(found);
            drop(fetching);
        });
        Some(fetched)
    }

    /// Notes what came of a fetch.
    fn keep(&self, found: Result<KeySet, FetchError>) {
        let mut known = self.known();
        let now = Instant::now();
        known.tried = Some(now);
        match found {
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

// === impl Known ===

impl Known {
    fn has_candidate(&self, head: &Head) -> bool {
        let key_id = head.key_id.as_deref();
        self.keys
            .candidates(key_id, head.algorithm)
            .next()
            .is_some()
    }
}
