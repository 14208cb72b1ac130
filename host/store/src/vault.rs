//! The vault: the keys of private inputs, and sealing with them.
//!
//! An input is encrypted (XChaCha20-Poly1305, the task's id as associated data) under a key of
//! its own before it goes to the depot. The key stands here, in a file of 32 bytes that only this
//! user can read. Once a task has ended its key is destroyed, and every copy of the sealed bytes
//! (the depot's, a backup's) is unreadable from then on.
//!
//! The file is overwritten before it is removed. On flash or a copy-on-write file system the old
//! blocks may survive until they are reused: put the vault on an encrypted disk where that counts.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use aureole_ledger::TaskId;
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
pub struct InputKey(Zeroizing<[u8; 32]>);

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

    /// Seals a task's input; when this returns, its key is on disk.
    ///
    /// A task keeps the key of its first sealing: submitting the same task twice must not make
    /// the input that was stored first unreadable. Nonces are random, 24 bytes, fresh each time.
    ///
    /// # Errors
    /// [`VaultError::Randomness`], [`VaultError::BadKey`], [`VaultError::Io`].
    pub fn seal(&self, task: TaskId, input: &[u8]) -> Result<Vec<u8>, VaultError> {
        let key = match self.key(task)? {
            Some(key) => key,
            None => self.create_key(task)?,
        };
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(VaultError::Randomness)?;
        let mut sealed = Vec::with_capacity(input.len() + SEALED_OVERHEAD_BYTES);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(input);
        let (_, text) = sealed.split_at_mut(NONCE_BYTES);
        let tag = cipher(key.expose())
            .encrypt_inout_detached(&XNonce::from(nonce), &associated(task), text.into())
            .map_err(|_| VaultError::Unopenable { task })?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// The key of a task's input; `None` once it is destroyed, or if it never was.
    ///
    /// # Errors
    /// [`VaultError::BadKey`], [`VaultError::Io`].
    pub fn key(&self, task: TaskId) -> Result<Option<InputKey>, VaultError> {
        let path = self.inner.path(task);
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

    /// Destroys the key of a task's input; returns whether there was one. When this returns, the
    /// removal is on disk.
    ///
    /// # Errors
    /// [`VaultError::Io`].
    pub fn destroy(&self, task: TaskId) -> Result<bool, VaultError> {
        let path = self.inner.path(task);
        let mut file = match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(failed("open", &path)(source)),
        };
        file.write_all(&[0; 32])
            .and_then(|()| file.sync_all())
            .map_err(failed("overwrite", &path))?;
        match fs::remove_file(&path) {
            Ok(()) => {}
            // Somebody else destroyed it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(failed("remove", &path)(source)),
        }
        durable::sync_parent(&path).map_err(failed("sync", &path))?;
        Ok(true)
    }

    /// The tasks that have a key, so that a node which was killed between a task's end and the
    /// destruction of its key can catch up at its next start.
    ///
    /// # Errors
    /// [`VaultError::Io`].
    pub fn tasks(&self) -> Result<Vec<TaskId>, VaultError> {
        let keys = &self.inner.keys;
        let mut tasks = Vec::new();
        for entry in fs::read_dir(keys).map_err(failed("list", keys))? {
            let name = entry.map_err(failed("list", keys))?.file_name();
            // A foreign file in the folder is none of our keys.
            if let Some(task) = name.to_str().and_then(|name| TaskId::from_str(name).ok()) {
                tasks.push(task);
            }
        }
        tasks.sort_unstable();
        Ok(tasks)
    }

    fn create_key(&self, task: TaskId) -> Result<InputKey, VaultError> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut()).map_err(VaultError::Randomness)?;
        let temp = durable::write_temp(&self.inner.temp, key.as_ref())
            .map_err(failed("write into", &self.inner.temp))?;
        let path = self.inner.path(task);
        if temp.link(&path).map_err(failed("write", &path))? {
            return Ok(InputKey(key));
        }
        // Another submission of the same task was faster: its key counts.
        self.key(task)?.ok_or(VaultError::Unopenable { task })
    }
}

// === impl Inner ===

impl Inner {
    fn path(&self, task: TaskId) -> PathBuf {
        self.keys.join(task.to_string())
    }
}

// === impl InputKey ===

impl InputKey {
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

/// Opens an input sealed by [`InputVault::seal`].
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
