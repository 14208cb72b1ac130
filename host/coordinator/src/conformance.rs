//! openraft's own test suite over our stores, and what it does not ask: damage and reopening.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use openraft::RaftLogReader as _;
use openraft::RaftSnapshotBuilder as _;
use openraft::storage::{RaftLogStorage as _, RaftLogStorageExt as _, RaftStateMachine as _};
use openraft::testing::{StoreBuilder, Suite, blank_ent, membership_ent};
use openraft::{EntryPayload, Vote};
use tempfile::TempDir;

use aureole_ledger::{Command, Digest, Outcome, TaskId, TenantId};
use aureole_store::TileLog;

use crate::dial::DialNothing;
use crate::identity::Identity;
use crate::log::{
    LogError, LogStore, appended_for_tests, encode_for_tests, newer_for_tests, records_for_tests,
};
use crate::machine::Machine;
use crate::network::Network;
use crate::raft::{Batch, Entry, LogId, Member, StorageError, Types};
use crate::snapshot::{SnapshotError, SnapshotFile};

/// Bytes by which a log's file grows.
const CHUNK: usize = 1024 * 1024;

struct Builder;

impl StoreBuilder<Types, LogStore, Machine, TempDir> for Builder {
    async fn build(&self) -> Result<(TempDir, LogStore, Machine), StorageError> {
        let dir = tempfile::tempdir().unwrap();
        let log = LogStore::open(dir.path()).unwrap();
        let machine = machine(&dir).unwrap();
        Ok((dir, log, machine))
    }
}

fn machine(dir: &TempDir) -> Result<Machine, SnapshotError> {
    Machine::open(
        SnapshotFile::open(dir.path()).unwrap(),
        Arc::new(TileLog::open(dir.path().join("receipts")).unwrap()),
    )
}

fn position(index: u64) -> LogId {
    openraft::testing::log_id(1, 1, index)
}

fn register(index: u64, component: &str) -> Entry {
    let command = Command::RegisterPlugin {
        component: Digest::of(component.as_bytes()),
        bytes: 10,
        task: TaskId::from_bytes([u8::try_from(index).unwrap(); 16]),
        now: index,
        tenant: TenantId::default(),
    };
    Entry {
        log_id: position(index),
        payload: EntryPayload::Normal(batch(command)),
    }
}

fn batch(command: Command) -> Batch {
    let encoded = command.encode().unwrap();
    Batch::of(vec![command], &[encoded])
}

#[test]
fn the_stores_pass_openrafts_suite() {
    Suite::test_all(Builder).unwrap();
}

#[tokio::test]
async fn what_was_appended_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let entries = vec![
        membership_ent::<Types>(1, 1, 1, vec![[1].into()]),
        register(2, "a"),
        blank_ent::<Types>(1, 1, 3),
    ];
    {
        let mut log = LogStore::open(dir.path()).unwrap();
        log.save_vote(&Vote::new_committed(1, 1)).await.unwrap();
        log.blocking_append(entries.clone()).await.unwrap();
    }
    let mut log = LogStore::open(dir.path()).unwrap();
    assert_eq!(
        log.read_vote().await.unwrap(),
        Some(Vote::new_committed(1, 1))
    );
    assert_eq!(log.try_get_log_entries(..).await.unwrap(), entries);
    assert_eq!(
        log.get_log_state().await.unwrap().last_log_id,
        Some(position(3))
    );
}

