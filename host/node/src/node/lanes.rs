//! The two runtimes behind the internal port.
//!
//! Connections, and Raft on them, are served by Raft's own runtime, whose threads have priority: a beat
//! is answered however busy the gateway is. Everything else that comes by the same port is handed to
//! the runtime of the process, so that Raft's threads never do long work.

use std::convert::Infallible;
use std::io;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

type Reply = tonic::codegen::http::Response<Body>;

/// A service whose calls run on another runtime than the one that serves its connections.
#[derive(Clone, Debug)]
pub(super) struct Apart<S> {
    service: S,
    runtime: Handle,
}

/// A bound listener that the threads of another runtime accept from.
pub(super) fn moved(listener: TcpListener, runtime: &Handle) -> io::Result<TcpListener> {
    let listener = listener.into_std()?;
    let _entered = runtime.enter();
    TcpListener::from_std(listener)
}

// === impl Apart ===

impl<S> Apart<S> {
    /// Runs the service's calls on the current runtime.
    pub(super) fn here(service: S) -> Self {
        let runtime = Handle::current();
        Self { service, runtime }
    }
}

impl<S: NamedService> NamedService for Apart<S> {
    const NAME: &'static str = S::NAME;
}

impl<S, R> Service<R> for Apart<S>
where
    S: Service<R, Response = Reply, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Reply;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Reply, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        // Ends with the caller's interest, as it would on the connection's own runtime.
        let work = AbortOnDropHandle::new(self.runtime.spawn(self.service.call(request)));
        Box::pin(async move {
            work.await.unwrap_or_else(|error| {
                tracing::error!(%error, "a call ended without an answer");
                Ok(Status::internal("the call ended without an answer").into_http())
            })
        })
    }
}
