//! Raft's own runtime: a thread that nothing else runs on, at a priority above everybody's.
//!
//! Beats must leave in time while provers burn every core and the gateway is busy. Where the system
//! does not permit a priority above normal it runs at the normal one; the provers' is lower.
//!
//! A simulation has one thread, and a clock that stands while that thread works: there Raft is a guest
//! of the caller's runtime, and what would block is done, or waited for, on the spot.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};
use tokio::sync::oneshot;
use tokio::task::JoinError;

#[cfg(target_os = "linux")]
use crate::limits::RAFT_NICE;
use crate::limits::RAFT_THREADS;

/// The runtime. Dropping it ends what runs on it, in the background.
#[derive(Debug)]
pub(crate) struct RaftRuntime {
    runtime: Option<Runtime>,
    handle: Handle,
}

// === impl RaftRuntime ===

impl RaftRuntime {
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(RAFT_THREADS)
            .thread_name("raft")
            .on_thread_start(prefer)
            .enable_all()
            .build()?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }

    /// The runtime that the caller runs on, which outlives this member.
    pub(crate) fn callers() -> Self {
        Self {
            handle: Handle::current(),
            runtime: None,
        }
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for RaftRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Never waits: it may be dropped on a thread that must not block.
            runtime.shutdown_background();
        }
    }
}

/// Runs work that may block on a thread for such work. On a runtime with one thread it is done on the
/// spot: how long a disk takes then changes nothing about what happens next.
pub(crate) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    if has_one_thread() {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await
}

/// Runs long work that nobody waits for on a thread of its own, at the usual priority: a snapshot of many
/// tasks would keep Raft from a core, as it keeps everybody else. `None` if the thread could not end.
pub(crate) async fn behind<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    if has_one_thread() {
        return Some(work());
    }
    let (done, ended) = oneshot::channel();
    let run = move || {
        give_way();
        // Nobody may be there any more.
        let _ = done.send(work());
    };
    thread::Builder::new()
        .name("snapshot".to_owned())
        .spawn(run)
        .ok()?;
    ended.await.ok()
}

/// Waits for what another thread does. On a runtime with one thread nothing else runs meanwhile.
pub(crate) async fn prompt<F: Future>(future: F) -> F::Output {
    if has_one_thread() {
        return wait(tokio::task::unconstrained(future));
    }
    future.await
}

fn has_one_thread() -> bool {
    Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread
}

/// Wakes the thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn wait<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let (mut future, mut context) = (pin!(future), Context::from_waker(&waker));
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Raises the priority of the calling thread. Without the privilege it stays as it is: see above.
pub(crate) fn prefer() {
    // Elsewhere the call changes the whole process, whose children inherit it.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(RAFT_NICE);
}

/// Gives up what the calling thread has of its parent's priority.
fn give_way() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 0);
}

#[cfg(test)]
mod tests {
    //! Where work that may block is done.

    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::{apart, prompt};

    async fn is_done_here() -> bool {
        let here = thread::current().id();
        apart(move || thread::current().id() == here).await.unwrap()
    }

    #[tokio::test]
    async fn on_one_thread_work_is_done_on_the_spot() {
        assert!(is_done_here().await);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn on_several_threads_work_is_done_apart() {
        assert!(!is_done_here().await);
    }

    /// Says whether something else ran while a thread was waited for.
    async fn ran_meanwhile() -> bool {
        let (runs, told) = mpsc::channel();
        tokio::spawn(async move { runs.send(()) });
        let (done, waited) = oneshot::channel();
        let patience = Duration::from_secs(1);
        thread::spawn(move || done.send(told.recv_timeout(patience).is_ok()));
        prompt(waited).await.unwrap()
    }

    #[tokio::test]
    async fn on_one_thread_nothing_runs_while_another_thread_is_waited_for() {
        assert!(!ran_meanwhile().await);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn on_several_threads_the_rest_runs_on() {
        assert!(ran_meanwhile().await);
    }
}
