//! What grows has an end: attempts of a task and what is kept of them, leases in a renewal, events that
//! wait, acts that are kept. Quotas have a file of their own; a plan's length the world looks at itself.

use std::sync::atomic::{AtomicU64, Ordering};

use aureole_ledger::limits::{
    ATTEMPT_RECORDS_MAX, ATTEMPTS_MAX, AUDIT_KEPT, AUDIT_WAITING_MAX,
    PENDING_EVENTS_OF_WEBHOOK_MAX, RENEWALS_MAX, RETURNS_MAX,
};
use aureole_ledger::{Command, State, TaskPhase, TaskRecord};
use aureole_sim::{Invariant, Profile, Step, World, runs};

/// Tasks that used up their attempts, over all worlds: a run without any would prove nothing.
static EXHAUSTED: AtomicU64 = AtomicU64::new(0);

#[derive(Default)]
struct Bounded;

/// Says what of a task is beyond its limit.
fn beyond(task: &TaskRecord) -> Option<String> {
    let (strikes, returns, kept) = (task.strikes, task.returns, task.attempts.len());
    let within = strikes <= ATTEMPTS_MAX && returns <= RETURNS_MAX && kept <= ATTEMPT_RECORDS_MAX;
    let open = !task.is_finished() && (strikes == ATTEMPTS_MAX || returns == RETURNS_MAX);
    (!within || open).then(|| {
        format!("{strikes} strikes, {returns} returns, {kept} attempts kept, open: {open}")
    })
}

fn within(state: &State) -> Result<(), String> {
    for task in state.tasks() {
        if let Some(found) = beyond(task) {
            return Err(format!("{} has {found}", task.id));
        }
    }
    // The world has one webhook.
    let waiting = state.pending_count();
    if waiting > PENDING_EVENTS_OF_WEBHOOK_MAX {
        return Err(format!("{waiting} events wait"));
    }
    let acts = state.audit().count();
    if acts > AUDIT_KEPT + AUDIT_WAITING_MAX {
        return Err(format!("{acts} acts are kept"));
    }
    Ok(())
}

impl Invariant for Bounded {
    fn step(&mut self, step: &Step<'_>) -> Result<(), String> {
        if let Command::RenewLeases { leases, .. } = step.command
            && leases.len() > RENEWALS_MAX
        {
            return Err(format!("{} leases in one renewal", leases.len()));
        }
        within(step.state)
    }

    fn end(&mut self, world: &World) -> Result<(), String> {
        let exhausted =
            |task: &&TaskRecord| task.phase() == TaskPhase::Failed && task.strikes == ATTEMPTS_MAX;
        let tasks = world.node.state.tasks().filter(exhausted).count() as u64;
        EXHAUSTED.fetch_add(tasks, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn nothing_grows_beyond_its_limit() -> Result<(), String> {
    let failing = Profile {
        failures: 700,
        ..Profile::STORM
    };
    let ran = runs::<Bounded>("nothing_grows_beyond_its_limit", failing, 200)?;
    let exhausted = EXHAUSTED.load(Ordering::Relaxed);
    assert!(
        ran.schedules < 200 || exhausted > 0,
        "no task used up its attempts in {ran:?}"
    );
    Ok(())
}
