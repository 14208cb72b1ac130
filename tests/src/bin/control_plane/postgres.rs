//! A private PostgreSQL server in a temporary folder, and the queue that people build on one.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use tokio_postgres::{NoTls, Statement};

use crate::Queue;

/// The queue. The index is what makes finding the oldest waiting row cheap.
const TABLE: &str = "
    CREATE TABLE tasks (
        id bigserial PRIMARY KEY,
        state smallint NOT NULL DEFAULT 0,
        circuit bytea NOT NULL,
        input bytea NOT NULL,
        worker text,
        proof bytea
    );
    CREATE INDEX waiting ON tasks (id) WHERE state = 0;
";

const SUBMIT: &str = "INSERT INTO tasks (circuit, input) VALUES ($1, $2)";

const LEASE: &str = "
    UPDATE tasks SET state = 1, worker = $1
    WHERE id = (SELECT id FROM tasks WHERE state = 0 ORDER BY id
                FOR UPDATE SKIP LOCKED LIMIT 1)
    RETURNING id";

const COMPLETE: &str = "UPDATE tasks SET state = 2, proof = $2 WHERE id = $1";

/// The server. Dropping it stops it.
pub(crate) struct Postgres {
    programs: PathBuf,
    dir: TempDir,
}

/// A connection.
#[derive(Clone)]
pub(crate) struct Client {
    connection: Arc<tokio_postgres::Client>,
    submit: Statement,
    lease: Statement,
    complete: Statement,
}

// === impl Postgres ===

impl Postgres {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let programs = programs()?;
        let dir = tempfile::tempdir()?;
        // The server does not run as root, and must get at its folder.
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777))?;
        let server = Self { programs, dir };
        let data = server.dir.path().join("data");
        run(server
            .program("initdb")
            .args(["-A", "trust", "-U", "postgres", "--no-sync", "-D"])
            .arg(&data))?;
        let options = format!(
            "-c listen_addresses= -c unix_socket_directories={} -c fsync=on \
             -c synchronous_commit=on -c shared_buffers=256MB",
            server.dir.path().display()
        );
        let log = server.dir.path().join("log");
        run(server
            .program("pg_ctl")
            .args(["-w", "-o", &options, "-l"])
            .arg(&log)
            .arg("-D")
            .arg(&data)
            .arg("start"))?;
        let (client, connection) = server.connect().await?;
        let connection = tokio::spawn(connection);
        client.batch_execute(TABLE).await?;
        drop(client);
        connection.await??;
        Ok(server)
    }

    /// A program of the server, not as root.
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
        command.current_dir(self.dir.path());
        command
    }

    async fn connect(
        &self,
    ) -> anyhow::Result<(
        tokio_postgres::Client,
        tokio_postgres::Connection<tokio_postgres::Socket, tokio_postgres::tls::NoTlsStream>,
    )> {
        let mut config = tokio_postgres::Config::new();
        config
            .host_path(self.dir.path())
            .user("postgres")
            .dbname("postgres");
        config
            .connect(NoTls)
            .await
            .context("PostgreSQL was started and takes no connection")
    }

    pub(crate) async fn client(&self) -> anyhow::Result<Client> {
        let (client, connection) = self.connect().await?;
        tokio::spawn(connection);
        Ok(Client {
            submit: client.prepare(SUBMIT).await?,
            lease: client.prepare(LEASE).await?,
            complete: client.prepare(COMPLETE).await?,
            connection: Arc::new(client),
        })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.dir.path().join("data");
        let stopped = run(self
            .program("pg_ctl")
            .args(["-w", "-m", "immediate", "-D"])
            .arg(data)
            .arg("stop"));
        if let Err(error) = stopped {
            eprintln!("the server was not stopped: {error:#}");
        }
    }
}

/// Finds the server's programs.
fn programs() -> anyhow::Result<PathBuf> {
    let debian = Path::new("/usr/lib/postgresql");
    let versions = debian.read_dir().into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.extend(std::env::split_paths(&path));
    found
        .into_iter()
        .find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
        .context(
            "no PostgreSQL server is installed; install one, for example with \
             `apt-get install postgresql`",
        )
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    // Not captured: the server keeps what it inherits.
    let ended = command
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("{command:?} does not start"))?;
    ensure!(ended.success(), "{command:?}: {ended}");
    Ok(())
}

impl Queue for Client {
    async fn one(&mut self) -> anyhow::Result<()> {
        let (circuit, digest): (&[u8], &[u8]) = (&[7; 16], &[9; 32]);
        self.connection
            .execute(&self.submit, &[&circuit, &digest])
            .await?;
        // Somebody else may have taken this client's task; then it takes another's.
        let leased = self.connection.query_opt(&self.lease, &[&"bench"]).await?;
        if let Some(row) = leased {
            let id: i64 = row.try_get(0)?;
            self.connection
                .execute(&self.complete, &[&id, &digest])
                .await?;
        }
        Ok(())
    }
}
