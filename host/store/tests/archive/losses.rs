//! PostgreSQL killed under load: what was acknowledged is there once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aureole_servers::Postgres;
use aureole_store::{ArchiveError, SharedArchive};

use super::{Database, all, limit, numbered, task};

/// More than a killed server takes to recover on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Puts batches of ten, each until it is acknowledged, as the archivist does.
async fn put_all(archive: SharedArchive, batches: std::ops::Range<u32>) -> u32 {
    let mut failures = 0;
    for batch in batches {
        let tasks = numbered(batch * 10..(batch + 1) * 10);
        let begun = Instant::now();
        while let Err(error) = archive.put_tasks(&tasks).await {
            assert!(error.is_outage(), "{error}");
            assert!(begun.elapsed() < PATIENCE, "{error}");
            failures += 1;
            tokio::task::yield_now().await;
        }
    }
    failures
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_under_load_loses_nothing_and_doubles_nothing() {
    let server = Arc::new(Postgres::start().unwrap());
    let database = Database::of(server.clone());
    let archive = database.open().await;
    let writers: Vec<_> = (0..4)
        .map(|writer| tokio::spawn(put_all(archive.clone(), writer * 100..(writer + 1) * 100)))
        .collect();
    for round in 1..=3 {
        // Killed while they write, not before and not after.
        let begun = Instant::now();
        let stored = async || {
            let page = archive.list(&limit(500)).await;
            page.map_or(0, |page| page.tasks.len())
        };
        while stored().await < (round * 100).min(400) && begun.elapsed() < PATIENCE {
            tokio::task::yield_now().await;
        }
        tokio::task::block_in_place(|| {
            server.kill().unwrap();
            server.restart().unwrap();
        });
    }
    let mut failures = 0;
    for writer in writers {
        failures += writer.await.unwrap();
    }
    eprintln!("{failures} puts failed and were made again");
    let (found, _) = all(&archive, limit(500)).await;
    assert_eq!(found, numbered((0..4_000).rev()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_a_kill_is_there_after_it() {
    let server = Arc::new(Postgres::start().unwrap());
    let database = Database::of(server.clone());
    let archive = database.open().await;
    archive.put_tasks(&numbered(0..50)).await.unwrap();
    server.kill().unwrap();
    let error = archive.task(task(1).id).await.unwrap_err();
    assert!(error.is_outage(), "{error}");
    server.restart().unwrap();
    let begun = Instant::now();
    let found = loop {
        match archive.task(task(1).id).await {
            Ok(found) => break found,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
    };
    assert_eq!(found, Some(task(1)));
    assert_eq!(archive.list(&limit(100)).await.unwrap().tasks.len(), 50);
    assert!(!matches!(
        archive.ping().await,
        Err(ArchiveError::Resting { .. })
    ));
}
