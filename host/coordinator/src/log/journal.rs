//! The file: records one after another, each with one fsync into space that was made before.
//!
//! The file is always a multiple of `LOG_CHUNK_BYTES` long and zeros behind its newest record: a write
//! changes no length and no map of blocks, so its fsync waits for the data alone. Nothing is written
//! over: what was dropped goes when the whole journal is written anew under another name and renamed.
//!
//! After a write or an fsync that failed the journal takes nothing more. What the disk then has nobody
//! knows, and the system may say that it is there; so a log that is opened is written anew.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::LogError;
use super::reader::{FORMAT, MAGIC, Place};
use super::sectors::cut;
use crate::limits::LOG_CHUNK_BYTES;

/// Name of the file in the coordinator's folder.
pub(crate) const FILE: &str = "log";

/// Its name while it is written.
const TEMPORARY: &str = "log.new";

/// A journal that is open for writing.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    pub(super) file: Arc<File>,
    /// Behind the newest record.
    end: u64,
    /// Of the file.
    length: u64,
    /// The next record.
    record: u64,
    broken: bool,
    framed: Vec<u8>,
}

/// A journal that will take the place of the one there is.
#[derive(Debug)]
pub(super) struct Fresh {
    dir: PathBuf,
    output: BufWriter<File>,
    end: u64,
    record: u64,
}

fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn framed(record: u64, content: &[u8], out: &mut Vec<u8>) -> Result<Place, LogError> {
    cut(record, content, out).ok_or_else(|| LogError::Encode {
        reason: format!("a record of {} bytes", content.len()),
    })?;
    Ok(Place {
        offset: 0,
        record,
        length: u32::try_from(content.len()).unwrap_or(u32::MAX),
    })
}

// === impl Fresh ===

impl Fresh {
    /// Begins a journal under its temporary name.
    pub(super) fn begin(dir: &Path) -> Result<Self, LogError> {
        let path = dir.join(TEMPORARY);
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(true);
        let file = options
            .open(&path)
            .map_err(|source| LogError::Io { path, source })?;
        let mut fresh = Self {
            dir: dir.to_owned(),
            output: BufWriter::with_capacity(256 * 1024, file),
            end: 0,
            record: 0,
        };
        fresh.write(&[MAGIC, &FORMAT.to_be_bytes()].concat())?;
        Ok(fresh)
    }

    fn failed(&self) -> impl Fn(std::io::Error) -> LogError + use<> {
        let path = self.dir.join(TEMPORARY);
        move |source| LogError::Io {
            path: path.clone(),
            source,
        }
    }

    /// Writes a record.
    pub(super) fn write(&mut self, content: &[u8]) -> Result<Place, LogError> {
        let mut sectors = Vec::new();
        let place = framed(self.record, content, &mut sectors)?;
        self.output.write_all(&sectors).map_err(self.failed())?;
        let offset = self.end;
        self.end += as_u64(sectors.len());
        self.record += 1;
        Ok(Place { offset, ..place })
    }

    /// Puts it in the place of the one there is. On disk, with its name, when it returns.
    pub(super) fn finish(mut self) -> Result<Journal, LogError> {
        let failed = self.failed();
        let length = (self.end + 1).next_multiple_of(LOG_CHUNK_BYTES);
        let zeros = usize::try_from(length - self.end).unwrap_or(0);
        self.output.write_all(&vec![0; zeros]).map_err(&failed)?;
        let file = self.output.into_inner();
        let file = file.map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(&failed)?;
        let path = self.dir.join(FILE);
        std::fs::rename(self.dir.join(TEMPORARY), &path)
            .and_then(|()| File::open(&self.dir)?.sync_all())
            .map_err(&failed)?;
        Ok(Journal {
            path,
            file: Arc::new(file),
            end: self.end,
            length,
            record: self.record,
            broken: false,
            framed: Vec::new(),
        })
    }
}

// === impl Journal ===

impl Journal {
    /// Bytes that its records take.
    pub(super) const fn used(&self) -> u64 {
        self.end
    }

    /// Appends a record. On disk when it returns.
    pub(super) fn append(&mut self, content: &[u8]) -> Result<Place, LogError> {
        if self.broken {
            return Err(LogError::Broken {
                path: self.path.clone(),
            });
        }
        self.framed.clear();
        let place = framed(self.record, content, &mut self.framed)?;
        let written = self.write();
        written.map_err(|source| {
            self.broken = true;
            LogError::Io {
                path: self.path.clone(),
                source,
            }
        })?;
        let offset = self.end;
        self.end += as_u64(self.framed.len());
        self.record += 1;
        Ok(Place { offset, ..place })
    }

    fn write(&mut self) -> Result<(), std::io::Error> {
        let end = self.end + as_u64(self.framed.len());
        if end > self.length {
            let length = end.next_multiple_of(LOG_CHUNK_BYTES);
            // The length first, and at once: a process that is killed leaves a whole number of chunks.
            self.file.set_len(length)?;
            let zeros = vec![0; usize::try_from(length - self.length).unwrap_or(0)];
            self.file.write_all_at(&zeros, self.length)?;
            self.length = length;
        }
        self.file.write_all_at(&self.framed, self.end)?;
        self.file.sync_data()
    }
}
