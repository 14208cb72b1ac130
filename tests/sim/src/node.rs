//! The coordinator of the simulated world: a ledger, its log on disk, and what it forgets in a crash.

use std::collections::BTreeMap;
use std::time::Duration;

use aureole_ledger::{
    Command, Digest, Millis, Outcome, Reading, State, SteadyClock, WorkerId, WorkerView,
};

/// What was applied last, for those who watch.
#[derive(Debug)]
pub struct Step<'a> {
    /// The command.
    pub command: &'a Command,
    /// What it did.
    pub outcome: &'a Outcome,
    /// The state after it.
    pub state: &'a State,
    /// The workers that exist, joined or not.
    pub workers: &'a [WorkerView],
}

/// A coordinator.
#[derive(Debug, Default)]
pub struct Node {
    /// The facts, in memory.
    pub state: State,
    /// The newest snapshot and how many commands it covers; survives.
    snapshot: Option<(Vec<u8>, usize)>,
    /// Every command ever applied, encoded; survives.
    log: Vec<Vec<u8>>,
    /// The workers that are joined; forgotten in a crash.
    pub joined: BTreeMap<WorkerId, WorkerView>,
    /// Whether it runs.
    pub up: bool,
    /// What its wall clock is off by: it jumps.
    pub skew: i64,
    /// Its clock for commands, which does not; forgotten in a crash.
    clock: Option<SteadyClock>,
}

impl Node {
    /// Starts one without facts.
    #[must_use]
    pub fn running() -> Self {
        Self {
            up: true,
            ..Self::default()
        }
    }

    /// Writes a command to the log and applies it.
    ///
    /// # Errors
    /// The command does not encode, which none of a simulation should.
    pub fn apply(&mut self, command: &Command) -> Result<Outcome, String> {
        let bytes = command.encode().map_err(|error| error.to_string())?;
        self.log.push(bytes);
        Ok(self.state.apply(command))
    }

    /// Returns the time that it would give a command.
    pub fn clock(&mut self, now: Millis) -> Millis {
        let reading = Reading {
            stopwatch: Duration::from_millis(now),
            wall: now.saturating_add_signed(self.skew),
        };
        let newest = self.state.time();
        self.clock
            .get_or_insert_with(|| SteadyClock::new(reading))
            .now(reading, newest)
    }

    /// Returns how many commands were applied in all.
    #[must_use]
    pub const fn applied(&self) -> usize {
        self.log.len()
    }

    /// Returns the joined workers.
    #[must_use]
    pub fn views(&self) -> Vec<WorkerView> {
        self.joined.values().cloned().collect()
    }

    /// Writes a snapshot.
    ///
    /// # Errors
    /// The state does not encode.
    pub fn take_snapshot(&mut self) -> Result<(), String> {
        let bytes = self.state.encode().map_err(|error| error.to_string())?;
        self.snapshot = Some((bytes, self.log.len()));
        Ok(())
    }

    /// Forgets what is not on disk.
    pub fn crash(&mut self) {
        self.up = false;
        self.joined.clear();
        self.clock = None;
    }

    /// Starts again from the snapshot and the rest of the log.
    ///
    /// # Errors
    /// What was read gives another state than the one before the crash.
    pub fn restart(&mut self) -> Result<(), String> {
        let before = digest(&self.state)?;
        self.state = self.recovered()?;
        self.up = true;
        let after = digest(&self.state)?;
        if before == after {
            Ok(())
        } else {
            Err(format!("a restart turned state {before} into {after}"))
        }
    }

    /// Returns the state that the disk gives.
    ///
    /// # Errors
    /// The snapshot or a command does not decode.
    pub fn recovered(&self) -> Result<State, String> {
        let (state, from) = match &self.snapshot {
            Some((bytes, covered)) => {
                let state = State::decode(bytes).map_err(|error| error.to_string())?;
                (state, *covered)
            }
            None => (State::new(), 0),
        };
        replay(state, self.log.iter().skip(from))
    }

    /// Returns the state that the whole log gives, without a snapshot.
    ///
    /// # Errors
    /// A command does not decode.
    pub fn replayed(&self) -> Result<State, String> {
        replay(State::new(), self.log.iter())
    }
}

/// Names a state.
///
/// # Errors
/// It does not encode.
pub fn digest(state: &State) -> Result<Digest, String> {
    state.digest().map_err(|error| error.to_string())
}

fn replay<'a>(mut state: State, log: impl Iterator<Item = &'a Vec<u8>>) -> Result<State, String> {
    for bytes in log {
        let command = Command::decode(bytes).map_err(|error| error.to_string())?;
        let _ = state.apply(&command);
    }
    Ok(state)
}
