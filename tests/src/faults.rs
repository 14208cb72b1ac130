//! A node's disk and clock gone wrong: slow or failing syncs, no room, another time.
//!
//! A small library stands between the node and the C library (`LD_PRELOAD`): it needs no root, no
//! special file system and no word of it in the product. It is compiled from `faults/shim.c` with
//! the C compiler that Rust links with. Faults begin and end while the node runs, and are counted
//! where they happen. Linux only.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::place::target_dir;

const SOURCE: &str = include_str!("faults/shim.c");

/// The variable in which the library finds its control file.
const VARIABLE: &str = "AUREOLE_FAULTS_FILE";

/// Numbers of eight bytes in the control file: four orders, four counts.
const NUMBERS: usize = 8;

/// One node's faults: none at first.
#[derive(Debug)]
pub struct Faults {
    path: PathBuf,
    control: File,
}

/// How often each fault has really happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Happened {
    /// Syncs that took longer.
    pub syncs_delayed: u64,
    /// Syncs that failed.
    pub syncs_failed: u64,
    /// Writes that found no room.
    pub writes_failed: u64,
    /// Looks at the clock that showed another time.
    pub clocks_shifted: u64,
}

/// The orders, by their places in the control file.
#[derive(Clone, Copy)]
enum Order {
    SyncDelay = 0,
    SyncError = 1,
    WriteError = 2,
    ClockOffset = 3,
}

// === impl Faults ===

impl Faults {
    /// Makes a control file in this folder, with no fault in it.
    ///
    /// # Errors
    /// When the library cannot be built, with what is missing.
    pub fn new(folder: &Path) -> anyhow::Result<Self> {
        library()?;
        let path = folder.join("faults");
        fs::write(&path, [0; NUMBERS * 8])?;
        let control = OpenOptions::new().read(true).write(true).open(&path)?;
        Ok(Self { path, control })
    }

    /// Puts the library between a program and the system.
    ///
    /// # Errors
    /// When the library is not there.
    pub fn apply_to(&self, command: &mut Command) -> anyhow::Result<()> {
        command
            .env("LD_PRELOAD", library()?)
            .env(VARIABLE, &self.path);
        Ok(())
    }

    /// From now on every sync takes this much longer.
    ///
    /// # Errors
    /// When the control file cannot be written; so with the others.
    pub fn slow_disk(&self, by: Duration) -> anyhow::Result<()> {
        self.order(Order::SyncDelay, i64::try_from(by.as_micros())?)
    }

    /// From now on every sync fails with an input/output error.
    ///
    /// # Errors
    /// See [`Faults::slow_disk`].
    pub fn failing_disk(&self) -> anyhow::Result<()> {
        self.order(
            Order::SyncError,
            rustix::io::Errno::IO.raw_os_error().into(),
        )
    }

    /// From now on no file can be written to.
    ///
    /// # Errors
    /// See [`Faults::slow_disk`].
    pub fn full_disk(&self) -> anyhow::Result<()> {
        let full = rustix::io::Errno::NOSPC.raw_os_error();
        self.order(Order::WriteError, full.into())
    }

    /// From now on the wall clock shows another time, by so many milliseconds.
    ///
    /// # Errors
    /// See [`Faults::slow_disk`].
    pub fn shift_clock(&self, by_ms: i64) -> anyhow::Result<()> {
        self.order(Order::ClockOffset, by_ms)
    }

    /// Ends all faults; what happened stays counted.
    ///
    /// # Errors
    /// See [`Faults::slow_disk`].
    pub fn heal(&self) -> anyhow::Result<()> {
        for order in [
            Order::SyncDelay,
            Order::SyncError,
            Order::WriteError,
            Order::ClockOffset,
        ] {
            self.order(order, 0)?;
        }
        Ok(())
    }

