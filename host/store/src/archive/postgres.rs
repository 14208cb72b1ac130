//! A cluster's archive: PostgreSQL, which may be away for a while.
//!
//! Nothing here waits for long: a statement has a few seconds, and a server that keeps failing is
//! left alone by a circuit breaker until it has had time to come back. The schema is brought up to
//! date at the first contact, whenever that is.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use aureole_ledger::{Digest, TaskId};
use futures::TryStreamExt;
use recloser::{AsyncRecloser, Recloser};
use sqlx::Postgres;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::rows::{self, COLUMNS, stored_text, stored_time};
use super::{
    ActFilter, Archive, ArchiveError, ArchivePlace, ArchivedAct, ArchivedTask, Expiry, Page,
    TaskFilter, schema,
};
use crate::limits::{
    POSTGRES_BREAKER_CALLS, POSTGRES_BREAKER_WAIT, POSTGRES_CONNECTIONS, POSTGRES_PATIENCE,
    POSTGRES_SCAN_PATIENCE,
};

/// How to reach the database. Its `Debug` and `Display` forms leave the password out.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresConfig {
    /// `postgres://USER@HOST:PORT/DATABASE`, with `?sslmode=verify-full&sslrootcert=FILE` where the
    /// server is not on this machine.
    pub url: String,
    /// The password, if it is not in the address.
    pub password: Option<String>,
}

/// A handle to the database; clones share its connections.
#[derive(Clone)]
pub struct PostgresArchive {
    place: ArchivePlace,
    pool: PgPool,
    breaker: AsyncRecloser,
    /// Whether this process has seen the schema to be its own.
    prepared: Arc<AtomicBool>,
    preparing: Arc<Mutex<()>>,
}

// === impl PostgresArchive ===

impl PostgresArchive {
    /// Makes a handle, and brings the schema up to date if the server answers.
    ///
    /// # Errors
    /// [`ArchiveError::Address`]; [`ArchiveError::Migrate`] for a schema of a later program;
    /// [`ArchiveError::Open`] if the server refuses this user or database. A server that is away is
    /// no error.
    pub async fn open(config: &PostgresConfig) -> Result<Self, ArchiveError> {
        let archive = Self::lazy(config)?;
        match archive.ping().await {
            Err(error) if !error.is_outage() => Err(error),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(
                    error,
                    "the archive is not reached yet; history waits in the ledger"
                );
                Ok(archive)
            }
            Ok(()) => Ok(archive),
        }
    }

    fn lazy(config: &PostgresConfig) -> Result<Self, ArchiveError> {
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(POSTGRES_PATIENCE)
            // A connection may have died since; asking costs a round trip and saves an error.
            .test_before_acquire(true)
            .connect_lazy_with(options(config)?);
        let breaker = Recloser::custom()
            .error_rate(0.5)
            .closed_len(POSTGRES_BREAKER_CALLS)
            .half_open_len(1)
            .open_wait(POSTGRES_BREAKER_WAIT)
            .build();
        Ok(Self {
            place: ArchivePlace::Postgres(config.clone()),
            pool,
            breaker: breaker.into(),
            prepared: Arc::default(),
            preparing: Arc::default(),
        })
    }

    /// Does something with the database, unless it kept failing a moment ago.
    async fn ask<T>(
        &self,
        action: &'static str,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, ArchiveError> {
        let patience = POSTGRES_PATIENCE;
        let asked = async {
            let work = async {
                self.prepare().await?;
                work.await
                    .map_err(|source| ArchiveError::Query { action, source })
            };
            let late = |_| ArchiveError::Late { action, patience };
            timeout(patience, work).await.map_err(late)?
        };
        match self.breaker.call_with(ArchiveError::is_outage, asked).await {
            Ok(done) => Ok(done),
            Err(recloser::Error::Inner(error)) => Err(error),
            Err(recloser::Error::Rejected) => Err(ArchiveError::Resting { action }),
        }
    }

    /// Brings the schema up to date, once. Whoever goes away meanwhile does not stop it: a migration
    /// may take longer than anybody's patience.
    async fn prepare(&self) -> Result<(), ArchiveError> {
        if self.prepared.load(Ordering::Acquire) {
            return Ok(());
        }
        let turn = self.preparing.clone().lock_owned().await;
        if self.prepared.load(Ordering::Acquire) {
            return Ok(());
        }
        let (place, prepared) = (self.place.clone(), self.prepared.clone());
        let migrating = tokio::spawn(async move {
            let migrated = schema::migrate(&place).await;
            prepared.store(migrated.is_ok(), Ordering::Release);
            drop(turn);
            migrated
        });
        migrating.await.unwrap_or(Err(ArchiveError::Resting {
            action: "bring its schema up to date",
        }))
    }
}

#[async_trait]
impl Archive for PostgresArchive {
    async fn put_tasks(&self, tasks: &[ArchivedTask]) -> Result<(), ArchiveError> {
        let times = |time: fn(&ArchivedTask) -> u64| {
            let stored = tasks.iter().map(|task| stored_time(time(task)));
            stored.collect::<Result<Vec<i64>, _>>()
        };
        let texts = |text: fn(&ArchivedTask) -> String| tasks.iter().map(text).collect::<Vec<_>>();
        let optional = |text: fn(&ArchivedTask) -> Option<String>| {
            tasks.iter().map(text).collect::<Vec<Option<String>>>()
        };
        let statement = format!(
            "INSERT INTO tasks ({COLUMNS}) SELECT * FROM UNNEST($1::text[], $2::text[], \
             $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], \
             $9::bigint[], $10::text[]) ON CONFLICT (id) DO NOTHING"
        );
        let insert = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(texts(|task| task.id.to_string()))
            .bind(texts(|task| stored_text(&task.tenant)))
            .bind(texts(|task| stored_text(&task.kind)))
            .bind(texts(|task| stored_text(&task.plugin)))
            .bind(optional(|task| task.circuit.as_deref().map(stored_text)))
            .bind(texts(|task| stored_text(&task.state)))
            .bind(optional(|task| task.code.as_deref().map(stored_text)))
            .bind(times(|task| task.submitted_at_ms)?)
            .bind(times(|task| task.finished_at_ms)?)
            .bind(texts(|task| task.document.to_string()));
        let stored = insert.execute(&self.pool);
        self.ask("store tasks", stored).await.map(drop)
    }

