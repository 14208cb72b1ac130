//! Migrations: told before they are run, run by several at once, never run backwards.

use aureole_store::{
    ArchiveError, ArchivePlace, PostgresConfig, SchemaStep, migrate, open_archive, schema_steps,
};

use super::{Database, task};

async fn applied(place: &ArchivePlace) -> Vec<bool> {
    let steps = schema_steps(place).await.unwrap();
    let numbers: Vec<i64> = steps.iter().map(|step| step.version).collect();
    assert!(numbers.is_sorted() && numbers[0] == 1, "{steps:?}");
    steps.iter().map(|step: &SchemaStep| step.applied).collect()
}

#[tokio::test]
async fn a_dry_run_tells_the_steps_and_changes_nothing() {
    for database in [Database::sqlite(), Database::postgres()] {
        for _ in 0..2 {
            let steps = applied(&database.place).await;
            assert!(steps.iter().all(|applied| !applied), "{steps:?}");
        }
        migrate(&database.place).await.unwrap();
        migrate(&database.place).await.unwrap();
        let steps = applied(&database.place).await;
        assert!(steps.iter().all(|applied| *applied), "{steps:?}");
        let archive = database.open().await;
        archive.put_tasks(&[task(1)]).await.unwrap();
    }
}

#[tokio::test]
async fn several_that_start_at_once_take_turns() {
    let database = Database::postgres();
    let opened = (0..8).map(|_| open_archive(&database.place));
    for archive in futures::future::join_all(opened).await {
        archive.unwrap().put_tasks(&[task(1)]).await.unwrap();
    }
}

#[tokio::test]
async fn a_schema_of_a_later_version_is_refused() {
    for database in [Database::sqlite(), Database::postgres()] {
        database.open().await.close().await;
        let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
                     execution_time) VALUES (9999, 'later', TRUE, '', 1)";
        database.execute(later).await;
        let refusals = [
            open_archive(&database.place).await.map(drop),
            migrate(&database.place).await,
            schema_steps(&database.place).await.map(drop),
        ];
        for refusal in refusals {
            let error = refusal.unwrap_err();
            assert!(
                matches!(error, ArchiveError::Migrate(_)) && !error.is_outage(),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn an_applied_file_that_was_changed_is_refused() {
    for database in [Database::sqlite(), Database::postgres()] {
        database.open().await.close().await;
        database
            .execute("UPDATE _sqlx_migrations SET checksum = ''")
            .await;
        let error = open_archive(&database.place).await.unwrap_err();
        assert!(matches!(error, ArchiveError::Migrate(_)), "{error}");
    }
}

#[tokio::test]
async fn history_from_before_there_were_tenants_is_the_one_tenants() {
    let database = Database::sqlite();
    let ArchivePlace::File(path) = &database.place else {
        unreachable!()
    };
    std::fs::write(path, "").unwrap();
    database
        .execute(include_str!("../../../../migrations/sqlite/0001_tasks.sql"))
        .await;
    let old = format!(
        "INSERT INTO tasks VALUES ('{}', 'prove', 'merkle', NULL, 'done', NULL, 1, 2, '{{}}')",
        task(7).id
    );
    database.execute(Box::leak(old.into_boxed_str())).await;
    // As the program of that version has noted it.
    database
        .execute(
            "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
             installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, \
             checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)",
        )
        .await;
    let checksum = sqlx::migrate!("../../migrations/sqlite")
        .iter()
        .map(|step| hex(&step.checksum))
        .next()
        .unwrap();
    let noted =
        format!("INSERT INTO _sqlx_migrations VALUES (1, 'tasks', 0, TRUE, x'{checksum}', 1)");
    database.execute(Box::leak(noted.into_boxed_str())).await;
    let found = database.open().await.task(task(7).id).await.unwrap();
    assert_eq!(found.unwrap().tenant, "default");
}

#[tokio::test]
async fn a_server_that_is_away_cannot_be_migrated() {
    let place = ArchivePlace::Postgres(PostgresConfig {
        url: "postgres://aureole@127.0.0.1:1/history".to_owned(),
        password: None,
    });
    for refusal in [migrate(&place).await, schema_steps(&place).await.map(drop)] {
        let error = refusal.unwrap_err();
        assert!(
            matches!(&error, ArchiveError::Open { place, .. } if place == "127.0.0.1:1/history")
                && error.is_outage(),
            "{error}"
        );
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
