//! `cargo xtask deploy-check`: everything below `deployments/` and the workflows, by real validators, by
//! processes and by containers.
//!
//! What a machine cannot do is said in the table with its reason, and counted apart from what failed:
//! nothing is skipped in silence, and `--strict` takes it for a failure.

mod containers;
mod report;
mod tools;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use self::report::Report;
use crate::{shell, test};

/// What names a binary to the scripts of `deployments/`.
const BINARY: &str = "AUREOLE_BIN";

/// The groups of `deployments/check.sh` that look at files, and start nothing.
const GROUPS: [&str; 9] = [
    "image",
    "compose",
    "scripts",
    "yaml",
    "monitoring",
    "workflows",
    "kubernetes",
    "helm",
    "terraform",
];

/// How much is tried.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Without containers
    #[arg(long)]
    quick: bool,
    /// Only these groups: those of deployments/check.sh, scan, bootstrap, processes, containers
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    only: Vec<String>,
    /// The binary that is run and put into the image [default: target/release/aureole, else
    /// target/debug/aureole, which is built if there is neither]
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Also fail when something could not be tried here
    #[arg(long)]
    strict: bool,
}

/// Tries everything, prints the table, and fails if something in it did.
pub(crate) fn run(workspace: &Path, options: &Options) -> anyhow::Result<()> {
    let mut report = Report::default();
    let wanted = |group: &str| {
        let named = options.only.iter().any(|only| only == group);
        named || (options.only.is_empty() && !(options.quick && group == "containers"))
    };
    let path = tools::make_ready(workspace, &mut report)?;
    let script = |name: &str| {
        let mut command = Command::new(workspace.join("deployments").join(name));
        command.env("PATH", &path).current_dir(workspace);
        command
    };
    for group in GROUPS.into_iter().filter(|group| wanted(group)) {
        report.checks(group, script("check.sh").arg(group))?;
    }
    if wanted("scan") {
        report.whole("scan", "checkov finds nothing", &mut script("scan.sh"));
    }
    if ["bootstrap", "processes", "containers"]
        .into_iter()
        .any(wanted)
    {
        let binary = binary(workspace, options)?;
        if wanted("bootstrap") {
            report.checks(
                "bootstrap",
                script("check.sh").arg("bootstrap").env(BINARY, &binary),
            )?;
        }
        if wanted("processes") {
            let story = "a cluster proves, loses a coordinator, is copied, lost, and put back";
            let mut command = script("scripts/try.sh");
            report.whole("processes", story, command.env(BINARY, &binary));
        }
        if wanted("containers") {
            containers::run(workspace, &path, &binary, &mut report)?;
        }
    }
    println!("\n{report}");
    ensure!(report.failed() == 0, "{} checks failed", report.failed());
    ensure!(
        !options.strict || report.absent() == 0,
        "{} groups could not be tried here, or not whole",
        report.absent()
    );
    Ok(())
}

/// The binary to run, as an absolute path, with the plugins that the scripts upload.
fn binary(workspace: &Path, options: &Options) -> anyhow::Result<PathBuf> {
    if !workspace.join("target/plugins/merkle.wasm").is_file() {
        test::build_plugins(workspace)?;
    }
    if let Some(binary) = &options.binary {
        let named = binary.canonicalize();
        return named.with_context(|| format!("{} is not there", binary.display()));
    }
    let built = ["target/release/aureole", "target/debug/aureole"].map(|at| workspace.join(at));
    if let Some(binary) = built.iter().find(|binary| binary.is_file()) {
        return Ok(binary.clone());
    }
    shell::step("building the node");
    shell::run(shell::cargo(workspace).args(["build", "--bins", "-p", "aureole-cli"]))?;
    Ok(workspace.join("target/debug/aureole"))
}
