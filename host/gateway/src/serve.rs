//! The accept loop: connections in, within limits, until asked to stop.
//!
//! `axum::serve` sets no timer, so a peer that never ends its request's head would stay for ever;
//! this loop has its own deadlines. It outlives every failure of `accept`: without file
//! descriptors it pauses and tries again.
//!
//! ```text
//! accept ▸ slot? ─no─▸ 503, close
//!             └─yes─▸ connection ▸ router ▸ Platform
//! stop ▸ no more accepts ▸ waits cut short ▸ requests in work end ▸ (drain_time_max) drop
//! ```

mod connection;
mod linger;
mod refuse;
mod stream;

use std::{io, pin::pin, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::Semaphore, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::stream::Streaming;
use self::{connection::Connections, refuse::Refuser};
use crate::{Config, Limiter, Platform, routes, shared::Shared};

/// The first pause after `accept` failed; it doubles up to [`PAUSE_MAX`].
const PAUSE_FIRST: Duration = Duration::from_millis(10);

/// Descriptors come back when idle connections end, which takes seconds at most.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Serves the API on a listener until `shutdown` resolves; returns when every connection has
/// ended, which takes at most [`Config::drain_time_max`] from then.
///
/// The caller sees no error: what can fail is one connection's, or passes.
pub async fn serve(
    listener: TcpListener,
    platform: Arc<dyn Platform>,
    limiter: Arc<dyn Limiter>,
    config: Config,
    shutdown: impl Future<Output = ()> + Send,
) {
    let stopping = CancellationToken::new();
    let tasks = TaskTracker::new();
    let slots = Arc::new(Semaphore::new(config.connections_max as usize));
    let shared = Shared::new(platform, limiter, config.clone(), stopping.clone());
    let connections = Connections::new(routes::router(shared), &config, stopping.clone());
    let refuser = Refuser::new();
    let mut shutdown = pin!(shutdown);
    let mut pause = PAUSE_FIRST;
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                pause = PAUSE_FIRST;
                match Arc::clone(&slots).try_acquire_owned() {
                    Ok(slot) => tasks.spawn(connections.run(stream, peer.ip(), slot)),
                    Err(_) => tasks.spawn(refuser.run(stream)),
                };
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, ?pause, "no connection could be accepted");
                tokio::select! {
                    () = &mut shutdown => break,
                    () = sleep(pause) => pause = (pause * 2).min(PAUSE_MAX),
                }
            }
        }
    }
    drop(listener);
    stopping.cancel();
    tasks.close();
    if tokio::time::timeout(config.drain_time_max, tasks.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            connections = tasks.len(),
            "connections are dropped unfinished"
        );
        connections.drop_all();
        tasks.wait().await;
    }
}

/// Whether `accept` failed for a peer that is gone already.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}
