//! One document of an issuer's, inside limits: no redirect, no endless body, no waiting.

use std::sync::Arc;

use reqwest::{Client, redirect::Policy};
use thiserror::Error;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};
use url::Url;

use crate::limits::{DOCUMENT_BYTES_MAX, FETCH_MAX};
use crate::rules::is_private;

/// Why an issuer's keys are not to be had.
#[derive(Debug, Error)]
pub(crate) enum FetchError {
    /// No answer.
    #[error("{url} does not answer: {reason}")]
    Http {
        /// What was asked for.
        url: String,
        /// What happened.
        reason: String,
    },
    /// An answer without a document.
    #[error("{url} answers {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
    },
    /// Too much of one.
    #[error("{url} sends more than {max} B")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// The limit.
        max: usize,
    },
    /// Something else.
    #[error("{url} sends no document of its kind: {reason}")]
    Document {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The document is another issuer's.
    #[error("{url} speaks for `{found}`")]
    OtherIssuer {
        /// What was asked for.
        url: String,
        /// Whom it names.
        found: String,
    },
    /// The keys would come by a way on which others could change them.
    #[error("{url} is not https")]
    Open {
        /// Where they are.
        url: String,
    },
    /// None of the keys can sign a token here.
    #[error("{url} has no key that counts")]
    NoKey {
        /// Where they are.
        url: String,
    },
}

/// A client that trusts the authorities of this machine.
pub(crate) fn client() -> Result<Client, reqwest::Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = Client::builder()
        .redirect(Policy::none())
        .timeout(FETCH_MAX)
        .user_agent(concat!("aureole/", env!("CARGO_PKG_VERSION")));
    match config {
        Ok(config) => builder
            .tls_backend_preconfigured(config.with_root_certificates(roots).with_no_client_auth())
            .build(),
        Err(_) => builder.build(),
    }
}

/// Gets a document.
pub(crate) async fn document(client: &Client, url: &str) -> Result<Vec<u8>, FetchError> {
    let parsed = Url::parse(url).ok().filter(is_private);
    let parsed = parsed.ok_or_else(|| FetchError::Open {
        url: url.to_owned(),
    })?;
    let failed = |error: reqwest::Error| FetchError::Http {
        url: url.to_owned(),
        reason: error.without_url().to_string(),
    };
    let mut answer = client.get(parsed).send().await.map_err(failed)?;
    if !answer.status().is_success() {
        return Err(FetchError::Status {
            url: url.to_owned(),
            status: answer.status().as_u16(),
        });
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if bytes.len() + chunk.len() > DOCUMENT_BYTES_MAX {
            return Err(FetchError::TooLarge {
                url: url.to_owned(),
                max: DOCUMENT_BYTES_MAX,
            });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
