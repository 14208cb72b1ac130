//! `failover KILLS`: how long nobody can submit after the leader of three coordinators is killed,
//! while provers burn all cores.
//!
//! The leader is killed with SIGKILL; from then on a client submits through the two gateways that
//! stay, by turns, until it is acknowledged. The killed one comes back before the next kill. The last
//! line is one JSON object; what comes before is for people.
#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use aureole_client::rest::{CircuitRequest, TaskRequest};
use aureole_tests::cluster::{Cluster, Layout};
use aureole_tests::{eventually, fixture, http, preimage_input};
use serde_json::json;

/// Promised: the median, and the 99th percentile.
const TARGETS_S: (f64, f64) = (2.0, 5.0);

/// How long a client waits for one answer: no longer than a gateway waits for a leader.
const ANSWER: Duration = Duration::from_secs(6);

/// The pause before it tries again.
const PAUSE: Duration = Duration::from_millis(10);

/// Proofs of seconds each, so that both workers are always busy.
const SLOW_K: u32 = 12;

/// Slow proofs that wait, at the least: the next ones are submitted before these are done.
const BACKLOG: usize = 6;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let kills: usize = match std::env::args().nth(1) {
        Some(text) => text
            .parse()
            .context("give the number of kills, such as 10")?,
        None => 10,
    };
    ensure!(kills > 0, "give at least one kill");
    let layout = Layout {
        log: "warn",
        ..Layout::default()
    };
    let mut cluster = Cluster::with_plugins(layout, &["preimage"]).await?;
    let circuit = slow_circuit(&cluster).await?;
    println!("{kills} kills of the leader while two workers prove without a pause");
    let mut gaps = Vec::new();
    for kill in 1..=kills {
        keep_busy(&cluster, &circuit).await?;
        let leader = cluster.leader().await?;
        cluster.server_mut(&leader)?.kill()?;
        let killed = Instant::now();
        accepted(&cluster, &leader, kill)?;
        let gap = killed.elapsed().as_secs_f64();
        println!("  {kill:>3}  {leader}  {gap:6.3} s");
        gaps.push(gap);
        cluster.start_server(&leader)?;
        cluster.ready().await?;
    }
    report(gaps)
}

/// Prepares the circuit that keeps the workers busy.
async fn slow_circuit(cluster: &Cluster) -> anyhow::Result<String> {
    cluster.upload(fixture("workload")?).await?;
    let request = CircuitRequest {
        plugin: "workload".parse()?,
        params: Some(json!({"k": SLOW_K})),
    };
    let wait = Duration::from_secs(60);
    let (circuit, _) = cluster.client("c1")?.put_circuit(&request, wait).await?;
    Ok(circuit.id)
}

/// Fills the queue and waits until every worker proves.
async fn keep_busy(cluster: &Cluster, circuit: &str) -> anyhow::Result<()> {
    let client = cluster.client("c1")?;
    let query = |state: &str| -> anyhow::Result<_> {
        Ok(aureole_client::TaskQuery {
            state: Some(serde_json::from_value(json!(state))?),
            limit: Some(50),
            ..Default::default()
        })
    };
    let waiting = client.tasks(&query("queued")?).await?.tasks.len();
    for start in waiting..BACKLOG {
        let request = TaskRequest {
            circuit: Some(circuit.to_owned()),
            input: json!({"start": start}),
            // Behind the submissions that are timed, whose proofs are quick.
            priority: Some(0),
            ..TaskRequest::default()
        };
        client.submit(&request).await?;
    }
    let running = query("running")?;
    let workers = cluster.workers().len();
    eventually("every worker to prove", || async {
        Ok((client.tasks(&running).await?.tasks.len() >= workers).then_some(()))
    })
    .await
}

/// Submits through those who stay until a task is acknowledged.
fn accepted(cluster: &Cluster, killed: &str, kill: usize) -> anyhow::Result<()> {
    let stay = cluster
        .coordinators()
        .into_iter()
        .filter(|name| name != killed);
    let urls: Vec<&str> = stay
        .collect::<Vec<_>>()
        .iter()
        .map(|name| cluster.url(name))
        .collect::<Result<_, _>>()?;
    let body = json!({"plugin": "preimage", "input": preimage_input(kill as u64)}).to_string();
    let key = format!("kill-{kill}");
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", key.as_str()),
    ];
    let start = Instant::now();
    for url in urls.iter().cycle() {
        let answer = http::send_within(
            ANSWER,
            url,
            "POST",
            "/api/v1/tasks",
            &headers,
            body.as_bytes(),
        );
        if answer.is_ok_and(|answer| answer.status < 300) {
            break;
        }
        ensure!(
            start.elapsed() < aureole_tests::PATIENCE,
            "no submission was accepted"
        );
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

fn report(mut gaps: Vec<f64>) -> anyhow::Result<()> {
    gaps.sort_by(f64::total_cmp);
    let at = |share: usize| {
        let last = gaps.len() - 1;
        gaps.get((last * share).div_ceil(100))
            .copied()
            .context("nothing was measured")
    };
    let (median, p99) = (at(50)?, at(99)?);
    let (median_target, p99_target) = TARGETS_S;
    println!();
    println!("  median {median:.3} s, promised {median_target} s");
    println!("  99th percentile {p99:.3} s, promised {p99_target} s");
    println!();
    let line = json!({
        "bench": "failover",
        "kills": gaps.len(),
        "median_s": median,
        "p99_s": p99,
        "median_target_s": median_target,
        "p99_target_s": p99_target,
    });
    println!("{line}");
    Ok(())
}
