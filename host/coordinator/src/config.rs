//! What a coordinator is told at start, and where it takes the time from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aureole_ledger::{Millis, Reading};

/// What a coordinator is told at start.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the cluster, the same on every member and in no other cluster: messages of another
    /// cluster are refused. Default `aureole`.
    pub cluster: String,
    /// This member's id.
    pub node_id: u64,
    /// host:port under which the other members reach this one. Default empty, for a group of one.
    pub address: String,
    /// How the group comes about. Only looked at while the folder is empty. Default alone.
    pub founding: Founding,
    /// Why this member must stay a group of one, if it must: said to whoever would add another.
    /// Default none.
    pub stays_alone: Option<String>,
    /// Folder of the log and the snapshot, this coordinator's alone.
    pub dir: PathBuf,
    /// Folder of the tiles of the log of proofs. Default `receipts` in `dir`.
    pub receipts_dir: PathBuf,
    /// How long a lease lasts without a heartbeat. Default 10 s.
    pub lease: Duration,
    /// The longest the planner sleeps without looking at the clock. Deadlines alone depend on it:
    /// commands and workers wake it at once. Default 500 ms.
    pub tick: Duration,
    /// Log entries between snapshots. Default 8000.
    pub snapshot_every: u64,
    /// Set in a simulated world only. Default none: a process that serves anybody has none.
    pub simulation: Option<Simulation>,
}

/// What a member of a simulated world is told beside: Raft then has no threads of its own, so that
/// the world's clock and network, which belong to one thread, are Raft's too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// What chance follows from: when this member stands for election.
    pub seed: u64,
}

/// How the group of a new member comes about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Founding {
    /// This member founds a group of one. More may be added while it runs.
    #[default]
    Alone,
    /// These members found a group together, this one among them. The one with the lowest id does it,
    /// when all have answered that they are empty too; the same map is given to each.
    Founders(BTreeMap<u64, String>),
    /// This member waits to be added to a group that exists.
    Join,
}

/// Where the coordinator takes the time from. Called for every proposal; must not block.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// Returns what the clocks show. The wall clock may jump: a coordinator's time follows it slowly.
    fn read(&self) -> Reading;
}

/// The operating system's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

// === impl Config ===

impl Config {
    /// Returns the defaults for a member that keeps its data in a folder.
    pub fn new(node_id: u64, dir: impl Into<PathBuf>) -> Self {
        let dir = dir.into();
        Self {
            cluster: "aureole".to_owned(),
            node_id,
            address: String::new(),
            founding: Founding::Alone,
            stays_alone: None,
            receipts_dir: dir.join("receipts"),
            dir,
            lease: Duration::from_secs(10),
            tick: Duration::from_millis(500),
            snapshot_every: crate::limits::SNAPSHOT_EVERY,
            simulation: None,
        }
    }

    /// Returns the lease in the ledger's unit.
    pub(crate) fn lease_ms(&self) -> Millis {
        Millis::try_from(self.lease.as_millis()).unwrap_or(Millis::MAX)
    }
}

// === impl SystemClock ===

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn read(&self) -> Reading {
        // A clock before 1970 is not set: the facts know a later time.
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| {
                Millis::try_from(time.as_millis()).unwrap_or(Millis::MAX)
            });
        Reading {
            stopwatch: self.started.elapsed(),
            wall,
        }
    }
}
