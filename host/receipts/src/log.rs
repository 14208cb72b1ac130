//! A log behind its tiles: roots of any size up to its own, inclusion and consistency proofs.
//!
//! What it reads is not believed: a proof from wrong tiles does not verify against the checkpoint,
//! and whoever serves one checks it first.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;

use thiserror::Error;

use crate::limits::{HASH_BYTES, TILE_HEIGHT, TILES_KEPT};
use crate::range::{self, Range, Subtree};
use crate::{BundleError, Hash, ProofError, Tile, decode_bundle};

/// Where tiles and entry bundles are kept: files, a database, a server of static files.
///
/// An implementation returns the bytes that were written under that name, or `None` if there are
/// none, and bounds what it reads: a tile has at most 8,192 bytes, a bundle of leaves at most 49,920.
/// Where reading waits, read [`crate::tiles_for_inclusion`] first and hand a map of them over.
pub trait TileReader {
    /// What reading may meet.
    type Error: Error + 'static;

    /// Reads a tile or bundle.
    ///
    /// # Errors
    /// What the place where they are kept says; that nothing is there is no error.
    fn read(&self, tile: &Tile) -> Result<Option<Vec<u8>>, Self::Error>;
}

/// Why a log cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError<E: Error + 'static> {
    /// The place where tiles are kept failed.
    #[error("could not read {tile}")]
    Read {
        /// What was asked for.
        tile: Tile,
        /// What it met.
        #[source]
        source: E,
    },
    /// The log must have a tile that is not there.
    #[error("{tile} is missing")]
    Missing {
        /// What was asked for.
        tile: Tile,
    },
    /// A tile has another number of hashes than its name says.
    #[error("{tile} has {bytes} bytes, expected {expected}")]
    Malformed {
        /// Which.
        tile: Tile,
        /// How many bytes it has.
        bytes: u64,
        /// How many it must have.
        expected: u64,
    },
    /// An entry bundle is no sequence of entries.
    #[error("{tile} is no entry bundle")]
    Bundle {
        /// Which.
        tile: Tile,
        /// Why.
        #[source]
        source: BundleError,
    },
    /// The log is too short for what was asked.
    #[error("the log is too short")]
    Beyond(#[source] ProofError),
}

/// A log of a size behind a reader of its tiles.
///
/// It keeps a bounded number of tiles that it has read, so making several proofs with one `Log` reads
/// each tile once.
#[derive(Debug)]
pub struct Log<'r, R> {
    reader: &'r R,
    size: u64,
    /// Of each tile its hashes, and above them those of the perfect subtrees within it.
    kept: BTreeMap<Tile, Vec<Vec<Hash>>>,
}

// === impl Log ===

impl<'r, R: TileReader> Log<'r, R> {
    /// Looks at the first `size` leaves of the log behind a reader.
    pub fn new(reader: &'r R, size: u64) -> Self {
        Self {
            reader,
            size,
            kept: BTreeMap::new(),
        }
    }

    /// Returns how many leaves it looks at.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Computes the root that the log had, or has, at a size.
    ///
    /// # Errors
    /// [`LogError`] if the log is shorter or its tiles cannot be read.
    pub fn root_at(&mut self, size: u64) -> Result<Hash, LogError<R::Error>> {
        if size > self.size {
            return Err(LogError::Beyond(ProofError::Shrunk {
                old: size,
                new: self.size,
            }));
        }
        if size == 0 {
            return Ok(Hash::empty());
        }
        self.hash_over(Range::whole(size))
    }

    /// Reads the hash of one leaf.
    ///
    /// # Errors
    /// [`LogError`] if the log is shorter or its tiles cannot be read.
    pub fn leaf_hash(&mut self, index: u64) -> Result<Hash, LogError<R::Error>> {
        self.check_index(index)?;
        self.hash_over(Range {
            start: index,
            end: index + 1,
        })
    }

    /// Makes the inclusion proof of a leaf.
    ///
    /// # Errors
    /// [`LogError`] if the log is shorter or its tiles cannot be read.
    pub fn inclusion(&mut self, index: u64) -> Result<Vec<Hash>, LogError<R::Error>> {
        self.check_index(index)?;
        self.hashes_over(&range::inclusion(index, self.size))
    }

    /// Makes the proof that the log only grew since it had a size.
    ///
    /// # Errors
    /// [`LogError`] if the log is shorter or its tiles cannot be read.
    pub fn consistency(&mut self, old: u64) -> Result<Vec<Hash>, LogError<R::Error>> {
        if old > self.size {
            return Err(LogError::Beyond(ProofError::Shrunk {
                old,
                new: self.size,
            }));
        }
        self.hashes_over(&range::consistency(old, self.size))
    }

