//! `cargo xtask bench NAME`: figures as ratios measured side by side in one run.
//!
//! The benches are binaries of the packages in `tests/`, built in release. Each prints for people
//! first; its last line is one JSON object.

use std::path::Path;

use clap::Subcommand;

use crate::{shell, test};

/// Which figure to measure.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Submit-to-proof time of `merkle` on a node over stock `create_proof` in the same run
    Overhead {
        /// Proofs to make each way
        #[arg(long, default_value_t = 15)]
        proofs: u32,
    },
    /// No-op tasks per second through three members, over a PostgreSQL queue in the same run
    ControlPlane {
        /// Clients that submit, lease and complete at the same time
        #[arg(long, default_value_t = 64)]
        clients: u32,
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
    /// Time until the next task is accepted after the leader of three coordinators is killed
    Failover {
        /// Leaders to kill
        #[arg(long, default_value_t = 10)]
        kills: u32,
    },
    /// Proofs per second with one and with two workers of one thread each
    Scale {
        /// Proofs of a round
        #[arg(long, default_value_t = 20)]
        proofs: u32,
    },
    /// Witnesses of a deep Merkle path built in the sandbox, over the same code run natively
    Witness {
        /// Witnesses to build each way
        #[arg(long, default_value_t = 50)]
        witnesses: u32,
    },
}

/// Builds in release and measures.
pub(crate) fn run(workspace: &Path, options: &Options) -> anyhow::Result<()> {
    let (program, count) = match &options.bench {
        Bench::Overhead { proofs } => ("overhead", proofs),
        Bench::ControlPlane { clients } => ("control_plane", clients),
        Bench::Api { seconds } => ("api", seconds),
        Bench::Neighbour { calls } => ("neighbour", calls),
        Bench::Failover { kills } => ("failover", kills),
        Bench::Scale { proofs } => ("scale", proofs),
        Bench::Witness { witnesses } => ("witness", witnesses),
    };
    if program != "control_plane" {
        test::build_plugins(workspace)?;
    }
    if matches!(program, "failover" | "scale") {
        test::build_fixtures(workspace)?;
    }
    shell::step("building the node and the bench in release");
    // One set of packages for nearly all: another set has other features, and is built anew.
    let packages: &[_] = match program {
        "witness" => &["-p", "aureole-conformance"],
        _ => &["-p", "aureole-cli", "-p", "aureole-tests"],
    };
    shell::run(
        shell::cargo(workspace)
            .args(["build", "--release", "--bins"])
            .args(packages),
    )?;
    shell::step("measuring");
    let mut bench = std::process::Command::new(workspace.join("target/release").join(program));
    shell::run(bench.arg(count.to_string()).current_dir(workspace))
}
