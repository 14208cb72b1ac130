//! Health: what the node depends on, each with a reason where it fails. Answers from memory.

use aureole_api::rest::{Check, Health};

use crate::desk::Desk;

/// The node's health now.
pub(crate) fn of(desk: &Desk) -> Health {
    let leader = desk.coordinator.is_leading();
    let workers = desk.coordinator.workers();
    let willing = workers.iter().filter(|worker| !worker.draining).count();
    let queued = desk.coordinator.read(|state| state.queued_count());
    let running = desk.coordinator.read(|state| state.running_count());
    let checks = vec![
        check("ledger", leader, "takes commands", "has no leader"),
        check(
            "workers",
            willing > 0,
            &format!("{willing} joined, {running} tasks running, {queued} queued"),
            "none takes tasks: submissions are accepted and wait",
        ),
    ];
    Health {
        // Without a worker the node still takes work, durably.
        ready: leader,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        node: None,
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
