//! Uploading a component, with progress.

use std::time::Duration;

use aureole_api::rest::Plugin;
use bytes::Bytes;
use futures::stream;
use reqwest::{Body, Method, StatusCode, header};

use crate::{
    Client, Error,
    client::{path, wait_query},
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
        let request = self
            .http
            .request(Method::POST, &path(&["plugins"]))
            .query(&wait_query(wait))
            .header(header::CONTENT_TYPE, "application/wasm")
            .header(header::CONTENT_LENGTH, total)
            .body(Body::wrap_stream(chunks));
        let answer = self.http.send(request, wait).await?;
        let new = answer.status != StatusCode::OK;
        Ok((answer.document()?, new))
    }
}
