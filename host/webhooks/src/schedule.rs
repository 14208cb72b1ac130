//! When to try again: each wait several times the one before, with jitter, up to a longest.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};

use crate::limits::{GIVE_UP, WAIT_FACTOR, WAIT_FIRST, WAIT_MAX};

/// When an event is tried again, and when no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The first wait.
    pub first: Duration,
    /// The longest wait, before jitter.
    pub longest: Duration,
    /// How long an event is tried.
    pub give_up: Duration,
}

// === impl Schedule ===

impl Default for Schedule {
    fn default() -> Self {
        Self {
            first: WAIT_FIRST,
            longest: WAIT_MAX,
            give_up: GIVE_UP,
        }
    }
}

impl Schedule {
    /// The wait after a number of failures in a row: at least one. Jitter adds up to as much again.
    pub(crate) fn wait(&self, failures: u32) -> Duration {
        let waits = ExponentialBuilder::new()
            .with_min_delay(self.first)
            .with_max_delay(self.longest)
            .with_factor(WAIT_FACTOR)
            .with_jitter()
            .without_max_times();
        // Sixteen times fourfold is beyond any longest wait.
        let turn = usize::try_from(failures.saturating_sub(1).min(16)).unwrap_or(16);
        waits.build().nth(turn).unwrap_or(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn waits_grow_to_a_longest_and_differ() {
        let schedule = Schedule::default();
        let first = schedule.wait(1);
        assert!(first >= schedule.first && first <= 2 * schedule.first);
        let second = schedule.wait(2);
        assert!(second >= 4 * schedule.first && second <= 8 * schedule.first);
        for failures in [8, 100, u32::MAX] {
            let late = schedule.wait(failures);
            assert!(
                late >= schedule.longest && late <= 2 * schedule.longest,
                "{late:?}"
            );
        }
        let waits: std::collections::BTreeSet<_> = (0..8).map(|_| schedule.wait(3)).collect();
        assert!(waits.len() > 1, "no jitter");
    }
}
