//! Workers that vanish: one in the middle of a proof, all of them, one that stood still while its
//! lease ran out.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use aureole_client::codes;
use aureole_client::rest::{Stage, Task, TaskState};
use aureole_tests::cluster::{Cluster, Layout};
use aureole_tests::{PATIENCE, eventually, fixture};
use serde_json::json;

use crate::story::{calm, clients, ends_well, rounds};

/// Seconds on one thread.
const SLOW_K: u32 = 13;

/// A shorter lease than the default, so that stories are short.
const LEASE: Duration = Duration::from_secs(3);

fn layout() -> Layout {
    Layout {
        lease_ms: 3_000,
        ..Layout::default()
    }
}

/// What a requeue may take beyond the lease, as promised.
const SLACK: Duration = Duration::from_secs(1);

/// What a round that is told beside others may take beyond the lease: a busy machine of two cores
/// holds up the planner's tick and this test's own look for seconds. A requeue that waits for
/// anything but the lease, such as the longest attempt or a new leader, takes far longer.
const BUSY_SLACK: Duration = Duration::from_secs(5);

/// Rounds from which on the promise is held to its number: that many are run to time it, on a machine
/// that does nothing else.
const TIMED: usize = 30;

/// What a worker's log says of the end of an attempt whose result does not count.
const ENDS_WITHOUT_RESULT: [&str; 4] = [
    "attempt stopped",
    "attempt failed",
    "the coordinators refused a completion",
    "result not delivered",
];

/// Submits a proof that takes seconds and waits until somebody makes it.
async fn slow_proof(cluster: &Cluster) -> anyhow::Result<Task> {
    let client = cluster.client("c1")?;
    cluster.upload(fixture("workload")?).await?;
    let request = serde_json::from_value(json!({"plugin": "workload", "params": {"k": SLOW_K}}))?;
    let (circuit, _) = client
        .put_circuit(&request, Duration::from_secs(60))
        .await?;
    let request = serde_json::from_value(json!({"circuit": circuit.id, "input": {"start": 3}}))?;
    let submitted = client.submit(&request).await?;
    eventually("the slow proof's beginning", || async {
        let task = client.task(&submitted.id, Duration::ZERO).await?;
        anyhow::ensure!(
            !task.state.is_final(),
            "it ended before it was seen: {task:?}"
        );
        Ok((task.stage == Some(Stage::Prove)).then_some(task))
    })
    .await
}

/// Who makes it.
fn holder(task: &Task) -> anyhow::Result<String> {
    let attempt = task.attempts.last().context("nobody has it")?;
    Ok(attempt.worker.clone())
}

/// Waits until a task is leased once more.
async fn leased_again(cluster: &Cluster, task: &Task) -> anyhow::Result<Task> {
    let client = cluster.client("c1")?;
    eventually("the task to be leased again", || async {
        let now = client.task(&task.id, Duration::ZERO).await?;
        Ok((now.attempts.len() > task.attempts.len()).then_some(now))
    })
    .await
}

async fn done(cluster: &Cluster, task: &Task) -> anyhow::Result<Task> {
    let task = cluster
        .client("c1")?
        .wait_task(&task.id, PATIENCE, |_| {})
        .await?;
    assert_eq!(task.state, TaskState::Done, "{task:?}");
    let accepted = task
        .attempts
        .iter()
        .filter(|attempt| attempt.problem.is_none());
    assert_eq!(accepted.count(), 1, "{:?}", task.attempts);
    Ok(task)
}

