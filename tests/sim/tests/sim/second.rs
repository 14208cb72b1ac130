//! A task has two attempts at most, on two workers, and the second beside a first one only.

use std::sync::atomic::{AtomicU64, Ordering};

use aureole_ledger::{Command, Outcome, TaskState};
use aureole_sim::{Invariant, Profile, Step, World, runs};

/// Second attempts over all worlds: a run without any would prove nothing.
static SECONDS: AtomicU64 = AtomicU64::new(0);

#[derive(Default)]
struct Second;

impl Invariant for Second {
    fn step(&mut self, step: &Step<'_>) -> Result<(), String> {
        let (
            Command::LeaseTask {
                task, speculative, ..
            },
            Outcome::Leased,
        ) = (step.command, step.outcome)
        else {
            return Ok(());
        };
        let task = step.state.task(task).ok_or("a leased task that is none")?;
        let leases: Vec<_> = task.leases().collect();
        SECONDS.fetch_add(u64::from(*speculative), Ordering::Relaxed);
        match (&task.state, leases.as_slice()) {
            (TaskState::Leased(_), [_]) => Ok(()),
            (TaskState::Leased(_), [a, b]) if a.worker != b.worker && a.attempt < b.attempt => {
                Ok(())
            }
            _ => Err(format!("{} has the leases {leases:?}", task.id)),
        }
    }

    fn end(&mut self, world: &World) -> Result<(), String> {
        let open = |task: &&aureole_ledger::TaskRecord| task.second.is_some();
        match world.node.state.tasks().find(open) {
            Some(task) => Err(format!("{} has ended and has a second attempt", task.id)),
            None => Ok(()),
        }
    }
}

#[test]
fn a_task_has_two_attempts_at_most() -> Result<(), String> {
    let slow = Profile {
        stragglers: 500,
        deadlines: 900,
        ..Profile::STORM
    };
    let ran = runs::<Second>("a_task_has_two_attempts_at_most", slow, 300)?;
    let seconds = SECONDS.load(Ordering::Relaxed);
    assert!(
        ran.schedules < 300 || seconds > 0,
        "no second attempt in {ran:?}"
    );
    Ok(())
}
