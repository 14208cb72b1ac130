//! The log and the vote on disk, in one redb file.
//!
//! Everything is written by transactions with immediate durability: when a write returns, it has been
//! fsynced. A process may be killed between any two instructions; redb then opens the file at the last
//! committed transaction. Writes run on tokio's blocking threads: an fsync takes milliseconds.
//!
//! A commit has two phases, the pages and then the header that names them, each with an fsync. With
//! one, a last transaction that rotted after a crash would pass for one that was never finished, and
//! what it had acknowledged would be gone without a word. It also means that a write whose fsync failed
//! is not found by the next process: the header it would be found by was not written, or is written
//! anew, and fsynced, when the log is opened. What that costs stands in `host/decisions/0009`.

mod disk;
mod entry;
mod error;

use std::fmt::Debug;
use std::ops::{Bound, RangeBounds};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use openraft::storage::{LogFlushed, RaftLogStorage};
use openraft::{LogState, OptionalSend, RaftLogReader, StorageIOError, Vote};
use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction,
};

use self::disk::Disk;
use self::entry::checked;
#[cfg(test)]
pub(crate) use self::entry::newer_for_tests;
pub(crate) use self::entry::{decode_entry, encode_entry};
pub use self::error::LogError;
use crate::identity::Identity;
use crate::limits::{FOLDER_PATIENCE, LOG_CACHE_BYTES};
use crate::raft::{Entry, LogId, StorageError, Types};

/// Entries by index.
const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("entries");

/// The vote, the last purged position, the member's identity and the format.
const MARKS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("marks");

const VOTE: &str = "vote";
const PURGED: &str = "purged";
const IDENTITY: &str = "identity";
const FORMAT: &str = "format";

/// The form of what stands in the file. A build that changes it raises it and reads the one before;
/// 1 was never released.
const FORMAT_KNOWN: u32 = 2;

/// Name of the file in the coordinator's folder.
const FILE: &str = "log.redb";

/// The log. Cheap to clone; all clones are one log.
#[derive(Clone, Debug)]
pub(crate) struct LogStore {
    database: Arc<Database>,
}

/// Boxes redb's large error.
fn boxed(error: impl Into<redb::Error>) -> LogError {
    LogError::Database(Box::new(error.into()))
}

// === impl LogStore ===

impl LogStore {
    /// Opens the log of a folder, and makes both if they are not there.
    ///
    /// Everything in it is read and checked: a member must not vote by a log that lacks what it once
    /// acknowledged.
    pub(crate) fn open(dir: &Path) -> Result<Self, LogError> {
        let folder = |source| LogError::Folder {
            path: dir.to_owned(),
            source,
        };
        std::fs::create_dir_all(dir).map_err(folder)?;
        let path = dir.join(FILE);
        let store = Self {
            database: Arc::new(open_database(&path)?),
        };
        let fresh = store.prepare()?;
        let format = store.mark::<u32>(FORMAT)?.unwrap_or(1);
        if !fresh && format != FORMAT_KNOWN {
            return Err(LogError::Format {
                path,
                found: format,
                known: FORMAT_KNOWN,
            });
        }
        store.verify()?;
        // The file's name must survive too.
        std::fs::File::open(dir)
            .and_then(|dir| dir.sync_all())
            .map_err(folder)?;
        Ok(store)
    }

    /// Makes the tables. True when they were not there.
    fn prepare(&self) -> Result<bool, LogError> {
        let format = encode_mark(&FORMAT_KNOWN)?;
        let mut fresh = false;
        self.write(|transaction| {
            transaction.open_table(ENTRIES).map_err(boxed)?;
            let mut marks = transaction.open_table(MARKS).map_err(boxed)?;
            fresh = marks.first().map_err(boxed)?.is_none();
            if fresh {
                marks.insert(FORMAT, format.as_slice()).map_err(boxed)?;
            }
            Ok(())
        })?;
        Ok(fresh)
    }

