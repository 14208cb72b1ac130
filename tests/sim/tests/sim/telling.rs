//! Every end of a task is told to those who want to hear it, once and as it was, whatever crashes.

use aureole_ledger::{EventKind, State, TaskKind, TaskRecord};
use aureole_sim::{FLOOD, Invariant, Profile, Step, WEBHOOK, World, runs};

#[derive(Default)]
struct Telling;

fn is_told_of(task: &TaskRecord) -> bool {
    matches!(task.kind, TaskKind::Prove { .. }) && task.tenant.as_str() == FLOOD
}

/// What is to be told is what has ended, no more and no less.
fn agrees(state: &State) -> Result<(), String> {
    for task in state.tasks() {
        let told = state.delivery(&WEBHOOK, &task.id);
        let event = EventKind::of(task.phase()).filter(|_| is_told_of(task));
        if told.map(|told| told.event) != event {
            return Err(format!(
                "{} is {}, told is {told:?}",
                task.id,
                task.phase().name()
            ));
        }
        if told.is_some_and(|told| !told.is_pending() || Some(told.since) != task.finished_at) {
            return Err(format!("nobody took the end of {}: {told:?}", task.id));
        }
    }
    Ok(())
}

impl Invariant for Telling {
    fn step(&mut self, step: &Step<'_>) -> Result<(), String> {
        agrees(step.state)
    }

    fn end(&mut self, world: &World) -> Result<(), String> {
        let state = &world.node.state;
        let ended = state.tasks().filter(|task| is_told_of(task)).count() as u64;
        if state.pending_count() == ended && ended > 0 {
            return Ok(());
        }
        let waiting = state.pending_count();
        Err(format!("{ended} tasks ended and {waiting} events wait"))
    }
}

#[test]
fn every_end_of_a_task_is_told() -> Result<(), String> {
    runs::<Telling>("every_end_of_a_task_is_told", Profile::STORM, 100).map(drop)
}
