//! Blobs of the coordinators, behind a cache on this machine's disk.
//!
//! ```text
//! get ──▸ cache ── lacks it ──▸ parts from the coordinators, in parallel ──▸ checked ──▸ cache
//! put ──▸ one coordinator, which answers when a majority has it on disk
//! ```
//!
//! Any coordinator will do: one that lacks a blob pulls it from another, and one that is given a
//! blob brings it to the others. Those that lead, or answered last, are asked first. A call that
//! fails is tried again elsewhere, with jittered waits, for as long as an election or a restart
//! takes; a coordinator that keeps failing is left alone for a while by a circuit breaker.

mod cache;
mod home;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use aureole_store::{BLOB_BYTES_MAX, BlobSource, Blobs, DepotError, Digest, Holder, pull};
use aureole_telemetry::WorkerMeters;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::connect::Connect;
use crate::limits::{BLOB_CACHE_BYTES, BLOB_PATIENCE, BLOB_RETRY};
use cache::Cache;
use home::Home;

/// Where a worker keeps blobs, and whom it asks for them.
#[derive(Clone, Debug)]
pub struct RemoteConfig {
    /// The cache's folder, this process's alone.
    pub dir: PathBuf,
    /// The most the cache holds. Default 2 GiB.
    pub cache_bytes: u64,
    /// Addresses of coordinators, `host:port`.
    pub coordinators: Vec<String>,
    /// How long a call may take in all. Default 30 s.
    pub patience: Duration,
    /// Where looks into the cache are counted. Default silent.
    pub meters: WorkerMeters,
}

/// Blobs of the coordinators. Cheap to clone; all clones share the cache.
#[derive(Clone)]
pub struct RemoteBlobs {
    inner: Arc<Inner>,
}

struct Inner {
    config: RemoteConfig,
    cache: Cache,
    connect: Arc<dyn Connect>,
    homes: Mutex<Homes>,
    /// One pull of a blob at a time; whoever comes second finds it in the cache.
    pulls: Mutex<BTreeMap<Digest, Weak<tokio::sync::Mutex<()>>>>,
}

#[derive(Default)]
struct Homes {
    /// Addresses to ask first.
    preferred: Vec<String>,
    made: BTreeMap<String, Home>,
}

// === impl RemoteConfig ===

impl RemoteConfig {
    /// The defaults for a folder and coordinators.
    pub fn new(dir: impl Into<PathBuf>, coordinators: Vec<String>) -> Self {
        Self {
            dir: dir.into(),
            cache_bytes: BLOB_CACHE_BYTES,
            coordinators,
            patience: BLOB_PATIENCE,
            meters: WorkerMeters::default(),
        }
    }
}

// === impl RemoteBlobs ===

impl RemoteBlobs {
    /// Opens the cache; what it held before is used again.
    ///
    /// # Errors
    /// [`DepotError::InUse`], [`DepotError::Io`].
    pub async fn open(config: RemoteConfig, connect: Arc<dyn Connect>) -> Result<Self, DepotError> {
        let cache = Cache::open(&config.dir, config.cache_bytes).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                config,
                cache,
                connect,
                homes: Mutex::default(),
                pulls: Mutex::default(),
            }),
        })
    }

    /// Says whom to ask first from now on: the leader, then the other members. Those of the
    /// configuration are asked after them.
    pub fn prefer(&self, addresses: Vec<String>) {
        self.inner.homes().preferred = addresses;
    }

    /// Bytes that the cache holds.
    pub fn cached_bytes(&self) -> u64 {
        self.inner.cache.bytes()
    }

    /// Asks the coordinators in order to store a blob.
    async fn put_once(&self, digest: &Digest, bytes: &Bytes) -> Result<(), DepotError> {
        let mut seen = nobody(digest);
        for home in self.inner.in_order() {
            match home.put(digest, bytes).await {
                Ok(()) => return Ok(()),
                // Another's disk may have room, another may reach a majority.
                Err(error) => seen = error,
            }
        }
        Err(seen)
    }

    /// Asks the coordinators in order whether there is a blob.
    async fn has_once(&self, digest: &Digest) -> Result<bool, DepotError> {
        let mut seen = nobody(digest);
        for home in self.inner.in_order() {
            match home.has(digest).await {
                Err(error) if may_pass(&error) => seen = error,
                answer => return answer,
            }
        }
        Err(seen)
    }

    async fn pull_once(&self, digest: &Digest, max: u64) -> Result<Bytes, DepotError> {
        match self.inner.holders().as_slice() {
            [] => Err(nobody(digest)),
            holders => pull(digest, max, holders).await,
        }
    }

    /// Waits for a pull of the same blob.
    async fn turn(&self, digest: &Digest) -> OwnedMutexGuard<()> {
        let turn = {
            let pulls = &self.inner.pulls;
            let mut pulls = pulls.lock().unwrap_or_else(PoisonError::into_inner);
            pulls.retain(|_, turn| turn.strong_count() > 0);
            let turn = pulls
                .get(digest)
                .and_then(Weak::upgrade)
                .unwrap_or_default();
            pulls.insert(*digest, Arc::downgrade(&turn));
            turn
        };
        turn.lock_owned().await
    }
}

#[async_trait]
impl Blobs for RemoteBlobs {
    async fn put(&self, bytes: Bytes) -> Result<Digest, DepotError> {
        if bytes.len() as u64 > BLOB_BYTES_MAX {
            return Err(DepotError::TooLarge {
                max: BLOB_BYTES_MAX,
            });
        }
        let digest = Digest::of(&bytes);
        let mut patience = self.inner.patience();
        while let Err(error) = patience
            .bound(&digest, self.put_once(&digest, &bytes))
            .await
        {
            patience.wait(error).await?;
        }
        self.inner.cache.keep(&digest, bytes).await;
        Ok(digest)
    }

