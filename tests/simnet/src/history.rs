//! What was seen of a run, for the invariants to look at.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aureole_ledger::{Digest, Outcome, TaskId, TaskPhase};
use serde::{Deserialize, Serialize};

/// What a client wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// A step of three that make the circuit ready.
    Prepare(u8),
    /// Queues a task, perhaps with so many milliseconds until its deadline.
    Submit(TaskId, Option<u64>),
    /// Cancels a task.
    Cancel(TaskId),
    /// Sets the weight of a client's tenant.
    Weigh(u64, u32),
}

/// A deed that was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Milliseconds since the world began.
    pub at: u64,
    /// The client that was told.
    pub client: u64,
    /// What it wanted.
    pub deed: Deed,
    /// What it was told.
    pub outcome: Outcome,
}

/// What a member had applied at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Milliseconds since the world began.
    pub at: u64,
    /// The member.
    pub member: u64,
    /// How often it had been started.
    pub life: u64,
    /// The last entry applied.
    pub applied: u64,
    /// Digest of the facts after it.
    pub digest: Digest,
}

/// A leader that a member followed, perhaps itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reign {
    /// Milliseconds since the world began.
    pub at: u64,
    /// The member that followed.
    pub member: u64,
    /// How often it had been started.
    pub life: u64,
    /// The term.
    pub term: u64,
    /// Who led.
    pub leader: u64,
}

/// How a member stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// How often it was started.
    pub life: u64,
    /// The term it knows.
    pub term: u64,
    /// Whom it follows, perhaps itself.
    pub leader: Option<u64>,
    /// The last entry in its log.
    pub last_log: Option<u64>,
    /// The last entry it applied.
    pub applied: Option<u64>,
    /// The last entry in its snapshot.
    pub snapshot: Option<u64>,
    /// Digest of its facts.
    pub digest: Option<Digest>,
}

/// A member's facts when all was over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Digest of its facts.
    pub digest: Digest,
    /// Every task and what became of it.
    pub tasks: BTreeMap<TaskId, TaskPhase>,
}

/// What was seen of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// What clients were told, in the order in which they heard it.
    pub promises: Vec<Promise>,
    /// What members had applied, whenever that changed.
    pub samples: Vec<Sample>,
    /// Whom the members followed when, whenever that changed.
    pub reigns: Vec<Reign>,
    /// Members that stopped by themselves, and why.
    pub stopped: Vec<String>,
    /// How the members stand.
    pub now: BTreeMap<u64, State>,
    /// Snapshots that were sent from one member to another.
    pub installs: u64,
    /// Starts after a crash.
    pub restarts: u64,
    /// When, after the healing, all members agreed: milliseconds since the world began.
    pub healed: Option<u64>,
    /// Every member's facts then.
    pub ends: BTreeMap<u64, End>,
    /// When all agreed after one more crash of every member.
    pub returned: Option<u64>,
    /// Every member's facts then: what was on its disk.
    pub kept: BTreeMap<u64, End>,
}

/// A history that is being written, by everybody in the world.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chronicle(Arc<Mutex<History>>);

// === impl History ===

impl History {
    /// Says in one digest what happened: equal for runs in which the same happened at the same times.
    pub fn digest(&self) -> Digest {
        Digest::of(format!("{self:?}").as_bytes())
    }

    /// Says whether all members that are here stand at one place, which their leader does not go beyond.
    pub(crate) fn agrees(&self, members: u64, lives: &BTreeMap<u64, u64>) -> bool {
        let Some(leader) = self.now.values().find_map(|state| state.leader) else {
            return false;
        };
        let Some(leading) = self.now.get(&leader) else {
            return false;
        };
        let alike = |(id, state): (&u64, &State)| {
            lives.get(id) == Some(&state.life)
                && state.leader == Some(leader)
                && state.applied == leading.last_log
                && state.digest == leading.digest
                && state.digest.is_some()
        };
        u64::try_from(self.now.len()) == Ok(members) && self.now.iter().all(alike)
    }
}

// === impl Chronicle ===

impl Chronicle {
    pub(crate) fn write(&self) -> MutexGuard<'_, History> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
