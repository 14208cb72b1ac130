//! The file beneath the log: how it grows, shrinks, fails, and gives back what is not in memory.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use openraft::storage::{RaftLogStorage as _, RaftLogStorageExt as _};
use openraft::{EntryPayload, RaftLogReader as _};

use aureole_ledger::{Command, TaskId};

use super::journal::Fresh;
use super::reader::Reader;
use super::sectors::{SECTOR_BYTES, Sector, cut, sectors_for};
use super::{LogError, LogStore};
use crate::limits::{LOG_CACHE_BYTES, LOG_CHUNK_BYTES, LOG_REWRITE_BYTES_MIN};
use crate::raft::{Batch, Entry};

/// An entry of about a hundred KiB that says which it is.
fn large(index: u64) -> Entry {
    let tasks = vec![TaskId::from_bytes([u8::try_from(index % 251).unwrap(); 16]); 128];
    let commands = vec![Command::ForgetTasks { tasks }; 48];
    let encoded: Vec<_> = commands.iter().map(|one| one.encode().unwrap()).collect();
    Entry {
        log_id: openraft::testing::log_id(1, 1, index),
        payload: EntryPayload::Normal(Batch::of(commands, &encoded)),
    }
}

fn length(dir: &Path) -> u64 {
    std::fs::metadata(dir.join("log")).unwrap().len()
}

#[test]
fn a_record_is_cut_into_sectors_and_read_back() {
    for length in [0, 1, 487, 488, 489, 976, 977, 10_000] {
        let content: Vec<u8> = (0..length)
            .map(|at| u8::try_from(at % 255).unwrap())
            .collect();
        let mut sectors = Vec::new();
        cut(7, &content, &mut sectors).unwrap();
        let length = u32::try_from(length).unwrap();
        let count = usize::try_from(sectors_for(length)).unwrap();
        assert_eq!(sectors.len(), count * SECTOR_BYTES);
        let mut back = Vec::new();
        for (at, sector) in sectors.chunks_exact(SECTOR_BYTES).enumerate() {
            let Sector::Part {
                record: 7,
                number,
                length: said,
                content,
            } = Sector::of(sector.try_into().unwrap())
            else {
                panic!("sector {at}");
            };
            assert_eq!((usize::try_from(number).unwrap(), said), (at, length));
            back.extend_from_slice(content);
        }
        assert!(back.starts_with(&content));
        assert!(back[content.len()..].iter().all(|byte| *byte == 0));
    }
}

#[tokio::test]
async fn a_log_is_a_whole_number_of_chunks_and_shrinks_when_it_is_purged() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = LogStore::open(dir.path()).unwrap();
    assert_eq!(length(dir.path()), LOG_CHUNK_BYTES);
    let last = LOG_REWRITE_BYTES_MIN / 100_000 * 2;
    for index in 1..=last {
        log.blocking_append(vec![large(index)]).await.unwrap();
        assert_eq!(length(dir.path()) % LOG_CHUNK_BYTES, 0);
    }
    let full = length(dir.path());
    assert!(full > LOG_REWRITE_BYTES_MIN, "{full}");
    // Most of it is still needed: it stays where it is.
    log.purge(openraft::testing::log_id(1, 1, 2)).await.unwrap();
    assert_eq!(length(dir.path()), full);
    let upto = openraft::testing::log_id(1, 1, last - 3);
    log.purge(upto).await.unwrap();
    assert!(length(dir.path()) <= 2 * LOG_CHUNK_BYTES);
    log.blocking_append(vec![large(last + 1)]).await.unwrap();
    drop(log);
    let mut log = LogStore::open(dir.path()).unwrap();
    let kept: Vec<Entry> = (last - 2..=last + 1).map(large).collect();
    assert_eq!(log.try_get_log_entries(..).await.unwrap(), kept);
    let state = log.get_log_state().await.unwrap();
    assert_eq!(state.last_purged_log_id, Some(upto));
}

#[tokio::test]
async fn old_entries_are_read_from_the_file_and_checked_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = LogStore::open(dir.path()).unwrap();
    let bytes = u64::try_from(LOG_CACHE_BYTES).unwrap();
    let last = bytes / 100_000 + 20;
    for index in (1..=last).step_by(2) {
        let two = vec![large(index), large(index + 1)];
        log.blocking_append(two).await.unwrap();
    }
    let all: Vec<Entry> = log.try_get_log_entries(..).await.unwrap();
    assert!(
        all.iter()
            .zip(1..)
            .all(|(entry, index)| *entry == large(index))
    );
    assert!(all.len() > usize::try_from(last - 1).unwrap());
    // What the file has of the first is no longer what was written.
    let path = dir.path().join("log");
    let mut rotten = std::fs::read(&path).unwrap();
    rotten[10 * SECTOR_BYTES + 40] ^= 1;
    std::fs::write(&path, &rotten).unwrap();
    let error = log.try_get_log_entries(..3).await.unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
    let newest = log.try_get_log_entries(last - 2..).await.unwrap();
    assert_eq!(newest[0], large(last - 2));
}

#[test]
fn after_a_write_that_failed_a_journal_takes_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Fresh::begin(dir.path()).unwrap().finish().unwrap();
    journal.append(b"one").unwrap();
    let path = dir.path().join("log");
    let good = std::mem::replace(&mut journal.file, Arc::new(File::open(&path).unwrap()));
    let error = journal.append(b"two").unwrap_err();
    assert!(matches!(error, LogError::Io { .. }), "{error}");
    journal.file = good;
    let error = journal.append(b"three").unwrap_err();
    assert!(matches!(error, LogError::Broken { .. }), "{error}");
    let mut reader = Reader::begin(&path, File::open(&path).unwrap()).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().content, b"one");
    assert!(reader.next().unwrap().is_none());
}

#[test]
fn a_log_of_another_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(LogStore::open(dir.path()).unwrap());
    let mut head = Vec::new();
    let said = [b"aureole log\0".as_slice(), &99_u32.to_be_bytes()].concat();
    cut(0, &said, &mut head).unwrap();
    let path = dir.path().join("log");
    let mut other = std::fs::read(&path).unwrap();
    other[..SECTOR_BYTES].copy_from_slice(&head);
    std::fs::write(&path, other).unwrap();
    let error = LogStore::open(dir.path()).unwrap_err();
    assert!(
        matches!(
            error,
            LogError::Format {
                found: 99,
                known: 3,
                ..
            }
        ),
        "{error}"
    );
}
