//! How a worker or a gateway gets its certificate with a join token and nothing else.
//!
//! ```text
//!  joiner: key, request ── TLS pinned to the token's authority ──▸ coordinator with the authority's key
//!          certificate  ◂── sealed by this authority, not expired ──┘
//! ```
//!
//! The key never leaves the joiner. Only coordinators with `tls.enrol = true` sign.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aureole_api::internal::v1::enrol_client::EnrolClient;
use aureole_api::internal::v1::enrol_server::{self, EnrolServer};
use aureole_api::internal::v1::{SignReply, SignRequest};
use tonic::{Code, Request, Response, Status};

use crate::config::{Config, NodeRole};
use crate::tls::{
    Authority, AuthorityError, FileError, Identity, IdentityError, KeyRequest, Role, Token,
    TokenError, TransportError, enrolment_endpoint, explain,
};

/// A token, a name and a request are 2 KiB together.
const MESSAGE_BYTES_MAX: usize = 16 << 10;

/// A coordinator that has not answered by then does not.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a process did not get a certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnrolError {
    /// The process is not one that joins by a token.
    #[error(
        "a coordinator does not join by a token: `aureole cluster certificate` makes its certificate"
    )]
    Coordinator,
    /// The token is of no use here.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The address is none.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The key or the request cannot be made.
    #[error(transparent)]
    Request(#[from] AuthorityError),
    /// The certificate that stands in the folder cannot be used.
    #[error("the certificate that is already there cannot be used")]
    Identity(#[from] IdentityError),
    /// The coordinator did not sign.
    #[error("the coordinator at {address}: {reason}")]
    Refused {
        /// Who was asked.
        address: String,
        /// What it said, or why it was not reached.
        reason: String,
    },
    /// What came back is no certificate for this key.
    #[error("the coordinator at {address} sent a certificate for another key, name or role")]
    Foreign {
        /// Who was asked.
        address: String,
    },
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Signs for those who have a token.
#[derive(Debug)]
pub(crate) struct EnrolService {
    authority: Option<Arc<Authority>>,
}

// === impl EnrolService ===

impl EnrolService {
    /// The service; without an authority it says so to whoever asks.
    pub(crate) fn server(authority: Option<Authority>) -> EnrolServer<Self> {
        let authority = authority.map(Arc::new);
        EnrolServer::new(Self { authority }).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }
}

#[async_trait]
impl enrol_server::Enrol for EnrolService {
    async fn sign(&self, request: Request<SignRequest>) -> Result<Response<SignReply>, Status> {
        let Some(authority) = &self.authority else {
            return Err(Status::failed_precondition(
                "this coordinator signs no certificates: ask one with tls.enrol = true, or use \
                 `aureole cluster certificate`",
            ));
        };
        let request = request.into_inner();
        let refused = |error: TokenError| Status::unauthenticated(error.to_string());
        let token: Token = request.token.parse().map_err(refused)?;
        let role = authority.accept(&token).map_err(refused)?;
        let certificate = authority
            .answer(role, &request.name, &request.request)
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        tracing::info!(%role, name = request.name, "signed a certificate for a join token");
        Ok(Response::new(SignReply { certificate }))
    }
}

/// Gets a certificate for the process of this configuration, unless it has one that can be used.
/// Says whether it got one.
///
/// # Errors
/// [`EnrolError`].
pub async fn enrol(config: &Config, address: &str, token: &Token) -> Result<bool, EnrolError> {
    if config.is(NodeRole::Coordinator) {
        return Err(EnrolError::Coordinator);
    }
    let role = match config.is(NodeRole::Gateway) {
        true => Role::Gateway,
        false => Role::Worker,
    };
    let folder = config.tls_dir();
    if !Identity::is_absent(&folder) {
        // Never over a certificate that is there: it may be another's.
        Identity::load(&folder, role)?;
        return Ok(false);
    }
    token.is_for(role)?;
    let name = match &config.worker.name {
        Some(name) if role == Role::Worker => name.clone(),
        _ => format!("{role}-{}", drawn()?),
    };
    let request = KeyRequest::new()?;
    let sign = SignRequest {
        token: token.text().to_owned(),
        name: name.clone(),
        request: request.der().to_vec(),
    };
    let channel = enrolment_endpoint(address, token)?
        .timeout(PATIENCE)
        .connect_lazy();
    let reply = EnrolClient::new(channel).sign(sign).await;
    let reply = reply.map_err(|status| EnrolError::Refused {
        address: address.to_owned(),
        reason: said(&status),
    })?;
    let certificate = reply.into_inner().certificate;
    let identity = request.identity(token, role, &name, certificate);
    let identity = identity.ok_or_else(|| EnrolError::Foreign {
        address: address.to_owned(),
    })?;
    identity.store(&folder)?;
    tracing::info!(name = %identity.name(), folder = %folder.display(), "joined the cluster");
    Ok(true)
}

fn drawn() -> Result<String, AuthorityError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(AuthorityError::Randomness)?;
    Ok(hex::encode(bytes))
}

fn said(status: &Status) -> String {
    match status.code() {
        Code::Unimplemented => "it is no coordinator that takes tokens".to_owned(),
        _ => explain(status).unwrap_or_else(|| status.message().to_owned()),
    }
}

#[cfg(test)]
mod tests;
