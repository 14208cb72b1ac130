//! At most one result is accepted for a task, and nothing undoes it.

use std::collections::BTreeMap;

use aureole_ledger::{Command, Completion, Outcome, TaskId};
use aureole_sim::{Invariant, Profile, Step, World, runs};

#[derive(Default)]
struct OneResult {
    results: BTreeMap<TaskId, Completion>,
}

impl Invariant for OneResult {
    fn step(&mut self, step: &Step<'_>) -> Result<(), String> {
        let (
            Command::CompleteTask {
                task, completion, ..
            },
            Outcome::Completed { .. },
        ) = (step.command, step.outcome)
        else {
            return Ok(());
        };
        let first = self
            .results
            .entry(*task)
            .or_insert_with(|| completion.clone());
        if first != completion {
            return Err(format!("{task} took {completion:?} after {first:?}"));
        }
        Ok(())
    }

    fn end(&mut self, world: &World) -> Result<(), String> {
        for (task, result) in &self.results {
            let now = world
                .node
                .state
                .task(task)
                .and_then(|task| task.completion());
            if now != Some(result) {
                return Err(format!("{task} was {result:?} and is {now:?}"));
            }
        }
        Ok(())
    }
}

#[test]
fn a_task_takes_one_result() -> Result<(), String> {
    runs::<OneResult>("a_task_takes_one_result", Profile::STORM, 300).map(drop)
}
