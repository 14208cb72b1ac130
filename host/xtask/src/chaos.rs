//! `cargo xtask chaos`: a random mixture of faults on a real cluster of this checkout's binary.

use std::path::Path;

use crate::{shell, test};

/// How long, and which choices.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How long faults go on, one after the other; 3 minutes have about every kind once
    #[arg(long, default_value_t = 4)]
    minutes: u64,
    /// Decides everything that is chosen; the time of day unless given
    #[arg(long)]
    seed: Option<u64>,
}

/// Builds the node and the testkit, and runs.
pub(crate) fn run(workspace: &Path, options: &Options) -> anyhow::Result<()> {
    test::build_plugins(workspace)?;
    shell::step("building the node and the testkit");
    // The whole workspace, as the tests build it: a part of it has other features, and is built anew.
    shell::run(shell::cargo(workspace).args(["build", "--workspace", "--bins"]))?;
    shell::step("running chaos");
    let seed = match options.seed {
        Some(seed) => seed,
        None => std::time::UNIX_EPOCH.elapsed()?.as_secs(),
    };
    let mut chaos = std::process::Command::new(workspace.join("target/debug/chaos"));
    shell::run(
        chaos
            .args([options.minutes.to_string(), seed.to_string()])
            .current_dir(workspace),
    )
}
