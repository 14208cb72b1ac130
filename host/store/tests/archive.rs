//! The archive in a real SQLite file.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use aureole_store::{
    ARCHIVE_PAGE_MAX, Archive, ArchiveError, ArchivedTask, Cursor, Digest, TaskFilter, TaskId,
};
use serde_json::json;
use tempfile::TempDir;

async fn archive() -> (TempDir, Archive) {
    let dir = tempfile::tempdir().unwrap();
    let archive = Archive::open(&dir.path().join("archive.sqlite"))
        .await
        .unwrap();
    (dir, archive)
}

/// Two tasks share each millisecond.
fn task(number: u8) -> ArchivedTask {
    let failed = number.is_multiple_of(3);
    ArchivedTask {
        id: TaskId::from_bytes([number; 16]),
        kind: "prove".to_owned(),
        plugin: if number.is_multiple_of(2) {
            "merkle"
        } else {
            "range"
        }
        .to_owned(),
        circuit: Some("cir_1".to_owned()),
        state: if failed { "failed" } else { "done" }.to_owned(),
        code: failed.then(|| "witness.unsatisfied".to_owned()),
        submitted_at_ms: 1_000 + u64::from(number / 2),
        finished_at_ms: 2_000,
        document: json!({"number": number, "text": "é\u{0}"}),
    }
}

fn tasks(count: u8) -> Vec<ArchivedTask> {
    (0..count).map(task).collect()
}

