//! The file under redb: its header carries a seal of ours.
//!
//! redb keeps a checksum of every page and looks at all of them when the log is opened. Its header
//! says where the newest pages are, and has one bit that chooses between two answers: were that bit
//! flipped, the log would open well as it was one write before, without what was acknowledged last.
//! So each write of the header takes a digest of it along. Header and seal stand in one sector, which
//! a disk writes wholly or not at all; the rest of that page is nobody's.
//!
//! ```text
//! 0 .. 320      redb's header
//! 320 .. 352    SHA-256 of it
//! 4096 ..       pages, each with a checksum in the page that names it
//! ```

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::path::Path;

use aureole_ledger::Digest;
use redb::backends::FileBackend;
use redb::{BackendError, DatabaseError, StorageBackend, StorageError};

/// Bytes of redb's header, in the file format of redb 4.
const HEADER_BYTES: usize = 320;

/// Bytes of the seal behind it.
const SEAL_BYTES: usize = 32;

/// The file.
#[derive(Debug)]
pub(super) struct Disk(FileBackend);

// === impl Disk ===

impl Disk {
    /// Opens or makes the file.
    pub(super) fn open(path: &Path) -> Result<Self, DatabaseError> {
        let mut options = File::options();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(StorageError::from)?;
        Ok(Self(FileBackend::new(file)?))
    }

    /// Reads the header and holds it against its seal. One without a seal is of a log that was made
    /// before there were seals, or of a file whose first write did not come about.
    fn read_header(&self, out: &mut [u8]) -> Result<(), io::Error> {
        let mut head = [0; HEADER_BYTES + SEAL_BYTES];
        if self.0.len()? < as_u64(head.len()) {
            return self.0.read(0, out);
        }
        self.0.read(0, &mut head)?;
        let (header, seal) = head.split_at(HEADER_BYTES);
        if seal != [0; SEAL_BYTES] && seal != Digest::of(header).as_bytes() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the header is damaged: its seal differs",
            ));
        }
        out.copy_from_slice(header);
        Ok(())
    }
}

fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

impl StorageBackend for Disk {
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        if offset != 0 || data.len() != HEADER_BYTES {
            return self.0.write(offset, data);
        }
        let mut sealed = data.to_vec();
        sealed.extend_from_slice(Digest::of(data).as_bytes());
        self.0.write(0, &sealed)
    }

    fn len(&self) -> Result<u64, io::Error> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        if offset == 0 && out.len() == HEADER_BYTES {
            return self.read_header(out);
        }
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.0.sync_data()
    }

    fn close(&self) -> Result<(), io::Error> {
        self.0.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.0.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.query_lock_range(start, end)
    }
}