    async fn task(&self, id: TaskId) -> Result<Option<ArchivedTask>, ArchiveError> {
        let row = sqlx::query("SELECT * FROM tasks WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.pool);
        let row = self.ask("read a task", row).await?;
        row.map(|row| rows::read(&row)).transpose()
    }

    async fn list(&self, filter: &TaskFilter) -> Result<Page, ArchiveError> {
        let mut query = rows::page_query::<Postgres>(filter)?;
        let found = query.build().fetch_all(&self.pool);
        let found = self.ask("list tasks", found).await?;
        rows::page(&found, filter)
    }

    async fn expire(&self, expiry: &Expiry, limit: u32) -> Result<u64, ArchiveError> {
        let mut query = rows::expire_query::<Postgres>(expiry, limit)?;
        let removed = query.build().execute(&self.pool);
        let removed = self.ask("remove tasks", removed).await?;
        Ok(removed.rows_affected())
    }

    async fn digests(&self) -> Result<Vec<Digest>, ArchiveError> {
        let action = "list its digests";
        // What the breaker guards is the contact; reading all of history takes longer than it may.
        self.ping().await?;
        let failed = |source| ArchiveError::Query { action, source };
        let read = async {
            let mut found = Vec::new();
            let mut transaction = self.pool.begin().await?;
            let unbounded = "SET LOCAL statement_timeout = 0";
            sqlx::query(unbounded).execute(&mut *transaction).await?;
            {
                let mut documents = sqlx::query_scalar::<_, String>("SELECT document FROM tasks")
                    .fetch(&mut *transaction);
                while let Some(document) = documents.try_next().await? {
                    found.extend(rows::digests_in(&document));
                }
            }
            transaction.commit().await?;
            Ok(found)
        };
        let patience = POSTGRES_SCAN_PATIENCE;
        let late = |_| ArchiveError::Late { action, patience };
        let found = timeout(patience, read).await.map_err(late)?;
        Ok(rows::each_once(found.map_err(failed)?))
    }

    async fn put_acts(&self, acts: &[ArchivedAct]) -> Result<(), ArchiveError> {
        let numbers = acts.iter().map(|act| stored_time(act.number));
        let insert = sqlx::query(
            "INSERT INTO acts (number, tenant, document) SELECT * FROM UNNEST($1::bigint[], \
             $2::text[], $3::text[]) ON CONFLICT (number) DO NOTHING",
        )
        .bind(numbers.collect::<Result<Vec<i64>, _>>()?)
        .bind(
            acts.iter()
                .map(|act| stored_text(&act.tenant))
                .collect::<Vec<_>>(),
        )
        .bind(
            acts.iter()
                .map(|act| act.document.to_string())
                .collect::<Vec<_>>(),
        );
        let stored = insert.execute(&self.pool);
        self.ask("store acts", stored).await.map(drop)
    }

    async fn acts(&self, filter: &ActFilter) -> Result<Vec<ArchivedAct>, ArchiveError> {
        let mut query = rows::acts_query::<Postgres>(filter);
        let found = query.build().fetch_all(&self.pool);
        let found = self.ask("list acts", found).await?;
        found.iter().map(rows::read_act).collect()
    }

    async fn ping(&self) -> Result<(), ArchiveError> {
        let asked = sqlx::query("SELECT 1 FROM tasks LIMIT 1").execute(&self.pool);
        self.ask("answer", asked).await.map(drop)
    }

    async fn close(&self) {
        // Connections to a server that does not answer are not waited for.
        if timeout(POSTGRES_PATIENCE, self.pool.close()).await.is_err() {
            tracing::warn!("the archive's connections were not closed in time");
        }
    }
}

impl fmt::Debug for PostgresArchive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresArchive({})", self.place)
    }
}

// === impl PostgresConfig ===

impl fmt::Display for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match options(self) {
            Ok(options) => write!(
                f,
                "{}:{}/{}",
                options.get_host(),
                options.get_port(),
                options.get_database().unwrap_or_default()
            ),
            Err(_) => f.write_str("an address that does not read"),
        }
    }
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresConfig({self})")
    }
}

// === impl ArchivePlace ===

impl fmt::Display for ArchivePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Postgres(config) => config.fmt(f),
        }
    }
}

/// How connections are made, wherever that is done.
pub(super) fn options(config: &PostgresConfig) -> Result<PgConnectOptions, ArchiveError> {
    let known = ["postgres://", "postgresql://"];
    if !known.iter().any(|scheme| config.url.starts_with(scheme)) {
        return Err(ArchiveError::Address);
    }
    let options: PgConnectOptions = config.url.parse().map_err(|_| ArchiveError::Address)?;
    let options = match &config.password {
        Some(password) => options.password(password),
        None => options,
    };
    let patience = POSTGRES_PATIENCE.as_millis();
    Ok(options.application_name("aureole").options([
        // What is answered is on disk, whatever this role or database is set to.
        ("synchronous_commit", "on".to_owned()),
        // A statement that nobody waits for any more holds no locks.
        ("statement_timeout", format!("{patience}ms")),
        (
            "idle_in_transaction_session_timeout",
            format!("{}ms", 2 * patience),
        ),
    ]))
}
