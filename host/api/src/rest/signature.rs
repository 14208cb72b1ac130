//! A publisher's signature of a component, as the upload's header carries it.
//!
//! `aureole-signature: ed25519:<public key, hex>:<signature, hex>`. This room writes and reads the
//! text; the node verifies it.

use std::{fmt, str::FromStr};

/// The header of a signed upload.
pub const SIGNATURE_HEADER: &str = "aureole-signature";

/// What is signed is this and the digest, so that a signature means nothing anywhere else.
const DOMAIN: &[u8] = b"aureole component v1\0";

/// An Ed25519 signature of a component's digest; not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentSignature {
    /// The publisher's public key.
    pub signer: [u8; 32],
    /// The signature of [`ComponentSignature::message`].
    pub signature: [u8; 64],
}

/// Why a text is no signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureError;

// === impl ComponentSignature ===

impl ComponentSignature {
    /// The bytes that are signed for a component with this SHA-256.
    pub fn message(digest: &[u8; 32]) -> Vec<u8> {
        [DOMAIN, digest].concat()
    }
}

impl fmt::Display for ComponentSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ed25519:")?;
        write_hex(f, &self.signer)?;
        f.write_str(":")?;
        write_hex(f, &self.signature)
    }
}

impl FromStr for ComponentSignature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let (signer, signature) = text
            .strip_prefix("ed25519:")
            .and_then(|rest| rest.split_once(':'))
            .ok_or(SignatureError)?;
        Ok(Self {
            signer: read_hex(signer).ok_or(SignatureError)?,
            signature: read_hex(signature).ok_or(SignatureError)?,
        })
    }
}

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Reads exactly `N` bytes of lower-case hex.
fn read_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if text.len() != N * 2 {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().as_chunks::<2>().0) {
        let [high, low] = *pair;
        *byte = (digit(high)? << 4) | digit(low)?;
    }
    Some(bytes)
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected ed25519:KEY:SIGNATURE with 64 and 128 lower-case hex digits, as `aureole \
             plugin publish --key` sends it",
        )
    }
}

impl std::error::Error for SignatureError {}

#[cfg(test)]
mod tests {
    //! The text reads back, and nothing else reads.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    #[test]
    fn a_signature_reads_back_from_its_text() {
        let signed = ComponentSignature {
            signer: [0xa7; 32],
            signature: [0x0b; 64],
        };
        let text = signed.to_string();
        assert!(text.starts_with("ed25519:a7a7"), "{text}");
        assert_eq!(text.parse(), Ok(signed));
    }

    #[test]
    fn other_texts_are_refused_with_the_form() {
        let good = ComponentSignature {
            signer: [1; 32],
            signature: [2; 64],
        }
        .to_string();
        for bad in [
            "",
            "ed25519:",
            &good.replace("ed25519", "rsa"),
            &good.to_uppercase(),
            &format!("{good}0"),
            &good.replace("01:", ":"),
            &good.replace("02", "0g"),
        ] {
            let refused = bad.parse::<ComponentSignature>().unwrap_err();
            assert!(
                refused.to_string().contains("ed25519:KEY:SIGNATURE"),
                "{bad}"
            );
        }
    }

    #[test]
    fn what_is_signed_is_separated_from_every_other_use_of_the_key() {
        let message = ComponentSignature::message(&[9; 32]);
        assert!(message.starts_with(b"aureole component v1\0"));
        assert_eq!(message.len(), 21 + 32);
    }
}
