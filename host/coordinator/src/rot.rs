//! One flipped bit anywhere in a log's file: either the log is what it was, or it does not open.
//!
//! The file is taken as a process that was killed leaves it, and as one that ended well does.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::Path;

use aureole_ledger::{Command, Digest, TaskId, TenantId};
use openraft::storage::{RaftLogStorage as _, RaftLogStorageExt as _};
use openraft::{EntryPayload, RaftLogReader as _, Vote};

use crate::log::LogStore;
use crate::raft::{Batch, Entry};

/// Flips over the whole file, of each of the two states.
const FLIPS: u64 = 100;

/// Entries in the log, each written by itself.
const ENTRIES: u64 = 60;

/// Bytes of the header and its seal.
const HEAD: u64 = 352;

type Content = (Vec<Entry>, Option<Vote<u64>>);

/// What a log says; nothing if it does not open.
async fn content(dir: &Path) -> Option<Content> {
    let mut log = LogStore::open(dir).ok()?;
    let entries = log.try_get_log_entries(..).await.ok()?;
    Some((entries, log.read_vote().await.ok()?))
}

async fn append(log: &mut LogStore, index: u64) {
    let task = Digest::of(&index.to_be_bytes());
    let command = Command::RegisterPlugin {
        component: task,
        bytes: 10,
        task: TaskId::from_slice(&task.as_bytes()[..16]).unwrap(),
        now: index,
        tenant: TenantId::default(),
    };
    let entry = Entry {
        log_id: openraft::testing::log_id(1, 1, index),
        payload: EntryPayload::Normal(Batch(vec![command])),
    };
    log.blocking_append(vec![entry]).await.unwrap();
}

/// A generator that says where; its seed is shown when a flip goes unnoticed.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[tokio::test]
async fn no_flipped_bit_changes_what_a_log_says() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.redb");
    let mut log = LogStore::open(dir.path()).unwrap();
    for index in 1..=ENTRIES {
        append(&mut log, index).await;
    }
    log.save_vote(&Vote::new_committed(7, 1)).await.unwrap();
    let killed = std::fs::read(&path).unwrap();
    drop(log);
    let ended = std::fs::read(&path).unwrap();

    let seed = getrandom::u64().unwrap();
    let mut state = seed;
    let (mut noticed, mut harmless) = (0_u64, 0_u64);
    for good in [&killed, &ended] {
        std::fs::write(&path, good).unwrap();
        let before = content(dir.path()).await.unwrap();
        assert_eq!(before.0.len(), usize::try_from(ENTRIES).unwrap());
        let length = u64::try_from(good.len()).unwrap();
        let anywhere: Vec<u64> = (0..FLIPS).map(|_| next(&mut state) % length).collect();
        for place in anywhere.into_iter().chain(0..HEAD) {
            let bit = next(&mut state) % 8;
            let mut bad = good.clone();
            bad[usize::try_from(place).unwrap()] ^= 1 << bit;
            std::fs::write(&path, &bad).unwrap();
            match content(dir.path()).await {
                None => noticed += 1,
                Some(after) => {
                    harmless += 1;
                    assert!(
                        after == before,
                        "bit {bit} of byte {place} changed the log, seed {seed}"
                    );
                }
            }
        }
    }
    assert!(
        noticed >= 2 * HEAD && harmless > 0,
        "{noticed} noticed, {harmless} harmless, seed {seed}"
    );
}
