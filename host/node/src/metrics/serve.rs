//! The listener of the collector: one path, few connections, an answer in time.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use aureole_telemetry::TEXT;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::gather::Sources;

/// The path.
const PATH: &str = "/metrics";

/// Connections at a time: a pair of collectors, and an operator who looks. One more is closed.
const CONNECTIONS_MAX: usize = 8;

/// How long a head may take, and a connection may be idle: collectors come every 15 s as a rule, and
/// make a new connection for that as well.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a page may take. Collectors give up after 10 s; looking at health takes 2 s while no
/// leader answers.
const PAGE_TIMEOUT: Duration = Duration::from_secs(8);

/// The pause after `accept` failed: descriptors come back when connections end.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves pages until told to stop.
pub(crate) async fn serve(listener: TcpListener, sources: Sources, stop: CancellationToken) {
    let sources = Arc::new(sources);
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
                    continue;
                };
                let served = connection(stream, Arc::clone(&sources), stop.clone());
                connections.spawn(async move {
                    served.await;
                    drop(slot);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "no connection for metrics could be accepted");
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        }
    }
    connections.close();
    connections.wait().await;
}

async fn connection(stream: TcpStream, sources: Arc<Sources>, stop: CancellationToken) {
    let service = service_fn(move |request| {
        let sources = Arc::clone(&sources);
        async move { Ok::<_, Infallible>(answer(&request, &sources).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        () = stop.cancelled() => {}
        // What goes wrong on a connection is its peer's business.
        served = served => drop(served),
    }
}

async fn answer(request: &Request<Incoming>, sources: &Sources) -> Response<Full<Bytes>> {
    if request.uri().path() != PATH {
        return plain(StatusCode::NOT_FOUND, "the path is /metrics\n".to_owned());
    }
    if *request.method() != Method::GET {
        return plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "the method is GET\n".to_owned(),
        );
    }
    match tokio::time::timeout(PAGE_TIMEOUT, sources.page()).await {
        Ok(Ok(page)) => plain(StatusCode::OK, page),
        Ok(Err(error)) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "metrics cannot be told");
            plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                "see the log\n".to_owned(),
            )
        }
        Err(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "not in time\n".to_owned()),
    }
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(TEXT));
    response
}
