//! Entry bundles: a tile's leaves as bytes, each behind its length in two bytes, big-endian.

use thiserror::Error;

use crate::limits::{ENTRY_BYTES_MAX, TILE_WIDTH};

/// Why bytes are no entry bundle, or entries are too much for one.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BundleError {
    /// It ends within an entry or its length.
    #[error("a bundle of {bytes} bytes ends within entry {entry}")]
    Truncated {
        /// How many bytes there were.
        bytes: u64,
        /// The entry, counted from 0, that is cut off.
        entry: u64,
    },
    /// It holds more entries than a full tile.
    #[error("a bundle holds more than {max} entries")]
    TooMany {
        /// The most allowed.
        max: u16,
    },
    /// An entry is longer than its length can say.
    #[error("an entry of {bytes} bytes, the limit is {max}")]
    TooLong {
        /// Its length.
        bytes: u64,
        /// The most allowed.
        max: u64,
    },
}

/// Writes entries as a bundle.
///
/// # Errors
/// [`BundleError::TooMany`] or [`BundleError::TooLong`].
pub fn encode_bundle<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, BundleError> {
    if entries.len() > usize::from(TILE_WIDTH) {
        return Err(BundleError::TooMany { max: TILE_WIDTH });
    }
    let mut bytes = Vec::new();
    for entry in entries {
        let entry = entry.as_ref();
        let length = u16::try_from(entry.len()).map_err(|_| BundleError::TooLong {
            bytes: entry.len() as u64,
            max: ENTRY_BYTES_MAX as u64,
        })?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// Reads the entries of a bundle.
///
/// # Errors
/// [`BundleError::Truncated`] or [`BundleError::TooMany`].
pub fn decode_bundle(bytes: &[u8]) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        if entries.len() == usize::from(TILE_WIDTH) {
            return Err(BundleError::TooMany { max: TILE_WIDTH });
        }
        let cut = || BundleError::Truncated {
            bytes: bytes.len() as u64,
            entry: entries.len() as u64,
        };
        let (length, after) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or_else(cut)?;
        entries.push(entry);
        rest = after;
    }
    Ok(entries)
}
