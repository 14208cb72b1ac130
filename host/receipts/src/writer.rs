//! Cuts the growing log into tiles: which an append completes, which are partial at a checkpoint.
//!
//! ```text
//! level 1      [ h h h ..... ]                  each h the root of a full tile below
//!               /     \
//! level 0  [256 hashes][256 hashes][ 112 .p/112
//! entries  [256 leaves][256 leaves][ 112 .p/112
//! ```
//!
//! It holds the rightmost tile of each level and bundle, at most 100 kB. A full tile is handed out
//! once and never changes; partial ones are written for the size of each checkpoint.

use crate::limits::{HASH_BYTES, TILE_HEIGHT, TILE_LEVEL_MAX, TILE_WIDTH};
use crate::log::{read_entries, read_hashes};
use crate::{
    Hash, Leaf, Log, LogError, Tile, TileKind, TileReader, Tree, TreeError, encode_bundle,
};

/// A tile or entry bundle to be kept under its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TileBytes {
    /// Its name, whose text is the path.
    pub tile: Tile,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What an append did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The index of the leaf.
    pub index: u64,
    /// The tiles that it filled: none, or the bundle and the level 0 tile, and sometimes those above.
    /// They must be kept before the log is checkpointed at this size.
    pub completed: Vec<TileBytes>,
}

/// The log's right edge.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    tree: Tree,
    /// The hashes of the partial tile of each level, lowest first; under 256 in each.
    levels: Vec<Vec<Hash>>,
    /// The leaves of the partial bundle; as many as `levels` has hashes at 0.
    entries: Vec<Vec<u8>>,
}

// === impl Writer ===

impl Writer {
    /// Starts a log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Continues the log of a tree from its partial tiles.
    ///
    /// The tree says what is true; `Ok(None)` means that the tiles are of another log than it.
    ///
    /// # Errors
    /// [`LogError`] if a partial tile cannot be read.
    pub fn resume<R: TileReader>(
        reader: &R,
        tree: &Tree,
    ) -> Result<Option<Self>, LogError<R::Error>> {
        let size = tree.size();
        if Log::new(reader, size).root_at(size)? != tree.root() {
            return Ok(None);
        }
        let mut levels = Vec::new();
        let mut entries = Vec::new();
        for tile in partial_tiles(size) {
            match tile.kind() {
                TileKind::Hashes { level } => {
                    levels.resize_with(usize::from(level), Vec::new);
                    levels.push(read_hashes(reader, tile)?);
                }
                TileKind::Entries => entries = read_entries(reader, tile)?,
            }
        }
        let hashes: Vec<Hash> = entries.iter().map(|entry| Hash::of_leaf(entry)).collect();
        if levels.first().map_or(&[][..], Vec::as_slice) != hashes {
            return Ok(None);
        }
        Ok(Some(Self {
            tree: tree.clone(),
            levels,
            entries,
        }))
    }

    /// Appends a leaf.
    ///
    /// # Errors
    /// [`TreeError::Full`] at the limit; nothing is changed.
    pub fn append(&mut self, leaf: &Leaf) -> Result<Appended, TreeError> {
        self.tree.check_room()?;
        Ok(self.push(leaf.encode()))
    }

    /// Appends the bytes of an entry, at most [`crate::limits::ENTRY_BYTES_MAX`] of them, where the
    /// caller knows that there is room.
    pub(crate) fn push(&mut self, entry: Vec<u8>) -> Appended {
        let leaf = Hash::of_leaf(&entry);
        let index = self.tree.push(leaf);
        self.entries.push(entry);
        let mut completed = Vec::new();
        let mut rising = Some(leaf);
        let mut level = 0;
        while let Some(hash) = rising.take() {
            if self.levels.len() <= usize::from(level) {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(usize::from(level)) else {
                break;
            };
            hashes.push(hash);
            if hashes.len() == usize::from(TILE_WIDTH) {
                rising = Some(root_over(hashes));
                completed.extend(tile_bytes(level, index, hashes));
                hashes.clear();
            }
            level += 1;
        }
        if self.entries.len() == usize::from(TILE_WIDTH) {
            completed.extend(self.bundle());
            self.entries.clear();
        }
        Appended { index, completed }
    }

    /// Returns the partial tiles and the partial bundle of the log as it is now: to be kept before
    /// the log is checkpointed at this size.
    pub fn partials(&self) -> Vec<TileBytes> {
        let Some(last) = self.tree.size().checked_sub(1) else {
            return Vec::new();
        };
        let levels = (0..=TILE_LEVEL_MAX).zip(&self.levels);
        levels
            .filter_map(|(level, hashes)| tile_bytes(level, last, hashes))
            .chain(self.bundle())
            .collect()
    }

    /// Returns the compact tree.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The bundle of the last leaf; none right after one was completed.
    fn bundle(&self) -> Option<TileBytes> {
        let last = self.tree.size().checked_sub(1)?;
        let width = u16::try_from(self.entries.len()).ok()?;
        Some(TileBytes {
            tile: Tile::entries(last / u64::from(TILE_WIDTH), width).ok()?,
            bytes: encode_bundle(&self.entries).ok()?,
        })
    }
}

/// Computes the root over the hashes of a full tile.
fn root_over(hashes: &[Hash]) -> Hash {
    let mut tree = Tree::new();
    for hash in hashes {
        tree.push(*hash);
    }
    tree.root()
}

/// The tile of a level that the leaf `last` is under; none without hashes.
fn tile_bytes(level: u8, last: u64, hashes: &[Hash]) -> Option<TileBytes> {
    let index = last.checked_shr(TILE_HEIGHT * (u32::from(level) + 1))?;
    let width = u16::try_from(hashes.len()).ok()?;
    let mut bytes = Vec::with_capacity(hashes.len() * HASH_BYTES);
    for hash in hashes {
        bytes.extend_from_slice(hash.as_bytes());
    }
    Some(TileBytes {
        tile: Tile::hashes(level, index, width).ok()?,
        bytes,
    })
}

/// The tiles and the bundle of a log of a size that are not full.
fn partial_tiles(size: u64) -> impl Iterator<Item = Tile> {
    let kinds = (0..=TILE_LEVEL_MAX).map(|level| (TileKind::Hashes { level }, u32::from(level)));
    kinds
        .chain([(TileKind::Entries, 0)])
        .filter_map(move |(kind, level)| {
            let index = size.checked_shr(TILE_HEIGHT * (level + 1)).unwrap_or(0);
            Tile::at(kind, index, size)
        })
}
