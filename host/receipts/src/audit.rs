//! Walks a whole log: every leaf against its tile, every tile against the one above, the roots
//! against what was signed.
//!
//! What an audit finds depends on what was changed:
//!
//! | changed | found |
//! |---|---|
//! | leaves, not their hashes | the first leaf: rewritten, reordered, dropped |
//! | leaves and hashes, not the checkpoint | a root that is not the signed one |
//! | everything, signed anew | a history that is not the one of the earlier checkpoint |
//!
//! The last needs a checkpoint that somebody kept: a log cannot be its own witness.

use std::error::Error;

use thiserror::Error;

use crate::limits::TILE_WIDTH;
use crate::log::{read_entries, read_hashes};
use crate::{
    Checkpoint, Hash, Head, Leaf, LeafError, LogError, ProofError, TaskId, Tile, TileBytes,
    TileKind, TileReader, Writer,
};

/// What an audit found.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AuditError<E: Error + 'static> {
    /// The log cannot be read, or a tile is missing.
    #[error("the log could not be read")]
    Log(#[from] LogError<E>),
    /// The earlier checkpoint is of another log.
    #[error("the earlier checkpoint is of {earlier:?}, the later of {later:?}")]
    Origin {
        /// The origin of the earlier.
        earlier: String,
        /// The origin of the later.
        later: String,
    },
    /// The later checkpoint does not continue the earlier one, by sizes and roots alone.
    #[error("the log does not continue the earlier checkpoint")]
    Heads(#[source] ProofError),
    /// A leaf is not the one whose hash the tile has.
    #[error("leaf {index} was rewritten: it hashes to {found}, the tree has {expected}")]
    Rewritten {
        /// The index of the leaf.
        index: u64,
        /// What the leaf hashes to.
        found: Hash,
        /// What the tile has in its place.
        expected: Hash,
    },
    /// A leaf stands where another belongs.
    #[error("leaf {belongs} stands at index {index}: the leaves were reordered")]
    Reordered {
        /// Where it stands.
        index: u64,
        /// Where the tile has its hash.
        belongs: u64,
    },
    /// A bundle has fewer leaves than its tile has hashes.
    #[error("leaf {index} was dropped: {bundle} has {found} leaves, expected {expected}")]
    Dropped {
        /// The first leaf that is not there.
        index: u64,
        /// The bundle.
        bundle: Tile,
        /// How many leaves it has.
        found: u64,
        /// How many it must have.
        expected: u64,
    },
    /// A bundle has more leaves than its tile has hashes.
    #[error("{bundle} has {found} leaves, expected {expected}")]
    Surplus {
        /// The bundle.
        bundle: Tile,
        /// How many leaves it has.
        found: u64,
        /// How many it must have.
        expected: u64,
    },
    /// One task has two leaves.
    #[error("leaves {first} and {second} are both of {task}")]
    Duplicated {
        /// The task.
        task: TaskId,
        /// The index of the first.
        first: u64,
        /// The index of the second.
        second: u64,
    },
    /// An entry is in the tree, but is no leaf.
    #[error("entry {index} is no leaf")]
    NoLeaf {
        /// Its index.
        index: u64,
        /// Why.
        #[source]
        source: LeafError,
    },
    /// A tile above the leaves' is not the one that those below make.
    #[error("{tile} is not what the tiles below it hash to")]
    Tile {
        /// Which.
        tile: Tile,
    },
    /// The leaves have another root than the checkpoint says.
    #[error("{size} leaves hash to {found}, the checkpoint says {promised}")]
    Root {
        /// How many leaves.
        size: u64,
        /// What they hash to.
        found: Hash,
        /// The root of the checkpoint.
        promised: Hash,
    },
    /// The first leaves have another root than the earlier checkpoint says: history was rewritten.
    #[error(
        "the first {size} leaves hash to {found}, the earlier checkpoint says {promised}: \
         history was rewritten"
    )]
    History {
        /// How many leaves.
        size: u64,
        /// What they hash to now.
        found: Hash,
        /// The root of the earlier checkpoint.
        promised: Hash,
    },
}

/// What an audit saw when it found nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditReport {
    /// The head that every leaf was checked against.
    pub head: Head,
    /// How many leaves of it the earlier checkpoint had.
    pub earlier: u64,
    /// How many tiles and bundles were read and compared.
    pub tiles: u64,
}

/// Walks a whole log against a checkpoint, and an earlier one that somebody kept.
///
/// The signatures are checked before, by [`Checkpoint::open`]. It reads each tile and bundle about
/// once and holds one of each level, and 24 bytes for each leaf to find tasks that have two.
///
/// # Errors
/// [`AuditError`]: the first thing that does not hold.
pub fn audit<R: TileReader>(
    reader: &R,
    checkpoint: &Checkpoint,
    earlier: Option<&Checkpoint>,
) -> Result<AuditReport, AuditError<R::Error>> {
    let head = checkpoint.head();
    if let Some(earlier) = earlier {
        compare_heads(earlier, checkpoint)?;
    }
    let mut walk = Walk {
        reader,
        size: head.size,
        writer: Writer::new(),
        tasks: Vec::new(),
        tiles: 0,
    };
    let bundles = head.size.div_ceil(u64::from(TILE_WIDTH));
    let earlier = earlier.map(Checkpoint::head);
    for index in 0..bundles {
        walk.bundle(index, earlier)?;
    }
    walk.check_history(earlier)?;
    let partials = walk.writer.partials();
    walk.compare_tiles(&partials)?;
    let found = walk.writer.tree().root();
    if found != head.root {
        return Err(AuditError::Root {
            size: head.size,
            found,
            promised: head.root,
        });
    }
    walk.tasks_are_single()?;
    Ok(AuditReport {
        head: *head,
        earlier: earlier.map_or(0, |earlier| earlier.size),
        tiles: walk.tiles,
    })
}

