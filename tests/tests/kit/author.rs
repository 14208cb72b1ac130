//! An author at work: a folder, the program, and crates that `plugin new` begins.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use aureole_tests::{KEY, binary, cli::Ran, params_dir};
use serde_json::Value;

/// This checkout.
pub(crate) fn checkout() -> anyhow::Result<PathBuf> {
    Ok(fs::canonicalize(
        Path::new(env!("CARGO_MANIFEST_DIR")).join(".."),
    )?)
}

/// An author's folder and node.
#[derive(Debug)]
pub(crate) struct Author {
    folder: tempfile::TempDir,
    url: Option<String>,
}

impl Author {
    /// An author with an empty folder, who talks to a node or to none.
    pub(crate) fn new(url: Option<&str>) -> anyhow::Result<Self> {
        Ok(Self {
            folder: tempfile::Builder::new()
                .prefix("aureole-author-")
                .tempdir()?,
            url: url.map(str::to_owned),
        })
    }

    /// An author who has begun a plugin.
    pub(crate) fn of(name: &str, url: Option<&str>) -> anyhow::Result<Self> {
        let author = Self::new(url)?;
        author.run(&["plugin", "new", name])?.text()?;
        Ok(author)
    }

    /// The author's folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A program with the environment of an author's shell.
    pub(crate) fn program(&self, program: &Path) -> anyhow::Result<Command> {
        let binary = binary()?;
        let folder = binary.parent().context("the binary stands in a folder")?;
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .current_dir(self.path())
            .env("PATH", format!("{}:{path}", folder.display()))
            .env("AUREOLE_PARAMS_DIR", params_dir()?)
            .env("CARGO_TARGET_DIR", checkout()?.join("target/guest"))
            .env("AUREOLE_KEY", KEY)
            .env_remove("AUREOLE_URL")
            .stdin(Stdio::null());
        if let Some(url) = &self.url {
            command.env("AUREOLE_URL", url);
        }
        Ok(command)
    }

    /// Runs `aureole`.
    pub(crate) fn run(&self, arguments: &[&str]) -> anyhow::Result<Ran> {
        ran(self.program(&binary()?)?.args(arguments))
    }

    /// Runs `aureole --output json` and reads its document, of a failure as well.
    pub(crate) fn json(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let ran = self.run(&[&["--output", "json"], arguments].concat())?;
        serde_json::from_str(&ran.stdout)
            .with_context(|| format!("no JSON document: {} {}", ran.stdout, ran.stderr))
    }

    /// Replaces text in a file of the author's.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) -> anyhow::Result<()> {
        let path = self.path().join(file);
        let text = fs::read_to_string(&path)?;
        anyhow::ensure!(text.contains(from), "{file} has no `{from}`");
        Ok(fs::write(path, text.replacen(from, to, 1))?)
    }

    /// Writes a file of the author's.
    pub(crate) fn write(&self, file: &str, text: &str) -> anyhow::Result<()> {
        Ok(fs::write(self.path().join(file), text)?)
    }
}

/// Runs a command to its end.
pub(crate) fn ran(command: &mut Command) -> anyhow::Result<Ran> {
    let output = command
        .output()
        .with_context(|| format!("could not start {command:?}"))?;
    Ok(Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).context("the output is no UTF-8")?,
        stderr: String::from_utf8(output.stderr).context("the errors are no UTF-8")?,
    })
}