#[tokio::test]
async fn a_worker_killed_in_the_middle_of_a_proof_is_replaced_within_its_lease()
-> anyhow::Result<()> {
    let layout = Layout {
        alone: true,
        ..layout()
    };
    let waits = RefCell::new(Vec::new());
    rounds(layout, async |cluster, random| {
        let task = slow_proof(cluster).await?;
        let worker = holder(&task)?;
        tokio::time::sleep(Duration::from_millis(random.below(500))).await;
        let killed = Instant::now();
        cluster.server_mut(&worker)?.kill()?;
        let again = leased_again(cluster, &task).await?;
        let waited = killed.elapsed();
        assert_ne!(holder(&again)?, worker, "a dead worker has the task");
        eprintln!("{worker} was killed; the task was leased again after {waited:?}");
        waits.borrow_mut().push(waited);
        done(cluster, &task).await?;
        let recorded = clients(cluster, calm(10), random).finish()?;
        ends_well(cluster, &recorded).await
    })
    .await?;
    let mut waits = waits.into_inner();
    waits.sort_unstable();
    let longest = waits.last().context("nobody was killed")?;
    eprintln!("of {} kills the longest wait was {longest:?}", waits.len());
    let slack = if waits.len() < TIMED {
        BUSY_SLACK
    } else {
        SLACK
    };
    assert!(*longest <= LEASE + slack, "leased again after {longest:?}");
    Ok(())
}

/// Waits until an attempt has ended without a result.
async fn lost(cluster: &Cluster, task: &Task, attempt: u32) -> anyhow::Result<()> {
    let client = cluster.client("c1")?;
    eventually("a silent attempt to be lost", || async {
        let now = client.task(&task.id, Duration::ZERO).await?;
        let mut attempts = now.attempts.iter();
        let lost = attempts.any(|one| one.attempt == attempt && one.problem.is_some());
        Ok(lost.then_some(()))
    })
    .await
}

/// Waits until a worker's log says how an attempt of it has ended, and looks that its result did not
/// count.
async fn ends_without_result(
    cluster: &Cluster,
    worker: &str,
    task: &Task,
    attempt: u32,
) -> anyhow::Result<()> {
    let named = format!("task={} attempt={attempt} ", task.id);
    let said = eventually("a worker to give a stale attempt up", || async {
        let log = cluster.server(worker)?.log()?;
        let mut lines = log
            .lines()
            .filter(|line| format!("{line} ").contains(&named));
        anyhow::ensure!(
            !lines.clone().any(|line| line.contains("attempt done")),
            "a stale result was taken"
        );
        let ends = |line: &&str| ENDS_WITHOUT_RESULT.iter().any(|end| line.contains(end));
        Ok(lines.find(ends).map(str::to_owned))
    })
    .await?;
    eprintln!("{worker}: {said}");
    Ok(())
}

#[tokio::test]
async fn all_workers_gone_keep_nobody_from_submitting_and_finish_when_they_are_back()
-> anyhow::Result<()> {
    rounds(layout(), async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
        traffic.goes_on(5).await?;
        for worker in cluster.workers() {
            cluster.server_mut(&worker)?.kill()?;
        }
        traffic.goes_on(15).await?;
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}

#[tokio::test]
async fn a_worker_that_stood_still_past_its_lease_is_refused_and_changes_nothing()
-> anyhow::Result<()> {
    let (stale, finished) = (codes::task::STALE_ATTEMPT.code, codes::task::FINISHED.code);
    rounds(layout(), async |cluster, random| {
        let task = slow_proof(cluster).await?;
        let worker = holder(&task)?;
        let attempt = task.attempts.last().context("nobody has it")?.attempt;
        cluster.server(&worker)?.pause()?;
        let children = cluster.server(&worker)?.children()?;
        assert!(cluster.server(&worker)?.is_paused()?);
        leased_again(cluster, &task).await?;
        lost(cluster, &task, attempt).await?;
        // A worker that wakes up mostly hears that its lease is lost before it has its result to
        // offer. Offered all the same, while another proves and after that, it is refused.
        let refused = cluster.offer(&worker, &task.id, attempt).await?;
        let refused = refused.context("a stale result was taken")?;
        assert!([stale, finished].contains(&refused.as_str()), "{refused}");
        let before = done(cluster, &task).await?;
        let refused = cluster.offer(&worker, &task.id, attempt).await?;
        assert_eq!(refused.as_deref(), Some(finished));
        cluster.server(&worker)?.resume()?;
        assert!(!children.is_empty(), "nothing proved");
        ends_without_result(cluster, &worker, &task, attempt).await?;
        let recorded = clients(cluster, calm(10), random).finish()?;
        let after = done(cluster, &task).await?;
        assert_eq!(before.proof, after.proof, "a stale completion was accepted");
        ends_well(cluster, &recorded).await
    })
    .await
}
