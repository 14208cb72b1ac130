//! One peer, as seen from this member: its depot and its vault.

use std::time::Duration;

use async_trait::async_trait;
use aureole_api::internal::v1;
use aureole_api::internal::v1::replicas_client::ReplicasClient;
use aureole_api::transfer;
use aureole_ledger::{Digest, TaskId};
use aureole_store::{Holder, HolderError, InputKey, Part};
use bytes::Bytes;
use thiserror::Error;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::limits::CALL_PATIENCE;
use super::peers::{Membership, Peers};
use crate::dial::DialError;

/// A peer did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PeerError {
    /// Its address cannot be dialled.
    #[error("member {member} cannot be dialled")]
    Dial {
        /// The member.
        member: u64,
        /// Why.
        source: DialError,
    },
    /// It answered with an error, or the connection broke.
    #[error("member {member} at {address} refused or broke off: {}", source.message())]
    Call {
        /// The member.
        member: u64,
        /// Its address.
        address: String,
        /// What was seen.
        source: Box<Status>,
    },
    /// It did not answer in time.
    #[error("member {member} at {address} did not answer within {} ms", patience.as_millis())]
    Silent {
        /// The member.
        member: u64,
        /// Its address.
        address: String,
        /// How long it was waited for.
        patience: Duration,
    },
    /// It answered with something that is no answer.
    #[error("member {member} at {address} answered with {what}")]
    Nonsense {
        /// The member.
        member: u64,
        /// Its address.
        address: String,
        /// With what.
        what: &'static str,
    },
}

// === impl PeerError ===

impl PeerError {
    /// Whether another try may end differently.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            // A connection that broke is told by several codes; what the peer itself decided by
            // these.
            Self::Call { source, .. } => !matches!(
                source.code(),
                Code::ResourceExhausted
                    | Code::InvalidArgument
                    | Code::OutOfRange
                    | Code::Unimplemented
                    | Code::PermissionDenied
                    | Code::Unauthenticated
            ),
            Self::Silent { .. } => true,
            Self::Dial { .. } | Self::Nonsense { .. } => false,
        }
    }
}

/// One peer.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) member: u64,
    address: String,
    client: ReplicasClient<Channel>,
}

/// The peers that can be dialled, those named first first. What cannot be dialled is logged: a
/// malformed address is the operator's to mend.
pub(super) fn peers_of(peers: &dyn Peers, group: &Membership) -> Vec<Peer> {
    let dialled = group.others().filter_map(|(member, address)| {
        let peer = Peer::dial(peers, member, address);
        peer.inspect_err(|error| {
            tracing::warn!(
                error = error as &dyn std::error::Error,
                "a member is left out"
            );
        })
        .ok()
    });
    dialled.collect()
}

// === impl Peer ===

impl Peer {
    fn dial(peers: &dyn Peers, member: u64, address: &str) -> Result<Self, PeerError> {
        let channel = peers
            .channel(address)
            .map_err(|source| PeerError::Dial { member, source })?;
        Ok(Self {
            member,
            address: address.to_owned(),
            client: ReplicasClient::new(channel),
        })
    }

    /// Stores a blob at the peer; it is on its disk when this returns.
    pub(super) async fn put(
        &self,
        digest: &Digest,
        bytes: &Bytes,
        patience: Duration,
    ) -> Result<(), PeerError> {
        let mut client = self.client.clone();
        let messages = transfer::put_messages(digest.as_bytes(), bytes);
        self.within(patience, client.put(messages)).await?;
        Ok(())
    }

    /// Says which of some blobs the peer has; they are at most `HAS_DIGESTS_MAX`.
    pub(super) async fn has(&self, digests: &[Digest]) -> Result<Vec<bool>, PeerError> {
        let request = v1::HasBlobsRequest {
            digests: digests.iter().map(|one| one.as_bytes().to_vec()).collect(),
        };
        let mut client = self.client.clone();
        let has = self.within(CALL_PATIENCE, client.has(request)).await?.has;
        if has.len() != digests.len() {
            return Err(self.nonsense("another number of answers than questions"));
        }
        Ok(has)
    }

    /// Stores a key at the peer; it is on its disk when this returns.
    pub(super) async fn put_key(
        &self,
        task: TaskId,
        input: &Digest,
        key: &InputKey,
    ) -> Result<(), PeerError> {
        let request = v1::PutKeyRequest {
            task_id: task.as_bytes().to_vec(),
            input: input.as_bytes().to_vec(),
            key: key.expose().to_vec(),
        };
        let mut client = self.client.clone();
        self.within(CALL_PATIENCE, client.put_key(request)).await?;
        Ok(())
    }

    /// Asks the peer for a key.
    pub(super) async fn key(
        &self,
        task: TaskId,
        input: &Digest,
    ) -> Result<Option<InputKey>, PeerError> {
        let request = v1::GetKeyRequest {
            task_id: task.as_bytes().to_vec(),
            input: input.as_bytes().to_vec(),
        };
        let mut client = self.client.clone();
        let reply = self.within(CALL_PATIENCE, client.get_key(request)).await?;
        let Some(key) = reply.key else {
            return Ok(None);
        };
        let key = InputKey::from_bytes(key);
        key.map(Some)
            .ok_or_else(|| self.nonsense("a key that is none"))
    }

    /// Has the peer collect.
    pub(super) async fn collect(
        &self,
        dry_run: bool,
        patience: Duration,
    ) -> Result<v1::CollectReply, PeerError> {
        let mut client = self.client.clone();
        let request = v1::CollectRequest { dry_run };
        self.within(patience, client.collect(request)).await
    }

    pub(super) fn nonsense(&self, what: &'static str) -> PeerError {
        PeerError::Nonsense {
            member: self.member,
            address: self.address.clone(),
            what,
        }
    }

    async fn within<T>(
        &self,
        patience: Duration,
        call: impl Future<Output = Result<tonic::Response<T>, Status>>,
    ) -> Result<T, PeerError> {
        let (member, address) = (self.member, || self.address.clone());
        match timeout(patience, call).await {
            Ok(Ok(reply)) => Ok(reply.into_inner()),
            Ok(Err(status)) => Err(PeerError::Call {
                member,
                address: address(),
                source: Box::new(status),
            }),
            Err(_) => Err(PeerError::Silent {
                member,
                address: address(),
                patience,
            }),
        }
    }
}

#[async_trait]
impl Holder for Peer {
    fn name(&self) -> String {
        format!("member {} at {}", self.member, self.address)
    }

    async fn part(
        &self,
        digest: &Digest,
        offset: u64,
        length: u64,
    ) -> Result<Option<Part>, HolderError> {
        let request = v1::GetBlobRequest {
            digest: digest.as_bytes().to_vec(),
            offset,
            length,
        };
        let mut client = self.client.clone();
        let read = async {
            let mut stream = client.get(request).await?.into_inner();
            transfer::read_part(&mut stream, length).await
        };
        match timeout(CALL_PATIENCE, read).await {
            Ok(Ok((total, bytes))) => Ok(Some(Part { total, bytes })),
            Ok(Err(status)) if status.code() == Code::NotFound => Ok(None),
            Ok(Err(status)) => Err(HolderError {
                reason: status.to_string(),
            }),
            Err(_) => Err(HolderError {
                reason: format!("no answer within {} ms", CALL_PATIENCE.as_millis()),
            }),
        }
    }
}
