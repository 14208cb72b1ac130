//! A Redis server.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::child::{Server, folder_of, free_port};

/// How long it may take to answer a command.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running server. Dropped, it is killed and its folder removed.
#[derive(Debug)]
pub struct Redis {
    server: Server,
    programs: PathBuf,
    port: u16,
    /// After the server: fields are dropped in order.
    folder: TempDir,
}

// === impl Redis ===

impl Redis {
    /// Starts a server that writes everything down at once.
    ///
    /// # Errors
    /// When Redis is not installed or does not start.
    pub fn start() -> anyhow::Result<Self> {
        let server = Self {
            server: Server::default(),
            programs: folder_of("redis-server", [], "redis-server")?,
            port: free_port()?,
            folder: tempfile::Builder::new()
                .prefix("aureole-redis-")
                .tempdir()?,
        };
        server.restart()?;
        Ok(server)
    }

    /// Starts it again on its port and folder, after it was killed.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&self) -> anyhow::Result<()> {
        let command = || {
            let mut command = Command::new(self.programs.join("redis-server"));
            command
                .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
                .arg("--dir")
                .arg(self.folder.path())
                .args([
                    "--save",
                    "",
                    "--appendonly",
                    "yes",
                    "--appendfsync",
                    "always",
                ]);
            command
        };
        let log = self.folder.path().join("log");
        self.server
            .start(command, &log, || self.command(&["PING"]).is_ok())
    }

    /// Kills it as a power cut would.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.server.end(Signal::KILL)
    }

    /// Stops it dead (SIGSTOP): its sockets stay open and nothing answers.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.server.send(Signal::STOP)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.server.send(Signal::CONT)
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The folder of its files.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Sends it one command; returns the first line of its answer, and what a bulk string holds.
    ///
    /// # Errors
    /// When it does not answer, or with an error.
    pub fn command(&self, words: &[&str]) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        stream.write_all(request.as_bytes())?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let (kind, rest) = line.trim_end().split_at_checked(1).context("no answer")?;
        match kind {
            "-" => bail!("{words:?}: {rest}"),
            "$" if rest != "-1" => {
                let mut bytes = vec![0; rest.parse()?];
                reader.read_exact(&mut bytes)?;
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
            _ => Ok(rest.to_owned()),
        }
    }
}
