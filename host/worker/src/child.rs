//! The inside of a child process: the node's own binary, started with a hidden subcommand.
//!
//! ```text
//!            stdin                         channel of one
//! parent ───────────▸ reader thread ─────────────────────▸ main thread: one request at a time
//!    ▴                     │ end of file: exit, whatever the main thread is doing
//!    └──────────────────── │ ───────────────────────────────── stdout: replies
//! ```
//!
//! A child limits itself (address space, processor time, no core files) before it touches a byte of
//! anybody's; its parent lowers its priority as soon as it lives. It opens no socket. It dies when its parent does, because the
//! parent's end of the pipe is closed then, and it can be killed at any moment without harm:
//! whatever it writes to disk, it writes to a temporary name first.

mod compile;
mod process;
mod prover;
mod sandbox;

use std::fmt;
use std::process::ExitCode;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::frame::Blobs;
use crate::message::{Reply, Request, Role};
use process::{Connection, Replies};

/// Which child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Scans and compiles one component, then ends.
    Compile,
    /// Runs plugins.
    Sandbox,
    /// Makes keys, proofs and verdicts.
    Prover,
}

/// What one kind of child does with a request.
trait Service {
    /// Does the work and gives the last reply, with its blobs.
    fn handle(&mut self, request: Request, blobs: Blobs, replies: &mut Replies) -> (Reply, Blobs);
}

/// Runs a child until its standard input ends; what the hidden subcommand calls first of all.
///
/// Takes over standard input and output, the panic hook, the process's limits and, in a prover,
/// the global thread pool. The process exits from within when standard input ends.
#[must_use]
pub fn run(kind: Kind) -> ExitCode {
    match serve(kind) {
        Ok(()) => ExitCode::SUCCESS,
        Err(detail) => {
            // The parent keeps the last line of standard error for its report.
            eprintln!("{kind} process: {detail}");
            ExitCode::FAILURE
        }
    }
}

fn serve(kind: Kind) -> Result<(), String> {
    process::hide_panic_values();
    let mut connection = Connection::open()?;
    let Some((Request::Start(start), _)) = connection.next() else {
        return Err("the first message was no start".to_owned());
    };
    process::limit(&start)?;
    let mut service: Box<dyn Service> = match (kind, start.role) {
        (Kind::Compile, Role::Compile { limits }) => Box::new(compile::Compiler::new(limits)),
        (Kind::Sandbox, Role::Sandbox { limits, code_dir }) => {
            Box::new(sandbox::Plugins::new(limits, &code_dir)?)
        }
        (
            Kind::Prover,
            Role::Prover {
                params_dir,
                threads,
                key_cache_bytes,
                limits,
            },
        ) => Box::new(prover::Prover::new(
            params_dir,
            threads,
            key_cache_bytes,
            limits,
        )?),
        (kind, _) => return Err(format!("started as {kind}, told to be something else")),
    };
    connection.replies.send(&Reply::Ready, &[])?;
    while let Some((request, blobs)) = connection.next() {
        let (reply, blobs) = service.handle(request, blobs, &mut connection.replies);
        let slices: Vec<&[u8]> = blobs.iter().map(Vec::as_slice).collect();
        connection.replies.send(&reply, &slices)?;
        process::wipe(blobs);
    }
    Ok(())
}

/// The reply to a request that is not for this kind of child.
fn foreign() -> (Reply, Blobs) {
    (
        Reply::Failed {
            detail: "this child does not do that".to_owned(),
        },
        Blobs::new(),
    )
}

/// A reply without blobs.
fn plain(reply: Reply) -> (Reply, Blobs) {
    (reply, Blobs::new())
}

/// Takes exactly `N` blobs.
fn take<const N: usize>(blobs: Blobs) -> Result<[Vec<u8>; N], Reply> {
    let found = blobs.len();
    blobs.try_into().map_err(|_| Reply::Failed {
        detail: format!("the request came with {found} byte strings instead of {N}"),
    })
}

fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

// === impl Kind ===

impl Kind {
    /// The word of the hidden subcommand.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compile => "compile",
            Self::Sandbox => "sandbox",
            Self::Prover => "prover",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Compile, Self::Sandbox, Self::Prover]
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| "expected compile, sandbox or prover".to_owned())
    }
}
