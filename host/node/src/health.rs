//! Health: what the process depends on, each with a reason where it fails.
//!
//! Ready is who could take a submission now: a leader answered this process lately, and there is room
//! for what the submission brings. Workers do not count: without one a task is accepted and waits.

use std::error::Error;

use aureole_api::rest::{Check, Health};
use aureole_store::Space;

use crate::desk::Desk;
use crate::relay::{Heard, Local};

/// Facts are committed by a leader.
const LEDGER: &str = "ledger";
/// Bytes are stored.
const DEPOT: &str = "depot";
/// Tasks are done.
const WORKERS: &str = "workers";

/// The health of a process that serves the API: a coordinator's, or a gateway's on its own, which has
/// no disk but the leader's.
pub(crate) async fn of(local: Option<&Local>, heard: &Heard) -> Health {
    let mut checks = vec![ledger(local, heard)];
    let mut of_leader = heard.checks.clone();
    if let Some(local) = local {
        of_leader.retain(|check| check.name != DEPOT);
        checks.push(depot(&local.desk).await);
    }
    checks.extend(of_leader);
    let counts = |check: &Check| check.name != WORKERS;
    Health {
        ready: checks
            .iter()
            .filter(|check| counts(check))
            .all(|check| check.ok),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        node: local.map(|local| local.member.to_string()),
        checks,
    }
}

/// What the leader says of itself when another process asks.
pub(crate) async fn of_leader(desk: &Desk) -> Vec<Check> {
    vec![depot(desk).await, workers(desk)]
}

fn ledger(local: Option<&Local>, heard: &Heard) -> Check {
    let member = local.map(|local| &local.coordinator);
    if member.is_some_and(|member| member.leader().borrow().is_none()) {
        return check(LEDGER, false, "has no leader".to_owned());
    }
    match heard.age {
        Some(_) if heard.is_recent() => check(LEDGER, true, "takes commands".to_owned()),
        Some(age) => {
            let ill = format!("no leader has answered for {} s", age.as_secs());
            check(LEDGER, false, ill)
        }
        None => check(LEDGER, false, "no leader has answered yet".to_owned()),
    }
}

/// Whether the disk of this process has room beyond what is kept back.
async fn depot(desk: &Desk) -> Check {
    match desk.disk.space().await {
        Ok(space) => room(space),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn Error,
                "the depot does not tell its room"
            );
            check(DEPOT, false, "the disk does not answer".to_owned())
        }
    }
}

fn room(space: Space) -> Check {
    let Space { free, reserve, .. } = space;
    let figures = format!("{} MiB free, {} MiB kept back", free >> 20, reserve >> 20);
    match space.admits(0) {
        true => check(DEPOT, true, figures),
        false => check(DEPOT, false, format!("{figures}: nothing more is stored")),
    }
}

/// Workers join the leader; another member knows of none.
fn workers(desk: &Desk) -> Check {
    let coordinator = &desk.coordinator;
    let workers = coordinator.workers();
    let willing = workers.iter().filter(|worker| !worker.draining).count();
    let (queued, running) = coordinator.read(|state| (state.queued_count(), state.running_count()));
    if willing == 0 {
        let ill = "none takes tasks: submissions are accepted and wait";
        return check(WORKERS, false, ill.to_owned());
    }
    let well = format!("{willing} joined, {running} tasks running, {queued} queued");
    check(WORKERS, true, well)
}

fn check(name: &str, ok: bool, detail: String) -> Check {
    Check {
        name: name.to_owned(),
        ok,
        detail: Some(detail),
    }
}

#[cfg(test)]
mod tests {
    //! What counts for readiness, and what is told of it.

    use std::time::Duration;

    use super::*;

    fn heard(age: Option<u64>, checks: Vec<Check>) -> Heard {
        let age = age.map(Duration::from_secs);
        Heard { age, checks }
    }

    fn told(name: &str, ok: bool) -> Check {
        check(name, ok, "so it is".to_owned())
    }

    #[tokio::test]
    async fn a_gateway_is_ready_while_a_leader_answered_lately() {
        for (age, ready) in [
            (Some(0), true),
            (Some(5), true),
            (Some(6), false),
            (None, false),
        ] {
            let health = of(None, &heard(age, vec![told(DEPOT, true)])).await;
            assert_eq!(health.ready, ready, "{age:?}: {health:?}");
        }
        let health = of(None, &heard(Some(61), Vec::new())).await;
        let why = health.checks.first().and_then(|check| check.detail.clone());
        assert_eq!(why.as_deref(), Some("no leader has answered for 61 s"));
    }

    #[tokio::test]
    async fn a_full_disk_counts_and_missing_workers_do_not() {
        for (name, ready) in [(DEPOT, false), (WORKERS, true)] {
            let health = of(None, &heard(Some(0), vec![told(name, false)])).await;
            assert_eq!(health.ready, ready, "{name}");
            assert!(
                health
                    .checks
                    .iter()
                    .any(|check| check.name == name && !check.ok)
            );
        }
    }

    #[test]
    fn the_reserve_is_not_room() {
        let space = |free: u64| Space {
            total: 100 << 20,
            free: free << 20,
            reserve: 16 << 20,
        };
        assert!(room(space(16)).ok);
        let full = room(space(15));
        assert!(!full.ok);
        let why = full.detail.unwrap_or_default();
        assert_eq!(why, "15 MiB free, 16 MiB kept back: nothing more is stored");
    }
}