    /// Reads every entry and mark: each whole, and none missing between the first and the last.
    fn verify(&self) -> Result<(), LogError> {
        self.mark::<Vote<u64>>(VOTE)?;
        let purged = self.mark::<LogId>(PURGED)?;
        let mut expected = purged.map(|purged| purged.index + 1);
        let transaction = self.database.begin_read().map_err(boxed)?;
        let table = transaction.open_table(ENTRIES).map_err(boxed)?;
        for item in table.range::<u64>(..).map_err(boxed)? {
            let (index, bytes) = item.map_err(boxed)?;
            let found = index.value();
            let expected_now = *expected.get_or_insert(found);
            if found != expected_now {
                return Err(LogError::Gap {
                    expected: expected_now,
                    found,
                });
            }
            decode_entry(found, bytes.value())?;
            expected = Some(found + 1);
        }
        Ok(())
    }

    /// Returns whose folder this is; a new folder becomes the member's.
    pub(crate) fn identity(
        &self,
        dir: &Path,
        cluster: &str,
        member: u64,
    ) -> Result<Identity, LogError> {
        if let Some(found) = self.mark::<Identity>(IDENTITY)? {
            if found.cluster == cluster && found.member == member {
                return Ok(found);
            }
            return Err(LogError::Identity {
                path: dir.to_owned(),
                found_cluster: found.cluster,
                found_member: found.member,
                cluster: cluster.to_owned(),
                member,
            });
        }
        let drawn = Identity::draw(cluster, member).map_err(|error| LogError::Randomness {
            reason: error.to_string(),
        })?;
        let bytes = encode_mark(&drawn)?;
        self.write(|transaction| {
            let mut marks = transaction.open_table(MARKS).map_err(boxed)?;
            marks.insert(IDENTITY, bytes.as_slice()).map_err(boxed)?;
            Ok(())
        })?;
        Ok(drawn)
    }

    /// Runs one durable transaction.
    fn write(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let mut transaction = self.database.begin_write().map_err(boxed)?;
        transaction
            .set_durability(Durability::Immediate)
            .map_err(boxed)?;
        transaction.set_two_phase_commit(true);
        change(&transaction)?;
        transaction.commit().map_err(boxed)
    }

    /// Runs one durable transaction on a thread that may block.
    async fn write_blocking(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<(), LogError> + Send + 'static,
    ) -> Result<(), LogError> {
        let store = self.clone();
        tokio::task::spawn_blocking(move || store.write(change))
            .await
            .map_err(|_| LogError::Stopped)?
    }

    fn mark<T: serde::de::DeserializeOwned>(
        &self,
        mark: &'static str,
    ) -> Result<Option<T>, LogError> {
        let transaction = self.database.begin_read().map_err(boxed)?;
        let table = transaction.open_table(MARKS).map_err(boxed)?;
        let Some(bytes) = table.get(mark).map_err(boxed)? else {
            return Ok(None);
        };
        let damaged = |reason: String| LogError::DamagedMark { mark, reason };
        let body = checked(bytes.value()).map_err(damaged)?;
        postcard::from_bytes(body)
            .map(Some)
            .map_err(|error| damaged(error.to_string()))
    }

    fn last_entry(&self) -> Result<Option<LogId>, LogError> {
        let transaction = self.database.begin_read().map_err(boxed)?;
        let table = transaction.open_table(ENTRIES).map_err(boxed)?;
        let Some((index, bytes)) = table.last().map_err(boxed)? else {
            return Ok(None);
        };
        decode_entry(index.value(), bytes.value()).map(|entry| Some(entry.log_id))
    }

    fn range(&self, range: (Bound<u64>, Bound<u64>)) -> Result<Vec<Entry>, LogError> {
        let transaction = self.database.begin_read().map_err(boxed)?;
        let table = transaction.open_table(ENTRIES).map_err(boxed)?;
        let mut entries = Vec::new();
        for item in table.range(range).map_err(boxed)? {
            let (index, bytes) = item.map_err(boxed)?;
            entries.push(decode_entry(index.value(), bytes.value())?);
        }
        Ok(entries)
    }
}

