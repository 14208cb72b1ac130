//! Child processes started ahead and kept between calls.
//!
//! There are never more calls than the pool's size: further callers wait, in order. A caller gets
//! a process that has what it needs warm, if there is one. A process whose call failed or was
//! dropped is killed, and its place is filled again before the next caller gets it. What provers
//! say they keep is listed for whoever places work.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument as _;

use crate::child::Kind;
use crate::error::Error;
use crate::frame::Blobs;
use crate::message::{Key, Reply, Request, Start};
use crate::process::{ChildCommand, OnReply, Process, Progress};
use crate::spans;

/// A pool of children of one kind; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    command: ChildCommand,
    kind: Kind,
    start: Start,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Warm>>,
    kept: Arc<Kept>,
}

/// What the processes last said they keep, by process.
#[derive(Debug, Default)]
struct Kept(Mutex<BTreeMap<u64, Load>>);

/// What one process keeps.
#[derive(Debug, Default)]
struct Load {
    keys: Vec<Key>,
    bytes: u64,
}

/// A process and what it is known to have warm.
#[derive(Debug)]
struct Warm {
    process: Process,
    keys: BTreeSet<Key>,
    /// The process's place in the list, given up with the process.
    number: u64,
    kept: Arc<Kept>,
}

/// The use of one process, until dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    inner: Arc<Inner>,
    permit: Option<OwnedSemaphorePermit>,
    /// Empty only while a process could not be started.
    warm: Option<Warm>,
    /// A call has begun and not ended well.
    dirty: bool,
    /// The most memory that the calls of this lease had resident.
    peak_bytes: u64,
}

// === impl Pool ===

impl Pool {
    /// A pool without processes yet.
    pub(crate) fn new(command: ChildCommand, kind: Kind, start: Start, size: u32) -> Self {
        let permits = Arc::new(Semaphore::new(usize::try_from(size).unwrap_or(1).max(1)));
        let idle = Mutex::default();
        Self {
            inner: Arc::new(Inner {
                command,
                kind,
                start,
                permits,
                idle,
                kept: Arc::default(),
            }),
        }
    }

    /// What the processes said they keep, each once.
    pub(crate) fn kept(&self) -> BTreeSet<Key> {
        self.inner.kept.all()
    }

    /// Bytes of what all processes said they keep; a key that two keep counts twice.
    pub(crate) fn kept_bytes(&self) -> u64 {
        self.inner.kept.bytes()
    }

    /// Starts processes until the pool is full, so that no call waits for it.
    pub(crate) async fn fill(&self) -> Result<(), Error> {
        let mut leases = Vec::new();
        while let Ok(permit) = Arc::clone(&self.inner.permits).try_acquire_owned() {
            leases.push(self.inner.lease(permit, None).await?);
        }
        Ok(())
    }

    /// Waits for a process, one that has the key warm if possible.
    pub(crate) async fn take(&self, key: Option<Key>) -> Result<Lease, Error> {
        let permit = Arc::clone(&self.inner.permits)
            .acquire_owned()
            .await
            .map_err(|_| Error::Protocol {
                kind: self.inner.kind,
                during: "waiting for a process",
                detail: "the pool was closed".to_owned(),
            })?;
        self.inner.lease(permit, key).await
    }
}

// === impl Inner ===

impl Inner {
    async fn lease(
        self: &Arc<Self>,
        permit: OwnedSemaphorePermit,
        key: Option<Key>,
    ) -> Result<Lease, Error> {
        let warm = match self.pick(key) {
            Some(warm) => warm,
            None => self.spawn().await?,
        };
        Ok(Lease {
            inner: Arc::clone(self),
            permit: Some(permit),
            warm: Some(warm),
            dirty: false,
            peak_bytes: 0,
        })
    }

    /// An idle process that lives: one with the key, else the one with the least to lose.
    fn pick(&self, key: Option<Key>) -> Option<Warm> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain_mut(|warm| warm.process.is_alive());
        let has_key = |warm: &Warm| key.is_some_and(|key| warm.keys.contains(&key));
        let best = idle
            .iter()
            .enumerate()
            .min_by_key(|(_, warm)| (!has_key(warm), warm.keys.len()))
            .map(|(at, _)| at)?;
        Some(idle.swap_remove(best))
    }

    async fn spawn(&self) -> Result<Warm, Error> {
        let process = Process::spawn(&self.command, self.kind, self.start.clone()).await?;
        tracing::debug!(kind = %self.kind, pid = process.id(), "started a child process");
        Ok(Warm {
            process,
            keys: BTreeSet::new(),
            number: self.kept.begin(),
            kept: Arc::clone(&self.kept),
        })
    }

    fn give_back(&self, warm: Warm) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(warm);
    }
}

