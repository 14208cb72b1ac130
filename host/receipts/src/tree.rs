//! The compact form of the log that every coordinator holds: its size and a hash for each peak.
//!
//! ```text
//!            .                    size 11 = 8 + 2 + 1
//!        .       .
//!      .   .   .   .      .       peaks: the roots of the perfect trees of 8, 2 and 1
//!     . . . . . . . .    . .  .   root:  node(peak 8, node(peak 2, peak 1))
//! ```
//!
//! Appending is a function of the tree and the leaf: members that append the same leaves in the
//! same order hold equal trees. There are at most 48 peaks, so a tree has under 1,600 bytes.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Hash;
use crate::limits::LEAVES_MAX;

/// Why a tree cannot be, or cannot grow.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TreeError {
    /// It has as many leaves as a log may have.
    #[error("a log of {size} leaves, the limit is {max}")]
    Full {
        /// How many it has.
        size: u64,
        /// The most allowed.
        max: u64,
    },
    /// Its size asks for another number of peaks than it has: it was damaged where it was stored.
    #[error("a tree of {size} leaves has {expected} peaks, found {found}")]
    Peaks {
        /// Its size.
        size: u64,
        /// A peak for each bit that is set in the size.
        expected: u32,
        /// How many there were.
        found: u64,
    },
}

/// A size of the log and the root it had then: what a checkpoint promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many leaves there are.
    pub size: u64,
    /// The root hash over them.
    pub root: Hash,
}

/// The frontier of the append-only Merkle tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Tree {
    size: u64,
    /// Roots of the perfect subtrees that the leaves fill from the left, the largest first. Their
    /// sizes are the powers of two of `size`, so there are as many as `size` has bits set.
    peaks: Vec<Hash>,
}

/// A tree as it was read, before anybody believes it.
#[derive(Deserialize)]
struct Stored {
    size: u64,
    peaks: Vec<Hash>,
}

// === impl Tree ===

impl Tree {
    /// Returns the tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a leaf by its hash and returns its index. It hashes at most 48 times, twice on average
    /// with the leaf itself.
    ///
    /// # Errors
    /// [`TreeError::Full`] at the limit; the tree is unchanged.
    pub fn append(&mut self, leaf: Hash) -> Result<u64, TreeError> {
        self.check_room()?;
        Ok(self.push(leaf))
    }

    /// Appends where the caller knows that there is room.
    pub(crate) fn push(&mut self, leaf: Hash) -> u64 {
        let index = self.size;
        let kept = self
            .peaks
            .len()
            .saturating_sub(index.trailing_ones() as usize);
        let mut peak = leaf;
        for left in self.peaks.drain(kept..).rev() {
            peak = Hash::of_node(&left, &peak);
        }
        self.peaks.push(peak);
        self.size += 1;
        index
    }

    /// Returns whether another leaf fits.
    pub(crate) fn check_room(&self) -> Result<(), TreeError> {
        if self.size >= LEAVES_MAX {
            return Err(TreeError::Full {
                size: self.size,
                max: LEAVES_MAX,
            });
        }
        Ok(())
    }

    /// Returns how many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Computes the root hash.
    pub fn root(&self) -> Hash {
        let over = |right: Hash, left: &Hash| Hash::of_node(left, &right);
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            Some(last) => peaks.fold(*last, over),
            None => Hash::empty(),
        }
    }

    /// Returns the size and the root.
    pub fn head(&self) -> Head {
        Head {
            size: self.size,
            root: self.root(),
        }
    }
}

impl TryFrom<Stored> for Tree {
    type Error = TreeError;

    fn try_from(stored: Stored) -> Result<Self, TreeError> {
        let Stored { size, peaks } = stored;
        if size > LEAVES_MAX {
            return Err(TreeError::Full {
                size,
                max: LEAVES_MAX,
            });
        }
        if peaks.len() != size.count_ones() as usize {
            return Err(TreeError::Peaks {
                size,
                expected: size.count_ones(),
                found: peaks.len() as u64,
            });
        }
        Ok(Self { size, peaks })
    }
}
