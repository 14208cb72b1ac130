//! Tiles and entry bundles by name, as C2SP tlog-tiles has them: which there are, where they lie.
//!
//! A name is always of a tile that some log can have, and has exactly one text.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::bundle::{decode_bundle, encode_bundle};
use crate::limits::{HASH_BYTES, LEAVES_MAX, TILE_HEIGHT, TILE_LEVEL_MAX, TILE_WIDTH};
use crate::range::{self, Range, Subtree};

/// Hashes of a full tile, for arithmetic on indexes.
const WIDTH: u64 = TILE_WIDTH as u64;

/// Why there is no such tile.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TileError {
    /// No tile of this log can have that level.
    #[error("a tile of level {level}, the highest is {max}")]
    Level {
        /// The level asked for.
        level: u8,
        /// The highest there is.
        max: u8,
    },
    /// No tile of this level can have that index.
    #[error("tile {index} of its level, of which there are at most {count}")]
    Index {
        /// The index asked for.
        index: u64,
        /// How many a full log has.
        count: u64,
    },
    /// A tile holds nothing, or more than a full one.
    #[error("a tile {width} wide, one has 1 to {max}")]
    Width {
        /// The width asked for.
        width: u16,
        /// The width of a full tile.
        max: u16,
    },
    /// A text is no tile's path.
    #[error("{text:?} is no path of a tile")]
    Path {
        /// The text, cut to what a path can have.
        text: String,
    },
}

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TileKind {
    /// Hashes: of leaves at level 0, of full tiles of the level below at the others.
    Hashes {
        /// The level, 0 to 6.
        level: u8,
    },
    /// The leaves' bytes behind a level 0 tile: an entry bundle.
    Entries,
}

/// The name of a tile or entry bundle. Its text is the path below the log's prefix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    kind: TileKind,
    index: u64,
    width: u16,
}

// === impl Tile ===

impl Tile {
    /// Names a tile of hashes.
    ///
    /// # Errors
    /// [`TileError::Level`], [`TileError::Index`] or [`TileError::Width`] if no log has it.
    pub fn hashes(level: u8, index: u64, width: u16) -> Result<Self, TileError> {
        Self::checked(TileKind::Hashes { level }, index, width)
    }

    /// Names an entry bundle.
    ///
    /// # Errors
    /// [`TileError::Index`] or [`TileError::Width`] if no log has it.
    pub fn entries(index: u64, width: u16) -> Result<Self, TileError> {
        Self::checked(TileKind::Entries, index, width)
    }

    /// Returns what it holds.
    pub fn kind(&self) -> TileKind {
        self.kind
    }

    /// Returns its place in its level, from the left.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Returns how many hashes or entries it holds, 1 to 256.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Returns whether it will never grow.
    pub fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// Returns whether a log of a size has all that this tile holds.
    pub fn is_within(&self, size: u64) -> bool {
        let end = self.index * WIDTH + u64::from(self.width);
        end <= self.kind.units(size)
    }

    /// Returns the same place, filled less or more.
    ///
    /// # Errors
    /// [`TileError::Width`].
    pub fn of_width(self, width: u16) -> Result<Self, TileError> {
        Self::checked(self.kind, self.index, width)
    }

    /// Cuts the bytes of this tile down to those of a narrower one of the same place; `None` if they
    /// are too few or no bundle.
    pub fn cut(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let width = usize::from(self.width);
        match self.kind {
            TileKind::Hashes { .. } => bytes.get(..width * HASH_BYTES).map(<[u8]>::to_vec),
            TileKind::Entries => {
                let entries = decode_bundle(bytes).ok()?;
                encode_bundle(entries.get(..width)?).ok()
            }
        }
    }

    /// Returns the full tile that stands in a partial one's place later. A log may drop the partial
    /// one then.
    #[must_use]
    pub fn full(self) -> Self {
        Self {
            width: TILE_WIDTH,
            ..self
        }
    }

    /// Returns the tile of a place in a log of a size, as wide as it is there; none if that log has
    /// nothing there.
    pub(crate) fn at(kind: TileKind, index: u64, size: u64) -> Option<Self> {
        let below = kind.units(size).checked_sub(index.checked_mul(WIDTH)?)?;
        let width = u16::try_from(below.min(WIDTH)).ok()?;
        Self::checked(kind, index, width).ok()
    }

