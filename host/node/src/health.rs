//! Health: what the process depends on, each with a reason where it fails.
//!
//! Ready is who can be asked: a leader answered this process lately. Everything else is told and does
//! not count. Without a worker a task is accepted and waits; a full disk or buffer refuses submissions
//! by a code of its own, while proofs and states are still served. Were it to count, replicas that fill
//! together would leave a load balancer together, and take the reads with them.

use std::error::Error;
use std::time::Duration;

use aureole_api::rest::{Check, Health};
use aureole_store::Space;

use crate::desk::Desk;
use crate::relay::{Heard, Local};

/// Facts are committed by a leader.
const LEDGER: &str = "ledger";
/// Bytes are stored.
const DEPOT: &str = "depot";
/// The log of proofs is whole.
const RECEIPTS: &str = "receipts";
/// Tasks are done.
const WORKERS: &str = "workers";
/// History is kept.
const ARCHIVE: &str = "archive";
/// Finished tasks find room until the archive takes them.
const ARCHIVE_BUFFER: &str = "archive_buffer";
/// What is shared answers.
const CACHE: &str = "cache";

/// How long the archive may take to answer: whoever asks for health waits two seconds.
const ARCHIVE_PATIENCE: Duration = Duration::from_millis(500);

/// The health of a process that serves the API: a coordinator's, or a gateway's on its own, which has
/// no disk but the leader's.
pub(crate) async fn of(
    local: Option<&Local>,
    heard: &Heard,
    cache: Option<Result<(), String>>,
) -> Health {
    let mut checks = vec![ledger(local, heard)];
    let mut of_leader = heard.checks.clone();
    if let Some(local) = local {
        of_leader.retain(|check| ![DEPOT, RECEIPTS].contains(&check.name.as_str()));
        checks.push(depot(&local.desk).await);
        checks.push(receipts(&local.desk));
    }
    checks.extend(of_leader);
    checks.extend(cache.map(|state| match state {
        Ok(()) => check(CACHE, true, "answers".to_owned()),
        Err(why) => check(
            CACHE,
            false,
            format!("{why}; everything goes on without it"),
        ),
    }));
    let mut that_count = checks.iter().filter(|check| check.name == LEDGER);
    Health {
        ready: that_count.all(|check| check.ok),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        node: local.map(|local| local.member.to_string()),
        checks,
    }
}

/// What the leader says of itself when another process asks.
pub(crate) async fn of_leader(desk: &Desk) -> Vec<Check> {
    let mut checks = vec![depot(desk).await, receipts(desk), workers(desk)];
    checks.extend(archive(desk).await);
    checks
}

/// Whether history is kept, and whether what ends meanwhile finds room.
async fn archive(desk: &Desk) -> Vec<Check> {
    let members = desk.coordinator.member_count();
    let Some(archive) = desk.history.archive_of(members) else {
        let kept = desk.history.buffer_tasks();
        let told = format!("none: the ledger keeps the newest {kept} finished tasks");
        return vec![check(ARCHIVE, true, told)];
    };
    let asked = tokio::time::timeout(ARCHIVE_PATIENCE, archive.ping()).await;
    let state = match asked {
        Ok(Ok(())) => check(ARCHIVE, true, "takes finished tasks".to_owned()),
        Ok(Err(error)) => {
            let error: &dyn Error = &error;
            tracing::debug!(error, "the archive does not answer");
            check(ARCHIVE, false, WAITING.to_owned())
        }
        Err(_) => check(ARCHIVE, false, WAITING.to_owned()),
    };
    let finished = desk.coordinator.read(aureole_ledger::State::finished_count);
    let full = desk.history.is_nearly_full(finished, members);
    vec![state, buffer(finished, desk.history.buffer_tasks(), full)]
}

/// What is told of an archive that is away; why stands in the log.
const WAITING: &str = "does not answer: finished tasks wait in the ledger";

fn buffer(finished: u64, room: u64, nearly_full: bool) -> Check {
    let figures = format!("{finished} finished tasks in the ledger, room for {room}");
    check(ARCHIVE_BUFFER, !nearly_full, figures)
}

fn ledger(local: Option<&Local>, heard: &Heard) -> Check {
    let member = local.map(|local| &local.coordinator);
    if member.is_some_and(|member| member.leader().now().is_none()) {
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

/// Whether the log of proofs on the disk of this process is whole and can be read.
fn receipts(desk: &Desk) -> Check {
    let log = desk.coordinator.log();
    match log.trouble() {
        None => check(RECEIPTS, true, format!("{} leaves on disk", log.size())),
        Some(trouble) => check(RECEIPTS, false, trouble),
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
            let health = of(None, &heard(age, vec![told(DEPOT, true)]), None).await;
            assert_eq!(health.ready, ready, "{age:?}: {health:?}");
        }
        let health = of(None, &heard(Some(61), Vec::new()), None).await;
        let why = health.checks.first().and_then(|check| check.detail.clone());
        assert_eq!(why.as_deref(), Some("no leader has answered for 61 s"));
    }

    #[tokio::test]
    async fn what_refuses_submissions_alone_is_told_and_turns_no_reader_away() {
        for name in [DEPOT, ARCHIVE_BUFFER, WORKERS, ARCHIVE] {
            let health = of(None, &heard(Some(0), vec![told(name, false)]), None).await;
            assert!(health.ready, "{name}");
            assert!(
                health
                    .checks
                    .iter()
                    .any(|check| check.name == name && !check.ok)
            );
        }
    }

    #[tokio::test]
    async fn a_cache_that_is_away_is_told_and_does_not_count() {
        let away = Some(Err("it was not asked".to_owned()));
        let health = of(None, &heard(Some(0), Vec::new()), away).await;
        let cache = health.checks.iter().find(|check| check.name == CACHE);
        assert!(health.ready && cache.is_some_and(|cache| !cache.ok));
        let none = of(None, &heard(Some(0), Vec::new()), None).await;
        assert!(none.checks.iter().all(|check| check.name != CACHE));
    }

    #[test]
    fn the_buffer_tells_its_figures() {
        let full = buffer(90, 100, true);
        assert!(!full.ok && buffer(89, 100, false).ok);
        let why = full.detail.unwrap_or_default();
        assert_eq!(why, "90 finished tasks in the ledger, room for 100");
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
