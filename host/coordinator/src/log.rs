//! The log and the vote on disk, in one file that only grows.
//!
//! When a write returns, it has been fsynced. A process may be killed between any two instructions, and
//! power may go: an unfinished record is dropped, because what it would have said was not acknowledged
//! yet. Anything else that is not what was written keeps the log from opening (`sectors.rs` says how
//! the two are told apart). Writes run on a thread of the log's own: an fsync takes milliseconds.
//!
//! ```text
//! log.rs       openraft's view of it
//! writer.rs    the thread; what is written, and when the file is written anew
//! memory.rs    what the log says; where each entry stands, and the newest as they are
//! change.rs    what a record says
//! journal.rs   the file, written      reader.rs   read
//! sectors.rs   records in sectors
//! entry.rs     an entry as bytes, on disk and between members
//! ```
//! Why a file of our own stands in `host/decisions/0009`.

mod change;
mod entry;
mod error;
mod journal;
mod memory;
mod reader;
mod sectors;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt::{self, Debug};
use std::fs::{File, TryLockError};
use std::ops::RangeBounds;
use std::path::Path;
use std::sync::{Arc, Mutex, Weak, mpsc};
use std::time::{Duration, Instant};

use openraft::storage::{LogFlushed, RaftLogStorage};
use openraft::{LogState, OptionalSend, RaftLogReader, StorageIOError};
use tokio::sync::oneshot;

use self::change::Change;
pub(crate) use self::change::Raw;
#[cfg(test)]
pub(crate) use self::entry::newer_for_tests;
pub(crate) use self::entry::{decode_entry, encode_entry};
pub use self::error::LogError;
pub(crate) use self::journal::FILE;
use self::journal::Fresh;
use self::memory::{Found, Memory};
use self::reader::Reader;
use self::writer::{Contents, Job, Shared, Writer, locked};
use crate::identity::Identity;
use crate::limits::FOLDER_PATIENCE;
use crate::raft::{Entry, LogId, StorageError, Types, Vote};
use crate::runtime::{prefer, prompt};

/// Names of the files that builds before this one wrote.
const OLDER: &str = "log.redb";

/// The log. Cheap to clone; all clones are one log, which is closed with the last of them.
#[derive(Clone)]
pub(crate) struct LogStore {
    shared: Shared,
    jobs: mpsc::Sender<Job>,
}

impl Debug for LogStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogStore").finish_non_exhaustive()
    }
}

/// Knows the position of the newest entry, for as long as the log is open.
#[derive(Clone)]
pub(crate) struct Newest(Weak<Mutex<Contents>>);

impl Debug for Newest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Newest").field(&self.position()).finish()
    }
}

// === impl Newest ===

impl Newest {
    pub(crate) fn position(&self) -> Option<LogId> {
        locked(&self.0.upgrade()?).memory.last()
    }
}

// === impl LogStore ===

impl LogStore {
    /// Opens the log of a folder, and makes both if they are not there.
    ///
    /// Everything in it is read and checked: a member must not vote by a log that lacks what it once
    /// acknowledged. Then it is written anew: what a write left that failed is now on disk, or gone.
    pub(crate) fn open(dir: &Path) -> Result<Self, LogError> {
        let folder = |source| LogError::Folder {
            path: dir.to_owned(),
            source,
        };
        std::fs::create_dir_all(dir).map_err(folder)?;
        let held = hold(dir)?;
        let older = dir.join(OLDER);
        if older.try_exists().map_err(folder)? {
            return Err(LogError::Older { path: older });
        }
        let path = dir.join(FILE);
        if !path.try_exists().map_err(folder)? {
            Fresh::begin(dir)?.finish()?;
        }
        let memory = read(&path)?;
        let old = File::open(&path).map_err(folder)?;
        let writer = Writer::open(dir, memory, old)?;
        let shared = writer.shared();
        let (jobs, waiting) = mpsc::channel();
        let thread = std::thread::Builder::new().name("log".to_owned());
        let run = move || {
            prefer();
            writer.run(&waiting);
            // Not before: the folder is this log's to the last write.
            drop(held);
        };
        thread.spawn(run).map_err(folder)?;
        Ok(Self { shared, jobs })
    }

    /// Returns a way to the position of the newest entry that does not keep the log open.
    pub(crate) fn newest(&self) -> Newest {
        Newest(Arc::downgrade(&self.shared))
    }

