//! Parts of a blob, for whoever copies it in pieces.
//!
//! The whole is checked before the first part is given, and believed for a short while after: a
//! copy of 64 parts must not hash the blob 64 times. Whoever assembles the parts checks the digest
//! once more.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use aureole_ledger::Digest;
use bytes::Bytes;

use super::error::{DepotError, failed};
use super::{Depot, Inner, blocking};
use crate::limits::{BLOB_BYTES_MAX, CHECKED_BLOBS_MAX, CHECKED_FOR};

/// When blobs were last found to have their digest.
#[derive(Debug, Default)]
pub(super) struct Checked(BTreeMap<Digest, Instant>);

// === impl Depot ===

impl Depot {
    /// A part of a blob and the whole's length. Fewer bytes than asked for come at the end.
    ///
    /// # Errors
    /// [`DepotError::NotFound`], [`DepotError::Corrupt`], [`DepotError::Io`].
    pub async fn range(
        &self,
        digest: &Digest,
        offset: u64,
        length: u64,
    ) -> Result<(u64, Bytes), DepotError> {
        let (inner, digest) = (Arc::clone(&self.inner), *digest);
        blocking(move || inner.range(&digest, offset, length)).await
    }
}

// === impl Inner ===

impl Inner {
    fn range(&self, digest: &Digest, offset: u64, length: u64) -> Result<(u64, Bytes), DepotError> {
        let checked = || self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if !checked().holds(digest) {
            let bytes = self.get(digest, BLOB_BYTES_MAX)?;
            checked().insert(*digest);
            let total = bytes.len() as u64;
            let (from, to) = (offset.min(total), offset.saturating_add(length).min(total));
            let whole = Bytes::from(bytes);
            // Both lie within the length of a vector.
            let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            return Ok((total, whole.slice(place(from)..place(to))));
        }
        let path = self.path(digest);
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(DepotError::NotFound { digest: *digest });
            }
            opened => opened.map_err(failed("open", &path))?,
        };
        let total = file.metadata().map_err(failed("read", &path))?.len();
        file.seek(SeekFrom::Start(offset.min(total)))
            .map_err(failed("read", &path))?;
        let mut bytes = Vec::new();
        file.take(length)
            .read_to_end(&mut bytes)
            .map_err(failed("read", &path))?;
        Ok((total, bytes.into()))
    }
}

// === impl Checked ===

impl Checked {
    fn holds(&self, digest: &Digest) -> bool {
        self.0
            .get(digest)
            .is_some_and(|since| since.elapsed() < CHECKED_FOR)
    }

    fn insert(&mut self, digest: Digest) {
        if self.0.len() >= CHECKED_BLOBS_MAX {
            self.0.retain(|_, since| since.elapsed() < CHECKED_FOR);
        }
        if self.0.len() >= CHECKED_BLOBS_MAX {
            self.0.clear();
        }
        self.0.insert(digest, Instant::now());
    }
}
