//! The log of accepted proofs on this disk: tiles, leaves, and the checkpoints that were signed.
//!
//! ```text
//! apply ── append ──▸ waiting (memory) ── settle ──▸ full tiles, partial tiles, then the frontier
//! another member ── Filler ──▸ full tiles, checked against the facts' root, then the frontier
//! its own leaves ── rebuild ──▸ every tile anew, where there is no other member
//! ```
//!
//! What counts is what the `frontier` says: it is replaced last, so a crash leaves the log as long as
//! it was or as long as it became. Tiles beyond it are remains and are written again. Leaves that are
//! only waiting when the process dies are appended again when the node replays its log, which it
//! gives up only after [`TileLog::settle`].

mod error;
mod folder;
mod rebuild;
mod waiting;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aureole_receipts::limits::TILE_WIDTH;
use aureole_receipts::{
    Hash, Head, Leaf, Tile, TileBytes, TileReader, Tree, Writer, decode_bundle,
};
use tokio::sync::Notify;

pub use self::error::TileLogError;
pub use self::folder::TileFolder;
use self::waiting::Waiting;
use crate::limits::CHECKPOINTS_KEPT;

/// The file that says how much of the tiles counts.
const FRONTIER: &str = "frontier";

/// The newest checkpoint.
const CHECKPOINT: &str = "checkpoint";

/// The log as this member has it.
#[derive(Debug)]
pub struct TileLog {
    folder: TileFolder,
    /// Leaves that were applied and are not on disk. Never held while the disk works.
    waiting: Mutex<Waiting>,
    /// Told when many wait. Holds one permit: it is not lost on whoever is busy.
    many: Notify,
    /// The right edge of what is on disk.
    edge: Mutex<Writer>,
    /// Held while a checkpoint is made: one after another.
    signing: Mutex<()>,
    /// Told when somebody met what should not be. Holds one permit.
    doubt: Notify,
    /// What is wrong, by who found it.
    troubles: Mutex<BTreeMap<Upkeep, String>>,
}

/// Who looks after a log and may find that something is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Upkeep {
    /// Leaves are brought to the disk, and missing ones are fetched.
    Filling,
    /// Everything is read.
    Audit,
}

/// A log on its way to become as long as the facts say, from what other members send.
#[derive(Debug)]
pub struct Filler<'l> {
    log: &'l TileLog,
    /// How many leaves it continues, which it has not checked.
    start: u64,
    writer: Writer,
}

// === impl TileLog ===

