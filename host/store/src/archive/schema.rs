//! Migrations: which ones there are, which ones a database has, and running the rest.

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{ConnectOptions as _, Connection as _};

use super::{ArchiveError, ArchivePlace, postgres, sqlite};

pub(super) static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
pub(super) static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// One numbered change of a database's schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaStep {
    /// Its number.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// Whether the database has it.
    pub applied: bool,
}

/// Says which steps an archive has, and changes nothing.
///
/// # Errors
/// [`ArchiveError::Address`], [`ArchiveError::Open`], [`ArchiveError::Query`]; and
/// [`ArchiveError::Migrate`] for a database of a later program.
pub async fn schema_steps(place: &ArchivePlace) -> Result<Vec<SchemaStep>, ArchiveError> {
    let failed = |source| ArchiveError::Query {
        action: "tell its schema",
        source,
    };
    let listed = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
    match place {
        ArchivePlace::File(path) if !path.exists() => steps(&SQLITE, &[]),
        ArchivePlace::File(path) => {
            let options = sqlite::options(path).read_only(true);
            let mut connection = options
                .connect()
                .await
                .map_err(|source| open(place, source))?;
            let there = "SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
            let tables: i64 = sqlx::query_scalar(there)
                .fetch_one(&mut connection)
                .await
                .map_err(failed)?;
            let applied: Vec<i64> = match tables {
                0 => Vec::new(),
                _ => sqlx::query_scalar(listed)
                    .fetch_all(&mut connection)
                    .await
                    .map_err(failed)?,
            };
            connection.close().await.map_err(failed)?;
            steps(&SQLITE, &applied)
        }
        ArchivePlace::Postgres(config) => {
            let options = postgres::options(config)?;
            let mut connection = options
                .connect()
                .await
                .map_err(|source| open(place, source))?;
            let there = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
            let there: bool = sqlx::query_scalar(there)
                .fetch_one(&mut connection)
                .await
                .map_err(failed)?;
            let applied: Vec<i64> = match there {
                false => Vec::new(),
                true => sqlx::query_scalar(listed)
                    .fetch_all(&mut connection)
                    .await
                    .map_err(failed)?,
            };
            connection.close().await.map_err(failed)?;
            steps(&POSTGRES, &applied)
        }
    }
}

/// Brings an archive's schema up to date; several that do so at once take turns.
///
/// # Errors
/// [`ArchiveError::Address`], [`ArchiveError::Open`], [`ArchiveError::Migrate`].
pub async fn migrate(place: &ArchivePlace) -> Result<(), ArchiveError> {
    match place {
        ArchivePlace::File(path) => {
            let options = sqlite::options(path).create_if_missing(true);
            let mut connection = options
                .connect()
                .await
                .map_err(|source| open(place, source))?;
            let migrated = SQLITE.run_direct(None, &mut connection, false).await;
            migrated.map_err(ArchiveError::Migrate)?;
            close(connection.close().await)
        }
        ArchivePlace::Postgres(config) => {
            // An index over a long history takes longer than any other statement may.
            let options = postgres::options(config)?.options([("statement_timeout", "0")]);
            let mut connection = options
                .connect()
                .await
                .map_err(|source| open(place, source))?;
            let migrated = POSTGRES.run_direct(None, &mut connection, false).await;
            migrated.map_err(ArchiveError::Migrate)?;
            close(connection.close().await)
        }
    }
}

/// Whether the database was lost under a migration.
pub(super) fn is_outage(error: &MigrateError) -> bool {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            super::is_outage(error)
        }
        _ => false,
    }
}

fn steps(migrator: &Migrator, applied: &[i64]) -> Result<Vec<SchemaStep>, ArchiveError> {
    if let Some(later) = applied
        .iter()
        .find(|version| !migrator.version_exists(**version))
    {
        return Err(ArchiveError::Migrate(MigrateError::VersionMissing(*later)));
    }
    let step = |migration: &sqlx::migrate::Migration| SchemaStep {
        version: migration.version,
        name: migration.description.to_string(),
        applied: applied.contains(&migration.version),
    };
    Ok(migrator.iter().map(step).collect())
}

fn open(place: &ArchivePlace, source: sqlx::Error) -> ArchiveError {
    ArchiveError::Open {
        place: place.to_string(),
        source,
    }
}

fn close(closed: Result<(), sqlx::Error>) -> Result<(), ArchiveError> {
    closed.map_err(|source| ArchiveError::Query {
        action: "close",
        source,
    })
}