#[test]
fn a_log_is_open_once() {
    let dir = tempfile::tempdir().unwrap();
    let _open = LogStore::open(dir.path()).unwrap();
    let error = LogStore::open(dir.path()).unwrap_err();
    assert!(matches!(error, LogError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("stop it first"));
}

#[test]
fn a_file_that_is_no_log_is_refused_by_name() {
    for (content, expected) in [
        (b"not a log".to_vec(), "it was cut"),
        (vec![0; CHUNK], "does not begin as a log"),
        (vec![0x5a; CHUNK], "a checksum differs"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("log"), content).unwrap();
        let error = LogStore::open(dir.path()).unwrap_err();
        assert!(matches!(error, LogError::Rotten { .. }), "{error}");
        let path = dir.path().join("log").display().to_string();
        let shown = error.to_string();
        assert!(shown.contains(expected) && shown.contains(&path), "{shown}");
    }
}

#[test]
fn a_log_of_an_older_build_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let older = dir.path().join("log.redb");
    std::fs::write(&older, b"redb").unwrap();
    let error = LogStore::open(dir.path()).unwrap_err();
    assert!(matches!(error, LogError::Older { .. }), "{error}");
    assert!(
        error.to_string().contains("the build that wrote it"),
        "{error}"
    );
    assert_eq!(std::fs::read(&older).unwrap(), b"redb");
    assert!(!dir.path().join("log").exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let error = LogStore::open(&file.join("log")).unwrap_err();
    assert!(matches!(error, LogError::Folder { .. }), "{error}");
}

/// A way to damage bytes.
type Damage = fn(Vec<u8>) -> Vec<u8>;

/// A folder with a log of one record, whole and of these bytes for entry 2.
fn tampered(bytes: Vec<u8>) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    records_for_tests(dir.path(), &[appended_for_tests(&[(2, bytes)])]);
    dir
}

#[test]
fn a_damaged_entry_is_an_error_not_an_entry() {
    let cases: [(&str, Damage); 3] = [
        ("checksum", |mut bytes| {
            bytes[20] ^= 1;
            bytes
        }),
        ("only 3 bytes", |bytes| bytes[..3].to_vec()),
        ("checksum", |bytes| bytes[..bytes.len() - 1].to_vec()),
    ];
    let (_, good) = encode_for_tests(&register(2, "a"));
    LogStore::open(tampered(good.clone()).path()).unwrap();
    for (expected, change) in cases {
        let dir = tampered(change(good.clone()));
        let error = LogStore::open(dir.path()).unwrap_err().to_string();
        assert!(
            error.contains(expected) && error.contains("log entry 2"),
            "{error}"
        );
    }
}

