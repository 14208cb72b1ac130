//! The other end of the network: what members ask of this one.
//!
//! An envelope that means another cluster, another member or another incarnation of this one is
//! refused before the payload is looked at. An entry with a command that this build does not know
//! stops the member: skipping it would make its facts differ from the others'.

use std::io::Cursor;
use std::pin::Pin;
use std::sync::Arc;

use aureole_api::internal::v1;
use aureole_api::internal::v1::raft_server::Raft as RaftRpc;
use aureole_ledger::State;
use futures::Stream;
use futures::stream::try_unfold;
use openraft::Snapshot;
use openraft::error::{Fatal, RaftError};
use serde::Serialize;
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};

use super::appends::Answer;
use super::message::{HandOver, MessageError, SnapshotHeader, decode, decode_append, encode};
use crate::group::Group;
use crate::limits::{
    APPENDS_AT_ONCE, SNAPSHOT_BYTES_MAX, SNAPSHOT_PART_BYTES, SNAPSHOT_SILENCE_MAX,
};
use crate::log::LogError;
use crate::runtime::apart;

/// The service for members. Only members may reach it: whoever does can rewrite the facts.
#[derive(Clone, Debug)]
pub struct RaftService {
    group: Arc<Group>,
    /// One permit for each append that Raft has not answered.
    appending: Arc<Semaphore>,
}

type Reply = Result<Response<v1::RaftReply>, Status>;
type Replies = Pin<Box<dyn Stream<Item = Result<v1::RaftReply, Status>> + Send>>;

// === impl RaftService ===

impl RaftService {
    pub(crate) fn new(group: Arc<Group>) -> Self {
        Self {
            group,
            appending: Arc::new(Semaphore::new(APPENDS_AT_ONCE)),
        }
    }

    /// Takes appends that Raft does not answer, as a disk that stands still makes it do.
    #[cfg(test)]
    pub(crate) fn stand_still(&self) -> tokio::sync::OwnedSemaphorePermit {
        let all = u32::try_from(APPENDS_AT_ONCE).unwrap_or(u32::MAX);
        Arc::clone(&self.appending)
            .try_acquire_many_owned(all)
            .unwrap_or_else(|error| unreachable!("{error}"))
    }

    /// Refuses what is not meant for this member.
    fn check(&self, envelope: Option<&v1::Envelope>) -> Result<(), Status> {
        let me = &self.group.identity;
        let envelope =
            envelope.ok_or_else(|| Status::invalid_argument("a request without an envelope"))?;
        if envelope.cluster != me.cluster {
            return Err(Status::failed_precondition(format!(
                "this is a member of cluster {:?}, not of {:?}",
                me.cluster, envelope.cluster
            )));
        }
        if envelope.to != me.member {
            return Err(Status::failed_precondition(format!(
                "this is member {}, not {}",
                me.member, envelope.to
            )));
        }
        if envelope.incarnation != me.incarnation {
            let message = format!(
                "member {0} has lost its disk: it is not the one the group knows. Remove member {0} \
                 and add it again, or add it under a new id",
                me.member
            );
            tracing::error!(from = envelope.from, "{message}");
            return Err(Status::failed_precondition(message));
        }
        Ok(())
    }

    /// Says what a payload that cannot be used means; stops the member if it must.
    fn unusable(&self, error: &MessageError) -> Status {
        match error {
            MessageError::Entry(unknown @ LogError::Unknown { .. }) => {
                let reason = unknown.to_string();
                self.group.halt.stop(&self.group.raft, reason.clone());
                Status::failed_precondition(reason)
            }
            MessageError::Version { .. } => Status::failed_precondition(error.to_string()),
            MessageError::Entry(damaged) => Status::data_loss(damaged.to_string()),
            MessageError::Malformed { .. } => Status::data_loss(error.to_string()),
        }
    }

    fn payload(&self, request: Request<v1::RaftRequest>) -> Result<Vec<u8>, Status> {
        let request = request.into_inner();
        self.check(request.envelope.as_ref())?;
        Ok(request.payload)
    }

    /// Has Raft take an append. It goes on with it when nobody waits for the answer any more: a disk that
    /// stands still would otherwise fill its queue with what an impatient leader sends again and again.
    async fn appended(&self, request: v1::RaftRequest) -> Result<Answer, Status> {
        self.check(request.envelope.as_ref())?;
        let append = decode_append(&request.payload).map_err(|error| self.unusable(&error))?;
        let permit = Arc::clone(&self.appending).try_acquire_owned();
        let permit = permit.map_err(|_| {
            Status::resource_exhausted(format!(
                "{APPENDS_AT_ONCE} appends wait for this member's disk already"
            ))
        })?;
        let raft = self.group.raft.clone();
        let answered = tokio::spawn(async move {
            let answer = fatal(raft.append_entries(append).await);
            drop(permit);
            answer
        });
        answered
            .await
            .map_err(|error| Status::unavailable(error.to_string()))
    }

    /// Checks that a hand-over comes from the leader this member follows now.
    async fn hand_over(&self, request: Request<v1::RaftRequest>) -> Result<HandOver, Status> {
        let payload = self.payload(request)?;
        let hand_over: HandOver = decode(&payload).map_err(|error| self.unusable(&error))?;
        let vote = self.group.raft.metrics().borrow().vote;
        if vote != hand_over.vote || !vote.is_committed() {
            return Err(Status::failed_precondition(format!(
                "member {} follows {vote}, not {}",
                self.group.identity.member, hand_over.vote
            )));
        }
        Ok(hand_over)
    }

