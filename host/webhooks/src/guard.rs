//! Where events may go: the URL when a webhook is made, the address at each connection.
//!
//! A URL is refused for what it says; what its name leads to is decided by the addresses, of which
//! every one must be allowed. Names are never judged by their text: whoever owns a zone writes into it
//! what he likes.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use thiserror::Error;
use url::{Host, Url};

use crate::limits::{PORTS, URL_BYTES_MAX};
use crate::range::not_public;

/// What may be reached. `Default` is the public internet by HTTPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Networks that are not public and may be reached all the same.
    pub allow: Vec<IpNet>,
    /// Whether those, and only those, may be reached without TLS.
    pub allow_http: bool,
    /// Ports that may be connected to.
    pub ports: BTreeSet<u16>,
}

/// A URL that may be used, as far as its text says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub(crate) url: Url,
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    pub(crate) tls: bool,
}

/// Why a receiver may not be reached.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denied {
    /// The URL is longer than any real one.
    #[error("the URL has {bytes} bytes, the limit is {max}")]
    TooLong {
        /// Its length.
        bytes: u64,
        /// The most allowed.
        max: u64,
    },
    /// The text is no URL.
    #[error("it is no URL: {reason}")]
    NoUrl {
        /// What the parser met.
        reason: String,
    },
    /// The scheme is not allowed.
    #[error("the scheme is {scheme}, allowed is {allowed}")]
    Scheme {
        /// The scheme given.
        scheme: String,
        /// What is allowed here.
        allowed: &'static str,
    },
    /// A user or a password stands in it.
    #[error("it holds a user or a password, which are never sent")]
    Credentials,
    /// It has a fragment, which no receiver would see.
    #[error("it has a fragment, which is never sent")]
    Fragment,
    /// The port is not one of those allowed.
    #[error("the port is {port}, allowed are {}", allowed.iter().map(u16::to_string).collect::<Vec<_>>().join(", "))]
    Port {
        /// The port given.
        port: u16,
        /// Those allowed.
        allowed: BTreeSet<u16>,
    },
    /// The name leads to an address that may not be reached.
    #[error("its host leads to {address}, which is {what}")]
    Address {
        /// The address.
        address: IpAddr,
        /// Which kind.
        what: &'static str,
    },
    /// Without TLS only allowed networks are reached.
    #[error("without TLS {address} may not be reached: it is in none of the allowed networks")]
    NeedsTls {
        /// The address.
        address: IpAddr,
    },
    /// The name leads nowhere.
    #[error("its host does not resolve: {reason}")]
    Unresolved {
        /// What the resolver said.
        reason: String,
    },
    /// The name leads nowhere, or to what may not be reached: which of them is nothing for strangers,
    /// who could ask what the names inside lead to.
    #[error("its host leads to no address that may be reached")]
    Nowhere,
    /// Nobody looked: too much is going on.
    #[error("{max} receivers are being looked for, the most at a time")]
    Busy {
        /// The most at a time.
        max: u64,
    },
}

// === impl Rules ===

impl Default for Rules {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            allow_http: false,
            ports: PORTS.into_iter().collect(),
        }
    }
}

impl Rules {
    /// Checks what a URL says.
    ///
    /// # Errors
    /// Each [`Denied`] but those about addresses.
    pub fn target(&self, text: &str) -> Result<Target, Denied> {
        if text.len() > URL_BYTES_MAX {
            return Err(Denied::TooLong {
                bytes: text.len() as u64,
                max: URL_BYTES_MAX as u64,
            });
        }
        // The parser is the browsers': `0x7f000001`, `127.1` and `2130706433` come out as addresses.
        let url = Url::parse(text).map_err(|error| Denied::NoUrl {
            reason: error.to_string(),
        })?;
        let tls = match url.scheme() {
            "https" => true,
            "http" if self.allow_http => false,
            scheme => {
                return Err(Denied::Scheme {
                    scheme: scheme.to_owned(),
                    allowed: if self.allow_http {
                        "https or http"
                    } else {
                        "https"
                    },
                });
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Denied::Credentials);
        }
        if url.fragment().is_some() {
            return Err(Denied::Fragment);
        }
        let no_host = || Denied::NoUrl {
            reason: "it names no host".to_owned(),
        };
        let host = url.host().ok_or_else(no_host)?.to_owned();
        let port = url.port_or_known_default().ok_or_else(no_host)?;
        if !self.ports.contains(&port) {
            return Err(Denied::Port {
                port,
                allowed: self.ports.clone(),
            });
        }
        Ok(Target {
            url,
            host,
            port,
            tls,
        })
    }

    /// Checks the addresses that a target's host leads to. One that is not allowed spoils all: a
    /// name with a public and a private one is an attack or a mistake.
    ///
    /// # Errors
    /// [`Denied::Address`], [`Denied::NeedsTls`], and [`Denied::Unresolved`] without any.
    pub fn addresses(&self, target: &Target, addresses: &[IpAddr]) -> Result<(), Denied> {
        if addresses.is_empty() {
            return Err(Denied::Unresolved {
                reason: "it has no address".to_owned(),
            });
        }
        for &address in addresses {
            let allowed = self.allow.iter().any(|net| net.contains(&address));
            if allowed {
                continue;
            }
            if let Some(what) = not_public(address) {
                return Err(Denied::Address { address, what });
            }
            if !target.tls {
                return Err(Denied::NeedsTls { address });
            }
        }
        Ok(())
    }
}

