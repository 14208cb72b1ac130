//! A key of this process and the request for a certificate for it.

use rcgen::{CertificateParams, KeyPair};
use zeroize::Zeroizing;

use super::authority::failed;
use super::identity::{der_of, is_of_key};
use super::{AuthorityError, Identity, Name, Role, Token};

/// A key that has no certificate yet.
pub(crate) struct KeyRequest {
    key: KeyPair,
    der: Vec<u8>,
}

// === impl KeyRequest ===

impl KeyRequest {
    /// Makes a key and a request that proves that this process has it.
    pub(crate) fn new() -> Result<Self, AuthorityError> {
        let key = KeyPair::generate().map_err(failed("make a key"))?;
        let request = CertificateParams::default().serialize_request(&key);
        let der = request
            .map_err(failed("ask for a certificate"))?
            .der()
            .to_vec();
        Ok(Self { key, der })
    }

    /// The request, DER.
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// The identity that a certificate gives; `None` when it is for another key, name or role.
    pub(crate) fn identity(
        self,
        token: &Token,
        role: Role,
        process: &str,
        certificate: String,
    ) -> Option<Identity> {
        let name = Name::new(token.cluster(), role, process)?;
        let named = Name::of_certificate(&der_of(&certificate)?);
        if !is_of_key(&certificate, self.key.public_key_raw()) || named.as_ref() != Some(&name) {
            return None;
        }
        let key = Zeroizing::new(self.key.serialize_pem());
        let authority = token.authority().to_owned();
        Some(Identity::from_parts(name, authority, certificate, key))
    }
}

#[cfg(test)]
mod tests {
    //! A certificate counts for the key and the name that it was asked for, and for no others.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::KeyRequest;
    use crate::tls::{Authority, Role};
    use std::time::Duration;

    #[test]
    fn a_certificate_for_another_key_name_or_role_is_not_taken() {
        let authority = Authority::new().unwrap();
        let token = authority
            .token(Role::Worker, Duration::from_secs(60))
            .unwrap();
        let taken = |role, name: &str, swap: bool| {
            let request = KeyRequest::new().unwrap();
            let other = KeyRequest::new().unwrap();
            let asked = if swap { &other } else { &request };
            let certificate = authority.answer(role, name, asked.der()).unwrap();
            request
                .identity(&token, Role::Worker, "w1", certificate)
                .is_some()
        };
        assert!(taken(Role::Worker, "w1", false));
        assert!(!taken(Role::Worker, "w1", true));
        assert!(!taken(Role::Worker, "w2", false));
        assert!(!taken(Role::Gateway, "w1", false));
        let request = KeyRequest::new().unwrap();
        assert!(
            request
                .identity(&token, Role::Worker, "w1", "none".to_owned())
                .is_none()
        );
    }
}
