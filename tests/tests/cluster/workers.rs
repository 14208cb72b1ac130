//! Workers that vanish: one in the middle of a proof, all of them, one that stood still while its
//! lease ran out.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use anyhow::Context as _;
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

/// Rounds from which on the promise is held to its number: that many are run to time it, on a machine
/// that does nothing else.
const TIMED: usize = 30;

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
    // One alone may have met a machine that was busy with something else.
    let bound = if waits.len() < TIMED {
        PATIENCE
    } else {
        LEASE + SLACK
    };
    assert!(*longest <= bound, "leased again after {longest:?}");
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
async fn a_worker_that_stood_still_past_its_lease_changes_nothing() -> anyhow::Result<()> {
    rounds(layout(), async |cluster, random| {
        let task = slow_proof(cluster).await?;
        let worker = holder(&task)?;
        cluster.server(&worker)?.pause()?;
        let children = cluster.server(&worker)?.children()?;
        assert!(cluster.server(&worker)?.is_paused()?);
        leased_again(cluster, &task).await?;
        let before = done(cluster, &task).await?;
        cluster.server(&worker)?.resume()?;
        assert!(!children.is_empty(), "nothing proved");
        // It has its stale result to offer, then takes part again.
        let recorded = clients(cluster, calm(10), random).finish()?;
        let after = done(cluster, &task).await?;
        assert_eq!(before.proof, after.proof, "a stale completion was accepted");
        ends_well(cluster, &recorded).await
    })
    .await
}
