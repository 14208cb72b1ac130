//! A server process: started, awaited, killed.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take to start: a second as a rule, more while provers have every core.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A process that may run.
#[derive(Debug, Default)]
pub(crate) struct Server(Mutex<Option<Child>>);

// === impl Server ===

impl Server {
    /// Starts it; what it says goes to a file. `ready` says when it answers. One that ends at once is
    /// started again for a while: what a killed server leaves behind holds its folder for a moment.
    pub(crate) fn start(
        &self,
        command: impl Fn() -> Command,
        log: &Path,
        ready: impl Fn() -> bool,
    ) -> anyhow::Result<()> {
        let mut child = self.lock();
        let begun = Instant::now();
        loop {
            if child.is_none() {
                let file = std::fs::OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(log)?;
                let mut command = command();
                command
                    .stdin(Stdio::null())
                    .stdout(file.try_clone()?)
                    .stderr(file);
                let started = command.spawn();
                *child = Some(started.with_context(|| format!("{command:?} does not start"))?);
            }
            if let Some(running) = child.as_mut()
                && running.try_wait()?.is_some()
            {
                *child = None;
            } else if ready() {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                bail!("the server does not answer; its log:\n{said}");
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
    }

    /// Sends a signal, if it runs.
    pub(crate) fn send(&self, signal: Signal) -> anyhow::Result<()> {
        let child = self.lock();
        let child = child.as_ref().context("the server does not run")?;
        let id = Pid::from_child(child);
        Ok(kill_process(id, signal)?)
    }

    /// Ends it with a signal and waits until it is gone.
    pub(crate) fn end(&self, signal: Signal) -> anyhow::Result<()> {
        let mut held = self.lock();
        let Some(mut child) = held.take() else {
            return Ok(());
        };
        kill_process(Pid::from_child(&child), signal)?;
        child.wait()?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Child>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.end(Signal::KILL) {
            eprintln!("a server was not stopped: {error:#}");
        }
    }
}

/// A port that is free now.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// The folder of a program: one of these, or one on the path.
pub(crate) fn folder_of(
    program: &str,
    first: impl IntoIterator<Item = PathBuf>,
    package: &str,
) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    first
        .into_iter()
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join(program).is_file())
        .with_context(|| {
            format!(
                "this test needs {program}; install it, for example with `apt-get install {package}`"
            )
        })
}
