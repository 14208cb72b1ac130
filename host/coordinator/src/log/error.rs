//! Why the log cannot be opened, read or written.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why the log cannot be opened, read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// Another process has the log open.
    #[error("the log {} is in use by another process; stop it first", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be opened.
    #[error("the log {} does not open", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What redb said.
        source: Box<redb::Error>,
    },
    /// The file system refused.
    #[error("the folder {} of the log", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A read or a write failed.
    #[error("the log's file")]
    Database(#[from] Box<redb::Error>),
    /// An entry's bytes are not what was written.
    #[error("log entry {index} is damaged: {reason}")]
    Damaged {
        /// The entry's position.
        index: u64,
        /// What was met.
        reason: String,
    },
    /// An entry, undamaged, that this build does not know.
    #[error(
        "log entry {index} was written by a newer build and is unknown to this one ({reason}): \
         start this member with the newer build"
    )]
    Unknown {
        /// The entry's position.
        index: u64,
        /// What was met.
        reason: String,
    },
    /// Entries are missing in the middle.
    #[error("log entry {expected} is missing: entry {found} follows on the one before")]
    Gap {
        /// The position that is empty.
        expected: u64,
        /// The next one that is not.
        found: u64,
    },
    /// The file has another form.
    #[error("the log {} has format {found}, this build reads {known}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The format read here.
        known: u32,
    },
    /// The folder is another member's.
    #[error(
        "the folder {} belongs to member {found_member} of cluster {found_cluster:?}, and this is to \
         be member {member} of cluster {cluster:?}", path.display()
    )]
    Identity {
        /// The folder.
        path: PathBuf,
        /// The cluster it belongs to.
        found_cluster: String,
        /// The member it belongs to.
        found_member: u64,
        /// The cluster configured.
        cluster: String,
        /// The member configured.
        member: u64,
    },
    /// A new member's identity cannot be drawn.
    #[error("the system has no randomness: {reason}")]
    Randomness {
        /// What the system said.
        reason: String,
    },
    /// A mark's bytes are not what was written.
    #[error("the log's {mark} is damaged: {reason}")]
    DamagedMark {
        /// Which.
        mark: &'static str,
        /// What was met.
        reason: String,
    },
    /// An entry cannot be encoded.
    #[error("a log entry does not encode: {reason}")]
    Encode {
        /// What was met.
        reason: String,
    },
    /// The runtime is shutting down.
    #[error("the log's thread pool has stopped")]
    Stopped,
}
