//! How the group stands, as one member sees it.

use crate::group::{Group, leads};
use crate::raft::Metrics;

/// How the group stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterStatus {
    /// Name of the cluster.
    pub cluster: String,
    /// The member that answered.
    pub member: u64,
    /// Who leads, as far as it knows.
    pub leader: Option<u64>,
    /// The term.
    pub term: u64,
    /// Index of the last entry of its log.
    pub last_log: Option<u64>,
    /// Index of the last entry it applied.
    pub applied: Option<u64>,
    /// Index of the last entry in its snapshot.
    pub snapshot: Option<u64>,
    /// Every member, by id.
    pub members: Vec<MemberStatus>,
    /// Digest of the facts after the entry `applied`, equal on members that applied the same. Only
    /// what the members' service answers has it.
    pub state_digest: Option<Vec<u8>>,
}

/// One member of the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberStatus {
    /// Its id.
    pub id: u64,
    /// host:port of its internal address.
    pub address: String,
    /// Whether it votes. If not, it is a learner.
    pub voter: bool,
    /// Whether it leads.
    pub leader: bool,
    /// Index of the last entry it is known to have; only the leader knows.
    pub matched: Option<u64>,
    /// How many of the leader's entries it lacks; only the leader knows.
    pub lag: Option<u64>,
}

// === impl ClusterStatus ===

impl ClusterStatus {
    /// Looks at the group from a member.
    pub(crate) fn of(group: &Group) -> Self {
        let metrics = group.raft.metrics().borrow().clone();
        let leader = crate::group::leader_of(&metrics).map(|leader| leader.id);
        let membership = metrics.membership_config.membership();
        let voters: Vec<u64> = membership.voter_ids().collect();
        let members = membership.nodes().map(|(&id, member)| {
            let matched = matched(&metrics, id);
            MemberStatus {
                id,
                address: member.address.clone(),
                voter: voters.contains(&id),
                leader: leader == Some(id),
                matched: matched.flatten(),
                lag: matched.map(|matched| lag(&metrics, matched)),
            }
        });
        Self {
            cluster: group.identity.cluster.clone(),
            member: group.identity.member,
            leader,
            term: metrics.current_term,
            last_log: metrics.last_log_index,
            applied: metrics.last_applied.map(|id| id.index),
            snapshot: metrics.snapshot.map(|id| id.index),
            members: members.collect(),
            state_digest: None,
        }
    }
}

/// Returns the last entry that a member has, if this member leads and replicates to it.
pub(super) fn matched(metrics: &Metrics, id: u64) -> Option<Option<u64>> {
    if !leads(metrics) {
        return None;
    }
    if id == metrics.id {
        return Some(metrics.last_log_index);
    }
    let replication = metrics.replication.as_ref()?;
    Some(replication.get(&id)?.map(|matched| matched.index))
}

/// Returns how many entries of the leader lie behind a position.
pub(super) fn lag(metrics: &Metrics, matched: Option<u64>) -> u64 {
    let next = |index: Option<u64>| index.map_or(0, |index| index + 1);
    next(metrics.last_log_index).saturating_sub(next(matched))
}
