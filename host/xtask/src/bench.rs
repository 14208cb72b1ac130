//! `cargo xtask bench [NAME]`: figures as ratios measured side by side in one run.
//!
//! The benches are binaries of the packages in `tests/`, built in release. Each prints for people
//! first; its last line is one JSON object. Without a name all are measured, one after the other, and
//! written to one page with the commands beside the figures.

mod page;
mod stamp;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Subcommand;
use serde_json::Value;

use self::stamp::Stamp;
use crate::{shell, test};

/// Which figure to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// All of them by default, written to `host/BENCHMARKS.md`
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Of all, only as many rounds as five minutes take, what is built not counted; nothing is written
    #[arg(long, conflicts_with = "verb")]
    quick: bool,
}

#[derive(Clone, Debug, Subcommand)]
enum Verb {
    /// The page, of what was measured last on this machine
    Page,
    #[command(flatten)]
    One(Bench),
}

#[derive(Clone, Debug, Subcommand)]
enum Bench {
    /// From the submission to the proof in hand, over stock `create_proof`, three coordinators
    Overhead {
        /// Proofs of each size each way
        #[arg(long, default_value_t = 15)]
        proofs: u32,
    },
    /// One proof with warm keys, over stock `create_proof` built as it comes
    Prove {
        /// Proofs of each size each way
        #[arg(long, default_value_t = 15)]
        proofs: u32,
    },
    /// Witnesses of a deep Merkle path built in the sandbox, over the same code run natively
    Witness {
        /// Witnesses to build each way
        #[arg(long, default_value_t = 50)]
        witnesses: u32,
    },
    /// A large witness from the plugin's process to the prover's, over one copy of its bytes
    Transfer {
        /// Witnesses to bring over
        #[arg(long, default_value_t = 20)]
        rounds: u32,
    },
    /// Proofs a second with a deep queue, over a loop of stock `create_proof`
    Throughput {
        /// Proofs of a round
        #[arg(long, default_value_t = 30)]
        proofs: u32,
    },
    /// From a plugin's upload to its first proof, over keys and a proof made by hand
    ColdStart {
        /// Nodes to start and uploads to make
        #[arg(long, default_value_t = 5)]
        rounds: u32,
    },
    /// Proofs of one key verified 64 at a time, over one by one
    BatchVerify {
        /// Batches to verify each way
        #[arg(long, default_value_t = 5)]
        rounds: u32,
    },
    /// The most memory of a worker that proves, over a process of stock halo2
    Memory {
        /// Proofs each way
        #[arg(long, default_value_t = 3)]
        proofs: u32,
    },
    /// No-op tasks per second through three members, over a PostgreSQL queue in the same run
    ControlPlane {
        /// Clients that submit, lease and complete at the same time
        #[arg(long, default_value_t = 90)]
        clients: u32,
    },
    /// The same tasks with 1,000 to 100,000 others in the queue: cost, log and memory of a task
    Queue {
        /// Clients that submit, lease and complete at the same time
        #[arg(long, default_value_t = 64)]
        clients: u32,
    },
    /// Proofs per second with one and with two workers of one thread each
    Scale {
        /// Proofs of a round
        #[arg(long, default_value_t = 20)]
        proofs: u32,
    },
    /// Time until the next task is accepted after the leader of three coordinators is killed
    Failover {
        /// Leaders to kill
        #[arg(long, default_value_t = 10)]
        kills: u32,
    },
    /// Submissions and status reads a second through a gateway, over a bare echo server
    Api {
        /// Seconds to measure each
        #[arg(long, default_value_t = 15)]
        seconds: u32,
    },
    /// A plugin's calls beside each attack of the hostile catalogue, over the same calls alone
    Neighbour {
        /// Calls to time each way for each attack
        #[arg(long, default_value_t = 200)]
        calls: u32,
    },
}

/// The longest that `--quick` may measure: what somebody waits for before a change is sent off. Building
/// comes before the clock starts, for it takes nothing or half an hour.
const QUICK_MAX: Duration = Duration::from_secs(300);

/// What a program is told that has less to do under `--quick` than fewer rounds.
const QUICK: &str = "quick";

/// Where stock halo2 is built without the platform's choices.
const STOCK_TARGET: &str = "target/stock";

/// A program of a bench, and what it is told.
struct Program {
    binary: &'static str,
    arguments: Vec<String>,
}

/// Builds in release and measures.
pub(crate) fn run(workspace: &Path, options: &Options) -> anyhow::Result<()> {
    let benches = match &options.verb {
        Some(Verb::Page) => return page::Page::kept(workspace)?.write(workspace),
        Some(Verb::One(bench)) => vec![bench.clone()],
        None => all(options.quick),
    };
    test::build_plugins(workspace)?;
    test::build_fixtures(workspace)?;
    build(workspace, &benches)?;
    let (stamp, begun) = (Stamp::now(workspace), Instant::now());
    let mut lines = Vec::new();
    for bench in &benches {
        let line = stamp.on(measure(workspace, bench, options.quick)?)?;
        if !options.quick {
            page::Page::keep(workspace, &line)?;
        }
        lines.push(line);
    }
    if options.verb.is_none() {
        let page = page::Page::of(&lines);
        println!("\n{}", page.table());
        if !options.quick {
            page.write(workspace)?;
        }
    }
    let took = begun.elapsed();
    println!("measured in {:.0} s", took.as_secs_f64());
    ensure!(
        !options.quick || took <= QUICK_MAX,
        "`--quick` took longer than the {} s that it promises",
        QUICK_MAX.as_secs()
    );
    Ok(())
}

