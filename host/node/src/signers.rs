//! Who may publish: signatures of components, verified before anything is registered.

use aureole_api::rest::ComponentSignature;
use aureole_api::{Problem, codes};
use aureole_ledger::{Digest, Signer};
use ed25519_dalek::{Signature, VerifyingKey};

use crate::config::{ConfigError, Plugins};

/// What a node asks of a component's signature.
#[derive(Clone, Debug)]
pub(crate) struct Signers {
    /// Empty: every valid signature is as good as another.
    trusted: Vec<VerifyingKey>,
    required: bool,
}

// === impl Signers ===

impl Signers {
    /// Reads the configuration.
    ///
    /// # Errors
    /// [`ConfigError::Signer`] names the entry that is no key; [`ConfigError::NoSigners`].
    pub(crate) fn new(plugins: &Plugins) -> Result<Self, ConfigError> {
        let key = |value: &String| {
            read_key(value).ok_or_else(|| ConfigError::Signer {
                value: value.clone(),
            })
        };
        let trusted: Vec<_> = plugins
            .trusted_signers
            .iter()
            .map(key)
            .collect::<Result<_, _>>()?;
        if plugins.require_signature && trusted.is_empty() {
            return Err(ConfigError::NoSigners);
        }
        Ok(Self {
            trusted,
            required: plugins.require_signature,
        })
    }

    /// Says whether a component may be registered, and who signed it.
    ///
    /// # Errors
    /// `plugin.unsigned`, `plugin.signature` or `plugin.signer_untrusted`.
    pub(crate) fn admit(
        &self,
        component: &Digest,
        signature: Option<&ComponentSignature>,
    ) -> Result<Option<Signer>, Problem> {
        let Some(signature) = signature else {
            if self.required {
                let detail = format!("component {component} has no signature of a trusted signer");
                return Err(Problem::new(codes::plugin::UNSIGNED, detail));
            }
            return Ok(None);
        };
        let signer = Signer::from_bytes(signature.signer);
        let message = ComponentSignature::message(component.as_bytes());
        let key = VerifyingKey::from_bytes(&signature.signer)
            .ok()
            .filter(|key| {
                let signature = Signature::from_bytes(&signature.signature);
                key.verify_strict(&message, &signature).is_ok()
            });
        let Some(key) = key else {
            let detail = format!("the signature is not of component {component} by {signer}");
            return Err(Problem::new(codes::plugin::SIGNATURE, detail));
        };
        if !self.trusted.is_empty() && !self.trusted.contains(&key) {
            let detail = format!("{signer} is not among this node's trusted signers");
            return Err(Problem::new(codes::plugin::SIGNER_UNTRUSTED, detail));
        }
        Ok(Some(signer))
    }
}

fn read_key(text: &str) -> Option<VerifyingKey> {
    let digits = text.strip_prefix("ed25519:").unwrap_or(text).to_lowercase();
    let signer: Signer = format!("ed25519:{digits}").parse().ok()?;
    VerifyingKey::from_bytes(signer.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    //! Who is admitted, and each way of being refused.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn text(seed: u8) -> String {
        Signer::from_bytes(key(seed).verifying_key().to_bytes()).to_string()
    }

    fn signed(seed: u8, component: &Digest) -> ComponentSignature {
        let message = ComponentSignature::message(component.as_bytes());
        ComponentSignature {
            signer: key(seed).verifying_key().to_bytes(),
            signature: key(seed).sign(&message).to_bytes(),
        }
    }

    fn signers(trusted: &[u8], require_signature: bool) -> Signers {
        let trusted_signers = trusted.iter().map(|seed| text(*seed)).collect();
        Signers::new(&Plugins {
            trusted_signers,
            require_signature,
        })
        .unwrap()
    }

    fn code(refused: Result<Option<Signer>, Problem>) -> String {
        refused.unwrap_err().code().to_owned()
    }

    #[test]
    fn a_node_that_asks_for_nothing_takes_unsigned_components_and_notes_signers() {
        let component = Digest::of(b"component");
        let open = signers(&[], false);
        assert_eq!(open.admit(&component, None).unwrap(), None);
        let signer = open
            .admit(&component, Some(&signed(1, &component)))
            .unwrap();
        assert_eq!(signer.unwrap().to_string(), text(1));
    }

    #[test]
    fn a_component_without_a_signature_is_refused_where_one_is_required() {
        let component = Digest::of(b"component");
        assert_eq!(
            code(signers(&[1], true).admit(&component, None)),
            "plugin.unsigned"
        );
        assert_eq!(signers(&[1], false).admit(&component, None).unwrap(), None);
    }

    #[test]
    fn a_valid_signature_of_somebody_else_is_refused_where_signers_are_named() {
        let component = Digest::of(b"component");
        let closed = signers(&[1, 2], true);
        assert!(
            closed
                .admit(&component, Some(&signed(2, &component)))
                .unwrap()
                .is_some()
        );
        let stranger = closed.admit(&component, Some(&signed(3, &component)));
        assert_eq!(code(stranger), "plugin.signer_untrusted");
    }

    #[test]
    fn a_signature_of_other_bytes_or_another_key_is_refused_everywhere() {
        let component = Digest::of(b"component");
        let other = signed(1, &Digest::of(b"other"));
        let borrowed = ComponentSignature {
            signer: key(2).verifying_key().to_bytes(),
            ..signed(1, &component)
        };
        let no_point = ComponentSignature {
            signer: [0xff; 32],
            ..signed(1, &component)
        };
        for bad in [other, borrowed, no_point] {
            assert_eq!(
                code(signers(&[], false).admit(&component, Some(&bad))),
                "plugin.signature"
            );
        }
    }

    #[test]
    fn a_trusted_signer_is_read_with_or_without_the_name_of_its_scheme() {
        let bare = text(1).replace("ed25519:", "").to_uppercase();
        assert_eq!(read_key(&bare), Some(key(1).verifying_key()));
        assert_eq!(read_key("ed25519:00"), None);
    }
}
