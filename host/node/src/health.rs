//! Health: what the process depends on, each with a reason where it fails. Answers from memory.

use aureole_api::rest::{Check, Health};

use crate::relay::Local;

/// The health of a coordinator now.
pub(crate) fn of(local: &Local) -> Health {
    let coordinator = &local.coordinator;
    let leader = coordinator.leader().borrow().clone();
    let led = leader.is_some();
    let leads = leader.is_some_and(|leader| leader.id == local.member);
    let mut checks = vec![check("ledger", led, "takes commands", "has no leader")];
    // Workers join the leader; another member knows of none.
    if leads {
        let workers = coordinator.workers();
        let willing = workers.iter().filter(|worker| !worker.draining).count();
        let queued = coordinator.read(|state| state.queued_count());
        let running = coordinator.read(|state| state.running_count());
        checks.push(check(
            "workers",
            willing > 0,
            &format!("{willing} joined, {running} tasks running, {queued} queued"),
            "none takes tasks: submissions are accepted and wait",
        ));
    }
    // Without a worker the node still takes work, durably.
    health(led, Some(local.member.to_string()), checks)
}

/// The health of a gateway that is no coordinator: whether one was found that leads.
pub(crate) fn of_gateway(found: bool) -> Health {
    let checks = vec![check(
        "ledger",
        found,
        "a leader answers",
        "no leader has answered yet: the next request looks for one",
    )];
    // It looks for a leader with each request, so it is ready to be asked.
    health(true, None, checks)
}

fn health(ready: bool, node: Option<String>, checks: Vec<Check>) -> Health {
    Health {
        ready,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        node,
        checks,
    }
}

fn check(name: &str, ok: bool, well: &str, ill: &str) -> Check {
    let detail = Some(if ok { well } else { ill }.to_owned());
    Check {
        name: name.to_owned(),
        ok,
        detail,
    }
}
