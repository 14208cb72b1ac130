//! How often what a world is to suffer really happened: a storm without crashes would prove nothing.

use std::ops::AddAssign;

use crate::Profile;

/// Counts of one world, or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Crashes of a coordinator that ran.
    pub node_crashes: u64,
    /// Crashes of workers that ran.
    pub worker_crashes: u64,
    /// Jumps of a coordinator's clock.
    pub clock_jumps: u64,
    /// Ends of attempts that were reported too late, or once more, and refused.
    pub stale_reports: u64,
    /// Proofs that did not verify.
    pub lies: u64,
}

// === impl Seen ===

impl Seen {
    /// Names something that a profile asks for and that never happened.
    #[must_use]
    pub fn lacks(&self, profile: &Profile) -> Option<&'static str> {
        let asked = [
            (
                profile.node_crashes,
                self.node_crashes,
                "crash of the coordinator",
            ),
            (
                profile.worker_crashes,
                self.worker_crashes,
                "crash of a worker",
            ),
            (profile.clock_jumps, self.clock_jumps, "jump of the clock"),
            (profile.stuck, self.stale_reports, "stale report"),
            (profile.lies, self.lies, "proof that does not verify"),
        ];
        let mut missing = asked
            .into_iter()
            .filter(|(asked, seen, _)| *asked > 0 && *seen == 0);
        missing.next().map(|(_, _, what)| what)
    }
}

impl AddAssign for Seen {
    fn add_assign(&mut self, other: Self) {
        self.node_crashes += other.node_crashes;
        self.worker_crashes += other.worker_crashes;
        self.clock_jumps += other.clock_jumps;
        self.stale_reports += other.stale_reports;
        self.lies += other.lies;
    }
}
