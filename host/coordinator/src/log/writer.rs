//! Writing the log: on a thread of its own, one change after another.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use super::LogError;
use super::change::{Change, Raw};
use super::entry::encode_entry;
use super::journal::{FILE, Fresh, Journal};
use super::memory::{Cold, Found, Memory};
use super::reader::Place;
use crate::limits::{APPEND_ENTRIES_MAX, LOG_REWRITE_BYTES_MIN};
use crate::raft::{Entry, LogId};

/// What the log says, and the file that has what is not in memory.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) memory: Memory,
    path: PathBuf,
    file: Arc<std::fs::File>,
}

/// The contents, shared with those who read.
pub(super) type Shared = Arc<Mutex<Contents>>;

/// Something to write.
pub(super) type Job = Box<dyn FnOnce(&mut Writer) + Send>;

/// The end of the log at which it grows.
#[derive(Debug)]
pub(super) struct Writer {
    dir: PathBuf,
    journal: Journal,
    shared: Shared,
}

// A poisoned lock means a panic while the contents changed, which has none.
pub(super) fn locked(shared: &Shared) -> MutexGuard<'_, Contents> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

// === impl Contents ===

impl Contents {
    pub(super) fn cold(&self) -> Cold {
        Cold::new(self.path.clone(), Arc::clone(&self.file))
    }
}

// === impl Writer ===

impl Writer {
    /// Writes the journal of a folder anew from what was read of it.
    pub(super) fn open(
        dir: &Path,
        mut memory: Memory,
        old: std::fs::File,
    ) -> Result<Self, LogError> {
        let path = dir.join(FILE);
        let cold = Cold::new(path.clone(), Arc::new(old));
        let (journal, places) = rewritten(dir, marks(&memory), memory.range(ALL), cold)?;
        memory.moved(places);
        let file = Arc::clone(&journal.file);
        Ok(Self {
            dir: dir.to_owned(),
            journal,
            shared: Arc::new(Mutex::new(Contents { memory, path, file })),
        })
    }

    pub(super) fn shared(&self) -> Shared {
        Arc::clone(&self.shared)
    }

    /// Does what comes until nobody is left who could send more.
    pub(super) fn run(mut self, jobs: &mpsc::Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            job(&mut self);
        }
    }

    /// Writes entries. On disk when it returns.
    pub(super) fn append(&mut self, entries: Vec<Entry>) -> Result<(), LogError> {
        let encoded = entries.iter().map(encode_entry);
        let encoded: Vec<(u64, Vec<u8>)> = encoded.collect::<Result<_, _>>()?;
        let place = self.journal.append(&appended(&encoded)?)?;
        let memory = &mut locked(&self.shared).memory;
        for (entry, (_, bytes)) in entries.into_iter().zip(encoded) {
            memory.append(entry, bytes.len(), place);
        }
        Ok(())
    }

    /// Writes another change. On disk when it returns.
    pub(super) fn change(&mut self, change: Change<'_>) -> Result<(), LogError> {
        self.journal.append(&change.encode()?)?;
        let memory = &mut locked(&self.shared).memory;
        match change {
            // `append` is for these.
            Change::Appended(_) => {}
            Change::Truncated(since) => memory.truncate(since),
            Change::Purged(upto) => memory.purge(upto),
            Change::Voted(vote) => memory.vote = Some(vote),
            Change::Belongs(identity) => memory.identity = Some(identity),
        }
        Ok(())
    }

    /// Drops the entries up to a position, and gives their space back when it is most of the file.
    pub(super) fn purge(&mut self, upto: LogId) -> Result<(), LogError> {
        self.change(Change::Purged(upto))?;
        let (marks, found, cold) = {
            let contents = locked(&self.shared);
            let used = self.journal.used();
            if used < LOG_REWRITE_BYTES_MIN || used / 2 < contents.memory.bytes() {
                return Ok(());
            }
            let memory = &contents.memory;
            (marks(memory), memory.range(ALL), contents.cold())
        };
        // Not while it is locked: readers go on meanwhile, and nobody else changes it.
        let (journal, places) = rewritten(&self.dir, marks, found, cold)?;
        let mut contents = locked(&self.shared);
        contents.memory.moved(places);
        contents.file = Arc::clone(&journal.file);
        self.journal = journal;
        Ok(())
    }
}

const ALL: (Bound<u64>, Bound<u64>) = (Bound::Unbounded, Bound::Unbounded);

fn appended(encoded: &[(u64, Vec<u8>)]) -> Result<Vec<u8>, LogError> {
    let entries = encoded.iter().map(|(index, bytes)| (*index, Raw(bytes)));
    Change::Appended(entries.collect()).encode()
}

fn marks(memory: &Memory) -> Vec<Change<'static>> {
    let marks = [
        memory.identity.clone().map(Change::Belongs),
        memory.vote.map(Change::Voted),
        memory.purged.map(Change::Purged),
    ];
    marks.into_iter().flatten().collect()
}

/// Writes a whole journal in the place of the one there is. Returns it, and where the entries stand.
fn rewritten(
    dir: &Path,
    marks: Vec<Change<'_>>,
    found: Vec<Found>,
    mut cold: Cold,
) -> Result<(Journal, Vec<(u64, Place)>), LogError> {
    let mut fresh = Fresh::begin(dir)?;
    for mark in marks {
        fresh.write(&mark.encode()?)?;
    }
    let mut places = Vec::with_capacity(found.len());
    let mut found = found.into_iter().peekable();
    let together = usize::try_from(APPEND_ENTRIES_MAX).unwrap_or(1);
    while found.peek().is_some() {
        let mut encoded = Vec::new();
        for found in found.by_ref().take(together) {
            encoded.push(encode_entry(&cold.entry(found)?)?);
        }
        let place = fresh.write(&appended(&encoded)?)?;
        places.extend(encoded.iter().map(|(index, _)| (*index, place)));
    }
    Ok((fresh.finish()?, places))
}
