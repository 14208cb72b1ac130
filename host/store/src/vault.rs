//! The vault: the keys of private inputs, and sealing with them.
//!
//! An input is encrypted (XChaCha20-Poly1305, the task's id as associated data) under a key of
//! its own before it goes to the depot. The key stands here, in a file of 32 bytes that only this
//! user can read, under the task's id and the digest of the sealed bytes: whoever seals again, for
//! a task whose first submission was lost on the way, makes another key that no other copy of this
//! vault can mistake for the first. Once a task has ended its keys are destroyed, and every copy of
//! the sealed bytes (the depot's, a backup's) is unreadable from then on.
//!
//! The file is overwritten before it is removed. On flash or a copy-on-write file system the old
//! blocks may survive until they are reused: put the vault on an encrypted disk where that counts.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::SystemTime;

use aureole_ledger::{Digest, TaskId};
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::durable;
use crate::limits::SEALED_OVERHEAD_BYTES;
use crate::secret::Secret;

const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = SEALED_OVERHEAD_BYTES - NONCE_BYTES;

/// A handle to the vault; clones share it.
#[derive(Clone, Debug)]
pub struct InputVault {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    keys: PathBuf,
    temp: PathBuf,
}

/// The key of one task's input; wiped when dropped, shown by nothing.
#[derive(Clone)]
pub struct InputKey(Zeroizing<[u8; 32]>);

/// An input under a key of its own. Neither is stored yet.
#[derive(Debug)]
pub struct Sealed {
    /// What goes to the depot.
    pub bytes: Vec<u8>,
    /// Its digest, which the ledger names.
    pub digest: Digest,
    /// What goes to the vault, under the task and the digest.
    pub key: InputKey,
}

/// What a key is for, and since when it is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// The task.
    pub task: TaskId,
    /// The digest of the sealed input that it opens.
    pub input: Digest,
    /// When it was stored.
    pub stored_at: SystemTime,
}

/// Why the vault did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The sealed bytes are too short, were changed, or belong to another task or key.
    #[error("the sealed input of {task} does not open with this key")]
    Unopenable {
        /// The task it was opened for.
        task: TaskId,
    },
    /// The key's file does not hold a key.
    #[error("the key of {task} has {bytes} bytes on disk instead of 32")]
    BadKey {
        /// The task.
        task: TaskId,
        /// Length of the file.
        bytes: u64,
    },
    /// Another key stands under the same task and input, which cannot be.
    #[error("another key of {task} is stored for the same sealed input")]
    OtherKey {
        /// The task.
        task: TaskId,
    },
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness for a key")]
    Randomness(#[source] getrandom::Error),
    /// The file system refused.
    #[error("the vault could not {action} {}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

// === impl InputVault ===

impl InputVault {
    /// Opens the vault in a folder, creating it if needed.
    ///
    /// All methods block for the length of a few small file operations; on an async runtime call
    /// those that write through `spawn_blocking`.
    ///
    /// # Errors
    /// [`VaultError::Io`].
    pub fn open(dir: &Path) -> Result<Self, VaultError> {
        let (keys, temp) = (dir.join("keys"), dir.join("tmp"));
        for folder in [dir, &keys, &temp] {
            durable::create_folder(folder).map_err(failed("create", folder))?;
        }
        durable::sweep(&temp).map_err(failed("clean", &temp))?;
        Ok(Self {
            inner: Arc::new(Inner { keys, temp }),
        })
    }

    /// Stores the key of a sealed input; when this returns it is on disk. Storing it again changes
    /// nothing.
    ///
    /// # Errors
    /// [`VaultError::OtherKey`], [`VaultError::BadKey`], [`VaultError::Io`].
    pub fn put(&self, task: TaskId, input: &Digest, key: &InputKey) -> Result<(), VaultError> {
        let temp = durable::write_temp(&self.inner.temp, key.expose())
            .map_err(failed("write into", &self.inner.temp))?;
        let path = self.inner.path(task, input);
        if temp.link(&path).map_err(failed("write", &path))? {
            return Ok(());
        }
        match self.key(task, input)? {
            Some(stored) if stored.expose() == key.expose() => Ok(()),
            _ => Err(VaultError::OtherKey { task }),
        }
    }

    /// The key of a task's sealed input; `None` once it is destroyed, or if it never was here.
    ///
    /// # Errors
    /// [`VaultError::BadKey`], [`VaultError::Io`].
    pub fn key(&self, task: TaskId, input: &Digest) -> Result<Option<InputKey>, VaultError> {
        let path = self.inner.path(task, input);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(failed("open", &path)(source)),
        };
        let bytes = file.metadata().map_err(failed("read", &path))?.len();
        let mut key = Zeroizing::new([0; 32]);
        if bytes != 32 {
            return Err(VaultError::BadKey { task, bytes });
        }
        file.read_exact(key.as_mut())
            .map_err(failed("read", &path))?;
        Ok(Some(InputKey(key)))
    }

    /// Destroys the key of a task's sealed input; returns whether there was one. When this returns, the
    /// removal is on disk.
    ///
    /// # Errors
    /// [`VaultError::Io`].
    pub fn destroy(&self, task: TaskId, input: &Digest) -> Result<bool, VaultError> {
        destroy(&self.inner.path(task, input))
    }

    /// Every key, so that a node that missed the end of a task, because it was down or far behind,
    /// can catch up. A key that names no input is of a version that kept one for each task: it is
    /// destroyed here, for nothing asks for it any more.
    ///
    /// # Errors
    /// [`VaultError::Io`].
    pub fn keys(&self) -> Result<Vec<KeyInfo>, VaultError> {
        let folder = &self.inner.keys;
        let mut keys = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed("list", folder))? {
            let entry = entry.map_err(failed("list", folder))?;
            let name = entry.file_name();
            // A foreign file in the folder is none of our keys.
            let Some(name) = name.to_str() else { continue };
            let Some((task, input)) = name.split_once('.') else {
                if TaskId::from_str(name).is_ok() {
                    destroy(&entry.path())?;
                }
                continue;
            };
            let (Ok(task), Ok(input)) = (task.parse(), input.parse()) else {
                continue;
            };
            let stored_at = match entry.metadata().and_then(|metadata| metadata.modified()) {
                Ok(stored_at) => stored_at,
                // Destroyed since the folder was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(failed("list", folder)(source)),
            };
            keys.push(KeyInfo {
                task,
                input,
                stored_at,
            });
        }
        keys.sort_unstable_by_key(|key| (key.task, key.input));
        Ok(keys)
    }
}

