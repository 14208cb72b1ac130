//! A cluster's authority: it makes itself once and signs certificates.
//!
//! Its key stands with whoever ran `aureole cluster init`, and on no running node. Whoever has it can
//! be anybody in the cluster.

use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType,
};
use time::OffsetDateTime;

use super::{COORDINATOR_NAME, FileError, Identity, Name, Role, read, write_private, write_public};

/// The files of an authority.
const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca.key";

/// Clocks of machines that join differ by some minutes; certificates count from an hour ago.
const BACKDATED: Duration = Duration::from_secs(3_600);

const DAY: Duration = Duration::from_secs(86_400);

/// Why an authority does not do what it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// The certificate machinery refused.
    #[error("the authority could not {action}")]
    Certificate {
        /// What was tried.
        action: &'static str,
        /// Why not.
        #[source]
        source: rcgen::Error,
    },
    /// A process has a name that cannot stand in a certificate.
    #[error("`{name}` is no name for a process: 1 to 64 letters, digits, `.`, `-` and `_`")]
    Name {
        /// The name.
        name: String,
    },
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness for a cluster's id")]
    Randomness(#[source] getrandom::Error),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The authority's certificate names no cluster.
    #[error(
        "the authority's certificate names no cluster: it was not made by `aureole cluster init`"
    )]
    NoCluster,
    /// The key beside the authority's certificate is another's.
    #[error("the authority's key is not the one of its certificate: copy both from one folder")]
    OtherKey,
}

/// The authority of one cluster. Its `Debug` form shows no key.
pub struct Authority {
    cluster: String,
    certificate_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

// === impl Authority ===

impl Authority {
    /// Makes the authority of a new cluster.
    ///
    /// # Errors
    /// [`AuthorityError`]: no randomness, or the key could not be made.
    pub fn new() -> Result<Self, AuthorityError> {
        let mut id = [0; 8];
        getrandom::fill(&mut id).map_err(AuthorityError::Randomness)?;
        let cluster = hex::encode(id);
        let mut params = CertificateParams::default();
        validity(&mut params, 3_650 * DAY);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, format!("aureole cluster {cluster}"));
        let uri = format!("aureole://{cluster}")
            .try_into()
            .map_err(failed("name itself"))?;
        params.subject_alt_names = vec![SanType::URI(uri)];
        let key = KeyPair::generate().map_err(failed("make its key"))?;
        let certificate = params.self_signed(&key).map_err(failed("sign itself"))?;
        Ok(Self {
            cluster,
            certificate_pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        })
    }

    /// Reads an authority that was made before.
    ///
    /// # Errors
    /// [`AuthorityError::Certificate`], [`AuthorityError::NoCluster`].
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, AuthorityError> {
        let cluster = super::identity::cluster_of(certificate).ok_or(AuthorityError::NoCluster)?;
        let key = KeyPair::from_pem(key).map_err(failed("read its key"))?;
        if !super::identity::is_of_key(certificate, key.public_key_raw()) {
            return Err(AuthorityError::OtherKey);
        }
        let issuer =
            Issuer::from_ca_cert_pem(certificate, key).map_err(failed("read its certificate"))?;
        Ok(Self {
            cluster,
            certificate_pem: certificate.to_owned(),
            issuer,
        })
    }

    /// The cluster's id.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The authority's certificate, which everybody may see.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The authority's key. Whoever has it is the cluster.
    pub(crate) fn key_pem(&self) -> zeroize::Zeroizing<String> {
        zeroize::Zeroizing::new(self.issuer.key().serialize_pem())
    }

    /// The bytes of that key.
    pub(super) fn key_der(&self) -> &[u8] {
        self.issuer.key().serialized_der()
    }

    /// Signs a certificate for the key of a request, DER. Nothing else in the request counts.
    ///
    /// # Errors
    /// [`AuthorityError::Name`], [`AuthorityError::Certificate`].
    pub(crate) fn answer(
        &self,
        role: Role,
        process: &str,
        request: &[u8],
    ) -> Result<String, AuthorityError> {
        let name = self.name(role, process)?;
        let request = CertificateSigningRequestParams::from_der(&request.into())
            .map_err(failed("read a request"))?;
        self.certify(&name, &request.public_key, lifetime(role))
    }

    /// Reads the authority that stands in a folder.
    ///
    /// # Errors
    /// [`AuthorityError`], which names the file that is missing or wrong.
    pub fn load(folder: &Path) -> Result<Self, AuthorityError> {
        let key = zeroize::Zeroizing::new(read(&folder.join(KEY))?);
        Self::from_pem(&read(&folder.join(CERTIFICATE))?, &key)
    }

    /// Writes the authority into a folder; its key for its owner alone.
    ///
    /// # Errors
    /// [`AuthorityError::File`].
    pub fn store(&self, folder: &Path) -> Result<(), AuthorityError> {
        write_private(&folder.join(KEY), self.key_pem().as_bytes())?;
        Ok(write_public(
            &folder.join(CERTIFICATE),
            self.certificate_pem.as_bytes(),
        )?)
    }

