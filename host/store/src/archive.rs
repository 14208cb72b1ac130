//! The archive: finished tasks, kept for search after the ledger has forgotten them.
//!
//! Beside them stand the administrative acts that it has forgotten.
//!
//! One trait, two databases: SQLite in the data folder of a node on its own, PostgreSQL for a
//! cluster. When `put_tasks` returns, the tasks are on disk, and the ledger may forget them. Putting
//! a task again changes nothing, for a finished task never changes. Pages go by the time of submission,
//! with a cursor that stays valid while tasks are added and removed.

mod postgres;
mod retention;
mod rows;
mod schema;
mod sqlite;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aureole_ledger::{Digest, TaskId};
use serde_json::Value;

pub use postgres::{PostgresArchive, PostgresConfig};
pub use retention::{Expiry, Retention};
pub use schema::{SchemaStep, migrate, schema_steps};
pub use sqlite::SqliteArchive;

/// An archive that several parts of a process share.
pub type SharedArchive = Arc<dyn Archive>;

/// Keeps finished tasks.
///
/// Obligations of an implementation:
/// - what [`put_tasks`](Archive::put_tasks) answered is on disk and survives a kill and a power cut;
/// - all tasks of one call are stored or none; a task that is there stays as it is;
/// - every call answers within a few seconds, whatever became of the database;
/// - an error tells by [`ArchiveError::is_outage`] whether trying again later may help.
#[async_trait]
pub trait Archive: Send + Sync + fmt::Debug + 'static {
    /// Stores finished tasks, all or none; those that are there already stay as they are.
    async fn put_tasks(&self, tasks: &[ArchivedTask]) -> Result<(), ArchiveError>;

    /// A finished task.
    async fn task(&self, id: TaskId) -> Result<Option<ArchivedTask>, ArchiveError>;

    /// A page of finished tasks, in the order that the filter says.
    async fn list(&self, filter: &TaskFilter) -> Result<Page, ArchiveError>;

    /// Removes at most `limit` tasks that are past their time, the oldest first; says how many.
    async fn expire(&self, expiry: &Expiry, limit: u32) -> Result<u64, ArchiveError>;

    /// Every digest that a stored document names: the blobs that history shows, and perhaps other
    /// things of the same form. Reads the whole archive.
    async fn digests(&self) -> Result<Vec<Digest>, ArchiveError>;

    /// Stores administrative acts, all or none; those that are there already stay as they are.
    async fn put_acts(&self, acts: &[ArchivedAct]) -> Result<(), ArchiveError>;

    /// A page of administrative acts, newest first.
    async fn acts(&self, filter: &ActFilter) -> Result<Vec<ArchivedAct>, ArchiveError>;

    /// Whether the database answers now.
    async fn ping(&self) -> Result<(), ArchiveError>;

    /// Closes the connections; what was put before is on disk already.
    async fn close(&self);
}

/// Where an archive is.
#[derive(Clone, Debug)]
pub enum ArchivePlace {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL database.
    Postgres(PostgresConfig),
}

