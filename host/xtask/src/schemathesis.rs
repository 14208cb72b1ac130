//! `cargo xtask schemathesis`: the OpenAPI document against a running node, all phases.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{shell, test};

/// What names the tool to the test; `none` where there is none and that is known.
pub(crate) const VARIABLE: &str = "AUREOLE_SCHEMATHESIS";

/// The tool, with the version that the figures in `REQUESTS.md` are of.
const PACKAGE: &str = "schemathesis==4.32.5";

/// Where the tool is put, below the workspace.
const FOLDER: &str = "target/schemathesis";

/// How much, and which choices.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Decides everything that is chosen
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Requests of each operation that are tried in the fuzzing phase
    #[arg(long, default_value_t = 100)]
    examples: u32,
}

/// Builds the node, and runs the story that starts it and the tool.
pub(crate) fn run(workspace: &Path, options: &Options) -> anyhow::Result<()> {
    let tool = make_ready(workspace)?;
    test::build_plugins(workspace)?;
    shell::step("building the node");
    shell::run(shell::cargo(workspace).args(["build", "--bins", "-p", "aureole-cli"]))?;
    shell::step("running schemathesis");
    shell::run(
        shell::cargo(workspace)
            .args(["test", "-p", "aureole-tests", "--test", "e2e"])
            .args(["--", "--nocapture", "openapi::"])
            .env(VARIABLE, tool)
            .env("AUREOLE_SCHEMATHESIS_SEED", options.seed.to_string())
            .env(
                "AUREOLE_SCHEMATHESIS_EXAMPLES",
                options.examples.to_string(),
            ),
    )
}

/// The tool: the one that the variable names, or one that is put into a folder of its own by pip.
pub(crate) fn make_ready(workspace: &Path) -> anyhow::Result<PathBuf> {
    if let Some(tool) = std::env::var_os(VARIABLE) {
        return Ok(tool.into());
    }
    let folder = workspace.join(FOLDER);
    let tool = folder.join("bin/schemathesis");
    if !tool.is_file() {
        shell::step("installing schemathesis");
        shell::run(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        )?;
        shell::run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", PACKAGE]))?;
    }
    Ok(tool)
}
