//! `cargo xtask demo`: everything a newcomer needs to see a proof made, on a machine with Rust
//! and nothing else prepared.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::{shell, test};

/// How the demo runs.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Leave the node running afterwards; Ctrl-C stops it
    #[arg(long)]
    stay: bool,
    /// Address the node listens on
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// Folder for the node's data [default: target/demo, emptied first]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Builds what the demo needs and runs it; the story itself is a binary of the `tests` package.
pub(crate) fn run(workspace: &Path, options: &Options) -> anyhow::Result<()> {
    test::build_plugins(workspace)?;
    shell::step("building the node (several minutes the first time)");
    shell::run(shell::cargo(workspace).args(["build", "--workspace", "--bins"]))?;
    let data_dir = match &options.data_dir {
        Some(dir) => dir.clone(),
        None => emptied(workspace.join("target/demo"))?,
    };
    let mut demo = Command::new(workspace.join("target/debug/demo"));
    demo.arg(&options.listen)
        .arg(data_dir)
        .arg(workspace.join("target/params"));
    if options.stay {
        demo.arg("stay");
    }
    shell::run(demo.current_dir(workspace))
}

fn emptied(folder: PathBuf) -> anyhow::Result<PathBuf> {
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("could not empty {}", folder.display()))?;
    }
    Ok(folder)
}
