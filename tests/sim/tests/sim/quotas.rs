//! A tenant never has more unfinished tasks than its quota, whatever is lost, repeated or crashes; and
//! its usage counts each accepted task once.

use std::collections::BTreeSet;

use aureole_ledger::{Command, Outcome, TaskId, TenantId};
use aureole_sim::{Invariant, Profile, Step, runs};

#[derive(Default)]
struct WithinQuota {
    accepted: BTreeSet<TaskId>,
}

impl Invariant for WithinQuota {
    fn step(&mut self, step: &Step<'_>) -> Result<(), String> {
        let flood = TenantId::new("flood").map_err(|error| error.to_string())?;
        if let (Command::SubmitTask { task, tenant, .. }, Outcome::TaskSubmitted { .. }) =
            (step.command, step.outcome)
            && *tenant == flood
        {
            self.accepted.insert(*task);
        }
        let unfinished = step
            .state
            .tasks()
            .filter(|task| task.tenant == flood && !task.is_finished())
            .count() as u64;
        let held = step.state.holdings(&flood).live_tasks;
        let quota = step.state.tenant(&flood).quotas.live_tasks;
        if unfinished != held || quota.is_some_and(|quota| held > quota) {
            return Err(format!(
                "{unfinished} unfinished, {held} counted, {quota:?} allowed"
            ));
        }
        let counted = step.state.usage(&flood).tasks;
        if counted != self.accepted.len() as u64 {
            return Err(format!(
                "{} accepted, {counted} counted",
                self.accepted.len()
            ));
        }
        Ok(())
    }
}

#[test]
fn no_tenant_passes_its_quota() -> Result<(), String> {
    runs::<WithinQuota>("no_tenant_passes_its_quota", Profile::STORM, 300).map(drop)
}
