//! What members say that this one must not believe: envelopes for others, messages of other versions,
//! damaged ones, and commands of a newer build.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use aureole_api::internal::v1;
use aureole_api::internal::v1::raft_client::RaftClient;
use aureole_api::internal::v1::raft_server::RaftServer;
use openraft::{ChangeMembers, Vote};
use tempfile::TempDir;
use tonic::Code;

use crate::config::Config;
use crate::dial::DialNothing;
use crate::limits::{MEMBERS_MAX, SNAPSHOT_BYTES_MAX};
use crate::log::{encode_for_tests, newer_for_tests};
use crate::members::MemberError;
use crate::network::RaftService;
use crate::network::message::{SnapshotHeader, append_for_tests, encode};
use crate::raft::{Entry, Member, SnapshotMeta};
use crate::start::{Started, member};

type Client = RaftClient<RaftServer<RaftService>>;

/// A member alone, and whoever talks to it.
struct Alone {
    started: Started,
    client: Client,
    service: RaftService,
    _dir: TempDir,
}

impl Alone {
    async fn at(address: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::new(1, dir.path().join("raft"));
        config.cluster = "tests".to_owned();
        config.address = address.to_owned();
        let started = member(&config, Arc::new(DialNothing)).await.unwrap();
        let service = RaftService::new(Arc::clone(&started.group));
        Self {
            client: RaftClient::new(RaftServer::new(service.clone())),
            service,
            started,
            _dir: dir,
        }
    }

    fn envelope(&self) -> v1::Envelope {
        let me = &self.started.group.identity;
        v1::Envelope {
            cluster: me.cluster.clone(),
            from: 9,
            to: me.member,
            incarnation: me.incarnation,
        }
    }

    /// Sends an append and returns how it was refused.
    async fn append(&self, payload: Vec<u8>) -> (Code, String) {
        self.send(Some(self.envelope()), payload).await
    }

    async fn send(&self, envelope: Option<v1::Envelope>, payload: Vec<u8>) -> (Code, String) {
        let request = v1::RaftRequest { envelope, payload };
        let refused = self.client.clone().append(request).await.unwrap_err();
        (refused.code(), refused.message().to_owned())
    }

    async fn install(&self, parts: Vec<v1::SnapshotPart>) -> (Code, String) {
        let parts = futures::stream::iter(parts);
        let refused = self.client.clone().install(parts).await.unwrap_err();
        (refused.code(), refused.message().to_owned())
    }

    fn part(&self, bytes: u64, data: &[u8]) -> v1::SnapshotPart {
        let header = SnapshotHeader {
            vote: Vote::new_committed(90, 9),
            meta: SnapshotMeta::default(),
            bytes,
        };
        v1::SnapshotPart {
            envelope: Some(self.envelope()),
            header: encode(&header).unwrap(),
            data: data.to_vec(),
        }
    }
}

fn entry(index: u64) -> Entry {
    openraft::testing::blank_ent(90, 9, index)
}

#[tokio::test]
async fn what_is_meant_for_another_member_is_refused() {
    let alone = Alone::at("").await;
    let (code, message) = alone.send(None, Vec::new()).await;
    assert_eq!(code, Code::InvalidArgument, "{message}");
    let mut envelope = alone.envelope();
    envelope.cluster = "another".to_owned();
    let (code, message) = alone.send(Some(envelope), Vec::new()).await;
    assert_eq!(code, Code::FailedPrecondition);
    assert!(message.contains("cluster \"tests\""), "{message}");
    let mut envelope = alone.envelope();
    envelope.to = 2;
    let (code, message) = alone.send(Some(envelope), Vec::new()).await;
    assert_eq!(code, Code::FailedPrecondition);
    assert!(message.contains("member 1, not 2"), "{message}");
    let mut envelope = alone.envelope();
    envelope.incarnation ^= 1;
    let (code, message) = alone.send(Some(envelope), Vec::new()).await;
    assert_eq!(code, Code::FailedPrecondition);
    assert!(message.contains("lost its disk"), "{message}");
    let hello = v1::HelloRequest {
        cluster: "another".to_owned(),
    };
    let refused = alone.client.clone().hello(hello).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    alone.started.group.may_propose().unwrap();
}

