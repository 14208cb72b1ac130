//! What several processes share in Redis: rate limits, finished tasks, locks.
//!
//! All of it may be gone at any time, and nothing is wrong then: a limit is counted by each process
//! on its own, a task is read where it is kept, a lock guards work that does no harm when two do it.
//! So an answer is waited for a tenth of a second at the most, and a server that keeps failing is
//! left alone by a circuit breaker. Nothing private is ever put here: no input, no key.

mod limit;
mod lock;

use std::fmt;
use std::time::Duration;

use deadpool_redis::{Manager, Pool};
use recloser::{AsyncRecloser, Recloser};
use redis::aio::MultiplexedConnection;
use redis::{ConnectionInfo, FromRedisValue, IntoConnectionInfo as _};
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

pub use limit::{Admission, RateLimit};
pub use lock::Lock;

use crate::limits::{
    REDIS_BREAKER_CALLS, REDIS_BREAKER_WAIT, REDIS_CONNECTIONS, REDIS_DOCUMENT_BYTES_MAX,
    REDIS_PATIENCE,
};

/// How to reach the server. Its `Debug` form leaves the password out.
#[derive(Clone, PartialEq, Eq)]
pub struct CacheConfig {
    /// `redis://HOST:PORT/DATABASE`, or `rediss://` for TLS.
    pub url: String,
    /// The password, if it is not in the address.
    pub password: Option<String>,
    /// What keeps clusters apart that share a server: all keys begin with it.
    pub prefix: String,
}

/// A handle to the server; clones share its connections.
#[derive(Clone)]
pub struct Cache {
    pool: Pool,
    breaker: AsyncRecloser,
    place: String,
    prefix: String,
}

/// Why the cache did not do what it was asked. Whoever asked goes on without it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The address does not read. Its text is not shown: it may hold a password.
    #[error("the cache's address is no redis://HOST:PORT")]
    Address,
    /// No connection was to be had.
    #[error("the cache could not be reached to {action}")]
    Connect {
        /// What was to be done.
        action: &'static str,
        /// Why.
        source: Box<deadpool_redis::PoolError>,
    },
    /// The server refused.
    #[error("the cache could not {action}")]
    Command {
        /// What was being done.
        action: &'static str,
        /// What the server said.
        source: redis::RedisError,
    },
    /// The server did not answer in time.
    #[error("the cache did not {action} within {} ms", REDIS_PATIENCE.as_millis())]
    Late {
        /// What was being done.
        action: &'static str,
    },
    /// The server kept failing and is left alone for a moment.
    #[error("the cache was not asked to {action}: it kept failing a moment ago")]
    Resting {
        /// What was to be done.
        action: &'static str,
    },
}

// === impl Cache ===

impl Cache {
    /// Makes a handle; nothing is asked of the server yet.
    ///
    /// # Errors
    /// [`CacheError::Address`].
    pub fn new(config: &CacheConfig) -> Result<Self, CacheError> {
        let info = connection(config)?;
        let place = info.addr().to_string();
        let manager = Manager::new(info).map_err(|_| CacheError::Address)?;
        // Fails only where timeouts are asked of a pool without a runtime: `ask` has its own.
        let pool = Pool::builder(manager)
            .max_size(REDIS_CONNECTIONS)
            .build()
            .map_err(|_| CacheError::Address)?;
        let breaker = Recloser::custom()
            .error_rate(0.5)
            .closed_len(REDIS_BREAKER_CALLS)
            .half_open_len(1)
            .open_wait(REDIS_BREAKER_WAIT)
            .build();
        Ok(Self {
            pool,
            breaker: breaker.into(),
            place,
            prefix: config.prefix.clone(),
        })
    }

    /// A document that was put under this name, unless it is gone.
    ///
    /// # Errors
    /// [`CacheError`]: it is not known whether there is one.
    pub async fn document(&self, name: &str) -> Result<Option<Vec<u8>>, CacheError> {
        let mut command = redis::cmd("GET");
        command.arg(self.key("document", name));
        self.command("read a document", &command).await
    }

    /// Puts a document where the other processes find it, for a while. One that is too large to be
    /// worth it is left out.
    ///
    /// # Errors
    /// [`CacheError`]: perhaps it is not there.
    pub async fn put_document(
        &self,
        name: &str,
        document: &[u8],
        keep: Duration,
    ) -> Result<(), CacheError> {
        if document.len() > REDIS_DOCUMENT_BYTES_MAX {
            return Ok(());
        }
        let mut command = redis::cmd("SET");
        command
            .arg(self.key("document", name))
            .arg(document)
            .arg("PX")
            .arg(millis(keep));
        self.command("keep a document", &command).await
    }

    /// Whether the server answers now.
    ///
    /// # Errors
    /// [`CacheError`]: it does not.
    pub async fn ping(&self) -> Result<(), CacheError> {
        self.command("answer", &redis::cmd("PING")).await
    }

    /// The key of something. A name may be anything and is hashed: no separator can be smuggled in.
    fn key(&self, kind: &str, name: &str) -> String {
        let digest = hex::encode(Sha256::digest(name.as_bytes()));
        format!("{}:{kind}:{digest}", self.prefix)
    }

    async fn command<T: FromRedisValue>(
        &self,
        action: &'static str,
        command: &redis::Cmd,
    ) -> Result<T, CacheError> {
        self.ask(action, async move |mut connection| {
            command.query_async(&mut connection).await
        })
        .await
    }

    /// Does something with a connection, unless the server kept failing a moment ago.
    async fn ask<T>(
        &self,
        action: &'static str,
        work: impl AsyncFnOnce(MultiplexedConnection) -> Result<T, redis::RedisError>,
    ) -> Result<T, CacheError> {
        let asked = async {
            let connection = self
                .pool
                .get()
                .await
                .map_err(|source| CacheError::Connect {
                    action,
                    source: Box::new(source),
                })?;
            // A clone speaks over the same connection, which goes back to the pool with its guard.
            work((*connection).clone())
                .await
                .map_err(|source| CacheError::Command { action, source })
        };
        let bounded = async {
            let late = |_| CacheError::Late { action };
            timeout(REDIS_PATIENCE, asked).await.map_err(late)?
        };
        match self.breaker.call(bounded).await {
            Ok(done) => Ok(done),
            Err(recloser::Error::Inner(error)) => Err(error),
            Err(recloser::Error::Rejected) => Err(CacheError::Resting { action }),
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({}, {})", self.place, self.prefix)
    }
}

// === impl CacheConfig ===

impl fmt::Debug for CacheConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match connection(self) {
            Ok(info) => write!(f, "CacheConfig({}, {})", info.addr(), self.prefix),
            Err(_) => f.write_str("CacheConfig(an address that does not read)"),
        }
    }
}

fn connection(config: &CacheConfig) -> Result<ConnectionInfo, CacheError> {
    let info = config.url.as_str().into_connection_info();
    let info = info.map_err(|_| CacheError::Address)?;
    Ok(match &config.password {
        Some(password) => {
            let settings = info.redis_settings().clone().set_password(password);
            info.set_redis_settings(settings)
        }
        None => info,
    })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}
