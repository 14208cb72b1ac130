//! The depot: blobs under their SHA-256 digest.
//!
//! ```text
//! DIR/lock          held while a process has the depot open
//! DIR/tmp/          files being written; emptied when the depot is opened
//! DIR/blobs/ab/cd.. a blob; the name is its digest in hex, the first byte a folder
//! ```
//!
//! When a `put` returns, the bytes and their name are on disk: file and folder were fsynced.
//! `get` returns only bytes that have the digest asked for. Putting a blob that is there already
//! checks it, replaces it if it has rotted, and makes it young again: what is collected is old.
//!
//! A put that would leave less than the reserve free is refused before it writes.

mod collect;
mod error;
mod range;
mod space;

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use aureole_ledger::Digest;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use crate::durable::{self, TempFile};
use crate::limits::{BLOB_BYTES_MAX, SPACE_CHECK_BYTES, STREAM_CHUNK_BYTES};
use error::failed;
use range::Checked;
use space::Room;

pub use collect::{BlobInfo, Collected};
pub use error::DepotError;
pub use space::{DepotConfig, FileSystem, Probe, Space};

/// A handle to the depot; clones share it.
#[derive(Clone, Debug)]
pub struct Depot {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    blobs: PathBuf,
    temp: PathBuf,
    room: Room,
    /// Blobs that were found to have their digest a moment ago.
    checked: Mutex<Checked>,
    /// Held while a name is given, made young or taken away: what is collected must still be old
    /// at the moment it is removed.
    names: Mutex<()>,
    /// Keeps other processes out for as long as any handle lives: they would sweep our
    /// temporary files.
    _lock: File,
}

// === impl Depot ===

impl Depot {
    /// Opens the depot in a folder, creating it if needed, and removes what an interrupted
    /// process left half written.
    ///
    /// Blocking; called once at start.
    ///
    /// # Errors
    /// [`DepotError::InUse`] if another process has it open, [`DepotError::Io`].
    pub fn open(dir: &Path) -> Result<Self, DepotError> {
        Self::open_with(dir, DepotConfig::default())
    }

    /// Opens the depot in a folder, with a reserve and a way to ask for free space.
    ///
    /// # Errors
    /// As [`Depot::open`].
    pub fn open_with(dir: &Path, config: DepotConfig) -> Result<Self, DepotError> {
        let (blobs, temp) = (dir.join("blobs"), dir.join("tmp"));
        for folder in [dir, &blobs, &temp] {
            durable::create_folder(folder).map_err(failed("create", folder))?;
        }
        make_fan_out(&blobs).map_err(failed("create folders in", &blobs))?;
        let lock_path = dir.join("lock");
        let lock = File::create(&lock_path).map_err(failed("create", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(DepotError::InUse {
                    path: dir.to_owned(),
                });
            }
            Err(fs::TryLockError::Error(source)) => {
                return Err(failed("lock", &lock_path)(source));
            }
        }
        let swept = durable::sweep(&temp).map_err(failed("clean", &temp))?;
        if swept > 0 {
            tracing::info!(files = swept, "removed half-written files from the depot");
        }
        Ok(Self {
            inner: Arc::new(Inner {
                blobs,
                temp,
                room: Room::new(dir, config),
                checked: Mutex::default(),
                names: Mutex::new(()),
                _lock: lock,
            }),
        })
    }

    /// Stores bytes; when this returns they are on disk.
    ///
    /// # Errors
    /// [`DepotError::TooLarge`] above [`BLOB_BYTES_MAX`], [`DepotError::DiskFull`],
    /// [`DepotError::Io`].
    ///
    /// # Cancel safety
    /// A dropped call may still store the blob; that does no harm.
    pub async fn put(&self, bytes: impl Into<Bytes>) -> Result<Digest, DepotError> {
        let (inner, bytes) = (Arc::clone(&self.inner), bytes.into());
        blocking(move || inner.put(&bytes)).await
    }

