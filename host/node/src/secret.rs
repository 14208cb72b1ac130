//! The node's own secret: digests made with it tell nobody what they were made from.

use std::fs;
use std::io;
use std::path::Path;

use aureole_ledger::Digest;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// 32 random bytes, made at the first start and kept in a file that only the node's user reads.
pub(crate) struct Secret([u8; 32]);

// === impl Secret ===

impl Secret {
    /// Reads the secret, or makes it.
    ///
    /// # Errors
    /// When the file cannot be read or written, or has another length.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        match Self::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            read => read,
        }
    }

    /// Reads a secret that was made before.
    ///
    /// # Errors
    /// When the file cannot be read, or has another length.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        fs::read(path)?
            .try_into()
            .map(Self)
            .map_err(|bytes: Vec<u8>| {
                let message = format!(
                    "has {} bytes instead of 32; remove it to make a new one",
                    bytes.len()
                );
                io::Error::new(io::ErrorKind::InvalidData, message)
            })
    }

    fn create(path: &Path) -> io::Result<Self> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        // Written aside and renamed, so that a crash leaves no half a secret.
        let aside = path.with_extension("new");
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&aside)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&aside, path)?;
        Ok(Self(bytes))
    }

    /// A digest of parts under the secret, separated by purpose and by the parts' lengths.
    pub(crate) fn digest(&self, purpose: &str, parts: &[&[u8]]) -> Digest {
        // Any length is a key for HMAC (RFC 2104); the constructor is fallible for other MACs.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        Digest::from_bytes(mac.finalize().into_bytes().into())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    //! The secret survives a restart, differs between nodes and keeps parts apart.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::Secret;

    #[test]
    fn a_secret_is_the_same_after_a_restart_and_another_on_another_node() {
        let folder = tempfile::tempdir().unwrap();
        let digest = |name| {
            Secret::open(&folder.path().join(name))
                .unwrap()
                .digest("p", &[b"x"])
        };
        assert_eq!(digest("a"), digest("a"));
        assert_ne!(digest("a"), digest("b"));
    }

    #[test]
    fn a_digest_keeps_its_purpose_and_parts_apart() {
        let folder = tempfile::tempdir().unwrap();
        let secret = Secret::open(&folder.path().join("secret")).unwrap();
        assert_ne!(
            secret.digest("p", &[b"ab", b"c"]),
            secret.digest("p", &[b"a", b"bc"])
        );
        assert_ne!(secret.digest("p", &[b"q"]), secret.digest("q", &[b"p"]));
    }

    #[test]
    fn a_damaged_secret_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, b"short").unwrap();
        assert!(
            Secret::open(&path)
                .unwrap_err()
                .to_string()
                .contains("5 bytes")
        );
    }
}
