//! What the log says, in memory: where every entry stands, and the newest ones as they are.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;

use openraft::RaftLogId as _;

use super::LogError;
use super::change::Change;
use super::entry::decode_entry;
use super::reader::{Place, Record, read_again};
use crate::identity::Identity;
use crate::limits::LOG_CACHE_BYTES;
use crate::raft::{Entry, LogId, Vote};

/// An entry.
#[derive(Debug)]
struct Slot {
    log_id: LogId,
    /// Its record.
    place: Place,
    /// As it is encoded.
    bytes: usize,
    /// The newest ones: replication and the ledger read each shortly after it was written.
    entry: Option<Entry>,
}

/// What the log says.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) vote: Option<Vote>,
    pub(super) purged: Option<LogId>,
    pub(super) identity: Option<Identity>,
    slots: BTreeMap<u64, Slot>,
    /// Bytes of the entries that are here as they are.
    warm_bytes: usize,
    /// No entry before this one is here as it is.
    warm_from: u64,
}

/// An entry as it was found.
#[derive(Debug)]
pub(super) enum Found {
    Here(Entry),
    /// In the file.
    There {
        index: u64,
        place: Place,
    },
}

// === impl Memory ===

impl Memory {
    /// Takes in a record as it was read.
    pub(super) fn replay(&mut self, record: &Record) -> Result<(), LogError> {
        let place = record.place;
        match Change::decode(place.record, &record.content)? {
            Change::Appended(entries) => {
                for (index, bytes) in entries {
                    let entry = decode_entry(index, bytes.0)?;
                    self.append(entry, bytes.0.len(), place);
                }
            }
            Change::Truncated(since) => self.truncate(since),
            Change::Purged(upto) => self.purge(upto),
            Change::Voted(vote) => self.vote = Some(vote),
            Change::Belongs(identity) => self.identity = Some(identity),
        }
        Ok(())
    }

    /// Every entry between the first and the last must be there.
    pub(super) fn verify(&self) -> Result<(), LogError> {
        let mut expected = self.purged.map(|purged| purged.index + 1);
        for found in self.slots.keys().copied() {
            let now = *expected.get_or_insert(found);
            if found != now {
                return Err(LogError::Gap {
                    expected: now,
                    found,
                });
            }
            expected = Some(found + 1);
        }
        Ok(())
    }

    pub(super) fn append(&mut self, entry: Entry, bytes: usize, place: Place) {
        let log_id = *entry.get_log_id();
        self.drop_entry(log_id.index);
        self.warm_from = self.warm_from.min(log_id.index);
        self.warm_bytes += bytes;
        let slot = Slot {
            log_id,
            place,
            bytes,
            entry: Some(entry),
        };
        self.slots.insert(log_id.index, slot);
        while self.warm_bytes > LOG_CACHE_BYTES && self.warm_from < log_id.index {
            if let Some(slot) = self.slots.get_mut(&self.warm_from)
                && slot.entry.take().is_some()
            {
                self.warm_bytes -= slot.bytes;
            }
            self.warm_from += 1;
        }
    }

    fn drop_entry(&mut self, index: u64) {
        if let Some(slot) = self.slots.remove(&index)
            && slot.entry.is_some()
        {
            self.warm_bytes -= slot.bytes;
        }
    }

    pub(super) fn truncate(&mut self, since: u64) {
        while let Some(last) = self.slots.last_key_value().map(|(index, _)| *index)
            && last >= since
        {
            self.drop_entry(last);
        }
    }

    pub(super) fn purge(&mut self, upto: LogId) {
        self.purged = Some(upto);
        while let Some(first) = self.slots.first_key_value().map(|(index, _)| *index)
            && first <= upto.index
        {
            self.drop_entry(first);
        }
        self.warm_from = self.warm_from.max(upto.index + 1);
    }

    pub(super) fn last(&self) -> Option<LogId> {
        let last = self.slots.last_key_value();
        last.map(|(_, slot)| slot.log_id).or(self.purged)
    }

    /// Bytes of all entries, encoded.
    pub(super) fn bytes(&self) -> u64 {
        let bytes = self.slots.values().map(|slot| slot.bytes);
        bytes.map(|bytes| u64::try_from(bytes).unwrap_or(0)).sum()
    }

    /// Says where entries stand now.
    pub(super) fn moved(&mut self, places: Vec<(u64, Place)>) {
        for (index, place) in places {
            if let Some(slot) = self.slots.get_mut(&index) {
                slot.place = place;
            }
        }
    }

    /// Finds entries, in order.
    pub(super) fn range(&self, range: (Bound<u64>, Bound<u64>)) -> Vec<Found> {
        let slots = self.slots.range(range);
        let found = slots.map(|(index, slot)| match &slot.entry {
            Some(entry) => Found::Here(entry.clone()),
            None => Found::There {
                index: *index,
                place: slot.place,
            },
        });
        found.collect()
    }
}

/// Reads entries that are only in the file. Keeps the newest record: its entries are asked for in
/// turn.
#[derive(Debug)]
pub(super) struct Cold {
    path: PathBuf,
    file: Arc<File>,
    record: Option<Record>,
}

// === impl Cold ===

impl Cold {
    pub(super) const fn new(path: PathBuf, file: Arc<File>) -> Self {
        Self {
            path,
            file,
            record: None,
        }
    }

    pub(super) fn entry(&mut self, found: Found) -> Result<Entry, LogError> {
        let (index, place) = match found {
            Found::Here(entry) => return Ok(entry),
            Found::There { index, place } => (index, place),
        };
        let record = match self.record.take() {
            Some(record) if record.place == place => record,
            _ => Record {
                content: read_again(&self.file, &self.path, place)?,
                place,
            },
        };
        let record = self.record.insert(record);
        let mut entries = match Change::decode(place.record, &record.content)? {
            Change::Appended(entries) => entries.into_iter(),
            _ => Vec::new().into_iter(),
        };
        let entry = entries.find(|(found, _)| *found == index);
        let (_, bytes) = entry.ok_or_else(|| LogError::Damaged {
            index,
            reason: format!("record {} does not have it", place.record),
        })?;
        decode_entry(index, bytes.0)
    }
}
