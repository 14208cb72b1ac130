//! A Prometheus server, and the tool that checks what one reads.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::child::{Server, folder_of, free_port};

/// Debian's package of both programs.
const PACKAGE: &str = "prometheus";

/// How long it may take to say whether it is ready.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running server. Dropped, it is killed and its folder removed.
#[derive(Debug)]
pub struct Prometheus {
    server: Server,
    port: u16,
    /// After the server: fields are dropped in order.
    folder: TempDir,
}

// === impl Prometheus ===

impl Prometheus {
    /// Starts a server with a configuration.
    ///
    /// # Errors
    /// When Prometheus is not installed or does not start, as with a configuration that is none.
    pub fn start(config: &str) -> anyhow::Result<Self> {
        let programs = folder_of("prometheus", [], PACKAGE)?;
        let server = Self {
            server: Server::default(),
            port: free_port()?,
            folder: tempfile::Builder::new()
                .prefix("aureole-prometheus-")
                .tempdir()?,
        };
        let file = |name: &str| server.folder.path().join(name);
        std::fs::write(file("prometheus.yml"), config)?;
        let command = || {
            let mut command = Command::new(programs.join("prometheus"));
            command
                .arg(format!(
                    "--config.file={}",
                    file("prometheus.yml").display()
                ))
                .arg(format!("--storage.tsdb.path={}", file("data").display()))
                .arg(format!("--web.listen-address=127.0.0.1:{}", server.port))
                .arg("--log.level=warn");
            command
        };
        let ready = || server.is_ready().unwrap_or(false);
        server.server.start(command, &file("log"), ready)?;
        Ok(server)
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn is_ready(&self) -> anyhow::Result<bool> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /-/ready HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.split_whitespace().nth(1);
        Ok(status == Some("200"))
    }
}

/// `promtool`, which checks configurations, rules and pages.
///
/// # Errors
/// When it is not installed.
pub fn promtool() -> anyhow::Result<Command> {
    let folder: PathBuf = folder_of("promtool", [], PACKAGE)?;
    Ok(Command::new(folder.join("promtool")))
}
