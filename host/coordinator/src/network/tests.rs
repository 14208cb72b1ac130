//! What goes to another member, and what is waited for.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aureole_api::internal::v1;
use aureole_api::internal::v1::raft_server::{self, RaftServer};
use futures::StreamExt as _;
use openraft::EntryPayload;
use openraft::error::{Fatal, RPCError};
use openraft::network::{RPCOption, RaftNetwork as _};
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse};
use openraft::storage::{RaftLogStorage as _, RaftLogStorageExt as _};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status, Streaming};

use super::message::{decode_append, encode};
use super::{Answer, Network, Peer, RpcError};
use crate::dial::{Dial, DialError};
use crate::identity::Identity;
use crate::limits::APPENDS_UNREAD_MAX;
use crate::log::LogStore;
use crate::raft::{Entry, LogId, Member, Types, Vote};

/// How long an answer is waited for: a member that gives none is to be noticed within a test.
const PATIENCE: Duration = Duration::from_secs(2);

/// Dials plainly.
#[derive(Debug)]
struct Plain;

impl Dial for Plain {
    fn channel(&self, address: &str) -> Result<Channel, DialError> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"));
        Ok(endpoint.unwrap().connect_lazy())
    }
}

/// A member that answers what it is told to, and says what came: by a call, or over a stream.
#[derive(Clone, Default)]
struct Scripted {
    is_older: bool,
    seen: Arc<Mutex<Vec<(&'static str, usize)>>>,
    /// Success when there is none left; no answer at all where there is `None`.
    answers: Arc<Mutex<VecDeque<Option<Answer>>>>,
}

type Reply = Result<Response<v1::RaftReply>, Status>;

fn silent() -> Reply {
    Err(Status::unimplemented("it only takes appends"))
}

impl Scripted {
    async fn answer(
        &self,
        how: &'static str,
        request: v1::RaftRequest,
    ) -> Result<v1::RaftReply, Status> {
        let append = decode_append(&request.payload).unwrap();
        self.seen.lock().unwrap().push((how, append.entries.len()));
        let answer = self.answers.lock().unwrap().pop_front();
        let Some(answer) = answer.unwrap_or(Some(Ok(AppendEntriesResponse::Success))) else {
            return std::future::pending().await;
        };
        let payload = encode(&answer).unwrap();
        Ok(v1::RaftReply { payload })
    }
}

#[tonic::async_trait]
impl raft_server::Raft for Scripted {
    type AppendsStream = Pin<Box<dyn futures::Stream<Item = Result<v1::RaftReply, Status>> + Send>>;

    async fn append(&self, request: Request<v1::RaftRequest>) -> Reply {
        let reply = self.answer("call", request.into_inner()).await?;
        Ok(Response::new(reply))
    }

    async fn appends(
        &self,
        request: Request<Streaming<v1::RaftRequest>>,
    ) -> Result<Response<Self::AppendsStream>, Status> {
        if self.is_older {
            return Err(Status::unimplemented("it has no streams"));
        }
        let scripted = self.clone();
        let replies = request.into_inner().then(move |request| {
            let scripted = scripted.clone();
            async move { scripted.answer("stream", request?).await }
        });
        Ok(Response::new(Box::pin(replies)))
    }

    async fn vote(&self, _: Request<v1::RaftRequest>) -> Reply {
        silent()
    }

    async fn install(&self, _: Request<Streaming<v1::SnapshotPart>>) -> Reply {
        silent()
    }

    async fn step_down(&self, _: Request<v1::RaftRequest>) -> Reply {
        silent()
    }

    async fn elect(&self, _: Request<v1::RaftRequest>) -> Reply {
        silent()
    }

