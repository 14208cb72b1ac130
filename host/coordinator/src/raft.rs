//! The types openraft works on: an entry is a batch of commands, its answer a batch of outcomes, a
//! node is an address and an incarnation.

use std::io::Cursor;

use aureole_ledger::Outcome;
use serde::{Deserialize, Serialize};

pub(crate) use crate::batch::Batch;

use crate::chance::Tokio;

/// One outcome for each command, in the same order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answers(pub(crate) Vec<Outcome>);

/// Where a member is, and which one it is. Stands in the log's membership entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// host:port of its internal address; empty in a group of one that nobody dials.
    pub(crate) address: String,
    /// Drawn when its folder was made. A member that lost its disk draws another, and is refused by
    /// the group under its old id: it no longer knows what it voted for.
    pub(crate) incarnation: u64,
}

openraft::declare_raft_types!(
    /// The types of this group.
    pub(crate) Types:
        D = Batch,
        R = Answers,
        NodeId = u64,
        Node = Member,
        Entry = openraft::Entry<Types>,
        SnapshotData = Cursor<Vec<u8>>,
        AsyncRuntime = Tokio,
);

/// A member of this group.
pub(crate) type Raft = openraft::Raft<Types>;

/// A log entry.
pub(crate) type Entry = openraft::Entry<Types>;

/// A position in the log.
pub(crate) type LogId = openraft::LogId<u64>;

/// What openraft makes of a failing disk: it stops.
pub(crate) type StorageError = openraft::StorageError<u64>;

/// What a snapshot says of itself.
pub(crate) type SnapshotMeta = openraft::SnapshotMeta<u64, Member>;

/// The members as of a log entry.
pub(crate) type StoredMembership = openraft::StoredMembership<u64, Member>;

/// A vote for a leader.
pub(crate) type Vote = openraft::Vote<u64>;

/// What this member knows of the group.
pub(crate) type Metrics = openraft::RaftMetrics<u64, Member>;
