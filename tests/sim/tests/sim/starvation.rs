//! Nothing waits for ever: among tasks of one tenant and circuit, one is overtaken only by those
//! that were submitted within a bounded time after it.

use aureole_ledger::limits::PRIORITY_STEP_MS;
use aureole_ledger::{Command, Outcome, TaskId, TaskKind, TaskState};
use aureole_sim::{Invariant, Profile, Step, runs};

#[derive(Default)]
struct Starvation {
    /// Whom a worker was kept for before this step: its turn came when that began.
    kept: Option<TaskId>,
}

impl Invariant for Starvation {
    fn step(&mut self, step: &Step<'_>) -> Result<(), String> {
        let kept = self.kept;
        self.kept = step.state.reservation().map(|held| held.task);
        let (
            Command::LeaseTask {
                task,
                now,
                speculative: false,
                ..
            },
            Outcome::Leased,
        ) = (step.command, step.outcome)
        else {
            return Ok(());
        };
        if kept == Some(*task) {
            return Ok(());
        }
        let leased = step.state.task(task).ok_or("a leased task that is none")?;
        let TaskKind::Prove { circuit, .. } = leased.kind else {
            return Ok(());
        };
        for waiting in step.state.tasks() {
            let TaskState::Queued { not_before } = waiting.state else {
                continue;
            };
            let same = waiting.tenant == leased.tenant
                && matches!(waiting.kind, TaskKind::Prove { circuit: c, .. } if c == circuit);
            let late = waiting.deadline.is_some_and(|deadline| deadline <= *now);
            let steps = leased
                .priority
                .level()
                .saturating_sub(waiting.priority.level());
            let bound = u64::from(steps) * PRIORITY_STEP_MS;
            let after = leased.submitted_at.saturating_sub(waiting.submitted_at);
            if same && !late && not_before <= *now && after > bound {
                return Err(format!(
                    "{task} was submitted {after} ms after {} and overtook it; the bound is {bound}",
                    waiting.id
                ));
            }
        }
        Ok(())
    }
}

#[test]
fn nothing_is_overtaken_beyond_its_bound() -> Result<(), String> {
    let long = Profile {
        tasks: 120,
        storm_ms: 900_000,
        ..Profile::STORM
    };
    let name = "nothing_is_overtaken_beyond_its_bound";
    runs::<Starvation>(name, long, 150)?;
    let crowded = Profile {
        tasks: 150,
        ..Profile::STORM
    };
    runs::<Starvation>(name, crowded, 100).map(drop)
}
