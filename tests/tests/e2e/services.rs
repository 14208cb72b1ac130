//! The services beside a node: history that is searched and expires, a database that is away for too
//! long, and a disk, a database and a cache that fail one at a time.

use std::time::Duration;

use anyhow::Context as _;
use aureole_client::TaskQuery;
use aureole_client::rest::{Task, TenantRequest};
use aureole_servers::{Postgres, Redis};
use aureole_tests::{ACCESS, Node, Options, cli, eventually, http, plugin, preimage_input};
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::json;

/// A node with a database whose ledger keeps `kept` finished tasks.
async fn node_with(url: &str, kept: u64, more: &str) -> anyhow::Result<Node> {
    let node = Node::start_with(Options {
        config: format!(
            "[worker]\nthreads = 1\n[archive]\nurl = \"{url}\"\nledger_tasks = {kept}\n{more}"
        ),
        ..Options::default()
    })?;
    node.upload(plugin("preimage")?).await?;
    Ok(node)
}

async fn proved(node: &Node, number: u64) -> anyhow::Result<Task> {
    let input = preimage_input(number);
    let task = node.client()?.submit_to("preimage", &input).await?;
    node.done(&task.id).await
}

/// Waits until the database has so many proofs.
async fn archived(postgres: &Postgres, url: &str, count: u64) -> anyhow::Result<()> {
    let asked = "SELECT count(*) FROM tasks WHERE kind = 'prove'";
    eventually("history in the database", || async {
        Ok((postgres.query(url, asked)? == count.to_string()).then_some(()))
    })
    .await
}

#[tokio::test]
async fn an_old_task_and_its_proof_are_served_from_the_database_after_a_restart()
-> anyhow::Result<()> {
    let postgres = Postgres::shared()?;
    let url = postgres.database()?;
    let mut node = node_with(&url, 0, "").await?;
    let before = proved(&node, 1).await?;
    archived(&postgres, &url, 1).await?;
    node.stop(Duration::from_secs(60))?;
    node.restart()?;
    let client = node.client()?;
    let after = client.task(&before.id, Duration::ZERO).await?;
    assert_eq!(
        serde_json::to_value(&after)?,
        serde_json::to_value(&before)?,
        "history tells another story"
    );
    let proof = client.proof(&before.id).await?;
    let digest = before.proof.context("no proof")?.digest;
    assert_eq!(digest, hex::encode(sha2_of(&proof)));
    let unknown = format!("/api/v1/tasks/tsk_{}", "0".repeat(32));
    assert_eq!(http::get(node.url(), &unknown)?.status, 404);
    Ok(())
}

#[tokio::test]
async fn the_whole_trail_is_read_from_the_database_after_the_ledger_forgot_its_beginning()
-> anyhow::Result<()> {
    let postgres = Postgres::shared()?;
    let url = postgres.database()?;
    let node = node_with(&url, 0, "").await?;
    let admin = node.client()?;
    // More acts than the ledger keeps.
    let changes = futures::stream::iter(1..=510_u32).map(|weight| {
        let change = TenantRequest {
            weight: Some(weight),
            ..TenantRequest::default()
        };
        let admin = admin.clone();
        async move { admin.put_tenant("acme", &change).await }
    });
    changes
        .buffer_unordered(16)
        .try_for_each(|_| async { Ok(()) })
        .await?;
    let newest = admin.audit_page(None, 1).await?;
    let count = newest.acts.first().context("no act")?.number;
    eventually("the trail in the database", || async {
        let stored = postgres.query(&url, "SELECT count(*) FROM acts")?;
        Ok((stored == count.to_string()).then_some(()))
    })
    .await?;
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = admin.audit_page(before, 200).await?;
        seen.extend(page.acts.iter().map(|act| act.number));
        match page.next {
            Some(next) => before = Some(next),
            None => break,
        }
    }
    let all: Vec<u64> = (1..=count).rev().collect();
    assert_eq!(seen, all);
    Ok(())
}

#[tokio::test]
async fn a_database_that_stays_away_ends_in_a_refusal_by_name_and_nothing_is_lost()
-> anyhow::Result<()> {
    let postgres = Postgres::start()?;
    let url = postgres.database()?;
    let node = node_with(&url, 2, "buffer_tasks = 6\n").await?;
    let client = node.client()?;
    proved(&node, 0).await?;
    postgres.kill()?;
    let mut acknowledged = 1;
    let refused = loop {
        let body = json!({"plugin": "preimage", "input": preimage_input(acknowledged)});
        let answer = http::post_json(node.url(), "/api/v1/tasks?wait=60s", &body.to_string())?;
        if answer.status == 503 {
            break answer;
        }
        assert_eq!(answer.status, 200, "{:?}", answer.json());
        acknowledged += 1;
        assert!(acknowledged < 12, "the buffer has no bound");
    };
    assert_eq!(refused.json()?["code"], "node.archive_behind");
    assert!(refused.header("retry-after").is_some());
    // It is told why, and whoever reads is not turned away for it.
    let health = http::get(node.url(), "/health/ready")?;
    assert_eq!(health.status, 200);
    let health = health.json()?;
    let checks = health["checks"].as_array().context("no checks")?;
    let buffer = checks
        .iter()
        .find(|check| check["name"] == "archive_buffer");
    assert!(
        buffer.is_some_and(|buffer| buffer["ok"] == false),
        "{health}"
    );
    assert!(!health.to_string().contains("127.0.0.1"), "{health}");
    postgres.restart()?;
    eventually("a submission that is taken", || async {
        Ok(proved(&node, 100).await.ok())
    })
    .await?;
    assert!(client.ready().await?.ready);
    archived(&postgres, &url, acknowledged + 1 - 2).await
}