// === impl Kept ===

impl Kept {
    /// A new place in the list.
    fn begin(&self) -> u64 {
        let mut list = self.lock();
        let number = list.last_key_value().map_or(0, |(last, _)| last + 1);
        list.insert(number, Load::default());
        number
    }

    fn set(&self, number: u64, keys: Vec<Key>, bytes: u64) {
        self.lock().insert(number, Load { keys, bytes });
    }

    fn end(&self, number: u64) {
        self.lock().remove(&number);
    }

    fn all(&self) -> BTreeSet<Key> {
        let list = self.lock();
        list.values().flat_map(|load| &load.keys).copied().collect()
    }

    fn bytes(&self) -> u64 {
        self.lock().values().map(|load| load.bytes).sum()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Load>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Warm ===

impl Drop for Warm {
    fn drop(&mut self) {
        self.kept.end(self.number);
    }
}

// === impl Lease ===

impl Lease {
    /// Makes one call. After an error that is not an answer the process is replaced by the next
    /// lease, and further calls on this one fail.
    pub(crate) async fn call(
        &mut self,
        request: &Request,
        blobs: &[&[u8]],
        during: &'static str,
        limit: Duration,
        on_reply: OnReply<'_>,
    ) -> Result<(Reply, Blobs), Error> {
        let kind = self.inner.kind;
        let broken = || Error::Protocol {
            kind,
            during,
            detail: "the call before broke the process".to_owned(),
        };
        if self.dirty {
            return Err(broken());
        }
        let warm = self.warm.as_mut().ok_or_else(broken)?;
        self.dirty = true;
        let (kept, number, peak) = (&self.inner.kept, warm.number, &mut self.peak_bytes);
        let mut listen = |progress| match progress {
            Progress::Usage(usage) => {
                *peak = usage.peak_bytes.max(*peak);
                kept.set(number, usage.warm, usage.warm_bytes);
            }
            other => on_reply(other),
        };
        let result = warm
            .process
            .call(request, blobs, during, limit, &mut listen)
            .instrument(spans::child(self.inner.kind, during))
            .await;
        match &result {
            Ok(_) => self.dirty = false,
            Err(error) if Process::survives(error) => self.dirty = false,
            Err(_) => {}
        }
        result
    }

    /// The most memory that the process had resident during the calls of this lease; 0 if it does
    /// not say.
    pub(crate) const fn peak_bytes(&self) -> u64 {
        self.peak_bytes
    }

    /// Notes that the process has something warm.
    pub(crate) fn has(&mut self, key: Key) {
        if let Some(warm) = &mut self.warm {
            warm.keys.insert(key);
        }
    }

    /// Notes that the process has something no longer, or never had it.
    pub(crate) fn lacks(&mut self, key: Key) {
        if let Some(warm) = &mut self.warm {
            warm.keys.remove(&key);
        }
    }

    /// An answer that is none to what was asked.
    pub(crate) fn unexpected(&mut self, during: &'static str) -> Error {
        self.dirty = true;
        Error::Protocol {
            kind: self.inner.kind,
            during,
            detail: "an answer to something else".to_owned(),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (Some(warm), Some(permit)) = (self.warm.take(), self.permit.take()) else {
            return;
        };
        if !self.dirty {
            self.inner.give_back(warm);
            return;
        }
        tracing::debug!(kind = %self.inner.kind, pid = warm.process.id(), "killing a child process");
        drop(warm);
        // Without a runtime the next caller starts its own.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let inner = Arc::clone(&self.inner);
        runtime.spawn(async move {
            match inner.spawn().await {
                Ok(warm) => inner.give_back(warm),
                // The next caller tries again, and is told if it fails again.
                Err(error) => tracing::warn!(%error, "a child process could not be replaced"),
            }
            drop(permit);
        });
    }
}