impl TileLog {
    /// Opens the log of a folder. One whose tiles are not what was written starts from nothing: the
    /// other members have it. One whose tiles the disk does not give may be as good as ever.
    ///
    /// # Errors
    /// [`TileLogError`] if the folder cannot be used or the disk refuses to read it.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, TileLogError> {
        let folder = TileFolder::new(folder);
        folder.prepare()?;
        let edge = match resume(&folder) {
            Ok(writer) => writer,
            Err(error) if error.is_io() => return Err(error),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the tiles of the log are damaged and are made anew"
                );
                Writer::new()
            }
        };
        Ok(Self {
            folder,
            waiting: Mutex::new(Waiting::behind(edge.tree().size())),
            many: Notify::new(),
            edge: Mutex::new(edge),
            signing: Mutex::default(),
            doubt: Notify::new(),
            troubles: Mutex::default(),
        })
    }

    /// Asks for an audit before it is time: something was met that should not be.
    pub fn suspect(&self) {
        self.doubt.notify_one();
    }

    /// Waits until somebody suspects something.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn suspected(&self) {
        self.doubt.notified().await;
    }

    /// Notes what is wrong, or that nothing is. Says whether that is news.
    pub fn report(&self, by: Upkeep, trouble: Option<String>) -> bool {
        let mut troubles = self.troubles();
        match trouble {
            Some(trouble) => troubles.insert(by, trouble.clone()) != Some(trouble),
            None => troubles.remove(&by).is_some(),
        }
    }

    /// Returns what is wrong with the log on this disk, for people; `None` while all is well.
    pub fn trouble(&self) -> Option<String> {
        let troubles = self.troubles();
        let all: Vec<&str> = troubles.values().map(String::as_str).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    fn troubles(&self) -> MutexGuard<'_, BTreeMap<Upkeep, String>> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // Nothing in here panics while it holds a lock.
    fn edge(&self) -> MutexGuard<'_, Writer> {
        self.edge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a leaf that was just applied. It is in memory until [`Self::settle`].
    pub fn append(&self, index: u64, leaf: Leaf) {
        if self.waiting().push(index, leaf) {
            self.many.notify_one();
        }
    }

    /// Waits until so many leaves wait that they should be settled before it is time.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn many_waiting(&self) {
        self.many.notified().await;
    }

    /// Returns how many leaves wait for the disk.
    pub fn waiting_count(&self) -> usize {
        self.waiting().count()
    }

    /// Returns how many leaves are on disk.
    pub fn size(&self) -> u64 {
        self.edge().tree().size()
    }

    /// Returns size and root of what is on disk.
    pub fn head(&self) -> Head {
        self.edge().tree().head()
    }

    /// Returns the root over the leaves that are on disk.
    pub fn root(&self) -> Hash {
        self.edge().tree().root()
    }

    /// Writes the leaves that wait. They are on disk when it returns, with the number of leaves there.
    ///
    /// # Errors
    /// [`TileLogError::Behind`] if leaves before some of them are missing: those go on waiting, the
    /// others are on disk. [`TileLogError::Io`], and then nothing counts that did not before.
    pub fn settle(&self) -> Result<u64, TileLogError> {
        let mut edge = self.edge();
        let before = edge.tree().size();
        let leaves = self.waiting().take(before);
        if !leaves.is_empty() {
            let mut writer = edge.clone();
            let extended = self.extend(&mut writer, &leaves);
            if let Err(error) = extended.and_then(|()| self.commit(&edge, &writer)) {
                self.waiting().put_back(before, leaves);
                return Err(error);
            }
            *edge = writer;
        }
        let have = edge.tree().size();
        match self.waiting().first() {
            Some(needed) if needed > have => Err(TileLogError::Behind { have, needed }),
            _ => Ok(have),
        }
    }

    /// Appends leaves, and writes the tiles that they fill.
    fn extend(&self, writer: &mut Writer, leaves: &[Leaf]) -> Result<(), TileLogError> {
        for leaf in leaves {
            self.keep(&writer.append(leaf)?.completed)?;
        }
        Ok(())
    }

    fn keep(&self, tiles: &[TileBytes]) -> Result<(), TileLogError> {
        for TileBytes { tile, bytes } in tiles {
            self.folder.write(&tile.to_string(), bytes)?;
        }
        Ok(())
    }

    /// Makes a writer's log the one that counts, in place of the one before.
    fn commit(&self, before: &Writer, writer: &Writer) -> Result<(), TileLogError> {
        let partials = writer.partials();
        self.keep(&partials)?;
        let frontier =
            serde_json::to_vec(writer.tree()).map_err(|error| TileLogError::Damaged {
                path: self.folder.at(FRONTIER),
                reason: error.to_string(),
            })?;
        self.folder.write(FRONTIER, &frontier)?;
        for TileBytes { tile, .. } in &partials {
            self.folder.tidy(tile);
        }
        let size = writer.tree().size();
        let filled = before
            .partials()
            .into_iter()
            .map(|partial| partial.tile.full());
        for tile in filled.filter(|tile| tile.is_within(size)) {
            self.folder.tidy(&tile);
        }
        Ok(())
    }

    /// Reads a leaf.
    ///
    /// # Errors
    /// [`TileLogError::Behind`] if this disk does not have it, and what reading meets.
    pub fn leaf(&self, index: u64) -> Result<Leaf, TileLogError> {
        let have = self.size();
        let needed = index.saturating_add(1);
        let behind = TileLogError::Behind { have, needed };
        let width = u64::from(TILE_WIDTH);
        let place = u16::try_from(index % width).ok();
        let bundle = place.and_then(|place| Tile::entries(index / width, place + 1).ok());
        let Some(bundle) = bundle.filter(|bundle| bundle.is_within(have)) else {
            return Err(behind);
        };
        let bytes = self.read(&bundle)?.ok_or(behind)?;
        let source = |source| TileLogError::Bundle {
            index: bundle.index(),
            source,
        };
        let entries = decode_bundle(&bytes).map_err(source)?;
        let entry = entries.last().copied().unwrap_or_default();
        Leaf::decode(entry).map_err(|source| TileLogError::Leaf { index, source })
    }

    /// Starts to take leaves from other members. One at a time: what two write would be the same.
    pub fn filler(&self) -> Filler<'_> {
        let writer = self.edge().clone();
        Filler {
            log: self,
            start: writer.tree().size(),
            writer,
        }
    }

    /// Forgets what is on disk, because it is of another log than the facts: it is filled anew.
    ///
    /// # Errors
    /// [`TileLogError::Io`].
    pub fn reset(&self) -> Result<(), TileLogError> {
        let mut edge = self.edge();
        let empty = Writer::new();
        self.commit(&edge, &empty)?;
        *edge = empty;
        self.waiting().reach(0);
        Ok(())
    }

    /// Returns the folder, to be read.
    pub fn folder(&self) -> &TileFolder {
        &self.folder
    }

    /// Reads the newest checkpoint that was signed.
    ///
    /// # Errors
    /// [`TileLogError`] if the file cannot be read.
    pub fn checkpoint(&self) -> Result<Option<String>, TileLogError> {
        self.folder.checkpoint()
    }

    /// Makes a checkpoint of a size, one at a time: `sign` gets the newest one and says the next.
    /// It is on disk when this returns.
    ///
    /// # Errors
    /// What `sign` says, and [`TileLogError`] if a file cannot be read or written.
    pub fn sign<E: From<TileLogError>>(
        &self,
        size: u64,
        sign: impl FnOnce(Option<String>) -> Result<Option<String>, E>,
    ) -> Result<Option<String>, E> {
        let _one = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(note) = sign(self.checkpoint()?)? else {
            return Ok(None);
        };
        // The collection first: the newest is never one that it lacks.
        self.folder
            .write(&format!("checkpoints/{size:020}"), note.as_bytes())?;
        self.folder.write(CHECKPOINT, note.as_bytes())?;
        let names = self.folder.names("checkpoints")?;
        let surplus = names.len().saturating_sub(CHECKPOINTS_KEPT);
        for name in names.iter().take(surplus) {
            // What stays is removed another time.
            let _ = std::fs::remove_file(self.folder.at(&format!("checkpoints/{name}")));
        }
        Ok(Some(note))
    }
}

