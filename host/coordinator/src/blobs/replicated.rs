//! Blobs on a majority of the members' disks.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aureole_ledger::Digest;
use aureole_store::{BLOB_BYTES_MAX, BlobSource, Blobs, Depot, DepotError, Holder, pull};
use bytes::Bytes;

use super::client::{Peer, peers_of};
use super::limits::PUT_PATIENCE;
use super::peers::{Membership, Peers};
use super::spread::{Lanes, spread};

/// Blobs on a majority. Cheap to clone; all clones are one.
///
/// A put is on this member's disk and on those of a majority of the voters when it returns; what
/// else is on its way to the others goes on. A get is answered from this member's disk; what is not
/// there, or has rotted there, is pulled from a peer, checked, and kept.
#[derive(Clone, Debug)]
pub struct Replicated {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    depot: Depot,
    peers: Arc<dyn Peers>,
    lanes: Lanes,
    patience: Duration,
}

// === impl Replicated ===

impl Replicated {
    /// Takes this member's depot and the way to the others.
    pub fn new(depot: Depot, peers: Arc<dyn Peers>) -> Self {
        Self::with_patience(depot, peers, PUT_PATIENCE)
    }

    /// The same, and says how long a put may take to be on a majority's disks. Default 5 s.
    pub fn with_patience(depot: Depot, peers: Arc<dyn Peers>, patience: Duration) -> Self {
        Self {
            inner: Arc::new(Inner {
                depot,
                peers,
                lanes: Lanes::default(),
                patience,
            }),
        }
    }

    /// This member's own depot.
    pub fn local(&self) -> &Depot {
        &self.inner.depot
    }

    pub(super) fn peers(&self) -> (Membership, Vec<Peer>) {
        let group = self.inner.peers.group();
        let peers = peers_of(&*self.inner.peers, &group);
        (group, peers)
    }

    /// Makes sure that a blob is on this member's disk and has its digest; returns its length.
    ///
    /// # Errors
    /// As [`Blobs::get`].
    pub async fn fetch(&self, digest: &Digest) -> Result<u64, DepotError> {
        let bytes = self.get(digest, BLOB_BYTES_MAX).await?;
        Ok(bytes.len() as u64)
    }

    /// Brings what is on this member's disk to a majority.
    async fn replicate(&self, digest: Digest, bytes: Bytes) -> Result<(), DepotError> {
        let (group, peers) = self.peers();
        let patience = self.inner.patience;
        let put = move |peer: Peer| {
            let bytes = bytes.clone();
            async move { peer.put(&digest, &bytes, patience).await }
        };
        spread(&group, peers, &self.inner.lanes, patience, put)
            .await
            .map_err(|too_few| DepotError::NoMajority {
                stored: too_few.stored,
                needed: too_few.needed,
                members: too_few.members,
            })
    }

    /// Pulls from a peer what this member lacks or has only rotten, and keeps it.
    async fn restore(
        &self,
        digest: &Digest,
        max: u64,
        seen: DepotError,
    ) -> Result<Bytes, DepotError> {
        let (_, peers) = self.peers();
        let holders: Vec<Arc<dyn Holder>> = peers
            .into_iter()
            .map(|peer| Arc::new(peer) as Arc<dyn Holder>)
            .collect();
        let bytes = match pull(digest, max, &holders).await {
            Ok(bytes) => bytes,
            // What stands here is as much of an answer.
            Err(DepotError::NotFound { .. }) => return Err(seen),
            Err(error) => return Err(error),
        };
        if matches!(seen, DepotError::Corrupt { .. }) {
            tracing::warn!(%digest, "a rotten blob was replaced by a peer's");
        }
        if let Err(error) = self.local().put(bytes.clone()).await {
            tracing::warn!(%digest, error = &error as &dyn std::error::Error,
                "a pulled blob is not kept");
        }
        Ok(bytes)
    }
}

#[async_trait]
impl Blobs for Replicated {
    async fn put(&self, bytes: Bytes) -> Result<Digest, DepotError> {
        let digest = Digest::of(&bytes);
        let (here, there) = tokio::join!(
            self.local().put(bytes.clone()),
            self.replicate(digest, bytes.clone())
        );
        // Its own disk's answer says more than the count.
        here.and(there).map(|()| digest)
    }

    async fn put_stream(&self, source: BlobSource, max: u64) -> Result<(Digest, u64), DepotError> {
        let (digest, length) = self.local().put_stream(source, max).await?;
        let (group, _) = self.peers();
        if !group.is_majority(&[group.me].into()) {
            let bytes = self.local().get(&digest, max).await?;
            self.replicate(digest, bytes).await?;
        }
        Ok((digest, length))
    }

    async fn get(&self, digest: &Digest, max: u64) -> Result<Bytes, DepotError> {
        match self.local().get(digest, max).await {
            Err(seen @ (DepotError::NotFound { .. } | DepotError::Corrupt { .. })) => {
                self.restore(digest, max, seen).await
            }
            answer => answer,
        }
    }

    async fn contains(&self, digest: &Digest) -> Result<bool, DepotError> {
        if self.local().contains(digest).await? {
            return Ok(true);
        }
        let (_, peers) = self.peers();
        let mut silent = None;
        for peer in peers {
            match peer.has(&[*digest]).await {
                Ok(has) if has.contains(&true) => return Ok(true),
                Ok(_) => {}
                Err(error) => silent = Some(error.to_string()),
            }
        }
        let digest = *digest;
        match silent {
            Some(detail) => Err(DepotError::Unreachable { digest, detail }),
            None => Ok(false),
        }
    }

    async fn remove(&self, digest: &Digest) -> Result<bool, DepotError> {
        self.local().remove(digest).await
    }
}
