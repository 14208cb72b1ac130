//! What may go wrong with the tiles of the log.

use std::io;
use std::path::PathBuf;

use aureole_receipts::{BundleError, Hash, LeafError, LogError, TreeError};
use thiserror::Error;

/// Why the log on this disk cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TileLogError {
    /// The file system refused.
    #[error("the log's file {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What is on disk is not what was written.
    #[error("the log's file {} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was met.
        reason: String,
    },
    /// Leaves before the ones at hand are not on this disk: others have them.
    #[error("this disk has {have} leaves of the log, {needed} are needed")]
    Behind {
        /// How many there are.
        have: u64,
        /// How many there should be.
        needed: u64,
    },
    /// What a peer sent is no entry bundle.
    #[error("bundle {index} that was sent is none")]
    Bundle {
        /// Which.
        index: u64,
        /// Why.
        #[source]
        source: BundleError,
    },
    /// What a peer sent has an entry that is no leaf.
    #[error("entry {index} that was sent is no leaf")]
    Leaf {
        /// Which.
        index: u64,
        /// Why.
        #[source]
        source: LeafError,
    },
    /// What a peer sent has another number of leaves than was asked for.
    #[error("bundle {index} that was sent has {found} leaves, expected {expected}")]
    Count {
        /// Which.
        index: u64,
        /// How many leaves came.
        found: u64,
        /// How many were asked for.
        expected: u64,
    },
    /// The leaves that were sent are not those of the log.
    #[error("{size} leaves that were sent hash to {found}, the log's root is {expected}")]
    Root {
        /// How many leaves.
        size: u64,
        /// What they hash to.
        found: Hash,
        /// The root of the facts.
        expected: Hash,
    },
    /// The log is as long as it can be.
    #[error("the log takes no more leaves")]
    Full(#[from] TreeError),
    /// Tiles that must be there are not, or are none.
    #[error("the tiles cannot be read")]
    Tiles(#[source] Box<LogError<TileLogError>>),
}

// === impl TileLogError ===

impl TileLogError {
    /// Says whether the file system refused, which tells nothing about what it keeps.
    pub fn is_io(&self) -> bool {
        match self {
            Self::Io { .. } => true,
            Self::Tiles(error) => {
                matches!(&**error, LogError::Read { source, .. } if source.is_io())
            }
            _ => false,
        }
    }
}

impl From<LogError<TileLogError>> for TileLogError {
    fn from(error: LogError<TileLogError>) -> Self {
        Self::Tiles(Box::new(error))
    }
}
