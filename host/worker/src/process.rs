//! A child process as its parent sees it: start, one call at a time, and what is left of it.
//!
//! A call that does not come to its end (an error, a dropped future) leaves half a message on a
//! pipe: the process must not be used again. Dropping it kills it.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, getpriority_process, setpriority_process};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::child::Kind;
use crate::error::{Error, Seen};
use crate::frame::{self, Blobs, FrameError};
use crate::limits::{EXIT_TIMEOUT, NICE_MOST, START_TIMEOUT, STDERR_TAIL_BYTES};
use crate::message::{Reply, Request, Stage, Start, Usage};

/// How child processes are started: a program, and arguments before the child's kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildCommand {
    /// The program.
    pub program: PathBuf,
    /// Its first arguments; the kind (`compile`, `sandbox`, `prover`) follows them.
    pub args: Vec<String>,
}

/// A running child.
#[derive(Debug)]
pub(crate) struct Process {
    kind: Kind,
    start: Start,
    /// Killed when this is dropped.
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: Arc<Mutex<Vec<u8>>>,
    stderr_reader: JoinHandle<()>,
}

/// Told of each stage that a call reaches.
pub(crate) type OnReply<'a> = &'a mut (dyn FnMut(Progress) + Send);

/// What a child says before its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// A stage was reached.
    Stage(Stage),
    /// Parameters of this k are being generated.
    Params(u32),
    /// What the work took.
    Usage(Usage),
}

// === impl ChildCommand ===

impl ChildCommand {
    /// This very program, with the hidden subcommand `child`.
    ///
    /// # Errors
    /// If the system does not tell where the program is.
    pub fn current() -> std::io::Result<Self> {
        Ok(Self {
            program: std::env::current_exe()?,
            args: vec!["child".to_owned()],
        })
    }
}

// === impl Process ===

impl Process {
    /// Starts a child and waits until it has set itself up.
    pub(crate) async fn spawn(
        command: &ChildCommand,
        kind: Kind,
        start: Start,
    ) -> Result<Self, Error> {
        let failed = |source| Error::Spawn {
            kind,
            program: command.program.display().to_string(),
            source,
        };
        let mut child = Command::new(&command.program)
            .args(&command.args)
            .arg(kind.name())
            // Nothing of the node's environment is the child's business, credentials least.
            .env_clear()
            // Ctrl-C at a terminal goes to the whole process group; draining is the node's call.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        // Here and not by the child itself: a storm of children costs most while they start.
        yield_to_others(&child, start.nice);
        let no_pipe = || failed(std::io::Error::other("a pipe is missing"));
        let stdin = child.stdin.take().ok_or_else(no_pipe)?;
        let stdout = child.stdout.take().ok_or_else(no_pipe)?;
        let stderr_pipe = child.stderr.take().ok_or_else(no_pipe)?;
        let stderr = Arc::default();
        let stderr_reader = tokio::spawn(keep_tail(stderr_pipe, Arc::clone(&stderr)));
        let mut process = Self {
            kind,
            start,
            child,
            stdin,
            stdout,
            stderr,
            stderr_reader,
        };
        let request = Request::Start(process.start.clone());
        let during = "its start";
        match process
            .call(&request, &[], during, START_TIMEOUT, &mut |_| {})
            .await?
        {
            (Reply::Ready, _) => Ok(process),
            _ => Err(process.unexpected(during)),
        }
    }

