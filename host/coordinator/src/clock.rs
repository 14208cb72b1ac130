//! The time of a member's proposals: its own clocks, and never behind what the facts know.

use std::sync::{Arc, Mutex, PoisonError};

use aureole_ledger::{Millis, SteadyClock};

use crate::config::Clock;
use crate::limits::CLOCK_WRONG_MS;
use crate::machine::Facts;

/// The ledger's clock on this member.
#[derive(Debug)]
pub(crate) struct LedgerClock {
    clocks: Arc<dyn Clock>,
    facts: Arc<Facts>,
    steady: Mutex<Steady>,
}

#[derive(Debug)]
struct Steady {
    clock: SteadyClock,
    /// Whether it was said that the wall clock shows another time.
    told: bool,
}

// === impl LedgerClock ===

impl LedgerClock {
    pub(crate) fn new(clocks: Arc<dyn Clock>, facts: Arc<Facts>) -> Self {
        let steady = Mutex::new(Steady {
            clock: SteadyClock::new(clocks.read()),
            told: false,
        });
        Self {
            clocks,
            facts,
            steady,
        }
    }

    /// Returns the time. Not to be called while the facts are read.
    pub(crate) fn now(&self) -> Millis {
        let newest = self.facts.read(aureole_ledger::State::time);
        let mut steady = self.steady.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = self.clocks.read();
        let now = steady.clock.now(reading, newest);
        let wrong = now.abs_diff(reading.wall) > CLOCK_WRONG_MS;
        if wrong && !steady.told {
            tracing::warn!(
                wall_ms = reading.wall,
                cluster_ms = now,
                "this machine's clock and the cluster's differ: set the machine's, or find whose was wrong"
            );
        }
        steady.told = wrong;
        now
    }
}