    /// Stores what a stream brings, up to a number of bytes, hashing it on the way; returns the
    /// digest and the length.
    ///
    /// # Errors
    /// [`DepotError::TooLarge`] as soon as the stream exceeds `max` or [`BLOB_BYTES_MAX`],
    /// [`DepotError::Source`] when the stream fails, [`DepotError::DiskFull`],
    /// [`DepotError::Io`].
    ///
    /// # Cancel safety
    /// A dropped call stores nothing and removes what it wrote.
    pub async fn put_stream(
        &self,
        mut source: impl AsyncRead + Unpin,
        max: u64,
    ) -> Result<(Digest, u64), DepotError> {
        let max = max.min(BLOB_BYTES_MAX);
        let inner = Arc::clone(&self.inner);
        let (temp, file) = blocking(move || {
            inner.room.admit(0)?;
            TempFile::create(&inner.temp).map_err(failed("create a file in", &inner.temp))
        })
        .await?;
        let mut file = tokio::fs::File::from_std(file);
        let mut hasher = Sha256::new();
        let (mut length, mut asked_at) = (0_u64, 0_u64);
        let mut chunk = vec![0; STREAM_CHUNK_BYTES];
        loop {
            let read = source
                .read(&mut chunk)
                .await
                .map_err(|source| DepotError::Source {
                    bytes: length,
                    source,
                })?;
            if read == 0 {
                break;
            }
            length += read as u64;
            if length > max {
                return Err(DepotError::TooLarge { max });
            }
            if length - asked_at >= SPACE_CHECK_BYTES {
                asked_at = length;
                let inner = Arc::clone(&self.inner);
                blocking(move || inner.room.admit(0)).await?;
            }
            let part = chunk.get(..read).unwrap_or(&chunk);
            hasher.update(part);
            file.write_all(part)
                .await
                .map_err(failed("write into", &self.inner.temp))?;
        }
        file.sync_all()
            .await
            .map_err(failed("sync a file in", &self.inner.temp))?;
        let digest = Digest::from_bytes(hasher.finalize().into());
        let inner = Arc::clone(&self.inner);
        blocking(move || inner.keep(temp, &digest)).await?;
        Ok((digest, length))
    }

    /// The bytes of a digest, checked.
    ///
    /// # Errors
    /// [`DepotError::NotFound`], [`DepotError::Corrupt`], [`DepotError::TooLarge`] if the blob
    /// has more than `max` bytes, [`DepotError::Io`].
    pub async fn get(&self, digest: &Digest, max: u64) -> Result<Bytes, DepotError> {
        let (inner, digest) = (Arc::clone(&self.inner), *digest);
        blocking(move || inner.get(&digest, max))
            .await
            .map(Bytes::from)
    }

    /// Whether a blob of this digest is there; its bytes are not checked.
    ///
    /// # Errors
    /// [`DepotError::Io`].
    pub async fn contains(&self, digest: &Digest) -> Result<bool, DepotError> {
        let path = self.inner.path(digest);
        blocking(move || path.try_exists().map_err(failed("look for", &path))).await
    }

    /// Removes a blob; returns whether it was there.
    ///
    /// # Errors
    /// [`DepotError::Io`].
    pub async fn remove(&self, digest: &Digest) -> Result<bool, DepotError> {
        let path = self.inner.path(digest);
        blocking(move || remove_file(&path)).await
    }

    /// How much room there is, and how much of it is kept back.
    ///
    /// # Errors
    /// [`DepotError::Io`].
    pub async fn space(&self) -> Result<Space, DepotError> {
        let inner = Arc::clone(&self.inner);
        blocking(move || inner.room.space()).await
    }
}

// === impl Inner ===

impl Inner {
    fn path(&self, digest: &Digest) -> PathBuf {
        let name = hex::encode(digest.as_bytes());
        let (folder, file) = name.split_at(2);
        self.blobs.join(folder).join(file)
    }

