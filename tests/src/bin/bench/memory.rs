//! `memory N`: the most memory a worker has resident while it proves, over stock halo2; and what was
//! estimated for the circuit, over what the worker's prover took.
//!
//! Stock halo2 is a process of its own for each k of `workload`: parameters, keys, N proofs. The worker's
//! prover is a process as well, and its peak over the same is the main figure. The whole worker is told
//! beside it, process by process. Their peaks are added, though they are not at the same moment, and
//! pages that processes share count for each.
//!
//! The estimate is what circuits are admitted and tasks are placed by, against the same worker's memory
//! that the ledger hears of later: all that the prover child has resident at its peak. It is compared for
//! circuits of several shapes, each in a worker of its own.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use aureole_client::Client;
use aureole_client::rest::{CircuitRequest, TaskRequest, TaskState};
use aureole_tests::cluster::{Cluster, Layout};
use aureole_tests::{Native, PATIENCE, descendants, fixture};
use aureole_workload::Workload;
use serde_json::{Value, json};

use crate::figures::{percentile, rounded};

/// The hidden measurement that one process makes alone.
pub(crate) const ALONE: &str = "memory-alone";

/// The sizes of `workload`; the last is the one that is promised.
const SIZES: [u32; 3] = [11, 12, 14];

/// Circuits of the fixture `circuits` with k of 11 and more: ten advice columns with gates of a high
/// degree and a lookup, the same with more lookups by two floor planners, and one column with one gate.
const CIRCUITS: [&str; 6] = [
    "ecc-fixed",
    "sinsemilla",
    "sinsemilla-merkle",
    "k11",
    "k13",
    "k14",
];

/// Of both, what is measured when time is short.
const FEW: usize = 1;

/// The longest that a node lets a request wait.
const WAIT: Duration = Duration::from_secs(60);

/// A circuit of a fixture, and inputs for it.
struct Subject {
    plugin: &'static str,
    params: Value,
    /// What the input calls its number.
    number: &'static str,
}

/// What a worker took, and what was estimated.
struct Worker {
    k: u32,
    /// The worker's own process.
    node: u64,
    /// All its sandboxes.
    sandboxes: u64,
    prover: u64,
    /// The prover before the circuit.
    prover_idle: u64,
    /// By which the circuit was admitted.
    estimate: u64,
}

/// A process of a worker.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Node,
    Sandbox,
    Prover,
}

/// The most that each process had resident whenever it was looked at.
struct Peaks {
    worker: u32,
    of: BTreeMap<u32, (Part, u64)>,
}

pub(crate) async fn run(proofs: u32, quick: bool) -> anyhow::Result<Value> {
    let left_out = |all: usize| if quick { all - FEW } else { 0 };
    let (mut sizes, mut circuits, mut estimates) = (Vec::new(), Vec::new(), Vec::new());
    for k in SIZES.into_iter().skip(left_out(SIZES.len())) {
        let stock = stock(k, proofs)?;
        let worker = worker(&Subject::workload(k), proofs).await?;
        let over_stock = |bytes: u64| rounded(bytes as f64 / stock as f64);
        println!(
            "workload, k = {k}: stock {:.0} MiB, prover {:.0} MiB, whole worker {:.0} MiB",
            mebibytes(stock),
            mebibytes(worker.prover),
            mebibytes(worker.whole())
        );
        estimates.push(worker.estimated());
        circuits.push(worker.told("workload"));
        sizes.push(json!({
            "k": k,
            "stock_mib": rounded(mebibytes(stock)),
            "prover_mib": rounded(mebibytes(worker.prover)),
            "worker_mib": rounded(mebibytes(worker.whole())),
            "parts_mib": worker.parts(|bytes| rounded(mebibytes(bytes))),
            "ratio": over_stock(worker.prover),
            "worker_ratio": over_stock(worker.whole()),
            "worker_parts": worker.parts(over_stock),
        }));
    }
    for name in CIRCUITS.into_iter().skip(left_out(CIRCUITS.len())) {
        let worker = worker(&Subject::circuit(name), proofs).await?;
        estimates.push(worker.estimated());
        circuits.push(worker.told(name));
    }
    let promised = sizes.last().context("sizes are measured")?;
    Ok(json!({
        "bench": "memory",
        "ratio": promised["ratio"],
        "worker_ratio": promised["worker_ratio"],
        "worker_parts": promised["worker_parts"],
        "estimate_low": rounded(percentile(&estimates, 0)?),
        "estimate_high": rounded(percentile(&estimates, 100)?),
        "proofs": proofs,
        "sizes": sizes,
        "circuits": circuits,
    }))
}

/// Stock halo2 alone: prints the most that this process had resident.
pub(crate) fn alone(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let mut number =
        || -> anyhow::Result<u32> { Ok(arguments.next().context("give k and proofs")?.parse()?) };
    let (k, proofs) = (number()?, number()?);
    let native = Native::<Workload>::new(&json!({"k": k}), k)?;
    for start in 0..proofs {
        let (assigned, instance) = native.assign(&json!({"start": start + 1}))?;
        native.prove(assigned, &instance)?;
    }
    println!("{}", resident("self", "VmHWM")?);
    Ok(())
}

/// The peak of a process of stock halo2.
fn stock(k: u32, proofs: u32) -> anyhow::Result<u64> {
    let answer = Command::new(std::env::current_exe()?)
        .args([ALONE, &k.to_string(), &proofs.to_string()])
        .output()?;
    ensure!(
        answer.status.success(),
        "{}",
        String::from_utf8_lossy(&answer.stderr)
    );
    let answer = String::from_utf8(answer.stdout)?;
    answer.trim().parse().context("one figure is printed")
}

