//! One attempt: look up, check, connect to just that address, speak TLS with the name, post, read the
//! status.
//!
//! No redirect is followed, no proxy is asked, no cookie or credential is sent, no answer is kept. A
//! connection is used once.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aureole_ledger::Failure;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, Response, client::conn::http1};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_util::task::AbortOnDropHandle;
use url::Host;

use crate::guard::{Denied, Rules, Target};
use crate::limits::{
    ADDRESSES_TRIED_MAX, ANSWER_BYTES_MAX, ANSWER_END_MAX, ANSWER_FIELDS_MAX, ATTEMPT_MAX,
};
use crate::resolve::{Resolve, ResolveError};
use crate::sign::SigningKey;

/// Makes attempts.
#[derive(Clone)]
pub struct Sender {
    rules: Arc<Rules>,
    resolver: Arc<dyn Resolve>,
    tls: TlsConnector,
    patience: Duration,
}

/// What is sent.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// Names the event over all attempts; holds no full stop.
    pub id: &'a str,
    /// When this attempt is made, in seconds since the epoch.
    pub seconds: u64,
    /// JSON.
    pub body: Bytes,
    /// Signs it.
    pub key: &'a SigningKey,
}

/// Why an attempt did not succeed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SendError {
    /// The receiver may not be reached.
    #[error("the receiver may not be reached")]
    Denied(#[from] Denied),
    /// No connection.
    #[error("no connection to {address}")]
    Connect {
        /// The last address that was tried.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// No TLS: most often a certificate that is not good for the name.
    #[error("no TLS with {name}")]
    Tls {
        /// The name that was asked for.
        name: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The answer is no HTTP, or larger than any.
    #[error("no HTTP answer")]
    Answer(#[source] hyper::Error),
    /// No answer in time.
    #[error("no answer within {} ms", limit.as_millis())]
    Timeout {
        /// How long an attempt may take.
        limit: Duration,
    },
    /// An answer that is no success; a redirect is none.
    #[error("the receiver answered {status}")]
    Status {
        /// The status.
        status: u16,
    },
}

/// Why a file of authorities cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrustError {
    /// It cannot be read, or is no PEM.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It holds no certificate.
    #[error("{path} holds no certificate")]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// The head of an answer, and what its body comes by.
type Answer = (Response<Incoming>, AbortOnDropHandle<()>);

// === impl Sender ===

impl Sender {
    /// A sender that trusts the world's authorities and, where a file is given, those in it.
    ///
    /// # Errors
    /// [`TrustError`] when the file cannot be used.
    pub fn new(
        rules: Rules,
        resolver: Arc<dyn Resolve>,
        authorities: Option<&Path>,
    ) -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        if let Some(path) = authorities {
            add_file(&mut roots, path)?;
        }
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            rules: Arc::new(rules),
            resolver,
            tls: TlsConnector::from(Arc::new(config)),
            patience: ATTEMPT_MAX,
        })
    }

    /// The same sender with another limit on an attempt's time.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Checks a URL and where it leads now, without a connection.
    ///
    /// # Errors
    /// [`Denied`]: what is wrong with it, as a stranger may know it.
    pub async fn check(&self, url: &str) -> Result<(), Denied> {
        let target = self.rules.target(url)?;
        let found = tokio::time::timeout(self.patience, self.look_up(&target)).await;
        let found = found.unwrap_or_else(|_| {
            Err(Denied::Unresolved {
                reason: "the resolver does not answer".to_owned(),
            })
        });
        found.map(drop).map_err(|denied| target.told(denied))
    }

    /// Makes one attempt; answers with the status of a success.
    ///
    /// # Errors
    /// [`SendError`]. Whether the receiver has the letter is certain only for a success.
    pub async fn send(&self, url: &str, letter: &Letter<'_>) -> Result<u16, SendError> {
        let limit = self.patience;
        let attempt = tokio::time::timeout(limit, self.attempt(url, letter)).await;
        let (response, _connection) = attempt.map_err(|_| SendError::Timeout { limit })??;
        let status = response.status();
        // What came of it is known; the rest is politeness, and bounded like everything.
        let rest = tokio::time::timeout(ANSWER_END_MAX, drain(response.into_body()));
        drop(rest.await);
        if status.is_success() {
            Ok(status.as_u16())
        } else {
            Err(SendError::Status {
                status: status.as_u16(),
            })
        }
    }

    async fn attempt(&self, url: &str, letter: &Letter<'_>) -> Result<Answer, SendError> {
        let target = self.rules.target(url)?;
        let addresses = self.look_up(&target).await?;
        let stream = connect(&addresses, target.port).await?;
        let request = request(&target, letter)?;
        if !target.tls {
            return post(stream, request).await;
        }
        let name = server_name(&target.host)?;
        let tls = self.tls.connect(name, stream).await;
        let stream = tls.map_err(|source| SendError::Tls {
            name: target.host.to_string(),
            source,
        })?;
        post(stream, request).await
    }

    /// The addresses that a target leads to now, each of them allowed.
    async fn look_up(&self, target: &Target) -> Result<Vec<IpAddr>, Denied> {
        let addresses = match (&target.host, target.address()) {
            (_, Some(address)) => vec![address],
            (host, None) => {
                let name = host.to_string();
                let found = self.resolver.resolve(&name, target.port).await;
                found.map_err(|error| match error {
                    ResolveError::Busy { max } => Denied::Busy { max },
                    error => Denied::Unresolved {
                        reason: error.to_string(),
                    },
                })?
            }
        };
        self.rules.addresses(target, &addresses)?;
        Ok(addresses)
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

// === impl SendError ===

impl SendError {
    /// The failure as the ledger notes it.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Denied(Denied::Unresolved { .. }) => Failure::Unresolved,
            // Nobody looked, so nothing is said of the receiver.
            Self::Denied(Denied::Busy { .. }) => Failure::Unattempted,
            Self::Denied(_) => Failure::Denied,
            Self::Connect { .. } => Failure::Connect,
            Self::Tls { .. } => Failure::Tls,
            Self::Answer(_) => Failure::Answer,
            Self::Timeout { .. } => Failure::Timeout,
            Self::Status { status } => Failure::Status(*status),
        }
    }
}

