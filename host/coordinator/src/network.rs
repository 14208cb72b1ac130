//! The way to other members: one channel to each, shared by appends and votes; snapshots have their
//! own, so that a beat never waits behind one.
//!
//! Appends go over a stream from the second on; a read that asks once whether its leader still leads is a
//! call of its own. News of a commit alone, to a member that has just answered, is not waited for: the
//! entry behind it would wait too. It is not even sent where the next entry, which brings the same news,
//! is in the log already. Openraft takes either for an answer, and believes that the member was heard up
//! to `NEWS_TRUST` later than it was. Nothing but `QUORUM_SILENCE_MAX` is counted from that.
//!
//! What openraft is told decides what it does next. *Unreachable* makes it wait `BACKOFF`: nobody
//! answers, or the one who does is not the member meant. *Timeout* is tried again at the next beat.
//! *Network* is tried again at once: the message was damaged on the way. A *remote error* is the
//! member's own: its Raft has stopped.

mod appends;
pub(crate) mod message;
mod serve;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::Future;
use std::io::Cursor;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aureole_api::internal::v1;
use aureole_api::internal::v1::raft_client::RaftClient;
use openraft::error::{
    Fatal, NetworkError, PayloadTooLarge, RPCError, RaftError, RemoteError, ReplicationClosed,
    StreamingError, Timeout, Unreachable,
};
use openraft::network::{Backoff, RPCOption, RPCTypes, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use openraft::{OptionalSend, Snapshot};
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::time::Instant;
use tonic::transport::Channel;
use tonic::{Code, Status};

use self::appends::{Answer, Appends, Unanswered};
use self::message::{HandOver, MessageError, SnapshotHeader, decode, encode, encode_append};
pub use self::serve::RaftService;
use crate::dial::{Dial, DialError};
use crate::identity::Identity;
use crate::limits::{
    APPEND_BYTES_MAX, BACKOFF, HELLO_PATIENCE, MESSAGE_BYTES_MAX, NEWS_TRUST, SILENCES_MAX,
    SNAPSHOT_PART_BYTES, SNAPSHOT_PATIENCE,
};
use crate::log::Newest;
use crate::raft::{LogId, Member, Types, Vote};

/// Why a member gave no answer.
#[derive(Debug, Error)]
pub(crate) enum PeerError {
    /// Its address is none.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// It cannot be reached, or is not the one meant.
    #[error("member {target} at {address}: {message}")]
    Refused {
        target: u64,
        address: String,
        code: Code,
        message: String,
    },
    /// It did not answer in time.
    #[error("member {target} at {address} did not answer within {} ms", waited.as_millis())]
    Silent {
        target: u64,
        address: String,
        waited: Duration,
    },
    /// What was said is no message.
    #[error("a message to or from member {target}")]
    Message {
        target: u64,
        #[source]
        source: MessageError,
    },
}

/// Makes connections to members. Cheap to clone; all clones share their channels.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    identity: Arc<Identity>,
    dial: Arc<dyn Dial>,
    newest: Newest,
    links: Arc<Mutex<BTreeMap<String, Link>>>,
}

/// A channel and how many requests in a row it did not answer.
#[derive(Clone, Debug)]
struct Link {
    channel: Channel,
    silences: u32,
}

/// A connection to one member.
#[derive(Debug)]
pub(crate) struct Peer {
    target: u64,
    member: Member,
    network: Network,
    appends: Option<Appends>,
    /// Whether its build has no streams of appends.
    is_older: bool,
    /// When an append that it answered was sent.
    heard: Option<Instant>,
    /// Up to where it has said that its log is the leader's.
    matched: Option<LogId>,
    /// The commit that it was told last.
    told: Option<LogId>,
}

type RpcError = RPCError<u64, Member, RaftError<u64>>;

// === impl Network ===

impl Network {
    pub(crate) fn new(identity: Arc<Identity>, dial: Arc<dyn Dial>, newest: Newest) -> Self {
        Self {
            identity,
            dial,
            newest,
            links: Arc::default(),
        }
    }

    pub(crate) fn peer(&self, target: u64, member: &Member) -> Peer {
        Peer {
            target,
            member: member.clone(),
            network: self.clone(),
            appends: None,
            is_older: false,
            heard: None,
            matched: None,
            told: None,
        }
    }