/// A finished task.
#[derive(Clone, Debug, PartialEq)]
pub struct ArchivedTask {
    /// Its id.
    pub id: TaskId,
    /// Whose it is.
    pub tenant: String,
    /// What it did: `prove`, `inspect` or `prepare`.
    pub kind: String,
    /// The digest of the plugin's component.
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

/// An administrative act.
#[derive(Clone, Debug, PartialEq)]
pub struct ArchivedAct {
    /// Its place in the trail.
    pub number: u64,
    /// Whom it concerns.
    pub tenant: String,
    /// What the API shows of it.
    pub document: Value,
}

/// Which acts a page shows; all conditions hold together.
#[derive(Clone, Debug, Default)]
pub struct ActFilter {
    /// Only those that concern this tenant.
    pub tenant: Option<String>,
    /// Only those before this number.
    pub before: Option<u64>,
    /// How many; 1 to [`ARCHIVE_PAGE_MAX`](crate::ARCHIVE_PAGE_MAX), and taken as such when outside.
    pub limit: u32,
}

/// Which tasks a page shows; all conditions hold together.
#[derive(Clone, Debug, Default)]
pub struct TaskFilter {
    /// Only those of this tenant.
    pub tenant: Option<String>,
    /// Only those that did this.
    pub kind: Option<String>,
    /// Only those that ended so.
    pub state: Option<String>,
    /// Only those of this plugin.
    pub plugin: Option<String>,
    /// Only those of this circuit.
    pub circuit: Option<String>,
    /// Only those that failed with this code.
    pub code: Option<String>,
    /// Only those submitted at this time or later, milliseconds since 1970.
    pub since_ms: Option<u64>,
    /// Only those submitted before this time, milliseconds since 1970.
    pub until_ms: Option<u64>,
    /// Whether pages go from the oldest to the newest, and not as else from the newest to the oldest.
    pub oldest_first: bool,
    /// Only those after this place, in the order of the pages: the `next` of the page before.
    pub after: Option<Cursor>,
    /// How many; 1 to [`ARCHIVE_PAGE_MAX`](crate::ARCHIVE_PAGE_MAX), and taken as such when outside.
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

/// A run of tasks.
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
    /// The database could not be opened.
    #[error("the archive at {place} could not be opened")]
    Open {
        /// The file, or the server without its password.
        place: String,
        /// What the database said.
        source: sqlx::Error,
    },
    /// The address of the database does not read. Its text is not shown: it may hold a password.
    #[error("the archive's address is no postgres://USER@HOST:PORT/DATABASE")]
    Address,
    /// The schema could not be brought up to date.
    #[error("the archive's schema could not be brought up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// A statement failed.
    #[error("the archive could not {action}")]
    Query {
        /// What was being done.
        action: &'static str,
        /// What the database said.
        source: sqlx::Error,
    },
    /// The database did not answer in time.
    #[error("the archive did not {action} within {} ms", .patience.as_millis())]
    Late {
        /// What was being done.
        action: &'static str,
        /// How long it was waited for.
        patience: Duration,
    },
    /// The database kept failing and is left alone for a moment.
    #[error("the archive was not asked to {action}: it kept failing a moment ago")]
    Resting {
        /// What was to be done.
        action: &'static str,
    },
    /// A row does not hold what this version writes.
    #[error("the archive's row of task {id} has an unreadable {column}")]
    BadRow {
        /// The row's id as it stands.
        id: String,
        /// The column.
        column: &'static str,
    },
    /// A time does not fit the database's integers.
    #[error("{ms} ms is no time the archive can store")]
    BadTime {
        /// The time.
        ms: u64,
    },
    /// The text is no cursor of ours.
    #[error("not a cursor: take the one that the page before gave")]
    BadCursor,
}

/// Opens an archive and brings its schema up to date.
///
/// A PostgreSQL server that cannot be reached is no error: the archive is used as soon as it can be,
/// and says so until then.
///
/// # Errors
/// [`ArchiveError::Open`], [`ArchiveError::Address`], [`ArchiveError::Migrate`].
pub async fn open_archive(place: &ArchivePlace) -> Result<SharedArchive, ArchiveError> {
    Ok(match place {
        ArchivePlace::File(path) => Arc::new(SqliteArchive::open(path).await?),
        ArchivePlace::Postgres(config) => Arc::new(PostgresArchive::open(config).await?),
    })
}

// === impl ArchiveError ===

impl ArchiveError {
    /// Whether the database is at fault, not the question: later it may do the same.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Late { .. } | Self::Resting { .. } => true,
            Self::Open { source, .. } | Self::Query { source, .. } => is_outage(source),
            Self::Migrate(error) => schema::is_outage(error),
            Self::Address | Self::BadRow { .. } | Self::BadTime { .. } | Self::BadCursor => false,
        }
    }
}

/// Whether the connection or the server failed, not the statement.
fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        // By class: connection lost, resources (a full disk, too many connections), an operator's
        // intervention (a shutdown, a cancelled statement), the system's own failure.
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| ["08", "53", "57", "58"].iter().any(|c| code.starts_with(c))),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
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
