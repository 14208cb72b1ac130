//! Whether a token is good (RFC 7519, RFC 8725), and what it says.

use jsonwebtoken::{Algorithm, Validation, decode, decode_header, errors::ErrorKind};
use serde_json::Value;
use thiserror::Error;

use crate::keyset::KeySet;
use crate::limits::{LEEWAY_SECONDS, SUBJECT_BYTES_MAX, TRIED_MAX};
use crate::rules::Rules;

/// What a good token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// Whom the issuer knows its bearer as.
    pub subject: String,
    /// The texts in the tenant's claim.
    pub tenants: Vec<String>,
    /// The texts in the role's claim.
    pub roles: Vec<String>,
}

/// Why a token is refused. None repeats anything of it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It is no signed token.
    #[error("it is no signed JSON web token")]
    Malformed,
    /// It is signed by an algorithm that does not count.
    #[error("its algorithm is not one with a public key")]
    Algorithm,
    /// No key of the issuer's could have signed it.
    #[error("no key of the issuer's has its key id and algorithm")]
    Key,
    /// Its signature is wrong.
    #[error("its signature is wrong")]
    Signature,
    /// It is over, or not yet good.
    #[error("it is not good at this time")]
    Time,
    /// Another issuer's.
    #[error("it is another issuer's")]
    Issuer,
    /// Made for somebody else.
    #[error("it is made for another audience")]
    Audience,
    /// A claim is missing, or is not what it has to be.
    #[error("it lacks one of the claims exp, iss, aud and sub, or has it in another form")]
    Claims,
}

/// What a token's header says: how to look for its key.
pub(crate) struct Head {
    pub(crate) key_id: Option<String>,
    pub(crate) algorithm: Algorithm,
}

/// Reads a token's header.
pub(crate) fn head(token: &str) -> Result<Head, Refusal> {
    let header = decode_header(token).map_err(|_| Refusal::Malformed)?;
    match header.alg {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => Err(Refusal::Algorithm),
        algorithm => Ok(Head {
            key_id: header.kid,
            algorithm,
        }),
    }
}

/// Checks a token with the keys that may have signed it.
pub(crate) fn check(
    token: &str,
    head: &Head,
    keys: &KeySet,
    rules: &Rules,
) -> Result<Bearer, Refusal> {
    let mut validation = Validation::new(head.algorithm);
    validation.leeway = LEEWAY_SECONDS;
    validation.validate_nbf = true;
    validation.set_audience(&[&rules.audience]);
    validation.set_issuer(&[&rules.name]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let mut refusal = Refusal::Key;
    let candidates = keys.candidates(head.key_id.as_deref(), head.algorithm);
    for candidate in candidates.take(TRIED_MAX) {
        match decode::<Value>(token, &candidate.key, &validation) {
            Ok(token) => return bearer(&token.claims, rules),
            Err(error) => refusal = refusal_of(error.kind()),
        }
        if refusal != Refusal::Signature {
            break;
        }
    }
    Err(refusal)
}

fn bearer(claims: &Value, rules: &Rules) -> Result<Bearer, Refusal> {
    let subject = claims.get("sub").and_then(Value::as_str);
    let subject = subject.filter(|subject| !subject.is_empty());
    let subject = subject.filter(|subject| subject.len() <= SUBJECT_BYTES_MAX);
    Ok(Bearer {
        subject: subject.ok_or(Refusal::Claims)?.to_owned(),
        tenants: rules.tenant.texts(claims),
        roles: rules.role.texts(claims),
    })
}

fn refusal_of(kind: &ErrorKind) -> Refusal {
    match kind {
        ErrorKind::InvalidSignature => Refusal::Signature,
        ErrorKind::ExpiredSignature | ErrorKind::ImmatureSignature => Refusal::Time,
        ErrorKind::InvalidIssuer => Refusal::Issuer,
        ErrorKind::InvalidAudience => Refusal::Audience,
        ErrorKind::MissingRequiredClaim(_)
        | ErrorKind::InvalidClaimFormat(_)
        | ErrorKind::InvalidSubject => Refusal::Claims,
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => Refusal::Algorithm,
        ErrorKind::InvalidRsaKey(_)
        | ErrorKind::InvalidEcdsaKey
        | ErrorKind::InvalidEddsaKey
        | ErrorKind::InvalidKeyFormat => Refusal::Key,
        _ => Refusal::Malformed,
    }
}
