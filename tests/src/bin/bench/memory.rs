//! `memory N`: the most memory a worker has resident while it proves, over stock halo2.
//!
//! Stock halo2 is a process of its own for each k: parameters, keys, N proofs. The worker has a process
//! for its prover; the main figure is that one's, after as many proofs of the same circuit, and the sum
//! with the worker's own is told beside it. Beside them, the
//! estimate by which circuits are admitted, over what stock halo2 took beyond an idle process.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use aureole_client::rest::{CircuitRequest, TaskRequest, TaskState};
use aureole_tests::cluster::{Cluster, Layout};
use aureole_tests::{Native, PATIENCE, descendants, fixture};
use aureole_workload::Workload;
use serde_json::{Value, json};

use crate::figures::{percentile, rounded};

/// The hidden measurement that one process makes alone.
pub(crate) const ALONE: &str = "memory-alone";

/// The sizes; the last is the one that is promised.
const SIZES: [u32; 3] = [11, 12, 14];

/// The longest that a node lets a request wait.
const WAIT: Duration = Duration::from_secs(60);

/// What one process took.
struct Alone {
    idle: u64,
    peak: u64,
}

/// What a worker took.
struct Worker {
    /// The largest of its children.
    prover: u64,
    /// It and all its children.
    whole: u64,
    /// By which the circuit was admitted.
    estimate: u64,
}

pub(crate) async fn run(proofs: u32) -> anyhow::Result<Value> {
    let (mut sizes, mut estimates) = (Vec::new(), Vec::new());
    for k in SIZES {
        let stock = stock(k, proofs)?;
        let Worker {
            prover,
            whole,
            estimate,
        } = worker(k, proofs).await?;
        let estimated = estimate as f64 / stock.peak.saturating_sub(stock.idle) as f64;
        let over_stock = |bytes: u64| rounded(bytes as f64 / stock.peak as f64);
        println!(
            "k = {k}: stock {:.0} MiB, prover {:.0} MiB, whole worker {:.0} MiB; estimate over measured {estimated:.3}",
            mebibytes(stock.peak),
            mebibytes(prover),
            mebibytes(whole)
        );
        estimates.push(estimated);
        sizes.push(json!({
            "k": k,
            "stock_mib": rounded(mebibytes(stock.peak)),
            "prover_mib": rounded(mebibytes(prover)),
            "worker_mib": rounded(mebibytes(whole)),
            "ratio": over_stock(prover),
            "worker_ratio": over_stock(whole),
            "estimate_over_measured": rounded(estimated),
        }));
    }
    let promised = sizes.last().context("sizes are measured")?;
    Ok(json!({
        "bench": "memory",
        "ratio": promised["ratio"],
        "worker_ratio": promised["worker_ratio"],
        "estimate_low": rounded(percentile(&estimates, 0)?),
        "estimate_high": rounded(percentile(&estimates, 100)?),
        "proofs": proofs,
        "sizes": sizes,
    }))
}

/// Stock halo2 alone: prints what this process had resident before and at the most.
pub(crate) fn alone(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let mut number =
        || -> anyhow::Result<u32> { Ok(arguments.next().context("give k and proofs")?.parse()?) };
    let (k, proofs) = (number()?, number()?);
    let idle = resident("self", "VmRSS")?;
    let native = Native::<Workload>::new(&json!({"k": k}), k)?;
    for start in 0..proofs {
        let (assigned, instance) = native.assign(&json!({"start": start + 1}))?;
        native.prove(assigned, &instance)?;
    }
    println!("{idle} {}", resident("self", "VmHWM")?);
    Ok(())
}

fn stock(k: u32, proofs: u32) -> anyhow::Result<Alone> {
    let answer = Command::new(std::env::current_exe()?)
        .args([ALONE, &k.to_string(), &proofs.to_string()])
        .output()?;
    ensure!(
        answer.status.success(),
        "{}",
        String::from_utf8_lossy(&answer.stderr)
    );
    let answer = String::from_utf8(answer.stdout)?;
    let (idle, peak) = answer
        .trim()
        .split_once(' ')
        .context("two figures are printed")?;
    Ok(Alone {
        idle: idle.parse()?,
        peak: peak.parse()?,
    })
}

/// The peaks of a worker's processes, and the estimate for the circuit.
async fn worker(k: u32, proofs: u32) -> anyhow::Result<Worker> {
    let threads = u32::try_from(std::thread::available_parallelism()?.get())?;
    let layout = Layout {
        coordinators: 1,
        workers: 1,
        threads,
        log: "warn",
        ..Layout::default()
    };
    let cluster = Cluster::with_plugins(layout, &[]).await?;
    cluster.upload(fixture("workload")?).await?;
    let client = cluster.client("c1")?;
    let request = CircuitRequest {
        plugin: "workload".parse()?,
        params: Some(json!({"k": k})),
    };
    let (circuit, _) = client.put_circuit(&request, WAIT).await?;
    let circuit = client.circuit(&circuit.id, WAIT).await?;
    let estimate = circuit.estimate.context("the circuit has no estimate")?;
    let estimate = ["params_bytes", "key_bytes", "prove_bytes"]
        .iter()
        .map(|part| {
            estimate[*part]
                .as_u64()
                .context("the estimate lacks a part")
        })
        .sum::<anyhow::Result<u64>>()?;
    for start in 0..proofs {
        let request = TaskRequest {
            circuit: Some(circuit.id.clone()),
            input: json!({"start": start + 1}),
            ..TaskRequest::default()
        };
        let task = client.submit(&request).await?;
        let task = client.wait_task(&task.id, PATIENCE, |_| {}).await?;
        ensure!(
            task.state == TaskState::Done,
            "a proof failed: {:?}",
            task.error
        );
    }
    let id = cluster
        .server("w1")?
        .id()
        .context("the worker does not run")?;
    let own = resident(&id.to_string(), "VmHWM")?;
    let children = descendants(id)?.into_iter();
    // A child that ended since has nothing to tell.
    let peaks = children.filter_map(|child| resident(&child.id.to_string(), "VmHWM").ok());
    let peaks: Vec<u64> = peaks.collect();
    Ok(Worker {
        prover: peaks
            .iter()
            .copied()
            .max()
            .context("the worker has no prover")?,
        whole: own + peaks.iter().sum::<u64>(),
        estimate,
    })
}

/// A line of `/proc/PROCESS/status` in bytes: `VmRSS` now, `VmHWM` at the most.
fn resident(process: &str, line: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let found = status.lines().find_map(|text| text.strip_prefix(line));
    let kibibytes = found.and_then(|text| text.trim_start_matches(':').split_whitespace().next());
    let kibibytes: u64 = kibibytes.context("the system does not tell")?.parse()?;
    Ok(kibibytes * 1024)
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
