//! `scale PROOFS`: proofs per second with one and with two workers of one thread each.
//!
//! One coordinator, so that what is left of the machine is the workers'; the same proofs are made
//! with one worker and with two, turn by turn. The last line is one JSON object; what comes before
//! is for people.
#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use aureole_client::rest::{CircuitRequest, TaskRequest, TaskState};
use aureole_tests::cluster::{Cluster, Layout};
use aureole_tests::{PATIENCE, fixture};
use serde_json::json;

/// What is promised on two cores.
const TARGET: f64 = 1.9;

/// Rounds of one worker and two, by turns: what else the machine does changes slower than that.
const ROUNDS: usize = 3;

/// A proof takes a second or so: far more than what surrounds it.
const K: u32 = 12;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let proofs: usize = match std::env::args().nth(1) {
        Some(text) => text
            .parse()
            .context("give the proofs of a round, such as 20")?,
        None => 20,
    };
    ensure!(proofs >= 2, "give at least two proofs a round");
    let layout = Layout {
        coordinators: 1,
        workers: 2,
        log: "warn",
        ..Layout::default()
    };
    let mut cluster = Cluster::with_plugins(layout, &[]).await?;
    cluster.upload(fixture("workload")?).await?;
    let request = CircuitRequest {
        plugin: "workload".parse()?,
        params: Some(json!({"k": K})),
    };
    let wait = Duration::from_secs(60);
    let (circuit, _) = cluster.client("c1")?.put_circuit(&request, wait).await?;
    let [mut one, mut two] = [Vec::new(), Vec::new()];
    // Both have the keys before anything is timed.
    rate(&cluster, &circuit.id, 4).await?;
    for round in 1..=ROUNDS {
        let both = rate(&cluster, &circuit.id, proofs).await?;
        cluster.server_mut("w2")?.stop(Duration::from_secs(30))?;
        let alone = rate(&cluster, &circuit.id, proofs).await?;
        cluster.start_server("w2")?;
        // It makes its keys again, untimed.
        rate(&cluster, &circuit.id, 4).await?;
        println!("  round {round}: {alone:.3} proofs/s with one worker, {both:.3} with two");
        one.push(alone);
        two.push(both);
    }
    let (one, two) = (median(one)?, median(two)?);
    let ratio = two / one;
    println!("\n  {one:.3} and {two:.3} proofs/s: ratio {ratio:.3}, promised {TARGET}\n");
    let line = json!({
        "bench": "scale",
        "proofs": proofs,
        "one_worker_per_s": one,
        "two_workers_per_s": two,
        "ratio": ratio,
        "target": TARGET,
    });
    println!("{line}");
    Ok(())
}

/// Submits so many proofs at once and waits for all.
async fn rate(cluster: &Cluster, circuit: &str, proofs: usize) -> anyhow::Result<f64> {
    let client = cluster.client("c1")?;
    let start = Instant::now();
    let mut tasks = Vec::new();
    for start in 0..proofs {
        let request = TaskRequest {
            circuit: Some(circuit.to_owned()),
            input: json!({"start": start + 1}),
            ..TaskRequest::default()
        };
        tasks.push(client.submit(&request).await?.id);
    }
    for task in &tasks {
        let task = client.wait_task(task, PATIENCE, |_| {}).await?;
        ensure!(
            task.state == TaskState::Done,
            "a proof failed: {:?}",
            task.error
        );
    }
    let proofs = u32::try_from(proofs)?;
    Ok(f64::from(proofs) / start.elapsed().as_secs_f64())
}

fn median(mut figures: Vec<f64>) -> anyhow::Result<f64> {
    figures.sort_by(f64::total_cmp);
    figures
        .get(figures.len() / 2)
        .copied()
        .context("nothing was measured")
}
