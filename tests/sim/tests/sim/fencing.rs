//! P2: only an attempt that holds a lease ends it; every other report is refused.
//!
//! The leases are kept a second time here, from commands and answers alone.

use std::collections::BTreeMap;

use aureole_ledger::{AttemptRef, Command, Outcome, Refusal, TaskId, WorkerId};
use aureole_sim::{Invariant, Profile, Step, runs};

#[derive(Default)]
struct Fencing {
    leases: BTreeMap<AttemptRef, WorkerId>,
    newest: BTreeMap<TaskId, u32>,
    won: BTreeMap<TaskId, u32>,
}

impl Fencing {
    /// Ends an attempt, which must be the worker's.
    fn end(&mut self, attempt: AttemptRef, worker: Option<&WorkerId>) -> Result<(), String> {
        match (self.leases.remove(&attempt), worker) {
            (None, _) => Err(format!("{attempt:?} ended without a lease")),
            (Some(holder), Some(worker)) if holder != *worker => {
                Err(format!("{worker} ended {attempt:?} of {holder}"))
            }
            _ => Ok(()),
        }
    }

    fn drop_task(&mut self, task: TaskId) {
        self.leases.retain(|attempt, _| attempt.task != task);
    }

    fn accepted(&mut self, step: &Step<'_>) -> Result<(), String> {
        let of = |task: &TaskId, attempt: &u32| AttemptRef {
            task: *task,
            attempt: *attempt,
        };
        match step.command {
            Command::LeaseTask {
                task,
                attempt,
                worker,
                ..
            } => {
                let newest = self.newest.entry(*task).or_default();
                if *attempt != *newest + 1 {
                    return Err(format!("{task} went from attempt {newest} to {attempt}"));
                }
                *newest = *attempt;
                self.leases.insert(of(task, attempt), worker.clone());
            }
            Command::CompleteTask {
                task,
                attempt,
                worker,
                ..
            } => {
                if self.won.get(task) == Some(attempt) {
                    return Ok(());
                }
                self.end(of(task, attempt), Some(worker))?;
                self.won.insert(*task, *attempt);
                self.drop_task(*task);
            }
            Command::FailAttempt {
                task,
                attempt,
                worker,
                ..
            } => {
                self.end(of(task, attempt), Some(worker))?;
            }
            Command::ExpireLease { task, attempt, .. } => self.end(of(task, attempt), None)?,
            _ => {}
        }
        if let Command::FailAttempt { task, .. }
        | Command::ExpireLease { task, .. }
        | Command::CancelTask { task, .. }
        | Command::ExpireTask { task, .. } = step.command
            && step.state.task(task).is_some_and(|task| task.is_finished())
        {
            self.drop_task(*task);
        }
        Ok(())
    }

    /// A report of an attempt that holds a lease must not be refused.
    fn refused(&self, step: &Step<'_>, refusal: &Refusal) -> Result<(), String> {
        let (Command::CompleteTask {
            task,
            attempt,
            worker,
            ..
        }
        | Command::FailAttempt {
            task,
            attempt,
            worker,
            ..
        }) = step.command
        else {
            return Ok(());
        };
        let attempt = AttemptRef {
            task: *task,
            attempt: *attempt,
        };
        if self.leases.get(&attempt) == Some(worker) {
            return Err(format!(
                "{attempt:?} holds a lease and was refused: {refusal}"
            ));
        }
        Ok(())
    }
}

impl Invariant for Fencing {
    fn step(&mut self, step: &Step<'_>) -> Result<(), String> {
        match step.outcome {
            Outcome::Refused(refusal) => self.refused(step, refusal),
            _ => self.accepted(step),
        }
    }
}

#[test]
fn only_the_holder_of_a_lease_ends_it_over_a_million_steps() -> Result<(), String> {
    let name = "only_the_holder_of_a_lease_ends_it_over_a_million_steps";
    let ran = runs::<Fencing>(name, Profile::STORM, SCHEDULES)?;
    let whole = ran.schedules == SCHEDULES;
    assert!(
        !whole || ran.steps >= 1_000_000,
        "{ran:?}: more schedules are needed"
    );
    Ok(())
}

/// Enough for a million steps, between three and four hundred each.
const SCHEDULES: u64 = 3_000;
