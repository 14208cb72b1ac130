//! P14: cancel means cancel, and a cancel never un-finishes.

use std::collections::BTreeMap;

use aureole_ledger::{Command, Outcome, TaskId, TaskPhase};
use aureole_sim::{Invariant, Profile, Step, World, runs};

#[derive(Default)]
struct Cancel {
    ended: BTreeMap<TaskId, TaskPhase>,
}

impl Invariant for Cancel {
    fn step(&mut self, step: &Step<'_>) -> Result<(), String> {
        let (Command::SubmitTask { task, .. }
        | Command::CancelTask { task, .. }
        | Command::CompleteTask { task, .. }
        | Command::FailAttempt { task, .. }
        | Command::ExpireLease { task, .. }
        | Command::ExpireTask { task, .. }
        | Command::LeaseTask { task, .. }) = step.command
        else {
            return Ok(());
        };
        let Some(record) = step.state.task(task).filter(|task| task.is_finished()) else {
            return match self.ended.get(task) {
                Some(phase) => Err(format!("{task} was {} and is open", phase.name())),
                None => Ok(()),
            };
        };
        let first = *self.ended.entry(*task).or_insert_with(|| record.phase());
        if first != record.phase() {
            return Err(format!("{task} was {} before", first.name()));
        }
        let told = matches!(step.outcome, Outcome::Cancelled { .. });
        if told && record.phase() != TaskPhase::Cancelled {
            return Err(format!(
                "{task} is called cancelled and is {}",
                record.phase().name()
            ));
        }
        Ok(())
    }

    fn end(&mut self, world: &World) -> Result<(), String> {
        for task in &world.cancelled {
            let phase = world.phase(task);
            if phase != Some(TaskPhase::Cancelled) {
                return Err(format!("{task} was cancelled and is {phase:?}"));
            }
        }
        Ok(())
    }
}

#[test]
fn a_cancel_is_final_and_unfinishes_nothing() -> Result<(), String> {
    let often = Profile {
        cancels: 600,
        ..Profile::STORM
    };
    runs::<Cancel>("a_cancel_is_final_and_unfinishes_nothing", often, 300).map(drop)
}