/// What the page shows, in its order. `neighbour` is not among them: it times 33 attacks, which takes
/// minutes by itself, and its number stands with the promises (P8) in the tests' README.
fn all(quick: bool) -> Vec<Bench> {
    let of = |full, few| if quick { few } else { full };
    vec![
        Bench::Overhead { proofs: of(30, 5) },
        Bench::Prove { proofs: of(15, 3) },
        Bench::Witness {
            witnesses: of(50, 10),
        },
        Bench::Transfer { rounds: of(20, 5) },
        Bench::Throughput { proofs: of(30, 6) },
        Bench::ColdStart { rounds: of(5, 1) },
        Bench::BatchVerify { rounds: of(5, 1) },
        Bench::Memory { proofs: of(3, 1) },
        Bench::ControlPlane { clients: 90 },
        Bench::Queue { clients: 64 },
        Bench::Scale { proofs: of(20, 4) },
        Bench::Failover { kills: of(10, 2) },
        Bench::Api { seconds: of(15, 3) },
    ]
}

fn build(workspace: &Path, benches: &[Bench]) -> anyhow::Result<()> {
    shell::step("building the node and the benches in release");
    // One set of packages for all: another set could have other features, and be built anew.
    let mut cargo = shell::cargo(workspace);
    cargo.args(["build", "--release", "--bins"]);
    for package in ["aureole-cli", "aureole-tests", "aureole-conformance"] {
        cargo.args(["-p", package]);
    }
    shell::run(&mut cargo)?;
    if benches
        .iter()
        .any(|bench| matches!(bench, Bench::Prove { .. }))
    {
        // Stock halo2 as it comes: what is switched on for the platform reaches all of a build, so
        // that this one is apart.
        let mut cargo = shell::cargo(workspace);
        cargo.args([
            "build",
            "--release",
            "-p",
            "aureole-prover",
            "--example",
            "stock",
        ]);
        cargo.arg("--target-dir").arg(workspace.join(STOCK_TARGET));
        shell::run(cargo.env("RUSTFLAGS", "--cfg pasta_curves_noasm"))?;
    }
    Ok(())
}

/// Runs one bench with its output shown; returns its last line.
fn measure(workspace: &Path, bench: &Bench, quick: bool) -> anyhow::Result<Value> {
    let Program {
        binary,
        mut arguments,
    } = bench.program();
    if quick && bench.knows_quick() {
        arguments.push(QUICK.to_owned());
    }
    shell::step(&format!("measuring: {binary} {}", arguments.join(" ")));
    let mut child = Command::new(workspace.join("target/release").join(binary))
        .args(&arguments)
        .env(
            "AUREOLE_STOCK",
            workspace.join(STOCK_TARGET).join("release/examples/stock"),
        )
        .current_dir(workspace)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{binary}`"))?;
    let output = child.stdout.take().context("its output is not a pipe")?;
    let mut last = String::new();
    for line in BufReader::new(output).lines() {
        last = line?;
        println!("{last}");
    }
    let status = child.wait()?;
    ensure!(status.success(), "`{binary}` ended with {status}");
    serde_json::from_str(&last).with_context(|| format!("`{binary}` did not end with figures"))
}

// === impl Bench ===

impl Bench {
    /// Whether its program has less to do when it is told so.
    fn knows_quick(&self) -> bool {
        matches!(
            self,
            Self::Memory { .. } | Self::ControlPlane { .. } | Self::Queue { .. }
        )
    }

    fn program(&self) -> Program {
        let own = |binary, count: &u32| Program {
            binary,
            arguments: vec![count.to_string()],
        };
        let of_bench = |name: &str, count: &u32| Program {
            binary: "bench",
            arguments: vec![name.to_owned(), count.to_string()],
        };
        match self {
            Self::Overhead { proofs } => of_bench("overhead", proofs),
            Self::Prove { proofs } => of_bench("prove", proofs),
            Self::Throughput { proofs } => of_bench("throughput", proofs),
            Self::Transfer { rounds } => of_bench("transfer", rounds),
            Self::ColdStart { rounds } => of_bench("cold-start", rounds),
            Self::BatchVerify { rounds } => of_bench("batch-verify", rounds),
            Self::Memory { proofs } => of_bench("memory", proofs),
            Self::ControlPlane { clients } => own("control_plane", clients),
            Self::Queue { clients } => Program {
                binary: "control_plane",
                arguments: vec!["queue".to_owned(), clients.to_string()],
            },
            Self::Api { seconds } => own("api", seconds),
            Self::Neighbour { calls } => own("neighbour", calls),
            Self::Failover { kills } => own("failover", kills),
            Self::Scale { proofs } => own("scale", proofs),
            Self::Witness { witnesses } => own("witness", witnesses),
        }
    }
}
