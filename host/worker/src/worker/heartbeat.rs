//! Heartbeats, on a thread of their own: whatever the node's runtime is busy with, leases are
//! renewed, and a lease that is lost stops its attempt.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use aureole_api::internal::v1::HeartbeatRequest;
use aureole_api::internal::v1::workers_client::WorkersClient;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Connect;
use super::running::{AttemptKey, Ended, Running};
use crate::error::Error;
use crate::limits::CALL_TIMEOUT;

/// The thread.
#[derive(Debug)]
pub(super) struct Heartbeat {
    thread: Option<JoinHandle<()>>,
}

// === impl Heartbeat ===

impl Heartbeat {
    pub(super) fn start(
        worker_id: String,
        connect: impl Connect,
        running: Arc<Running>,
        stop: CancellationToken,
    ) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Thread)?;
        let thread = thread::Builder::new()
            .name("heartbeat".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => {}
                        () = beat(worker_id, connect, &running) => {}
                    }
                });
            })
            .map_err(Error::Thread)?;
        Ok(Self {
            thread: Some(thread),
        })
    }

    /// Waits for the thread's end, which follows its stop at once.
    pub(super) fn join(&mut self) {
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the heartbeats' thread panicked");
        }
    }
}

async fn beat(worker_id: String, connect: impl Connect, running: &Running) {
    // Within this runtime, so that the connection's own work runs here too.
    let mut client = WorkersClient::new(connect());
    let mut failures = 0_u32;
    loop {
        sleep(running.heartbeat()).await;
        let request = HeartbeatRequest {
            worker_id: worker_id.clone(),
            running: running
                .keys()
                .into_iter()
                .map(AttemptKey::to_proto)
                .collect(),
        };
        match timeout(CALL_TIMEOUT, client.heartbeat(request)).await {
            Ok(Ok(reply)) => {
                failures = 0;
                for lost in reply.into_inner().lost.iter().filter_map(AttemptKey::parse) {
                    running.end(&lost, Ended::Lost);
                }
            }
            Ok(Err(status)) => {
                failures = failures.saturating_add(1);
                warn_sometimes(failures, &status.to_string());
            }
            Err(_) => {
                failures = failures.saturating_add(1);
                warn_sometimes(failures, "no answer in time");
            }
        }
    }
}

/// The first failure and then every power of two: an outage must not fill the log.
fn warn_sometimes(failures: u32, reason: &str) {
    if failures.is_power_of_two() {
        tracing::warn!(failures, reason, "heartbeat failed");
    }
}
