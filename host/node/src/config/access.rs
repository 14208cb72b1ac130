//! What a gateway is told about its callers.

use std::fs;
use std::path::PathBuf;

use aureole_gateway::KeyHash;
use aureole_oidc::{Issuer, Rules};
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError};
use crate::relay::Tokens;

/// Who may use the REST API. Of its keys a gateway is told one, the administrator's first; all others
/// are made with it and kept by the coordinators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// Hash of the administrator's first key, as `aureole admin bootstrap-key` prints it. A gateway
    /// does not start without it, here or in a file.
    pub bootstrap_key: Option<String>,
    /// File with that hash.
    pub bootstrap_key_file: Option<PathBuf>,
    /// Tokens of an identity provider that count beside keys: none, unless given.
    pub tokens: Option<TokenIssuer>,
    /// Requests a second of one key; 0 is no limit.
    pub key_rate: u32,
    /// Requests a second of all keys of a tenant together; 0 is no limit.
    pub tenant_rate: u32,
    /// Requests of a tenant in work at a time, those that wait for a task included; 0 is no limit but
    /// that of all together.
    pub tenant_requests: u32,
}

/// An identity provider whose tokens count (OpenID Connect).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenIssuer {
    /// Its name and address, as its tokens write it.
    pub issuer: String,
    /// For whom its tokens are made: other tokens of it do not count.
    pub audience: String,
    /// The claim that names the tenant, or a JSON pointer to it.
    #[serde(default = "tenant_claim")]
    pub tenant_claim: String,
    /// The claim that names the role, or a JSON pointer to it.
    #[serde(default = "role_claim")]
    pub role_claim: String,
}

fn tenant_claim() -> String {
    "aureole_tenant".to_owned()
}

fn role_claim() -> String {
    "aureole_role".to_owned()
}

// === impl Access ===

impl Default for Access {
    fn default() -> Self {
        Self {
            bootstrap_key: None,
            bootstrap_key_file: None,
            tokens: None,
            key_rate: aureole_gateway::limits::KEY_RATE,
            tenant_rate: aureole_gateway::limits::TENANT_RATE,
            tenant_requests: aureole_gateway::limits::REQUESTS_OF_TENANT_MAX,
        }
    }
}

// === impl Config ===

impl Config {
    /// The hash of the administrator's first key, which a gateway must have.
    ///
    /// # Errors
    /// [`ConfigError::BootstrapKey`] and [`ConfigError::Read`].
    pub fn bootstrap_key(&self) -> Result<KeyHash, ConfigError> {
        let wrong = |found| ConfigError::BootstrapKey { found };
        let text = match (&self.access.bootstrap_key, &self.access.bootstrap_key_file) {
            (Some(_), Some(_)) => return Err(wrong("is given twice")),
            (Some(text), None) => text.clone(),
            (None, Some(path)) => fs::read_to_string(path).map_err(|source| ConfigError::Read {
                path: path.clone(),
                source,
            })?,
            (None, None) => return Err(wrong("is missing")),
        };
        text.trim()
            .parse()
            .map_err(|_| wrong("is no hash of a key"))
    }

    /// Who knows the bearers of tokens, if any count.
    pub(crate) fn tokens(&self) -> Result<Option<Tokens>, ConfigError> {
        let Some(told) = &self.access.tokens else {
            return Ok(None);
        };
        let wrong = |reason: String| ConfigError::Service {
            key: "access.tokens",
            reason,
        };
        let (tenant, role) = (&told.tenant_claim, &told.role_claim);
        let rules = Rules::new(&told.issuer, &told.audience, tenant, role);
        let rules = rules.map_err(|error| wrong(error.to_string()))?;
        let issuer = Issuer::new(rules).map_err(|error| wrong(error.to_string()))?;
        Ok(Some(Tokens::new(issuer)))
    }
}

#[cfg(test)]
mod tests {
    //! One key, by its hash, or no gateway.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use std::path::Path;

    use super::{Config, ConfigError};

    #[test]
    fn a_gateway_is_told_one_first_key_by_its_hash() {
        let key = aureole_gateway::ApiKey::fresh().unwrap();
        let hash = key.hash().to_string();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hash");
        std::fs::write(&file, format!("{hash}\n")).unwrap();
        let told = |text: Option<&str>, file: Option<&Path>| {
            let mut config = Config::default();
            config.access.bootstrap_key = text.map(str::to_owned);
            config.access.bootstrap_key_file = file.map(Path::to_owned);
            config.bootstrap_key()
        };
        assert!(told(Some(&hash), None).unwrap().matches(&key.hash()));
        assert!(told(None, Some(&file)).unwrap().matches(&key.hash()));
        for (text, file, found) in [
            (None, None, "is missing"),
            (Some(&*hash), Some(&*file), "is given twice"),
            (Some(&**key.text()), None, "is no hash of a key"),
        ] {
            let error = told(text, file).unwrap_err();
            assert!(error.to_string().contains(found), "{error}");
        }
        let gone = told(None, Some(Path::new("/nowhere/hash"))).unwrap_err();
        assert!(matches!(gone, ConfigError::Read { .. }), "{gone:?}");
    }
    #[test]
    fn an_issuer_that_others_could_imitate_is_refused_by_name() {
        let told = |issuer: &str| {
            let text = format!("[access.tokens]\nissuer = \"{issuer}\"\naudience = \"aureole\"");
            toml::from_str::<Config>(&text).unwrap().tokens()
        };
        assert!(told("https://id.example").unwrap().is_some());
        let error = told("http://id.example").unwrap_err();
        assert!(
            matches!(
                error,
                ConfigError::Service {
                    key: "access.tokens",
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(Config::default().tokens().unwrap().is_none());
    }
}
