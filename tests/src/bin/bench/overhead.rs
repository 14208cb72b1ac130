//! `overhead N`: what the platform adds to a proof, for a small one, for a deep Merkle path, and for one
//! of a second or more on two cores.
//!
//! Three coordinators and a warm worker on loopback; from before the submission to the proof's bytes
//! in hand, over stock `create_proof` with all threads. Building the witness counts on the platform's
//! side alone: the stock side has its circuit assigned before the clock starts.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use aureole_client::Client;
use aureole_client::rest::{CircuitRequest, TaskRequest, TaskState};
use aureole_merkle::Merkle;
use aureole_sdk::Plugin;
use aureole_tests::cluster::{Cluster, Layout};
use aureole_tests::{Native, fixture, merkle_input};
use aureole_workload::Workload;
use serde_json::{Value, json};

use crate::figures::{median, percentile, rounded};

/// What is proved.
struct Subject {
    plugin: &'static str,
    params: Value,
    input: Value,
}

/// The parts of a proof as its task tells them, in the order in which they happen.
const PARTS: [&str; 5] = ["queue", "witness", "check", "prove", "verify"];

/// One proof of the platform, in milliseconds.
struct Through {
    whole: f64,
    /// As [`PARTS`], then what is none of them: HTTP, commits to disk, the download.
    parts: Vec<f64>,
}

/// Rounds before those that count: keys are made, code is compiled, pages are mapped.
const WARM_UP: u32 = 2;

const WAIT: Duration = Duration::from_secs(60);

pub(crate) async fn run(rounds: u32) -> anyhow::Result<Value> {
    let threads = u32::try_from(std::thread::available_parallelism()?.get())?;
    let layout = Layout {
        workers: 1,
        threads,
        log: "warn",
        ..Layout::default()
    };
    let cluster = Cluster::with_plugins(layout, &["merkle"]).await?;
    let client = cluster.client(&cluster.leader().await?)?;
    let mut sizes = Vec::new();
    for depth in [8, 32] {
        let merkle = Subject {
            plugin: "merkle",
            params: json!({"depth": depth}),
            input: merkle_input(),
        };
        sizes.push(size::<Merkle>(&client, &merkle, rounds).await?);
    }
    cluster.upload(fixture("workload")?).await?;
    let workload = Subject {
        plugin: "workload",
        params: json!({"k": 13}),
        input: json!({"start": 3}),
    };
    sizes.push(size::<Workload>(&client, &workload, rounds).await?);
    let [small, middle, large] = sizes.as_slice() else {
        anyhow::bail!("three sizes are measured");
    };
    Ok(json!({
        "bench": "overhead",
        "proofs": rounds,
        "ratio": large["ratio"],
        "ratio_p99": large["ratio_p99"],
        "small_added_ms": small["added_ms"],
        "verified_cores_per_core": sizes
            .iter()
            .filter_map(|size| size["verified_cores_per_core"].as_f64())
            .fold(f64::INFINITY, f64::min),
        "small": small,
        "middle": middle,
        "large": large,
    }))
}

/// How many cores can prove for each core on which the leader verifies.
///
/// The worker's prover has all cores, and so has the leader's verifier (`cores()` of its machine, which
/// is this one): both times are taken on as many threads, whether a thread had something to do or not,
/// so that their number falls out.
fn verified_cores_per_core(parts: &serde_json::Map<String, Value>) -> anyhow::Result<f64> {
    let part = |name: &str| parts.get(name).and_then(Value::as_f64);
    let (prove, verify) = part("prove")
        .zip(part("verify"))
        .context("both are parts")?;
    Ok(rounded(prove / verify))
}

/// One size of the circuit, stock and platform by turns.
async fn size<P: Plugin>(client: &Client, subject: &Subject, rounds: u32) -> anyhow::Result<Value> {
    let request = CircuitRequest {
        plugin: subject.plugin.parse()?,
        params: Some(subject.params.clone()),
    };
    let (circuit, _) = client.put_circuit(&request, WAIT).await?;
    let circuit = client.circuit(&circuit.id, WAIT).await?;
    let k = circuit.shape.context("the circuit has no shape")?.k;
    let native = Native::<P>::new(&circuit.params, k)?;
    let (mut stock, mut platform) = (Vec::new(), Vec::new());
    for round in 0..WARM_UP + rounds {
        let (circuit_here, instance) = native.assign(&subject.input)?;
        let begun = Instant::now();
        let proof = native.prove(circuit_here, &instance)?;
        let alone = begun.elapsed();
        ensure!(
            native.verifies(&instance, &proof),
            "stock halo2 refuses its proof"
        );
        let (proof, through) = submitted(client, &circuit.id, &subject.input).await?;
        ensure!(
            native.verifies(&instance, &proof),
            "stock halo2 refuses our proof"
        );
        if round >= WARM_UP {
            stock.push(alone.as_secs_f64() * 1e3);
            platform.push(through);
        }
        eprintln!("    k = {k}: round {} of {}", round + 1, WARM_UP + rounds);
    }
    let wholes: Vec<f64> = platform.iter().map(|through| through.whole).collect();
    let (alone, through) = (median(&stock)?, median(&wholes)?);
    let p99 = percentile(&wholes, 99)? / percentile(&stock, 99)?;
    println!("k = {k}: stock {alone:.1} ms, platform {through:.1} ms");
    let mut parts = serde_json::Map::new();
    for (index, name) in PARTS.into_iter().chain(["rest"]).enumerate() {
        let of_each = platform
            .iter()
            .filter_map(|through| through.parts.get(index));
        let part = median(&of_each.copied().collect::<Vec<_>>())?;
        println!("    {name:<8} {part:>8.1} ms");
        parts.insert(name.to_owned(), json!(rounded(part)));
    }
    Ok(json!({
        "k": k,
        "stock_ms": rounded(alone),
        "platform_ms": rounded(through),
        "added_ms": rounded(through - alone),
        "ratio": rounded(through / alone),
        "ratio_p99": rounded(p99),
        "verified_cores_per_core": verified_cores_per_core(&parts)?,
        "parts_ms": parts,
    }))
}

/// Submits, waits and fetches, as a client does; the clock runs from before to after.
async fn submitted(
    client: &Client,
    circuit: &str,
    input: &Value,
) -> anyhow::Result<(Vec<u8>, Through)> {
    let request = TaskRequest {
        circuit: Some(circuit.to_owned()),
        input: input.clone(),
        ..TaskRequest::default()
    };
    let begun = Instant::now();
    let task = client.submit(&request).await?;
    let task = match task.state {
        TaskState::Done => task,
        _ => client.task(&task.id, WAIT).await?,
    };
    ensure!(
        task.state == TaskState::Done,
        "a proof failed: {:?}",
        task.error
    );
    let proof = client.proof(&task.id).await?.to_vec();
    let whole = begun.elapsed().as_secs_f64() * 1e3;
    let times = task.timings_ms.context("the task has no times")?;
    let told = [
        times.queue,
        times.witness,
        times.check,
        times.prove,
        times.verify,
    ];
    let mut parts: Vec<f64> = told.map(Option::unwrap_or_default).to_vec();
    parts.push(whole - parts.iter().sum::<f64>());
    Ok((proof, Through { whole, parts }))
}
