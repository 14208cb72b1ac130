//! The snapshot on disk: one file, replaced as a whole.
//!
//! ```text
//! AURSNAP2            8 bytes
//! meta length         4 bytes, big endian
//! meta                postcard of openraft's SnapshotMeta: position, members, id
//! digest              32 bytes, SHA-256 over the meta
//! state               State::encode, which carries its own version and digest
//! ```
//! It is written to a temporary name, fsynced and renamed; then the folder is fsynced. A crash leaves
//! the old file or the new one. The log is purged only after that.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use aureole_ledger::{Digest, State, StateError};
use aureole_store::TileLogError;
use thiserror::Error;

use crate::limits::SNAPSHOT_BYTES_MAX;
use crate::raft::SnapshotMeta;

const FILE: &str = "snapshot";
const TEMPORARY: &str = "snapshot.new";
const MAGIC: [u8; 8] = *b"AURSNAP2";

/// Why a snapshot cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The file system refused.
    #[error("the snapshot {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is larger than a state can be.
    #[error("the snapshot {} has {bytes} bytes, the limit is {max}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The most read.
        max: u64,
    },
    /// What stands around the state is not what was written.
    #[error("the snapshot {} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was met.
        reason: String,
    },
    /// The state inside is not what was written.
    #[error("the snapshot {}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: StateError,
    },
    /// The leaves of the log of proofs cannot be written, which the snapshot stands on.
    #[error(
        "the log of proofs behind the snapshot: without other members its files must be put back, see \
         the check `receipts` of this member's health"
    )]
    Tiles(#[source] TileLogError),
    /// The runtime is shutting down.
    #[error("the snapshot's thread pool has stopped")]
    Stopped,
}

/// A snapshot in memory.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) meta: SnapshotMeta,
    /// `State::encode` of the state.
    pub(crate) state: Vec<u8>,
}

/// Where the snapshot of a coordinator stands.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotFile {
    dir: PathBuf,
}

// === impl SnapshotFile ===

impl SnapshotFile {
    /// Names the snapshot of a folder, and removes what an interrupted write left.
    pub(crate) fn open(dir: &Path) -> Result<Self, SnapshotError> {
        let path = dir.join(TEMPORARY);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(SnapshotError::Io { path, source })
            }
            _ => Ok(Self {
                dir: dir.to_owned(),
            }),
        }
    }

    /// Replaces the snapshot. On disk when it returns.
    fn write(&self, snapshot: &Stored) -> Result<(), SnapshotError> {
        let path = self.dir.join(FILE);
        let temporary = self.dir.join(TEMPORARY);
        let meta = postcard::to_stdvec(&snapshot.meta).map_err(|error| SnapshotError::Damaged {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        let length = u32::try_from(meta.len()).map_err(|_| SnapshotError::Damaged {
            path: path.clone(),
            reason: format!("{} bytes of members", meta.len()),
        })?;
        let written = || -> io::Result<()> {
            let mut file = File::create(&temporary)?;
            file.write_all(&MAGIC)?;
            file.write_all(&length.to_be_bytes())?;
            file.write_all(&meta)?;
            file.write_all(Digest::of(&meta).as_bytes())?;
            file.write_all(&snapshot.state)?;
            file.sync_all()?;
            std::fs::rename(&temporary, &path)?;
            File::open(&self.dir)?.sync_all()
        };
        written().map_err(|source| SnapshotError::Io {
            path: path.clone(),
            source,
        })
    }

    /// Reads the snapshot, if there is one. The state is not decoded: see [`Self::load`].
    fn read(&self) -> Result<Option<Stored>, SnapshotError> {
        let path = self.dir.join(FILE);
        let io = |source| SnapshotError::Io {
            path: path.clone(),
            source,
        };
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(io)?,
        };
        let bytes = file.metadata().map_err(io)?.len();
        if bytes > SNAPSHOT_BYTES_MAX {
            return Err(SnapshotError::TooLarge {
                path,
                bytes,
                max: SNAPSHOT_BYTES_MAX,
            });
        }
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(io)?;
        let damaged = |reason: &str| SnapshotError::Damaged {
            path: path.clone(),
            reason: reason.to_owned(),
        };
        let (meta, state) =
            split(&content).ok_or_else(|| damaged("its header is cut or foreign"))?;
        let (digest, state) = state
            .split_first_chunk::<32>()
            .ok_or_else(|| damaged("it is cut"))?;
        if Digest::of(meta).as_bytes() != digest {
            return Err(damaged("the digest of its header differs"));
        }
        let meta =
            postcard::from_bytes(meta).map_err(|error| damaged(&format!("its header: {error}")))?;
        Ok(Some(Stored {
            meta,
            state: state.to_vec(),
        }))
    }

    /// Reads the snapshot, if there is one, and makes sure that its state decodes.
    pub(crate) fn read_checked(&self) -> Result<Option<Stored>, SnapshotError> {
        let stored = self.read()?;
        if let Some(stored) = &stored {
            self.decode(stored)?;
        }
        Ok(stored)
    }

    /// Reads and decodes the snapshot, if there is one.
    pub(crate) fn load(&self) -> Result<Option<(SnapshotMeta, State)>, SnapshotError> {
        let Some(stored) = self.read()? else {
            return Ok(None);
        };
        let state = self.decode(&stored)?;
        Ok(Some((stored.meta, state)))
    }

    /// Encodes a state and replaces the snapshot with it.
    pub(crate) fn save(&self, meta: SnapshotMeta, state: &State) -> Result<Stored, SnapshotError> {
        let path = self.dir.join(FILE);
        let state = state
            .encode()
            .map_err(|source| SnapshotError::State { path, source })?;
        let stored = Stored { meta, state };
        self.write(&stored)?;
        Ok(stored)
    }

    /// Replaces the snapshot with one that a peer sent, after decoding it.
    pub(crate) fn install(&self, stored: &Stored) -> Result<State, SnapshotError> {
        let state = self.decode(stored)?;
        self.write(stored)?;
        Ok(state)
    }

    fn decode(&self, stored: &Stored) -> Result<State, SnapshotError> {
        let path = self.dir.join(FILE);
        State::decode(&stored.state).map_err(|source| SnapshotError::State { path, source })
    }
}

/// Splits a snapshot's bytes into the meta and what follows it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let bytes = bytes.strip_prefix(&MAGIC)?;
    let (length, bytes) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    bytes.split_at_checked(length)
}
