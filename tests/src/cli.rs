//! The command line under test.

use std::{
    ffi::OsStr,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::key::KEY;
use crate::place::{binary, params_dir};

/// What a command did.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said of its work, or of what went wrong.
    pub stderr: String,
}

/// Runs `aureole` with arguments, against a node or none.
///
/// # Errors
/// When it cannot be started.
pub fn aureole<I>(url: Option<&str>, folder: &Path, arguments: I) -> anyhow::Result<Ran>
where
    I: IntoIterator,
    I::Item: AsRef<OsStr>,
{
    let mut command = Command::new(binary()?);
    command
        .args(arguments)
        .current_dir(folder)
        .env("AUREOLE_PARAMS_DIR", params_dir()?)
        .env("AUREOLE_KEY", KEY)
        .env_remove("AUREOLE_URL")
        .stdin(Stdio::null());
    if let Some(url) = url {
        command.env("AUREOLE_URL", url);
    }
    let output = command.output().context("could not start aureole")?;
    Ok(Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).context("the output is no UTF-8")?,
        stderr: String::from_utf8(output.stderr).context("the errors are no UTF-8")?,
    })
}

// === impl Ran ===

impl Ran {
    /// The output of a success.
    ///
    /// # Errors
    /// When it was none.
    pub fn text(self) -> anyhow::Result<String> {
        ensure!(
            self.code == Some(0),
            "aureole ended with {:?}: {}",
            self.code,
            self.stderr
        );
        Ok(self.stdout)
    }

    /// The one document that a success printed with `--output json`.
    ///
    /// # Errors
    /// When it was no success, or printed anything else.
    pub fn json(self) -> anyhow::Result<Value> {
        let text = self.text()?;
        serde_json::from_str(&text).with_context(|| format!("no JSON document: {text}"))
    }
}
