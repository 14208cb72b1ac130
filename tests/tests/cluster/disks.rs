//! Disks that are slow, full or failing, under one coordinator: the others go on. Disks without room
//! under all of them: what would take more is refused by name, and nothing else is.
#![cfg(target_os = "linux")]

use std::time::Duration;

use anyhow::Context as _;
use aureole_client::codes;
use aureole_tests::cluster::{Cluster, Habits, Layout};
use aureole_tests::{eventually, http, plugin, preimage_input};
use serde_json::json;

use crate::story::{calm, clients, ends_well, rounds};

/// More bytes than any disk has: a coordinator that keeps them back has room for nothing.
const MORE_THAN_THERE_IS: u64 = 1 << 60;

/// What a coordinator may take to end well.
const END: Duration = Duration::from_secs(30);

fn layout() -> Layout {
    Layout {
        faults: true,
        ..Layout::default()
    }
}

#[tokio::test]
async fn a_slow_disk_under_the_leader_slows_and_loses_nothing() -> anyhow::Result<()> {
    rounds(layout(), async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
        traffic.goes_on(5).await?;
        let slow = cluster.leader().await?;
        let faults = cluster.server(&slow)?.faults()?;
        faults.slow_disk(Duration::from_millis(250))?;
        traffic.goes_on(10).await?;
        assert!(faults.happened()?.syncs_delayed > 0, "no sync was delayed");
        faults.heal()?;
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}

#[tokio::test]
async fn a_full_disk_under_one_coordinator_stops_only_that_one() -> anyhow::Result<()> {
    rounds(layout(), async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
        for leads in [true, false] {
            traffic.goes_on(5).await?;
            let full = if leads {
                cluster.leader().await?
            } else {
                cluster.follower().await?
            };
            let before = writes_refused(cluster, &full)?;
            cluster.server(&full)?.faults()?.full_disk()?;
            traffic.goes_on(15).await?;
            eventually("a write to find the disk full", || async {
                Ok((writes_refused(cluster, &full)? > before).then_some(()))
            })
            .await?;
            assert_ne!(cluster.leader().await?, full, "one that cannot write leads");
            cluster.heal().await?;
        }
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}

fn writes_refused(cluster: &Cluster, name: &str) -> anyhow::Result<u64> {
    Ok(cluster.server(name)?.faults()?.happened()?.writes_failed)
}

#[tokio::test]
async fn a_failing_sync_makes_a_leader_step_down_and_acknowledge_nothing() -> anyhow::Result<()> {
    rounds(layout(), async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
        traffic.goes_on(5).await?;
        let failing = cluster.leader().await?;
        cluster.server(&failing)?.faults()?.failing_disk()?;
        eventually("another leader", || async {
            Ok((cluster.leader().await? != failing).then_some(()))
        })
        .await?;
        traffic.goes_on(10).await?;
        assert!(
            cluster.server(&failing)?.faults()?.happened()?.syncs_failed > 0,
            "no sync failed"
        );
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}

/// Restarts one coordinator after the other, each with so many bytes kept back.
async fn keep_back(cluster: &mut Cluster, bytes: Option<u64>) -> anyhow::Result<()> {
    for name in cluster.coordinators() {
        cluster.server(&name)?.keep_back(bytes)?;
        cluster.server_mut(&name)?.stop(END)?;
        cluster.start_server(&name)?;
        cluster.ready().await?;
    }
    Ok(())
}

/// Posts until somebody who leads has answered: a leader without room hands over, and its heir is no
/// better off.
async fn post(
    url: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> anyhow::Result<http::Answer> {
    eventually("an answer of one who leads", || async {
        let answer = http::send(url, "POST", path, headers, body)?;
        Ok((answer.status != 503).then_some(answer))
    })
    .await
}

/// Submits under a key of its own.
async fn submit(url: &str) -> anyhow::Result<http::Answer> {
    let body = json!({"plugin": "preimage", "input": preimage_input(1_000)}).to_string();
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", "without-room"),
    ];
    post(url, "/api/v1/tasks", &headers, body.as_bytes()).await
}

/// Looks that a gateway takes nothing in by the code that says why, and still serves what it has.
async fn has_no_room(cluster: &Cluster, name: &str, done: &str) -> anyhow::Result<()> {
    let url = cluster.url(name)?;
    let wasm = [
        ("content-type", "application/wasm"),
        ("prefer", "respond-async"),
    ];
    let upload = post(url, "/api/v1/plugins?wait=0s", &wasm, &plugin("range")?).await?;
    for refused in [submit(url).await?, upload] {
        let code = codes::node::DISK_FULL;
        assert_eq!(refused.status, code.status, "{:?}", refused.json());
        assert_eq!(refused.json()?["code"], code.code);
    }
    let health = http::get(url, "/health/ready")?.json()?;
    let mut checks = health["checks"].as_array().into_iter().flatten();
    let depot = checks.find(|check| check["name"] == "depot");
    let depot = depot.with_context(|| format!("no word of the disk: {health}"))?;
    assert_eq!(depot["ok"], false, "{health}");
    let proof = proof_of(cluster, name, done).await?;
    assert!(!proof.is_empty(), "{name} serves an empty proof");
    Ok(())
}

/// A proof through one gateway, waited for through a change of leader.
async fn proof_of(cluster: &Cluster, name: &str, done: &str) -> anyhow::Result<Vec<u8>> {
    let client = cluster.client(name)?;
    eventually("a proof to be served", || async {
        Ok(client.proof(done).await.ok().map(|proof| proof.to_vec()))
    })
    .await
}

#[tokio::test]
async fn disks_without_room_refuse_by_name_until_there_is_room_again() -> anyhow::Result<()> {
    rounds(Layout::default(), async |cluster, random| {
        // The same submissions come again below, and must not find a task that was cancelled.
        let habits = |submissions| Habits {
            cancel_one_in: 0,
            ..calm(submissions)
        };
        let first = clients(cluster, habits(10), random).finish()?;
        // All of them are done before: a proof finds no room either, and costs its task an attempt.
        ends_well(cluster, &first).await?;
        let done = first.acknowledged.values().next();
        let done = done.context("ten were acknowledged")?.id.clone();
        keep_back(cluster, Some(MORE_THAN_THERE_IS)).await?;
        for name in cluster.coordinators() {
            has_no_room(cluster, &name, &done).await?;
        }
        keep_back(cluster, None).await?;
        let admitted = submit(cluster.url("c1")?).await?;
        assert!(admitted.status < 300, "{:?}", admitted.json());
        let recorded = clients(cluster, habits(20), random).finish()?;
        ends_well(cluster, &recorded).await
    })
    .await
}