    /// Receives what a snapshot's stream brings, and checks it: Raft stops at a snapshot that does
    /// not decode, which a damaged transfer must not bring about.
    async fn receive(
        &self,
        mut parts: Streaming<v1::SnapshotPart>,
    ) -> Result<(SnapshotHeader, Vec<u8>), Status> {
        let first = next_part(&mut parts).await?;
        let first = first.ok_or_else(|| Status::invalid_argument("a snapshot without a header"))?;
        self.check(first.envelope.as_ref())?;
        let header: SnapshotHeader =
            decode(&first.header).map_err(|error| self.unusable(&error))?;
        if header.bytes > SNAPSHOT_BYTES_MAX {
            return Err(Status::resource_exhausted(format!(
                "a snapshot of {} bytes, the limit is {SNAPSHOT_BYTES_MAX}",
                header.bytes
            )));
        }
        let mut data = Vec::new();
        while let Some(part) = next_part(&mut parts).await? {
            data.extend_from_slice(&part.data);
            if length(&data) > header.bytes || part.data.len() > SNAPSHOT_PART_BYTES {
                return Err(Status::data_loss("a snapshot longer than its header says"));
            }
        }
        if length(&data) != header.bytes {
            return Err(Status::data_loss(format!(
                "{} bytes of a snapshot of {}",
                data.len(),
                header.bytes
            )));
        }
        let check = move || State::decode(&data).map(|_| data);
        let checked = apart(check).await;
        let data = checked
            .map_err(|error| Status::internal(error.to_string()))?
            .map_err(|error| Status::data_loss(error.to_string()))?;
        Ok((header, data))
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

async fn next_part(
    parts: &mut Streaming<v1::SnapshotPart>,
) -> Result<Option<v1::SnapshotPart>, Status> {
    tokio::time::timeout(SNAPSHOT_SILENCE_MAX, parts.message())
        .await
        .map_err(|_| Status::deadline_exceeded("the snapshot's stream is silent"))?
}

/// Answers with what Raft said, also when that is that it has stopped.
fn reply<T: Serialize>(answer: &Result<T, Fatal<u64>>) -> Result<v1::RaftReply, Status> {
    let payload = encode(answer).map_err(|error| Status::internal(error.to_string()))?;
    Ok(v1::RaftReply { payload })
}

#[allow(
    clippy::result_large_err,
    reason = "it is openraft's error, sent as it is"
)]
fn fatal<T>(answer: Result<T, RaftError<u64>>) -> Result<T, Fatal<u64>> {
    answer.map_err(|error| match error {
        RaftError::Fatal(fatal) => fatal,
        RaftError::APIError(never) => match never {},
    })
}

#[tonic::async_trait]
impl RaftRpc for RaftService {
    type AppendsStream = Replies;

    async fn append(&self, request: Request<v1::RaftRequest>) -> Reply {
        let answer = self.appended(request.into_inner()).await?;
        Ok(Response::new(reply(&answer)?))
    }

    async fn appends(
        &self,
        request: Request<Streaming<v1::RaftRequest>>,
    ) -> Result<Response<Replies>, Status> {
        let begun = Some((self.clone(), request.into_inner()));
        let replies = try_unfold(begun, |open| async move {
            let Some((service, mut requests)) = open else {
                return Ok(None);
            };
            let Some(request) = requests.message().await? else {
                return Ok(None);
            };
            let answer = service.appended(request).await?;
            // Nothing follows what a Raft says that has stopped.
            let open = answer.is_ok().then_some((service, requests));
            Ok(Some((reply(&answer)?, open)))
        });
        Ok(Response::new(Box::pin(replies)))
    }

    async fn vote(&self, request: Request<v1::RaftRequest>) -> Reply {
        let payload = self.payload(request)?;
        let vote = decode(&payload).map_err(|error| self.unusable(&error))?;
        let reply = reply(&fatal(self.group.raft.vote(vote).await))?;
        Ok(Response::new(reply))
    }

    async fn install(&self, request: Request<Streaming<v1::SnapshotPart>>) -> Reply {
        let (header, data) = self.receive(request.into_inner()).await?;
        let snapshot = Snapshot {
            meta: header.meta,
            snapshot: Box::new(Cursor::new(data)),
        };
        let raft = &self.group.raft;
        let reply = reply(&raft.install_full_snapshot(header.vote, snapshot).await)?;
        Ok(Response::new(reply))
    }

    async fn step_down(&self, request: Request<v1::RaftRequest>) -> Reply {
        let hand_over = self.hand_over(request).await?;
        self.group
            .forget_lease(&hand_over)
            .await
            .map_err(|fatal| Status::unavailable(fatal.to_string()))?;
        answered()
    }

    async fn elect(&self, request: Request<v1::RaftRequest>) -> Reply {
        self.hand_over(request).await?;
        let elected = self.group.raft.trigger().elect().await;
        elected.map_err(|fatal| Status::unavailable(fatal.to_string()))?;
        answered()
    }

    async fn hello(
        &self,
        request: Request<v1::HelloRequest>,
    ) -> Result<Response<v1::HelloReply>, Status> {
        let me = &self.group.identity;
        let cluster = request.into_inner().cluster;
        if cluster != me.cluster {
            return Err(Status::failed_precondition(format!(
                "this is a member of cluster {:?}, not of {cluster:?}",
                me.cluster
            )));
        }
        let has_data = self.group.raft.is_initialized().await;
        Ok(Response::new(v1::HelloReply {
            member: me.member,
            incarnation: me.incarnation,
            has_data: has_data.map_err(|fatal| Status::unavailable(fatal.to_string()))?,
        }))
    }
}

/// An answer without content.
fn answered() -> Reply {
    let payload = encode(&()).map_err(|error| Status::internal(error.to_string()))?;
    Ok(Response::new(v1::RaftReply { payload }))
}
