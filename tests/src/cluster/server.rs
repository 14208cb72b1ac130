//! One process of a cluster under test: `aureole serve` with a folder of its own.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::process::Signal;

use crate::faults::Faults;
use crate::net::Net;
use crate::place::binary;
use crate::processes::{Process, descendants, send};
use crate::wait::PATIENCE;

/// Lines of a log that a failed test shows, of each process.
const LOG_LINES_SHOWN: usize = 40;

/// The section of a configuration that says what of the disk is kept back for the log.
const DEPOT: &str = "\n[depot]\n";

/// A process, running or not. Dropped, it is killed.
#[derive(Debug)]
pub struct Server {
    name: String,
    folder: PathBuf,
    /// Its host, when the cluster has a net.
    pub(super) host: Option<u8>,
    /// Its address among the coordinators, when it is one.
    pub(super) internal: Option<String>,
    /// Its REST address, when it has one.
    pub(super) url: Option<String>,
    faults: Option<Faults>,
    /// Writes and syncs that its disk had refused when the cluster was last healed.
    refusals_seen: u64,
    /// Which executable it starts from, when it is not this build's.
    version: Option<PathBuf>,
    process: Option<Child>,
}

// === impl Server ===

impl Server {
    /// A server that has not started yet, with this configuration.
    pub(super) fn new(
        name: &str,
        folder: PathBuf,
        config: &str,
        faults: bool,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("node.toml"), config)?;
        let faults = faults.then(|| Faults::new(&folder)).transpose()?;
        Ok(Self {
            name: name.to_owned(),
            folder,
            host: None,
            internal: None,
            url: None,
            faults,
            refusals_seen: 0,
            version: None,
            process: None,
        })
    }

    /// What it is called: `c1` is the first coordinator, `w1` the first worker.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it keeps its data.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Its configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.folder.join("node.toml")
    }

    /// The faults of its disk and clock.
    ///
    /// # Errors
    /// When the cluster was started without.
    pub fn faults(&self) -> anyhow::Result<&Faults> {
        self.faults
            .as_ref()
            .context("this cluster was started without faults")
    }

    /// Whether its disk has refused a write or sync since the cluster was last healed: then it may
    /// end by itself, and at no other time.
    pub(super) fn may_end_by_itself(&self) -> anyhow::Result<bool> {
        Ok(self.refusals()? > self.refusals_seen)
    }

    /// From now on only what its disk refuses anew is a reason to end.
    pub(super) fn forget_refusals(&mut self) -> anyhow::Result<()> {
        self.refusals_seen = self.refusals()?;
        Ok(())
    }

    fn refusals(&self) -> anyhow::Result<u64> {
        match &self.faults {
            Some(faults) => Ok(faults.happened()?.refusals()),
            None => Ok(0),
        }
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// Starts it; it may take a while to answer.
    ///
    /// # Errors
    /// When it runs already or cannot be started.
    pub(super) fn start(&mut self, net: Option<&Net>) -> anyhow::Result<()> {
        ensure!(self.process.is_none(), "{} runs already", self.name);
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("node.log"))?;
        let binary = match &self.version {
            Some(version) => version.clone(),
            None => binary()?,
        };
        let mut command = match (net, self.host) {
            (Some(net), Some(host)) => net.command(host, &binary),
            _ => Command::new(binary),
        };
        command
            .args(["serve", "--output", "json", "--config"])
            .arg(self.config())
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        if let Some(faults) = &self.faults {
            faults.apply_to(&mut command)?;
        }
        let started = command.spawn();
        self.process = Some(started.with_context(|| format!("could not start {}", self.name))?);
        Ok(())
    }

    /// The executable that it runs. Linux only.
    ///
    /// # Errors
    /// When it does not run.
    pub fn executable(&self) -> anyhow::Result<PathBuf> {
        Ok(fs::read_link(format!("/proc/{}/exe", self.running()?))?)
    }

    /// From its next start on it runs another executable; this build's when there is none.
    pub fn switch_to(&mut self, version: Option<PathBuf>) {
        self.version = version;
    }

    /// Kills it as a power cut would, its children with it, and waits until it is gone.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let mut process = self.process.take().context("it does not run")?;
        process.kill()?;
        process.wait()?;
        Ok(())
    }

    /// Stops it dead (SIGSTOP), as a machine that swaps or is migrated; sockets stay open. Returns
    /// when it stands still.
    ///
    /// # Errors
    /// When it does not run, or goes on.
    pub fn pause(&self) -> anyhow::Result<()> {
        send(self.running()?, Signal::STOP)?;
        let start = Instant::now();
        while !self.is_paused()? {
            ensure!(
                start.elapsed() < PATIENCE,
                "{} does not stand still",
                self.name
            );
            thread::park_timeout(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Whether it stands still.
    ///
    /// # Errors
    /// When it does not run.
    pub fn is_paused(&self) -> anyhow::Result<bool> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.running()?))?;
        let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start());
        Ok(state.is_some_and(|state| state.starts_with('T')))
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&self) -> anyhow::Result<()> {
        send(self.running()?, Signal::CONT)
    }

    /// Asks it to stop, waits until it has, and wants its exit to be a success. Returns how long it
    /// took.
    ///
    /// # Errors
    /// When it takes longer than that, or ends otherwise.
    pub fn stop(&mut self, within: Duration) -> anyhow::Result<Duration> {
        let start = Instant::now();
        send(self.running()?, Signal::TERM)?;
        let status = self.ended(within)?;
        ensure!(status.success(), "{} ended with {status}", self.name);
        Ok(start.elapsed())
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// When it goes on for longer than that.
    pub fn ended(&mut self, within: Duration) -> anyhow::Result<ExitStatus> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.exited()? {
                return Ok(status);
            }
            ensure!(
                start.elapsed() < within,
                "{} still runs after {within:?}",
                self.name
            );
            thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Whether it has ended, and how.
    ///
    /// # Errors
    /// When it was not running in the first place.
    pub fn exited(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        let process = self.process.as_mut().context("it does not run")?;
        let status = process.try_wait()?;
        if status.is_some() {
            self.process = None;
        }
        Ok(status)
    }

    /// Whether it runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.process.is_some()
    }

    /// The processes below it.
    ///
    /// # Errors
    /// When it does not run.
    pub fn children(&self) -> anyhow::Result<Vec<Process>> {
        descendants(self.running()?)
    }

    /// All that it has logged, over restarts.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> anyhow::Result<String> {
        let log = fs::read(self.folder.join("node.log")).context("could not read the log")?;
        Ok(String::from_utf8_lossy(&log).into_owned())
    }

    /// The end of its log, for people.
    #[must_use]
    pub fn shown_log(&self) -> String {
        let log = self.log().unwrap_or_else(|error| format!("{error:#}"));
        let lines: Vec<&str> = log.lines().collect();
        let from = lines.len().saturating_sub(LOG_LINES_SHOWN);
        let lines = lines.get(from..).unwrap_or_default().join("\n");
        format!("the log of {} ends with:\n{lines}", self.name)
    }

    fn running(&self) -> anyhow::Result<u32> {
        match &self.process {
            Some(process) => Ok(process.id()),
            None => bail!("{} does not run", self.name),
        }
    }

    /// From its next start on it waits to be added to the group. Returns its internal address.
    pub(super) fn rejoins(&self) -> anyhow::Result<String> {
        let config = fs::read_to_string(self.config())?;
        let config: String = config.replace("founding = \"founders\"", "founding = \"join\"");
        fs::write(self.config(), config)?;
        self.internal.clone().context("it is no coordinator")
    }

    /// From its next start on it keeps so many bytes of its disk back for its log, and stores nothing
    /// when fewer are free; as many as it does by default when there is no number.
    ///
    /// # Errors
    /// When its configuration cannot be read or written.
    pub fn keep_back(&self, bytes: Option<u64>) -> anyhow::Result<()> {
        let config = fs::read_to_string(self.config())?;
        // The last section if it is there: it is added here alone.
        let (others, _) = config.split_once(DEPOT).unwrap_or((config.as_str(), ""));
        let section = bytes.map(|bytes| format!("{DEPOT}reserve_bytes = {bytes}\n"));
        let section = section.unwrap_or_default();
        Ok(fs::write(self.config(), format!("{others}{section}"))?)
    }

    /// Forgets everything it has stored, as a disk that was lost.
    ///
    /// # Errors
    /// When it runs.
    pub fn lose_disk(&self) -> anyhow::Result<()> {
        ensure!(!self.runs(), "{} runs: stop it first", self.name);
        Ok(fs::remove_dir_all(self.data_dir())?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // It may be gone already, which is as good.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
