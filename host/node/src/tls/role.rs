//! What a process is in a cluster, as its certificate says.

use std::fmt;
use std::str::FromStr;

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Longest name of a process or a cluster, in bytes: a host name fits.
const NAME_BYTES_MAX: usize = 64;

/// The scheme of the name in a certificate.
const SCHEME: &str = "aureole://";

/// What a process may do in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// A member of the Raft group.
    Coordinator,
    /// Takes leases, proves.
    Worker,
    /// Serves the REST API and relays to the leader.
    Gateway,
    /// A person's command line.
    Admin,
}

/// Whose certificate it is: `aureole://CLUSTER/ROLE/PROCESS`, as a URI in its alternative names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The cluster's id.
    pub cluster: String,
    /// What the process may do.
    pub role: Role,
    /// The process.
    pub process: String,
}

// === impl Role ===

impl Role {
    /// The word in certificates, configuration and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::Worker => "worker",
            Self::Gateway => "gateway",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Coordinator, Self::Worker, Self::Gateway, Self::Admin]
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or(())
    }
}

// === impl Name ===

impl Name {
    /// A name, if both texts can stand in one.
    #[must_use]
    pub fn new(cluster: &str, role: Role, process: &str) -> Option<Self> {
        (is_plain(cluster) && is_plain(process)).then(|| Self {
            cluster: cluster.to_owned(),
            role,
            process: process.to_owned(),
        })
    }

    /// The name in a certificate, DER. Whether the certificate is to be trusted is another matter:
    /// TLS has decided that before anybody asks.
    #[must_use]
    pub fn of_certificate(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = certificate.subject_alternative_name().ok()??;
        names
            .value
            .general_names
            .iter()
            .find_map(|name| match name {
                GeneralName::URI(uri) => uri.parse().ok(),
                _ => None,
            })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}/{}", self.cluster, self.role, self.process)
    }
}

impl FromStr for Name {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.strip_prefix(SCHEME).ok_or(())?.split('/');
        let (Some(cluster), Some(role), Some(process), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(());
        };
        Self::new(cluster, role.parse()?, process).ok_or(())
    }
}

/// Whether a text can be a part of a name: letters, digits, `.`, `-` and `_`.
fn is_plain(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    //! Names survive being written; what is none is refused.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::{Name, Role};

    #[test]
    fn a_name_reads_back_as_it_was_written() {
        let name = Name::new("c1", Role::Worker, "host-7.example").unwrap();
        assert_eq!(name.to_string(), "aureole://c1/worker/host-7.example");
        assert_eq!(name.to_string().parse(), Ok(name));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "",
            "https://c1/worker/a",
            "aureole://c1/worker",
            "aureole://c1/root/a",
            "aureole://c1/worker/a/b",
            "aureole://c1/worker/",
            "aureole://c1/worker/a b",
        ] {
            assert_eq!(text.parse::<Name>(), Err(()), "{text}");
        }
        assert_eq!(Name::new("c1", Role::Worker, &"a".repeat(65)), None);
    }

    #[test]
    fn bytes_that_are_no_certificate_have_no_name() {
        assert_eq!(Name::of_certificate(b"certificate"), None);
    }
}
