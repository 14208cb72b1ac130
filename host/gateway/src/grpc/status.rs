//! Problems as gRPC statuses: the one file where a problem meets gRPC.

use aureole_api::{Problem, codes};
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode},
    response::Response,
};
use tonic::{Code, Status, metadata::MetadataValue};

use crate::{answer::Refusal, limits};

/// The stable code of a refusal.
const CODE: &str = "aureole-code";
/// The place in the request.
const PATH: &str = "aureole-path";
/// The task that met the problem.
const TASK: &str = "aureole-task";
/// When to come again, in seconds.
const RETRY_AFTER: &str = "retry-after";
/// Tonic's own word on how a call ended.
const GRPC_STATUS: &str = "grpc-status";

/// A problem as a status.
pub(super) fn of(problem: &Problem) -> Status {
    // A head has room for so much, percent-encoded.
    let message: String = problem
        .detail()
        .chars()
        .take(limits::GRPC_DETAIL_MAX as usize)
        .collect();
    let mut status = Status::new(code(problem), message);
    let retry_after = problem.retry_seconds().map(|seconds| seconds.to_string());
    let named = [
        (CODE, Some(problem.code())),
        (PATH, problem.path()),
        (TASK, problem.task()),
        (RETRY_AFTER, retry_after.as_deref()),
    ];
    for (key, value) in named {
        // A path may hold what a header may not.
        if let Some(Ok(value)) = value.map(MetadataValue::try_from) {
            status.metadata_mut().insert(key, value);
        }
    }
    status
}

fn code(problem: &Problem) -> Code {
    let unimplemented = [
        codes::request::ROUTE,
        codes::request::METHOD,
        codes::request::CONTENT_ENCODING,
    ];
    if unimplemented.into_iter().any(|code| problem.is(code)) {
        return Code::Unimplemented;
    }
    match problem.status() {
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::NotFound,
        408 | 504 => Code::DeadlineExceeded,
        409 | 412 => Code::FailedPrecondition,
        413 | 429 | 507 => Code::ResourceExhausted,
        400..=499 => Code::InvalidArgument,
        503 => Code::Unavailable,
        _ => Code::Internal,
    }
}

/// Writes the refusal of a gRPC request into its response.
pub(crate) fn render(mut response: Response) -> (Response, Option<Problem>) {
    let Some(Refusal(problem)) = response.extensions_mut().remove::<Refusal>() else {
        // What a verb refused is a status already; the log wants to know of it.
        let told = refused(response.headers());
        return (response, told);
    };
    (of(&problem).into_http(), Some(problem))
}

/// The problem in the head of an answer, if it has one.
fn refused(headers: &HeaderMap) -> Option<Problem> {
    let code = headers.get(CODE)?.to_str().ok()?;
    Some(Problem::named(code, message(headers)))
}

/// Gives a status that is tonic's own a stable code: it speaks of the message or the route, for
/// whatever is ours has one.
pub(crate) fn settle(mut response: Response) -> Response {
    let headers = response.headers();
    let Some(status) = headers.get(GRPC_STATUS) else {
        return response;
    };
    if status == "0" || headers.contains_key(CODE) {
        return response;
    }
    let own = Code::from_bytes(status.as_bytes());
    let problem = of_tonic(own, &message(headers));
    response.extensions_mut().insert(Refusal(problem));
    *response.status_mut() = StatusCode::OK;
    response
}

/// The problem that a status was made of, or what tonic means by its own.
pub(super) fn read(status: &Status) -> Problem {
    match status.metadata().get(CODE).map(MetadataValue::to_str) {
        Some(Ok(code)) => Problem::named(code, status.message()),
        _ => of_tonic(status.code(), status.message()),
    }
}

/// What tonic says of a call that did not reach a verb.
fn of_tonic(own: Code, message: &str) -> Problem {
    let code = match own {
        Code::OutOfRange | Code::ResourceExhausted => codes::request::TOO_LARGE,
        Code::Unimplemented if message.contains("ompress") || message.contains("ncoding") => {
            codes::request::CONTENT_ENCODING
        }
        Code::Unimplemented => codes::request::ROUTE,
        _ => codes::request::MESSAGE,
    };
    Problem::new(code, message)
}

fn message(headers: &HeaderMap) -> String {
    let text = headers.get("grpc-message").map(HeaderValue::as_bytes);
    let text = String::from_utf8_lossy(text.unwrap_or_default()).replace("%20", " ");
    if text.is_empty() {
        "the call does not read".to_owned()
    } else {
        text
    }
}