    /// How often each fault has happened.
    ///
    /// # Errors
    /// When the control file cannot be read.
    pub fn happened(&self) -> anyhow::Result<Happened> {
        let mut bytes = [0; NUMBERS * 8];
        self.control.read_exact_at(&mut bytes, 0)?;
        let mut numbers = bytes
            .as_chunks::<8>()
            .0
            .iter()
            .skip(NUMBERS / 2)
            .map(|number| u64::from_ne_bytes(*number));
        let mut next = || numbers.next().unwrap_or_default();
        Ok(Happened {
            syncs_delayed: next(),
            syncs_failed: next(),
            writes_failed: next(),
            clocks_shifted: next(),
        })
    }

    fn order(&self, order: Order, number: i64) -> anyhow::Result<()> {
        let at = order as u64 * 8;
        self.control.write_all_at(&number.to_ne_bytes(), at)?;
        Ok(())
    }
}

// === impl Happened ===

impl Happened {
    /// Syncs and writes that failed: what a coordinator may end by itself over.
    #[must_use]
    pub const fn refusals(&self) -> u64 {
        self.syncs_failed + self.writes_failed
    }
}

/// The library, compiled by the first test that asks.
fn library() -> anyhow::Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    built.clone().map_err(anyhow::Error::msg)
}

fn build() -> anyhow::Result<PathBuf> {
    if !cfg!(target_os = "linux") {
        bail!("faults of disk and clock need Linux: they are injected with LD_PRELOAD");
    }
    let folder = target_dir()?.join("faults");
    fs::create_dir_all(&folder)?;
    let source = folder.join("shim.c");
    fs::write(&source, SOURCE)?;
    // Built aside and renamed: other test processes build it at the same time.
    let made = folder.join(format!("shim-{}.so", std::process::id()));
    let library = folder.join("shim.so");
    let output = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&made)
        .arg(&source)
        .arg("-ldl")
        .output()
        .context("could not start cc; Rust needs it too: install gcc or clang")?;
    ensure!(
        output.status.success(),
        "cc could not build the faults: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::rename(&made, &library)?;
    Ok(library)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    //! The faults reach a real program, are counted there, and end.

    use super::{Faults, Happened};
    use std::process::{Command, Output};
    use std::time::{Duration, Instant};

    fn dd(faults: &Faults, file: &std::path::Path) -> anyhow::Result<Output> {
        let mut command = Command::new("dd");
        command
            .args(["if=/dev/zero", "bs=512", "count=2", "conv=fsync"])
            .arg(format!("of={}", file.display()));
        faults.apply_to(&mut command)?;
        Ok(command.output()?)
    }

    #[test]
    fn a_disk_is_full_failing_slow_and_whole_again() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let faults = Faults::new(folder.path())?;
        let file = folder.path().join("file");
        faults.failing_disk()?;
        assert!(!dd(&faults, &file)?.status.success());
        assert_eq!(faults.happened()?.syncs_failed, 1);
        faults.heal()?;
        faults.slow_disk(Duration::from_millis(300))?;
        let start = Instant::now();
        assert!(dd(&faults, &file)?.status.success());
        assert!(start.elapsed() >= Duration::from_millis(300));
        assert_eq!(faults.happened()?.syncs_delayed, 1);
        faults.heal()?;
        assert!(dd(&faults, &file)?.status.success());
        Ok(())
    }

    #[test]
    fn a_clock_shows_another_time() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let faults = Faults::new(folder.path())?;
        faults.shift_clock(-7_200_000)?;
        let mut command = Command::new("date");
        command.arg("+%s");
        let right: i64 = String::from_utf8(command.output()?.stdout)?
            .trim()
            .parse()?;
        faults.apply_to(&mut command)?;
        let wrong: i64 = String::from_utf8(command.output()?.stdout)?
            .trim()
            .parse()?;
        assert!((right - wrong - 7_200).abs() <= 1, "{right} and {wrong}");
        assert!(faults.happened()?.clocks_shifted >= 1);
        assert_eq!(
            faults.happened()?.writes_failed,
            Happened::default().writes_failed
        );
        Ok(())
    }
}
