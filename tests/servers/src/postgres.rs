//! A PostgreSQL server.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyhow::{Context as _, ensure};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::child::{Server, folder_of, free_port};

static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A running server. Dropped, it is killed and its folder removed.
#[derive(Debug)]
pub struct Postgres {
    server: Server,
    programs: PathBuf,
    port: u16,
    /// After the server: fields are dropped in order.
    folder: TempDir,
}

// === impl Postgres ===

impl Postgres {
    /// The server that the tests of this process share while any of them holds it.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn shared() -> anyhow::Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Ok(server);
        }
        let server = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&server);
        Ok(server)
    }

    /// A server of one's own.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start() -> anyhow::Result<Self> {
        let debian = Path::new("/usr/lib/postgresql");
        let versions = debian.read_dir().into_iter().flatten().flatten();
        let mut installed: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
        installed.sort();
        installed.reverse();
        let programs = folder_of("initdb", installed, "postgresql")?;
        let folder = tempfile::Builder::new()
            .prefix("aureole-postgres-")
            .tempdir()?;
        // It does not run as root, and must get at its folder.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777))?;
        let server = Self {
            server: Server::default(),
            programs,
            port: free_port()?,
            folder,
        };
        let initdb = server
            .program("initdb")
            .args(["-A", "trust", "-U", "postgres", "-E", "UTF8"])
            .args(["--no-sync", "-D"])
            .arg(server.data_dir())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        ensure!(initdb.success(), "initdb: {initdb}");
        server.restart()?;
        Ok(server)
    }

    /// Starts it again on its port and folder, after it was killed or stopped.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&self) -> anyhow::Result<()> {
        let command = || {
            let mut command = self.program("postgres");
            command
                .arg("-D")
                .arg(self.data_dir())
                .args(["-p", &self.port.to_string()])
                .args(["-c", "listen_addresses=127.0.0.1"])
                .arg("-c")
                .arg(format!(
                    "unix_socket_directories={}",
                    self.folder.path().display()
                ))
                .args(["-c", "fsync=on", "-c", "max_connections=200"]);
            command
        };
        let log = self.folder.path().join("log");
        self.server.start(command, &log, || {
            let answer = self
                .program("pg_isready")
                .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
                .stdout(Stdio::null())
                .status();
            answer.is_ok_and(|status| status.success())
        })
    }

    /// Kills it as a power cut would.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.server.end(Signal::KILL)
    }

    /// A new database; says its address.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn database(&self) -> anyhow::Result<String> {
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let name = format!("history_{number}");
        self.client("createdb").arg(&name).output_of()?;
        Ok(format!(
            "postgres://postgres@127.0.0.1:{}/{name}",
            self.port
        ))
    }

    /// Runs a statement in a database and returns what it prints, without headers.
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn query(&self, url: &str, statement: &str) -> anyhow::Result<String> {
        let printed = self
            .client("psql")
            .args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement])
            .arg(name_in(url)?)
            .output_of()?;
        Ok(String::from_utf8(printed)?.trim().to_owned())
    }

    /// Everything in a database, as `pg_dump` writes it.
    ///
    /// # Errors
    /// When it cannot be dumped.
    pub fn dump(&self, url: &str) -> anyhow::Result<Vec<u8>> {
        self.client("pg_dump").arg(name_in(url)?).output_of()
    }

    /// The folder of its files, the write-ahead log among them.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder of its socket.
    #[must_use]
    pub fn socket_folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    fn client(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.args(["-h", "127.0.0.1", "-U", "postgres"]);
        command.args(["-p", &self.port.to_string()]);
        command
    }

    /// A program of the server, not as root. It takes the program's place: its id is the server's.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--init-groups"])
                .arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(self.folder.path());
        command
    }
}

fn name_in(url: &str) -> anyhow::Result<&str> {
    url.rsplit('/')
        .next()
        .context("the address names no database")
}

/// What a command printed, if it succeeded.
trait OutputOf {
    fn output_of(&mut self) -> anyhow::Result<Vec<u8>>;
}

// === impl Command ===

impl OutputOf for Command {
    fn output_of(&mut self) -> anyhow::Result<Vec<u8>> {
        let output = self.output().with_context(|| format!("{self:?}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "{self:?}: {}: {said}",
            output.status
        );
        Ok(output.stdout)
    }
}