    /// Returns the tile of a log of a size in which a subtree's hashes stand, and the first of them.
    pub(crate) fn holding(subtree: Subtree, size: u64) -> Option<(Self, usize)> {
        let level = u8::try_from(subtree.level / TILE_HEIGHT).ok()?;
        let first = subtree
            .index
            .checked_mul(1 << (subtree.level % TILE_HEIGHT))?;
        let tile = Self::at(TileKind::Hashes { level }, first / WIDTH, size)?;
        Some((tile, usize::try_from(first % WIDTH).ok()?))
    }

    fn checked(kind: TileKind, index: u64, width: u16) -> Result<Self, TileError> {
        if let TileKind::Hashes { level } = kind
            && level > TILE_LEVEL_MAX
        {
            return Err(TileError::Level {
                level,
                max: TILE_LEVEL_MAX,
            });
        }
        if width == 0 || width > TILE_WIDTH {
            return Err(TileError::Width {
                width,
                max: TILE_WIDTH,
            });
        }
        let count = kind.units(LEAVES_MAX).div_ceil(WIDTH);
        if index >= count {
            return Err(TileError::Index { index, count });
        }
        Ok(Self { kind, index, width })
    }
}

impl TileKind {
    /// How many hashes or entries of this kind a log of a size has. Only full tiles count above.
    fn units(self, size: u64) -> u64 {
        match self {
            Self::Hashes { level } => size
                .checked_shr(TILE_HEIGHT * u32::from(level))
                .unwrap_or(0),
            Self::Entries => size,
        }
    }

    /// Level by level, then the entries: the order in which a log's tiles are listed.
    fn all() -> impl Iterator<Item = Self> {
        (0..=TILE_LEVEL_MAX)
            .map(|level| Self::Hashes { level })
            .chain([Self::Entries])
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes { level } => write!(f, "tile/{level}/")?,
            TileKind::Entries => f.write_str("tile/entries/")?,
        }
        let mut groups = Vec::new();
        let mut rest = self.index;
        while rest >= 1000 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        if groups.is_empty() {
            write!(f, "{rest:03}")?;
        } else {
            write!(f, "x{rest:03}")?;
        }
        while let Some(group) = groups.pop() {
            let sign = if groups.is_empty() { "" } else { "x" };
            write!(f, "/{sign}{group:03}")?;
        }
        if !self.is_full() {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Tile {
    type Err = TileError;

    fn from_str(text: &str) -> Result<Self, TileError> {
        let no_path = || TileError::Path {
            text: text.chars().take(64).collect(),
        };
        let tile = parse(text).ok_or_else(no_path)??;
        // One tile has one path: this refuses zeros and groups too many, and a full one's width.
        if tile.to_string() != text {
            return Err(no_path());
        }
        Ok(tile)
    }
}

/// Reads a path loosely; whether it is the tile's own is for the caller to compare.
fn parse(text: &str) -> Option<Result<Tile, TileError>> {
    let (kind, rest) = text.strip_prefix("tile/")?.split_once('/')?;
    let kind = match kind {
        "entries" => TileKind::Entries,
        level => TileKind::Hashes {
            level: level.parse().ok()?,
        },
    };
    let (place, width) = match rest.split_once(".p/") {
        Some((place, width)) => (place, width.parse().ok()?),
        None => (rest, TILE_WIDTH),
    };
    let mut index: u64 = 0;
    for group in place.split('/') {
        let digits = group.strip_prefix('x').unwrap_or(group);
        let group: u64 = digits.parse().ok()?;
        index = index.checked_mul(1000)?.checked_add(group)?;
    }
    Some(Tile::checked(kind, index, width))
}

/// Lists every tile and entry bundle of a log of a size, level by level from the left, the bundles
/// last.
pub fn tiles_of(size: u64) -> impl Iterator<Item = Tile> {
    TileKind::all().flat_map(move |kind| {
        let count = kind.units(size).div_ceil(WIDTH);
        (0..count).filter_map(move |index| Tile::at(kind, index, size))
    })
}

/// Lists the tiles that [`crate::Log::inclusion`] reads, so that they can be fetched before.
pub fn tiles_for_inclusion(index: u64, size: u64) -> BTreeSet<Tile> {
    tiles_under(&range::inclusion(index, size), size)
}

/// Lists the tiles that [`crate::Log::consistency`] reads, so that they can be fetched before.
pub fn tiles_for_consistency(old: u64, new: u64) -> BTreeSet<Tile> {
    tiles_under(&range::consistency(old, new), new)
}

fn tiles_under(ranges: &[Range], size: u64) -> BTreeSet<Tile> {
    ranges
        .iter()
        .flat_map(|range| range.subtrees())
        .filter_map(|subtree| Tile::holding(subtree, size))
        .map(|(tile, _)| tile)
        .collect()
}
