//! Compiled code on disk, which only this node may have written.
//!
//! Loading compiled code is running it, so every file carries a MAC under a secret that never
//! leaves the node's own folder (mode 0600). It covers the component's digest, the engine's
//! compatibility hash and the code: a flipped bit, a file of another component, another build or
//! another node is no hit, is removed, and is compiled again.
//!
//! ```text
//! DIR/secret                         32 random bytes
//! DIR/<component>-<engine>.cwasm     magic, MAC, code
//! ```

use std::{
    fs, io,
    io::{Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

use crate::{
    engine,
    limits::{ARTIFACT_BYTES, CACHE_BYTES},
};

const MAGIC: &[u8; 16] = b"aureole cwasm 1\n";
const MAC_BYTES: usize = 32;
const SECRET_BYTES: usize = 32;
const SHA256_BLOCK_BYTES: usize = 64;
const HEADER_BYTES: usize = MAGIC.len() + MAC_BYTES;

/// Compiled code that this node made of the component with this digest.
#[derive(Clone)]
pub struct Trusted {
    component: [u8; 32],
    code: Arc<[u8]>,
}

/// A folder of compiled code. Several processes of one node may share it.
#[derive(Clone)]
pub struct CodeCache {
    dir: PathBuf,
    secret: Arc<[u8; SECRET_BYTES]>,
    engine: [u8; 32],
}

/// Why the folder cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CacheError {
    /// A file operation failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The secret is not ours alone, or not a secret.
    #[error("{} must be {SECRET_BYTES} bytes that only its owner may read: remove it and restart; \
             the code is compiled again", path.display())]
    Secret {
        /// Where it is.
        path: PathBuf,
    },
    /// Too much code.
    #[error("the compiled code has {bytes} bytes, {ARTIFACT_BYTES} are allowed")]
    TooLarge {
        /// Its length.
        bytes: u64,
    },
    /// The engine does not start, so nothing compiled can fit it.
    #[error("the engine does not start: {detail}")]
    Engine {
        /// What it said.
        detail: String,
    },
}

// === impl Trusted ===

impl Trusted {
    /// The digest of the component it was compiled from.
    #[must_use]
    pub fn component(&self) -> [u8; 32] {
        self.component
    }

    pub(crate) fn code(&self) -> &[u8] {
        &self.code
    }
}

impl std::fmt::Debug for Trusted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trusted")
            .field("bytes", &self.code.len())
            .finish_non_exhaustive()
    }
}

// === impl CodeCache ===

impl CodeCache {
    /// Opens a folder, and makes it and its secret if they are missing.
    ///
    /// # Errors
    /// [`CacheError::Io`], [`CacheError::Secret`] and [`CacheError::Engine`].
    pub fn open(dir: &Path) -> Result<Self, CacheError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(io_error("create", dir))?;
        let engine = engine::compatibility().map_err(|error| CacheError::Engine {
            detail: error.to_string(),
        })?;
        Ok(Self {
            dir: dir.to_owned(),
            secret: Arc::new(secret(dir)?),
            engine,
        })
    }

    /// The compiled code of a component, or `None` if it must be compiled (again).
    #[must_use]
    pub fn get(&self, component: &[u8; 32]) -> Option<Trusted> {
        let path = self.path(component);
        let bytes = read_bounded(&path, ARTIFACT_BYTES).ok()?;
        match self.verified(component, &bytes) {
            Some(code) => {
                // Best effort: it only decides what is removed first.
                let touched =
                    fs::File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
                if let Err(error) = touched {
                    tracing::debug!(%error, "compiled code cannot be marked as used");
                }
                Some(Trusted {
                    component: *component,
                    code: code.into(),
                })
            }
            None => {
                tracing::warn!(
                    path = %path.display(),
                    "compiled code was altered or is from elsewhere: removed, to be compiled again"
                );
                let _ = fs::remove_file(&path);
                None
            }
        }
    }

    /// Keeps what [`compile`](crate::compile) made of a component. On disk when it returns.
    ///
    /// The caller vouches that `code` is the output of our own compiler for `component`.
    ///
    /// # Errors
    /// [`CacheError::TooLarge`] and [`CacheError::Io`].
    pub fn put(&self, component: &[u8; 32], code: &[u8]) -> Result<Trusted, CacheError> {
        let bytes = u64::try_from(code.len()).unwrap_or(u64::MAX);
        if bytes > ARTIFACT_BYTES {
            return Err(CacheError::TooLarge { bytes });
        }
        self.make_room(bytes)?;
        let mac = self.mac(component, code).finalize().into_bytes();
        let path = self.path(component);
        write_whole(&path, &[MAGIC, &mac, code])?;
        Ok(Trusted {
            component: *component,
            code: code.into(),
        })
    }

    fn verified<'a>(&self, component: &[u8; 32], bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (header, code) = bytes.split_at_checked(HEADER_BYTES)?;
        let mac = header.strip_prefix(MAGIC)?;
        self.mac(component, code).verify_slice(mac).ok()?;
        Some(code)
    }

    fn mac(&self, component: &[u8; 32], code: &[u8]) -> Hmac<Sha256> {
        // The key is shorter than a block of SHA-256, and so padded with zeros: by HMAC's own rule.
        let mut block = [0; SHA256_BLOCK_BYTES];
        block[..SECRET_BYTES].copy_from_slice(&*self.secret);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(b"aureole compiled code v1");
        mac.update(&self.engine);
        mac.update(component);
        mac.update(code);
        mac
    }

    fn path(&self, component: &[u8; 32]) -> PathBuf {
        let engine = hex(self.engine.iter().take(8));
        self.dir
            .join(format!("{}-{engine}.cwasm", hex(component.iter())))
    }

    /// Removes the longest unused artifacts until `incoming` more bytes fit.
    fn make_room(&self, incoming: u64) -> Result<(), CacheError> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(io_error("list", &self.dir))? {
            let entry = entry.map_err(io_error("list", &self.dir))?;
            let path = entry.path();
            if path
                .extension()
                .is_none_or(|extension| extension != "cwasm")
            {
                continue;
            }
            // Another process may have removed it since.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            kept.push((
                metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                metadata.len(),
                path,
            ));
        }
        kept.sort();
        let mut total = kept
            .iter()
            .fold(incoming, |sum, (_, bytes, _)| sum.saturating_add(*bytes));
        for (_, bytes, path) in kept {
            if total <= CACHE_BYTES {
                break;
            }
            let _ = fs::remove_file(path);
            total = total.saturating_sub(bytes);
        }
        Ok(())
    }
}

