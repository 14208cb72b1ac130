//! Who belongs to the group: carried out at the leader, one change at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use openraft::error::{ClientWriteError, RaftError};
use openraft::{ChangeMembers, RaftMetrics};

use super::MemberError;
use super::status::{lag, matched};
use crate::group::Group;
use crate::limits::{CATCH_UP_LAG_MAX, CATCH_UP_PATIENCE, MEMBERS_MAX, PROPOSE_PATIENCE};
use crate::raft::Member;

// === impl Group ===

impl Group {
    /// Adds a member, or learns the new address of one. Returns when it votes.
    pub(crate) async fn add(&self, id: u64, address: &str) -> Result<(), MemberError> {
        let _one = self.changing.lock().await;
        self.must_lead()?;
        if self.address.is_empty() {
            return Err(MemberError::NoAddress);
        }
        let known = self.members();
        if let (Some(reason), false) = (&self.stays_alone, known.contains_key(&id)) {
            return Err(MemberError::StaysAlone {
                reason: reason.clone(),
            });
        }
        if !known.contains_key(&id) && known.len() >= MEMBERS_MAX {
            return Err(MemberError::Full {
                members: known.len(),
                max: MEMBERS_MAX,
            });
        }
        let member = self.ask(id, address, known.get(&id)).await?;
        let nodes = BTreeMap::from([(id, member.clone())]);
        match known.get(&id) {
            // Asked at its new address: it is the same member there.
            Some(stands) if *stands != member => {
                self.change(ChangeMembers::SetNodes(nodes)).await?;
            }
            Some(_) => {}
            None => self.change(ChangeMembers::AddNodes(nodes)).await?,
        }
        if self.voters().contains(&id) {
            return Ok(());
        }
        self.catch_up(id).await?;
        self.change(ChangeMembers::AddVoterIds(BTreeSet::from([id])))
            .await
    }

    /// Asks who is at an address, and refuses a member that must not be added.
    async fn ask(
        &self,
        id: u64,
        address: &str,
        stands: Option<&Member>,
    ) -> Result<Member, MemberError> {
        if id == self.identity.member {
            let mut me = self.me();
            me.address = address.to_owned();
            return Ok(me);
        }
        let hello = self.network.hello(address).await;
        let hello = hello.map_err(|error| MemberError::unreachable(id, address, &error))?;
        if hello.member != id {
            return Err(MemberError::Another {
                id,
                address: address.to_owned(),
                found: hello.member,
            });
        }
        match stands {
            Some(stands) if stands.incarnation != hello.incarnation => {
                return Err(MemberError::LostDisk { id });
            }
            None if hello.has_data => {
                return Err(MemberError::NotEmpty {
                    id,
                    address: address.to_owned(),
                });
            }
            _ => {}
        }
        Ok(Member {
            address: address.to_owned(),
            incarnation: hello.incarnation,
        })
    }

    /// Waits until a learner has nearly everything.
    async fn catch_up(&self, id: u64) -> Result<(), MemberError> {
        let near = |metrics: &RaftMetrics<u64, Member>| {
            matched(metrics, id)
                .is_some_and(|at| at.is_some() && lag(metrics, at) <= CATCH_UP_LAG_MAX)
        };
        let waited = self
            .raft
            .wait(Some(CATCH_UP_PATIENCE))
            .metrics(near, "a new member that has caught up")
            .await;
        let metrics = self.raft.metrics().borrow().clone();
        waited.map(|_| ()).map_err(|_| MemberError::Behind {
            id,
            lag: lag(&metrics, matched(&metrics, id).flatten()),
            waited: CATCH_UP_PATIENCE,
        })
    }

    /// Removes a member. It may be dead; it may be this one.
    pub(crate) async fn remove(&self, id: u64) -> Result<(), MemberError> {
        let _one = self.changing.lock().await;
        self.must_lead()?;
        if !self.members().contains_key(&id) {
            return Err(MemberError::Unknown { id });
        }
        let voters = self.voters();
        if voters.contains(&id) {
            if voters.len() == 1 {
                return Err(MemberError::LastVoter { id });
            }
            // Without keeping it as a learner: it is gone once the second entry is committed.
            self.change(ChangeMembers::RemoveVoters(BTreeSet::from([id])))
                .await
        } else {
            self.change(ChangeMembers::RemoveNodes(BTreeSet::from([id])))
                .await
        }
    }

    /// Commits a change of the members.
    async fn change(&self, change: ChangeMembers<u64, Member>) -> Result<(), MemberError> {
        let changed = self.raft.change_membership(change, false);
        let decided = tokio::time::timeout(PROPOSE_PATIENCE, changed).await;
        let decided = decided.map_err(|_| undecided(PROPOSE_PATIENCE))?;
        match decided {
            Ok(_) => Ok(()),
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(_))) => {
                Err(MemberError::NoLeader)
            }
            Err(RaftError::APIError(ClientWriteError::ChangeMembershipError(refused))) => {
                Err(MemberError::Refused {
                    reason: refused.to_string(),
                })
            }
            Err(RaftError::Fatal(fatal)) => Err(MemberError::Stopped {
                reason: fatal.to_string(),
            }),
        }
    }

    pub(super) fn must_lead(&self) -> Result<(), MemberError> {
        if self.leads() {
            Ok(())
        } else {
            Err(MemberError::NoLeader)
        }
    }

    fn members(&self) -> BTreeMap<u64, Member> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        let nodes = metrics.membership_config.membership().nodes();
        nodes.map(|(&id, member)| (id, member.clone())).collect()
    }

    pub(crate) fn voters(&self) -> BTreeSet<u64> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        metrics.membership_config.membership().voter_ids().collect()
    }

    pub(super) fn member(&self, id: u64) -> Option<Member> {
        self.members().remove(&id)
    }
}

fn undecided(waited: Duration) -> MemberError {
    MemberError::Undecided { waited }
}
