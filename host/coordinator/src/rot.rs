//! A log's file that is not what was written. One flipped bit anywhere: the log does not open. A newest
//! record of which sectors were not written: the log is what it was before it, which nobody had
//! acknowledged. A sector that is gone anywhere else, or a file that was cut: the log does not open.

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
use tempfile::TempDir;

use crate::log::LogStore;
use crate::raft::{Batch, Entry};

/// Flips over the whole file.
const FLIPS: u64 = 150;

/// Entries in the log, each written by itself.
const ENTRIES: u64 = 60;

/// Bytes of a sector.
const SECTOR: usize = 512;

type Content = (Vec<Entry>, Option<Vote<u64>>);

/// What a log says; nothing if it does not open.
async fn content(dir: &Path) -> Option<Content> {
    let mut log = LogStore::open(dir).ok()?;
    let entries = log.try_get_log_entries(..).await.ok()?;
    Some((entries, log.read_vote().await.ok()?))
}

/// Appends an entry of some commands.
async fn append(log: &mut LogStore, index: u64, commands: u64) {
    let commands: Vec<Command> = (0..commands).map(|number| command(index, number)).collect();
    let encoded: Vec<_> = commands.iter().map(|one| one.encode().unwrap()).collect();
    let entry = Entry {
        log_id: openraft::testing::log_id(1, 1, index),
        payload: EntryPayload::Normal(Batch::of(commands, &encoded)),
    };
    log.blocking_append(vec![entry]).await.unwrap();
}

fn command(index: u64, number: u64) -> Command {
    let task = Digest::of(&[index.to_be_bytes(), number.to_be_bytes()].concat());
    Command::RegisterPlugin {
        component: task,
        bytes: 10,
        task: TaskId::from_slice(&task.as_bytes()[..16]).unwrap(),
        now: index,
        tenant: TenantId::default(),
    }
}

/// A generator that says where; its seed is shown when a flip goes unnoticed.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A folder with a log as a killed process leaves it, its bytes, and what it says. The newest record
/// has several sectors.
async fn log() -> (TempDir, Vec<u8>, Content) {
    let dir = tempfile::tempdir().unwrap();
    let mut log = LogStore::open(dir.path()).unwrap();
    for index in 1..ENTRIES {
        append(&mut log, index, 1).await;
    }
    log.save_vote(&Vote::new_committed(7, 1)).await.unwrap();
    append(&mut log, ENTRIES, 40).await;
    let good = std::fs::read(dir.path().join("log")).unwrap();
    drop(log);
    let before = content_of(&dir, &good).await.unwrap();
    assert_eq!(before.0.len(), usize::try_from(ENTRIES).unwrap());
    (dir, good, before)
}

/// What a log of these bytes says.
async fn content_of(dir: &TempDir, bytes: &[u8]) -> Option<Content> {
    std::fs::write(dir.path().join("log"), bytes).unwrap();
    content(dir.path()).await
}

/// The sectors of the newest record.
fn newest(good: &[u8]) -> std::ops::Range<usize> {
    let used = good.iter().rposition(|byte| *byte != 0).unwrap() / SECTOR + 1;
    let record_of = |sector: usize| &good[sector * SECTOR + 8..sector * SECTOR + 16];
    let first = (0..used).rfind(|sector| record_of(*sector) != record_of(used - 1));
    first.unwrap() + 1..used
}