#[test]
fn an_entry_at_another_entrys_place_is_an_error() {
    let (_, third) = encode_for_tests(&register(3, "b"));
    let error = LogStore::open(tampered(third).path()).unwrap_err();
    assert!(
        matches!(error, LogError::Damaged { index: 2, .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("it says it is entry 3"),
        "{error}"
    );
}

#[test]
fn an_entry_of_a_newer_build_stops_the_start_and_says_so() {
    let (_, newer) = newer_for_tests(position(2));
    let error = LogStore::open(tampered(newer).path()).unwrap_err();
    assert!(
        matches!(error, LogError::Unknown { index: 2, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("newer build"), "{error}");
}

#[tokio::test]
async fn a_missing_entry_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    {
        let mut log = LogStore::open(dir.path()).unwrap();
        let entries = vec![register(1, "a"), register(3, "c")];
        log.blocking_append(entries).await.unwrap();
    }
    let error = LogStore::open(dir.path()).unwrap_err();
    assert!(
        matches!(
            error,
            LogError::Gap {
                expected: 2,
                found: 3
            }
        ),
        "{error}"
    );
}

#[test]
fn a_record_of_a_newer_build_stops_the_start_and_says_so() {
    let whole = appended_for_tests(&[encode_for_tests(&register(2, "a"))]);
    for record in [vec![99, 1, 2, 3], [whole.as_slice(), &[0]].concat()] {
        let dir = tempfile::tempdir().unwrap();
        records_for_tests(dir.path(), &[record]);
        let error = LogStore::open(dir.path()).unwrap_err();
        assert!(
            matches!(error, LogError::Record { record: 1, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("newer build"), "{error}");
    }
}

#[tokio::test]
async fn a_machine_starts_from_its_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = machine(&dir).unwrap();
    let entries = vec![
        membership_ent::<Types>(1, 1, 1, vec![[1].into()]),
        register(2, "a"),
    ];
    let answers = first.apply(entries).await.unwrap();
    assert!(matches!(
        answers[1].0[..],
        [Outcome::PluginRegistered { created: true, .. }]
    ));
    let snapshot = first
        .get_snapshot_builder()
        .await
        .build_snapshot()
        .await
        .unwrap();
    assert_eq!(snapshot.meta.last_log_id, Some(position(2)));
    let mut second = machine(&dir).unwrap();
    assert_eq!(
        second.applied_state().await.unwrap(),
        first.applied_state().await.unwrap()
    );
    let digest = |machine: &Machine| machine.facts.read(|state| state.digest().unwrap());
    assert_eq!(digest(&second), digest(&first));
}

#[tokio::test]
async fn an_interrupted_snapshot_is_removed_and_the_old_one_stands() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = machine(&dir).unwrap();
    first.apply(vec![register(1, "a")]).await.unwrap();
    first
        .get_snapshot_builder()
        .await
        .build_snapshot()
        .await
        .unwrap();
    std::fs::write(dir.path().join("snapshot.new"), b"half of a snapsh").unwrap();
    let mut second = machine(&dir).unwrap();
    assert_eq!(second.applied_state().await.unwrap().0, Some(position(1)));
    assert!(!dir.path().join("snapshot.new").exists());
}

#[tokio::test]
async fn one_flipped_bit_in_a_snapshot_is_noticed_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = machine(&dir).unwrap();
    first.apply(vec![register(1, "a")]).await.unwrap();
    first
        .get_snapshot_builder()
        .await
        .build_snapshot()
        .await
        .unwrap();
    let path = dir.path().join("snapshot");
    let good = std::fs::read(&path).unwrap();
    for place in 0..good.len() {
        let mut bad = good.clone();
        bad[place] ^= 0x04;
        std::fs::write(&path, &bad).unwrap();
        let error = machine(&dir).unwrap_err();
        assert!(
            matches!(
                error,
                SnapshotError::Damaged { .. } | SnapshotError::State { .. }
            ),
            "at {place}: {error}"
        );
    }
    for length in 0..good.len() {
        std::fs::write(&path, &good[..length]).unwrap();
        assert!(machine(&dir).is_err(), "cut at {length}");
    }
    std::fs::write(&path, &good).unwrap();
    machine(&dir).unwrap();
}

#[test]
fn a_snapshot_that_cannot_be_read_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("snapshot")).unwrap();
    let error = machine(&dir).unwrap_err();
    assert!(matches!(error, SnapshotError::Io { .. }), "{error}");
    let dir = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(dir.path().join("snapshot")).unwrap();
    file.set_len(2 * 1024 * 1024 * 1024).unwrap();
    let error = machine(&dir).unwrap_err();
    assert!(
        matches!(
            error,
            SnapshotError::TooLarge {
                bytes: 2_147_483_648,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_damaged_snapshot_from_a_peer_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut machine = machine(&dir).unwrap();
    machine.apply(vec![register(1, "a")]).await.unwrap();
    let before = machine.applied_state().await.unwrap();
    let mut snapshot = machine
        .get_snapshot_builder()
        .await
        .build_snapshot()
        .await
        .unwrap();
    snapshot.meta.last_log_id = Some(position(9));
    snapshot.snapshot.get_mut()[60] ^= 1;
    let installed = machine
        .install_snapshot(&snapshot.meta, snapshot.snapshot)
        .await;
    assert!(installed.is_err());
    assert_eq!(machine.applied_state().await.unwrap(), before);
    assert_eq!(
        machine
            .get_current_snapshot()
            .await
            .unwrap()
            .unwrap()
            .meta
            .last_log_id,
        Some(position(1))
    );
}

#[tokio::test]
async fn a_member_without_an_address_is_unreachable() {
    use openraft::network::{RPCOption, RaftNetwork as _, RaftNetworkFactory as _};
    let identity = Identity::draw("tests", 1).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let log = LogStore::open(dir.path()).unwrap();
    let mut network = Network::new(identity.into(), Arc::new(DialNothing), log.newest());
    let node = Member {
        address: "10.0.0.9:1".to_owned(),
        incarnation: 0,
    };
    let mut peer = network.new_client(9, &node).await;
    let option = RPCOption::new(std::time::Duration::from_secs(1));
    let vote = openraft::raft::VoteRequest::new(Vote::new(1, 1), None);
    let error = peer.vote(vote, option).await.unwrap_err();
    assert!(
        matches!(&error, openraft::error::RPCError::Unreachable(_)),
        "{error}"
    );
    assert!(error.to_string().contains("10.0.0.9:1"), "{error}");
}
