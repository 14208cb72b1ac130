//! The internal gRPC between this node's worker and its coordinator, on in-memory connections.
//!
//! The same messages travel as between machines; no port is opened, so nobody else can join.

use std::io;

use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::Router;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

/// Bytes in flight each way; a message is a few hundred.
const PIPE_BYTES: usize = 64 << 10;

/// Connections that wait to be accepted: the worker has two, and others when it reconnects.
const PENDING_MAX: usize = 8;

/// The near end: makes connections to the served router.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    dial: mpsc::Sender<io::Result<DuplexStream>>,
}

// === impl Link ===

impl Link {
    /// Serves a router to this link's connections, until told to stop.
    pub(crate) fn serve(router: Router, stop: CancellationToken) -> (Self, JoinHandle<()>) {
        let (dial, accepted) = mpsc::channel(PENDING_MAX);
        let served = tokio::spawn(async move {
            let incoming = ReceiverStream::new(accepted);
            let result = router
                .serve_with_incoming_shutdown(incoming, stop.cancelled_owned())
                .await;
            if let Err(error) = result {
                tracing::error!(%error, "the internal service ended");
            }
        });
        (Self { dial }, served)
    }

    /// A channel that connects when it is first used, in the runtime that uses it.
    pub(crate) fn channel(&self) -> Channel {
        let dial = self.dial.clone();
        let connector = service_fn(move |_| {
            let dial = dial.clone();
            async move {
                let (near, far) = tokio::io::duplex(PIPE_BYTES);
                let refused = |_| io::Error::from(io::ErrorKind::ConnectionRefused);
                dial.send(Ok(far)).await.map_err(refused)?;
                io::Result::Ok(TokioIo::new(near))
            }
        });
        // The name is never looked up: the connector ignores it.
        Endpoint::from_static("http://coordinator.internal").connect_with_connector_lazy(connector)
    }
}