    /// Returns the channel to an address, shared by everybody who talks to it.
    pub(crate) fn channel(&self, address: &str) -> Result<Channel, DialError> {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(link) = links.get(address) {
            return Ok(link.channel.clone());
        }
        let channel = self.dial.channel(address)?;
        let link = Link {
            channel: channel.clone(),
            silences: 0,
        };
        links.insert(address.to_owned(), link);
        Ok(channel)
    }

    /// Remembers whether an address answered. A channel that is silent for too long is replaced.
    fn answered(&self, address: &str, answered: bool) {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(link) = links.get_mut(address) else {
            return;
        };
        link.silences = if answered { 0 } else { link.silences + 1 };
        if link.silences >= SILENCES_MAX {
            links.remove(address);
        }
    }

    /// Asks who is at an address.
    pub(crate) async fn hello(&self, address: &str) -> Result<v1::HelloReply, PeerError> {
        // A channel of its own: the address may be nobody's yet.
        let mut client = RaftClient::new(self.dial.channel(address)?);
        let request = v1::HelloRequest {
            cluster: self.identity.cluster.clone(),
        };
        let silent = |_| PeerError::Silent {
            target: 0,
            address: address.to_owned(),
            waited: HELLO_PATIENCE,
        };
        let answer = tokio::time::timeout(HELLO_PATIENCE, client.hello(request)).await;
        let reply = answer.map_err(silent)?;
        let reply = reply.map_err(|status| refused(0, address, &status))?;
        Ok(reply.into_inner())
    }
}

impl RaftNetworkFactory<Types> for Network {
    type Network = Peer;

    async fn new_client(&mut self, target: u64, node: &Member) -> Peer {
        self.peer(target, node)
    }
}

// === impl Peer ===

impl Peer {
    fn envelope(&self) -> v1::Envelope {
        let me = &self.network.identity;
        v1::Envelope {
            cluster: me.cluster.clone(),
            from: me.member,
            to: self.target,
            incarnation: self.member.incarnation,
        }
    }

    fn request(&self, payload: Vec<u8>) -> v1::RaftRequest {
        v1::RaftRequest {
            envelope: Some(self.envelope()),
            payload,
        }
    }

    fn failed(&self, source: MessageError) -> PeerError {
        PeerError::Message {
            target: self.target,
            source,
        }
    }

    /// Has something done over the shared channel, in time.
    async fn within<T, F>(
        &self,
        patience: Duration,
        send: impl FnOnce(RaftClient<Channel>) -> F + Send,
    ) -> Result<T, PeerError>
    where
        F: Future<Output = T> + Send,
    {
        let address = &self.member.address;
        let client = sized(self.network.channel(address)?);
        let answer = tokio::time::timeout(patience, send(client)).await;
        self.network.answered(address, answer.is_ok());
        answer.map_err(|_| PeerError::Silent {
            target: self.target,
            address: address.clone(),
            waited: patience,
        })
    }

    /// Sends a request over the shared channel and decodes the answer.
    async fn call<T, F>(
        &self,
        patience: Duration,
        send: impl FnOnce(RaftClient<Channel>) -> F + Send,
    ) -> Result<T, PeerError>
    where
        T: DeserializeOwned,
        F: Future<Output = Result<tonic::Response<v1::RaftReply>, Status>> + Send,
    {
        let answer = self.within(patience, send).await?;
        let reply = answer.map_err(|status| self.refused(&status))?;
        decode(&reply.into_inner().payload).map_err(|source| self.failed(source))
    }

    fn refused(&self, status: &Status) -> PeerError {
        refused(self.target, &self.member.address, status)
    }

    /// Says whether an append brings nothing but news of a commit, to a member that has just answered.
    ///
    /// What it asks must be known: an append without entries may also ask whether the member's log is the
    /// leader's up to some place, and openraft counts an entry as held by whoever says yes to that.
    fn is_news(&self, append: &AppendEntriesRequest<Types>) -> bool {
        append.entries.is_empty()
            && append.prev_log_id.is_some()
            && append.prev_log_id == self.matched
            && append.leader_commit > self.told
            && self.heard.is_some_and(|sent| sent.elapsed() < NEWS_TRUST)
    }

