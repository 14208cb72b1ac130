//! What is PostgreSQL's own: addresses, passwords, and a server that is not there.

use aureole_store::{ArchiveError, ArchivePlace, PostgresConfig, open_archive};

use super::{Database, task};

fn at(url: &str) -> ArchivePlace {
    ArchivePlace::Postgres(PostgresConfig {
        url: url.to_owned(),
        password: Some("hunter2".to_owned()),
    })
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_being_shown() {
    for url in ["", "mysql://u:hunter2@h/d", "postgres://u:hunter2@h:port/d"] {
        let error = open_archive(&at(url)).await.unwrap_err();
        assert!(matches!(error, ArchiveError::Address), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[test]
fn a_password_is_in_no_form_of_the_configuration() {
    let place = at("postgres://aureole:secret@db.example:5433/history");
    for shown in [place.to_string(), format!("{place:?}")] {
        assert!(shown.contains("db.example:5433/history"), "{shown}");
        assert!(
            !shown.contains("secret") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
    assert!(!format!("{:?}", at("postgres://u:secret@h:port/d")).contains("secret"));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_outage_and_no_reason_not_to_start() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let place = at(&format!("postgres://aureole@127.0.0.1:{port}/history"));
    let archive = open_archive(&place).await.unwrap();
    // The breaker judges by several calls; after them nobody waits.
    let mut resting = false;
    for _ in 0..8 {
        let error = archive.put_tasks(&[task(1)]).await.unwrap_err();
        assert!(error.is_outage(), "{error}");
        resting |= matches!(
            error,
            ArchiveError::Resting {
                action: "store tasks"
            }
        );
    }
    assert!(resting, "a server that is not there is asked for ever");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_in_time() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let place = at(&format!("postgres://aureole@127.0.0.1:{port}/history"));
    let begun = std::time::Instant::now();
    let archive = open_archive(&place).await.unwrap();
    let error = archive.task(task(1).id).await.unwrap_err();
    assert!(
        matches!(error, ArchiveError::Late { .. }) && error.is_outage(),
        "{error}"
    );
    assert!(begun.elapsed() < std::time::Duration::from_secs(20));
}

#[tokio::test]
async fn a_database_that_is_not_there_is_refused() {
    let database = Database::postgres();
    let ArchivePlace::Postgres(config) = &database.place else {
        unreachable!()
    };
    let error = open_archive(&at(&format!("{}_not", config.url)))
        .await
        .unwrap_err();
    assert!(!error.is_outage(), "{error}");
}
