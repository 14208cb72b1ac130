//! The verbs in gRPC, on the gateway's own port: the same table of routes, guard, edge and limits
//! as REST, and the same calls of the platform.
//!
//! ```text
//! edge (id, slot, panic net) ▸ guard (caller) ▸ call (content type, grpc-timeout, body's limits, fields)
//!   ▸ tonic (framing, protobuf) ▸ tasks, plugins, circuits, proofs, receipts, keys ▸ Platform
//! ```

mod circuits;
pub(crate) mod fields;
mod health;
mod keys;
mod plugins;
mod proofs;
mod read;
mod receipts;
mod show;
mod status;
mod tasks;

use std::{convert::Infallible, time::Duration};

use aureole_api::{
    Problem,
    codes::request,
    public::{
        DESCRIPTORS,
        v1::{
            circuits_server::CircuitsServer, keys_server::KeysServer,
            plugins_server::PluginsServer, proofs_server::ProofsServer,
            receipts_server::ReceiptsServer, tasks_server::TasksServer,
        },
    },
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::{self, MethodRouter},
};
use tokio::time::timeout;
use tonic_health::pb::health_server::HealthServer;
use tower::{Service, ServiceExt as _};

use crate::{Caller, answer::Refusal, body, limits, shared::Shared};
pub(crate) use status::{render, settle};

/// The services over the platform.
#[derive(Clone)]
struct Wire(Shared);

/// Whether a request is gRPC, and wants its refusal as such.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

pub(crate) fn tasks() -> MethodRouter<Shared> {
    routing::post(
        |State(shared): State<Shared>, request: Request| async move {
            let server = TasksServer::new(Wire(shared.clone()));
            call(&shared, server, request, limits::MESSAGE_MAX).await
        },
    )
}

pub(crate) fn plugins() -> MethodRouter<Shared> {
    routing::post(
        |State(shared): State<Shared>, request: Request| async move {
            let server = PluginsServer::new(Wire(shared.clone()));
            call(&shared, server, request, limits::UPLOAD_MESSAGES_MAX).await
        },
    )
}

pub(crate) fn circuits() -> MethodRouter<Shared> {
    routing::post(
        |State(shared): State<Shared>, request: Request| async move {
            let server = CircuitsServer::new(Wire(shared.clone()));
            call(&shared, server, request, limits::MESSAGE_MAX).await
        },
    )
}

pub(crate) fn proofs() -> MethodRouter<Shared> {
    routing::post(
        |State(shared): State<Shared>, request: Request| async move {
            let server = ProofsServer::new(Wire(shared.clone()));
            call(&shared, server, request, limits::MESSAGE_MAX).await
        },
    )
}

pub(crate) fn receipts() -> MethodRouter<Shared> {
    routing::post(
        |State(shared): State<Shared>, request: Request| async move {
            let server = ReceiptsServer::new(Wire(shared.clone()));
            call(&shared, server, request, limits::MESSAGE_MAX).await
        },
    )
}

pub(crate) fn keys() -> MethodRouter<Shared> {
    routing::post(
        |State(shared): State<Shared>, request: Request| async move {
            let server = KeysServer::new(Wire(shared.clone()));
            call(&shared, server, request, limits::MESSAGE_MAX).await
        },
    )
}

pub(crate) fn health() -> MethodRouter<Shared> {
    routing::post(
        |State(shared): State<Shared>, request: Request| async move {
            let server = HealthServer::new(Wire(shared.clone()));
            call(&shared, server, request, limits::OPEN_MESSAGE_MAX).await
        },
    )
}

/// Reflection of the public API, by the newest protocol.
pub(crate) fn reflection() -> MethodRouter<Shared> {
    let built = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1();
    match built {
        Ok(server) => routing::post(
            |State(shared): State<Shared>, request: Request| async move {
                call(&shared, server, request, limits::OPEN_MESSAGE_MAX).await
            },
        ),
        // The descriptors are part of the program, and a test reads them.
        Err(error) => {
            tracing::error!(%error, "the descriptors of the API do not read");
            MethodRouter::new()
        }
    }
}

/// Has a tonic service answer, within the limits of every request.
async fn call<S>(shared: &Shared, server: S, request: Request, max: u64) -> Response
where
    S: Service<Request<tonic::body::Body>, Error = Infallible> + Send,
    S::Future: Send,
    S::Response: IntoResponse,
{
    let patience = match admit(request.headers()) {
        Ok(patience) => patience,
        Err(problem) => return Refusal(problem).into_response(),
    };
    let (parts, body) = request.into_parts();
    // Tonic lets go of the body once the message is read; the message lives until the answer.
    let (body, _budget) = body::bounded(shared, body, max, status::of);
    let request = Request::from_parts(parts, tonic::body::Body::new(body));
    let answer = server.oneshot(request);
    let answered = match patience {
        None => answer.await,
        Some(patience) => match timeout(patience, answer).await {
            Ok(answered) => answered,
            Err(_) => {
                let late = Problem::new(request::DEADLINE, "grpc-timeout has passed");
                return Refusal(late).into_response();
            }
        },
    };
    let Ok(answered) = answered;
    settle(answered.into_response())
}

/// Looks at a call's head: how long its caller waits.
fn admit(headers: &HeaderMap) -> Result<Option<Duration>, Problem> {
    let kind = headers.get(header::CONTENT_TYPE);
    let taken: [&[u8]; 2] = [b"application/grpc", b"application/grpc+proto"];
    if !kind.is_some_and(|kind| taken.contains(&kind.as_bytes())) {
        let detail = "this route takes gRPC: application/grpc or application/grpc+proto";
        return Err(Problem::new(request::CONTENT_TYPE, detail));
    }
    let Some(text) = headers.get("grpc-timeout") else {
        return Ok(None);
    };
    let read = text.to_str().ok().and_then(grpc_timeout);
    let detail = "grpc-timeout is 1 to 8 digits and one of H M S m u n";
    read.map(Some)
        .ok_or_else(|| Problem::new(request::WAIT, detail))
}

/// The standard's form: at most eight digits and a unit.
fn grpc_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count.saturating_mul(3600)),
        "M" => Duration::from_secs(count.saturating_mul(60)),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

/// Who calls: the guard has put it there.
fn caller<T>(request: &tonic::Request<T>) -> Result<Caller, Problem> {
    let unguarded = || {
        Problem::new(
            aureole_api::codes::node::INTERNAL,
            "the route asked for no caller",
        )
    };
    request
        .extensions()
        .get::<Caller>()
        .cloned()
        .ok_or_else(unguarded)
}
