//! openraft's own test suite over our stores, and what it does not ask: damage and reopening.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use openraft::RaftLogReader as _;
use openraft::RaftSnapshotBuilder as _;
use openraft::storage::{RaftLogStorage as _, RaftLogStorageExt as _, RaftStateMachine as _};
use openraft::testing::{StoreBuilder, Suite, blank_ent, membership_ent};
use openraft::{EntryPayload, Vote};
use redb::{ReadableDatabase as _, TableDefinition};
use tempfile::TempDir;

use aureole_ledger::{Command, Digest, Outcome, TaskId, TenantId};

use crate::dial::DialNothing;
use crate::identity::Identity;
use crate::log::{LogError, LogStore, newer_for_tests, open_database};
use crate::machine::Machine;
use crate::network::Network;
use crate::raft::{Batch, Entry, LogId, Member, StorageError, Types};
use crate::snapshot::{SnapshotError, SnapshotFile};

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
    Machine::open(SnapshotFile::open(dir.path()).unwrap())
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
        payload: EntryPayload::Normal(Batch(vec![command])),
    }
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
fn a_log_that_is_no_database_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("log.redb"), b"not a database").unwrap();
    let error = LogStore::open(dir.path()).unwrap_err();
    assert!(matches!(error, LogError::Open { .. }), "{error}");
    assert!(error.to_string().contains("log.redb"));
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

/// Changes the bytes that stand in a log's table.
fn tamper(dir: &TempDir, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("entries");
    let database = open_database(&dir.path().join("log.redb")).unwrap();
    let read = database.begin_read().unwrap().open_table(ENTRIES).unwrap();
    let bytes = redb::ReadableTable::get(&read, 2)
        .unwrap()
        .unwrap()
        .value()
        .to_vec();
    drop(read);
    let transaction = database.begin_write().unwrap();
    transaction
        .open_table(ENTRIES)
        .unwrap()
        .insert(2, change(bytes).as_slice())
        .unwrap();
    transaction.commit().unwrap();
}

#[tokio::test]
async fn a_damaged_entry_is_an_error_not_an_entry() {
    let cases: [(&str, Damage); 3] = [
        ("checksum", |mut bytes| {
            bytes[20] ^= 1;
            bytes
        }),
        ("only 3 bytes", |bytes| bytes[..3].to_vec()),
        ("checksum", |bytes| bytes[..bytes.len() - 1].to_vec()),
    ];
    for (expected, change) in cases {
        let dir = tempfile::tempdir().unwrap();
        {
            let mut log = LogStore::open(dir.path()).unwrap();
            log.blocking_append(vec![register(2, "a")]).await.unwrap();
        }
        tamper(&dir, change);
        let error = LogStore::open(dir.path()).unwrap_err().to_string();
        assert!(
            error.contains(expected) && error.contains("log entry 2"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_entry_at_another_entrys_place_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    {
        let mut log = LogStore::open(dir.path()).unwrap();
        log.blocking_append(vec![register(2, "a"), register(3, "b")])
            .await
            .unwrap();
    }
    let (_, third) = crate::log::encode_for_tests(&register(3, "b"));
    tamper(&dir, |_| third);
    let error = LogStore::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("it says it is entry 3"), "{error}");
}

#[tokio::test]
async fn an_entry_of_a_newer_build_stops_the_start_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    {
        let mut log = LogStore::open(dir.path()).unwrap();
        log.blocking_append(vec![register(2, "a")]).await.unwrap();
    }
    tamper(&dir, |_| newer_for_tests(position(2)).1);
    let error = LogStore::open(dir.path()).unwrap_err();
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
fn a_log_of_another_format_or_with_a_damaged_mark_is_refused() {
    const MARKS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("marks");
    let dir = tempfile::tempdir().unwrap();
    let set = |mark: &str, bytes: &[u8]| {
        let database = open_database(&dir.path().join("log.redb")).unwrap();
        let transaction = database.begin_write().unwrap();
        let mut table = transaction.open_table(MARKS).unwrap();
        table.insert(mark, bytes).unwrap();
        drop(table);
        transaction.commit().unwrap();
    };
    drop(LogStore::open(dir.path()).unwrap());
    set("vote", b"not a vote at all");
    let error = LogStore::open(dir.path()).unwrap_err();
    assert!(
        matches!(error, LogError::DamagedMark { mark: "vote", .. }),
        "{error}"
    );
    // 99 and its checksum.
    let body = [99_u8];
    let mut bytes = Digest::of(&body).as_bytes()[..8].to_vec();
    bytes.extend_from_slice(&body);
    set("format", &bytes);
    let error = LogStore::open(dir.path()).unwrap_err();
    assert!(
        matches!(
            error,
            LogError::Format {
                found: 99,
                known: 2,
                ..
            }
        ),
        "{error}"
    );
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
    let mut network = Network::new(identity.into(), std::sync::Arc::new(DialNothing));
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
