//! The archive: one suite for both databases, and what each of them does of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod conformance;
mod losses;
mod migrations;
mod postgres;
mod sqlite;

use std::sync::Arc;

use aureole_servers::Postgres;
use aureole_store::{
    ArchivePlace, ArchivedTask, Cursor, PostgresConfig, SharedArchive, TaskFilter, TaskId,
    open_archive,
};
use serde_json::json;
use tempfile::TempDir;

/// A database of a test's own.
struct Database {
    place: ArchivePlace,
    _folder: Option<TempDir>,
    server: Option<Arc<Postgres>>,
}

impl Database {
    fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            place: ArchivePlace::File(folder.path().join("archive.sqlite")),
            _folder: Some(folder),
            server: None,
        }
    }

    fn postgres() -> Self {
        Self::of(Postgres::shared().unwrap())
    }

    fn of(server: Arc<Postgres>) -> Self {
        let config = PostgresConfig {
            url: server.database().unwrap(),
            password: None,
        };
        Self {
            place: ArchivePlace::Postgres(config),
            _folder: None,
            server: Some(server),
        }
    }

    async fn open(&self) -> SharedArchive {
        open_archive(&self.place).await.unwrap()
    }

    /// Runs a statement behind the archive's back.
    async fn execute(&self, statement: &'static str) {
        use sqlx::Connection as _;
        match &self.place {
            ArchivePlace::File(path) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                let mut connection = sqlx::SqliteConnection::connect_with(&options)
                    .await
                    .unwrap();
                let executed = sqlx::query(statement).execute(&mut connection).await;
                executed.unwrap();
                connection.close().await.unwrap();
            }
            ArchivePlace::Postgres(config) => {
                let server = self.server.as_ref().unwrap();
                server.query(&config.url, statement).unwrap();
            }
        }
    }
}

/// Two tasks share each millisecond.
fn task(number: u32) -> ArchivedTask {
    let failed = number.is_multiple_of(3);
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    ArchivedTask {
        id: TaskId::from_bytes(id),
        tenant: if number.is_multiple_of(5) {
            "acme"
        } else {
            "default"
        }
        .to_owned(),
        kind: "prove".to_owned(),
        plugin: if number.is_multiple_of(2) {
            "merkle"
        } else {
            "range"
        }
        .to_owned(),
        circuit: number
            .is_multiple_of(4)
            .then(|| format!("cir_{}", number % 8)),
        state: if failed { "failed" } else { "done" }.to_owned(),
        code: failed.then(|| "witness.unsatisfied".to_owned()),
        submitted_at_ms: 1_000 + u64::from(number / 2),
        finished_at_ms: 2_000 + u64::from(number),
        document: json!({"number": number, "text": "é\u{0}\u{7f}"}),
    }
}

fn tasks(count: u32) -> Vec<ArchivedTask> {
    (0..count).map(task).collect()
}

/// Numbered tasks.
fn numbered(numbers: impl IntoIterator<Item = u32>) -> Vec<ArchivedTask> {
    numbers.into_iter().map(task).collect()
}

/// All pages of a filter, and how many there were.
async fn all(archive: &SharedArchive, mut filter: TaskFilter) -> (Vec<ArchivedTask>, u32) {
    let (mut found, mut pages) = (Vec::new(), 0);
    loop {
        let page = archive.list(&filter).await.unwrap();
        assert!(page.tasks.len() <= filter.limit as usize);
        found.extend(page.tasks);
        pages += 1;
        match page.next {
            // As a client would: through the text form.
            Some(next) => filter.after = Some(next.to_string().parse::<Cursor>().unwrap()),
            None => return (found, pages),
        }
    }
}

fn limit(limit: u32) -> TaskFilter {
    TaskFilter {
        limit,
        ..TaskFilter::default()
    }
}
