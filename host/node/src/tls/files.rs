//! Files of keys and certificates: written whole or not at all, secrets for their owner only.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Larger files are no key or certificate of ours.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system refused.
    #[error("{} cannot be {action}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It is too large to be what it should be.
    #[error("{} has {bytes} bytes, more than the {FILE_BYTES_MAX} of a key or certificate", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
}

/// Reads a small text file.
pub(crate) fn read(path: &Path) -> Result<String, FileError> {
    let failed = |source| FileError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    let bytes = fs::metadata(path).map_err(failed)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(FileError::TooLarge {
            path: path.to_owned(),
            bytes,
        });
    }
    fs::read_to_string(path).map_err(failed)
}

/// Writes a file that only its owner may read, over what stands there.
pub(crate) fn write_private(path: &Path, text: &[u8]) -> Result<(), FileError> {
    write(path, text, 0o600)
}

/// Writes a file that everybody may read, over what stands there.
pub(crate) fn write_public(path: &Path, text: &[u8]) -> Result<(), FileError> {
    write(path, text, 0o644)
}

fn write(path: &Path, text: &[u8], mode: u32) -> Result<(), FileError> {
    let written = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        // Aside and renamed, so that a crash leaves no half a key; removed first, because the mode
        // of a file that stands there would be kept.
        let mut aside = path.as_os_str().to_owned();
        aside.push(".new");
        match fs::remove_file(&aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&aside)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&aside, path)
    };
    written().map_err(|source| FileError::Io {
        action: "written",
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    //! Modes, replacement and refusals.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::{FileError, read, write_private, write_public};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_private_file_is_its_owners_alone_also_when_it_replaces_a_public_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tls/node.key");
        write_public(&path, b"old").unwrap();
        write_private(&path, b"new").unwrap();
        assert_eq!(read(&path).unwrap(), "new");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_missing_and_an_oversized_file_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let missing = read(&path).unwrap_err();
        assert!(matches!(missing, FileError::Io { .. }), "{missing:?}");
        assert!(missing.to_string().contains("ca.pem"), "{missing}");
        std::fs::write(&path, vec![b'x'; 65 << 10]).unwrap();
        let large = read(&path).unwrap_err();
        assert!(
            matches!(large, FileError::TooLarge { bytes: 66_560, .. }),
            "{large:?}"
        );
    }
}
