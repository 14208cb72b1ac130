//! One connection: HTTP/1.1 or HTTP/2 in clear, with deadlines for everything a peer can drag out.
//!
//! hyper's own header timeout covers HTTP/1 once the protocol is known. It covers neither a peer
//! that sends nothing, nor an HTTP/2 peer that opens no stream, nor one that does not read its
//! answer. Those are met here: a connection without a request in work is ended after
//! [`Config::head_timeout`], and dropped when that takes longer than [`Config::flush_time_max`].

use std::{convert::Infallible, net::IpAddr, pin::pin, time::Duration};

use axum::{Router, body::Body};
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::{
    linger::{Lent, linger},
    stream::{Streaming, hold},
};
use crate::{Config, client_address::Peer, limits};

/// What connections have in common.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    builder: auto::Builder<TokioExecutor>,
    router: Router,
    stopping: CancellationToken,
    dropping: CancellationToken,
    idle_max: Duration,
    flush_max: Duration,
    stall_max: Duration,
}

/// How many requests of a connection are in work.
#[derive(Clone, Debug)]
struct Activity(watch::Sender<u32>);

/// Counts one request as long as it lives.
#[derive(Debug)]
struct InWork(Activity);

/// How a connection came to its end.
enum Ended {
    /// hyper or the peer ended it.
    Itself,
    /// Its time was over.
    Dropped,
}

// === impl Connections ===

impl Connections {
    pub(super) fn new(router: Router, config: &Config, stopping: CancellationToken) -> Self {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(config.head_timeout)
            .max_buf_size(limits::HEAD_MAX as usize)
            .max_headers(limits::HEADERS_MAX as usize);
        builder
            .http2()
            .timer(TokioTimer::new())
            // A peer that is gone without a word is found out although nothing is sent to it.
            .keep_alive_interval(config.heartbeat)
            .keep_alive_timeout(config.stream_stall_max)
            .max_concurrent_streams(limits::STREAMS_MAX)
            .max_header_list_size(limits::HEAD_MAX);
        Self {
            builder,
            router,
            stopping,
            dropping: CancellationToken::new(),
            idle_max: config.head_timeout,
            flush_max: config.flush_time_max,
            stall_max: config.stream_stall_max,
        }
    }

    /// Ends every connection at once.
    pub(super) fn drop_all(&self) {
        self.dropping.cancel();
    }

    /// Serves one connection to its end; the slot is free again after it.
    pub(super) fn run(
        &self,
        stream: TcpStream,
        peer: IpAddr,
        slot: OwnedSemaphorePermit,
    ) -> impl Future<Output = ()> + Send + 'static {
        let this = self.clone();
        async move {
            this.serve(stream, peer).await;
            drop(slot);
        }
    }

    async fn serve(self, stream: TcpStream, peer: IpAddr) {
        // Answers are small and whole: waiting to fill a segment only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "the connection went away at once");
            return;
        }
        let (lent, claim) = Lent::new(stream);
        let ended = self.drive(lent, peer).await;
        if let (Ended::Itself, Some(stream)) = (ended, claim.take_back()) {
            tokio::select! {
                () = self.dropping.cancelled() => {}
                () = linger(stream) => {}
            }
        }
    }

    async fn drive(&self, stream: Lent, peer: IpAddr) -> Ended {
        let activity = Activity(watch::Sender::new(0));
        let (router, stall_max) = (self.router.clone(), self.stall_max);
        let service = service_fn({
            let activity = activity.clone();
            move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(Peer(peer));
                let (router, in_work) = (router.clone(), activity.begin());
                async move {
                    let Ok(mut response) = router.oneshot(request.map(Body::new)).await;
                    if let Some(streaming) = response.extensions_mut().remove::<Streaming>() {
                        let held = (in_work, streaming);
                        response = response.map(|body| hold(body, held, stall_max));
                    }
                    Ok::<_, Infallible>(response)
                }
            }
        });
        let mut connection = pin!(self.builder.serve_connection(TokioIo::new(stream), service));
        let mut ending = false;
        loop {
            let patience = if ending {
                self.flush_max
            } else {
                self.idle_max
            };
            tokio::select! {
                biased;
                () = self.dropping.cancelled() => return Ended::Dropped,
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(error = &*error, "a connection ended early");
                    }
                    return Ended::Itself;
                }
                () = self.stopping.cancelled(), if !ending => {}
                () = activity.idle_for(patience) => {
                    if ending {
                        return Ended::Dropped;
                    }
                }
            }
            ending = true;
            connection.as_mut().graceful_shutdown();
        }
    }
}

// === impl Activity ===

impl Activity {
    fn begin(&self) -> InWork {
        self.0.send_modify(|count| *count = count.saturating_add(1));
        InWork(self.clone())
    }

    /// Resolves when no request was in work for this long without a break.
    async fn idle_for(&self, limit: Duration) {
        let mut count = self.0.subscribe();
        loop {
            // `self` holds a sender, so waiting for a change cannot fail.
            if *count.borrow_and_update() > 0 {
                let _open = count.changed().await;
            } else if timeout(limit, count.changed()).await.is_err() {
                return;
            }
        }
    }
}

impl Drop for InWork {
    fn drop(&mut self) {
        self.0
            .0
            .send_modify(|count| *count = count.saturating_sub(1));
    }
}
