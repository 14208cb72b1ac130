//! The processes below a node: which there are, and what they have used.

use std::{fs, path::Path, process::Command};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};

/// A running process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub id: u32,
    /// Its parent's id.
    pub parent: u32,
    /// Its command line.
    pub command: String,
}

/// The processes that a process started, and those that they started.
///
/// # Errors
/// When the system cannot be asked.
pub fn descendants(ancestor: u32) -> anyhow::Result<Vec<Process>> {
    let all = all()?;
    let mut found: Vec<Process> = Vec::new();
    loop {
        let before = found.len();
        for process in &all {
            let child = process.parent == ancestor
                || found.iter().any(|parent| parent.id == process.parent);
            if child && !found.contains(process) {
                found.push(process.clone());
            }
        }
        if found.len() == before {
            return Ok(found);
        }
    }
}

fn all() -> anyhow::Result<Vec<Process>> {
    if Path::new("/proc/self/stat").exists() {
        from_proc()
    } else {
        from_ps()
    }
}

fn from_proc() -> anyhow::Result<Vec<Process>> {
    let folders = fs::read_dir("/proc").context("could not list /proc")?;
    let ids = folders.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    // A process that ended since is no error.
    Ok(ids.filter_map(read_proc).collect())
}

fn read_proc(id: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name stands in parentheses and may hold anything, so what follows the last one counts.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    if state == "Z" {
        return None;
    }
    let command = fs::read(format!("/proc/{id}/cmdline")).ok()?;
    let command = String::from_utf8_lossy(&command).replace('\0', " ");
    Some(Process {
        id,
        parent,
        command,
    })
}

fn from_ps() -> anyhow::Result<Vec<Process>> {
    let listing = Command::new("ps")
        .args(["-A", "-o", "pid=,ppid=,stat=,command="])
        .output()
        .context("could not start ps")?;
    let listing = String::from_utf8_lossy(&listing.stdout).into_owned();
    let read = |line: &str| {
        let mut fields = line.split_whitespace();
        let (id, parent) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let state = fields.next()?;
        let command = fields.collect::<Vec<_>>().join(" ");
        (!state.starts_with('Z')).then_some(Process {
            id,
            parent,
            command,
        })
    };
    Ok(listing.lines().filter_map(read).collect())
}

/// Sends a signal to a process by its id.
pub(crate) fn send(id: u32, signal: Signal) -> anyhow::Result<()> {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    let pid = pid.with_context(|| format!("{id} is no process id"))?;
    kill_process(pid, signal).with_context(|| format!("could not signal process {id}"))
}

// === impl Process ===

impl Process {
    /// Whether it still runs.
    ///
    /// # Errors
    /// When the system cannot be asked.
    pub fn runs(&self) -> anyhow::Result<bool> {
        Ok(all()?
            .iter()
            .any(|process| process.id == self.id && process.command == self.command))
    }

    /// Kills it.
    ///
    /// # Errors
    /// When it is gone already.
    pub fn kill(&self) -> anyhow::Result<()> {
        send(self.id, Signal::KILL)
    }
}
