//! What a configuration says of an issuer, checked.

use std::net::IpAddr;

use serde_json::Value;
use thiserror::Error;
use url::{Host, Url};

/// Which issuer's tokens count, for whom they must be made, and where they say the tenant and the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    pub(crate) issuer: Url,
    /// As it was written: tokens repeat it byte for byte.
    pub(crate) name: String,
    pub(crate) audience: String,
    pub(crate) tenant: Claim,
    pub(crate) role: Claim,
}

/// Where a token says something: the name of a claim, or a JSON pointer (RFC 6901) into the claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim(String);

/// What is wrong with the settings of an issuer.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RulesError {
    /// The issuer is no URL of one.
    #[error("the issuer `{issuer}` {reason}")]
    Issuer {
        /// What was given.
        issuer: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A setting is empty.
    #[error("the issuer's {name} is empty")]
    Empty {
        /// Which one.
        name: &'static str,
    },
}

// === impl Rules ===

impl Rules {
    /// Checks settings.
    ///
    /// # Errors
    /// [`RulesError`]: an issuer that is no `https` URL (`http` counts where its host is a loopback
    /// address), or an empty name.
    pub fn new(issuer: &str, audience: &str, tenant: &str, role: &str) -> Result<Self, RulesError> {
        let refused = |reason: String| RulesError::Issuer {
            issuer: issuer.to_owned(),
            reason,
        };
        let url = Url::parse(issuer).map_err(|error| refused(format!("is no URL: {error}")))?;
        if !is_private(&url) {
            return Err(refused("has to begin with https://".to_owned()));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused("has a query or a fragment".to_owned()));
        }
        for (name, value) in [
            ("audience", audience),
            ("tenant claim", tenant),
            ("role claim", role),
        ] {
            if value.is_empty() {
                return Err(RulesError::Empty { name });
            }
        }
        Ok(Self {
            issuer: url,
            name: issuer.to_owned(),
            audience: audience.to_owned(),
            tenant: Claim(tenant.to_owned()),
            role: Claim(role.to_owned()),
        })
    }

    /// Where the issuer describes itself (OpenID Connect Discovery 1.0, section 4).
    pub(crate) fn discovery(&self) -> String {
        let issuer = self.issuer.as_str().trim_end_matches('/');
        format!("{issuer}/.well-known/openid-configuration")
    }
}

// === impl Claim ===

impl Claim {
    /// The texts that stand there: one, or those of a list.
    pub(crate) fn texts(&self, claims: &Value) -> Vec<String> {
        let found = if self.0.starts_with('/') {
            claims.pointer(&self.0)
        } else {
            claims.get(&self.0)
        };
        match found {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(list)) => {
                let texts = list.iter().filter_map(Value::as_str);
                texts.map(str::to_owned).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Whether nobody between here and the host of a URL can read or change what is said.
pub(crate) fn is_private(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Domain(_)) | None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback)
}

#[cfg(test)]
mod tests {
    //! Settings that would weaken the check are refused; claims are found by name and by pointer.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use serde_json::json;

    use super::{Claim, Rules, RulesError};

    fn refused(issuer: &str) -> bool {
        let rules = Rules::new(issuer, "aureole", "tenant", "role");
        matches!(rules, Err(RulesError::Issuer { .. }))
    }

    #[test]
    fn an_issuer_that_others_could_imitate_is_refused() {
        assert!(refused("http://id.example"));
        assert!(refused("http://localhost:9000"));
        assert!(refused("ftp://id.example"));
        assert!(refused("id.example"));
        assert!(refused("https://id.example/?a=b"));
        assert!(!refused("https://id.example/realms/one"));
        assert!(!refused("http://127.0.0.1:9000"));
        assert!(!refused("http://[::1]:9000"));
    }

    #[test]
    fn an_empty_setting_is_named() {
        let rules = Rules::new("https://id.example", "", "tenant", "role");
        assert_eq!(rules, Err(RulesError::Empty { name: "audience" }));
        let rules = Rules::new("https://id.example", "a", "tenant", "");
        assert_eq!(rules, Err(RulesError::Empty { name: "role claim" }));
    }

    #[test]
    fn discovery_stands_below_the_issuer_with_or_without_a_slash() {
        for issuer in [
            "https://id.example/realms/one",
            "https://id.example/realms/one/",
        ] {
            let rules = Rules::new(issuer, "aureole", "tenant", "role").unwrap();
            assert_eq!(
                rules.discovery(),
                "https://id.example/realms/one/.well-known/openid-configuration"
            );
        }
    }

    #[test]
    fn a_claim_is_found_by_name_and_by_pointer() {
        let claims = json!({"role": "admin", "realm": {"roles": ["author", 7, "other"]}, "n": 1});
        let texts = |claim: &str| Claim(claim.to_owned()).texts(&claims);
        assert_eq!(texts("role"), ["admin"]);
        assert_eq!(texts("/realm/roles"), ["author", "other"]);
        assert!(texts("n").is_empty());
        assert!(texts("realm/roles").is_empty());
    }
}
