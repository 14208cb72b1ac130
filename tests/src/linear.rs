//! Whether what clients saw of one task could have happened one thing at a time.
//!
//! A history of calls and answers is *linearizable* when every call can be given one moment between
//! its beginning and its answer at which it took effect, such that each answer is right for the
//! order of the moments. A call without an answer may have taken effect at any moment after its
//! beginning, or never. The search is Wing and Gong's, with Lowe's memory of what was tried, and calls that change nothing are not tried in every order; tasks
//! do not touch each other, so each is checked alone and histories stay short.
//!
//! No crate is used for it: those with a memory (without which a violation among overlapping calls
//! takes exponential time to find) have not been kept for years.

mod task;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

pub use task::{Answer, Call, Task};

/// One call of one client, on one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What was asked.
    pub call: Call,
    /// When, in the history's own count of events.
    pub called: u64,
    /// What was answered and when; nothing when the client gave up or the connection broke.
    pub answered: Option<(u64, Answer)>,
}

/// Records what clients do. Shared by them; each event gets the next number.
#[derive(Debug, Default)]
pub struct History {
    events: AtomicU64,
    tasks: Mutex<BTreeMap<String, Vec<Operation>>>,
}

/// A call that has begun.
#[derive(Debug)]
#[must_use = "a call without an answer is one whose outcome nobody knows"]
pub struct Begun {
    task: String,
    index: usize,
}

/// No order explains what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What the task is called in the history.
    pub task: String,
    /// All calls on it, in the order of their beginnings.
    pub operations: Vec<Operation>,
    /// How many of them the longest order that works explains.
    pub explained: usize,
}

// === impl History ===

impl History {
    /// Notes that a call begins. To be called before anything is sent.
    pub fn begin(&self, task: &str, call: Call) -> Begun {
        let mut tasks = self.locked();
        let operations = tasks.entry(task.to_owned()).or_default();
        operations.push(Operation {
            call,
            called: self.next(),
            answered: None,
        });
        Begun {
            task: task.to_owned(),
            index: operations.len() - 1,
        }
    }

    /// Notes a call's answer. To be called after it was read.
    pub fn end(&self, begun: &Begun, answer: Answer) {
        let mut tasks = self.locked();
        let operation = tasks
            .get_mut(&begun.task)
            .and_then(|operations| operations.get_mut(begun.index));
        if let Some(operation) = operation {
            operation.answered = Some((self.next(), answer));
        }
    }

    /// How many calls were made, and how many of them were answered.
    pub fn counts(&self) -> (usize, usize) {
        let tasks = self.locked();
        let all = || tasks.values().flatten();
        let answered = all().filter(|operation| operation.answered.is_some());
        (all().count(), answered.count())
    }

    /// Whether anybody asked for this of a task.
    pub fn was_asked(&self, task: &str, call: &Call) -> bool {
        let tasks = self.locked();
        let mut operations = tasks.get(task).into_iter().flatten();
        operations.any(|operation| operation.call == *call)
    }

    /// Checks every task's history.
    ///
    /// # Errors
    /// The first task, by name, whose history no order explains.
    pub fn check(&self) -> Result<(), Violation> {
        for (task, operations) in self.locked().iter() {
            check(operations).map_err(|explained| Violation {
                task: task.clone(),
                operations: operations.clone(),
                explained,
            })?;
        }
        Ok(())
    }

    fn next(&self) -> u64 {
        self.events.fetch_add(1, Ordering::SeqCst)
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<Operation>>> {
        self.tasks
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "no order explains what was seen of {}: {} of {} calls at the most",
            self.task,
            self.explained,
            self.operations.len()
        )?;
        for operation in &self.operations {
            match &operation.answered {
                Some((at, answer)) => writeln!(
                    f,
                    "  {:>6} to {at:>6}  {:?} -> {answer:?}",
                    operation.called, operation.call
                )?,
                None => writeln!(
                    f,
                    "  {:>6} to      ?  {:?} -> nobody knows",
                    operation.called, operation.call
                )?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Violation {}

/// Checks one task's calls.
///
/// # Errors
/// How many calls the longest order that works explains.
pub fn check(operations: &[Operation]) -> Result<(), usize> {
    let mut search = Search {
        operations,
        tried: HashSet::new(),
        longest: 0,
    };
    let taken = Taken(vec![0; operations.len().div_ceil(64)]);
    if search.goes_on(&taken, 0, &Task::default()) {
        Ok(())
    } else {
        Err(search.longest)
    }
}

struct Search<'a> {
    operations: &'a [Operation],
    /// Sets of calls that took effect, with the state they lead to: none leads to the end.
    tried: HashSet<(Taken, Task)>,
    longest: usize,
}

/// Which calls have taken effect, a bit each.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Taken(Vec<u64>);

// === impl Search ===

impl Search<'_> {
    /// Whether the calls that have not taken effect yet can do so from here.
    fn goes_on(&mut self, taken: &Taken, count: usize, task: &Task) -> bool {
        self.longest = self.longest.max(count);
        let open = || {
            let all = self.operations.iter().enumerate();
            all.filter(|(index, _)| !taken.has(*index))
        };
        let ends = open().filter_map(|(_, operation)| operation.answered.as_ref());
        // What began after this had its answer cannot have taken effect before it.
        let Some(first_end) = ends.map(|(at, _)| *at).min() else {
            return true;
        };
        let candidates: Vec<usize> = open()
            .filter(|(_, operation)| operation.called < first_end)
            .map(|(index, _)| index)
            .collect();
        let steps: Vec<(usize, Vec<Task>)> = candidates
            .into_iter()
            .map(|index| (index, self.after(index, task)))
            .collect();
        // An answer that is right now and changes nothing can only be in the way later.
        let idle = steps.iter().find(|(index, after)| {
            let operation = self.operations.get(*index);
            operation.is_some_and(|operation| operation.answered.is_some()) && after.contains(task)
        });
        if let Some((index, _)) = idle {
            return self.goes_on(&taken.with(*index), count + 1, task);
        }
        for (index, after) in steps {
            for next in after {
                let with = taken.with(index);
                let fresh = self.tried.insert((with.clone(), next.clone()));
                if fresh && self.goes_on(&with, count + 1, &next) {
                    return true;
                }
            }
        }
        false
    }

    /// The tasks that this one may be after a call took effect.
    fn after(&self, index: usize, task: &Task) -> Vec<Task> {
        let Some(operation) = self.operations.get(index) else {
            return Vec::new();
        };
        let answer = operation.answered.as_ref().map(|(_, answer)| answer);
        task.after(&operation.call, answer)
    }
}

// === impl Taken ===

impl Taken {
    fn has(&self, index: usize) -> bool {
        let word = self.0.get(index / 64).copied().unwrap_or_default();
        word & (1 << (index % 64)) != 0
    }

    fn with(&self, index: usize) -> Self {
        let mut with = self.clone();
        if let Some(word) = with.0.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
        with
    }
}