// === impl Target ===

impl Target {
    /// Returns the host's address, where the URL holds one.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self.host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
        }
    }

    /// What a stranger is told of a refusal: where a name leads stays in the log.
    pub(crate) fn told(&self, denied: Denied) -> Denied {
        match denied {
            Denied::Address { .. } | Denied::NeedsTls { .. } | Denied::Unresolved { .. }
                if self.address().is_none() =>
            {
                tracing::debug!(host = %self.host, reason = %denied, "a receiver is refused");
                Denied::Nowhere
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    //! The hostile list of URLs, each refused for its reason.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use std::net::IpAddr;

    use super::{Denied, Rules};

    /// What the rules say of a URL whose host is or leads to an address.
    fn judge(rules: &Rules, url: &str, leads_to: &str) -> Result<(), Denied> {
        let target = rules.target(url)?;
        let address = target.address();
        let address = address.unwrap_or_else(|| leads_to.parse().unwrap());
        rules.addresses(&target, &[address])
    }

    #[test]
    fn what_a_url_says_is_refused_by_name() {
        let rules = Rules::default();
        let judge = |url: &str| judge(&rules, url, "1.1.1.1").unwrap_err();
        for url in ["http://a.example/", "file:///etc/passwd", "gopher://a/"] {
            assert!(matches!(judge(url), Denied::Scheme { .. }), "{url}");
        }
        for url in ["", "a.example", "https://", "https://[::1", "//a.example/"] {
            assert!(matches!(judge(url), Denied::NoUrl { .. }), "{url}");
        }
        assert_eq!(judge("https://user:pass@a.example/"), Denied::Credentials);
        assert_eq!(judge("https://user@a.example/"), Denied::Credentials);
        assert_eq!(judge("https://:p@a.example/"), Denied::Credentials);
        assert_eq!(judge("https://a.example/#x"), Denied::Fragment);
        for port in [22, 25, 80, 6379, 8080] {
            let denied = judge(&format!("https://a.example:{port}/"));
            assert!(matches!(denied, Denied::Port { .. }), "{port}");
        }
        let long = format!("https://a.example/{}", "x".repeat(10_000));
        assert!(matches!(judge(&long), Denied::TooLong { max: 1024, .. }));
    }

    #[test]
    fn a_host_that_is_an_inner_address_is_refused_however_it_is_written() {
        let rules = Rules::default();
        for host in [
            "127.1",
            "0x7f000001",
            "0x7f.1",
            "2130706433",
            "0177.0.0.1",
            "0",
            "127.0.0.1.",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "169.254.169.254",
            "[fd00:ec2::254]",
            "[fe80::1]",
            "10.0.0.1",
            "192.168.0.1",
            "100.100.100.200",
        ] {
            let denied = judge(&rules, &format!("https://{host}/"), "1.1.1.1").unwrap_err();
            assert!(matches!(denied, Denied::Address { .. }), "{host}: {denied}");
        }
    }

    #[test]
    fn a_name_is_refused_for_where_it_leads() {
        let rules = Rules::default();
        for (name, address) in [
            ("localhost", "127.0.0.1"),
            ("localhost", "::1"),
            ("metadata.google.internal", "169.254.169.254"),
            ("rebound.example", "10.1.2.3"),
        ] {
            let denied = judge(&rules, &format!("https://{name}/"), address).unwrap_err();
            assert!(matches!(denied, Denied::Address { .. }), "{name}");
        }
        let target = rules.target("https://mixed.example/").unwrap();
        let mixed: [IpAddr; 2] = ["1.1.1.1".parse().unwrap(), "10.0.0.1".parse().unwrap()];
        assert!(rules.addresses(&target, &mixed).is_err());
        assert!(rules.addresses(&target, &mixed[..1]).is_ok());
        let nowhere = rules.addresses(&target, &[]).unwrap_err();
        assert!(matches!(nowhere, Denied::Unresolved { .. }));
    }

    #[test]
    fn allowed_networks_are_reached_with_and_without_tls_and_nothing_else_without() {
        let rules = Rules {
            allow: vec!["10.0.0.0/8".parse().unwrap()],
            allow_http: true,
            ports: [80, 443].into_iter().collect(),
        };
        assert_eq!(judge(&rules, "http://hooks.internal/", "10.1.2.3"), Ok(()));
        assert_eq!(judge(&rules, "https://hooks.internal/", "10.1.2.3"), Ok(()));
        let denied = judge(&rules, "http://a.example/", "1.1.1.1").unwrap_err();
        assert!(matches!(denied, Denied::NeedsTls { .. }), "{denied}");
        let disguised = judge(&rules, "http://[::ffff:10.1.2.3]/", "");
        assert!(matches!(disguised, Err(Denied::Address { .. })));
        assert!(judge(&rules, "http://hooks.internal/", "192.168.0.1").is_err());
        assert!(judge(&rules, "ftp://hooks.internal/", "10.1.2.3").is_err());
    }

    #[test]
    fn an_ordinary_receiver_is_allowed() {
        let rules = Rules::default();
        for url in [
            "https://hooks.example/aureole?tenant=7",
            "https://hooks.example:8443/",
            "https://1.1.1.1/",
            "https://[2606:4700:4700::1111]/",
            "https://b\u{fc}cher.example/",
        ] {
            assert_eq!(judge(&rules, url, "1.1.1.1"), Ok(()), "{url}");
        }
    }
}
