//! `throughput N`: proofs a second with a deep queue, over a loop of stock `create_proof`.
//!
//! The loop gives each proof all threads, as a program around stock halo2 does. The platform's worker
//! has as many slots as the machine has cores and chooses the threads of a proof by the queue. The
//! stock side's witnesses are assigned before its clock starts.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use aureole_client::Client;
use aureole_client::rest::{TaskRequest, TaskState};
use aureole_merkle::Merkle;
use aureole_tests::cluster::{Cluster, Layout};
use aureole_tests::{Native, PATIENCE, merkle_input};
use serde_json::{Value, json};

use crate::figures::{median, rounded};

/// The longest that a node lets a request wait.
const WAIT: Duration = Duration::from_secs(60);

/// Turns of each side.
const ROUNDS: u32 = 3;

/// Proofs made one by one for the time of a lone proof.
const LONE: u32 = 5;

/// What the platform did with a deep queue.
struct Deep {
    per_s: f64,
    /// Of each proof, from its lease to its end, in milliseconds.
    latencies: Vec<f64>,
}

pub(crate) async fn run(proofs: u32) -> anyhow::Result<Value> {
    let cores = u32::try_from(std::thread::available_parallelism()?.get())?;
    let layout = Layout {
        coordinators: 1,
        workers: 1,
        slots: cores,
        threads: cores,
        log: "warn",
        ..Layout::default()
    };
    let cluster = Cluster::with_plugins(layout, &["merkle"]).await?;
    let client = cluster.client("c1")?;
    let circuit = client
        .plugin("merkle", Duration::ZERO)
        .await?
        .default_circuit;
    let circuit = circuit.context("merkle has no default circuit")?;
    let circuit = client.circuit(&circuit, WAIT).await?;
    let k = circuit.shape.context("the circuit has no shape")?.k;
    let native = Native::<Merkle>::new(&circuit.params, k)?;
    // Every slot has its keys, and the scheduler has seen what a proof takes.
    deep(&client, 4 * cores).await?;
    stock(&native, cores)?;
    let mut lone = Vec::new();
    for _ in 0..LONE {
        lone.extend(deep(&client, 1).await?.latencies);
    }
    let lone = median(&lone)?;
    let (mut loops, mut platform, mut slowest) = (Vec::new(), Vec::new(), 0.0_f64);
    for round in 1..=ROUNDS {
        loops.push(stock(&native, proofs)?);
        let deep = deep(&client, proofs).await?;
        slowest = deep.latencies.iter().copied().fold(slowest, f64::max);
        println!(
            "round {round}: stock {:.3} proofs/s, platform {:.3}",
            loops.last().copied().unwrap_or_default(),
            deep.per_s
        );
        platform.push(deep.per_s);
    }
    let (loops, platform) = (median(&loops)?, median(&platform)?);
    println!("a lone proof takes {lone:.0} ms, the slowest of a deep queue {slowest:.0} ms");
    Ok(json!({
        "bench": "throughput",
        "k": k,
        "proofs": proofs,
        "stock_per_s": rounded(loops),
        "platform_per_s": rounded(platform),
        "ratio": rounded(platform / loops),
        "lone_ms": rounded(lone),
        "slowest_ms": rounded(slowest),
        "slowest_over_lone": rounded(slowest / lone),
    }))
}

/// Proofs a second of a loop around stock halo2.
fn stock(native: &Native<Merkle>, proofs: u32) -> anyhow::Result<f64> {
    let mut assigned = Vec::new();
    for _ in 0..proofs {
        assigned.push(native.assign(&merkle_input())?);
    }
    let begun = Instant::now();
    for (circuit, instance) in assigned {
        native.prove(circuit, &instance)?;
    }
    Ok(f64::from(proofs) / begun.elapsed().as_secs_f64())
}

/// Submits so many at once and waits for all.
async fn deep(client: &Client, proofs: u32) -> anyhow::Result<Deep> {
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..proofs {
        let request = TaskRequest {
            plugin: Some("merkle".parse()?),
            input: merkle_input(),
            ..TaskRequest::default()
        };
        tasks.push(client.submit(&request).await?.id);
    }
    let mut latencies = Vec::new();
    for task in &tasks {
        let task = client.wait_task(task, PATIENCE, |_| {}).await?;
        ensure!(
            task.state == TaskState::Done,
            "a proof failed: {:?}",
            task.error
        );
        let times = task.timings_ms.context("a task has no times")?;
        let parts = [times.witness, times.check, times.prove, times.verify];
        latencies.push(parts.into_iter().flatten().sum());
    }
    Ok(Deep {
        per_s: f64::from(proofs) / begun.elapsed().as_secs_f64(),
        latencies,
    })
}