    fn put(&self, bytes: &[u8]) -> Result<Digest, DepotError> {
        if bytes.len() as u64 > BLOB_BYTES_MAX {
            return Err(DepotError::TooLarge {
                max: BLOB_BYTES_MAX,
            });
        }
        let digest = Digest::of(bytes);
        if self.already_there(&digest)? {
            return Ok(digest);
        }
        self.room.admit(bytes.len() as u64)?;
        let temp =
            durable::write_temp(&self.temp, bytes).map_err(failed("write into", &self.temp))?;
        self.rename(temp, &digest)?;
        Ok(digest)
    }

    /// Gives a synced temporary file its name, unless a good blob has it already.
    fn keep(&self, temp: TempFile, digest: &Digest) -> Result<(), DepotError> {
        if self.already_there(digest)? {
            Ok(())
        } else {
            self.rename(temp, digest)
        }
    }

    fn rename(&self, temp: TempFile, digest: &Digest) -> Result<(), DepotError> {
        let path = self.path(digest);
        {
            let _names = self.names();
            temp.rename(&path).map_err(failed("write", &path))?;
        }
        durable::sync_parent(&path).map_err(failed("sync", &path))
    }

    fn names(&self) -> MutexGuard<'_, ()> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a blob is there with the right bytes; if so it is made young, because somebody is
    /// about to refer to it, and durable, because whoever wrote it may not have got so far yet.
    fn already_there(&self, digest: &Digest) -> Result<bool, DepotError> {
        let path = self.path(digest);
        match self.get(digest, BLOB_BYTES_MAX) {
            Ok(_) => {}
            Err(DepotError::NotFound { .. }) => return Ok(false),
            Err(DepotError::Corrupt { .. } | DepotError::TooLarge { .. }) => {
                tracing::warn!(%digest, "replacing a corrupted blob");
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        let touched = {
            let _names = self.names();
            File::open(&path).and_then(|file| file.set_modified(SystemTime::now()).map(|()| file))
        };
        match touched {
            Ok(file) => file
                .sync_all()
                .and_then(|()| durable::sync_parent(&path))
                .map(|()| true)
                .map_err(failed("sync", &path)),
            // Collected since it was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(failed("touch", &path)(source)),
        }
    }

    fn get(&self, digest: &Digest, max: u64) -> Result<Vec<u8>, DepotError> {
        let path = self.path(digest);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(DepotError::NotFound { digest: *digest });
            }
            Err(source) => return Err(failed("open", &path)(source)),
        };
        let length = file.metadata().map_err(failed("read", &path))?.len();
        if length > max {
            return Err(DepotError::TooLarge { max });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        file.read_to_end(&mut bytes)
            .map_err(failed("read", &path))?;
        if Digest::of(&bytes) != *digest {
            return Err(DepotError::Corrupt {
                digest: *digest,
                bytes: bytes.len() as u64,
            });
        }
        Ok(bytes)
    }
}

/// Removes a file durably; returns whether it was there.
fn remove_file(path: &Path) -> Result<bool, DepotError> {
    match fs::remove_file(path) {
        Ok(()) => durable::sync_parent(path)
            .map(|()| true)
            .map_err(failed("sync", path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(failed("remove", path)(source)),
    }
}

/// Makes the 256 folders that blobs stand in, so that no `put` has to: a folder that one `put`
/// has made and not yet synced would be a trap for another.
fn make_fan_out(blobs: &Path) -> io::Result<()> {
    for byte in 0..=u8::MAX {
        match DirBuilder::new()
            .mode(0o700)
            .create(blobs.join(hex::encode([byte])))
        {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => result?,
        }
    }
    File::open(blobs)?.sync_all()
}

/// Runs file work on the runtime's blocking threads: an fsync may take a second.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DepotError> + Send + 'static,
) -> Result<T, DepotError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| DepotError::Stopped)?
}
