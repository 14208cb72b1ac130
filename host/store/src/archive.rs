//! The archive: finished tasks, kept for search after the ledger has forgotten them.
//!
//! SQLite in WAL mode with full syncing: when `put_tasks` returns, the tasks are on disk, and the
//! ledger may forget them. Putting a task again changes nothing, for a finished task never
//! changes. Pages go from the newest to the oldest by a cursor that stays valid while tasks are
//! added.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use aureole_ledger::{Digest, TaskId};
use futures::TryStreamExt;
use serde_json::Value;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{QueryBuilder, Row, Sqlite};

use crate::limits::{ARCHIVE_BUSY_TIMEOUT, ARCHIVE_CONNECTIONS, ARCHIVE_PAGE_MAX};

/// A handle to the archive; clones share it.
#[derive(Clone, Debug)]
pub struct Archive {
    pool: SqlitePool,
}

/// A finished task.
#[derive(Clone, Debug, PartialEq)]
pub struct ArchivedTask {
    /// Its id.
    pub id: TaskId,
    /// What it did: `prove`, `inspect_plugin` or `prepare_circuit`.
    pub kind: String,
    /// The plugin's name.
    pub plugin: String,
    /// The circuit's id, if it had one.
    pub circuit: Option<String>,
    /// How it ended: `done`, `failed` or `cancelled`.
    pub state: String,
    /// The stable code of its problem, if it failed.
    pub code: Option<String>,
    /// When it was submitted, milliseconds since 1970.
    pub submitted_at_ms: u64,
    /// When it ended, milliseconds since 1970.
    pub finished_at_ms: u64,
    /// What the API shows of it. Never an input.
    pub document: Value,
}

/// Which tasks a page shows.
#[derive(Clone, Debug, Default)]
pub struct TaskFilter {
    /// Only those that ended so.
    pub state: Option<String>,
    /// Only those of this plugin.
    pub plugin: Option<String>,
    /// Only those after this place: the `next` of the page before.
    pub after: Option<Cursor>,
    /// How many; 1 to [`ARCHIVE_PAGE_MAX`], and taken as such when outside.
    pub limit: u32,
}

/// A place in the order of pages. Its text form is opaque to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When the last task shown was submitted.
    pub submitted_at_ms: u64,
    /// Its id.
    pub id: TaskId,
}

/// A run of tasks, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The tasks.
    pub tasks: Vec<ArchivedTask>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<Cursor>,
}

