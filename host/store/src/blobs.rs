//! What everybody asks of a store of bytes, whether it stands in this folder, on a majority of the
//! coordinators, or behind a cache.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use aureole_ledger::Digest;
use bytes::Bytes;
use tokio::io::AsyncRead;

use crate::depot::{Depot, DepotError};

/// Where a streamed blob comes from.
pub type BlobSource = Pin<Box<dyn AsyncRead + Send>>;

/// Blobs by digest, shared by everything in a process that reads or writes them.
pub type SharedBlobs = Arc<dyn Blobs>;

/// Blobs under their SHA-256 digest.
///
/// An implementation owes its callers three things: when a `put` returns, the blob is as durable as
/// that store promises to be (a folder: on this disk; a group: on a majority of its members'
/// disks); a `get` returns only bytes that have the digest asked for; and an answer that something
/// is not there is given only when nobody could have it.
#[async_trait]
pub trait Blobs: Send + Sync + fmt::Debug + 'static {
    /// Stores bytes; when this returns they are durable.
    ///
    /// # Errors
    /// [`DepotError::TooLarge`], [`DepotError::DiskFull`], [`DepotError::NoMajority`],
    /// [`DepotError::Unreachable`], [`DepotError::Io`]: nothing may rely on the blob.
    async fn put(&self, bytes: Bytes) -> Result<Digest, DepotError>;

    /// Stores what a stream brings, up to a number of bytes; returns the digest and the length.
    ///
    /// # Errors
    /// As [`Blobs::put`], and [`DepotError::Source`] when the stream fails.
    async fn put_stream(&self, source: BlobSource, max: u64) -> Result<(Digest, u64), DepotError>;

    /// The bytes of a digest, checked.
    ///
    /// # Errors
    /// [`DepotError::NotFound`], [`DepotError::Corrupt`], [`DepotError::TooLarge`] if the blob has
    /// more than `max` bytes, [`DepotError::Unreachable`], [`DepotError::Io`].
    async fn get(&self, digest: &Digest, max: u64) -> Result<Bytes, DepotError>;

    /// Whether a blob of this digest can be had; its bytes are not checked.
    ///
    /// # Errors
    /// [`DepotError::Unreachable`], [`DepotError::Io`].
    async fn contains(&self, digest: &Digest) -> Result<bool, DepotError>;

    /// Removes this process's own copy; returns whether there was one.
    ///
    /// # Errors
    /// [`DepotError::Io`].
    async fn remove(&self, digest: &Digest) -> Result<bool, DepotError>;
}

#[async_trait]
impl Blobs for Depot {
    async fn put(&self, bytes: Bytes) -> Result<Digest, DepotError> {
        Self::put(self, bytes).await
    }

    async fn put_stream(&self, source: BlobSource, max: u64) -> Result<(Digest, u64), DepotError> {
        Self::put_stream(self, source, max).await
    }

    async fn get(&self, digest: &Digest, max: u64) -> Result<Bytes, DepotError> {
        Self::get(self, digest, max).await
    }

    async fn contains(&self, digest: &Digest) -> Result<bool, DepotError> {
        Self::contains(self, digest).await
    }

    async fn remove(&self, digest: &Digest) -> Result<bool, DepotError> {
        Self::remove(self, digest).await
    }
}

impl From<Depot> for SharedBlobs {
    fn from(depot: Depot) -> Self {
        Arc::new(depot)
    }
}