    /// Makes a key and a certificate for a process.
    ///
    /// # Errors
    /// [`AuthorityError::Name`], [`AuthorityError::Certificate`].
    pub fn issue(&self, role: Role, process: &str) -> Result<Identity, AuthorityError> {
        self.issue_for(role, process, lifetime(role))
    }

    pub(crate) fn issue_for(
        &self,
        role: Role,
        process: &str,
        lifetime: Duration,
    ) -> Result<Identity, AuthorityError> {
        let key = KeyPair::generate().map_err(failed("make a key"))?;
        let name = self.name(role, process)?;
        let certificate = self.certify(&name, &key, lifetime)?;
        Ok(Identity::from_parts(
            name,
            self.certificate_pem.clone(),
            certificate,
            zeroize::Zeroizing::new(key.serialize_pem()),
        ))
    }

    fn name(&self, role: Role, process: &str) -> Result<Name, AuthorityError> {
        Name::new(&self.cluster, role, process).ok_or_else(|| AuthorityError::Name {
            name: process.escape_debug().to_string(),
        })
    }

    fn certify(
        &self,
        name: &Name,
        key: &impl PublicKeyData,
        lifetime: Duration,
    ) -> Result<String, AuthorityError> {
        let mut params = CertificateParams::default();
        validity(&mut params, lifetime);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::OrganizationalUnitName, name.role.name());
        params
            .distinguished_name
            .push(DnType::CommonName, name.process.clone());
        let text = |text: &str| text.try_into().map_err(failed("name a process"));
        params.subject_alt_names = vec![SanType::URI(text(&name.to_string())?)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if name.role == Role::Coordinator {
            params
                .subject_alt_names
                .push(SanType::DnsName(text(COORDINATOR_NAME)?));
            params
                .extended_key_usages
                .push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let certificate = params
            .signed_by(key, &self.issuer)
            .map_err(failed("sign a certificate"))?;
        Ok(certificate.pem())
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority")
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}

/// Coordinators are few and live as long as the authority: ten years. Others come and go.
fn lifetime(role: Role) -> Duration {
    match role {
        Role::Coordinator => 3_650 * DAY,
        Role::Worker | Role::Gateway | Role::Admin => 365 * DAY,
    }
}

fn validity(params: &mut CertificateParams, lifetime: Duration) {
    let now = SystemTime::now();
    params.not_before = OffsetDateTime::from(now - BACKDATED);
    params.not_after = OffsetDateTime::from(now + lifetime);
}

pub(super) fn failed(action: &'static str) -> impl FnOnce(rcgen::Error) -> AuthorityError {
    move |source| AuthorityError::Certificate { action, source }
}

#[cfg(test)]
mod tests {
    //! What an authority signs, and what it refuses.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::{Authority, AuthorityError};
    use crate::tls::{Name, Role};

    #[test]
    fn an_authority_reads_back_as_the_same_cluster() {
        let authority = Authority::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            Authority::load(folder.path()),
            Err(AuthorityError::File(_))
        ));
        authority.store(folder.path()).unwrap();
        let again = Authority::load(folder.path()).unwrap();
        assert_eq!(again.cluster(), authority.cluster());
        assert!(again.issue(Role::Worker, "w").is_ok());
    }

    #[test]
    fn only_a_coordinator_bears_the_name_that_coordinators_answer_under() {
        let authority = Authority::new().unwrap();
        for role in [Role::Coordinator, Role::Worker, Role::Gateway, Role::Admin] {
            let identity = authority.issue(role, "p1").unwrap();
            let der = crate::tls::identity::der_of(identity.certificate()).unwrap();
            assert_eq!(Name::of_certificate(&der).as_ref(), Some(identity.name()));
            let bears = String::from_utf8_lossy(&der).contains(super::COORDINATOR_NAME);
            assert_eq!(bears, role == Role::Coordinator, "{role}");
        }
    }

    #[test]
    fn a_name_that_is_none_and_a_key_that_is_none_are_refused() {
        let authority = Authority::new().unwrap();
        let refused = authority.issue(Role::Worker, "a/../b").unwrap_err();
        assert!(
            matches!(refused, AuthorityError::Name { .. }),
            "{refused:?}"
        );
        let refused = Authority::from_pem(authority.certificate_pem(), "key").unwrap_err();
        assert!(
            matches!(refused, AuthorityError::Certificate { .. }),
            "{refused:?}"
        );
        let other = Authority::new().unwrap();
        let refused = Authority::from_pem(authority.certificate_pem(), &other.key_pem());
        assert!(
            matches!(refused, Err(AuthorityError::OtherKey)),
            "{refused:?}"
        );
    }

    #[test]
    fn an_authority_that_is_none_of_ours_is_refused() {
        let authority = Authority::new().unwrap();
        let other = rcgen::generate_simple_self_signed(vec!["example".to_owned()]).unwrap();
        let refused = Authority::from_pem(&other.cert.pem(), &authority.key_pem()).unwrap_err();
        assert!(matches!(refused, AuthorityError::NoCluster), "{refused:?}");
    }

    #[test]
    fn debug_output_shows_no_key() {
        let shown = format!("{:?}", Authority::new().unwrap());
        assert!(!shown.contains("PRIVATE"), "{shown}");
    }
}
