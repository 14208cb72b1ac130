//! A private PostgreSQL server in a temporary folder, and the queue that people build on one.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use aureole_ledger::limits::FORGET_MAX;
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

/// What a keeper does with rows that have ended, as many at a time as the ledger forgets.
const FORGET: &str = "DELETE FROM tasks WHERE id = ANY($1)";

/// The server. Dropping it stops it.
pub(crate) struct Postgres {
    server: aureole_servers::Postgres,
    ended: Arc<Mutex<Vec<i64>>>,
}

/// A connection.
#[derive(Clone)]
pub(crate) struct Client {
    connection: Arc<tokio_postgres::Client>,
    submit: Statement,
    lease: Statement,
    complete: Statement,
    forget: Statement,
    /// Rows of all clients that have ended, and are not deleted yet.
    ended: Arc<Mutex<Vec<i64>>>,
}

// === impl Postgres ===

impl Postgres {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let server = Self {
            server: aureole_servers::Postgres::start()?,
            ended: Arc::default(),
        };
        let (client, connection) = server.connect().await?;
        let connection = tokio::spawn(connection);
        client.batch_execute(TABLE).await?;
        drop(client);
        connection.await??;
        Ok(server)
    }

    /// Connects by its socket, which is the shortest way.
    async fn connect(
        &self,
    ) -> anyhow::Result<(
        tokio_postgres::Client,
        tokio_postgres::Connection<tokio_postgres::Socket, tokio_postgres::tls::NoTlsStream>,
    )> {
        let mut config = tokio_postgres::Config::new();
        config
            .host_path(self.server.socket_folder())
            .port(self.server.port())
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
            forget: client.prepare(FORGET).await?,
            ended: Arc::clone(&self.ended),
            connection: Arc::new(client),
        })
    }
}

// === impl Client ===

impl Client {
    /// Notes a row that has ended; returns those that a keeper would have deleted by now.
    fn archived(&self, row: i64) -> Option<Vec<i64>> {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.push(row);
        (ended.len() >= FORGET_MAX).then(|| std::mem::take(&mut *ended))
    }
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
            if let Some(rows) = self.archived(id) {
                self.connection.execute(&self.forget, &[&rows]).await?;
            }
        }
        Ok(())
    }
}
