//! Join tokens: a statement of the authority that whoever shows it may have a certificate of a role.
//!
//! ```text
//! aureole-join-1.STATEMENT.SEAL     STATEMENT = base64url(JSON: cluster, role, until, authority)
//!                                   SEAL      = base64url(HMAC-SHA256 under a key of the authority's)
//! ```
//!
//! A token carries the authority's certificate, so whoever joins knows whom to trust, and nothing of
//! it is stored: whoever has the authority's key can tell a token that it made. It counts until it
//! expires, for as many processes as have it; keep it as a password.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Authority, FileError, Role, identity::cluster_of, read};

/// What a token begins with; a later form has another number.
const PREFIX: &str = "aureole-join-1";

/// Separates this use of the authority's key from every other.
const PURPOSE: &[u8] = b"aureole join token 1";

/// A token is about 1 KiB; a longer text is none.
const TOKEN_BYTES_MAX: usize = 8 << 10;

/// A token that lives longer is a password on a shelf: make a new one.
pub const TOKEN_TTL_MAX: Duration = Duration::from_secs(30 * 86_400);

/// A join token. Its `Debug` form shows whose it is, and not the token.
#[derive(Clone)]
pub struct Token {
    statement: Statement,
    text: Zeroizing<String>,
}

/// What a token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    cluster: String,
    role: String,
    /// Seconds since the epoch.
    until: u64,
    /// The authority's certificate, PEM.
    authority: String,
}

/// Why a token gives nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The text is none.
    #[error("this is no join token of `aureole cluster token new`, or only a part of one")]
    Malformed,
    /// It is for no role that joins.
    #[error("a {role} does not join by a token; use `aureole cluster certificate --role {role}`")]
    Role {
        /// The role.
        role: Role,
    },
    /// Its life would be too long or none.
    #[error(
        "a token lives from 1 to {} seconds, not {seconds}; make a new one when it is needed",
        TOKEN_TTL_MAX.as_secs()
    )]
    Ttl {
        /// What was asked for.
        seconds: u64,
    },
    /// It is for another role.
    #[error(
        "the token is for a {found}, but this process is a {expected}; make one with `aureole cluster \
         token new --role {expected}`"
    )]
    OtherRole {
        /// The token's.
        found: Role,
        /// What the process is to be.
        expected: Role,
    },
    /// It is of another cluster.
    #[error(
        "the token is of cluster {found}, but this is cluster {expected}; make one with the folder of \
         this cluster's authority"
    )]
    OtherCluster {
        /// The token's.
        found: String,
        /// The signer's.
        expected: String,
    },
    /// It is not what this authority made.
    #[error(
        "the token was not made by this cluster's authority, or was changed since; make a new one \
         with `aureole cluster token new`"
    )]
    Altered,
    /// Its time is over.
    #[error(
        "the token expired {seconds} seconds ago; make a new one with `aureole cluster token new`"
    )]
    Expired {
        /// Since when.
        seconds: u64,
    },
    /// Its file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

// === impl Token ===

impl Token {
    /// Reads a token from a file.
    ///
    /// # Errors
    /// [`TokenError::File`], [`TokenError::Malformed`].
    pub fn load(path: &Path) -> Result<Self, TokenError> {
        Zeroizing::new(read(path)?).parse()
    }

    /// The text that others are given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The cluster that it leads into.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.statement.cluster
    }

    /// The authority that it says to trust.
    pub(crate) fn authority(&self) -> &str {
        &self.statement.authority
    }

    /// Whether it is for a process of this role, so that nobody is asked in vain.
    pub(crate) fn is_for(&self, expected: Role) -> Result<(), TokenError> {
        let found = self.role()?;
        if found != expected {
            return Err(TokenError::OtherRole { found, expected });
        }
        Ok(())
    }

    fn role(&self) -> Result<Role, TokenError> {
        let role = self.statement.role.parse();
        let role: Role = role.map_err(|()| TokenError::Malformed)?;
        match role {
            Role::Worker | Role::Gateway => Ok(role),
            Role::Coordinator | Role::Admin => Err(TokenError::Role { role }),
        }
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Malformed);
        }
        let (statement, _) = parts(text).ok_or(TokenError::Malformed)?;
        let statement: Statement =
            serde_json::from_slice(&statement).map_err(|_| TokenError::Malformed)?;
        // Of another cluster than it says: put together by hand.
        if cluster_of(&statement.authority).as_ref() != Some(&statement.cluster) {
            return Err(TokenError::Malformed);
        }
        let text = Zeroizing::new(text.to_owned());
        Ok(Self { statement, text })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("cluster", &self.statement.cluster)
            .field("role", &self.statement.role)
            .field("until", &self.statement.until)
            .finish_non_exhaustive()
    }
}

// === impl Authority ===

impl Authority {
    /// Makes a token with which a worker or a gateway gets a certificate for as long as it lives.
    ///
    /// # Errors
    /// [`TokenError::Role`], [`TokenError::Ttl`].
    pub fn token(&self, role: Role, ttl: Duration) -> Result<Token, TokenError> {
        if ttl.is_zero() || ttl > TOKEN_TTL_MAX {
            let seconds = ttl.as_secs();
            return Err(TokenError::Ttl { seconds });
        }
        self.token_until(role, now() + ttl.as_secs())
    }