#[tokio::test]
async fn no_flipped_bit_goes_unnoticed() {
    let (dir, good, _) = log().await;
    let seed = getrandom::u64().unwrap();
    let mut state = seed;
    let length = u64::try_from(good.len()).unwrap();
    let anywhere = (0..FLIPS).map(|_| usize::try_from(next(&mut state) % length).unwrap());
    let anywhere: Vec<usize> = anywhere.collect();
    let used = newest(&good).end * SECTOR;
    let written = (0..FLIPS).map(|_| usize::try_from(next(&mut state)).unwrap_or(0) % used);
    let written: Vec<usize> = written.collect();
    let last = used - SECTOR..used;
    for place in anywhere
        .into_iter()
        .chain(written)
        .chain(0..SECTOR)
        .chain(last)
    {
        let bit = next(&mut state) % 8;
        let mut bad = good.clone();
        bad[place] ^= 1 << bit;
        let after = content_of(&dir, &bad).await;
        assert!(
            after.is_none(),
            "bit {bit} of byte {place} was not noticed, seed {seed}"
        );
    }
}

#[tokio::test]
async fn an_unfinished_record_is_dropped_and_nothing_else_is() {
    let (dir, good, before) = log().await;
    let newest = newest(&good);
    assert!(newest.len() > 4, "{newest:?}");
    let mut shorter = before.clone();
    shorter.0.pop();
    let seed = getrandom::u64().unwrap();
    let mut state = seed;
    // Every end at which a process may be killed, and what a disk may have of it after a power cut.
    let missing_after = newest.clone().map(|from| (from..newest.end).collect());
    let missing_some = (0..30).map(|_| {
        let some = newest.clone().filter(|_| next(&mut state) % 2 == 0);
        some.collect::<Vec<_>>()
    });
    for missing in missing_after
        .chain(missing_some)
        .filter(|missing| !missing.is_empty())
    {
        let mut torn = good.clone();
        for sector in &missing {
            torn[sector * SECTOR..][..SECTOR].fill(0);
        }
        let after = content_of(&dir, &torn).await;
        assert!(
            after.as_ref() == Some(&shorter),
            "without {missing:?}, seed {seed}"
        );
        // A flipped bit in what there is of it is noticed too.
        if let Some(there) = newest.clone().find(|sector| !missing.contains(sector)) {
            torn[there * SECTOR + 100] ^= 1;
            let after = content_of(&dir, &torn).await;
            assert!(
                after.is_none(),
                "without {missing:?}, {there} rotten, seed {seed}"
            );
        }
    }
}

#[tokio::test]
async fn a_record_that_others_follow_cannot_be_unfinished() {
    let (dir, good, _) = log().await;
    for sector in 0..newest(&good).start {
        let mut bad = good.clone();
        bad[sector * SECTOR..][..SECTOR].fill(0);
        let after = content_of(&dir, &bad).await;
        assert!(after.is_none(), "sector {sector} is gone");
    }
    for cut in [1, 7, SECTOR, 4096, good.len() - SECTOR, good.len()] {
        let after = content_of(&dir, &good[..good.len() - cut]).await;
        assert!(after.is_none(), "{cut} bytes were cut");
    }
    // Parts that belong elsewhere, each whole.
    let newest = newest(&good);
    for (from, to) in [
        (newest.start, newest.start + 1),
        (newest.start, newest.end),
        (newest.start - 1, newest.end),
        (newest.start - 2, newest.start - 1),
    ] {
        let mut bad = good.clone();
        bad.copy_within(from * SECTOR..(from + 1) * SECTOR, to * SECTOR);
        let after = content_of(&dir, &bad).await;
        assert!(after.is_none(), "sector {from} also at {to}");
    }
}

#[tokio::test]
async fn what_an_unfinished_record_left_is_gone_after_the_next_start() {
    let (dir, good, mut before) = log().await;
    let newest = newest(&good);
    let mut torn = good.clone();
    torn[newest.start * SECTOR..][..SECTOR].fill(0);
    before.0.pop();
    assert_eq!(content_of(&dir, &torn).await, Some(before.clone()));
    let mut log = LogStore::open(dir.path()).unwrap();
    append(&mut log, ENTRIES, 1).await;
    drop(log);
    let after = content(dir.path()).await.unwrap();
    assert_eq!(after.0.len(), before.0.len() + 1);
    assert_eq!(after.0[..before.0.len()], before.0);
}
