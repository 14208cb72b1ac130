//! What each command does, one file a noun.

mod circuit;
mod cluster;
mod dev;
mod local;
mod migrate;
pub(crate) mod plugin;
mod prove;
mod recorded;
mod serve;
mod shell;
mod task;
mod unsatisfied;
mod verify;
mod webhook;

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use aureole_client::Client;
use serde_json::Value;

use crate::arguments::{Arguments, Command, Output};

/// Where results go and which node is asked.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) output: Output,
    url: String,
}

/// Runs a command; the exit code is its answer.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let context = Context {
        output: arguments.output,
        url: arguments.url,
    };
    match arguments.command {
        Command::Dev(options) => return dev::run(&context, options).await,
        Command::Serve(options) => serve::run(&context, options).await?,
        Command::Migrate(options) => migrate::run(&context, &options).await?,
        Command::Cluster(verb) => cluster::run(&context, verb).await?,
        Command::Plugin(verb) => return plugin::run(&context, verb).await,
        Command::Circuit(verb) => return circuit::run(&context, verb).await,
        Command::Prove(options) => prove::run(&context, options).await?,
        Command::Verify(options) => return verify::run(&context, &options),
        Command::Task(verb) => task::run(&context, verb).await?,
        Command::Webhook(verb) => return webhook::run(&context, verb).await,
        Command::Completions { shell } => shell::completions(shell)?,
        Command::Man { folder } => shell::pages(&folder)?,
        Command::Child(_) => anyhow::bail!("a child process is started by a node, not by hand"),
    }
    Ok(ExitCode::SUCCESS)
}

// === impl Context ===

impl Context {
    /// The node's client.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::new(&self.url)?)
    }
}

/// Reads a JSON file; `-` reads standard input.
pub(crate) fn read_json(path: &Path) -> anyhow::Result<Value> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .context("could not read standard input")?;
        text
    } else {
        std::fs::read_to_string(path)
            .with_context(|| format!("could not read {}", path.display()))?
    };
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
}
