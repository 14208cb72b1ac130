//! Clients that race: with workers for a task's end, and with each other for one key.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use aureole_tests::cluster::{Habits, Layout};
use aureole_tests::{PATIENCE, http, preimage_input};
use serde_json::json;

use crate::story::{clients, ends_well, rounds};

/// Connections that submit under one key.
const CONNECTIONS: u64 = 32;

#[tokio::test]
async fn a_cancelled_task_never_shows_a_proof_whoever_wins_the_race() -> anyhow::Result<()> {
    rounds(Layout::default(), async |cluster, random| {
        let habits = Habits {
            submissions: 100,
            cancel_one_in: 1,
            look_one_in: 4,
            ..Habits::default()
        };
        let recorded = clients(cluster, habits, random).finish()?;
        let cancelled = recorded
            .acknowledged
            .values()
            .filter(|task| task.cancelled)
            .count();
        eprintln!("of 100 races cancellations won {cancelled}");
        ensure!(cancelled > 0, "no cancellation won: nothing raced");
        ends_well(cluster, &recorded).await
    })
    .await
}

/// Submits under one key until it is acknowledged, and returns the task.
fn submit(url: &str, key: &str, body: &str) -> anyhow::Result<http::Answer> {
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", key),
    ];
    let start = Instant::now();
    loop {
        let patience = Duration::from_secs(10);
        match http::send_within(
            patience,
            url,
            "POST",
            "/api/v1/tasks",
            &headers,
            body.as_bytes(),
        ) {
            Ok(answer) if answer.status < 500 => return Ok(answer),
            Ok(answer) => ensure!(
                answer.status == 503,
                "{}: {:?}",
                answer.status,
                answer.json()
            ),
            Err(_) => {}
        }
        ensure!(start.elapsed() < PATIENCE, "never acknowledged");
        thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn one_key_from_32_connections_is_one_task_through_leader_changes() -> anyhow::Result<()> {
    rounds(Layout::default(), async |cluster, random| {
        let urls = cluster.urls();
        for number in 0..2 {
            let key = format!("key-{number}-{}", random.number());
            let body =
                |input| json!({"plugin": "preimage", "input": preimage_input(input)}).to_string();
            let leader = cluster.leader().await?;
            let ids = thread::scope(|scope| -> anyhow::Result<BTreeSet<String>> {
                let mut hammers = Vec::new();
                for connection in 0..CONNECTIONS {
                    let url = urls.get(usize::try_from(connection)? % urls.len()).cloned();
                    let url = url.unwrap_or_default();
                    let (key, body) = (key.clone(), body(number));
                    hammers.push(scope.spawn(move || -> anyhow::Result<Vec<String>> {
                        (0..4)
                            .map(|_| {
                                let answer = submit(&url, &key, &body)?;
                                ensure!(answer.status < 300, "{:?}", answer.json());
                                Ok(answer.json()?["id"].to_string())
                            })
                            .collect()
                    }));
                }
                cluster.server_mut(&leader)?.kill()?;
                cluster.start_server(&leader)?;
                let mut ids = BTreeSet::new();
                for hammer in hammers {
                    let joined = hammer.join().map_err(|_| anyhow::anyhow!("it panicked"))?;
                    ids.extend(joined?);
                }
                Ok(ids)
            })?;
            assert_eq!(ids.len(), 1, "one key has several tasks: {ids:?}");
            let other = submit(cluster.url("c1")?, &key, &body(1_000))?;
            assert_eq!(other.status, 409, "{:?}", other.json());
            cluster.ready().await?;
        }
        let recorded = clients(
            &cluster,
            Habits {
                submissions: 10,
                ..Habits::default()
            },
            random,
        )
        .finish()?;
        ends_well(cluster, &recorded).await
    })
    .await
}
