//! A folder of tiles, laid out as C2SP tlog-tiles names them, and what is written into it.
//!
//! ```text
//! checkpoint            the newest that was signed
//! checkpoints/000...42  the newest of them, by size
//! frontier              size and peaks: how much of the tiles counts
//! tile/0/000.p/42       hashes
//! tile/entries/000.p/42 leaves
//! ```

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use aureole_receipts::limits::{LEAF_BYTES, TILE_WIDTH};
use aureole_receipts::{Tile, TileReader};

use super::TileLogError;
use crate::durable::{create_folder, sweep, sync_parent, write_temp};

/// Bytes of the largest file of a log: a full entry bundle.
const FILE_BYTES_MAX: u64 = (TILE_WIDTH as u64) * (2 + LEAF_BYTES as u64);

/// A folder of tiles. Reading one that somebody copied needs nothing else.
#[derive(Clone, Debug)]
pub struct TileFolder {
    root: PathBuf,
}

// === impl TileFolder ===

impl TileFolder {
    /// Names a folder. Nothing is read or written yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Makes the folder, and removes what an interrupted process left.
    pub(super) fn prepare(&self) -> Result<(), TileLogError> {
        let temporary = self.temporary();
        create_folder(&temporary).map_err(|source| io_at(&temporary, source))?;
        sweep(&temporary).map_err(|source| io_at(&temporary, source))?;
        Ok(())
    }

    /// Where a file of the folder lies.
    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Reads a small file; `None` if there is none.
    pub(super) fn file(&self, name: &str) -> Result<Option<Vec<u8>>, TileLogError> {
        let path = self.at(name);
        let file = match File::open(&path) {
            Err(error) if is_absent(&error) => return Ok(None),
            opened => opened.map_err(|source| io_at(&path, source))?,
        };
        let mut bytes = Vec::new();
        let read = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
        read.map_err(|source| io_at(&path, source))?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(TileLogError::Damaged {
                path,
                reason: format!("it has more than {FILE_BYTES_MAX} bytes"),
            });
        }
        Ok(Some(bytes))
    }

    /// Writes a file whole and durable, over what stands there.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), TileLogError> {
        let path = self.at(name);
        let written = || -> io::Result<()> {
            if let Some(parent) = path.parent() {
                create_folder(parent)?;
            }
            write_temp(&self.temporary(), bytes)?.rename(&path)?;
            sync_parent(&path)
        };
        written().map_err(|source| io_at(&path, source))
    }

    /// Removes the partial forms of a place that are narrower than a tile, and of a full one all.
    /// What is left behind by a failure is removed another time.
    pub(super) fn tidy(&self, tile: &Tile) {
        let folder = self.partials(tile);
        let Ok(listing) = fs::read_dir(&folder) else {
            return;
        };
        for entry in listing.flatten() {
            let width = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            if tile.is_full() || width.is_some_and(|width: u16| width < tile.width()) {
                let _ = fs::remove_file(entry.path());
            }
        }
        if tile.is_full() {
            let _ = fs::remove_dir(&folder);
        }
    }

    /// The folder of the partial forms of a tile.
    fn partials(&self, tile: &Tile) -> PathBuf {
        self.at(&format!("{}.p", tile.full()))
    }

    /// The names of a folder, sorted; none if it is not there.
    pub(super) fn names(&self, folder: &str) -> Result<Vec<String>, TileLogError> {
        let path = self.at(folder);
        let listing = match fs::read_dir(&path) {
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            listed => listed.map_err(|source| io_at(&path, source))?,
        };
        let mut names = Vec::new();
        for entry in listing {
            let entry = entry.map_err(|source| io_at(&path, source))?;
            names.extend(entry.file_name().into_string());
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Reads the entry bundle of a place in its widest form, whatever counts of it.
    pub(super) fn widest(&self, index: u64) -> Result<Option<(Tile, Vec<u8>)>, TileLogError> {
        let Ok(full) = Tile::entries(index, TILE_WIDTH) else {
            return Ok(None);
        };
        if let Some(bytes) = self.file(&full.to_string())? {
            return Ok(Some((full, bytes)));
        }
        let names = self.names(&format!("{full}.p"))?;
        let widest = names.iter().filter_map(|name| name.parse().ok()).max();
        let Some(Ok(tile)) = widest.map(|width| full.of_width(width)) else {
            return Ok(None);
        };
        let bytes = self.file(&tile.to_string())?;
        Ok(bytes.map(|bytes| (tile, bytes)))
    }

    /// Reads the newest checkpoint that was signed.
    ///
    /// # Errors
    /// [`TileLogError`] if the file cannot be read.
    pub fn checkpoint(&self) -> Result<Option<String>, TileLogError> {
        self.text("checkpoint")
    }

    /// Reads the checkpoints that are kept, the smallest first.
    ///
    /// # Errors
    /// [`TileLogError`] if a file cannot be read.
    pub fn checkpoints(&self) -> Result<Vec<String>, TileLogError> {
        let names = self.names("checkpoints")?;
        let read = names.iter().filter_map(|name| {
            let text = self.text(&format!("checkpoints/{name}"));
            text.transpose()
        });
        read.collect()
    }

    fn text(&self, name: &str) -> Result<Option<String>, TileLogError> {
        let Some(bytes) = self.file(name)? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes).map_err(|_| TileLogError::Damaged {
            path: self.at(name),
            reason: "it is no text".to_owned(),
        })?;
        Ok(Some(text))
    }

    /// A wider partial form of a place, cut: whoever asks for an old size gets it after the log grew.
    fn wider(&self, tile: &Tile) -> Result<Option<Vec<u8>>, TileLogError> {
        let Ok(listing) = fs::read_dir(self.partials(tile)) else {
            return Ok(None);
        };
        let names = listing
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok());
        let widths = names.filter_map(|name| name.parse::<u16>().ok());
        let wider = widths.filter(|width| *width > tile.width()).min();
        let Some(Ok(wider)) = wider.map(|width| tile.of_width(width)) else {
            return Ok(None);
        };
        let bytes = self.file(&wider.to_string())?;
        Ok(bytes.and_then(|bytes| tile.cut(&bytes)))
    }
}

impl TileReader for TileFolder {
    type Error = TileLogError;

    fn read(&self, tile: &Tile) -> Result<Option<Vec<u8>>, TileLogError> {
        if let Some(bytes) = self.file(&tile.to_string())? {
            return Ok(Some(bytes));
        }
        if tile.is_full() {
            return Ok(None);
        }
        if let Some(bytes) = self.file(&tile.full().to_string())? {
            return Ok(tile.cut(&bytes));
        }
        self.wider(tile)
    }
}

pub(super) fn io_at(path: &Path, source: io::Error) -> TileLogError {
    TileLogError::Io {
        path: path.to_owned(),
        source,
    }
}

/// Whether a path does not lead to a file; one that leads through a file does not either.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
