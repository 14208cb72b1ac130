//! `cargo xtask`: everything a developer does beyond plain cargo, one verb each.
//!
//! Each verb installs or builds what it needs, says what it is doing, and fails with what to do.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

mod bench;
mod browser;
mod chaos;
mod codegen;
mod demo;
mod deploy_check;
mod plugins;
mod schemathesis;
mod servers;
mod shell;
mod test;
mod tidy;

/// Developer tasks of Aureole.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start a node, upload the first-party plugins, make a proof and verify it
    Demo(demo::Options),
    /// Build what the tests need and run all of them
    Test(test::Options),
    /// Measure; each bench ends with one line of JSON
    Bench(bench::Options),
    /// Break a real cluster in every way that the machine allows, and look what is left
    Chaos(chaos::Options),
    /// Hold a running node to its OpenAPI document, with requests that a fuzzer makes
    Schemathesis(schemathesis::Options),
    /// Validate what deployments/ holds, run it as processes and, where docker can run, as containers
    DeployCheck(deploy_check::Options),
    /// Build the first-party plugins into target/plugins, and those of the tests beside them
    Plugins,
    /// Write the generated protobuf code
    Codegen {
        /// Only say whether the committed code is up to date
        #[arg(long)]
        check: bool,
    },
    /// Check what compilers do not: headers, file sizes, the top level, the arrows between crates
    Tidy,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let workspace = workspace()?;
    match &arguments.verb {
        Verb::Demo(options) => demo::run(&workspace, options),
        Verb::Test(options) => test::run(&workspace, options),
        Verb::Bench(options) => bench::run(&workspace, options),
        Verb::Chaos(options) => chaos::run(&workspace, options),
        Verb::Schemathesis(options) => schemathesis::run(&workspace, options),
        Verb::DeployCheck(options) => deploy_check::run(&workspace, options),
        Verb::Plugins => {
            test::build_plugins(&workspace)?;
            test::build_fixtures(&workspace)
        }
        Verb::Codegen { check } => codegen::run(&workspace, *check),
        Verb::Tidy => tidy::run(&workspace),
    }
}

/// The workspace that cargo runs this task in; without cargo, the one it was built from. Checkouts
/// may share a target folder, so what was compiled in can name another one.
fn workspace() -> anyhow::Result<PathBuf> {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = manifest
        .ancestors()
        .nth(2)
        .context("host/xtask stands two levels deep")?;
    anyhow::ensure!(
        root.join("Cargo.lock").is_file(),
        "{} is not the workspace any more: run `cargo xtask` from inside the checkout",
        root.display()
    );
    Ok(root.to_owned())
}