    fn token_until(&self, role: Role, until: u64) -> Result<Token, TokenError> {
        let statement = Statement {
            cluster: self.cluster().to_owned(),
            role: role.name().to_owned(),
            until,
            authority: self.certificate_pem().to_owned(),
        };
        let written = serde_json::to_vec(&statement).map_err(|_| TokenError::Malformed)?;
        let seal = self.sealer(&written).finalize().into_bytes();
        let text = Zeroizing::new(format!(
            "{PREFIX}.{}.{}",
            URL_SAFE_NO_PAD.encode(&written),
            URL_SAFE_NO_PAD.encode(seal)
        ));
        let token = Token { statement, text };
        token.role()?;
        Ok(token)
    }

    /// Says which role a token gives now.
    ///
    /// # Errors
    /// [`TokenError`]: why it gives none.
    pub(crate) fn accept(&self, token: &Token) -> Result<Role, TokenError> {
        if token.cluster() != self.cluster() {
            return Err(TokenError::OtherCluster {
                found: token.cluster().escape_debug().to_string(),
                expected: self.cluster().to_owned(),
            });
        }
        let (statement, seal) = parts(&token.text).ok_or(TokenError::Malformed)?;
        let sealed = self.sealer(&statement).verify_slice(&seal);
        sealed.map_err(|_| TokenError::Altered)?;
        let now = now();
        if now >= token.statement.until {
            let seconds = now - token.statement.until;
            return Err(TokenError::Expired { seconds });
        }
        token.role()
    }

    fn sealer(&self, statement: &[u8]) -> Hmac<Sha256> {
        let mut key = Sha256::new();
        key.update(PURPOSE);
        key.update(self.key_der());
        // A digest fills half a block; the rest is zero, as HMAC pads it (RFC 2104).
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(&key.finalize());
        let mut seal = Hmac::<Sha256>::new(&(*block).into());
        seal.update(statement);
        seal
    }
}

/// The statement and the seal of a token's text.
fn parts(text: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut parts = text.split('.');
    let (PREFIX, statement, seal, None) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next())
    else {
        return None;
    };
    let read = |part| URL_SAFE_NO_PAD.decode(part).ok();
    Some((read(statement)?, read(seal)?))
}

fn now() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
    elapsed.map_or(0, |elapsed| elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    //! A token gives what it says, and every other text is refused with what to do.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::{TOKEN_TTL_MAX, Token, TokenError, URL_SAFE_NO_PAD};
    use crate::tls::{Authority, Role};
    use base64::Engine as _;
    use std::time::Duration;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_token_gives_its_role_to_whoever_reads_it_back() {
        let authority = Authority::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        authority.store(folder.path()).unwrap();
        let made = authority.token(Role::Gateway, HOUR).unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, format!("{}\n", made.text())).unwrap();
        let token = Token::load(&file).unwrap();
        let signer = Authority::load(folder.path()).unwrap();
        assert_eq!(signer.accept(&token).unwrap(), Role::Gateway);
        let refused = token.is_for(Role::Worker).unwrap_err();
        assert!(
            matches!(refused, TokenError::OtherRole { .. }),
            "{refused:?}"
        );
        assert!(refused.to_string().contains("--role worker"), "{refused}");
        assert!(!format!("{token:?}").contains(&made.text()[20..60]));
    }

    #[test]
    fn a_token_is_for_a_worker_or_a_gateway_and_no_longer_than_a_month() {
        let authority = Authority::new().unwrap();
        for role in [Role::Coordinator, Role::Admin] {
            let refused = authority.token(role, HOUR).unwrap_err();
            assert!(matches!(refused, TokenError::Role { .. }), "{refused:?}");
        }
        for ttl in [Duration::ZERO, TOKEN_TTL_MAX + HOUR] {
            let refused = authority.token(Role::Worker, ttl).unwrap_err();
            assert!(matches!(refused, TokenError::Ttl { .. }), "{refused:?}");
        }
    }

    #[test]
    fn an_expired_a_foreign_and_an_altered_token_are_told_apart() {
        let authority = Authority::new().unwrap();
        let expired = authority
            .token_until(Role::Worker, super::now() - 90)
            .unwrap();
        let refused = authority.accept(&expired).unwrap_err();
        assert!(
            matches!(refused, TokenError::Expired { seconds: 90.. }),
            "{refused:?}"
        );

        let token = authority.token(Role::Worker, HOUR).unwrap();
        let refused = Authority::new().unwrap().accept(&token).unwrap_err();
        assert!(
            matches!(refused, TokenError::OtherCluster { .. }),
            "{refused:?}"
        );

        let mut parts: Vec<String> = token.text().split('.').map(str::to_owned).collect();
        let statement = URL_SAFE_NO_PAD.decode(&parts[1]).unwrap();
        let promoted = String::from_utf8(statement)
            .unwrap()
            .replace("worker", "gateway");
        parts[1] = URL_SAFE_NO_PAD.encode(promoted);
        let altered: Token = parts.join(".").parse().unwrap();
        let refused = authority.accept(&altered).unwrap_err();
        assert!(matches!(refused, TokenError::Altered), "{refused:?}");
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let authority = Authority::new().unwrap();
        let token = authority.token(Role::Worker, HOUR).unwrap();
        let (cut, _) = token.text().split_at(100);
        for text in ["", "token", cut, &"x".repeat(9_000)] {
            let refused = text.parse::<Token>().unwrap_err();
            assert!(matches!(refused, TokenError::Malformed), "{refused:?}");
        }
        let missing = Token::load("/nowhere/token".as_ref()).unwrap_err();
        assert!(matches!(missing, TokenError::File(_)), "{missing:?}");
    }
}