impl std::fmt::Debug for CodeCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeCache")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

/// The folder's secret; the first process to come makes it.
fn secret(dir: &Path) -> Result<[u8; SECRET_BYTES], CacheError> {
    use std::os::unix::fs::PermissionsExt;

    let path = dir.join("secret");
    if !path.try_exists().map_err(io_error("read", &path))? {
        let mut fresh = [0; SECRET_BYTES];
        getrandom::fill(&mut fresh).map_err(|error| CacheError::Io {
            action: "draw a secret for",
            path: path.clone(),
            source: io::Error::other(error.to_string()),
        })?;
        // Linking fails if another process was faster: then its secret counts.
        let staged = staged(&path)?;
        write_private(&staged, &[&fresh])?;
        let linked = fs::hard_link(&staged, &path);
        let _ = fs::remove_file(&staged);
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(io_error("create", &path)(error));
            }
            _ => sync_dir(dir)?,
        }
    }
    let metadata = fs::symlink_metadata(&path).map_err(io_error("read", &path))?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o077 != 0 {
        return Err(CacheError::Secret { path });
    }
    let bytes = read_bounded(&path, 1024).map_err(io_error("read", &path))?;
    bytes.try_into().map_err(|_| CacheError::Secret { path })
}

/// Writes beside the place, syncs, and moves it there: a reader sees all or nothing.
fn write_whole(path: &Path, parts: &[&[u8]]) -> Result<(), CacheError> {
    let staged = staged(path)?;
    write_private(&staged, parts)?;
    fs::rename(&staged, path).map_err(io_error("move into place", path))?;
    path.parent().map_or(Ok(()), sync_dir)
}

fn write_private(path: &Path, parts: &[&[u8]]) -> Result<(), CacheError> {
    let write = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        for part in parts {
            file.write_all(part)?;
        }
        file.sync_all()
    };
    write().map_err(io_error("write", path))
}

/// A name beside `path` that no other process takes.
fn staged(path: &Path) -> Result<PathBuf, CacheError> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| CacheError::Io {
        action: "draw a temporary name for",
        path: path.to_owned(),
        source: io::Error::other(error.to_string()),
    })?;
    Ok(path.with_extension(format!("{}.tmp", hex(random.iter()))))
}

fn sync_dir(dir: &Path) -> Result<(), CacheError> {
    fs::File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(io_error("sync", dir))
}

fn read_bounded(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let header = u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX);
    fs::File::open(path)?
        .take(max.saturating_add(header))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CacheError {
    let path = path.to_owned();
    move |source| CacheError::Io {
        action,
        path,
        source,
    }
}

fn hex<'a>(bytes: impl Iterator<Item = &'a u8>) -> String {
    use std::fmt::Write;

    bytes.fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
