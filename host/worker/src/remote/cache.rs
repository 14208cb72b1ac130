//! A bounded cache of blobs on disk: what was used longest ago goes first.
//!
//! Blobs are re-read and checked at every use; one that has rotted is forgotten. The order of use
//! is kept in memory; after a restart it is the order in which they were put. A cache that cannot
//! keep a blob, for want of room, is no reason to fail.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aureole_store::{Depot, DepotError, Digest};
use bytes::Bytes;

/// The cache.
#[derive(Debug)]
pub(super) struct Cache {
    depot: Depot,
    bytes_max: u64,
    index: Mutex<Index>,
    /// Held while one is added and others make room: the bound holds at every moment.
    adding: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Index {
    blobs: BTreeMap<Digest, Entry>,
    /// By last use, the longest ago first.
    order: BTreeMap<u64, Digest>,
    bytes: u64,
    uses: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    bytes: u64,
    used: u64,
}

// === impl Cache ===

impl Cache {
    /// Opens the folder; what is there beyond the bound goes.
    pub(super) async fn open(dir: &Path, bytes_max: u64) -> Result<Self, DepotError> {
        let dir = dir.to_owned();
        let opened = tokio::task::spawn_blocking(move || Depot::open(&dir)).await;
        let depot = opened.map_err(|_| DepotError::Stopped)??;
        let mut found = depot.list().await?;
        found.sort_by_key(|blob| (blob.put_at, blob.digest));
        let mut index = Index::default();
        for blob in found {
            index.insert(blob.digest, blob.bytes);
        }
        let cache = Self {
            depot,
            bytes_max,
            index: Mutex::new(index),
            adding: tokio::sync::Mutex::default(),
        };
        cache.make_room(0).await?;
        Ok(cache)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.index().bytes
    }

    pub(super) fn contains(&self, digest: &Digest) -> bool {
        self.index().blobs.contains_key(digest)
    }

    /// A blob, checked; `None` if it is not here or has rotted.
    pub(super) async fn get(&self, digest: &Digest, max: u64) -> Result<Option<Bytes>, DepotError> {
        if !self.index().touch(digest) {
            return Ok(None);
        }
        match self.depot.get(digest, max).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error @ DepotError::TooLarge { .. }) => Err(error),
            Err(error) => {
                tracing::warn!(%digest, error = &error as &dyn std::error::Error,
                    "a cached blob is of no use");
                drop(error);
                self.remove(digest).await?;
                Ok(None)
            }
        }
    }

    /// Keeps a blob if it can.
    pub(super) async fn keep(&self, digest: &Digest, bytes: Bytes) {
        let length = bytes.len() as u64;
        if length > self.bytes_max {
            return;
        }
        let _adding = self.adding.lock().await;
        if self.index().touch(digest) {
            return;
        }
        let kept = async {
            self.make_room(length).await?;
            self.depot.put(bytes).await
        };
        match kept.await {
            Ok(_) => self.index().insert(*digest, length),
            Err(error) => {
                tracing::warn!(%digest, error = &error as &dyn std::error::Error,
                    "a blob is not cached");
            }
        }
    }

    pub(super) async fn remove(&self, digest: &Digest) -> Result<bool, DepotError> {
        self.index().remove(digest);
        self.depot.remove(digest).await
    }

    async fn make_room(&self, bytes: u64) -> Result<(), DepotError> {
        loop {
            let oldest = {
                let index = self.index();
                if index.bytes.saturating_add(bytes) <= self.bytes_max {
                    return Ok(());
                }
                index.order.first_key_value().map(|(_, digest)| *digest)
            };
            let Some(digest) = oldest else { return Ok(()) };
            self.remove(&digest).await?;
        }
    }

    // Nothing in here panics while it holds the lock.
    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Index ===

impl Index {
    fn insert(&mut self, digest: Digest, bytes: u64) {
        self.remove(&digest);
        self.uses += 1;
        let used = self.uses;
        self.blobs.insert(digest, Entry { bytes, used });
        self.order.insert(used, digest);
        self.bytes += bytes;
    }

    /// Notes a use; says whether the blob is here.
    fn touch(&mut self, digest: &Digest) -> bool {
        let Some(bytes) = self.blobs.get(digest).map(|entry| entry.bytes) else {
            return false;
        };
        self.insert(*digest, bytes);
        true
    }

    fn remove(&mut self, digest: &Digest) {
        if let Some(entry) = self.blobs.remove(digest) {
            self.order.remove(&entry.used);
            self.bytes -= entry.bytes;
        }
    }
}