    fn check_index(&self, index: u64) -> Result<(), LogError<R::Error>> {
        if index >= self.size {
            return Err(LogError::Beyond(ProofError::Beyond {
                index,
                size: self.size,
            }));
        }
        Ok(())
    }

    fn hashes_over(&mut self, ranges: &[Range]) -> Result<Vec<Hash>, LogError<R::Error>> {
        ranges.iter().map(|range| self.hash_over(*range)).collect()
    }

    fn hash_over(&mut self, range: Range) -> Result<Hash, LogError<R::Error>> {
        let subtrees: Vec<Subtree> = range.subtrees().collect();
        let mut hash = None;
        for subtree in subtrees.into_iter().rev() {
            let left = self.subtree(subtree)?;
            hash = Some(match hash {
                Some(right) => Hash::of_node(&left, &right),
                None => left,
            });
        }
        Ok(hash.unwrap_or_else(Hash::empty))
    }

    fn subtree(&mut self, subtree: Subtree) -> Result<Hash, LogError<R::Error>> {
        let outside = || {
            LogError::Beyond(ProofError::Beyond {
                index: subtree.index << subtree.level,
                size: self.size,
            })
        };
        let (tile, first) = Tile::holding(subtree, self.size).ok_or_else(outside)?;
        let height = subtree.level % TILE_HEIGHT;
        let part = |levels: &[Vec<Hash>]| {
            let level = levels.get(usize::try_from(height).ok()?)?;
            level.get(first >> height).copied()
        };
        let hash = match self.kept.get(&tile) {
            Some(levels) => part(levels),
            None => {
                let levels = levels_over(read_hashes(self.reader, tile)?);
                let hash = part(&levels);
                if self.kept.len() >= TILES_KEPT {
                    self.kept.clear();
                }
                self.kept.insert(tile, levels);
                hash
            }
        };
        hash.ok_or_else(|| {
            LogError::Beyond(ProofError::Beyond {
                index: subtree.index << subtree.level,
                size: self.size,
            })
        })
    }
}

/// Computes the hashes of all perfect subtrees over some hashes, level by level from these up.
fn levels_over(hashes: Vec<Hash>) -> Vec<Vec<Hash>> {
    let mut levels = vec![hashes];
    while let Some(below) = levels.last().filter(|below| below.len() > 1) {
        let pairs = below.chunks_exact(2).filter_map(|pair| match pair {
            [left, right] => Some(Hash::of_node(left, right)),
            _ => None,
        });
        let above = pairs.collect();
        levels.push(above);
    }
    levels
}

/// Reads exactly as many hashes as the tile is wide.
pub(crate) fn read_hashes<R: TileReader>(
    reader: &R,
    tile: Tile,
) -> Result<Vec<Hash>, LogError<R::Error>> {
    let (found, bytes) = read(reader, tile)?;
    let expected = usize::from(found.width()) * HASH_BYTES;
    if bytes.len() != expected {
        return Err(LogError::Malformed {
            tile: found,
            bytes: bytes.len() as u64,
            expected: expected as u64,
        });
    }
    Ok(bytes
        .chunks_exact(HASH_BYTES)
        .filter_map(Hash::from_slice)
        .take(usize::from(tile.width()))
        .collect())
}

/// Reads the entries of a bundle, of a full one only as many as the bundle asked for has.
pub(crate) fn read_entries<R: TileReader>(
    reader: &R,
    tile: Tile,
) -> Result<Vec<Vec<u8>>, LogError<R::Error>> {
    let (found, bytes) = read(reader, tile)?;
    let bundle = |source| LogError::Bundle {
        tile: found,
        source,
    };
    let mut entries = decode_bundle(&bytes).map_err(bundle)?;
    if found != tile {
        entries.truncate(usize::from(tile.width()));
    }
    Ok(entries.into_iter().map(<[u8]>::to_vec).collect())
}

/// Reads a tile; instead of a partial one that is not there any more, the full one.
fn read<R: TileReader>(reader: &R, tile: Tile) -> Result<(Tile, Vec<u8>), LogError<R::Error>> {
    for name in [tile, tile.full()] {
        let found = reader
            .read(&name)
            .map_err(|source| LogError::Read { tile: name, source })?;
        if let Some(bytes) = found {
            return Ok((name, bytes));
        }
    }
    Err(LogError::Missing { tile })
}

/// Tiles that were fetched before.
impl TileReader for BTreeMap<Tile, Vec<u8>> {
    type Error = Infallible;

    fn read(&self, tile: &Tile) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.get(tile).cloned())
    }
}
