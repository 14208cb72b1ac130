//! Who leads, as a value that can be watched.

use openraft::ServerState;
use tokio::sync::watch;

use super::is_alone_in_it;
use crate::raft::{Metrics, Raft};

/// The member that leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leader {
    /// Its id.
    pub id: u64,
    /// host:port of its internal address; empty for a group of one without an address.
    pub address: String,
}

/// Returns a value that follows who leads. Runs on the current runtime until Raft ends.
pub(crate) fn watch_leader(raft: &Raft) -> watch::Receiver<Option<Leader>> {
    let mut metrics = raft.metrics();
    let (leader, watched) = watch::channel(leader_of(&metrics.borrow()));
    tokio::spawn(async move {
        while metrics.changed().await.is_ok() {
            let now = leader_of(&metrics.borrow_and_update());
            leader.send_if_modified(|stands| {
                let differs = *stands != now;
                if differs {
                    tracing::info!(leader = ?now, "the leader is another");
                    *stands = now;
                }
                differs
            });
        }
        leader.send_replace(None);
    });
    watched
}

/// Returns who leads, as far as a member knows.
pub(crate) fn leader_of(metrics: &Metrics) -> Option<Leader> {
    let lost = metrics.running_state.is_err()
        || (metrics.state == ServerState::Leader && is_alone_in_it(metrics))
        // Whoever stands for election follows nobody.
        || metrics.state == ServerState::Candidate;
    if lost {
        return None;
    }
    let id = metrics.current_leader?;
    let member = metrics.membership_config.membership().get_node(&id)?;
    Some(Leader {
        id,
        address: member.address.clone(),
    })
}
