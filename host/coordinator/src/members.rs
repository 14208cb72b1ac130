//! The members of the group: how it stands, and who is to belong to it.
//!
//! Every verb is carried out by the leader; another member passes it on, once. A new member is a
//! learner until it has caught up, and votes by joint consensus: no moment has two majorities.
//!
//! A member that lost its disk no longer knows what it voted for and what it acknowledged. It may
//! not go on under its old id as if nothing had happened: the group knows it by its incarnation, and
//! refuses the new one. It comes back under a new id, or by being removed and added: both bring it
//! what it lost before it votes again.

mod change;
mod forward;
mod serve;
mod status;
#[cfg(test)]
mod tests;
mod transfer;

use std::time::Duration;

use thiserror::Error;

pub(crate) use self::forward::Verb;
pub use self::serve::MembersService;
pub use self::status::{ClusterStatus, MemberStatus};
use crate::dial::DialError;
use crate::network::PeerError;

/// Why the members are as before, or are not known.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MemberError {
    /// Nobody leads now.
    #[error("the group has no leader now; try again")]
    NoLeader,
    /// There is no such member.
    #[error("member {id} does not belong to the group")]
    Unknown {
        /// Its id.
        id: u64,
    },
    /// The last voter cannot leave.
    #[error("member {id} is the only voter; add another before it is removed")]
    LastVoter {
        /// Its id.
        id: u64,
    },
    /// The group is as large as it may be.
    #[error("the group has {members} members, the limit is {max}")]
    Full {
        /// How many there are.
        members: usize,
        /// The most allowed.
        max: usize,
    },
    /// The group has members that could not reach this leader.
    #[error("this node was started without an internal address: no other member could reach it")]
    NoAddress,
    /// The group keeps something that no other member could reach.
    #[error("this node stays alone: {reason}")]
    StaysAlone {
        /// What, and what to do.
        reason: String,
    },
    /// Nobody answers at the address given.
    #[error("member {id} does not answer at {address}: {reason}")]
    Unreachable {
        /// Its id.
        id: u64,
        /// The address.
        address: String,
        /// Why.
        reason: String,
    },
    /// Another member answers.
    #[error("member {found} answers at {address}, where member {id} should be")]
    Another {
        /// Its id.
        id: u64,
        /// The address.
        address: String,
        /// Who answers.
        found: u64,
    },
    /// The member to be added has a log of its own.
    #[error(
        "member {id} at {address} has data of a group already: empty its folder before it is added"
    )]
    NotEmpty {
        /// Its id.
        id: u64,
        /// The address.
        address: String,
    },
    /// The id is that of a member with another disk.
    #[error(
        "member {id} belongs to the group with another disk: if that is lost, remove member {id} \
         first; its votes must not be forgotten"
    )]
    LostDisk {
        /// The id.
        id: u64,
    },
    /// A learner cannot lead.
    #[error("member {id} has no vote; only a voter can lead")]
    Learner {
        /// Its id.
        id: u64,
    },
    /// A member does not catch up.
    #[error("member {id} still lacked {lag} entries after {} s; it stays a learner, try again", waited.as_secs())]
    Behind {
        /// Its id.
        id: u64,
        /// How many entries it lacks.
        lag: u64,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Leadership did not go where it should.
    #[error("member {id} did not become the leader within {} s; try again", waited.as_secs())]
    NotTaken {
        /// Who should lead.
        id: u64,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Raft refuses the change.
    #[error("the group refuses the change: {reason}")]
    Refused {
        /// What it said.
        reason: String,
    },
    /// The change was proposed and may or may not come about.
    #[error("no majority decided within {} s; look at the status before trying again", waited.as_secs())]
    Undecided {
        /// How long it was waited for.
        waited: Duration,
    },
    /// The leader's address cannot be dialled.
    #[error("the leader's address")]
    Dial(#[from] DialError),
    /// The leader answered with an error.
    #[error("member {leader} leads and answered: {message}")]
    Leader {
        /// Who leads.
        leader: u64,
        /// What kind of error.
        code: tonic::Code,
        /// What it said.
        message: String,
    },
    /// This member stopped.
    #[error("the coordinator has stopped: {reason}")]
    Stopped {
        /// Why.
        reason: String,
    },
}

// === impl MemberError ===

impl MemberError {
    fn unreachable(id: u64, address: &str, error: &PeerError) -> Self {
        Self::Unreachable {
            id,
            address: address.to_owned(),
            reason: error.to_string(),
        }
    }
}
