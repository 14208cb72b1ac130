//! What a coordinator is told at start, and where it takes the time from.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aureole_ledger::Millis;

/// What a coordinator is told at start.
#[derive(Clone, Debug)]
pub struct Config {
    /// This member's id, never reused in a cluster.
    pub node_id: u64,
    /// Folder of the log and the snapshot, this coordinator's alone.
    pub dir: PathBuf,
    /// How long a lease lasts without a heartbeat. Default 10 s.
    pub lease: Duration,
    /// The longest the planner sleeps without looking at the clock. Deadlines alone depend on it:
    /// commands and workers wake it at once. Default 500 ms.
    pub tick: Duration,
    /// Log entries between snapshots. Default 2000.
    pub snapshot_every: u64,
}

/// Where the coordinator takes the time from. Called for every proposal; must not block.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// Returns the time. It may jump: deadlines move with it, nothing else.
    fn now(&self) -> Millis;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

// === impl Config ===

impl Config {
    /// Returns the defaults for a member that keeps its data in a folder.
    pub fn new(node_id: u64, dir: impl Into<PathBuf>) -> Self {
        Self {
            node_id,
            dir: dir.into(),
            lease: Duration::from_secs(10),
            tick: Duration::from_millis(500),
            snapshot_every: crate::limits::SNAPSHOT_EVERY,
        }
    }

    /// Returns the lease in the ledger's unit.
    pub(crate) fn lease_ms(&self) -> Millis {
        Millis::try_from(self.lease.as_millis()).unwrap_or(Millis::MAX)
    }
}

// === impl SystemClock ===

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        // A clock before 1970 is not set: every lease then ends when it is.
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| {
                Millis::try_from(time.as_millis()).unwrap_or(Millis::MAX)
            })
    }
}
