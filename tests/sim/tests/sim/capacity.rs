//! No worker is ever given more attempts than its slots, or more memory than it has.

use aureole_ledger::{Command, Outcome};
use aureole_sim::{Invariant, Profile, Step, runs};

#[derive(Default)]
struct Capacity;

impl Invariant for Capacity {
    fn step(&mut self, step: &Step<'_>) -> Result<(), String> {
        let (Command::LeaseTask { worker, .. }, Outcome::Leased) = (step.command, step.outcome)
        else {
            return Ok(());
        };
        let Some(view) = step.workers.iter().find(|view| view.id == *worker) else {
            return Err(format!("a lease for {worker}, whom nobody knows"));
        };
        let (mut attempts, mut memory) = (0, 0);
        for attempt in step.state.leases_of(worker) {
            let task = step.state.task(&attempt.task);
            let lease = task.and_then(|task| task.lease_of(attempt.attempt));
            attempts += 1;
            memory += lease.ok_or("a lease that is none")?.memory_bytes;
        }
        if attempts > view.slots || memory > view.memory_bytes {
            return Err(format!(
                "{worker} has {attempts} of {} slots and {memory} of {} bytes",
                view.slots, view.memory_bytes
            ));
        }
        Ok(())
    }
}

#[test]
fn no_worker_has_more_than_it_can_hold() -> Result<(), String> {
    runs::<Capacity>("no_worker_has_more_than_it_can_hold", Profile::STORM, 300).map(drop)
}
