//! What happens to every request, whatever its route: an id, a slot, a net under panics, one log
//! line without bodies, queries or values.

use std::{panic::AssertUnwindSafe, sync::Arc};

use aureole_api::{Problem, codes};
use aureole_telemetry::{TRACEPARENT, adopt, is_on};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures::FutureExt as _;
use tokio::time::Instant;
use tracing::{
    Instrument as _,
    field::{Empty, display},
};

use crate::{
    answer::{Refusal, render},
    client_address::{self, Peer},
    grpc,
    limits::REQUEST_ID_MAX,
    shared::Shared,
};

/// The header that names a request, both ways.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The routes of gRPC's health service.
const GRPC_HEALTH: &str = "/grpc.health.v1.";

/// Runs one request.
pub(crate) async fn run(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = request_id(request.headers());
    let method = request.method().clone();
    let is_grpc = grpc::is_grpc(request.headers());
    // The template, not the path: a path is the caller's text.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let peer = request.extensions().get::<Peer>().copied();
    let client = peer.map(|Peer(peer)| {
        let trusted = &shared.config.trusted_proxies;
        client_address::of(peer, request.headers(), trusted).to_string()
    });
    let span = tracing::info_span!(
        "request",
        otel.name = Empty,
        otel.kind = Empty,
        trace_id = Empty,
        status = Empty,
        request_id = %id,
        %method,
        route,
        client,
        tenant = Empty,
        credential = Empty
    );
    if is_on() {
        let name = format_args!("{method} {route}");
        span.record("otel.name", display(name));
        span.record("otel.kind", "server");
    }
    let parent = request.headers().get(TRACEPARENT);
    adopt(&span, parent.and_then(|parent| parent.to_str().ok()));
    let response = guarded(&shared, route, request, next)
        .instrument(span.clone())
        .await;
    let (mut response, problem) = if is_grpc {
        grpc::render(response)
    } else {
        render(response, &id)
    };
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    let _entered = span.enter();
    // A failed call of gRPC is a 200 to HTTP, and none to who counts.
    let status = problem.as_ref().map(Problem::status);
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.unwrap_or_else(|| response.status());
    if is_on() {
        span.record("status", status.as_u16());
    }
    let meters = &shared.config.meters;
    meters.answered(route, method.as_str(), status.as_str(), start.elapsed());
    log(&response, problem.as_ref(), start);
    response
}

/// Takes a slot, and turns a panic into an answer. Health needs no slot: a busy node is alive.
async fn guarded(shared: &Shared, route: &str, request: Request, next: Next) -> Response {
    let _slot = match Arc::clone(&shared.requests).try_acquire_owned() {
        Ok(slot) => Some(slot),
        Err(_) if route.starts_with("/health/") || route.starts_with(GRPC_HEALTH) => None,
        Err(_) => {
            let busy = Problem::new(codes::node::BUSY, "this node has too many requests in work");
            return Refusal(busy).into_response();
        }
    };
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            let problem = Problem::new(codes::node::INTERNAL, "the request's handler panicked");
            Refusal(problem).into_response()
        }
    }
}

/// The words of a refusal stay out of the log unless the fault is ours.
fn log(response: &Response, problem: Option<&Problem>, start: Instant) {
    let status = response.status().as_u16();
    let millis = start.elapsed().as_secs_f64() * 1000.0;
    let code = problem.map_or("", Problem::code);
    // A failed call of gRPC is a 200 to HTTP.
    if status == 500 || problem.is_some_and(|problem| problem.status() == 500) {
        let detail = problem.map_or("", Problem::detail);
        tracing::error!(status, code, detail, millis, "answered");
    } else {
        tracing::info!(status, code, millis, "answered");
    }
}

/// The caller's id if it is harmless in logs and headers, else a fresh one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    match given {
        Some(id) if is_harmless(id) => id.to_owned(),
        _ => fresh_id(),
    }
}

fn is_harmless(id: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !id.is_empty() && id.len() <= REQUEST_ID_MAX as usize && id.bytes().all(allowed)
}

fn fresh_id() -> String {
    let mut bytes = [0; 16];
    // Without randomness the id is still an id; it names the request in one log only.
    if getrandom::fill(&mut bytes).is_err() {
        tracing::error!("the operating system gives no randomness");
    }
    format!("req_{}", hex::encode(bytes))
}