    async fn hello(
        &self,
        _: Request<v1::HelloRequest>,
    ) -> Result<Response<v1::HelloReply>, Status> {
        Err(Status::unimplemented("it only takes appends"))
    }
}

/// A leader's way to a scripted member.
struct Way {
    peer: Peer,
    log: LogStore,
    scripted: Scripted,
    _dir: TempDir,
}

impl Way {
    async fn to(scripted: Scripted) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let member = Member {
            address: listener.local_addr().unwrap().to_string(),
            incarnation: 2,
        };
        let service = RaftServer::new(scripted.clone());
        tokio::spawn(async move {
            let incoming = TcpListenerStream::new(listener);
            let served = Server::builder().add_service(service);
            served.serve_with_incoming(incoming).await.unwrap();
        });
        let dir = tempfile::tempdir().unwrap();
        let log = LogStore::open(dir.path()).unwrap();
        let identity = Identity::draw("tests", 1).unwrap();
        let network = Network::new(identity.into(), Arc::new(Plain), log.newest());
        Self {
            peer: network.peer(2, &member),
            log,
            scripted,
            _dir: dir,
        }
    }

    /// Sends an append: with the entry behind a position, or with none.
    async fn append(
        &mut self,
        previous: Option<u64>,
        committed: Option<u64>,
        has_entry: bool,
    ) -> Result<AppendEntriesResponse<u64>, RpcError> {
        let next = previous.map_or(0, |index| index + 1);
        let append = AppendEntriesRequest::<Types> {
            vote: Vote::new_committed(1, 1),
            prev_log_id: previous.map(position),
            entries: has_entry.then(|| blank(next)).into_iter().collect(),
            leader_commit: committed.map(position),
        };
        let option = RPCOption::new(PATIENCE);
        self.peer.append_entries(append, option).await
    }

    /// Makes the member one that has just answered, however long this machine took.
    fn hear(&mut self) {
        self.peer.heard = Some(Instant::now());
    }

    fn script(&self, answer: Option<Answer>) {
        self.scripted.answers.lock().unwrap().push_back(answer);
    }

    fn seen(&self) -> Vec<(&'static str, usize)> {
        self.scripted.seen.lock().unwrap().clone()
    }
}

fn position(index: u64) -> LogId {
    LogId::new(openraft::CommittedLeaderId::new(1, 1), index)
}

fn blank(index: u64) -> Entry {
    Entry {
        log_id: position(index),
        payload: EntryPayload::Blank,
    }
}

#[tokio::test]
async fn appends_go_over_a_stream_from_the_second_on() {
    let mut way = Way::to(Scripted::default()).await;
    for previous in [None, Some(0), Some(1)] {
        let answer = way.append(previous, None, true).await.unwrap();
        assert!(matches!(answer, AppendEntriesResponse::Success));
    }
    assert_eq!(way.seen(), [("call", 1), ("stream", 1), ("stream", 1)]);
}

#[tokio::test]
async fn a_member_of_a_build_without_streams_is_called() {
    let older = Scripted {
        is_older: true,
        ..Scripted::default()
    };
    let mut way = Way::to(older).await;
    for previous in [None, Some(0), Some(1)] {
        let answer = way.append(previous, None, true).await.unwrap();
        assert!(matches!(answer, AppendEntriesResponse::Success));
    }
    assert_eq!(way.seen(), [("call", 1); 3]);
}

#[tokio::test]
async fn news_of_a_commit_is_not_waited_for_and_a_beat_is() {
    let mut way = Way::to(Scripted::default()).await;
    for previous in [None, Some(0)] {
        way.append(previous, None, true).await.unwrap();
    }
    way.script(None);
    way.hear();
    let news = way.append(Some(1), Some(1), false).await.unwrap();
    assert!(matches!(news, AppendEntriesResponse::Success));
    let beat = way.append(Some(1), Some(1), false).await.unwrap_err();
    assert!(matches!(beat, RPCError::Timeout(_)), "{beat}");
}

