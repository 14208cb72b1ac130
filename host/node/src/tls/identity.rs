//! A process's certificate, its key, and the authority it trusts.
//!
//! In a folder: `ca.pem`, `node.pem`, and `node.key`, which only its owner may read.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use zeroize::Zeroizing;

use super::{FileError, Name, Role, read, write_private, write_public};

/// The files of an identity.
const AUTHORITY: &str = "ca.pem";
const CERTIFICATE: &str = "node.pem";
const KEY: &str = "node.key";

/// What a process shows to others and trusts in them. Its `Debug` form shows no key.
#[derive(Clone)]
pub struct Identity {
    name: Name,
    authority: String,
    certificate: String,
    key: Zeroizing<String>,
}

/// Why an identity cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A certificate does not read.
    #[error("{} is no certificate of a cluster, as `aureole cluster init` makes them", path.display())]
    Certificate {
        /// Which file.
        path: PathBuf,
    },
    /// The certificate is of another cluster than the authority beside it.
    #[error(
        "{} is of cluster {found}, but the authority beside it is of cluster {expected}; copy the \
         files of one cluster together",
        path.display()
    )]
    OtherCluster {
        /// Which file.
        path: PathBuf,
        /// The certificate's cluster.
        found: String,
        /// The authority's.
        expected: String,
    },
    /// The certificate is of another role.
    #[error("{} is the certificate of a {found}, but this process is a {expected}", path.display())]
    Role {
        /// Which file.
        path: PathBuf,
        /// The certificate's role.
        found: Role,
        /// What the process is to be.
        expected: Role,
    },
    /// The certificate's time is over.
    #[error(
        "{} expired {days} days ago; make a new one with `aureole cluster certificate`",
        path.display()
    )]
    Expired {
        /// Which file.
        path: PathBuf,
        /// Since when.
        days: u64,
    },
    /// The certificate's time has not come.
    #[error(
        "{} is valid only in {seconds} seconds: this machine's clock is late, or the one that made \
         it was early",
        path.display()
    )]
    NotYet {
        /// Which file.
        path: PathBuf,
        /// How long.
        seconds: u64,
    },
}

// === impl Identity ===

impl Identity {
    pub(crate) fn from_parts(
        name: Name,
        authority: String,
        certificate: String,
        key: Zeroizing<String>,
    ) -> Self {
        Self {
            name,
            authority,
            certificate,
            key,
        }
    }

    /// Reads an identity and checks that it can be used now, as this role.
    ///
    /// # Errors
    /// [`IdentityError`] names the file and what is wrong with it.
    pub fn load(folder: &Path, role: Role) -> Result<Self, IdentityError> {
        let path = folder.join(CERTIFICATE);
        let authority = read(&folder.join(AUTHORITY))?;
        let certificate = read(&path)?;
        let key = Zeroizing::new(read(&folder.join(KEY))?);
        let unreadable = |path: PathBuf| IdentityError::Certificate { path };
        let expected = cluster_of(&authority).ok_or_else(|| unreadable(folder.join(AUTHORITY)))?;
        let name = der_of(&certificate)
            .and_then(|der| Name::of_certificate(&der))
            .ok_or_else(|| unreadable(path.clone()))?;
        if name.cluster != expected {
            let found = name.cluster;
            return Err(IdentityError::OtherCluster {
                path,
                found,
                expected,
            });
        }
        if name.role != role {
            return Err(IdentityError::Role {
                path,
                found: name.role,
                expected: role,
            });
        }
        let identity = Self::from_parts(name, authority, certificate, key);
        identity.check_time(path, seconds(SystemTime::now()))?;
        Ok(identity)
    }

    /// Whether a folder has no certificate of a process.
    pub(crate) fn is_absent(folder: &Path) -> bool {
        !folder.join(CERTIFICATE).exists()
    }

    /// When its certificate ends, in seconds since 1970.
    pub(crate) fn expires_at(&self) -> Option<u64> {
        let (_, until) = validity_of(&self.certificate)?;
        u64::try_from(until).ok()
    }

    fn check_time(&self, path: PathBuf, now: i64) -> Result<(), IdentityError> {
        let Some((from, until)) = validity_of(&self.certificate) else {
            return Err(IdentityError::Certificate { path });
        };
        if now >= until {
            let days = (now - until).unsigned_abs() / 86_400;
            return Err(IdentityError::Expired { path, days });
        }
        if now < from {
            let seconds = (from - now).unsigned_abs();
            return Err(IdentityError::NotYet { path, seconds });
        }
        Ok(())
    }

