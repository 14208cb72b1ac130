//! The ledger's time: it runs like a stopwatch and drifts towards the wall clock.
//!
//! Leases, back-offs and deadlines are compared with the proposer's time. A wall clock that is set, forth
//! or back, would end every lease at once or none for hours. A [`SteadyClock`] starts at the wall clock,
//! advances with a stopwatch, never runs behind the newest time in the facts, and makes up for a wall
//! clock that shows something else by running at most a twentieth faster or slower.

use std::time::Duration;

use crate::Millis;
use crate::limits::CLOCK_SLEW;

/// What a machine's clocks show at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Time since any fixed moment of this process, at a steady rate; never goes back.
    pub stopwatch: Duration,
    /// Milliseconds since the Unix epoch; may jump.
    pub wall: Millis,
}

/// A clock that never jumps back, and forth only to catch up with the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SteadyClock {
    /// The stopwatch when it was last looked at.
    stopwatch: Duration,
    /// What was shown then, since the Unix epoch.
    shown: Duration,
}

// === impl SteadyClock ===

impl SteadyClock {
    /// Starts it at the wall clock.
    pub const fn new(reading: Reading) -> Self {
        Self {
            stopwatch: reading.stopwatch,
            shown: Duration::from_millis(reading.wall),
        }
    }

    /// Returns the time, and at least `facts`: the newest time that the facts know, which another
    /// member's clock may have given them.
    pub fn now(&mut self, reading: Reading, facts: Millis) -> Millis {
        let passed = reading.stopwatch.saturating_sub(self.stopwatch);
        let steady = self.shown.saturating_add(passed);
        let wall = Duration::from_millis(reading.wall);
        let slew = passed / CLOCK_SLEW;
        let shown = wall.clamp(steady.saturating_sub(slew), steady.saturating_add(slew));
        self.shown = shown.max(Duration::from_millis(facts));
        self.stopwatch = self.stopwatch.max(reading.stopwatch);
        Millis::try_from(self.shown.as_millis()).unwrap_or(Millis::MAX)
    }
}
