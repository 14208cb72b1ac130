//! What each command does, one file a noun.

mod admin;
mod circuit;
mod cluster;
mod dev;
mod errors;
mod health;
mod local;
mod me;
mod migrate;
pub(crate) mod plugin;
mod prove;
mod receipts;
mod recorded;
mod serve;
mod reverify;
mod shell;
mod task;
mod top;
mod unsatisfied;
mod verify;
mod verifying_key;
mod webhook;
mod worker;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use aureole_client::{Client, Retries};
use serde_json::Value;

use crate::arguments::{Arguments, Command, Output};

/// Where `aureole dev` and `aureole dev --nodes` keep the administrator's first key, unless they were
/// told another folder.
const FIRST_KEYS: [&str; 2] = [".aureole/admin.key", ".aureole-cluster/admin/admin.key"];

/// How often a call is made again that may be: over a cluster's election, and not so often that a
/// node which is not there keeps people waiting.
const RETRIES: Retries = Retries {
    most: 3,
    first: Duration::from_millis(150),
    longest: Duration::from_secs(2),
    within: Duration::from_secs(8),
};

/// Where results go, which node is asked, and with which key.
pub(crate) struct Context {
    pub(crate) output: Output,
    url: String,
    key_file: Option<PathBuf>,
    key: Option<String>,
}

/// Runs a command; the exit code is its answer.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let context = Context {
        output: arguments.output,
        url: arguments.url,
        key_file: arguments.key_file,
        key: arguments.api_key,
    };
    match arguments.command {
        Command::Dev(options) => return dev::run(&context, options).await,
        Command::Serve(options) => serve::run(&context, options).await?,
        Command::Migrate(options) => migrate::run(&context, &options).await?,
        Command::Cluster(verb) => cluster::run(&context, verb).await?,
        Command::Plugin(verb) => return plugin::run(&context, verb).await,
        Command::Circuit(verb) => return circuit::run(&context, verb).await,
        Command::Prove(options) => prove::run(&context, options).await?,
        Command::Verify(options) => return verify::run(&context, &options).await,
        Command::Task(verb) => return task::run(&context, verb).await,
        Command::Top(options) => top::run(&context, &options).await?,
        Command::Me => me::run(&context).await?,
        Command::Health => return health::run(&context).await,
        Command::Errors { code } => errors::run(&context, code.as_deref())?,
        Command::Admin(verb) => admin::run(&context, verb).await?,
        Command::Receipts(verb) => return receipts::run(&context, verb).await,
        Command::VerifyingKey(verb) => verifying_key::run(&context, verb).await?,
        Command::Worker(verb) => worker::run(&context, verb).await?,
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
        let builder = Client::builder(&self.url).retries(RETRIES);
        let builder = match self.key()? {
            Some(key) => builder.key(key.trim()),
            None => builder,
        };
        Ok(builder.build()?)
    }

    /// The key to show: the one that was named, else the one that a node of this folder made. That one
    /// goes to this machine only, whatever the address.
    fn key(&self) -> anyhow::Result<Option<String>> {
        let read = |path: &Path| {
            let text = std::fs::read_to_string(path);
            text.with_context(|| format!("could not read the key in {}", path.display()))
        };
        if let Some(path) = &self.key_file {
            return read(path).map(Some);
        }
        if self.key.is_some() || !is_here(&self.url) {
            return Ok(self.key.clone());
        }
        let made = FIRST_KEYS
            .map(Path::new)
            .into_iter()
            .find(|path| path.exists());
        made.map(read).transpose()
    }
}

/// Whether an address is this machine's own.
fn is_here(url: &str) -> bool {
    let host = url.strip_prefix("http://").unwrap_or(url);
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
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
