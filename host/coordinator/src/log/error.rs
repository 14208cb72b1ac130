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
        /// The folder.
        path: PathBuf,
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
    #[error("the log {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A write failed before: nobody knows what the disk has.
    #[error("the log {} takes nothing more since a write failed", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
    },
    /// The folder has a log of a build from before this form.
    #[error(
        "{} is a log that this build does not read: start this member with the build that wrote it, \
         or give it an empty folder and add it to its group again",
        path.display()
    )]
    Older {
        /// The file.
        path: PathBuf,
    },
    /// The file is not what was written.
    #[error("the log {} is damaged before byte {before}: {reason}", path.display())]
    Rotten {
        /// The file.
        path: PathBuf,
        /// How far it was read.
        before: u64,
        /// What was met.
        reason: String,
    },
    /// A record, undamaged, that this build does not know.
    #[error(
        "record {record} of the log was written by a newer build and is unknown to this one \
         ({reason}): start this member with the newer build"
    )]
    Record {
        /// Its number in the file.
        record: u64,
        /// What was met.
        reason: String,
    },
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
    /// An entry cannot be encoded.
    #[error("a log entry does not encode: {reason}")]
    Encode {
        /// What was met.
        reason: String,
    },
    /// The log's thread has ended.
    #[error("the log's thread has stopped")]
    Stopped,
}
