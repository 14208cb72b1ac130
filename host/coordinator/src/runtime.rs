//! Raft's own runtime: two threads that nothing else runs on, at a priority above everybody's.
//!
//! Beats must leave in time while provers burn every core and the gateway is busy. Where the system
//! does not permit a priority above normal the threads run at the normal one; the provers' is lower.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

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

/// Raises the priority of the calling thread. Without the privilege it stays as it is: see above.
fn prefer() {
    // Elsewhere the call changes the whole process, whose children inherit it.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(RAFT_NICE);
}