#[tokio::test]
async fn history_past_its_time_goes_with_its_proof() -> anyhow::Result<()> {
    let postgres = Postgres::shared()?;
    let url = postgres.database()?;
    let node = node_with(&url, 0, "keep = \"1s\"\n").await?;
    let task = proved(&node, 1).await?;
    let path = format!("/api/v1/tasks/{}", task.id);
    eventually("the end of an old task", || async {
        Ok((http::get(node.url(), &path)?.status == 404).then_some(()))
    })
    .await?;
    assert_eq!(http::get(node.url(), &format!("{path}/proof"))?.status, 404);
    assert_eq!(postgres.query(&url, "SELECT count(*) FROM tasks")?, "0");
    Ok(())
}

#[tokio::test]
async fn a_list_read_while_tasks_come_and_move_to_history_shows_each_once() -> anyhow::Result<()> {
    let postgres = Postgres::shared()?;
    let url = postgres.database()?;
    let node = node_with(&url, 0, "").await?;
    let client = node.client()?;
    let mut expected = Vec::new();
    for number in 0..6 {
        expected.push(proved(&node, number).await?.id);
    }
    expected.reverse();
    let mut query = TaskQuery {
        limit: Some(1),
        ..TaskQuery::default()
    };
    let (mut shown, mut pages) = (Vec::new(), 0);
    loop {
        let page = client.tasks(&query).await?;
        shown.extend(page.tasks.into_iter().map(|task| task.id));
        // Newer than the cursor, and more for the archivist to move under it.
        pages += 1;
        proved(&node, 10 + pages).await?;
        match page.next {
            Some(next) => query.before = Some(next),
            None => break,
        }
    }
    assert_eq!(shown, expected);
    archived(&postgres, &url, 6 + pages).await?;
    query.before = None;
    query.limit = Some(100);
    assert_eq!(client.tasks(&query).await?.tasks.len() as u64, 6 + pages);
    Ok(())
}

#[tokio::test]
async fn a_finished_task_is_read_from_the_cache_and_without_it() -> anyhow::Result<()> {
    let redis = Redis::start()?;
    let node = Node::start_with(Options {
        config: format!(
            "[worker]\nthreads = 1\n[cache]\nurl = \"{}\"\n",
            redis.url()
        ),
        ..Options::default()
    })?;
    node.upload(plugin("preimage")?).await?;
    let task = proved(&node, 1).await?;
    let client = node.client()?;
    let read = async || client.task(&task.id, Duration::ZERO).await;
    eventually("a document in the cache", || async {
        read().await?;
        Ok((redis.command(&["DBSIZE"])? != "0").then_some(()))
    })
    .await?;
    let warm = serde_json::to_value(read().await?)?;
    let proof = client.proof(&task.id).await?;
    let _ = redis.command(&["FLUSHALL"])?;
    assert_eq!(serde_json::to_value(read().await?)?, warm);
    redis.kill()?;
    assert_eq!(serde_json::to_value(read().await?)?, warm);
    assert_eq!(client.proof(&task.id).await?, proof);
    let health = client.ready().await?;
    let cache = health.checks.iter().find(|check| check.name == "cache");
    assert!(
        health.ready && cache.is_some_and(|cache| !cache.ok),
        "{health:?}"
    );
    Ok(())
}

#[tokio::test]
async fn migrations_are_run_by_hand_and_told_before() -> anyhow::Result<()> {
    let postgres = Postgres::shared()?;
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("node.toml");
    std::fs::write(
        &config,
        format!("[archive]\nurl = \"{}\"\n", postgres.database()?),
    )?;
    let config = config.display().to_string();
    let run = |arguments: &[&str]| {
        let mut line = vec!["--output", "json", "migrate", "--config", &config];
        line.extend(arguments);
        cli::aureole(None, folder.path(), line)?.json()
    };
    let told = run(&["--dry-run"])?;
    assert_eq!(told["steps"][0]["state"], "lacks", "{told}");
    assert!(!told.to_string().contains("postgres@"), "{told}");
    assert_eq!(run(&[])?["steps"][0]["state"], "applied now");
    assert_eq!(run(&["--dry-run"])?["steps"][0]["state"], "applied");
    Ok(())
}

fn sha2_of(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}

#[test]
fn gateways_that_share_a_cache_count_requests_together() -> anyhow::Result<()> {
    let redis = Redis::start()?;
    let node = || {
        Node::start_with(Options {
            // The testkit's key is in this section already.
            first_key: true,
            config: format!(
                "{ACCESS}tenant_rate = 20\n[cache]\nurl = \"{}\"\n",
                redis.url()
            ),
            ..Options::default()
        })
    };
    let (one, two) = (node()?, node()?);
    let status = |node: &Node| anyhow::Ok(http::get(node.url(), "/api/v1/me")?.status);
    let mut refused = 0;
    for _ in 0..200 {
        if status(&one)? == 429 && status(&two)? == 429 {
            refused += 1;
            break;
        }
    }
    assert_eq!(
        refused, 1,
        "the second gateway let through what the first did not"
    );
    Ok(())
}
