//! What goes wrong when: follows from a seed, or is written down by a test.

use std::collections::BTreeSet;

use aureole_sim::Random;

use crate::limits::{STORM_FROM_MS, STORM_TO_MS};

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing passes between these members and the others any more; what is under way is lost.
    Cut(BTreeSet<u64>),
    /// It passes again. Connections that lost something stay lost until somebody notices.
    Mend(BTreeSet<u64>),
    /// Nothing passes from the first to the second; the other way all does.
    CutOneWay(u64, u64),
    /// It passes again.
    MendOneWay(u64, u64),
    /// What these two send each other is kept back.
    Hold(u64, u64),
    /// It arrives, all at once.
    Release(u64, u64),
    /// Messages take up to so many milliseconds, each its own time.
    Delay(u64),
    /// So many of a thousand messages break the wire they are on, with everything on it.
    Loss(u64),
    /// A member's process is killed.
    Crash(u64),
    /// It is started again on its folder.
    Restart(u64),
    /// A member's clock is wrong by so many milliseconds.
    Clock(u64, i64),
    /// A copy of a killed member's folder is made.
    Keep(u64),
    /// A killed member's folder becomes that copy again: what it acknowledged since is gone. No disk
    /// that keeps its word does this; the invariants must notice.
    Forget(u64),
}

/// A schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What everything follows from.
    pub seed: u64,
    /// How many members found the group.
    pub members: u64,
    /// Entries between snapshots.
    pub snapshot_every: u64,
    /// The longest a message takes when nothing is wrong, in milliseconds.
    pub delay_ms: u64,
    /// What happens, and how many milliseconds after the beginning.
    pub actions: Vec<(u64, Action)>,
}

// === impl Plan ===

impl Plan {
    /// A group that nothing happens to.
    #[must_use]
    pub const fn calm(seed: u64, members: u64) -> Self {
        Self {
            seed,
            members,
            snapshot_every: 2_000,
            delay_ms: 4,
            actions: Vec::new(),
        }
    }

    /// Three or five members in a storm.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let members = if random.chance(400) { 5 } else { 3 };
        let snapshot_every = [15, 40, 2_000];
        let delays = [2, 10, 40];
        let mut plan = Self {
            snapshot_every: random.pick(&snapshot_every).copied().unwrap_or(40),
            delay_ms: random.pick(&delays).copied().unwrap_or(10),
            ..Self::calm(seed, members)
        };
        let mut at = STORM_FROM_MS;
        while at < STORM_TO_MS {
            let until = (at + random.between(100, 4_000)).min(STORM_TO_MS);
            plan.trouble(&mut random, at, until);
            at += random.between(200, 2_000);
        }
        plan.actions.sort_by_key(|(at, _)| *at);
        plan
    }

    /// Adds one trouble and its end.
    fn trouble(&mut self, random: &mut Random, from: u64, until: u64) {
        let one = random.between(1, self.members);
        let other = one % self.members + 1;
        let mut both = |begins: Action, ends: Action| {
            self.actions.push((from, begins));
            self.actions.push((until, ends));
        };
        match random.below(10) {
            0 | 1 => {
                let side = BTreeSet::from([one]);
                both(Action::Cut(side.clone()), Action::Mend(side));
            }
            2 => {
                let side: BTreeSet<u64> = (1..=self.members / 2 + 1).collect();
                both(Action::Cut(side.clone()), Action::Mend(side));
            }
            3 => both(
                Action::CutOneWay(one, other),
                Action::MendOneWay(one, other),
            ),
            4 => both(Action::Hold(one, other), Action::Release(one, other)),
            5 => {
                let slow = random.between(50, 500);
                both(Action::Delay(slow), Action::Delay(self.delay_ms));
            }
            6 => both(Action::Loss(random.between(2, 30)), Action::Loss(0)),
            7 => {
                let wrong = i64::try_from(random.between(0, 60_000)).unwrap_or(0) - 30_000;
                both(Action::Clock(one, wrong), Action::Clock(one, 0));
            }
            8 => both(Action::Crash(one), Action::Restart(one)),
            _ => {
                // The power fails for some of them, or for all.
                let many = random.between(2, self.members);
                for id in (0..many).map(|step| (one + step) % self.members + 1) {
                    both(Action::Crash(id), Action::Restart(id));
                }
            }
        }
    }
}
