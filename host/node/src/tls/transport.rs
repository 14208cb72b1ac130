//! Connections between the processes of a cluster: TLS, or plain on the loopback interface.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aureole_coordinator::{Dial, DialError};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Server, ServerTlsConfig};

use super::{COORDINATOR_NAME, Guard, Identity, Role, Token};

/// A member that does not answer by then is asked later; another may be asked at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How often a silent connection is tried, and how long the answer may take: a peer that is cut off
/// is noticed within the sum, long before TCP would.
const KEEPALIVE: Duration = Duration::from_secs(2);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(3);

/// How this process speaks to others and lets itself be spoken to.
#[derive(Clone, Debug)]
pub enum Transport {
    /// Without encryption or authentication: loopback only, by explicit choice.
    Plain,
    /// Mutually authenticated.
    Tls(Arc<Identity>),
}

/// Why there is no connection to be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The address is none.
    #[error("`{address}` is no address: give HOST:PORT")]
    Address {
        /// The text.
        address: String,
    },
    /// Plain connections leave this machine.
    #[error(
        "{address} is not on the loopback interface: plain connections never leave the machine; turn \
         TLS on (tls.enabled) and see `aureole cluster init`"
    )]
    PlainAbroad {
        /// The address.
        address: String,
    },
    /// The certificate or key is not accepted.
    #[error("the certificate or key of this process is not usable")]
    Identity(#[source] tonic::transport::Error),
}

// === impl Transport ===

impl Transport {
    /// When this process's certificate ends, in seconds since 1970; `None` without one.
    #[must_use]
    pub fn certificate_ends(&self) -> Option<u64> {
        match self {
            Self::Plain => None,
            Self::Tls(identity) => identity.expires_at(),
        }
    }

    /// A server for this process's services. Whoever shows a certificate must show one of this
    /// cluster; what those without may call is the [`Guard`]s' business.
    ///
    /// # Errors
    /// [`TransportError::Identity`].
    pub fn server(&self) -> Result<Server, TransportError> {
        let server = Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE))
            .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT));
        match self {
            Self::Plain => Ok(server),
            Self::Tls(identity) => {
                let tls = ServerTlsConfig::new()
                    .identity(shown(identity))
                    .client_ca_root(Certificate::from_pem(identity.authority()))
                    .client_auth_optional(true);
                server.tls_config(tls).map_err(TransportError::Identity)
            }
        }
    }

    /// The way to a coordinator.
    ///
    /// # Errors
    /// [`TransportError`]: an address that is none or not allowed, or an identity that is not usable.
    pub fn endpoint(&self, address: &str) -> Result<Endpoint, TransportError> {
        match self {
            Self::Plain => {
                let loopback = is_loopback(address).ok_or_else(|| bad(address))?;
                if !loopback {
                    let address = address.to_owned();
                    return Err(TransportError::PlainAbroad { address });
                }
                endpoint("http", address)
            }
            Self::Tls(identity) => {
                let tls = ClientTlsConfig::new()
                    .ca_certificate(Certificate::from_pem(identity.authority()))
                    .identity(shown(identity))
                    .domain_name(COORDINATOR_NAME);
                endpoint("https", address)?
                    .tls_config(tls)
                    .map_err(TransportError::Identity)
            }
        }
    }

    /// Who may call a service.
    #[must_use]
    pub fn guard(&self, allowed: &'static [Role]) -> Guard {
        match self {
            Self::Plain => Guard::open(),
            Self::Tls(identity) => Guard::of(&identity.name().cluster, allowed),
        }
    }
}

impl Dial for Transport {
    fn channel(&self, address: &str) -> Result<Channel, DialError> {
        let endpoint = self.endpoint(address).map_err(|error| DialError {
            address: address.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(endpoint.connect_lazy())
    }
}

fn shown(identity: &Identity) -> tonic::transport::Identity {
    tonic::transport::Identity::from_pem(identity.certificate(), identity.key())
}

/// The way to a coordinator of a token's cluster, for a process that has no certificate yet.
pub(crate) fn enrolment_endpoint(address: &str, token: &Token) -> Result<Endpoint, TransportError> {
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(token.authority()))
        .domain_name(COORDINATOR_NAME);
    endpoint("https", address)?
        .tls_config(tls)
        .map_err(TransportError::Identity)
}

/// An endpoint with this house's timeouts.
pub(crate) fn endpoint(scheme: &str, address: &str) -> Result<Endpoint, TransportError> {
    if split(address).is_none() {
        return Err(bad(address));
    }
    Ok(Endpoint::from_shared(format!("{scheme}://{address}"))
        .map_err(|_| bad(address))?
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true))
}

/// Whether an address is on the loopback interface; `None` when it is no address.
pub(crate) fn is_loopback(address: &str) -> Option<bool> {
    let (host, _) = split(address)?;
    if host == "localhost" {
        return Some(true);
    }
    Some(
        address
            .parse::<SocketAddr>()
            .is_ok_and(|address| address.ip().is_loopback()),
    )
}

/// Host and port of an address.
fn split(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_[]:".contains(&byte);
    (!host.is_empty() && host.bytes().all(plain)).then_some((host, port.parse().ok()?))
}

fn bad(address: &str) -> TransportError {
    TransportError::Address {
        address: address.escape_debug().to_string(),
    }
}

#[cfg(test)]
mod tests {
    //! Plain stays at home; what is no address is named.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::{Transport, TransportError, is_loopback};

    #[test]
    fn plain_connections_never_leave_the_machine() {
        for near in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"] {
            assert!(Transport::Plain.endpoint(near).is_ok(), "{near}");
        }
        for far in [
            "10.0.0.1:1",
            "example.com:1",
            "0.0.0.0:1",
            "localhost.example:1",
        ] {
            let refused = Transport::Plain.endpoint(far).unwrap_err();
            assert!(
                matches!(refused, TransportError::PlainAbroad { .. }),
                "{far}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_named() {
        for text in [
            "",
            "host",
            ":1",
            "host:99999",
            "a b:1",
            "user@host:1",
            "host/path:1",
        ] {
            let refused = Transport::Plain.endpoint(text).unwrap_err();
            assert!(matches!(refused, TransportError::Address { .. }), "{text}");
            assert_eq!(is_loopback(text), None, "{text}");
        }
    }
}
