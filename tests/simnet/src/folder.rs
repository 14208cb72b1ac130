//! Folders of members: where they are, and copies of them.

use std::fs;
use std::io;
use std::path::Path;

use tempfile::TempDir;

/// A temporary folder, in memory where the system has such a place: what a process leaves on a disk
/// is tested, not whether the disk keeps it without power.
pub(crate) fn temporary() -> io::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir()
        && let Ok(folder) = tempfile::tempdir_in(memory)
    {
        return Ok(folder);
    }
    tempfile::tempdir()
}

/// Makes one folder a copy of another.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