    /// Writes an identity into a folder.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn store(&self, folder: &Path) -> Result<(), FileError> {
        write_private(&folder.join(KEY), self.key.as_bytes())?;
        write_public(&folder.join(AUTHORITY), self.authority.as_bytes())?;
        write_public(&folder.join(CERTIFICATE), self.certificate.as_bytes())
    }

    /// Whose it is.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The bytes of a certificate.
pub(crate) fn der_of(pem: &str) -> Option<Vec<u8>> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).ok()?;
    Some(pem.contents)
}

/// The cluster that an authority's certificate names.
pub(super) fn cluster_of(authority: &str) -> Option<String> {
    cluster_of_der(&der_of(authority)?)
}

/// The cluster that an authority's certificate (DER) names.
pub(crate) fn cluster_of_der(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let names = certificate.subject_alternative_name().ok()??;
    names
        .value
        .general_names
        .iter()
        .find_map(|name| match name {
            GeneralName::URI(uri) => {
                let cluster = uri.strip_prefix("aureole://")?;
                (!cluster.contains('/')).then(|| cluster.to_owned())
            }
            _ => None,
        })
}

/// Whether a certificate is for this public key.
pub(super) fn is_of_key(certificate: &str, key: &[u8]) -> bool {
    der_of(certificate).is_some_and(|der| {
        X509Certificate::from_der(&der)
            .is_ok_and(|(_, read)| *read.public_key().subject_public_key.data == *key)
    })
}

/// From when until when, in seconds since the epoch.
fn validity_of(pem: &str) -> Option<(i64, i64)> {
    let der = der_of(pem)?;
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    let validity = certificate.validity();
    Some((
        validity.not_before.timestamp(),
        validity.not_after.timestamp(),
    ))
}

fn seconds(time: SystemTime) -> i64 {
    let elapsed = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    //! What is stored is loaded; every reason not to use it is told.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::{Identity, IdentityError};
    use crate::tls::{Authority, Role, write_public};
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    #[test]
    fn an_identity_is_loaded_as_it_was_stored_and_its_key_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let identity = Authority::new().unwrap().issue(Role::Worker, "w1").unwrap();
        identity.store(folder.path()).unwrap();
        let loaded = Identity::load(folder.path(), Role::Worker).unwrap();
        assert_eq!(loaded.name(), identity.name());
        let mode = std::fs::metadata(folder.path().join("node.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let shown = format!("{loaded:?}");
        assert!(!shown.contains("PRIVATE"), "{shown}");
    }

    #[test]
    fn the_certificate_of_another_role_or_cluster_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let identity = Authority::new().unwrap().issue(Role::Worker, "w1").unwrap();
        identity.store(folder.path()).unwrap();
        let refused = Identity::load(folder.path(), Role::Coordinator).unwrap_err();
        assert!(
            matches!(
                refused,
                IdentityError::Role {
                    found: Role::Worker,
                    ..
                }
            ),
            "{refused:?}"
        );
        let other = Authority::new().unwrap();
        write_public(
            &folder.path().join("ca.pem"),
            other.certificate_pem().as_bytes(),
        )
        .unwrap();
        let refused = Identity::load(folder.path(), Role::Worker).unwrap_err();
        assert!(
            matches!(refused, IdentityError::OtherCluster { .. }),
            "{refused:?}"
        );
        write_public(&folder.path().join("ca.pem"), b"no certificate").unwrap();
        let refused = Identity::load(folder.path(), Role::Worker).unwrap_err();
        assert!(
            matches!(refused, IdentityError::Certificate { .. }),
            "{refused:?}"
        );
    }

    #[test]
    fn a_certificate_whose_time_is_over_or_has_not_come_is_refused_with_the_difference() {
        let authority = Authority::new().unwrap();
        let hour = Duration::from_secs(3_600);
        let identity = authority.issue_for(Role::Worker, "w1", hour).unwrap();
        let now = super::seconds(std::time::SystemTime::now());
        let over = identity
            .check_time("node.pem".into(), now + 4 * 86_400)
            .unwrap_err();
        assert!(
            matches!(over, IdentityError::Expired { days: 3, .. }),
            "{over:?}"
        );
        let early = identity
            .check_time("node.pem".into(), now - 7_200)
            .unwrap_err();
        assert!(matches!(early, IdentityError::NotYet { .. }), "{early:?}");
        assert!(early.to_string().contains("clock"), "{early}");
    }

    #[test]
    fn an_identity_that_is_not_there_names_the_missing_file() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Identity::load(folder.path(), Role::Worker).unwrap_err();
        assert!(matches!(missing, IdentityError::File(_)), "{missing:?}");
        assert!(missing.to_string().contains("ca.pem"), "{missing}");
    }
}