    /// Sends an append and waits for its answer.
    async fn ask(
        &mut self,
        patience: Duration,
        request: v1::RaftRequest,
    ) -> Result<Answer, PeerError> {
        let sent = Instant::now();
        // Put back only in good order: an answer that nobody waited for is not the next append's, and a
        // member whose Raft has stopped may start anew elsewhere.
        let open = self.appends.take();
        let tries = self.heard.is_some() && !self.is_older;
        let exchange = |mut client: RaftClient<Channel>| async move {
            let opened = match open {
                Some(appends) => Some(appends),
                None if tries => opened(client.clone()).await?,
                None => None,
            };
            let Some(mut appends) = opened else {
                let reply = client.append(request).await.map_err(Unanswered::Status)?;
                let answer = decode(&reply.into_inner().payload).map_err(Unanswered::Message)?;
                return Ok((answer, None, tries));
            };
            let answer: Answer = appends.ask(request).await?;
            let kept = Some(appends).filter(|appends| answer.is_ok() && appends.is_even());
            Ok((answer, kept, false))
        };
        let (answer, appends, is_older) = match self.within(patience, exchange).await? {
            Ok(exchanged) => exchanged,
            Err(Unanswered::Status(status)) => return Err(self.refused(&status)),
            Err(Unanswered::Message(source)) => return Err(self.failed(source)),
        };
        self.appends = appends;
        self.is_older |= is_older;
        if answer.is_ok() {
            self.heard = Some(sent);
        }
        Ok(answer)
    }

    /// Tells a member to forget this leader's lease.
    pub(crate) async fn step_down(&self, hand_over: &HandOver) -> Result<(), PeerError> {
        let payload = encode(hand_over).map_err(|source| self.failed(source))?;
        let request = self.request(payload);
        let send = |mut client: RaftClient<Channel>| async move { client.step_down(request).await };
        self.call(HELLO_PATIENCE, send).await
    }

    /// Tells a member to stand for election.
    pub(crate) async fn elect(&self, vote: Vote) -> Result<(), PeerError> {
        let hand_over = HandOver {
            vote,
            successor: self.target,
        };
        let payload = encode(&hand_over).map_err(|source| self.failed(source))?;
        let request = self.request(payload);
        let send = |mut client: RaftClient<Channel>| async move { client.elect(request).await };
        self.call(HELLO_PATIENCE, send).await
    }

    /// Says to openraft what an error means.
    fn rpc_error(&self, action: RPCTypes, error: &PeerError) -> RpcError {
        match error {
            PeerError::Silent { waited, .. } => RPCError::Timeout(Timeout {
                action,
                id: self.network.identity.member,
                target: self.target,
                timeout: *waited,
            }),
            PeerError::Dial(_) => RPCError::Unreachable(Unreachable::new(error)),
            PeerError::Refused { code, .. } if *code != Code::DataLoss => {
                RPCError::Unreachable(Unreachable::new(error))
            }
            PeerError::Refused { .. } | PeerError::Message { .. } => {
                RPCError::Network(NetworkError::new(error))
            }
        }
    }

    /// Hands on what a member's Raft answered.
    #[allow(clippy::result_large_err, reason = "openraft's trait wants this error")]
    fn answered<T>(&self, answer: Result<T, Fatal<u64>>) -> Result<T, RpcError> {
        answer.map_err(|fatal| {
            RPCError::RemoteError(RemoteError::new(self.target, RaftError::Fatal(fatal)))
        })
    }

    /// Sends a snapshot over a channel of its own.
    async fn send_snapshot(
        &self,
        vote: Vote,
        snapshot: Snapshot<Types>,
    ) -> Result<Result<SnapshotResponse<u64>, Fatal<u64>>, PeerError> {
        let data = snapshot.snapshot.into_inner();
        let header = SnapshotHeader {
            vote,
            meta: snapshot.meta,
            bytes: u64::try_from(data.len()).unwrap_or(u64::MAX),
        };
        let first = v1::SnapshotPart {
            envelope: Some(self.envelope()),
            header: encode(&header).map_err(|source| self.failed(source))?,
            data: Vec::new(),
        };
        let parts = std::iter::once(first).chain(Parts::of(data));
        let address = &self.member.address;
        let mut client = sized(self.network.dial.channel(address)?);
        let sent = client.install(futures::stream::iter(parts));
        let answer = tokio::time::timeout(SNAPSHOT_PATIENCE, sent).await;
        let answer = answer.map_err(|_| PeerError::Silent {
            target: self.target,
            address: address.clone(),
            waited: SNAPSHOT_PATIENCE,
        })?;
        let reply = answer.map_err(|status| refused(self.target, address, &status))?;
        decode(&reply.into_inner().payload).map_err(|source| self.failed(source))
    }
}