/// Opens the file. A process that was just stopped, or a member dropped in this one, may hold it for
/// another moment.
pub(crate) fn open_database(path: &Path) -> Result<Database, LogError> {
    let begun = Instant::now();
    loop {
        let opened = Disk::open(path).and_then(|disk| {
            Database::builder()
                .set_cache_size(LOG_CACHE_BYTES)
                .set_check_integrity_on_open(true)
                .create_with_backend(disk)
        });
        match opened {
            Ok(database) => return Ok(database),
            Err(redb::DatabaseError::DatabaseAlreadyOpen) => {
                if begun.elapsed() >= FOLDER_PATIENCE {
                    return Err(LogError::InUse {
                        path: path.to_owned(),
                    });
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(other) => {
                return Err(LogError::Open {
                    path: path.to_owned(),
                    source: Box::new(other.into()),
                });
            }
        }
    }
}

/// Encodes an entry as it stands in the file.
#[cfg(test)]
pub(crate) fn encode_for_tests(entry: &Entry) -> (u64, Vec<u8>) {
    encode_entry(entry).unwrap_or_default()
}

fn encode_mark<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, LogError> {
    let body = postcard::to_stdvec(value).map_err(|error| LogError::Encode {
        reason: error.to_string(),
    })?;
    Ok(entry::with_checksum(&body))
}

impl RaftLogReader<Types> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, StorageError> {
        // The tail of the log is in redb's cache: no thread is worth waking for it.
        self.range((range.start_bound().cloned(), range.end_bound().cloned()))
            .map_err(|error| StorageIOError::read_logs(&error).into())
    }
}

impl RaftLogStorage<Types> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, StorageError> {
        let read = |error: LogError| StorageError::from(StorageIOError::read_logs(&error));
        let last_purged_log_id: Option<LogId> = self.mark(PURGED).map_err(read)?;
        let last_log_id = self.last_entry().map_err(read)?.or(last_purged_log_id);
        Ok(LogState {
            last_purged_log_id,
            last_log_id,
        })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote<u64>) -> Result<(), StorageError> {
        let write = |error: LogError| StorageError::from(StorageIOError::write_vote(&error));
        let bytes = encode_mark(vote).map_err(write)?;
        let change = move |transaction: &WriteTransaction| {
            let mut table = transaction.open_table(MARKS).map_err(boxed)?;
            table.insert(VOTE, bytes.as_slice()).map_err(boxed)?;
            Ok(())
        };
        self.write_blocking(change).await.map_err(write)
    }

    async fn read_vote(&mut self) -> Result<Option<Vote<u64>>, StorageError> {
        self.mark(VOTE)
            .map_err(|error| StorageIOError::read_vote(&error).into())
    }

    async fn append<I>(
        &mut self,
        entries: I,
        callback: LogFlushed<Types>,
    ) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let write = |error: LogError| StorageError::from(StorageIOError::write_logs(&error));
        let entries = entries.into_iter().map(|entry| encode_entry(&entry));
        let entries: Vec<(u64, Vec<u8>)> = entries.collect::<Result<_, _>>().map_err(write)?;
        let change = move |transaction: &WriteTransaction| {
            let mut table = transaction.open_table(ENTRIES).map_err(boxed)?;
            for (index, bytes) in &entries {
                table.insert(index, bytes.as_slice()).map_err(boxed)?;
            }
            Ok(())
        };
        self.write_blocking(change).await.map_err(write)?;
        callback.log_io_completed(Ok(()));
        Ok(())
    }

    async fn truncate(&mut self, log_id: LogId) -> Result<(), StorageError> {
        let change = move |transaction: &WriteTransaction| {
            let mut table = transaction.open_table(ENTRIES).map_err(boxed)?;
            table.retain_in(log_id.index.., |_, _| false).map_err(boxed)
        };
        let write = |error: LogError| StorageError::from(StorageIOError::write_logs(&error));
        self.write_blocking(change).await.map_err(write)
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), StorageError> {
        let write = |error: LogError| StorageError::from(StorageIOError::write_logs(&error));
        let bytes = encode_mark(&log_id).map_err(write)?;
        let change = move |transaction: &WriteTransaction| {
            let mut marks = transaction.open_table(MARKS).map_err(boxed)?;
            marks.insert(PURGED, bytes.as_slice()).map_err(boxed)?;
            let mut entries = transaction.open_table(ENTRIES).map_err(boxed)?;
            entries
                .retain_in(..=log_id.index, |_, _| false)
                .map_err(boxed)
        };
        self.write_blocking(change).await.map_err(write)
    }
}
