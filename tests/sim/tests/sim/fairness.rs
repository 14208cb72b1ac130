//! P20: while a tenant's first task could be leased, nobody who has something running is served.
//!
//! So whoever floods delays a newcomer until a slot is free, which is the end of one running task.
//! Only workers that could run the newcomer's task count.

use std::collections::BTreeSet;

use aureole_ledger::{Command, Outcome, TaskId, TaskKind, TaskPhase, TaskRecord, TenantId};
use aureole_sim::{Invariant, Profile, Step, runs};

#[derive(Default)]
struct Fairness {
    /// Who was served before.
    served: BTreeSet<TenantId>,
    /// Whom a worker was kept for before this step: its turn came when that began.
    kept: Option<TaskId>,
}

impl Fairness {
    fn is_first(&self, task: &TaskRecord) -> bool {
        task.phase() == TaskPhase::Queued && !self.served.contains(&task.tenant)
    }
}

impl Invariant for Fairness {
    fn step(&mut self, step: &Step<'_>) -> Result<(), String> {
        let kept = self.kept;
        self.kept = step.state.reservation().map(|held| held.task);
        if kept.is_none() {
            self.check(step)?;
        }
        if let (Command::LeaseTask { task, .. }, Outcome::Leased) = (step.command, step.outcome) {
            let tenant = step.state.task(task).map(|task| task.tenant.clone());
            self.served.extend(tenant);
        }
        Ok(())
    }
}

impl Fairness {
    fn check(&self, step: &Step<'_>) -> Result<(), String> {
        let (
            Command::LeaseTask {
                task,
                worker,
                speculative: false,
                ..
            },
            Outcome::Leased,
        ) = (step.command, step.outcome)
        else {
            return Ok(());
        };
        let leased = step.state.task(task).ok_or("a leased task that is none")?;
        let view = step
            .workers
            .iter()
            .find(|view| view.id == *worker)
            .ok_or("no worker")?;
        let mut held: u64 = 0;
        for attempt in step.state.leases_of(worker) {
            let other = step.state.task(&attempt.task);
            let lease = other.and_then(|other| other.lease_of(attempt.attempt));
            held += lease.map_or(0, |lease| lease.memory_bytes);
        }
        // What was free before this lease.
        let free =
            view.memory_bytes - held + leased.leases().map(|lease| lease.memory_bytes).sum::<u64>();
        for first in step.state.tasks().filter(|task| self.is_first(task)) {
            let need = step.state.memory_need(&first.kind).bytes;
            let others = step.state.running_of(&leased.tenant) > 1;
            let proof = matches!(leased.kind, TaskKind::Prove { .. });
            if others && proof && need <= free && first.tenant != leased.tenant {
                return Err(format!(
                    "{} of {}, who has others running, went before {}, the first of {}",
                    leased.id, leased.tenant, first.id, first.tenant
                ));
            }
        }
        Ok(())
    }
}

#[test]
fn a_flood_delays_a_newcomer_by_one_running_task_at_most() -> Result<(), String> {
    let name = "a_flood_delays_a_newcomer_by_one_running_task_at_most";
    let flood = Profile {
        tasks: 120,
        tenants: 12,
        storm_ms: 20_000,
        ..Profile::CALM
    };
    runs::<Fairness>(name, flood, 300).map(drop)
}
