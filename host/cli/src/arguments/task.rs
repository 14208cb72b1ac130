//! `aureole task`: what was asked for, and what became of it.

use std::path::PathBuf;
use std::time::Duration;

use aureole_client::rest::{TaskState, Timestamp};
use clap::{Args, Subcommand, ValueEnum};

use super::cluster::duration;
use super::{Deadline, deadline};

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    Submit(Submit),
    List(List),
    /// Show a task: state, stages and their times, public inputs, or what failed
    Show {
        /// Task id (tsk_...)
        id: String,
    },
    /// Say why a task waits: its place, the limit it waits for, and an estimate with its basis
    Explain {
        /// Task id (tsk_...)
        id: String,
    },
    /// Cancel a task; a running proof is stopped
    Cancel {
        /// Task id (tsk_...)
        id: String,
    },
    /// Follow a task until it ends
    Watch {
        /// Task id (tsk_...)
        id: String,
    },
    /// Download a done task as a verification bundle, which `aureole verify` checks offline
    Bundle {
        /// Task id (tsk_...)
        id: String,
        /// Folder for it
        #[arg(short = 'o', long = "out", value_name = "DIR")]
        out: PathBuf,
    },
}

/// Submit a task, or many, and do not wait for the proof.
///
/// Prints the task's id; `aureole task watch ID` follows it, `aureole task bundle ID -o DIR` has the
/// proof. `aureole prove` does all of that at once.
#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// A circuit's id (cir_...), or a plugin as NAME or NAME@VERSION
    #[arg(required_unless_present = "batch", conflicts_with = "batch")]
    pub(crate) circuit: Option<String>,
    /// JSON file with the input; `-` reads standard input
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "batch",
        conflicts_with = "batch"
    )]
    pub(crate) input: Option<PathBuf>,
    /// JSON file with the plugin's parameters, where its defaults will not do
    #[arg(long, value_name = "FILE", conflicts_with = "batch")]
    pub(crate) params: Option<PathBuf>,
    /// From 0 to 9; higher goes first
    #[arg(long, value_name = "N", conflicts_with = "batch")]
    pub(crate) priority: Option<u8>,
    /// When the task fails if it is not done: from now, such as 90s, 10m or 2h, or an instant such as
    /// 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = deadline, conflicts_with = "batch")]
    pub(crate) deadline: Option<Deadline>,
    /// File with one task a line, each a JSON object such as {"plugin": "merkle", "input": {...}};
    /// `-` reads standard input. Exits 1 if any is refused
    #[arg(long, value_name = "FILE.jsonl")]
    pub(crate) batch: Option<PathBuf>,
    /// Do nothing twice: the same key with the same task, or file, gives the same tasks, however
    /// often it is sent
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
}

/// List tasks, newest first.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only tasks in this state: queued, running, done, failed or cancelled
    #[arg(long, value_parser = state)]
    pub(crate) state: Option<TaskState>,
    /// Only tasks of this plugin: NAME, NAME@VERSION or digest
    #[arg(long)]
    pub(crate) plugin: Option<String>,
    /// Only tasks of this circuit (cir_...)
    #[arg(long)]
    pub(crate) circuit: Option<String>,
    /// Only tasks submitted since: so long ago, such as 10m or 2d, or an instant such as
    /// 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) since: Option<Moment>,
    /// Only tasks submitted before
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) until: Option<Moment>,
    /// In which order
    #[arg(long, value_enum, default_value_t = Order::Newest)]
    pub(crate) sort: Order,
    /// How many at the most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: u32,
    /// All of them, however many
    #[arg(long, conflicts_with = "limit")]
    pub(crate) all: bool,
    /// Go on where an earlier list ended, which said so
    #[arg(long, value_name = "CURSOR")]
    pub(crate) before: Option<String>,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    /// The newest first.
    Newest,
    /// The oldest first.
    Oldest,
}

/// A moment that has passed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    /// So long ago.
    Ago(Duration),
    /// Then.
    At(Timestamp),
}

fn moment(text: &str) -> Result<Moment, String> {
    match (text.parse(), duration(text)) {
        (Ok(instant), _) => Ok(Moment::At(instant)),
        (_, Ok(ago)) => Ok(Moment::Ago(ago)),
        (Err(_), Err(_)) => Err(
            "give how long ago, such as 10m, or an instant such as 2026-01-31T12:00:00Z".to_owned(),
        ),
    }
}

fn state(text: &str) -> Result<TaskState, String> {
    let known = TaskState::ALL.into_iter();
    let named = known.clone().find(|state| state.name() == text);
    named.ok_or_else(|| {
        let names: Vec<_> = known.map(TaskState::name).collect();
        format!("the states of a task are {}", names.join(", "))
    })
}