    /// Sends a request and waits for the answer.
    ///
    /// After an error, or when the call was dropped, the process must be dropped too.
    pub(crate) async fn call(
        &mut self,
        request: &Request,
        blobs: &[&[u8]],
        during: &'static str,
        limit: Duration,
        on_reply: OnReply<'_>,
    ) -> Result<(Reply, Blobs), Error> {
        let kind = self.kind;
        match timeout(limit, self.exchange(request, blobs, on_reply)).await {
            Ok(Ok((Reply::Refused(problem), _))) => Err(Error::Refused(problem)),
            Ok(Ok((Reply::Failed { detail }, _))) => Err(Error::Failed {
                kind,
                during,
                detail,
            }),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.failed(error, during).await),
            Err(_) => Err(Error::Timeout {
                kind,
                during,
                limit,
            }),
        }
    }

    async fn exchange(
        &mut self,
        request: &Request,
        blobs: &[&[u8]],
        on_reply: OnReply<'_>,
    ) -> Result<(Reply, Blobs), FrameError> {
        frame::send(&mut self.stdin, request, blobs).await?;
        loop {
            match frame::receive(&mut self.stdout).await? {
                (Reply::Stage(stage), _) => on_reply(Progress::Stage(stage)),
                (Reply::Params { k }, _) => on_reply(Progress::Params(k)),
                (Reply::Usage(usage), _) => on_reply(Progress::Usage(usage)),
                answer => return Ok(answer),
            }
        }
    }

    /// Whether the child still runs, as far as the system says.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether an error leaves the child usable: it answered, and the answer was a refusal.
    pub(crate) fn survives(error: &Error) -> bool {
        matches!(
            error,
            Error::Refused(_) | Error::Failed { .. } | Error::TooLarge { .. }
        )
    }

    /// The child's id, for the log.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// An answer that is none to what was asked.
    pub(crate) fn unexpected(&self, during: &'static str) -> Error {
        Error::Protocol {
            kind: self.kind,
            during,
            detail: "an answer to something else".into(),
        }
    }

    /// Finds out what a failed pipe means.
    async fn failed(&mut self, error: FrameError, during: &'static str) -> Error {
        let kind = self.kind;
        match error {
            FrameError::TooLarge { item, value, limit } => Error::TooLarge { item, value, limit },
            FrameError::Header { detail } => Error::Protocol {
                kind,
                during,
                detail,
            },
            FrameError::Closed | FrameError::Io(_) => {
                let seen = self.post_mortem().await;
                if seen.ran_out_of_memory() {
                    Error::OutOfMemory {
                        kind,
                        during,
                        limit: self.start.memory_bytes,
                    }
                } else if seen.ran_out_of_cpu_time() {
                    let limit = Duration::from_secs(self.start.cpu_seconds.unwrap_or_default());
                    Error::CpuTime {
                        kind,
                        during,
                        limit,
                    }
                } else {
                    Error::Crashed { kind, during, seen }
                }
            }
        }
    }

    /// Waits for the end and gathers what there is to see.
    async fn post_mortem(&mut self) -> Seen {
        let status = match timeout(EXIT_TIMEOUT, self.child.wait()).await {
            Ok(status) => status.ok(),
            Err(_) => {
                // It closed its pipe and runs on: dropping the process kills it.
                None
            }
        };
        // Standard error ends with the process; a grandchild cannot hold it, for there is none.
        let _ = timeout(EXIT_TIMEOUT, &mut self.stderr_reader).await;
        let stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        Seen::new(status, &stderr)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stderr_reader.abort();
    }
}

/// Makes a child nicer than this process: interactive work and the node itself go first.
fn yield_to_others(child: &Child, nice: i32) {
    // Without an id it has ended; none would mean this process.
    let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)) else {
        return;
    };
    let lowered = getpriority_process(None)
        .and_then(|own| setpriority_process(Some(pid), own.saturating_add(nice).min(NICE_MOST)));
    if let Err(error) = lowered {
        tracing::debug!(%error, "a child's priority stays as it is");
    }
}

/// Keeps the last bytes of a child's standard error.
async fn keep_tail(mut pipe: ChildStderr, tail: Arc<Mutex<Vec<u8>>>) {
    let mut chunk = [0; 1024];
    while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend(chunk.iter().take(read));
        let surplus = tail.len().saturating_sub(STDERR_TAIL_BYTES);
        tail.drain(..surplus);
    }
}
