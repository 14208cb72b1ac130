//! What ended in the last minutes, kept over the looks, so that each looks at what is new only.

use std::collections::BTreeMap;

use aureole_client::rest::{Task, TaskKind, TaskState, Timings};

use crate::limits::TASKS_MAX;

/// A task as far as it counts here.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// How it ended.
    pub state: TaskState,
    /// What it was for.
    pub kind: TaskKind,
    /// When it ended, in milliseconds since 1970.
    pub at: u64,
    /// How long its stages took.
    pub timings: Timings,
    /// The stable code of why it failed.
    pub code: Option<String>,
}

/// What was seen of the last minutes.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    ended: BTreeMap<String, Ended>,
    /// Some of what was submitted before then was not looked at.
    missed_at: Option<u64>,
}

// === impl Recent ===

impl Recent {
    /// Takes a page of tasks that have ended; `true` says that some were known, so that a later page
    /// is not worth a look.
    pub fn take(&mut self, tasks: Vec<Task>) -> bool {
        let mut known = false;
        for task in tasks {
            let Some(finished) = task.finished_at else {
                continue;
            };
            let ended = Ended {
                state: task.state,
                kind: task.kind,
                at: finished.millis(),
                timings: task.timings_ms.unwrap_or_default(),
                code: task.error.map(|problem| problem.code().to_owned()),
            };
            known |= self.ended.insert(task.id, ended).is_some();
        }
        known
    }

    /// Notes that tasks which were submitted before a moment were not looked at.
    pub fn miss(&mut self, at: u64) {
        self.missed_at = self.missed_at.max(Some(at));
    }

    /// Forgets what ended before a moment, and the oldest of too many.
    pub fn forget(&mut self, before: u64) {
        self.ended.retain(|_, task| task.at >= before);
        if self.missed_at.is_some_and(|at| at < before) {
            self.missed_at = None;
        }
        let too_many = self.ended.len().saturating_sub(TASKS_MAX as usize);
        if too_many == 0 {
            return;
        }
        let mut oldest: Vec<(u64, String)> = self
            .ended
            .iter()
            .map(|(id, task)| (task.at, id.clone()))
            .collect();
        oldest.sort_unstable();
        for (at, id) in oldest.into_iter().take(too_many) {
            self.ended.remove(&id);
            self.miss(at);
        }
    }

    /// What has ended, with its task.
    pub fn ended(&self) -> impl Iterator<Item = (&str, &Ended)> {
        self.ended.iter().map(|(id, task)| (id.as_str(), task))
    }

    /// Whether nothing was missed.
    pub const fn is_whole(&self) -> bool {
        self.missed_at.is_none()
    }
}
