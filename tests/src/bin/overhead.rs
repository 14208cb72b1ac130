//! `overhead N`: what the platform adds to a proof.
//!
//! In one run, turn by turn, N proofs of `merkle` are made by stock `create_proof` on the author's
//! own circuit with all threads of this process, and N by a node, from the submission over HTTP to
//! the proof's bytes in hand. Keys and parameters are made before and count on neither side.
//!
//! The last line is one JSON object; what comes before is for people.
#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use aureole_client::{Client, rest::TaskState};
use aureole_merkle::Merkle;
use aureole_tests::{Native, Node, PATIENCE, merkle_input};
use serde_json::{Value, json};

/// Rounds before the measured ones: keys are made, code is compiled, pages are mapped.
const WARM_UP: u32 = 2;

/// The parts of a platform proof as its task tells them, in the order in which they happen.
const PARTS: [&str; 5] = ["queue", "witness", "check", "prove", "verify"];

/// How long one request waits for the proof.
const WAIT: Duration = Duration::from_secs(60);

/// The times of one proof of the platform, in milliseconds.
struct Platform {
    whole: f64,
    parts: BTreeMap<&'static str, f64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let rounds = match std::env::args().nth(1) {
        Some(text) => text
            .parse()
            .context("give the number of proofs, such as 15")?,
        None => 15,
    };
    ensure!(rounds > 0, "give at least one proof to make");
    let node = Node::with_plugins(&["merkle"]).await?;
    let client = node.client()?;
    let plugin = client.plugin("merkle", Duration::ZERO).await?;
    let circuit = plugin
        .default_circuit
        .context("merkle has no default circuit")?;
    let circuit = client.circuit(&circuit, WAIT).await?;
    let k = circuit.shape.context("the circuit has no shape")?.k;
    let native = Native::<Merkle>::new(&circuit.params, k)?;
    for _ in 0..WARM_UP {
        stock(&native)?;
        platform(&client).await?;
    }
    let mut stocks = Vec::new();
    let mut platforms = Vec::new();
    for round in 1..=rounds {
        stocks.push(stock(&native)?);
        platforms.push(platform(&client).await?);
        eprintln!("    proof {round} of {rounds}");
    }
    report(rounds, k, &stocks, &platforms)
}

/// Makes one proof with stock halo2. Only `create_proof` is timed: the circuit with its witness is
/// there already, which on the platform is a part of the time.
fn stock(native: &Native<Merkle>) -> anyhow::Result<f64> {
    let input = merkle_input();
    let (circuit, instance) = native.assign(&input)?;
    let start = Instant::now();
    let proof = native.prove(circuit, &instance)?;
    let took = millis(start.elapsed());
    ensure!(
        native.verifies(&instance, &proof),
        "a proof of stock halo2 does not verify"
    );
    Ok(took)
}

/// Makes one proof on the platform: from before the submission to the proof's bytes.
async fn platform(client: &Client) -> anyhow::Result<Platform> {
    let input = merkle_input();
    let start = Instant::now();
    let submitted = client.submit_to("merkle", &input).await?;
    let task = match submitted.state {
        TaskState::Done => submitted,
        _ => client.task(&submitted.id, WAIT).await?,
    };
    ensure!(
        task.state == TaskState::Done,
        "task {} is {} after {PATIENCE:?}",
        task.id,
        task.state
    );
    client.proof(&task.id).await?;
    let whole = millis(start.elapsed());
    let times = task.timings_ms.context("the task has no times")?;
    let told = [
        times.queue,
        times.witness,
        times.check,
        times.prove,
        times.verify,
    ];
    let mut parts: BTreeMap<_, _> = PARTS
        .into_iter()
        .zip(told.map(Option::unwrap_or_default))
        .collect();
    let rest = whole - parts.values().sum::<f64>();
    parts.insert("rest", rest);
    Ok(Platform { whole, parts })
}

fn report(rounds: u32, k: u32, stocks: &[f64], platforms: &[Platform]) -> anyhow::Result<()> {
    let stock = median(stocks.iter().copied())?;
    let platform = median(platforms.iter().map(|proof| proof.whole))?;
    let ratio = platform / stock;
    println!("merkle, k = {k}, medians of {rounds} proofs each way, turn by turn");
    println!();
    println!("  stock create_proof        {stock:>9.1} ms");
    println!("  submit to proof in hand   {platform:>9.1} ms");
    let mut parts = BTreeMap::new();
    for part in PARTS.into_iter().chain(["rest"]) {
        let median = median(
            platforms
                .iter()
                .filter_map(|proof| proof.parts.get(part).copied()),
        )?;
        println!(
            "    {part:<23} {median:>9.1} ms  {:>5.1} %",
            100.0 * median / platform
        );
        parts.insert(part, rounded(median));
    }
    println!();
    println!("  ratio                     {ratio:>9.3}");
    println!();
    let line: Value = json!({
        "bench": "overhead",
        "ratio": (ratio * 1000.0).round() / 1000.0,
        "stock_ms": rounded(stock),
        "platform_ms": rounded(platform),
        "parts_ms": parts,
        "proofs": rounds,
    });
    println!("{line}");
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> anyhow::Result<f64> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted
        .get(sorted.len() / 2)
        .context("nothing was measured")?;
    let lower = sorted
        .get((sorted.len() - 1) / 2)
        .context("nothing was measured")?;
    Ok(f64::midpoint(*lower, *upper))
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn rounded(millis: f64) -> f64 {
    (millis * 10.0).round() / 10.0
}