/// Compares what can be compared without reading the log.
fn compare_heads<E: Error + 'static>(
    earlier: &Checkpoint,
    later: &Checkpoint,
) -> Result<(), AuditError<E>> {
    if earlier.origin() != later.origin() {
        return Err(AuditError::Origin {
            earlier: earlier.origin().to_owned(),
            later: later.origin().to_owned(),
        });
    }
    let (old, new) = (earlier.head(), later.head());
    let heads = if old.size > new.size {
        ProofError::Shrunk {
            old: old.size,
            new: new.size,
        }
    } else if old.size == new.size && old.root != new.root {
        ProofError::Forked {
            size: old.size,
            old: old.root,
            new: new.root,
        }
    } else {
        return Ok(());
    };
    Err(AuditError::Heads(heads))
}

/// An audit on its way from the first leaf to the last.
struct Walk<'r, R> {
    reader: &'r R,
    size: u64,
    /// The log as the leaves read so far make it.
    writer: Writer,
    tasks: Vec<(TaskId, u64)>,
    tiles: u64,
}

// === impl Walk ===

impl<R: TileReader> Walk<'_, R> {
    /// Checks one bundle against its tile and appends its leaves.
    fn bundle(&mut self, index: u64, earlier: Option<&Head>) -> Result<(), AuditError<R::Error>> {
        let hashes = TileKind::Hashes { level: 0 };
        let places = (
            Tile::at(TileKind::Entries, index, self.size),
            Tile::at(hashes, index, self.size),
        );
        let (Some(bundle), Some(tile)) = places else {
            return Ok(());
        };
        let entries = read_entries(self.reader, bundle)?;
        let hashes = read_hashes(self.reader, tile)?;
        self.tiles += 2;
        let start = index * u64::from(TILE_WIDTH);
        compare_leaves(bundle, start, &entries, &hashes)?;
        for (entry, index) in entries.into_iter().zip(start..) {
            self.check_history(earlier)?;
            let leaf =
                Leaf::decode(&entry).map_err(|source| AuditError::NoLeaf { index, source })?;
            self.tasks.push((leaf.task, index));
            let appended = self.writer.push(entry);
            self.compare_tiles(&appended.completed)?;
        }
        Ok(())
    }

    /// Compares the root with the earlier checkpoint's, at its size.
    fn check_history(&self, earlier: Option<&Head>) -> Result<(), AuditError<R::Error>> {
        let tree = self.writer.tree();
        let Some(earlier) = earlier.filter(|earlier| earlier.size == tree.size()) else {
            return Ok(());
        };
        let found = tree.root();
        if found != earlier.root {
            return Err(AuditError::History {
                size: earlier.size,
                found,
                promised: earlier.root,
            });
        }
        Ok(())
    }

    /// Compares the tiles above the leaves' with those that are kept. The others were compared leaf
    /// by leaf.
    fn compare_tiles(&mut self, made: &[TileBytes]) -> Result<(), AuditError<R::Error>> {
        for TileBytes { tile, bytes } in made {
            match tile.kind() {
                TileKind::Hashes { level: 0 } | TileKind::Entries => continue,
                TileKind::Hashes { .. } => self.tiles += 1,
            }
            let kept = read_hashes(self.reader, *tile)?;
            let kept: Vec<u8> = kept.iter().flat_map(|hash| *hash.as_bytes()).collect();
            if kept != *bytes {
                return Err(AuditError::Tile { tile: *tile });
            }
        }
        Ok(())
    }

    /// Finds the first two leaves of one task.
    fn tasks_are_single(&mut self) -> Result<(), AuditError<R::Error>> {
        self.tasks.sort_unstable();
        let pairs = self.tasks.iter().zip(self.tasks.iter().skip(1));
        let mut twice = pairs.filter(|((one, _), (other, _))| one == other);
        match twice.next() {
            Some(((task, first), (_, second))) => Err(AuditError::Duplicated {
                task: *task,
                first: *first,
                second: *second,
            }),
            None => Ok(()),
        }
    }
}

/// Compares the leaves of a bundle with the hashes of its tile and says what happened to the first
/// that differs.
fn compare_leaves<E: Error + 'static>(
    bundle: Tile,
    start: u64,
    entries: &[Vec<u8>],
    hashes: &[Hash],
) -> Result<(), AuditError<E>> {
    let (found, expected) = (entries.len() as u64, hashes.len() as u64);
    let leaves = entries.iter().map(|entry| Hash::of_leaf(entry));
    let mut places = (start..).zip(leaves.zip(hashes));
    let differs = places.find(|(_, (leaf, hash))| leaf != *hash);
    if found < expected {
        let index = differs.map_or(start + found, |(index, _)| index);
        return Err(AuditError::Dropped {
            index,
            bundle,
            found,
            expected,
        });
    }
    if found > expected {
        return Err(AuditError::Surplus {
            bundle,
            found,
            expected,
        });
    }
    let Some((index, (leaf, hash))) = differs else {
        return Ok(());
    };
    match (start..).zip(hashes).find(|(_, other)| **other == leaf) {
        Some((belongs, _)) => Err(AuditError::Reordered { index, belongs }),
        None => Err(AuditError::Rewritten {
            index,
            found: leaf,
            expected: *hash,
        }),
    }
}
