//! The command line, as clap reads it. What the commands do stands in `commands`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use aureole_client::rest::Timestamp;
use clap::{Args, Parser, Subcommand, ValueEnum};

mod admin;
mod cluster;
#[cfg(test)]
mod handbook;
mod plugin;
mod receipts;
mod task;
mod webhook;

pub(crate) use admin::{Admin, Key, KeyRole, Quotas, Tenant};
pub(crate) use cluster::{Cluster, JoinToken, Role, Serve, Way};
pub(crate) use plugin::Plugin;
pub(crate) use receipts::{Receipts, VerifyingKey, Worker};
pub(crate) use task::{List, Moment, Order, Submit, Task};
pub(crate) use webhook::Webhook;

/// Zero-knowledge proofs of sandboxed halo2 circuits, on your own machines.
///
/// Start a node with `aureole dev`, upload a plugin, submit an input, get a proof. The other
/// commands talk to a node over its REST API, save `prove --local` and `verify`, which need none.
#[derive(Parser)]
#[command(
    name = "aureole",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Arguments {
    /// What to print: text for people, or JSON for programs
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
    /// Address of the node
    #[arg(
        long,
        global = true,
        env = "AUREOLE_URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub(crate) url: String,
    /// File with the key to show the node; without it, what AUREOLE_KEY holds, and for a node on this
    /// machine the key that `aureole dev` keeps in the current folder
    #[arg(long, global = true, value_name = "FILE", env = "AUREOLE_KEY_FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// The key itself: for the environment, where other users of the machine do not see it
    #[arg(
        long,
        global = true,
        hide = true,
        env = "AUREOLE_KEY",
        hide_env_values = true
    )]
    pub(crate) api_key: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Lines and tables, with progress bars on a terminal.
    Text,
    /// One JSON document on standard output, nothing else.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a node with everything embedded, for one machine
    Dev(Dev),
    /// Run one process of a cluster: a coordinator, a gateway, a worker, or several of them
    Serve(Serve),
    /// Bring the archive's schema up to date, or say what it lacks
    Migrate(Migrate),
    /// Found a cluster, look at it, change who belongs to it
    #[command(subcommand)]
    Cluster(Cluster),
    /// Write, check and publish plugins; list, show and retire those of a node
    #[command(subcommand)]
    Plugin(Plugin),
    /// Look at circuits, check inputs against them
    #[command(subcommand)]
    Circuit(Circuit),
    /// Make a proof, on a node or here
    Prove(Prove),
    /// Verify proofs from their bundles: with no node and no network, or on a node
    Verify(Verify),
    /// Submit, list, show, watch and cancel tasks
    #[command(subcommand)]
    Task(Task),
    Top(Top),
    /// Say who you are to the node: tenant, role, and what the tenant may have and has
    Me,
    /// Say whether the node takes work, and what keeps it from it; exits 1 if it does not
    Health,
    /// List the stable error codes, or explain one: what it means, and what to do
    Errors {
        /// A code, such as witness.unsatisfied
        code: Option<String>,
    },
    /// Tenants, keys, quotas, usage and the trail of what was done to them
    #[command(subcommand)]
    Admin(Admin),
    /// Show and check receipts; audit the log of accepted proofs
    #[command(subcommand)]
    Receipts(Receipts),
    /// Publish, rotate and revoke verifying keys
    #[command(subcommand)]
    VerifyingKey(VerifyingKey),
    /// Look at workers, let one out of quarantine
    #[command(subcommand)]
    Worker(Worker),
    /// Have the ends of tasks sent to a URL, and look what came of it
    #[command(subcommand)]
    Webhook(Webhook),
    /// Print what makes a shell complete these commands
    ///
    /// For example: aureole completions bash > /etc/bash_completion.d/aureole
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write manual pages, one a command
    Man {
        /// Folder for them, such as /usr/local/share/man/man1
        folder: PathBuf,
    },
    /// Part of a running node: not for people
    #[command(subcommand, hide = true)]
    Child(Child),
}

/// Run a node with everything embedded, for one machine.
///
/// Listens on the loopback interface only and keeps its data in `./.aureole`. Stop it with
/// Ctrl-C: running proofs are finished or handed back, and nothing acknowledged is lost.
#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// Run a cluster of this many coordinators as processes of their own: 1, 3, 5 or 7
    #[arg(long, value_name = "N")]
    pub(crate) nodes: Option<u32>,
    /// Workers of that cluster
    #[arg(long, value_name = "N", default_value_t = 1, requires = "nodes")]
    pub(crate) workers: u32,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// Bring the archive's schema up to date, or say what it lacks.
