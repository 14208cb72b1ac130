//! No acknowledged task is lost: it is known from then on, and ends when the storm is over.

use std::collections::BTreeSet;

use aureole_ledger::{Command, Outcome, TaskId};
use aureole_sim::{Invariant, Profile, Step, World, runs};

#[derive(Default)]
struct Durability {
    accepted: BTreeSet<TaskId>,
}

impl Invariant for Durability {
    fn step(&mut self, step: &Step<'_>) -> Result<(), String> {
        if let (Command::SubmitTask { task, .. }, Outcome::TaskSubmitted { .. }) =
            (step.command, step.outcome)
        {
            self.accepted.insert(*task);
        }
        if step.state.task_count() < self.accepted.len() as u64 {
            return Err("a task is gone".to_owned());
        }
        Ok(())
    }

    fn end(&mut self, world: &World) -> Result<(), String> {
        for task in world.acknowledged.iter().chain(&self.accepted) {
            let record = world.node.state.task(task);
            if !record.is_some_and(|record| record.is_finished()) {
                return Err(format!("{task} was acknowledged and has not ended"));
            }
        }
        Ok(())
    }
}

#[test]
fn no_acknowledged_task_is_lost() -> Result<(), String> {
    runs::<Durability>("no_acknowledged_task_is_lost", Profile::STORM, 300).map(drop)
}
