//! A private PostgreSQL server in a temporary folder, and the queue that people build on one.

use std::sync::Arc;

use anyhow::Context as _;
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
pub(crate) struct Postgres(aureole_servers::Postgres);

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
        let server = Self(aureole_servers::Postgres::start()?);
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
            .host_path(self.0.socket_folder())
            .port(self.0.port())
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
