//! A child's process: its pipes, its limits, its last words.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::fd::OwnedFd;
use std::process;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use zeroize::Zeroize;

use crate::frame::{self, Blobs, FrameError};
use crate::message::{Reply, Request, Start};

/// Room for the pipes' contents: the kernel's default of 64 KiB costs a wake-up for each.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 1 << 20;

/// Exit codes that say what happened without a word on standard error.
const EXIT_PARENT_GONE: i32 = 0;
const EXIT_PROTOCOL: i32 = 65;

/// Requests from and replies to the parent.
pub(super) struct Connection {
    requests: Receiver<(Request, Blobs)>,
    pub(super) replies: Replies,
}

/// Where replies go.
pub(super) struct Replies {
    pipe: File,
}

// === impl Connection ===

impl Connection {
    /// Takes over standard input and output.
    pub(super) fn open() -> Result<Self, String> {
        let pipe = take_stdout().map_err(|error| format!("no standard output: {error}"))?;
        widen(&pipe);
        // Room for one: the parent sends the next request after the answer to this one.
        let (sender, requests) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("requests".to_owned())
            .spawn(move || read_requests(&sender))
            .map_err(|error| format!("no reader thread: {error}"))?;
        Ok(Self {
            requests,
            replies: Replies {
                pipe: File::from(pipe),
            },
        })
    }

    /// Waits for the next request. The process exits when there will be none.
    pub(super) fn next(&mut self) -> Option<(Request, Blobs)> {
        self.requests.recv().ok()
    }
}

/// Reads requests until standard input ends, then ends the process, even in the middle of a
/// proof: nobody is left to take it.
fn read_requests(sender: &SyncSender<(Request, Blobs)>) {
    let stdin = io::stdin();
    widen(&stdin);
    let mut stdin = BufReader::new(Unlocked(stdin));
    loop {
        match frame::read(&mut stdin) {
            Ok(message) => match sender.try_send(message) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => {
                    eprintln!("a request came before the answer to the one before");
                    process::exit(EXIT_PROTOCOL);
                }
                // The main thread is done, and its exit code counts.
                Err(TrySendError::Disconnected(_)) => return,
            },
            Err(FrameError::Closed) => process::exit(EXIT_PARENT_GONE),
            Err(error) => {
                eprintln!("a request could not be read: {error}");
                process::exit(EXIT_PROTOCOL);
            }
        }
    }
}

/// Standard input without its lock, which the exit would otherwise wait for.
struct Unlocked(io::Stdin);

impl Read for Unlocked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        rustix::io::read(&self.0, buffer).map_err(io::Error::from)
    }
}

/// Keeps standard output for replies alone: what a library prints goes to standard error.
fn take_stdout() -> io::Result<OwnedFd> {
    let pipe = rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3)?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok(pipe)
}

/// Asks for a larger pipe; a smaller one works as well.
#[cfg(target_os = "linux")]
fn widen(pipe: &impl std::os::fd::AsFd) {
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, PIPE_BYTES);
}

#[cfg(not(target_os = "linux"))]
fn widen(_: &impl std::os::fd::AsFd) {}

// === impl Replies ===

impl Replies {
    /// Sends a reply.
    pub(super) fn send(&mut self, reply: &Reply, blobs: &[&[u8]]) -> Result<(), String> {
        frame::write(&mut self.pipe, reply, blobs)
            .map_err(|error| format!("a reply could not be sent: {error}"))
    }

    /// Sends a reply that another one follows. A broken pipe shows at the last one.
    pub(super) fn notify(&mut self, reply: &Reply) {
        let _ = self.send(reply, &[]);
    }
}

/// Applies a child's limits to the process.
pub(super) fn limit(start: &Start) -> Result<(), String> {
    // Private inputs must not end in a file beside the binary.
    lower(Resource::Core, 0, 0)?;
    if let Some(seconds) = start.cpu_seconds {
        // The signal at the first limit ends the process; the second is for one that ignores it.
        lower(Resource::Cpu, seconds, seconds + 1)?;
    }
    // macOS knows the limit and does not enforce it.
    lower(Resource::As, start.memory_bytes, start.memory_bytes)?;
    Ok(())
}

fn lower(resource: Resource, soft: u64, hard: u64) -> Result<(), String> {
    let old = getrlimit(resource);
    let within = |value: u64, limit: Option<u64>| limit.map_or(value, |limit| value.min(limit));
    let new = Rlimit {
        current: Some(within(soft, old.maximum)),
        maximum: Some(within(hard, old.maximum)),
    };
    setrlimit(resource, new)
        .map_err(|error| format!("limit {resource:?} could not be set to {soft}: {error}"))
}

/// Begins to measure the process's peak of resident memory anew. Without the right to it the peak is
/// the one since the process began: too high, never too low.
#[cfg(target_os = "linux")]
pub(super) fn forget_peak() {
    /// What `proc_pid_clear_refs(5)` takes for the peak.
    const PEAK: &str = "5";
    if let Err(error) = std::fs::write("/proc/self/clear_refs", PEAK) {
        tracing::debug!(%error, "the peak of memory is not measured anew");
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn forget_peak() {}

/// The most bytes that were resident at a time; 0 where the system does not tell.
#[cfg(target_os = "linux")]
pub(super) fn peak_bytes() -> u64 {
    std::fs::read_to_string("/proc/self/status").map_or(0, |status| high_water(&status))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn peak_bytes() -> u64 {
    0
}

/// Reads `VmHWM` of a process's status, which is in KiB.
#[cfg(any(target_os = "linux", test))]
fn high_water(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.map_or(0, |kib| kib.saturating_mul(1024))
}

/// Makes panics print where they happened, and their message only if it is a literal: a
/// formatted one may show a witness's value, and standard error ends in the node's log.
pub(super) fn hide_panic_values() {
    std::panic::set_hook(Box::new(|info| {
        let message = info
            .payload()
            .downcast_ref::<&'static str>()
            .copied()
            .unwrap_or("(message withheld, it may show a private value)");
        match info.location() {
            Some(place) => eprintln!("panicked at {}:{}: {message}", place.file(), place.line()),
            None => eprintln!("panicked: {message}"),
        }
    }));
}

/// Overwrites byte strings that may be private.
pub(super) fn wipe(blobs: Blobs) {
    for mut blob in blobs {
        blob.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::high_water;

    #[test]
    fn the_peak_is_read_in_kib_and_0_where_it_is_not_told() {
        let status = "Name:\taureole\nVmPeak:\t  9000 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(high_water(status), 2048 * 1024);
        assert_eq!(high_water("VmHWM:\tmuch\n"), 0);
        assert_eq!(high_water(""), 0);
    }
}