/// A worker that does nothing else makes so many proofs of one circuit.
async fn worker(subject: &Subject, proofs: u32) -> anyhow::Result<Worker> {
    let threads = u32::try_from(std::thread::available_parallelism()?.get())?;
    let layout = Layout {
        coordinators: 1,
        workers: 1,
        threads,
        log: "warn",
        ..Layout::default()
    };
    let cluster = Cluster::with_plugins(layout, &[]).await?;
    let worker = cluster.server("w1")?.id();
    let mut peaks = Peaks::of(worker.context("the worker does not run")?);
    cluster.upload(fixture(subject.plugin)?).await?;
    let prover_idle = prover_idle(&peaks)?;
    let client = cluster.client("c1")?;
    let request = CircuitRequest {
        plugin: subject.plugin.parse()?,
        params: Some(subject.params.clone()),
    };
    let (circuit, _) = client.put_circuit(&request, WAIT).await?;
    let circuit = client.circuit(&circuit.id, WAIT).await?;
    let k = circuit.shape.context("the circuit has no shape")?.k;
    let estimate = circuit.estimate.context("the circuit has no estimate")?;
    let estimate = ["params_bytes", "key_bytes", "prove_bytes"]
        .iter()
        .map(|part| {
            estimate[*part]
                .as_u64()
                .context("the estimate lacks a part")
        })
        .sum::<anyhow::Result<u64>>()?;
    // A prover begins anew with each piece of work, so the keys' peak is to be seen now.
    peaks.look()?;
    for number in 1..=proofs {
        prove(&client, &circuit.id, json!({(subject.number): number})).await?;
        peaks.look()?;
    }
    Ok(Worker {
        k,
        node: peaks.sum(Part::Node)?,
        sandboxes: peaks.sum(Part::Sandbox)?,
        prover: peaks.sum(Part::Prover)?,
        prover_idle,
        estimate,
    })
}

/// Has one proof made.
async fn prove(client: &Client, circuit: &str, input: Value) -> anyhow::Result<()> {
    let request = TaskRequest {
        circuit: Some(circuit.to_owned()),
        input,
        ..TaskRequest::default()
    };
    let task = client.submit(&request).await?;
    let task = client.wait_task(&task.id, PATIENCE, |_| {}).await?;
    ensure!(
        task.state == TaskState::Done,
        "a proof failed: {:?}",
        task.error
    );
    Ok(())
}

/// What the prover has resident now.
fn prover_idle(peaks: &Peaks) -> anyhow::Result<u64> {
    let mut processes = peaks.processes()?.into_iter();
    let prover = processes.find(|(_, part)| *part == Part::Prover);
    let (prover, _) = prover.context("the worker has no prover")?;
    resident(&prover.to_string(), "VmRSS")
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

// === impl Subject ===

impl Subject {
    fn workload(k: u32) -> Self {
        Self {
            plugin: "workload",
            params: json!({"k": k}),
            number: "start",
        }
    }

    fn circuit(name: &str) -> Self {
        Self {
            plugin: "circuits",
            params: json!({"circuit": name}),
            number: "seed",
        }
    }
}

// === impl Worker ===

impl Worker {
    fn whole(&self) -> u64 {
        self.node + self.sandboxes + self.prover
    }

    /// The estimate over the prover's peak.
    fn estimated(&self) -> f64 {
        self.estimate as f64 / self.prover as f64
    }

    /// Each process's part, in a unit.
    fn parts(&self, unit: impl Fn(u64) -> f64) -> Value {
        json!({
            "node": unit(self.node),
            "sandboxes": unit(self.sandboxes),
            "prover": unit(self.prover),
        })
    }

    /// The estimate and what it is for, for people and for the line.
    fn told(&self, name: &str) -> Value {
        let (estimate, prover) = (mebibytes(self.estimate), mebibytes(self.prover));
        let (k, ratio) = (self.k, self.estimated());
        println!(
            "{name}, k = {k}: estimate {estimate:.1} MiB, prover's peak {prover:.1} MiB: {ratio:.3}"
        );
        json!({
            "circuit": name,
            "k": k,
            "estimate_mib": rounded(estimate),
            "prover_mib": rounded(prover),
            "prover_idle_mib": rounded(mebibytes(self.prover_idle)),
            "estimate_over_measured": rounded(ratio),
        })
    }
}

// === impl Peaks ===

impl Peaks {
    fn of(worker: u32) -> Self {
        Self {
            worker,
            of: BTreeMap::new(),
        }
    }

    /// The worker's processes, but for compilers, which live for one component.
    fn processes(&self) -> anyhow::Result<Vec<(u32, Part)>> {
        let children = descendants(self.worker)?.into_iter().filter_map(|child| {
            let kind = child.command.split_whitespace().last()?;
            let part = match kind {
                "prover" => Part::Prover,
                "sandbox" => Part::Sandbox,
                _ => return None,
            };
            Some((child.id, part))
        });
        Ok([(self.worker, Part::Node)]
            .into_iter()
            .chain(children)
            .collect())
    }

    /// Looks at all processes that there are.
    fn look(&mut self) -> anyhow::Result<()> {
        for (process, part) in self.processes()? {
            // One that ended since has nothing to tell.
            if let Ok(peak) = resident(&process.to_string(), "VmHWM") {
                let (_, most) = self.of.entry(process).or_insert((part, 0));
                *most = peak.max(*most);
            }
        }
        Ok(())
    }

    /// The peaks of all processes of a kind, added.
    fn sum(&self, part: Part) -> anyhow::Result<u64> {
        let of_part = self.of.values().filter(|(of, _)| *of == part);
        let sum: u64 = of_part.map(|(_, peak)| peak).sum();
        ensure!(sum > 0, "the worker lacks a process");
        Ok(sum)
    }
}
