//! What work in a child process can come to, other than a result.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::child::Kind;
use crate::limits::SEEN_LINE_CHARS;
use crate::problem::{Problem, clean};

/// Why a piece of work has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The plugin, its parameters, the circuit or the input is to blame.
    #[error("{0}")]
    Refused(Problem),
    /// The child process could not be started.
    #[error("the {kind} process could not be started from {program}")]
    Spawn {
        /// Which child.
        kind: Kind,
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The child process ended during the work.
    #[error("the {kind} process ended during {during}: {seen}")]
    Crashed {
        /// Which child.
        kind: Kind,
        /// What it was doing.
        during: &'static str,
        /// What was seen of its end.
        seen: Seen,
    },
    /// The child process ran out of the memory it may use.
    #[error(
        "the {kind} process ran out of memory during {during}: more than the {limit} bytes it \
         may use"
    )]
    OutOfMemory {
        /// Which child.
        kind: Kind,
        /// What it was doing.
        during: &'static str,
        /// Its limit.
        limit: u64,
    },
    /// The child process used up its processor time.
    #[error("the {kind} process used more than {limit:?} of processor time during {during}")]
    CpuTime {
        /// Which child.
        kind: Kind,
        /// What it was doing.
        during: &'static str,
        /// Its limit.
        limit: Duration,
    },
    /// The work took too long; the child was killed.
    #[error("{during} took longer than {limit:?} and was stopped")]
    Timeout {
        /// Which child.
        kind: Kind,
        /// What it was doing.
        during: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The child said something that the protocol does not allow.
    #[error("the {kind} process broke the protocol during {during}: {detail}")]
    Protocol {
        /// Which child.
        kind: Kind,
        /// What it was doing.
        during: &'static str,
        /// What was wrong.
        detail: String,
    },
    /// The child says that the node's side failed: files, parameters, a library.
    #[error("{during} failed in the {kind} process: {detail}")]
    Failed {
        /// Which child.
        kind: Kind,
        /// What it was doing.
        during: &'static str,
        /// What it said.
        detail: String,
    },
    /// A request is larger than what a child takes.
    #[error("{item} has {value}, {limit} are allowed")]
    TooLarge {
        /// What.
        item: &'static str,
        /// How large it is.
        value: u64,
        /// The limit.
        limit: u64,
    },
    /// The depot failed, or lacks what was asked for.
    #[error("the depot failed")]
    Depot(#[from] aureole_store::DepotError),
    /// The process does not know the circuit yet. Never leaves this crate: it is sent and the
    /// call made again.
    #[error("the circuit must be sent first")]
    NeedCircuit,
    /// A lease names something that is none.
    #[error("the lease is malformed: {detail}")]
    Lease {
        /// What is wrong.
        detail: String,
    },
    /// The heartbeats' thread or its runtime could not be started.
    #[error("the heartbeats could not be started")]
    Thread(#[source] io::Error),
    /// The async runtime is shutting down.
    #[error("the node is stopping")]
    Stopped,
    /// The cache of compiled code failed.
    #[error("the cache of compiled code failed")]
    CodeCache(#[source] aureole_runtime::CacheError),
}

/// What was seen of a child's end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Its exit code, if it exited.
    pub code: Option<i32>,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// The last line of its standard error, made fit to be shown.
    pub last_line: Option<String>,
}

// === impl Error ===

impl Error {
    /// What is told to the coordinators: the code and text, and whether another attempt could end
    /// differently.
    #[must_use]
    pub fn to_problem(&self) -> (Problem, bool) {
        let by_kind = |prover, sandbox| if self.is_of_prover() { prover } else { sandbox };
        match self {
            Self::Refused(problem) => (problem.clone(), false),
            Self::Timeout {
                kind: Kind::Compile,
                ..
            }
            | Self::CpuTime { .. } => (Problem::new("plugin.compile_timeout", self), false),
            Self::OutOfMemory {
                kind: Kind::Compile,
                ..
            } => (Problem::new("plugin.too_complex", self), false),
            Self::Timeout { .. } => (
                Problem::new(by_kind("task.timeout", "plugin.timeout"), self),
                true,
            ),
            Self::OutOfMemory { .. } | Self::Crashed { .. } => (
                Problem::new(by_kind("task.prover_crashed", "task.sandbox_crashed"), self),
                true,
            ),
            Self::TooLarge { .. } => (Problem::new("limits.cost", self), false),
            // The rest is this node's own trouble: what exactly stands in its log.
            Self::Spawn { .. }
            | Self::Protocol { .. }
            | Self::Failed { .. }
            | Self::NeedCircuit
            | Self::Lease { .. }
            | Self::Thread(_)
            | Self::CodeCache(_) => (Problem::new("task.worker_failed", self), true),
            Self::Depot(error) => (Problem::new(error.code(), self), true),
            Self::Stopped => (Problem::new("task.handed_back", self), true),
        }
    }

    fn is_of_prover(&self) -> bool {
        match self {
            Self::Spawn { kind, .. }
            | Self::Crashed { kind, .. }
            | Self::OutOfMemory { kind, .. }
            | Self::CpuTime { kind, .. }
            | Self::Timeout { kind, .. }
            | Self::Protocol { kind, .. }
            | Self::Failed { kind, .. } => *kind == Kind::Prover,
            Self::Refused(_)
            | Self::TooLarge { .. }
            | Self::Depot(_)
            | Self::NeedCircuit
            | Self::Lease { .. }
            | Self::Thread(_)
            | Self::Stopped
            | Self::CodeCache(_) => false,
        }
    }
}

// === impl Seen ===

impl Seen {
    /// From an exit status and the end of standard error.
    pub(crate) fn new(status: Option<std::process::ExitStatus>, stderr: &[u8]) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let text = String::from_utf8_lossy(stderr);
        let last_line = text
            .lines()
            .rev()
            .map(|line| clean(line, SEEN_LINE_CHARS))
            // Said by the standard library after every panic, and of no use to anyone here.
            .find(|line| !line.is_empty() && !line.starts_with("note: "));
        Self {
            code: status.and_then(|status| status.code()),
            signal: status.and_then(|status| status.signal()),
            last_line,
        }
    }

    /// Whether the child was stopped by a failed allocation.
    pub(crate) fn ran_out_of_memory(&self) -> bool {
        self.last_line
            .as_deref()
            .is_some_and(|line| line.starts_with("memory allocation of"))
    }

    /// Whether the system stopped the child for its processor time.
    pub(crate) fn ran_out_of_cpu_time(&self) -> bool {
        self.signal == Some(rustix::process::Signal::XCPU.as_raw())
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exit code {code}")?,
            (None, Some(signal)) => write!(f, "signal {signal}")?,
            (None, None) => write!(f, "it closed its pipe and had to be killed")?,
        }
        match &self.last_line {
            Some(line) => write!(f, ", its last words: {line}"),
            None => write!(f, ", it said nothing"),
        }
    }
}
