//! The administrator's first key of a node on its own: made at the first start, kept in its folder.

use std::path::{Path, PathBuf};

use aureole_gateway::ApiKey;

use crate::tls::{FileError, read, write_private};

/// The file of the administrator's first key, in the folder of whoever holds it.
pub(crate) const KEY_FILE: &str = "admin.key";

/// Why there is no first key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FirstKeyError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file holds something else.
    #[error("{} holds no key; remove it to have a new one made", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness for a key")]
    Randomness(#[from] getrandom::Error),
}

/// Reads the administrator's first key from a folder, or makes it; only the folder's owner can read
/// the file. Returns the file as well.
///
/// # Errors
/// [`FirstKeyError`] names the file.
pub fn first_key(folder: &Path) -> Result<(ApiKey, PathBuf), FirstKeyError> {
    let path = folder.join(KEY_FILE);
    if path.exists() {
        let text = read(&path)?;
        return match ApiKey::parse(text.trim()) {
            Some(key) => Ok((key, path)),
            None => Err(FirstKeyError::Damaged { path }),
        };
    }
    let key = ApiKey::fresh()?;
    write_private(&path, key.text().as_bytes())?;
    Ok((key, path))
}

#[cfg(test)]
mod tests {
    //! The key is made once, for its owner's eyes, and never replaced by itself.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use std::os::unix::fs::PermissionsExt as _;

    use super::{FirstKeyError, first_key};

    #[test]
    fn a_first_key_is_the_same_after_a_restart_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let (first, path) = first_key(folder.path()).unwrap();
        let (second, _) = first_key(folder.path()).unwrap();
        assert!(first.hash().matches(&second.hash()));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.key");
        std::fs::write(&path, "aur_").unwrap();
        let refused = first_key(folder.path()).unwrap_err();
        assert!(
            matches!(refused, FirstKeyError::Damaged { .. }),
            "{refused:?}"
        );
        assert_eq!(std::fs::read_to_string(path).unwrap(), "aur_");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let refused = first_key(&file).unwrap_err();
        assert!(matches!(refused, FirstKeyError::File(_)), "{refused:?}");
    }
}