    async fn put_stream(
        &self,
        mut source: BlobSource,
        max: u64,
    ) -> Result<(Digest, u64), DepotError> {
        let max = max.min(BLOB_BYTES_MAX);
        let mut bytes = Vec::new();
        let mut bounded = (&mut source).take(max.saturating_add(1));
        let read = bounded.read_to_end(&mut bytes).await;
        let length = bytes.len() as u64;
        read.map_err(|source| DepotError::Source {
            bytes: length,
            source,
        })?;
        if length > max {
            return Err(DepotError::TooLarge { max });
        }
        Ok((self.put(bytes.into()).await?, length))
    }

    async fn get(&self, digest: &Digest, max: u64) -> Result<Bytes, DepotError> {
        let kept = self.inner.cache.get(digest, max).await?;
        self.inner.config.meters.looked("blobs", kept.is_some());
        if let Some(bytes) = kept {
            return Ok(bytes);
        }
        let turn = self.turn(digest).await;
        if let Some(bytes) = self.inner.cache.get(digest, max).await? {
            return Ok(bytes);
        }
        let mut patience = self.inner.patience();
        let bytes = loop {
            match patience.bound(digest, self.pull_once(digest, max)).await {
                Ok(bytes) => break bytes,
                Err(error) => patience.wait(error).await?,
            }
        };
        let (inner, digest, kept) = (Arc::clone(&self.inner), *digest, bytes.clone());
        // Whoever asked need not wait for the disk; whoever asks next does.
        tokio::spawn(async move {
            inner.cache.keep(&digest, kept).await;
            drop(turn);
        });
        Ok(bytes)
    }

    async fn contains(&self, digest: &Digest) -> Result<bool, DepotError> {
        if self.inner.cache.contains(digest) {
            return Ok(true);
        }
        let mut patience = self.inner.patience();
        loop {
            match patience.bound(digest, self.has_once(digest)).await {
                Ok(has) => return Ok(has),
                Err(error) => patience.wait(error).await?,
            }
        }
    }

    async fn remove(&self, digest: &Digest) -> Result<bool, DepotError> {
        self.inner.cache.remove(digest).await
    }
}

impl fmt::Debug for RemoteBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteBlobs")
            .field("config", &self.inner.config)
            .finish_non_exhaustive()
    }
}

// === impl Inner ===

impl Inner {
    fn homes(&self) -> std::sync::MutexGuard<'_, Homes> {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn patience(&self) -> Patience {
        Patience {
            deadline: Instant::now() + self.config.patience,
            waits: backoff().build(),
        }
    }

    /// The coordinators, the likeliest first.
    fn in_order(&self) -> Vec<Home> {
        let mut homes = self.homes();
        let Homes { preferred, made } = &mut *homes;
        let mut addresses: Vec<&String> = Vec::new();
        for address in preferred.iter().chain(&self.config.coordinators) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        made.retain(|address, _| addresses.contains(&address));
        let mut found = Vec::with_capacity(addresses.len());
        for address in addresses {
            if let Some(home) = made.get(address) {
                found.push(home.clone());
                continue;
            }
            match self.connect.channel(address) {
                Ok(channel) => {
                    let home = Home::new(address.clone(), channel);
                    made.insert(address.clone(), home.clone());
                    found.push(home);
                }
                Err(error) => tracing::warn!(%error, "a coordinator is left out"),
            }
        }
        found
    }

    fn holders(&self) -> Vec<Arc<dyn Holder>> {
        let homes = self.in_order().into_iter();
        homes
            .map(|home| Arc::new(home) as Arc<dyn Holder>)
            .collect()
    }
}

/// For how long a call is tried, and how long between tries.
struct Patience {
    deadline: Instant,
    waits: ExponentialBackoff,
}

// === impl Patience ===

impl Patience {
    /// Lets a try take no longer than patience lasts.
    async fn bound<T>(
        &self,
        digest: &Digest,
        once: impl Future<Output = Result<T, DepotError>>,
    ) -> Result<T, DepotError> {
        let silent = |_| DepotError::Unreachable {
            digest: *digest,
            detail: "no coordinator answered in time".to_owned(),
        };
        timeout_at(self.deadline, once).await.map_err(silent)?
    }

    /// Waits before the next try; gives the error back if there is none.
    async fn wait(&mut self, error: DepotError) -> Result<(), DepotError> {
        // Endless: the deadline is what ends it.
        let until = Instant::now() + self.waits.next().unwrap_or(BLOB_RETRY.1);
        if !may_pass(&error) || until >= self.deadline {
            return Err(error);
        }
        sleep_until(until).await;
        Ok(())
    }
}

fn nobody(digest: &Digest) -> DepotError {
    DepotError::Unreachable {
        digest: *digest,
        detail: "no coordinator is known".to_owned(),
    }
}

/// Waits between tries: doubled each time, with jitter.
fn backoff() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(BLOB_RETRY.0)
        .with_max_delay(BLOB_RETRY.1)
        .with_jitter()
        .without_max_times()
}

/// Whether another try, perhaps elsewhere, may end differently.
fn may_pass(error: &DepotError) -> bool {
    matches!(
        error,
        DepotError::Unreachable { .. } | DepotError::NoMajority { .. }
    )
}