    /// Returns whose folder this is; a new folder becomes the member's.
    pub(crate) fn identity(
        &self,
        dir: &Path,
        cluster: &str,
        member: u64,
    ) -> Result<Identity, LogError> {
        let known = locked(&self.shared).memory.identity.clone();
        if let Some(found) = known {
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
        let change = Change::Belongs(drawn.clone());
        let (done, written) = mpsc::sync_channel(1);
        self.send(move |writer| {
            // Whoever asked is waiting.
            let _ = done.send(writer.change(change));
        })?;
        written.recv().map_err(|_| LogError::Stopped)??;
        Ok(drawn)
    }

    fn send(&self, job: impl FnOnce(&mut Writer) + Send + 'static) -> Result<(), LogError> {
        self.jobs.send(Box::new(job)).map_err(|_| LogError::Stopped)
    }

    /// Writes, and waits until it is on disk.
    async fn write(
        &self,
        write: impl FnOnce(&mut Writer) -> Result<(), LogError> + Send + 'static,
    ) -> Result<(), LogError> {
        let (done, written) = oneshot::channel();
        self.send(move |writer| {
            // A dropped receiver is a Raft that has ended.
            let _ = done.send(write(writer));
        })?;
        prompt(written).await.map_err(|_| LogError::Stopped)?
    }

    fn range(&self, range: impl RangeBounds<u64>) -> Result<Vec<Entry>, LogError> {
        let (found, mut cold) = {
            let contents = locked(&self.shared);
            let range = (range.start_bound().cloned(), range.end_bound().cloned());
            (contents.memory.range(range), contents.cold())
        };
        let entries = found.into_iter().map(|found: Found| cold.entry(found));
        entries.collect()
    }
}

/// Makes the folder this log's until what is returned is dropped. A process that was just stopped, or
/// a member dropped in this one, may hold it for another moment.
fn hold(dir: &Path) -> Result<File, LogError> {
    let folder = |source| LogError::Folder {
        path: dir.to_owned(),
        source,
    };
    let begun = Instant::now();
    let held = File::open(dir).map_err(folder)?;
    loop {
        match held.try_lock() {
            Ok(()) => return Ok(held),
            Err(TryLockError::WouldBlock) if begun.elapsed() < FOLDER_PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(LogError::InUse {
                    path: dir.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(folder(source)),
        }
    }
}

/// Reads a log, and checks all of it.
fn read(path: &Path) -> Result<Memory, LogError> {
    let file = File::open(path).map_err(|source| LogError::Io {
        path: path.to_owned(),
        source,
    })?;
    let mut reader = Reader::begin(path, file)?;
    let mut memory = Memory::default();
    while let Some(record) = reader.next()? {
        memory.replay(&record)?;
    }
    memory.verify()?;
    Ok(memory)
}

/// Writes a log of records as they are given.
#[cfg(test)]
pub(crate) fn records_for_tests(dir: &Path, records: &[Vec<u8>]) {
    let mut fresh = Fresh::begin(dir).unwrap_or_else(|error| unreachable!("{error}"));
    for record in records {
        fresh
            .write(record)
            .unwrap_or_else(|error| unreachable!("{error}"));
    }
    fresh
        .finish()
        .unwrap_or_else(|error| unreachable!("{error}"));
}

/// A record that appends entries as they are given.
#[cfg(test)]
pub(crate) fn appended_for_tests(entries: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let entries = entries.iter().map(|(index, bytes)| (*index, Raw(bytes)));
    Change::Appended(entries.collect())
        .encode()
        .unwrap_or_default()
}

/// Encodes an entry as it stands in the file.
#[cfg(test)]
pub(crate) fn encode_for_tests(entry: &Entry) -> (u64, Vec<u8>) {
    encode_entry(entry).unwrap_or_default()
}

impl RaftLogReader<Types> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, StorageError> {
        // The tail of the log is in memory: no thread is worth waking for it.
        self.range(range)
            .map_err(|error| StorageIOError::read_logs(&error).into())
    }
}

impl RaftLogStorage<Types> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, StorageError> {
        let contents = locked(&self.shared);
        Ok(LogState {
            last_purged_log_id: contents.memory.purged,
            last_log_id: contents.memory.last(),
        })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        let change = Change::Voted(*vote);
        self.write(move |writer| writer.change(change))
            .await
            .map_err(|error| StorageIOError::write_vote(&error).into())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        Ok(locked(&self.shared).memory.vote)
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
        let entries: Vec<Entry> = entries.into_iter().collect();
        self.write(move |writer| writer.append(entries))
            .await
            .map_err(|error| StorageIOError::write_logs(&error))?;
        callback.log_io_completed(Ok(()));
        Ok(())
    }

    async fn truncate(&mut self, log_id: LogId) -> Result<(), StorageError> {
        let change = Change::Truncated(log_id.index);
        self.write(move |writer| writer.change(change))
            .await
            .map_err(|error| StorageIOError::write_logs(&error).into())
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), StorageError> {
        self.write(move |writer| writer.purge(log_id))
            .await
            .map_err(|error| StorageIOError::write_logs(&error).into())
    }
}