///
/// A node does so itself when it starts. Steps are numbered and never go back; several that run them at
/// once take turns.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Say which steps would be run, and run none
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Configuration file of a coordinator: its `[archive]` says where history is kept
    #[arg(long, value_name = "FILE", env = "AUREOLE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Folder for everything the node keeps [default: .aureole]
    #[arg(long, value_name = "DIR", env = "AUREOLE_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// What overrides a configuration file.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// Configuration file; the flags below override it
    #[arg(long, value_name = "FILE", env = "AUREOLE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Folder for everything the node keeps [default: .aureole]
    #[arg(long, value_name = "DIR", env = "AUREOLE_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Folder of proving parameters, which nodes may share [default: params below the data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) params_dir: Option<PathBuf>,
    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Address and port of /metrics, which asks for no key [default: nowhere]
    #[arg(long, value_name = "ADDRESS", env = "AUREOLE_METRICS_LISTEN")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// Receiver of spans over OTLP and gRPC, such as http://127.0.0.1:4317 [default: none]
    #[arg(long, value_name = "URL", env = "AUREOLE_TRACES_ENDPOINT")]
    pub(crate) traces_endpoint: Option<String>,
    /// File with the hash of the administrator's first key, without which a gateway does not start
    #[arg(long, value_name = "FILE", env = "AUREOLE_BOOTSTRAP_KEY_FILE")]
    pub(crate) bootstrap_key_file: Option<PathBuf>,
    /// Tasks proved at a time [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) slots: Option<u32>,
    /// Log lines for people or for machines [default: human]
    #[arg(long, value_enum)]
    pub(crate) log_format: Option<LogFormat>,
    /// Which log lines to write, such as `info` or `warn,aureole_worker=debug` [default: info,openraft=warn]
    #[arg(long, value_name = "FILTER", env = "AUREOLE_LOG")]
    pub(crate) log: Option<String>,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Human,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Circuit {
    /// Show a circuit: size, columns, gates, cost and digests
    Show {
        /// A circuit's id (cir_...), or a plugin as NAME or NAME@VERSION
        circuit: String,
        /// JSON file with the plugin's parameters
        #[arg(long, value_name = "FILE")]
        params: Option<PathBuf>,
    },
    /// Say whether an input satisfies a circuit, and what it breaks; exits 1 if it does
    Check {
        /// A circuit's id (cir_...), a plugin as NAME or NAME@VERSION, or a component's FILE.wasm,
        /// which is checked on this machine with no node
        circuit: String,
        /// JSON file with the input; `-` reads standard input
        #[arg(long, value_name = "FILE")]
        input: PathBuf,
        /// JSON file with the plugin's parameters
        #[arg(long, value_name = "FILE")]
        params: Option<PathBuf>,
        /// Show what the cells hold, which follows from the input
        #[arg(long)]
        reveal: bool,
    },
}

/// Make a proof, on a node or here.
///
/// With `-o DIR` the proof is written as a verification bundle that `aureole verify DIR` checks
/// offline.
#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// Plugin as NAME or NAME@VERSION; not with --local
    #[arg(required_unless_present = "local", conflicts_with = "local")]
    pub(crate) plugin: Option<String>,
    /// Prove on this machine with this component and no node
    #[arg(long, value_name = "FILE.wasm")]
    pub(crate) local: Option<PathBuf>,
    /// JSON file with the input; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// JSON file with the circuit's parameters, where the plugin's defaults will not do
    #[arg(long, value_name = "FILE")]
    pub(crate) params: Option<PathBuf>,
    /// Folder for the verification bundle
    #[arg(short = 'o', long = "out", value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// From 0 to 9; higher goes first
    #[arg(long, value_name = "N", conflicts_with = "local")]
    pub(crate) priority: Option<u8>,
    /// When the task fails if it is not done: from now, such as 90s, 10m or 2h, or an instant such as
    /// 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "local", value_parser = deadline)]
    pub(crate) deadline: Option<Deadline>,
}

/// When a task fails if it is not done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deadline {
    /// So long from now.
    In(Duration),
    /// Then.
    At(Timestamp),
}

/// Reads a deadline.
fn deadline(text: &str) -> Result<Deadline, String> {
    match (text.parse(), cluster::duration(text)) {
        (Ok(instant), _) => Ok(Deadline::At(instant)),
        (_, Ok(from_now)) => Ok(Deadline::In(from_now)),
        (Err(_), Err(_)) => Err(
            "give a time from now such as 10m, or an instant such as 2026-01-31T12:00:00Z"
                .to_owned(),
        ),
    }
}

/// Verify proofs from their bundles: with no node and no network, or on a node.
///
/// Here the verifying key is rebuilt from the circuit in the bundle, checked against the bundle's key
/// digest, and used. With --on-node the node verifies under the key that it has; proofs of one circuit
/// share the work. Exits 0 if all are valid, 1 for any other.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Folders written by `aureole prove -o` or `aureole task bundle -o`
    #[arg(required = true, value_name = "BUNDLE")]
    pub(crate) bundles: Vec<PathBuf>,
    /// Refuse any key but this one: 64 hex digits
    #[arg(long, value_name = "DIGEST")]
    pub(crate) key: Option<String>,
    /// Have the node verify
    #[arg(long)]
    pub(crate) on_node: bool,
    /// The circuit on the node: its id (cir_...), or a plugin as NAME or NAME@VERSION [default: the
    /// plugin that the bundle names]
    #[arg(long, requires = "on_node")]
    pub(crate) circuit: Option<String>,
}

/// Watch the cluster: what waits, who works, how fast, what fails, who leads; for administrators.
///
/// On the screen: tab and the arrows choose a pane and scroll it, p stops time, q ends. Without colors
/// where NO_COLOR is set.
#[derive(Debug, Args)]
pub(crate) struct Top {
    /// Print one frame as text and end
    #[arg(long)]
    pub(crate) once: bool,
    /// Print one frame as a JSON document and end
    #[arg(long)]
    pub(crate) json: bool,
    /// How long between two looks, such as 2s or 1m
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = cluster::duration)]
    pub(crate) every: Duration,
}

/// Which child process to be.
#[derive(Debug, Subcommand)]
pub(crate) enum Child {
    /// Compile one component
    Compile,
    /// Run plugin code
    Sandbox,
    /// Make or verify proofs
    Prover,
}
