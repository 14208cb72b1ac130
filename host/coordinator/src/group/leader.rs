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

/// Follows who leads, as far as one member knows. Cheap to clone.
///
/// Hands out copies only: whoever kept a borrow would stop the thread that sends the beats.
#[derive(Clone, Debug)]
pub struct LeaderWatch(watch::Receiver<Option<Leader>>);

// === impl LeaderWatch ===

impl LeaderWatch {
    /// Returns who leads now: `None` during an election, on a leader that no majority answers, and
    /// after the end.
    pub fn now(&self) -> Option<Leader> {
        self.0.borrow().clone()
    }

    /// Waits until another leads than the last time that this handle looked by
    /// [`Self::next`] or [`Self::until`], and returns who; `Err` after the member's end.
    ///
    /// # Cancel safety
    /// Dropping the future loses no change.
    ///
    /// # Errors
    /// [`Ended`] when the member has stopped.
    pub async fn next(&mut self) -> Result<Option<Leader>, Ended> {
        self.0.changed().await.map_err(|_| Ended)?;
        Ok(self.0.borrow_and_update().clone())
    }

    /// Waits until `is_it` holds of who leads, and returns who that is.
    ///
    /// # Cancel safety
    /// Dropping the future loses no change.
    ///
    /// # Errors
    /// [`Ended`] when the member stopped before.
    pub async fn until(
        &mut self,
        is_it: impl FnMut(&Option<Leader>) -> bool,
    ) -> Result<Option<Leader>, Ended> {
        let seen = self.0.wait_for(is_it).await.map_err(|_| Ended)?;
        Ok(seen.clone())
    }
}

/// The member has stopped: nothing more is known of who leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the coordinator has stopped")]
pub struct Ended;

/// Returns a value that follows who leads. Runs on the current runtime until Raft ends.
pub(crate) fn watch_leader(raft: &Raft) -> LeaderWatch {
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
    LeaderWatch(watched)
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