/// Only what counts is read.
impl TileReader for TileLog {
    type Error = TileLogError;

    fn read(&self, tile: &Tile) -> Result<Option<Vec<u8>>, TileLogError> {
        if !tile.is_within(self.size()) {
            return Ok(None);
        }
        self.folder.read(tile)
    }
}

/// Continues the log of a folder; an empty folder has an empty one.
fn resume(folder: &TileFolder) -> Result<Writer, TileLogError> {
    let Some(frontier) = folder.file(FRONTIER)? else {
        return Ok(Writer::new());
    };
    let damaged = |reason: String| TileLogError::Damaged {
        path: folder.at(FRONTIER),
        reason,
    };
    let tree: Tree =
        serde_json::from_slice(&frontier).map_err(|error| damaged(error.to_string()))?;
    let other = || {
        damaged(format!(
            "the tiles are not those of its {} leaves",
            tree.size()
        ))
    };
    Writer::resume(folder, &tree)?.ok_or_else(other)
}

// === impl Filler ===

impl Filler<'_> {
    /// Returns how many leaves there are so far.
    pub fn size(&self) -> u64 {
        self.writer.tree().size()
    }

    /// Returns the bundle that has the next leaf, as wide as a log of a size has it; `None` at the end.
    pub fn next(&self, size: u64) -> Option<Tile> {
        let width = u64::from(TILE_WIDTH);
        let index = self.size() / width;
        let left = size.checked_sub(index.checked_mul(width)?)?.min(width);
        if self.size() >= size {
            return None;
        }
        Tile::entries(index, u16::try_from(left).ok()?).ok()
    }

    /// Takes what was sent of the bundle that was asked for. Nothing of it counts yet.
    ///
    /// # Errors
    /// [`TileLogError`]: it is no bundle of so many leaves, or a file cannot be written.
    pub fn push(&mut self, bundle: &Tile, bytes: &[u8]) -> Result<(), TileLogError> {
        let index = bundle.index();
        let source = |source| TileLogError::Bundle { index, source };
        let entries = decode_bundle(bytes).map_err(source)?;
        if entries.len() != usize::from(bundle.width()) {
            return Err(TileLogError::Count {
                index,
                found: entries.len() as u64,
                expected: u64::from(bundle.width()),
            });
        }
        let start = index.saturating_mul(u64::from(TILE_WIDTH));
        for (index, entry) in (start..).zip(entries) {
            if index == self.size() {
                let leaf =
                    Leaf::decode(entry).map_err(|source| TileLogError::Leaf { index, source })?;
                let appended = self.writer.append(&leaf)?;
                self.log.keep(&appended.completed)?;
            }
        }
        Ok(())
    }

    /// Makes what was taken count, if it is the log of the facts.
    ///
    /// # Errors
    /// [`TileLogError::Root`] if it is not, and [`TileLogError::Behind`] if what it continues was
    /// forgotten meanwhile: nothing has changed then. [`TileLogError::Io`].
    pub fn finish(self, tree: &Tree) -> Result<(), TileLogError> {
        let found = self.writer.tree();
        if found != tree {
            return Err(TileLogError::Root {
                size: found.size(),
                found: found.root(),
                expected: tree.root(),
            });
        }
        let mut edge = self.log.edge();
        let have = edge.tree().size();
        if have < self.start {
            let needed = self.start;
            return Err(TileLogError::Behind { have, needed });
        }
        if have < found.size() {
            self.log.commit(&edge, &self.writer)?;
            self.log.waiting().reach(self.writer.tree().size());
            *edge = self.writer;
        }
        Ok(())
    }
}
