//! Clients that race: with workers for a task's end, and with each other for one key.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use aureole_tests::cluster::{Habits, Layout};
use aureole_tests::{PATIENCE, eventually, http, preimage_input};
use serde_json::json;

use crate::story::{clients, ends_well, number_of_rounds, rounds};

/// Connections that submit under one key.
const CONNECTIONS: usize = 32;

/// How often each does in a round of several: ten thousand times in all, as is promised.
const SEVERAL: u64 = 313;

/// The same of a round that is the only one.
const ONE: u64 = 12;

/// Tasks that are cancelled while workers prove them.
const RACES: u64 = 100;

/// Leaders that are killed meanwhile.
const LEADER_CHANGES: u64 = 3;

#[tokio::test]
async fn a_cancelled_task_never_shows_a_proof_whoever_wins_the_race() -> anyhow::Result<()> {
    rounds(Layout::default(), async |cluster, random| {
        let habits = Habits {
            submissions: RACES,
            cancel_one_in: 1,
            look_one_in: 4,
            ..Habits::default()
        };
        let recorded = clients(cluster, habits, random).finish()?;
        let cancelled = recorded
            .acknowledged
            .values()
            .filter(|task| task.cancelled)
            .count() as u64;
        eprintln!("of {RACES} races cancellations won {cancelled}");
        ensure!(cancelled > 0, "no cancellation won: nothing raced");
        ensure!(cancelled < RACES, "no worker won: nothing raced");
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

/// Connections that send one submission under one key, again and again.
struct Hammers {
    /// Answers so far: each named a task.
    answers: Arc<AtomicU64>,
    connections: Vec<thread::JoinHandle<anyhow::Result<BTreeSet<String>>>>,
}

impl Hammers {
    fn start(urls: &[String], key: &str, body: &str, times: u64) -> Self {
        let answers = Arc::new(AtomicU64::new(0));
        let connections = urls.iter().cycle().take(CONNECTIONS).map(|url| {
            let (url, key, body) = (url.clone(), key.to_owned(), body.to_owned());
            let answers = Arc::clone(&answers);
            thread::spawn(move || {
                let mut ids = BTreeSet::new();
                for _ in 0..times {
                    let answer = submit(&url, &key, &body)?;
                    ensure!(answer.status < 300, "{:?}", answer.json());
                    ids.insert(answer.json()?["id"].to_string());
                    answers.fetch_add(1, Ordering::Relaxed);
                }
                Ok(ids)
            })
        });
        let connections = connections.collect();
        Self {
            answers,
            connections,
        }
    }

    /// Waits until so many answers have come.
    async fn reach(&self, answers: u64) -> anyhow::Result<()> {
        eventually("answers to one key", || async {
            let reached = self.answers.load(Ordering::Relaxed) >= answers;
            Ok(reached.then_some(()))
        })
        .await
    }

    /// Every task that any answer named.
    fn ids(self) -> anyhow::Result<BTreeSet<String>> {
        let mut ids = BTreeSet::new();
        for connection in self.connections {
            let joined = connection.join();
            ids.extend(joined.map_err(|_| anyhow::anyhow!("it panicked"))??);
        }
        Ok(ids)
    }
}

#[tokio::test]
async fn one_key_from_32_connections_is_one_task_through_leader_changes() -> anyhow::Result<()> {
    let times = if number_of_rounds()? > 1 {
        SEVERAL
    } else {
        ONE
    };
    let all = times * CONNECTIONS as u64;
    rounds(Layout::default(), async |cluster, random| {
        let urls = cluster.urls();
        let key = format!("key-{}", random.number());
        let body =
            |input| json!({"plugin": "preimage", "input": preimage_input(input)}).to_string();
        let hammers = Hammers::start(&urls, &key, &body(1), times);
        for change in 0..LEADER_CHANGES {
            hammers.reach(all * change / LEADER_CHANGES).await?;
            let leader = cluster.leader().await?;
            cluster.server_mut(&leader)?.kill()?;
            cluster.start_server(&leader)?;
            cluster.ready().await?;
        }
        hammers.reach(all).await?;
        let ids = hammers.ids()?;
        assert_eq!(ids.len(), 1, "one key has several tasks: {ids:?}");
        let other = submit(cluster.url("c1")?, &key, &body(1_000))?;
        assert_eq!(other.status, 409, "{:?}", other.json());
        eprintln!("{all} submissions of one key are one task, another body is refused");
        let habits = Habits {
            submissions: 10,
            ..Habits::default()
        };
        let recorded = clients(cluster, habits, random).finish()?;
        ends_well(cluster, &recorded).await
    })
    .await
}
