//! Reading a journal: record after record, to the end or to what never came to be.
//!
//! Space that was never written, or an unfinished newest record, is the end. Anything else that is not
//! a whole record is damage: also a flipped bit in the zeros behind the end, because nothing says
//! whether a record stood there. A record is unfinished only if nothing follows it: the next one is
//! begun after its fsync.

use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::LogError;
use super::sectors::{Bytes, SECTOR_BYTES, Sector, sectors_for};
use crate::limits::LOG_CHUNK_BYTES;

/// What the first sector says, before the format.
pub(super) const MAGIC: &[u8] = b"aureole log\0";

/// The form of what stands in the file. A build that changes it raises it and reads the one before;
/// 1 and 2 were other files, and never released.
pub(super) const FORMAT: u32 = 3;

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Of its first sector in the file.
    pub(super) offset: u64,
    pub(super) record: u64,
    /// Bytes of its content.
    pub(super) length: u32,
}

/// A record.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) place: Place,
    pub(super) content: Vec<u8>,
}

/// Reads a file from its beginning.
#[derive(Debug)]
pub(super) struct Reader {
    path: PathBuf,
    input: BufReader<File>,
    /// The next sector.
    offset: u64,
    /// The next record.
    record: u64,
}

// === impl Reader ===

impl Reader {
    /// Begins: looks at the file's length and its head.
    pub(super) fn begin(path: &Path, file: File) -> Result<Self, LogError> {
        let io = |source| LogError::Io {
            path: path.to_owned(),
            source,
        };
        let length = file.metadata().map_err(io)?.len();
        let mut reader = Self {
            path: path.to_owned(),
            input: BufReader::with_capacity(256 * 1024, file),
            offset: 0,
            record: 0,
        };
        if length == 0 || length % LOG_CHUNK_BYTES != 0 {
            return Err(reader.rotten(format!(
                "its {length} bytes are no multiple of {LOG_CHUNK_BYTES}: it was cut"
            )));
        }
        let head = reader.next()?;
        let found = head.as_ref().and_then(|head| format_of(&head.content));
        match found {
            Some(FORMAT) => Ok(reader),
            Some(found) => Err(LogError::Format {
                path: path.to_owned(),
                found,
                known: FORMAT,
            }),
            None => Err(reader.rotten("it does not begin as a log".to_owned())),
        }
    }

    /// Returns the next record; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Record>, LogError> {
        let (start, record) = (self.offset, self.record);
        let mut place = None;
        let mut content = Vec::new();
        let mut number = 0;
        loop {
            let Some(bytes) = self.sector()? else {
                return match place {
                    None => Ok(None),
                    Some(_) => Err(self.rotten("it ends within a record".to_owned())),
                };
            };
            let Some(part) = self.part(&bytes, number, start)? else {
                self.unfinished(start, place.map(|place: Place| place.length))?;
                return Ok(None);
            };
            if *place.get_or_insert(part.0) != part.0 {
                return Err(self.rotten("a record has two lengths".to_owned()));
            }
            content.extend_from_slice(part.1);
            number += 1;
            if u64::from(number) == sectors_for(part.0.length) {
                content.truncate(usize::try_from(part.0.length).unwrap_or(usize::MAX));
                self.record = record + 1;
                return Ok(Some(Record {
                    place: part.0,
                    content,
                }));
            }
        }
    }

    /// Returns the part of the current record that a sector has; none if it was not written.
    fn part<'a>(
        &self,
        bytes: &'a Bytes,
        expected: u32,
        start: u64,
    ) -> Result<Option<(Place, &'a [u8])>, LogError> {
        match Sector::of(bytes) {
            Sector::Empty => Ok(None),
            Sector::Part {
                record,
                number,
                length,
                content,
            } if record == self.record && number == expected => {
                let place = Place {
                    offset: start,
                    record,
                    length,
                };
                Ok(Some((place, content)))
            }
            Sector::Part { record, number, .. } => Err(self.rotten(format!(
                "part {number} of record {record} stands where part {expected} of record {} belongs",
                self.record
            ))),
            Sector::Rotten => Err(self.rotten("a checksum differs".to_owned())),
        }
    }

    /// Reads on to the file's end over a record of which a sector was not written. What else is there
    /// must be of the same record.
    fn unfinished(&mut self, start: u64, length: Option<u32>) -> Result<(), LogError> {
        let mut length = length;
        while let Some(bytes) = self.sector()? {
            if Sector::of(&bytes) == Sector::Empty {
                continue;
            }
            let number = (self.offset - start) / sector_bytes() - 1;
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            if let Some((place, _)) = self.part(&bytes, number, start)? {
                let same = *length.get_or_insert(place.length) == place.length;
                if !same || u64::from(number) >= sectors_for(place.length) {
                    return Err(self.rotten("a record has two lengths".to_owned()));
                }
            }
        }
        Ok(())
    }

    fn sector(&mut self) -> Result<Option<Bytes>, LogError> {
        let mut bytes = [0; SECTOR_BYTES];
        match self.input.read_exact(&mut bytes) {
            Ok(()) => {
                self.offset += sector_bytes();
                Ok(Some(bytes))
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(source) => Err(LogError::Io {
                path: self.path.clone(),
                source,
            }),
        }
    }

    fn rotten(&self, reason: String) -> LogError {
        LogError::Rotten {
            path: self.path.clone(),
            before: self.offset,
            reason,
        }
    }
}

fn format_of(head: &[u8]) -> Option<u32> {
    let format = head.strip_prefix(MAGIC)?;
    Some(u32::from_be_bytes(format.try_into().ok()?))
}

fn sector_bytes() -> u64 {
    u64::try_from(SECTOR_BYTES).unwrap_or(u64::MAX)
}

/// Reads one record's content again, and checks it again.
pub(super) fn read_again(file: &File, path: &Path, place: Place) -> Result<Vec<u8>, LogError> {
    let mut content = Vec::new();
    let mut offset = place.offset;
    for number in 0..sectors_for(place.length) {
        let mut bytes = [0; SECTOR_BYTES];
        file.read_exact_at(&mut bytes, offset)
            .map_err(|source| LogError::Io {
                path: path.to_owned(),
                source,
            })?;
        offset += sector_bytes();
        match Sector::of(&bytes) {
            Sector::Part {
                record,
                number: found,
                length,
                content: part,
            } if record == place.record && u64::from(found) == number && length == place.length => {
                content.extend_from_slice(part);
            }
            _ => {
                return Err(LogError::Rotten {
                    path: path.to_owned(),
                    before: offset,
                    reason: format!("part {number} of record {} is gone", place.record),
                });
            }
        }
    }
    content.truncate(usize::try_from(place.length).unwrap_or(usize::MAX));
    Ok(content)
}
