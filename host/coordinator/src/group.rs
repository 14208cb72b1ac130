//! This member's part in the group: who it is, its Raft, the way to the others, and whether it had
//! to stop.

mod founding;
mod halt;
mod leader;
mod reads;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use openraft::ServerState;
use openraft::error::{Fatal, RaftError};
use openraft::raft::AppendEntriesRequest;
use tokio::sync::{Mutex, RwLock};

pub(crate) use self::founding::{alone, found};
pub(crate) use self::halt::Halt;
pub use self::leader::{Ended, Leader, LeaderWatch};
pub(crate) use self::leader::{leader_of, watch_leader};
pub(crate) use self::reads::Reads;
use crate::identity::Identity;
use crate::limits::QUORUM_SILENCE_MAX;
use crate::network::Network;
use crate::network::message::HandOver;
use crate::proposer::ProposeError;
use crate::raft::{Member, Metrics, Raft, Vote};

/// This member's part in the group.
pub(crate) struct Group {
    pub(crate) identity: Arc<Identity>,
    /// Where the others reach this member.
    pub(crate) address: String,
    /// Why no other member may be added, if none may.
    pub(crate) stays_alone: Option<String>,
    pub(crate) raft: Raft,
    pub(crate) leader: LeaderWatch,
    pub(crate) network: Network,
    pub(crate) halt: Halt,
    /// Held while the members change or leadership is handed over: one such thing at a time.
    pub(crate) changing: Mutex<()>,
    /// Shared by those who write to the log; a hand-over, which needs it to stand still, has it alone.
    pub(crate) writing: Arc<RwLock<()>>,
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("identity", &self.identity)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

// === impl Group ===

impl Group {
    /// This member, as the log names it.
    pub(crate) fn me(&self) -> Member {
        Member {
            address: self.address.clone(),
            incarnation: self.identity.incarnation,
        }
    }

    /// Says whether this member leads, and a majority has lately said so.
    pub(crate) fn leads(&self) -> bool {
        leads(&self.raft.metrics().borrow())
    }

    /// Refuses a proposal that would only wait: this member has stopped, or leads without a majority.
    /// A follower's is refused by Raft.
    pub(crate) fn may_propose(&self) -> Result<(), ProposeError> {
        if let Some(reason) = self.halt.reason() {
            return Err(ProposeError::Stopped { reason });
        }
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        if let Err(fatal) = &metrics.running_state {
            return Err(ProposeError::Stopped {
                reason: fatal.to_string(),
            });
        }
        if is_alone_in_it(&metrics) {
            return Err(ProposeError::NotLeader { leader: None });
        }
        Ok(())
    }

    /// Forgets the lease of the leader that hands over: votes, in the next term, for the successor,
    /// whose own request will then be granted without waiting for the lease to end.
    ///
    /// openraft has no message for this. Any vote higher than its own makes a member follow, also
    /// one in an append; an uncommitted one carries no lease. It is no grant: a grant is an answer to
    /// the successor's own request, for which the logs are compared.
    pub(crate) async fn forget_lease(&self, hand_over: &HandOver) -> Result<(), Fatal<u64>> {
        let term = hand_over.vote.leader_id().term + 1;
        let append = AppendEntriesRequest {
            vote: Vote::new(term, hand_over.successor),
            prev_log_id: None,
            entries: Vec::new(),
            leader_commit: None,
        };
        match self.raft.append_entries(append).await {
            Ok(_) => Ok(()),
            Err(RaftError::Fatal(fatal)) => Err(fatal),
            Err(RaftError::APIError(never)) => match never {},
        }
    }
}

/// Says whether a member leads, and a majority has lately said so.
pub(crate) fn leads(metrics: &Metrics) -> bool {
    metrics.running_state.is_ok()
        && metrics.state == ServerState::Leader
        && !is_alone_in_it(metrics)
}

/// A leader that no majority has answered for a while: the others may follow another by now.
fn is_alone_in_it(metrics: &Metrics) -> bool {
    let voters = metrics.membership_config.membership().voter_ids().count();
    let silence = metrics.millis_since_quorum_ack.map(Duration::from_millis);
    // A new leader has no answer yet; its election was one.
    voters > 1 && silence.is_some_and(|silence| silence > QUORUM_SILENCE_MAX)
}
