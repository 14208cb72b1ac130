//! Domain results to responses: the one file where a problem meets HTTP.
//!
//! A handler's refusal travels as an extension of an empty response; [`render`] writes it once the
//! request's id is known. So no answer leaves without one, and nothing else writes error bodies.

use aureole_api::{MEDIA_TYPE, Problem, codes};
use aureole_ledger::Digest;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::Blob;

/// What a handler gives.
pub(crate) type Answer = Result<Response, Refusal>;

/// A problem on its way out.
#[derive(Clone, Debug)]
pub(crate) struct Refusal(pub(crate) Problem);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status(&self.0);
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the problem of a refused request into its response.
pub(crate) fn render(mut response: Response, request_id: &str) -> (Response, Option<Problem>) {
    let Some(Refusal(problem)) = response.extensions_mut().remove::<Refusal>() else {
        return (response, None);
    };
    let problem = problem.of_request(request_id);
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(header::CONTENT_LENGTH, body.len().into());
    if let Some(seconds) = problem.retry_seconds() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if problem.status() == 401 {
        let scheme = HeaderValue::from_static("Bearer");
        headers.insert(header::WWW_AUTHENTICATE, scheme);
    }
    // The rest of such a body is not worth reading.
    if leaves_a_body_unread(&problem) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    *response.body_mut() = body.into();
    (response, Some(problem))
}

fn leaves_a_body_unread(problem: &Problem) -> bool {
    [
        codes::request::TOO_LARGE,
        codes::plugin::TOO_LARGE,
        codes::request::TIMEOUT,
        codes::access::UNAUTHENTICATED,
        codes::access::FORBIDDEN,
    ]
    .into_iter()
    .any(|code| problem.is(code))
}

fn status(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A document with a validator of its bytes; `304` when the caller has it.
///
/// # Errors
/// When the document cannot be written, which is a fault of ours.
pub(crate) fn document(document: &impl Serialize, request: &HeaderMap) -> Answer {
    let bytes = written(document)?;
    let tag = entity_tag(&Digest::of(&bytes));
    let headers = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, "private, no-cache".into()),
    ];
    if names(request, &header::IF_NONE_MATCH, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Ok((headers, kind, bytes).into_response())
}

/// Refuses a request that is meant for another state of a document than the one here.
///
/// # Errors
/// `request.precondition` when `If-Match` names other validators.
pub(crate) fn check_precondition(
    document: &impl Serialize,
    request: &HeaderMap,
) -> Result<(), Problem> {
    let tag = entity_tag(&Digest::of(&written(document)?));
    if names(request, &header::IF_MATCH, &tag) {
        return Ok(());
    }
    let detail = format!("it is {tag} now");
    Err(Problem::new(codes::request::PRECONDITION, detail))
}

fn written(document: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(document).map_err(|error| {
        tracing::error!(%error, "an answer cannot be written");
        Problem::new(codes::node::INTERNAL, "the answer cannot be written")
    })
}

/// Whole bytes with their digest as the validator; `304` when the caller has them.
pub(crate) fn blob(blob: Blob, request: &HeaderMap) -> Response {
    let tag = entity_tag(&blob.digest);
    let headers = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, "private, no-cache".into()),
    ];
    if names(request, &header::IF_NONE_MATCH, &tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
    (headers, kind, blob.bytes).into_response()
}

/// The validator of bytes.
pub(crate) fn entity_tag(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

/// Whether one of a header's validators is this one; `*` is every one.
pub(crate) fn names(request: &HeaderMap, header: &HeaderName, tag: &str) -> bool {
    let lists = request
        .get_all(header)
        .iter()
        .filter_map(|value| value.to_str().ok());
    lists
        .flat_map(|list| list.split(','))
        .map(|each| each.trim().trim_start_matches("W/"))
        .any(|each| each == tag || each == "*")
}
