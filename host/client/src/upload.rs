//! Uploading a component, with progress.

use std::time::Duration;

use aureole_api::rest::{ComponentSignature, Plugin, SIGNATURE_HEADER};
use bytes::Bytes;
use futures::stream;
use reqwest::{Body, Method, StatusCode, header};

use crate::{
    Client, Error,
    client::{path, wait_query},
    retry::Twice,
};

/// Bytes handed to the connection at a time: small enough for a progress bar to move, large
/// enough to cost nothing.
const CHUNK: usize = 64 * 1024;

// === impl Client ===

impl Client {
    /// Uploads a component and waits for its inspection. `true` says that it is new here.
    ///
    /// `progress` gets the bytes handed to the connection so far and the total; a component that
    /// is refused early may never reach its total. A plugin that is still being inspected after
    /// `wait` is an answer, not an error.
    ///
    /// # Errors
    /// [`Error::Problem`] when the component is refused; see [`Error`] for the rest.
    pub async fn upload_plugin(
        &self,
        component: Bytes,
        wait: Duration,
        progress: impl FnMut(u64, u64) + Send + Sync + 'static,
    ) -> Result<(Plugin, bool), Error> {
        self.publish_plugin(component, None, wait, progress).await
    }

    /// Uploads a component as [`Client::upload_plugin`] does, with its publisher's signature.
    ///
    /// # Errors
    /// As [`Client::upload_plugin`]; a signature that the node refuses is a
    /// [`Error::Problem`] with `plugin.signature` or `plugin.signer_untrusted`.
    pub async fn publish_plugin(
        &self,
        component: Bytes,
        signature: Option<&ComponentSignature>,
        wait: Duration,
        mut progress: impl FnMut(u64, u64) + Send + Sync + 'static,
    ) -> Result<(Plugin, bool), Error> {
        let total = component.len();
        let mut rest = component;
        let chunks = stream::iter(std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let chunk = rest.split_to(rest.len().min(CHUNK));
            progress((total - rest.len()) as u64, total as u64);
            Some(Ok::<_, std::convert::Infallible>(chunk))
        }));
        let mut request = self
            .http
            .request(Method::POST, &path(&["plugins"]))
            .query(&wait_query(wait))
            .header(header::CONTENT_TYPE, "application/wasm")
            .header(header::CONTENT_LENGTH, total)
            .body(Body::wrap_stream(chunks));
        if let Some(signature) = signature {
            request = request.header(SIGNATURE_HEADER, signature.to_string());
        }
        let answer = self.http.send(request, wait, Twice::Same).await?;
        let new = answer.status != StatusCode::OK;
        Ok((answer.document()?, new))
    }
}