#[tokio::test]
async fn a_message_of_another_version_or_with_damage_changes_nothing() {
    let alone = Alone::at("").await;
    let vote = Vote::new_committed(90, 9);
    let good = append_for_tests(vote, &[encode_for_tests(&entry(1))]);
    let mut newer = good.clone();
    newer[0] = 2;
    let (code, message) = alone.append(newer).await;
    assert_eq!(code, Code::FailedPrecondition);
    assert!(
        message.contains("version 2, this build speaks 1"),
        "{message}"
    );
    for damaged in [Vec::new(), good[..good.len() - 1].to_vec()] {
        let (code, message) = alone.append(damaged).await;
        assert_eq!(code, Code::DataLoss);
        assert!(message.contains("no message"), "{message}");
    }
    let (index, mut bytes) = encode_for_tests(&entry(1));
    bytes[9] ^= 1;
    let (code, message) = alone
        .append(append_for_tests(vote, &[(index, bytes)]))
        .await;
    assert_eq!(code, Code::DataLoss);
    assert!(message.contains("log entry 1 is damaged"), "{message}");
    alone.started.group.may_propose().unwrap();
    assert!(alone.started.group.leads());
}

#[tokio::test]
async fn an_append_behind_many_that_wait_for_the_disk_is_put_off() {
    let alone = Alone::at("").await;
    let payload = append_for_tests(Vote::new_committed(0, 9), &[]);
    let standing = alone.service.stand_still();
    let (code, message) = alone.append(payload.clone()).await;
    assert_eq!(code, Code::ResourceExhausted);
    assert!(message.contains("wait for this member's disk"), "{message}");
    drop(standing);
    let request = v1::RaftRequest {
        envelope: Some(alone.envelope()),
        payload,
    };
    alone.client.clone().append(request).await.unwrap();
}

#[tokio::test]
async fn a_command_of_a_newer_build_stops_the_member_with_the_reason() {
    let alone = Alone::at("").await;
    let newer = newer_for_tests(openraft::testing::log_id(90, 9, 1));
    let payload = append_for_tests(Vote::new_committed(90, 9), &[newer]);
    let (code, message) = alone.append(payload).await;
    assert_eq!(code, Code::FailedPrecondition);
    assert!(message.contains("newer build"), "{message}");
    let group = &alone.started.group;
    let reason = group.halt.stopped(&group.raft).await;
    assert!(
        reason.contains("log entry 1") && reason.contains("start this member with the newer build"),
        "{reason}"
    );
    let error = group.may_propose().unwrap_err();
    assert!(error.to_string().contains("newer build"), "{error}");
}

#[tokio::test]
async fn a_snapshot_that_is_not_whole_changes_nothing() {
    let alone = Alone::at("").await;
    let refused = [
        (Vec::new(), Code::InvalidArgument, "without a header"),
        (
            vec![v1::SnapshotPart::default()],
            Code::InvalidArgument,
            "without an envelope",
        ),
        (
            vec![alone.part(SNAPSHOT_BYTES_MAX + 1, b"")],
            Code::ResourceExhausted,
            "the limit is",
        ),
        (
            vec![alone.part(9, b""), part_of(b"1234")],
            Code::DataLoss,
            "4 bytes of a snapshot of 9",
        ),
        (
            vec![alone.part(3, b""), part_of(b"1234")],
            Code::DataLoss,
            "longer than its header says",
        ),
        (
            vec![alone.part(4, b""), part_of(b"1234")],
            Code::DataLoss,
            "",
        ),
    ];
    for (parts, expected, text) in refused {
        let (code, message) = alone.install(parts).await;
        assert_eq!(code, expected, "{message}");
        assert!(message.contains(text), "{message}");
    }
    alone.started.group.may_propose().unwrap();
    assert!(alone.started.group.leads());
}

fn part_of(data: &[u8]) -> v1::SnapshotPart {
    v1::SnapshotPart {
        data: data.to_vec(),
        ..v1::SnapshotPart::default()
    }
}

#[tokio::test]
async fn a_member_without_an_address_adds_nobody() {
    let alone = Alone::at("").await;
    let error = alone.started.group.add(2, "127.0.0.1:1").await.unwrap_err();
    assert!(matches!(error, MemberError::NoAddress), "{error}");
}

#[tokio::test]
async fn a_group_has_a_largest_size_and_learners_do_not_lead() {
    let alone = Alone::at("127.0.0.1:1").await;
    let group = &alone.started.group;
    let learners = 2..=u64::try_from(MEMBERS_MAX).unwrap();
    let nodes: BTreeMap<u64, Member> = learners
        .map(|id| {
            let member = Member {
                address: format!("127.0.0.1:{id}"),
                incarnation: id,
            };
            (id, member)
        })
        .collect();
    group
        .raft
        .change_membership(ChangeMembers::AddNodes(nodes), false)
        .await
        .unwrap();
    let error = group.add(99, "127.0.0.1:99").await.unwrap_err();
    assert!(
        matches!(
            error,
            MemberError::Full {
                members: MEMBERS_MAX,
                max: MEMBERS_MAX
            }
        ),
        "{error}"
    );
    let error = group.transfer(2).await.unwrap_err();
    assert!(matches!(error, MemberError::Learner { id: 2 }), "{error}");
}
