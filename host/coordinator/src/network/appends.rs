//! Appends to one member over one stream: each is a frame, and its answer another.
//!
//! A call of its own for each costs headers, trailers and a task at both ends, more than the usual append
//! itself. Answers come in the order of the requests.

use aureole_api::internal::v1;
use aureole_api::internal::v1::raft_client::RaftClient;
use openraft::error::Fatal;
use openraft::raft::AppendEntriesResponse;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use super::message::{MessageError, decode};
use crate::limits::APPENDS_UNREAD_MAX;

/// What a member's Raft says to an append.
pub(super) type Answer = Result<AppendEntriesResponse<u64>, Fatal<u64>>;

/// An open stream of appends.
#[derive(Debug)]
pub(super) struct Appends {
    requests: mpsc::Sender<v1::RaftRequest>,
    replies: Streaming<v1::RaftReply>,
    /// Requests whose answers nobody has waited for.
    unread: usize,
}

/// Why an append has no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The stream says so, or has ended.
    Status(Status),
    /// The answer is none.
    Message(MessageError),
}

// === impl Appends ===

impl Appends {
    pub(super) async fn open(mut client: RaftClient<Channel>) -> Result<Self, Status> {
        // One that is waited for, behind those that are not.
        let (requests, outgoing) = mpsc::channel(APPENDS_UNREAD_MAX + 1);
        let replies = client.appends(ReceiverStream::new(outgoing)).await?;
        Ok(Self {
            requests,
            replies: replies.into_inner(),
            unread: 0,
        })
    }

    /// Sends an append whose answer is not waited for. Says whether it was sent.
    pub(super) fn tell(&mut self, request: &v1::RaftRequest) -> bool {
        let told =
            self.unread < APPENDS_UNREAD_MAX && self.requests.try_send(request.clone()).is_ok();
        self.unread += usize::from(told);
        told
    }

    /// Sends an append and waits for its answer; or for that of an earlier one that was no success, after
    /// which the stream is of no use.
    pub(super) async fn ask(&mut self, request: v1::RaftRequest) -> Result<Answer, Unanswered> {
        let ended = || Unanswered::Status(Status::unavailable("the stream of appends has ended"));
        // An ended stream says why where it is read.
        let _ = self.requests.send(request).await;
        loop {
            let reply = self.replies.message().await.map_err(Unanswered::Status)?;
            let reply = reply.ok_or_else(ended)?;
            let answer = decode(&reply.payload).map_err(Unanswered::Message)?;
            if self.unread == 0 || !matches!(answer, Ok(AppendEntriesResponse::Success)) {
                return Ok(answer);
            }
            self.unread -= 1;
        }
    }

    /// Whether every request has been answered.
    pub(super) fn is_even(&self) -> bool {
        self.unread == 0
    }
}