/// Connects to one of the addresses that were checked, and to no other.
async fn connect(addresses: &[IpAddr], port: u16) -> Result<TcpStream, SendError> {
    let mut last = None;
    for &address in addresses.iter().take(ADDRESSES_TRIED_MAX) {
        let address = SocketAddr::new(address, port);
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(source) => last = Some(SendError::Connect { address, source }),
        }
    }
    Err(last.unwrap_or_else(|| {
        SendError::Denied(Denied::Unresolved {
            reason: "it has no address".to_owned(),
        })
    }))
}

fn server_name(host: &Host<String>) -> Result<ServerName<'static>, SendError> {
    let name = match host {
        Host::Domain(name) => ServerName::try_from(name.trim_end_matches('.').to_owned()).ok(),
        Host::Ipv4(address) => Some(ServerName::from(IpAddr::from(*address))),
        Host::Ipv6(address) => Some(ServerName::from(IpAddr::from(*address))),
    };
    name.ok_or_else(|| {
        SendError::Denied(Denied::NoUrl {
            reason: format!("no certificate could be good for the host {host}"),
        })
    })
}

fn request(target: &Target, letter: &Letter<'_>) -> Result<Request<Full<Bytes>>, SendError> {
    let path = match target.url.query() {
        Some(query) => format!("{}?{query}", target.url.path()),
        None => target.url.path().to_owned(),
    };
    let host = match target.url.port() {
        Some(port) => format!("{}:{port}", target.host),
        None => target.host.to_string(),
    };
    let signature = letter.key.sign(letter.id, letter.seconds, &letter.body);
    let request = Request::post(path)
        .header(HOST, host)
        .header(CONTENT_TYPE, "application/json")
        .header(
            USER_AGENT,
            concat!("aureole-webhooks/", env!("CARGO_PKG_VERSION")),
        )
        .header(CONNECTION, "close")
        .header("webhook-id", letter.id)
        .header("webhook-timestamp", letter.seconds)
        .header("webhook-signature", signature)
        .body(Full::new(letter.body.clone()));
    request.map_err(|error| {
        SendError::Denied(Denied::NoUrl {
            reason: error.to_string(),
        })
    })
}

async fn post<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answer, SendError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(ANSWER_BYTES_MAX)
        .max_headers(ANSWER_FIELDS_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(SendError::Answer)?;
    let connection = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a receiver's connection ended");
        }
    });
    // Dropped with the attempt: a receiver that neither answers nor closes holds no socket.
    let connection = AbortOnDropHandle::new(connection);
    let response = sender.send_request(request).await;
    Ok((response.map_err(SendError::Answer)?, connection))
}

/// Reads an answer's body up to the limit and forgets it.
async fn drain(mut body: Incoming) {
    let mut left = ANSWER_BYTES_MAX;
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(bytes) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), TrustError> {
    let failed = |reason: String| TrustError::File {
        path: path.to_owned(),
        reason,
    };
    let certificates = CertificateDer::pem_file_iter(path).map_err(|e| failed(e.to_string()))?;
    let mut count = 0;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| failed(error.to_string()))?;
        count += 1;
    }
    if count == 0 {
        return Err(TrustError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(())
}
