//! Who is told of the ends of tasks, and what became of telling them.
//!
//! A subscription is a fact, and so is each event that is still to be delivered: whoever leads next
//! goes on. Attempts are not; only how a delivery ended is. The key that signs is not here either:
//! it follows from the members' secret and the subscription's id.

use serde::{Deserialize, Serialize};

use crate::{Millis, TaskId, TaskPhase, TenantId, WebhookId};

/// A subscription: where the ends of a tenant's proofs are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookRecord {
    /// Its id.
    pub id: WebhookId,
    /// Whose tasks it tells of.
    pub tenant: TenantId,
    /// Where to; checked by whoever proposed it and again at each connection.
    pub url: String,
    /// Which ends it tells of.
    pub events: EventSet,
    /// Whether it tells the public inputs.
    pub public_inputs: bool,
    /// When it was made.
    pub created_at: Millis,
    /// Events that were not even queued, because too many wait.
    pub missed: u64,
}

/// An end of a task that somebody wants to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Its proof was made and verified.
    Done,
    /// It ended without.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

/// A set of [`EventKind`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventSet(u8);

/// An event on its way to one subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// What happened.
    pub event: EventKind,
    /// Since when it is to be delivered: the task's end, or a replay.
    pub since: Millis,
    /// Where it stands.
    pub state: DeliveryState,
}

/// Where a delivery stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeliveryState {
    /// Nobody has taken it yet.
    Pending,
    /// It ended.
    Settled {
        /// When.
        at: Millis,
        /// How.
        settlement: Settlement,
        /// Attempts that the last leader made.
        attempts: u32,
    },
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// The receiver answered with a success.
    Delivered {
        /// The status, 200 to 299.
        status: u16,
    },
    /// Nobody tries any more; a replay does.
    Dead {
        /// What the last attempt met.
        failure: Failure,
    },
}

/// Why an attempt to deliver did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The name does not resolve.
    Unresolved,
    /// The URL or the address behind it may not be reached from here.
    Denied,
    /// No connection.
    Connect,
    /// The receiver's certificate is not good for its name.
    Tls,
    /// No answer in time.
    Timeout,
    /// The answer is no HTTP.
    Answer,
    /// The receiver answered with this status.
    Status(u16),
    /// There is nothing to tell: the task is no longer known.
    Forgotten,
    /// It was not attempted before it was given up.
    Unattempted,
}

// === impl EventKind ===

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Done, Self::Failed, Self::Cancelled];

    /// Returns the event that a task's phase is; `None` while it has not ended.
    pub const fn of(phase: TaskPhase) -> Option<Self> {
        match phase {
            TaskPhase::Done => Some(Self::Done),
            TaskPhase::Failed => Some(Self::Failed),
            TaskPhase::Cancelled => Some(Self::Cancelled),
            TaskPhase::Queued | TaskPhase::Running => None,
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Done => 1,
            Self::Failed => 2,
            Self::Cancelled => 4,
        }
    }
}

// === impl EventSet ===

impl EventSet {
    /// Every kind.
    pub const ALL: Self = Self(7);

    /// Says whether a kind is in the set.
    pub const fn contains(self, kind: EventKind) -> bool {
        self.0 & kind.bit() != 0
    }

    /// Says whether no kind is.
    pub const fn is_empty(self) -> bool {
        self.0 & Self::ALL.0 == 0
    }

    /// Returns the kinds, in the order of their declaration.
    pub fn kinds(self) -> impl Iterator<Item = EventKind> {
        EventKind::ALL
            .into_iter()
            .filter(move |kind| self.contains(*kind))
    }
}

impl FromIterator<EventKind> for EventSet {
    fn from_iter<T: IntoIterator<Item = EventKind>>(kinds: T) -> Self {
        Self(kinds.into_iter().fold(0, |set, kind| set | kind.bit()))
    }
}

// === impl Delivery ===

impl Delivery {
    /// Says whether it is still to be delivered.
    pub const fn is_pending(&self) -> bool {
        matches!(self.state, DeliveryState::Pending)
    }
}

/// An event that is still to be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingEvent {
    /// Of which task.
    pub task: TaskId,
    /// Since when.
    pub since: Millis,
}
