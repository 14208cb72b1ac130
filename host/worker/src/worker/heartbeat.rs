//! Heartbeats, on a thread of their own: whatever the node's runtime is busy with, leases are
//! renewed, and a lease that is lost stops its attempt.
//!
//! They go to the coordinator that the join loop follows, the first at once after a Join. A leader
//! that refuses one, or leaves two in a row unanswered, is doubted.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use aureole_api::internal::v1::{HeartbeatReply, HeartbeatRequest, WarmCircuits};
use aureole_api::leader::Redirect;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use super::caller::Caller;
use super::join::warm;
use super::route::{Leader, Route};
use super::running::{AttemptKey, Ended, Running};
use crate::connect::Connect;
use crate::error::Error;
use crate::limits::{HEARTBEAT_TIMEOUT, HEARTBEATS_MISSED_MAX};
use crate::provers::Provers;

/// The thread.
#[derive(Debug)]
pub(super) struct Heartbeat {
    thread: Option<JoinHandle<()>>,
}

/// What a heartbeat says, and where it goes.
pub(super) struct Beats {
    pub(super) worker_id: String,
    pub(super) instance: [u8; 16],
    pub(super) connect: Arc<dyn Connect>,
    pub(super) route: Arc<Route>,
    pub(super) running: Arc<Running>,
    pub(super) provers: Provers,
}

// === impl Heartbeat ===

impl Heartbeat {
    pub(super) fn start(beats: Beats, stop: CancellationToken) -> Result<Self, Error> {
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
                        () = beats.beat() => {}
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

// === impl Beats ===

impl Beats {
    async fn beat(self) {
        // Its channels are made within this runtime, so that the connections' own work runs here too.
        let caller = Caller::new(Arc::clone(&self.connect));
        loop {
            let leader = self.route.wait().await;
            tokio::select! {
                () = self.beat_at(&leader, &caller) => {}
                () = self.route.left(&leader) => {}
            }
            caller.hang_up(&leader.address);
        }
    }

    /// Beats until there is reason to doubt that this one leads.
    async fn beat_at(&self, leader: &Leader, caller: &Caller) {
        let mut missed = 0;
        // It was told with the Join, which may have been before the last proof.
        let mut told = None;
        loop {
            let warm = Some(warm(&self.provers));
            let news = (warm != told).then(|| warm.clone()).flatten();
            match self.call(leader, caller, news).await {
                Ok(reply) => {
                    missed = 0;
                    told = warm;
                    self.heed(&reply);
                }
                Err(status) => {
                    tracing::warn!(leader = &*leader.address, %status, "heartbeat failed");
                    let redirect = Redirect::of(&status);
                    // Refused for good: it does not lead, or knows another process of this name.
                    if redirect.is_some() || status.code() == Code::FailedPrecondition {
                        return self.route.doubt(leader, redirect.as_ref());
                    }
                    missed += 1;
                    if missed >= HEARTBEATS_MISSED_MAX {
                        return self.route.doubt(leader, None);
                    }
                    caller.hang_up(&leader.address);
                }
            }
            sleep(self.running.heartbeat()).await;
        }
    }

    async fn call(
        &self,
        leader: &Leader,
        caller: &Caller,
        warm: Option<WarmCircuits>,
    ) -> Result<HeartbeatReply, Status> {
        let running = self.running.keys().into_iter();
        let request = HeartbeatRequest {
            worker_id: self.worker_id.clone(),
            running: running.map(AttemptKey::to_proto).collect(),
            instance: self.instance.to_vec(),
            warm,
        };
        let mut client = caller
            .client(&leader.address)
            .map_err(|error| Status::unavailable(error.to_string()))?;
        let reply = timeout(HEARTBEAT_TIMEOUT, client.heartbeat(request)).await;
        let reply = reply.map_err(|_| Status::deadline_exceeded("no answer in time"))?;
        Ok(reply?.into_inner())
    }

    fn heed(&self, reply: &HeartbeatReply) {
        self.route.learn(&reply.coordinators);
        for lost in reply.lost.iter().filter_map(AttemptKey::parse) {
            self.running.end(&lost, Ended::Lost);
        }
    }
}