// === impl Inner ===

impl Inner {
    fn path(&self, task: TaskId, input: &Digest) -> PathBuf {
        self.keys.join(format!("{task}.{input}"))
    }
}

// === impl InputKey ===

impl InputKey {
    /// Takes over a key's bytes; `None` unless there are 32. They are wiped either way.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let bytes = Zeroizing::new(bytes);
        let key: [u8; 32] = bytes.as_slice().try_into().ok()?;
        Some(Self(Zeroizing::new(key)))
    }

    /// The key's bytes, for whoever seals, opens or sends it to a worker.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for InputKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InputKey(..)")
    }
}

/// Seals a task's input under a new key. Nothing is stored: the key must be in the vault, and the
/// bytes in the depot, before anything names the digest.
///
/// # Errors
/// [`VaultError::Randomness`], and [`VaultError::Unopenable`] for an input of 256 GiB.
pub fn seal_input(task: TaskId, input: &[u8]) -> Result<Sealed, VaultError> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(key.as_mut()).map_err(VaultError::Randomness)?;
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(VaultError::Randomness)?;
    let mut bytes = Vec::with_capacity(input.len() + SEALED_OVERHEAD_BYTES);
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(input);
    let (_, text) = bytes.split_at_mut(NONCE_BYTES);
    let tag = cipher(&key)
        .encrypt_inout_detached(&XNonce::from(nonce), &associated(task), text.into())
        .map_err(|_| VaultError::Unopenable { task })?;
    bytes.extend_from_slice(&tag);
    Ok(Sealed {
        digest: Digest::of(&bytes),
        bytes,
        key: InputKey(key),
    })
}

/// Opens an input sealed by [`seal_input`].
///
/// # Errors
/// [`VaultError::Unopenable`].
pub fn open_input(key: &[u8; 32], task: TaskId, sealed: &[u8]) -> Result<Secret, VaultError> {
    let unopenable = || VaultError::Unopenable { task };
    let (nonce, rest) = sealed
        .split_first_chunk::<NONCE_BYTES>()
        .ok_or_else(unopenable)?;
    let (text, tag) = rest
        .split_last_chunk::<TAG_BYTES>()
        .ok_or_else(unopenable)?;
    let mut input = Secret::new(text.to_vec());
    cipher(key)
        .decrypt_inout_detached(
            &XNonce::from(*nonce),
            &associated(task),
            input.expose_mut().into(),
            &(*tag).into(),
        )
        .map_err(|_| unopenable())?;
    Ok(input)
}

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.into())
}

/// Overwrites a key's file and removes it; returns whether it was there.
fn destroy(path: &Path) -> Result<bool, VaultError> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(failed("open", path)(source)),
    };
    file.write_all(&[0; 32])
        .and_then(|()| file.sync_all())
        .map_err(failed("overwrite", path))?;
    match fs::remove_file(path) {
        Ok(()) => {}
        // Somebody else destroyed it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(failed("remove", path)(source)),
    }
    durable::sync_parent(path).map_err(failed("sync", path))?;
    Ok(true)
}

/// Ties sealed bytes to their purpose and task: they open for no other.
fn associated(task: TaskId) -> Vec<u8> {
    format!("aureole input v1 {task}").into_bytes()
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> VaultError {
    let path = path.to_owned();
    move |source| VaultError::Io {
        action,
        path,
        source,
    }
}