/// Why the archive did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The file could not be opened or brought to the current schema.
    #[error("the archive at {path} could not be opened")]
    Open {
        /// The file.
        path: String,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// The file's schema could not be brought up to date.
    #[error("the archive's schema could not be brought up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// A statement failed.
    #[error("the archive could not {action}")]
    Query {
        /// What was being done.
        action: &'static str,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// A row does not hold what this version writes.
    #[error("the archive's row of task {id} has an unreadable {column}")]
    BadRow {
        /// The row's id as it stands.
        id: String,
        /// The column.
        column: &'static str,
    },
    /// A time does not fit SQLite's integers.
    #[error("{ms} ms is no time the archive can store")]
    BadTime {
        /// The time.
        ms: u64,
    },
    /// The text is no cursor of ours.
    #[error("not a cursor: take the one that the page before gave")]
    BadCursor,
}

// === impl Archive ===

impl Archive {
    /// Opens the archive's file, creating it if needed, and brings its schema up to date.
    ///
    /// # Errors
    /// [`ArchiveError::Open`], [`ArchiveError::Migrate`].
    pub async fn open(path: &Path) -> Result<Self, ArchiveError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL may lose the last commits at a power cut, and the ledger has forgotten them.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(ARCHIVE_BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new()
            .max_connections(ARCHIVE_CONNECTIONS)
            .connect_with(options)
            .await
            .map_err(|source| ArchiveError::Open {
                path: path.display().to_string(),
                source,
            })?;
        sqlx::migrate!("../../migrations/sqlite")
            .run(&pool)
            .await
            .map_err(ArchiveError::Migrate)?;
        Ok(Self { pool })
    }

    /// Stores finished tasks, all or none; those that are there already stay as they are.
    ///
    /// # Errors
    /// [`ArchiveError::Query`], [`ArchiveError::BadTime`].
    pub async fn put_tasks(&self, tasks: &[ArchivedTask]) -> Result<(), ArchiveError> {
        let failed = |source| ArchiveError::Query {
            action: "store tasks",
            source,
        };
        let mut transaction = self.pool.begin().await.map_err(failed)?;
        for task in tasks {
            sqlx::query(
                "INSERT INTO tasks (id, kind, plugin, circuit, state, code, submitted_at_ms, \
                 finished_at_ms, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) \
                 ON CONFLICT (id) DO NOTHING",
            )
            .bind(task.id.to_string())
            .bind(&task.kind)
            .bind(&task.plugin)
            .bind(&task.circuit)
            .bind(&task.state)
            .bind(&task.code)
            .bind(stored_time(task.submitted_at_ms)?)
            .bind(stored_time(task.finished_at_ms)?)
            .bind(task.document.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// A finished task.
    ///
    /// # Errors
    /// [`ArchiveError::Query`], [`ArchiveError::BadRow`].
    pub async fn task(&self, id: TaskId) -> Result<Option<ArchivedTask>, ArchiveError> {
        sqlx::query("SELECT * FROM tasks WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(|source| ArchiveError::Query {
                action: "read a task",
                source,
            })?
            .map(|row| read(&row))
            .transpose()
    }

    /// A page of finished tasks, newest first.
    ///
    /// # Errors
    /// [`ArchiveError::Query`], [`ArchiveError::BadRow`].
    pub async fn list(&self, filter: &TaskFilter) -> Result<Page, ArchiveError> {
        let limit = filter.limit.clamp(1, ARCHIVE_PAGE_MAX);
        let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM tasks WHERE TRUE");
        if let Some(state) = &filter.state {
            query.push(" AND state = ").push_bind(state.clone());
        }
        if let Some(plugin) = &filter.plugin {
            query.push(" AND plugin = ").push_bind(plugin.clone());
        }
        if let Some(after) = &filter.after {
            query
                .push(" AND (submitted_at_ms, id) < (")
                .push_bind(stored_time(after.submitted_at_ms)?)
                .push(", ")
                .push_bind(after.id.to_string())
                .push(")");
        }
        // One more than asked for tells whether there is a next page.
        query
            .push(" ORDER BY submitted_at_ms DESC, id DESC LIMIT ")
            .push_bind(i64::from(limit) + 1);
        let rows = query
            .build()
            .fetch_all(&self.pool)
            .await
            .map_err(|source| ArchiveError::Query {
                action: "list tasks",
                source,
            })?;
        let mut tasks = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let more = tasks.len() > limit as usize;
        tasks.truncate(limit as usize);
        let next = tasks.last().filter(|_| more).map(|task| Cursor {
            submitted_at_ms: task.submitted_at_ms,
            id: task.id,
        });
        Ok(Page { tasks, next })
    }

    /// Every digest that a stored document names: the blobs that history shows, and perhaps other
    /// things of the same form. Reads the whole archive.
    ///
    /// # Errors
    /// [`ArchiveError::Query`].
    pub async fn digests(&self) -> Result<Vec<Digest>, ArchiveError> {
        let mut rows =
            sqlx::query_scalar::<_, String>("SELECT document FROM tasks").fetch(&self.pool);
        let mut found = Vec::new();
        let failed = |source| ArchiveError::Query {
            action: "list its digests",
            source,
        };
        while let Some(document) = rows.try_next().await.map_err(failed)? {
            let words = document.split(|c: char| !c.is_ascii_hexdigit());
            found.extend(words.filter_map(|word| word.parse::<Digest>().ok()));
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Closes the file; what was put before is on disk already.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn read(row: &SqliteRow) -> Result<ArchivedTask, ArchiveError> {
    let id: String = row.try_get("id").map_err(|_| ArchiveError::BadRow {
        id: "(unreadable)".to_owned(),
        column: "id",
    })?;
    let bad = |column| ArchiveError::BadRow {
        id: id.clone(),
        column,
    };
    let text = |column| row.try_get::<String, _>(column).map_err(|_| bad(column));
    let optional = |column| {
        row.try_get::<Option<String>, _>(column)
            .map_err(|_| bad(column))
    };
    let time = |column| {
        let stored: i64 = row.try_get(column).map_err(|_| bad(column))?;
        u64::try_from(stored).map_err(|_| bad(column))
    };
    Ok(ArchivedTask {
        id: TaskId::from_str(&id).map_err(|_| bad("id"))?,
        kind: text("kind")?,
        plugin: text("plugin")?,
        circuit: optional("circuit")?,
        state: text("state")?,
        code: optional("code")?,
        submitted_at_ms: time("submitted_at_ms")?,
        finished_at_ms: time("finished_at_ms")?,
        document: serde_json::from_str(&text("document")?).map_err(|_| bad("document"))?,
    })
}

fn stored_time(ms: u64) -> Result<i64, ArchiveError> {
    i64::try_from(ms).map_err(|_| ArchiveError::BadTime { ms })
}

// === impl Cursor ===

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.submitted_at_ms, self.id)
    }
}

impl FromStr for Cursor {
    type Err = ArchiveError;

    fn from_str(text: &str) -> Result<Self, ArchiveError> {
        let (time, id) = text.split_once('.').ok_or(ArchiveError::BadCursor)?;
        Ok(Self {
            submitted_at_ms: time.parse().map_err(|_| ArchiveError::BadCursor)?,
            id: id.parse().map_err(|_| ArchiveError::BadCursor)?,
        })
    }
}
