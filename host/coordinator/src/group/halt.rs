//! Whether this member had to stop by itself, and why: for the process, which should end.

use openraft::RaftMetrics;
use tokio::sync::watch;

use crate::raft::{Member, Raft};

/// Set once, with the reason.
#[derive(Clone, Debug)]
pub(crate) struct Halt {
    reason: watch::Sender<Option<String>>,
}

// === impl Halt ===

impl Halt {
    pub(crate) fn new() -> Self {
        Self {
            reason: watch::Sender::new(None),
        }
    }

    /// Stops Raft for a reason. The first reason counts.
    pub(crate) fn stop(&self, raft: &Raft, reason: String) {
        let first = self.reason.send_if_modified(|stands| {
            let first = stands.is_none();
            if first {
                tracing::error!(reason, "the coordinator stops");
                *stands = Some(reason);
            }
            first
        });
        if first {
            let raft = raft.clone();
            tokio::spawn(async move {
                if let Err(error) = raft.shutdown().await {
                    tracing::error!(%error, "raft did not end well");
                }
            });
        }
    }

    /// Returns the reason, if there is one.
    pub(crate) fn reason(&self) -> Option<String> {
        self.reason.borrow().clone()
    }

    /// Waits until this member has stopped, by itself or because it was told to, and says why.
    pub(crate) async fn stopped(&self, raft: &Raft) -> String {
        let mut reason = self.reason.subscribe();
        let mut metrics = raft.metrics();
        let runs = |metrics: &RaftMetrics<u64, Member>| metrics.running_state.is_ok();
        let ended = tokio::select! {
            // First: whoever stops Raft for a reason says it before.
            biased;
            Ok(reason) = reason.wait_for(Option::is_some) => {
                reason.clone().unwrap_or_else(|| "no reason".to_owned())
            }
            ended = metrics.wait_for(|metrics| !runs(metrics)) => match ended {
                Ok(metrics) => match &metrics.running_state {
                    Err(fatal) => fatal.to_string(),
                    Ok(()) => "raft has ended".to_owned(),
                },
                Err(_) => "raft has ended".to_owned(),
            },
        };
        self.reason().unwrap_or(ended)
    }
}