#[tokio::test]
async fn a_refusal_that_nobody_waited_for_reaches_the_next_append() {
    let mut way = Way::to(Scripted::default()).await;
    for previous in [None, Some(0)] {
        way.append(previous, None, true).await.unwrap();
    }
    let newer = AppendEntriesResponse::HigherVote(Vote::new_committed(7, 3));
    way.script(Some(Ok(newer)));
    way.hear();
    way.append(Some(1), Some(1), false).await.unwrap();
    let answer = way.append(Some(1), Some(1), true).await.unwrap();
    assert!(
        matches!(answer, AppendEntriesResponse::HigherVote(vote) if vote == Vote::new_committed(7, 3)),
        "{answer:?}"
    );
    // That stream is given up, with the answer that is still to come on it.
    let answer = way.append(Some(1), Some(1), true).await.unwrap();
    assert!(matches!(answer, AppendEntriesResponse::Success));
}

#[tokio::test]
async fn news_that_the_next_entry_brings_is_not_sent_by_itself() {
    let mut way = Way::to(Scripted::default()).await;
    let entries = [0, 1].map(blank);
    way.log.blocking_append(entries).await.unwrap();
    assert_eq!(
        way.log.get_log_state().await.unwrap().last_log_id,
        Some(position(1))
    );
    way.append(None, None, true).await.unwrap();
    way.hear();
    way.append(Some(0), Some(0), false).await.unwrap();
    way.append(Some(0), Some(0), true).await.unwrap();
    assert_eq!(way.seen(), [("call", 1), ("stream", 1)]);
}

#[tokio::test]
async fn what_a_member_holds_is_asked_and_never_supposed() {
    let mut way = Way::to(Scripted::default()).await;
    let entries = [0, 1, 2].map(blank);
    way.log.blocking_append(entries).await.unwrap();
    way.script(Some(Ok(AppendEntriesResponse::Conflict)));
    let answer = way.append(Some(2), None, true).await.unwrap();
    assert!(matches!(answer, AppendEntriesResponse::Conflict));
    way.hear();
    // The commit is news to it, and the next entry is in the log: a yes would count as an entry held.
    way.script(Some(Ok(AppendEntriesResponse::Conflict)));
    let answer = way.append(Some(1), Some(1), false).await.unwrap();
    assert!(matches!(answer, AppendEntriesResponse::Conflict));
    way.append(Some(0), Some(1), true).await.unwrap();
    way.hear();
    way.script(Some(Ok(AppendEntriesResponse::Conflict)));
    let answer = way.append(Some(2), Some(2), false).await.unwrap();
    assert!(matches!(answer, AppendEntriesResponse::Conflict));
}

#[tokio::test]
async fn a_late_answer_is_not_the_next_appends() {
    let mut way = Way::to(Scripted::default()).await;
    for previous in [None, Some(0)] {
        way.append(previous, None, true).await.unwrap();
    }
    way.script(None);
    let late = way.append(Some(1), None, true).await.unwrap_err();
    assert!(matches!(late, RPCError::Timeout(_)), "{late}");
    way.script(Some(Ok(AppendEntriesResponse::Conflict)));
    let answer = way.append(Some(1), None, true).await.unwrap();
    assert!(matches!(answer, AppendEntriesResponse::Conflict));
}

#[tokio::test]
async fn news_is_waited_for_where_much_of_it_is_unanswered() {
    let mut way = Way::to(Scripted::default()).await;
    for previous in [None, Some(0)] {
        way.append(previous, None, true).await.unwrap();
    }
    way.script(None);
    for commit in 0..=APPENDS_UNREAD_MAX {
        way.hear();
        way.peer.told = None;
        let news = way.append(Some(1), Some(commit as u64), false).await;
        assert_eq!(news.is_ok(), commit < APPENDS_UNREAD_MAX, "{commit}");
    }
}

#[tokio::test]
async fn a_member_whose_raft_has_stopped_is_looked_for_anew() {
    let mut way = Way::to(Scripted::default()).await;
    for previous in [None, Some(0)] {
        way.append(previous, None, true).await.unwrap();
    }
    way.script(Some(Err(Fatal::Stopped)));
    let stopped = way.append(Some(1), None, true).await.unwrap_err();
    assert!(matches!(stopped, RPCError::RemoteError(_)), "{stopped}");
    assert!(way.peer.appends.is_none());
    way.append(Some(1), None, true).await.unwrap();
}
