//! What is in the depot, and removing what nothing refers to.
//!
//! Who refers to what is the caller's business. A blob is removed only if it is older than a grace
//! at the moment of its removal: whoever puts it again, to refer to it a moment later, makes it
//! young, and a blob that was just put is.

use std::fs;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aureole_ledger::Digest;

use super::error::{DepotError, failed};
use super::{Depot, Inner, blocking, remove_file};

/// A blob and what the file system says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobInfo {
    /// Its digest, as its name says.
    pub digest: Digest,
    /// Its length.
    pub bytes: u64,
    /// When it was put last.
    pub put_at: SystemTime,
}

/// What a collection removed, or would have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// What was, or would be, removed: digest and bytes, in the order of digests.
    pub removed: Vec<(Digest, u64)>,
    /// Blobs that something refers to.
    pub referenced: u64,
    /// Blobs that nothing refers to, and that are too young to tell.
    pub young: u64,
}

// === impl Depot ===

impl Depot {
    /// Every blob, in the order of digests; their bytes are not checked.
    ///
    /// # Errors
    /// [`DepotError::Io`].
    pub async fn list(&self) -> Result<Vec<BlobInfo>, DepotError> {
        let inner = Arc::clone(&self.inner);
        blocking(move || inner.list()).await
    }

    /// Those of some digests that have no blob here, in the order given; bytes are not checked.
    ///
    /// # Errors
    /// [`DepotError::Io`].
    pub async fn missing(&self, digests: Vec<Digest>) -> Result<Vec<Digest>, DepotError> {
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            let mut missing = Vec::new();
            for digest in digests {
                let path = inner.path(&digest);
                if !path.try_exists().map_err(failed("look for", &path))? {
                    missing.push(digest);
                }
            }
            Ok(missing)
        })
        .await
    }

    /// Removes the blobs that `is_referenced` denies and that were last put more than `grace` ago;
    /// with `dry_run` it removes nothing and says what it would. Blocking work happens on a thread
    /// of its own; `is_referenced` is called there once for each blob.
    ///
    /// # Errors
    /// [`DepotError::Io`]: some may have been removed.
    pub async fn collect(
        &self,
        is_referenced: impl Fn(&Digest) -> bool + Send + 'static,
        grace: Duration,
        dry_run: bool,
    ) -> Result<Collected, DepotError> {
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            let mut collected = Collected::default();
            for blob in inner.list()? {
                if is_referenced(&blob.digest) {
                    collected.referenced += 1;
                } else if inner.remove_old(&blob, grace, dry_run)? {
                    collected.removed.push((blob.digest, blob.bytes));
                } else {
                    collected.young += 1;
                }
            }
            Ok(collected)
        })
        .await
    }
}

// === impl Collected ===

impl Collected {
    /// Bytes of what was, or would be, removed.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.removed.iter().map(|(_, bytes)| bytes).sum()
    }
}

// === impl Inner ===

impl Inner {
    fn list(&self) -> Result<Vec<BlobInfo>, DepotError> {
        let mut blobs = Vec::new();
        for byte in 0..=u8::MAX {
            let prefix = hex::encode([byte]);
            let folder = self.blobs.join(&prefix);
            let listing = || failed("list", &folder);
            for entry in fs::read_dir(&folder).map_err(listing())? {
                let entry = entry.map_err(listing())?;
                let name = entry.file_name();
                // A foreign file in the folder is no blob of ours.
                let Some(digest) = name
                    .to_str()
                    .and_then(|rest| format!("{prefix}{rest}").parse().ok())
                else {
                    continue;
                };
                let metadata = match entry.metadata() {
                    Ok(metadata) => metadata,
                    // Removed since the folder was read.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(source) => return Err(listing()(source)),
                };
                blobs.push(BlobInfo {
                    digest,
                    bytes: metadata.len(),
                    put_at: metadata.modified().map_err(listing())?,
                });
            }
        }
        blobs.sort_unstable_by_key(|blob| blob.digest);
        Ok(blobs)
    }

    /// Removes a blob if it is still older than the grace; returns whether it is, or was.
    fn remove_old(
        &self,
        blob: &BlobInfo,
        grace: Duration,
        dry_run: bool,
    ) -> Result<bool, DepotError> {
        // A time in the future, which a clock that was set back leaves behind, is young.
        let is_old = |put_at: SystemTime| put_at.elapsed().is_ok_and(|age| age > grace);
        if dry_run || !is_old(blob.put_at) {
            return Ok(is_old(blob.put_at));
        }
        let path = self.path(&blob.digest);
        let _names = self.names();
        match fs::metadata(&path).and_then(|metadata| metadata.modified()) {
            Ok(put_at) if is_old(put_at) => remove_file(&path),
            Ok(_) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(failed("look at", &path)(source)),
        }
    }
}
