//! How much room is left, and how much of it is not for blobs.
//!
//! The log, its snapshots and the archive stand on the same disk as a rule, and a coordinator that
//! cannot write its log is no coordinator. So blobs stop early: the reserve stays free.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{DepotError, failed};
use crate::limits::{RESERVE_BYTES_MAX, RESERVE_BYTES_MIN, RESERVE_SHARE};

/// Room on a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Its size in bytes.
    pub total: u64,
    /// Bytes that this process may still write.
    pub free: u64,
    /// Bytes of those that are not for blobs.
    pub reserve: u64,
}

/// Asks how much room there is: size and free bytes of the file system that a folder stands on.
pub trait Probe: Send + Sync + fmt::Debug + 'static {
    /// Returns size and free bytes. May block for the length of a system call.
    ///
    /// # Errors
    /// What the system said.
    fn probe(&self, dir: &Path) -> io::Result<(u64, u64)>;
}

/// The operating system's answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileSystem;

/// How a depot is opened.
#[derive(Clone, Debug)]
pub struct DepotConfig {
    /// Bytes that stay free. Default: a twentieth of the file system, at least
    /// `RESERVE_BYTES_MIN` (128 MiB) and at most `RESERVE_BYTES_MAX` (1 GiB).
    pub reserve_bytes: Option<u64>,
    /// Who is asked for free space. Default: the operating system.
    pub probe: Arc<dyn Probe>,
}

/// Decides what still fits.
#[derive(Debug)]
pub(super) struct Room {
    dir: PathBuf,
    config: DepotConfig,
}

impl Default for DepotConfig {
    fn default() -> Self {
        Self {
            reserve_bytes: None,
            probe: Arc::new(FileSystem),
        }
    }
}

impl Probe for FileSystem {
    fn probe(&self, dir: &Path) -> io::Result<(u64, u64)> {
        let answer = rustix::fs::statvfs(dir)?;
        let block = answer.f_frsize;
        // What root could still write beyond this is not counted on.
        Ok((
            answer.f_blocks.saturating_mul(block),
            answer.f_bavail.saturating_mul(block),
        ))
    }
}

// === impl Space ===

impl Space {
    /// Whether some more bytes leave the reserve untouched.
    #[must_use]
    pub const fn admits(&self, bytes: u64) -> bool {
        self.free.saturating_sub(bytes) >= self.reserve
    }
}

// === impl Room ===

impl Room {
    pub(super) fn new(dir: &Path, config: DepotConfig) -> Self {
        Self {
            dir: dir.to_owned(),
            config,
        }
    }

    pub(super) fn space(&self) -> Result<Space, DepotError> {
        let asked = self.config.probe.probe(&self.dir);
        let (total, free) = asked.map_err(failed("ask for free space at", &self.dir))?;
        let share = (total / RESERVE_SHARE).clamp(RESERVE_BYTES_MIN, RESERVE_BYTES_MAX);
        Ok(Space {
            total,
            free,
            reserve: self.config.reserve_bytes.unwrap_or(share),
        })
    }

    /// Refuses what would leave less than the reserve.
    pub(super) fn admit(&self, bytes: u64) -> Result<(), DepotError> {
        let space = self.space()?;
        if space.admits(bytes) {
            return Ok(());
        }
        let Space { free, reserve, .. } = space;
        Err(DepotError::DiskFull {
            free,
            bytes,
            reserve,
        })
    }
}
