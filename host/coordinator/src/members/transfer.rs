//! Handing over leadership, which openraft 0.9 has no verb for.
//!
//! 1. The leader stops writing, and waits until the successor has its whole log.
//! 2. It tells the other voters, and itself, to forget its lease (`Group::forget_lease`).
//! 3. It tells the successor to stand for election, which now nobody refuses.
//!
//! Whatever fails on the way costs an election, nothing else: a vote is only ever granted to who has
//! everything that was committed.

use openraft::RaftMetrics;

use super::MemberError;
use super::status::{lag, matched};
use crate::group::{Group, leader_of};
use crate::limits::TRANSFER_PATIENCE;
use crate::network::message::HandOver;
use crate::raft::Member;

// === impl Group ===

impl Group {
    /// The other voter that has most of the log, if this member leads.
    pub(crate) fn heir(&self) -> Option<u64> {
        let metrics = self.raft.metrics().borrow().clone();
        let others = self.voters().into_iter();
        let others = others.filter(|id| *id != self.identity.member);
        let known = others.filter_map(|id| Some((matched(&metrics, id)??, id)));
        known.max().map(|(_, id)| id)
    }

    /// Makes another member the leader. Returns when it leads.
    pub(crate) async fn transfer(&self, successor: u64) -> Result<(), MemberError> {
        let _one = self.changing.lock().await;
        self.must_lead()?;
        let member = self
            .member(successor)
            .ok_or(MemberError::Unknown { id: successor })?;
        if successor == self.identity.member {
            return Ok(());
        }
        if !self.voters().contains(&successor) {
            return Err(MemberError::Learner { id: successor });
        }
        let still = self.writing.write().await;
        self.wait_for_log(successor).await?;
        let vote = self.raft.metrics().borrow().vote;
        let hand_over = HandOver { vote, successor };
        let others = self.voters().into_iter().filter(|id| *id != successor);
        for id in others.filter(|id| *id != self.identity.member) {
            let Some(other) = self.member(id) else {
                continue;
            };
            // One that does not answer votes when the lease has ended, or is not needed.
            if let Err(error) = self.network.peer(id, &other).step_down(&hand_over).await {
                tracing::warn!(%error, "a member was not told of the hand-over");
            }
        }
        let stopped = |fatal: openraft::error::Fatal<u64>| MemberError::Stopped {
            reason: fatal.to_string(),
        };
        self.forget_lease(&hand_over).await.map_err(stopped)?;
        let asked = self.network.peer(successor, &member).elect(vote).await;
        asked.map_err(|error| MemberError::unreachable(successor, &member.address, &error))?;
        drop(still);
        let leads = |metrics: &RaftMetrics<u64, Member>| {
            leader_of(metrics).is_some_and(|leader| leader.id == successor)
        };
        let taken = self.raft.wait(Some(TRANSFER_PATIENCE));
        taken
            .metrics(leads, "the successor leads")
            .await
            .map(|_| ())
            .map_err(|_| MemberError::NotTaken {
                id: successor,
                waited: TRANSFER_PATIENCE,
            })
    }

    /// Waits until a member has this leader's whole log.
    async fn wait_for_log(&self, id: u64) -> Result<(), MemberError> {
        let whole = |metrics: &RaftMetrics<u64, Member>| {
            matched(metrics, id).is_some_and(|at| lag(metrics, at) == 0)
        };
        let waited = self
            .raft
            .wait(Some(TRANSFER_PATIENCE))
            .metrics(whole, "a successor that has everything")
            .await;
        let metrics = self.raft.metrics().borrow().clone();
        waited.map(|_| ()).map_err(|_| MemberError::Behind {
            id,
            lag: lag(&metrics, matched(&metrics, id).flatten()),
            waited: TRANSFER_PATIENCE,
        })
    }
}