impl RaftNetwork<Types> for Peer {
    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<Types>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<u64>, RpcError> {
        let action = RPCTypes::AppendEntries;
        let is_news = self.is_news(&rpc);
        if is_news && self.network.newest.position() > rpc.prev_log_id {
            return Ok(AppendEntriesResponse::Success);
        }
        let encoded = encode_append(&rpc, APPEND_BYTES_MAX)
            .map_err(|source| self.rpc_error(action, &self.failed(source)))?;
        let payload = encoded.map_err(PayloadTooLarge::new_entries_hint)?;
        let request = self.request(payload);
        let end = rpc.entries.last().map(|entry| entry.log_id);
        self.told = rpc.leader_commit;
        if is_news
            && let Some(appends) = &mut self.appends
            && appends.tell(&request)
        {
            return Ok(AppendEntriesResponse::Success);
        }
        let answer = self.ask(option.soft_ttl(), request).await;
        self.matched = match answer {
            Ok(Ok(AppendEntriesResponse::Success)) => end.or(rpc.prev_log_id),
            _ => None,
        };
        self.answered(answer.map_err(|error| self.rpc_error(action, &error))?)
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<u64>,
        option: RPCOption,
    ) -> Result<VoteResponse<u64>, RpcError> {
        let action = RPCTypes::Vote;
        let payload =
            encode(&rpc).map_err(|source| self.rpc_error(action, &self.failed(source)))?;
        let request = self.request(payload);
        let send = |mut client: RaftClient<Channel>| async move { client.vote(request).await };
        let answer = self.call(option.soft_ttl(), send).await;
        self.answered(answer.map_err(|error| self.rpc_error(action, &error))?)
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot<Types>,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<u64>, StreamingError<Types, Fatal<u64>>> {
        let sent = tokio::select! {
            closed = cancel => return Err(StreamingError::Closed(closed)),
            sent = self.send_snapshot(vote, snapshot) => sent,
        };
        match sent {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(fatal)) => Err(StreamingError::RemoteError(RemoteError::new(
                self.target,
                fatal,
            ))),
            // Also a damaged one waits: it is large, and may be damaged where it comes from.
            Err(error) => Err(StreamingError::Unreachable(Unreachable::new(&error))),
        }
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(std::iter::repeat(BACKOFF))
    }
}

/// The parts of a snapshot's data, copied one at a time.
struct Parts {
    data: Cursor<Vec<u8>>,
}

// === impl Parts ===

impl Parts {
    fn of(data: Vec<u8>) -> Self {
        Self {
            data: Cursor::new(data),
        }
    }
}

impl Iterator for Parts {
    type Item = v1::SnapshotPart;

    fn next(&mut self) -> Option<v1::SnapshotPart> {
        let start = usize::try_from(self.data.position()).ok()?;
        let rest = self.data.get_ref().get(start..)?;
        let part = rest.get(..SNAPSHOT_PART_BYTES.min(rest.len()))?.to_vec();
        if part.is_empty() {
            return None;
        }
        let taken = u64::try_from(part.len()).ok()?;
        self.data.set_position(self.data.position() + taken);
        Some(v1::SnapshotPart {
            data: part,
            ..v1::SnapshotPart::default()
        })
    }
}

/// Opens a stream of appends; none to a member whose build has none yet.
async fn opened(client: RaftClient<Channel>) -> Result<Option<Appends>, Unanswered> {
    match Appends::open(client).await {
        Ok(appends) => Ok(Some(appends)),
        Err(status) if status.code() == Code::Unimplemented => Ok(None),
        Err(status) => Err(Unanswered::Status(status)),
    }
}

fn sized(channel: Channel) -> RaftClient<Channel> {
    RaftClient::new(channel)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}

fn refused(target: u64, address: &str, status: &Status) -> PeerError {
    PeerError::Refused {
        target,
        address: address.to_owned(),
        code: status.code(),
        message: status.message().to_owned(),
    }
}