/// All pages of a filter, and how many there were.
async fn all(archive: &Archive, mut filter: TaskFilter) -> (Vec<ArchivedTask>, u32) {
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

#[tokio::test]
async fn a_task_comes_back_as_it_was_put_after_a_restart() {
    let (dir, archive) = archive().await;
    archive.put_tasks(&tasks(2)).await.unwrap();
    archive.close().await;
    let archive = Archive::open(&dir.path().join("archive.sqlite"))
        .await
        .unwrap();
    assert_eq!(archive.task(task(1).id).await.unwrap(), Some(task(1)));
    assert_eq!(archive.task(task(9).id).await.unwrap(), None);
}

#[tokio::test]
async fn putting_a_task_again_changes_nothing() {
    let (_dir, archive) = archive().await;
    archive.put_tasks(&tasks(2)).await.unwrap();
    let other = ArchivedTask {
        state: "cancelled".to_owned(),
        ..task(1)
    };
    archive.put_tasks(&[other, task(2)]).await.unwrap();
    assert_eq!(archive.task(task(1).id).await.unwrap(), Some(task(1)));
    assert_eq!(archive.task(task(2).id).await.unwrap(), Some(task(2)));
}

#[tokio::test]
async fn pages_go_from_newest_to_oldest_and_show_each_task_once() {
    let (_dir, archive) = archive().await;
    archive.put_tasks(&tasks(20)).await.unwrap();
    let (found, pages) = all(
        &archive,
        TaskFilter {
            limit: 3,
            ..TaskFilter::default()
        },
    )
    .await;
    let mut expected = tasks(20);
    expected.reverse();
    assert_eq!((found, pages), (expected, 7));
}

#[tokio::test]
async fn a_page_that_is_just_full_is_the_last() {
    let (_dir, archive) = archive().await;
    archive.put_tasks(&tasks(4)).await.unwrap();
    let (found, pages) = all(
        &archive,
        TaskFilter {
            limit: 4,
            ..TaskFilter::default()
        },
    )
    .await;
    assert_eq!((found.len(), pages), (4, 1));
}

#[tokio::test]
async fn a_cursor_stays_valid_while_tasks_are_added() {
    let (_dir, archive) = archive().await;
    archive.put_tasks(&tasks(4)).await.unwrap();
    let first = archive
        .list(&TaskFilter {
            limit: 2,
            ..TaskFilter::default()
        })
        .await
        .unwrap();
    archive.put_tasks(&[task(200)]).await.unwrap();
    let filter = TaskFilter {
        limit: 2,
        after: first.next,
        ..TaskFilter::default()
    };
    assert_eq!(
        archive.list(&filter).await.unwrap().tasks,
        [task(1), task(0)]
    );
}

#[tokio::test]
async fn filters_by_state_and_plugin_combine() {
    let (_dir, archive) = archive().await;
    archive.put_tasks(&tasks(13)).await.unwrap();
    let filter = TaskFilter {
        state: Some("failed".to_owned()),
        plugin: Some("merkle".to_owned()),
        limit: 2,
        ..TaskFilter::default()
    };
    let (found, _) = all(&archive, filter).await;
    assert_eq!(found, [task(12), task(6), task(0)]);
}

#[tokio::test]
async fn a_filter_is_text_and_no_statement() {
    let (_dir, archive) = archive().await;
    archive.put_tasks(&tasks(2)).await.unwrap();
    let filter = TaskFilter {
        plugin: Some("' OR 1=1; DROP TABLE tasks; --".to_owned()),
        limit: 10,
        ..TaskFilter::default()
    };
    assert!(all(&archive, filter).await.0.is_empty());
    assert!(archive.task(task(1).id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_limit_outside_its_range_is_brought_into_it() {
    let (_dir, archive) = archive().await;
    archive.put_tasks(&tasks(3)).await.unwrap();
    for (limit, expected) in [(0, 1), (ARCHIVE_PAGE_MAX + 1, 3)] {
        let filter = TaskFilter {
            limit,
            ..TaskFilter::default()
        };
        assert_eq!(archive.list(&filter).await.unwrap().tasks.len(), expected);
    }
}

#[tokio::test]
async fn a_time_that_does_not_fit_is_refused_and_nothing_is_stored() {
    let (_dir, archive) = archive().await;
    let late = ArchivedTask {
        finished_at_ms: u64::MAX,
        ..task(2)
    };
    let error = archive.put_tasks(&[task(1), late]).await.unwrap_err();
    assert!(
        matches!(error, ArchiveError::BadTime { ms: u64::MAX }),
        "{error}"
    );
    assert_eq!(archive.task(task(1).id).await.unwrap(), None);
}

#[test]
fn only_our_own_cursors_parse() {
    for text in [
        "",
        "1",
        "x.tsk_00",
        "1.tsk_zz",
        "-1.tsk_01010101010101010101010101010101",
    ] {
        assert!(
            matches!(text.parse::<Cursor>(), Err(ArchiveError::BadCursor)),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("archive.sqlite");
    std::fs::write(&path, "x".repeat(4096)).unwrap();
    let error = Archive::open(&path).await.unwrap_err();
    assert!(matches!(error, ArchiveError::Open { .. }), "{error}");
}

#[tokio::test]
async fn a_schema_of_a_later_version_is_refused() {
    let (dir, archive) = archive().await;
    archive.close().await;
    let path = dir.path().join("archive.sqlite");
    execute(
        &path,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', TRUE, x'00', 1)",
    )
    .await;
    let error = Archive::open(&path).await.unwrap_err();
    assert!(matches!(error, ArchiveError::Migrate(_)), "{error}");
}

#[tokio::test]
async fn a_row_that_was_changed_by_hand_is_an_error_and_no_guess() {
    let (dir, archive) = archive().await;
    archive.put_tasks(&[task(1)]).await.unwrap();
    execute(
        &dir.path().join("archive.sqlite"),
        "UPDATE tasks SET document = '{'",
    )
    .await;
    let error = archive.task(task(1).id).await.unwrap_err();
    assert!(
        matches!(
            error,
            ArchiveError::BadRow {
                column: "document",
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_table_that_is_gone_is_a_failed_query() {
    let (dir, archive) = archive().await;
    execute(&dir.path().join("archive.sqlite"), "DROP TABLE tasks").await;
    let error = archive.put_tasks(&[task(1)]).await.unwrap_err();
    assert!(
        matches!(
            error,
            ArchiveError::Query {
                action: "store tasks",
                ..
            }
        ),
        "{error}"
    );
}

async fn execute(path: &std::path::Path, statement: &'static str) {
    use sqlx::Connection;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    sqlx::query(statement)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn the_digests_that_history_names_are_found_in_its_documents() {
    let (_dir, archive) = archive().await;
    let proof = Digest::of(b"proof");
    let mut task = task(1);
    task.document = json!({
        "proof": {"digest": proof.to_string(), "url": "/api/v1/tasks/tsk_00/proof"},
        "longer": format!("{proof}0"),
    });
    archive.put_tasks(&[task]).await.unwrap();
    assert_eq!(archive.digests().await.unwrap(), [proof]);
}
