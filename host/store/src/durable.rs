//! Files that are either whole and on disk, or not there.
//!
//! The order is always: write a temporary file, fsync it, move it to its name, fsync the folder.
//! A crash before the move leaves a temporary file, which is removed at the next start.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Names temporary files of this process apart.
static NEXT_TEMP: AtomicU64 = AtomicU64::new(0);

/// A file under a temporary name; removed on drop unless it was moved to its own name.
#[derive(Debug)]
pub(crate) struct TempFile {
    path: PathBuf,
    kept: bool,
}

// === impl TempFile ===

impl TempFile {
    /// Creates an empty file that only this user can read.
    pub(crate) fn create(folder: &Path) -> io::Result<(Self, File)> {
        let number = NEXT_TEMP.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{}-{number}", std::process::id()));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok((Self { path, kept: false }, file))
    }

    /// Moves the file to its name, over what stands there. The contents must have been synced
    /// before; the name is durable once [`sync_parent`] has returned.
    pub(crate) fn rename(mut self, to: &Path) -> io::Result<()> {
        fs::rename(&self.path, to)?;
        self.kept = true;
        Ok(())
    }

    /// Gives the file its name unless something stands there; returns whether it did.
    pub(crate) fn link(self, to: &Path) -> io::Result<bool> {
        // The temporary name goes away on drop; the file stays under the new one.
        let linked = match fs::hard_link(&self.path, to) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(error),
        };
        sync_parent(to)?;
        Ok(linked)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if !self.kept {
            // Best effort: what stays is swept at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Creates a folder that only this user can enter, with its parents, and makes each durable.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        create_folder(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        // Somebody else was faster; it is durable only once either of us has synced.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        result => result?,
    }
    sync_parent(path)
}

/// Removes what an interrupted process left in the folder of temporary files.
pub(crate) fn sweep(folder: &Path) -> io::Result<u64> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        fs::remove_file(entry?.path())?;
        removed += 1;
    }
    Ok(removed)
}

/// Writes a temporary file and syncs its contents.
pub(crate) fn write_temp(folder: &Path, bytes: &[u8]) -> io::Result<TempFile> {
    let (temp, mut file) = TempFile::create(folder)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(temp)
}

/// Makes the names in a path's folder durable.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}
