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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::collections::BTreeMap;

    use aureole_api::internal::v1::replicas_server::{Replicas, ReplicasServer};
    use tokio::net::TcpListener;
    use tokio_stream::wrappers::TcpListenerStream;
    use tonic::transport::{Endpoint, Server};
    use tonic::{Request, Response, Streaming};

    use super::*;

    /// Answers with nonsense, or not at all.
    struct Odd;

    #[tonic::async_trait]
    impl Replicas for Odd {
        type GetStream = tokio_stream::Empty<Result<v1::BlobChunk, Status>>;

        async fn get(
            &self,
            _request: Request<v1::GetBlobRequest>,
        ) -> Result<Response<Self::GetStream>, Status> {
            Ok(Response::new(tokio_stream::empty()))
        }

        async fn put(
            &self,
            _request: Request<Streaming<v1::PutBlobRequest>>,
        ) -> Result<Response<v1::PutBlobReply>, Status> {
            std::future::pending().await
        }

        async fn has(
            &self,
            _request: Request<v1::HasBlobsRequest>,
        ) -> Result<Response<v1::HasBlobsReply>, Status> {
            Ok(Response::new(v1::HasBlobsReply::default()))
        }

        async fn put_key(
            &self,
            _request: Request<v1::PutKeyRequest>,
        ) -> Result<Response<v1::PutKeyReply>, Status> {
            Err(Status::permission_denied("not you"))
        }

        async fn get_key(
            &self,
            _request: Request<v1::GetKeyRequest>,
        ) -> Result<Response<v1::GetKeyReply>, Status> {
            let key = Some(vec![7; 31]);
            Ok(Response::new(v1::GetKeyReply { key }))
        }

        async fn collect(
            &self,
            _request: Request<v1::CollectRequest>,
        ) -> Result<Response<v1::CollectReply>, Status> {
            Err(Status::unavailable("busy"))
        }
    }

    /// Dials what has a port.
    #[derive(Debug)]
    struct Dialling(Membership);

    impl Peers for Dialling {
        fn group(&self) -> Membership {
            self.0.clone()
        }

        fn channel(&self, address: &str) -> Result<Channel, DialError> {
            let endpoint = Endpoint::from_shared(format!("http://{address}"));
            endpoint
                .map(|endpoint| endpoint.connect_lazy())
                .map_err(|error| DialError {
                    address: address.to_owned(),
                    reason: error.to_string(),
                })
        }
    }

    async fn odd() -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = Server::builder().add_service(ReplicasServer::new(Odd));
        let incoming = TcpListenerStream::new(listener);
        tokio::spawn(server.serve_with_incoming(incoming));
        let group = Membership {
            me: 1,
            voters: Vec::new(),
            addresses: BTreeMap::from([(1, String::new()), (2, address), (3, "a b".to_owned())]),
        };
        let mut peers = peers_of(&Dialling(group.clone()), &group);
        assert_eq!(peers.len(), 1, "what cannot be dialled is left out");
        let error = Peer::dial(&Dialling(group), 3, "a b").unwrap_err();
        assert!(
            matches!(error, PeerError::Dial { member: 3, .. }),
            "{error}"
        );
        peers.remove(0)
    }

    #[tokio::test]
    async fn nonsense_is_no_answer() {
        let (peer, digest) = (odd().await, Digest::of(b"x"));
        let task = TaskId::from_bytes([1; 16]);
        let few = peer.has(&[digest]).await.unwrap_err();
        assert!(
            matches!(few, PeerError::Nonsense { member: 2, .. }),
            "{few}"
        );
        let short = peer.key(task, &digest).await.unwrap_err();
        assert!(matches!(short, PeerError::Nonsense { .. }), "{short}");
        assert!(!short.may_pass());
        let empty = peer.part(&digest, 0, 1).await.unwrap_err();
        assert!(empty.reason.contains("without bytes"), "{empty}");
    }

    #[tokio::test]
    async fn silence_and_refusals_are_told_apart() {
        let (peer, digest) = (odd().await, Digest::of(b"x"));
        let patience = Duration::from_millis(50);
        let silent = peer
            .put(&digest, &Bytes::new(), patience)
            .await
            .unwrap_err();
        assert!(matches!(silent, PeerError::Silent { .. }), "{silent}");
        assert!(silent.may_pass());
        let key = InputKey::from_bytes(vec![7; 32]).unwrap();
        let task = TaskId::from_bytes([1; 16]);
        let refused = peer.put_key(task, &digest, &key).await.unwrap_err();
        assert!(matches!(refused, PeerError::Call { .. }) && !refused.may_pass());
        assert!(refused.to_string().contains("not you"), "{refused}");
        let busy = peer.collect(true, patience).await.unwrap_err();
        assert!(busy.may_pass(), "{busy}");
    }
}
