//! Collection: what nothing refers to any more is removed, on this member or on all.
//!
//! A blob stays while a root refers to it: the ledger, and whoever else shows history. It also
//! stays while it was put less than a grace ago, for whoever put it may be about to refer to it. A
//! reference that is made after the roots were asked comes with a put, which makes its blob young
//! even if it was here before.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aureole_api::internal::v1;
use aureole_ledger::Digest;
use aureole_store::{Collected, Depot, DepotError};
use thiserror::Error;

use super::client::PeerError;
use super::limits::{COLLECT_GRACE, COLLECT_PATIENCE, COLLECTED_LISTED_MAX};
use super::replicated::Replicated;

/// A root could not tell what it refers to.
pub type RootsError = Box<dyn Error + Send + Sync>;

/// Somebody who refers to blobs.
#[async_trait]
pub trait Roots: Send + Sync + fmt::Debug + 'static {
    /// Every blob it refers to, in any order, some perhaps more than once. It must not leave one
    /// out: if it cannot know, because it is far behind, it must fail.
    ///
    /// # Errors
    /// Whatever kept it from knowing.
    async fn roots(&self) -> Result<Vec<Digest>, RootsError>;
}

/// Nothing was collected, or not everything.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CollectError {
    /// What is referred to is not known.
    #[error("what is still referred to is not known, so nothing is removed")]
    Roots(#[source] RootsError),
    /// The depot failed.
    #[error("the depot failed while it was collected")]
    Depot(#[from] DepotError),
    /// Another member failed.
    #[error("another member did not collect")]
    Peer(#[from] PeerError),
}

/// Collects on one member. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Collector {
    depot: Depot,
    roots: Arc<[Arc<dyn Roots>]>,
    grace: Duration,
}

/// What one member did.
#[derive(Debug)]
pub struct MemberCollected {
    /// The member.
    pub member: u64,
    /// What it removed, or would.
    pub outcome: Result<CollectedReport, CollectError>,
}

/// What was removed, or would be; the list holds the first `COLLECTED_LISTED_MAX`, the counts all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CollectedReport {
    /// Digests and bytes.
    pub blobs: Vec<(Digest, u64)>,
    /// How many.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs that something refers to.
    pub referenced: u64,
    /// Blobs too young to tell.
    pub young: u64,
}

// === impl Collector ===

impl Collector {
    /// Takes a member's depot and everybody who refers to what is in it.
    pub fn new(depot: Depot, roots: Vec<Arc<dyn Roots>>) -> Self {
        Self::with_grace(depot, roots, COLLECT_GRACE)
    }

    /// The same, with another grace than the hour that is the default. Less than the time between
    /// a put and its command loses blobs.
    pub fn with_grace(depot: Depot, roots: Vec<Arc<dyn Roots>>, grace: Duration) -> Self {
        Self {
            depot,
            roots: roots.into(),
            grace,
        }
    }

    /// Removes what nothing refers to from this member, or says what that would be.
    ///
    /// # Errors
    /// [`CollectError::Roots`]: nothing was removed. [`CollectError::Depot`]: some may have been.
    pub async fn collect(&self, dry_run: bool) -> Result<Collected, CollectError> {
        let mut referenced = BTreeSet::new();
        for roots in self.roots.iter() {
            referenced.extend(roots.roots().await.map_err(CollectError::Roots)?);
        }
        let is_referenced = move |digest: &Digest| referenced.contains(digest);
        let collected = self
            .depot
            .collect(is_referenced, self.grace, dry_run)
            .await?;
        tracing::info!(
            dry_run,
            removed = collected.removed.len(),
            bytes = collected.bytes(),
            referenced = collected.referenced,
            young = collected.young,
            "collected the depot"
        );
        Ok(collected)
    }
}

/// Has every member collect; `aureole cluster gc`. One that fails does not keep the others from it.
pub async fn collect_everywhere(
    replicated: &Replicated,
    collector: &Collector,
    dry_run: bool,
) -> Vec<MemberCollected> {
    let (group, peers) = replicated.peers();
    let mine = async {
        let collected = collector.collect(dry_run).await;
        MemberCollected {
            member: group.me,
            outcome: collected.map(|collected| report(&to_reply(&collected))),
        }
    };
    let theirs = peers.iter().map(async |peer| MemberCollected {
        member: peer.member,
        outcome: match peer.collect(dry_run, COLLECT_PATIENCE).await {
            Ok(reply) => Ok(report(&reply)),
            Err(error) => Err(error.into()),
        },
    });
    let (mine, mut all) = tokio::join!(mine, futures::future::join_all(theirs));
    all.insert(0, mine);
    all
}

pub(super) fn to_reply(collected: &Collected) -> v1::CollectReply {
    let listed = collected.removed.iter().take(COLLECTED_LISTED_MAX);
    v1::CollectReply {
        blobs: listed
            .map(|(digest, bytes)| v1::CollectedBlob {
                digest: digest.as_bytes().to_vec(),
                bytes: *bytes,
            })
            .collect(),
        count: collected.removed.len() as u64,
        bytes: collected.bytes(),
        referenced: collected.referenced,
        young: collected.young,
    }
}

fn report(reply: &v1::CollectReply) -> CollectedReport {
    let blobs = reply.blobs.iter();
    CollectedReport {
        blobs: blobs
            .filter_map(|blob| Some((Digest::from_slice(&blob.digest)?, blob.bytes)))
            .collect(),
        count: reply.count,
        bytes: reply.bytes,
        referenced: reply.referenced,
        young: reply.young,
    }
}
