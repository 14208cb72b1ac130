//! Changes that Raft refuses, and changes under which the member stops.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aureole_api::internal::v1;
use aureole_api::internal::v1::raft_server::{self, RaftServer};
use openraft::ChangeMembers;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status, Streaming};

use super::MemberError;
use crate::config::Config;
use crate::dial::{Dial, DialError};
use crate::raft::Member;
use crate::start::{Started, member};

/// Dials in plain.
#[derive(Debug)]
struct Plain;

impl Dial for Plain {
    fn channel(&self, address: &str) -> Result<Channel, DialError> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"));
        Ok(endpoint.unwrap().connect_lazy())
    }
}

/// Member 2, empty, which says who it is when it is let.
#[derive(Clone, Default)]
struct Shy {
    asked: Arc<Notify>,
    answers: Arc<Notify>,
}

type Reply = Result<Response<v1::RaftReply>, Status>;

fn silent() -> Reply {
    Err(Status::unimplemented("it only says who it is"))
}

#[tonic::async_trait]
impl raft_server::Raft for Shy {
    type AppendsStream = futures::stream::Empty<Result<v1::RaftReply, Status>>;

    async fn append(&self, _: Request<v1::RaftRequest>) -> Reply {
        silent()
    }

    async fn appends(
        &self,
        _: Request<Streaming<v1::RaftRequest>>,
    ) -> Result<Response<Self::AppendsStream>, Status> {
        Err(Status::unimplemented("it only says who it is"))
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
        self.asked.notify_one();
        self.answers.notified().await;
        Ok(Response::new(v1::HelloReply {
            member: 2,
            incarnation: 2,
            has_data: false,
        }))
    }
}

async fn alone() -> (Started, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::new(1, dir.path().join("raft"));
    config.cluster = "tests".to_owned();
    config.address = "127.0.0.1:1".to_owned();
    (member(&config, Arc::new(Plain)).await.unwrap(), dir)
}

#[tokio::test]
async fn a_change_while_another_is_undecided_is_refused() {
    let (started, _dir) = alone().await;
    let group = &started.group;
    let nobody = Member {
        address: "127.0.0.1:2".to_owned(),
        incarnation: 2,
    };
    let learners = ChangeMembers::AddNodes(BTreeMap::from([(2, nobody)]));
    group.raft.change_membership(learners, false).await.unwrap();
    // With a voter that never answers it stays undecided.
    let raft = group.raft.clone();
    let voters = ChangeMembers::AddVoterIds(BTreeSet::from([2]));
    let undecided = tokio::spawn(async move { raft.change_membership(voters, false).await });
    let both = |metrics: &crate::raft::Metrics| {
        metrics.membership_config.membership().voter_ids().count() == 2
    };
    let seen = group.raft.wait(None).metrics(both, "two voters").await;
    seen.unwrap();
    let error = group.remove(2).await.unwrap_err();
    assert!(matches!(error, MemberError::Refused { .. }), "{error}");
    undecided.abort();
}

#[tokio::test]
async fn a_member_that_stops_during_a_change_says_so() {
    let (started, _dir) = alone().await;
    let shy = Shy::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let service = RaftServer::new(shy.clone());
    tokio::spawn(async move {
        let incoming = TcpListenerStream::new(listener);
        let served = Server::builder().add_service(service);
        served.serve_with_incoming(incoming).await.unwrap();
    });
    let group = Arc::clone(&started.group);
    let added = tokio::spawn(async move { group.add(2, &address).await });
    shy.asked.notified().await;
    started.group.halt.end(&started.group.raft).await;
    shy.answers.notify_one();
    let error = added.await.unwrap().unwrap_err();
    assert!(matches!(error, MemberError::Stopped { .. }), "{error}");
}
