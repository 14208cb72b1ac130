//! Why a store of bytes does not do what it is asked, and the stable code that callers see.

use std::io;
use std::path::{Path, PathBuf};

use aureole_ledger::Digest;

/// Why the depot did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DepotError {
    /// There is no blob of this digest.
    #[error("no blob {digest} in the depot")]
    NotFound {
        /// The digest asked for.
        digest: Digest,
    },
    /// The bytes on disk are not those of the digest.
    #[error("blob {digest} is corrupted on disk: its {bytes} bytes have another digest")]
    Corrupt {
        /// The digest asked for.
        digest: Digest,
        /// How many bytes stand on disk.
        bytes: u64,
    },
    /// The blob is larger than the caller takes.
    #[error("the blob has more than {max} bytes, the most that is taken here")]
    TooLarge {
        /// The limit.
        max: u64,
    },
    /// Another process has the depot open.
    #[error("the depot at {} is in use by another process; stop it first", path.display())]
    InUse {
        /// The depot's folder.
        path: PathBuf,
    },
    /// The stream that brought the blob ended early.
    #[error("the blob's source failed after {bytes} bytes")]
    Source {
        /// Bytes received before.
        bytes: u64,
        /// What the source said.
        source: io::Error,
    },
    /// The file system refused.
    #[error("the depot could not {action} {}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk has too little room left for what else must be written to it.
    #[error(
        "the disk is full: {free} bytes are free, {bytes} are to be stored and {reserve} are kept \
         back for the log; make room or lower the reserve"
    )]
    DiskFull {
        /// Bytes free on the depot's file system.
        free: u64,
        /// Bytes to be stored, as far as known.
        bytes: u64,
        /// Bytes that must stay free.
        reserve: u64,
    },
    /// Too few members of the group have the blob on disk.
    #[error(
        "the blob is on disk at {stored} of {members} members, {needed} are needed before anything \
         may rely on it"
    )]
    NoMajority {
        /// Members that have it.
        stored: u32,
        /// Members that must have it.
        needed: u32,
        /// Voting members.
        members: u32,
    },
    /// Somebody who may have the blob, or should store it, could not be asked.
    #[error("blob {digest}: {detail}")]
    Unreachable {
        /// The blob.
        digest: Digest,
        /// Who, and what was seen.
        detail: String,
    },
    /// A coordinator refused for a reason that another try does not change.
    #[error("{detail}")]
    Refused {
        /// The stable code it gave.
        code: &'static str,
        /// Who, and what it said.
        detail: String,
    },
    /// The async runtime is shutting down.
    #[error("the depot's thread pool has stopped")]
    Stopped,
}

// === impl DepotError ===

impl DepotError {
    /// The stable code that a caller of the platform sees.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::DiskFull { .. } => "node.disk_full",
            Self::Io { source, .. } if is_full(source) => "node.disk_full",
            Self::NoMajority { .. } => "node.no_majority",
            Self::Refused { code, .. } => code,
            _ => "node.storage",
        }
    }
}

/// Whether a write failed because there was no room: the reserve is kept by asking first, which a
/// neighbour on the same disk may outrun.
fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// Names what was being done, and to which path.
pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DepotError {
    let path = path.to_owned();
    move |source| DepotError::Io {
        action,
        path,
        source,
    }
}
