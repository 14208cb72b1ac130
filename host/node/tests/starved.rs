//! A coordinator whose own runtime has no thread left still answers the other members.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use aureole_api::internal::v1::RaftRequest;
use aureole_api::internal::v1::VerbCall;
use aureole_api::internal::v1::desk_client::DeskClient;
use aureole_api::internal::v1::raft_client::RaftClient;
use aureole_node::{Config, Node, NodeRole};
use tokio::runtime::{Builder, Runtime};
use tonic::transport::Endpoint;
use tonic::{Code, Status};

/// Longer than any answer takes, shorter than a test should.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long nobody may answer before it is clear that nobody will.
const SILENCE: Duration = Duration::from_millis(500);

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

fn config(folder: &Path, internal: SocketAddr) -> Config {
    let mut config = Config {
        roles: BTreeSet::from([NodeRole::Coordinator]),
        data_dir: folder.to_owned(),
        ..Config::default()
    };
    config.tls.enabled = false;
    config.cluster.advertise = Some(internal.to_string());
    config
}

/// A port that nobody has now.
fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// What a member's Raft says to a message that is none.
async fn raft(address: SocketAddr) -> Status {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let answer = RaftClient::new(channel)
        .append(RaftRequest::default())
        .await;
    answer.expect_err("an empty message was taken")
}

/// What a desk says to a verb that is none.
async fn desk(address: SocketAddr) -> Status {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let answer = DeskClient::new(channel).call(VerbCall::default()).await;
    answer.expect_err("an empty verb was done")
}

#[test]
fn raft_is_answered_while_the_runtime_of_the_process_has_no_thread_left() {
    let folder = tempfile::tempdir().unwrap();
    let internal = free();
    let (node, caller) = (runtime(), runtime());
    let member = node
        .block_on(Node::start(config(folder.path(), internal)))
        .unwrap();
    let before = caller.block_on(desk(internal));
    assert_eq!(before.code(), Code::InvalidArgument, "{before:?}");

    // The only thread waits here until the sender goes.
    let (release, blocked) = mpsc::channel::<()>();
    let (entered, started) = mpsc::channel();
    let at_work = node.spawn(async move {
        entered.send(()).unwrap();
        let _ = blocked.recv();
    });
    started.recv_timeout(PATIENCE).unwrap();
    let (of_raft, of_desk) = caller.block_on(async {
        let of_raft = tokio::time::timeout(PATIENCE, raft(internal)).await;
        (of_raft, tokio::time::timeout(SILENCE, desk(internal)).await)
    });
    drop(release);
    let of_raft = of_raft.expect("raft waits for the runtime of the process");
    assert_ne!(of_raft.code(), Code::Unavailable, "{of_raft:?}");
    assert!(of_desk.is_err(), "a desk's work was done by raft's threads");

    node.block_on(async move {
        at_work.await.unwrap();
        member.run_until(async {}).await
    });
}
