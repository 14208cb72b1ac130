//! The embedded archive: a SQLite file in WAL mode with full syncing.

use std::path::Path;

use async_trait::async_trait;
use aureole_ledger::{Digest, TaskId};
use futures::TryStreamExt;
use sqlx::Sqlite;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::rows::{self, COLUMNS, stored_text, stored_time};
use super::{
    ActFilter, Archive, ArchiveError, ArchivedAct, ArchivedTask, Expiry, Page, TaskFilter, schema,
};
use crate::limits::{ARCHIVE_BUSY_TIMEOUT, ARCHIVE_CONNECTIONS};

/// A handle to the file; clones share it.
#[derive(Clone, Debug)]
pub struct SqliteArchive {
    pool: SqlitePool,
}

// === impl SqliteArchive ===

impl SqliteArchive {
    /// Opens the archive's file, creating it if needed, and brings its schema up to date.
    ///
    /// # Errors
    /// [`ArchiveError::Open`], [`ArchiveError::Migrate`].
    pub async fn open(path: &Path) -> Result<Self, ArchiveError> {
        let pool = SqlitePoolOptions::new()
            .max_connections(ARCHIVE_CONNECTIONS)
            .connect_with(options(path).create_if_missing(true))
            .await
            .map_err(|source| ArchiveError::Open {
                place: path.display().to_string(),
                source,
            })?;
        schema::SQLITE
            .run(&pool)
            .await
            .map_err(ArchiveError::Migrate)?;
        Ok(Self { pool })
    }
}

#[async_trait]
impl Archive for SqliteArchive {
    async fn put_tasks(&self, tasks: &[ArchivedTask]) -> Result<(), ArchiveError> {
        let failed = |source| failed("store tasks", source);
        let statement = format!(
            "INSERT INTO tasks ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (id) DO NOTHING"
        );
        let mut transaction = self.pool.begin().await.map_err(failed)?;
        for task in tasks {
            sqlx::query(sqlx::AssertSqlSafe(statement.as_str()))
                .bind(task.id.to_string())
                .bind(stored_text(&task.tenant))
                .bind(stored_text(&task.kind))
                .bind(stored_text(&task.plugin))
                .bind(task.circuit.as_deref().map(stored_text))
                .bind(stored_text(&task.state))
                .bind(task.code.as_deref().map(stored_text))
                .bind(stored_time(task.submitted_at_ms)?)
                .bind(stored_time(task.finished_at_ms)?)
                .bind(task.document.to_string())
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    async fn task(&self, id: TaskId) -> Result<Option<ArchivedTask>, ArchiveError> {
        let row = sqlx::query("SELECT * FROM tasks WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(|source| failed("read a task", source))?;
        row.map(|row| rows::read(&row)).transpose()
    }

    async fn list(&self, filter: &TaskFilter) -> Result<Page, ArchiveError> {
        let found = rows::page_query::<Sqlite>(filter)?
            .build()
            .fetch_all(&self.pool)
            .await
            .map_err(|source| failed("list tasks", source))?;
        rows::page(&found, filter)
    }

    async fn expire(&self, expiry: &Expiry, limit: u32) -> Result<u64, ArchiveError> {
        let removed = rows::expire_query::<Sqlite>(expiry, limit)?
            .build()
            .execute(&self.pool)
            .await
            .map_err(|source| failed("remove tasks", source))?;
        Ok(removed.rows_affected())
    }

    async fn digests(&self) -> Result<Vec<Digest>, ArchiveError> {
        let mut documents =
            sqlx::query_scalar::<_, String>("SELECT document FROM tasks").fetch(&self.pool);
        let mut found = Vec::new();
        let failed = |source| failed("list its digests", source);
        while let Some(document) = documents.try_next().await.map_err(failed)? {
            found.extend(rows::digests_in(&document));
        }
        Ok(rows::each_once(found))
    }

    async fn put_acts(&self, acts: &[ArchivedAct]) -> Result<(), ArchiveError> {
        let failed = |source| failed("store acts", source);
        let mut transaction = self.pool.begin().await.map_err(failed)?;
        for act in acts {
            sqlx::query(
                "INSERT INTO acts (number, tenant, document) VALUES (?, ?, ?) \
                 ON CONFLICT (number) DO NOTHING",
            )
            .bind(stored_time(act.number)?)
            .bind(stored_text(&act.tenant))
            .bind(act.document.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    async fn acts(&self, filter: &ActFilter) -> Result<Vec<ArchivedAct>, ArchiveError> {
        let found = rows::acts_query::<Sqlite>(filter)
            .build()
            .fetch_all(&self.pool)
            .await
            .map_err(|source| failed("list acts", source))?;
        found.iter().map(rows::read_act).collect()
    }

    async fn ping(&self) -> Result<(), ArchiveError> {
        let asked = sqlx::query("SELECT 1 FROM tasks LIMIT 1").execute(&self.pool);
        asked
            .await
            .map(drop)
            .map_err(|source| failed("answer", source))
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

/// How the file is opened, wherever that is done.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // NORMAL may lose the last commits at a power cut, and the ledger has forgotten them.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(ARCHIVE_BUSY_TIMEOUT)
}

fn failed(action: &'static str, source: sqlx::Error) -> ArchiveError {
    ArchiveError::Query { action, source }
}
