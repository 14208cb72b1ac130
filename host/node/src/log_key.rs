//! The key that signs the log's checkpoints: a file that only the node's user reads.
//!
//! All coordinators of a cluster have the same one, and its name is the log's origin. Whoever has it
//! can sign another history, so it is made on this machine and never shown.

use std::io;
use std::path::{Path, PathBuf};

use aureole_receipts::{KeyError, SignerKey};
use zeroize::Zeroizing;

use crate::tls::{FileError, write_private};

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogKeyError {
    /// The file cannot be read or written.
    #[error("the key of the log")]
    File(#[from] FileError),
    /// The file holds no key.
    #[error("{} holds no key of a log", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: KeyError,
    },
    /// The origin makes no key.
    #[error("{origin:?} cannot name a log")]
    Name {
        /// The origin.
        origin: String,
        /// Why.
        #[source]
        source: KeyError,
    },
    /// The configuration names another log than the key.
    #[error("receipts.origin is {configured:?}, the key in {} is of {found:?}", path.display())]
    Origin {
        /// The file.
        path: PathBuf,
        /// The origin of the configuration.
        configured: String,
        /// The name of the key.
        found: String,
    },
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness for the log's key")]
    Randomness(#[from] getrandom::Error),
}

/// Makes a key for a new log. Without an origin it gets a name that no other log has.
///
/// # Errors
/// [`LogKeyError::Name`] or [`LogKeyError::Randomness`].
pub(crate) fn fresh(origin: Option<&str>) -> Result<SignerKey, LogKeyError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut())?;
    let origin = match origin {
        Some(origin) => origin.to_owned(),
        None => {
            let mut name = [0; 8];
            getrandom::fill(&mut name)?;
            format!("log-{}.aureole.invalid", hex::encode(name))
        }
    };
    SignerKey::from_seed(&origin, &seed).map_err(|source| LogKeyError::Name { origin, source })
}

/// Reads the key, which must be of the origin that the configuration names, if it names one.
///
/// # Errors
/// [`LogKeyError`].
pub(crate) fn read(path: &Path, origin: Option<&str>) -> Result<SignerKey, LogKeyError> {
    let text = Zeroizing::new(crate::tls::read(path)?);
    let key = SignerKey::from_text(text.trim_end()).map_err(|source| LogKeyError::Key {
        path: path.to_owned(),
        source,
    })?;
    let found = key.verifier().name();
    match origin.filter(|origin| *origin != found) {
        Some(origin) => Err(LogKeyError::Origin {
            path: path.to_owned(),
            configured: origin.to_owned(),
            found: found.to_owned(),
        }),
        None => Ok(key),
    }
}

/// Reads the key, or makes it at the first start.
///
/// # Errors
/// [`LogKeyError`].
pub(crate) fn open(path: &Path, origin: Option<&str>) -> Result<SignerKey, LogKeyError> {
    match read(path, origin) {
        Err(LogKeyError::File(FileError::Io { source, .. }))
            if source.kind() == io::ErrorKind::NotFound =>
        {
            let key = fresh(origin)?;
            write_private(path, key.to_text().as_bytes())?;
            Ok(key)
        }
        read => read,
    }
}

#[cfg(test)]
mod tests {
    //! The key is made once, for its owner alone, and is the log's for good.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use std::os::unix::fs::PermissionsExt as _;

    use super::{LogKeyError, open, read};

    #[test]
    fn a_key_is_made_at_the_first_start_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.key");
        assert!(read(&path, None).is_err());
        let first = open(&path, Some("proofs.example/log")).unwrap();
        assert_eq!(first.verifier().name(), "proofs.example/log");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = open(&path, None).unwrap();
        assert_eq!(again.verifier(), first.verifier());
        let unnamed = open(&folder.path().join("other.key"), None).unwrap();
        assert!(unnamed.verifier().name().ends_with(".aureole.invalid"));
    }

    #[test]
    fn a_file_without_a_key_and_a_key_of_another_log_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.key");
        open(&path, Some("one.example")).unwrap();
        let other = open(&path, Some("two.example")).unwrap_err();
        assert!(matches!(other, LogKeyError::Origin { .. }), "{other}");
        std::fs::write(&path, "PRIVATE+KEY+one.example+00000000+AAAA").unwrap();
        let damaged = open(&path, None).unwrap_err();
        assert!(matches!(damaged, LogKeyError::Key { .. }), "{damaged}");
        let bad = open(&folder.path().join("bad.key"), Some("a b")).unwrap_err();
        assert!(matches!(bad, LogKeyError::Name { .. }), "{bad}");
    }
}
