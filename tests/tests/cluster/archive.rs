//! The database and the cache beside a cluster: killed, flushed and brought back under load.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context as _;
use aureole_client::TaskQuery;
use aureole_servers::{Postgres, Redis};
use aureole_tests::cluster::{Cluster, Habits, Layout, Recorded};
use aureole_tests::{eventually, http};
use tokio::task::spawn_blocking;

use crate::story::{calm, clients, ends_well, rounds};

/// The services of one story.
struct Services {
    postgres: Arc<Postgres>,
    redis: Arc<Redis>,
    url: String,
}

impl Services {
    fn start() -> anyhow::Result<Self> {
        let (postgres, redis) = (Arc::new(Postgres::start()?), Arc::new(Redis::start()?));
        let url = postgres.database()?;
        Ok(Self {
            postgres,
            redis,
            url,
        })
    }

    /// A cluster whose ledger keeps five finished tasks: the others are history at once.
    fn layout(&self) -> Layout {
        let (archive, cache) = (&self.url, self.redis.url());
        Layout {
            services: format!(
                "[archive]\nurl = \"{archive}\"\nledger_tasks = 5\n[cache]\nurl = \"{cache}\"\n"
            ),
            ..Layout::default()
        }
    }

    /// How many proofs history has, and how many different ones.
    fn counted(&self) -> anyhow::Result<(usize, usize)> {
        let counted = "SELECT count(*), count(DISTINCT id) FROM tasks WHERE kind = 'prove'";
        let counted = self.postgres.query(&self.url, counted)?;
        let (all, different) = counted.split_once('|').context("no two numbers")?;
        Ok((all.parse()?, different.parse()?))
    }
}

/// Clients that use each key for one input: the ledger forgets a task as soon as five others have
/// ended, and then its key may be used anew.
fn faithful() -> Habits {
    Habits {
        misuse_one_in: 0,
        ..calm(u64::MAX)
    }
}

/// Whether a gateway says that a service is as it should be; and whether the gateway takes work.
fn told(url: &str, service: &str) -> anyhow::Result<(bool, bool)> {
    let health = http::get(url, "/health/ready")?.json()?;
    let checks = health["checks"].as_array().context("no checks")?;
    let check = checks.iter().find(|check| check["name"] == service);
    let check = check.with_context(|| format!("{service} is not told of: {health}"))?;
    Ok((check["ok"] == true, health["ready"] == true))
}

/// Every task in the lists of one gateway, page by page.
async fn listed(cluster: &Cluster, gateway: &str) -> anyhow::Result<Vec<String>> {
    let client = cluster.client(gateway)?;
    let mut query = TaskQuery {
        limit: Some(7),
        ..TaskQuery::default()
    };
    let mut ids = Vec::new();
    loop {
        let page = client.tasks(&query).await?;
        ids.extend(page.tasks.into_iter().map(|task| task.id));
        match page.next {
            Some(next) => query.before = Some(next),
            None => return Ok(ids),
        }
    }
}

/// Everything acknowledged is in the lists of every gateway, each once.
async fn each_is_listed_once(cluster: &Cluster, recorded: &Recorded) -> anyhow::Result<()> {
    for gateway in cluster.coordinators() {
        let ids = listed(cluster, &gateway).await?;
        let known: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(known.len(), ids.len(), "{gateway} lists a task twice");
        for acknowledged in recorded.acknowledged.values() {
            assert!(known.contains(&acknowledged.id), "{gateway} lists it not");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_killed_under_load_loses_nothing_and_doubles_nothing() -> anyhow::Result<()> {
    let services = Services::start()?;
    rounds(services.layout(), async |cluster, random| {
        let traffic = clients(cluster, faithful(), random);
        traffic.goes_on(10).await?;
        eventually("history in the database", || async {
            Ok((services.counted()?.0 > 0).then_some(()))
        })
        .await?;
        let archived = "SELECT id FROM tasks WHERE kind = 'prove' LIMIT 1";
        let archived = services.postgres.query(&services.url, archived)?;
        services.postgres.kill()?;
        // What is under way goes on, and the gateway stays in service.
        traffic.goes_on(10).await?;
        let url = cluster.url("c1")?.to_owned();
        eventually("word of the archive", || async {
            let (answers, ready) = told(&url, "archive")?;
            Ok((!answers && ready).then_some(()))
        })
        .await?;
        let _ = services.redis.command(&["FLUSHALL"])?;
        let path = format!("/api/v1/tasks/{archived}");
        let asked = url.clone();
        let refused = spawn_blocking(move || http::get(&asked, &path)).await??;
        assert_eq!(refused.status, 503);
        assert_eq!(refused.json()?["code"], "node.archive");
        assert!(refused.header("retry-after").is_some());
        let running = http::get(&url, "/api/v1/tasks?state=running")?;
        assert_eq!(running.status, 200, "{:?}", running.json());
        services.postgres.restart()?;
        traffic.goes_on(10).await?;
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await?;
        eventually("everything older in the database", || async {
            let (all, different) = services.counted()?;
            assert_eq!(all, different, "history has a task twice");
            Ok((all + 5 >= recorded.acknowledged.len()).then_some(()))
        })
        .await?;
        each_is_listed_once(cluster, &recorded).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_killed_and_flushed_under_load_loses_nothing() -> anyhow::Result<()> {
    let services = Services::start()?;
    rounds(services.layout(), async |cluster, random| {
        let traffic = clients(cluster, faithful(), random);
        traffic.goes_on(5).await?;
        services.redis.kill()?;
        traffic.goes_on(5).await?;
        let url = cluster.url("c2")?.to_owned();
        let (answers, ready) = told(&url, "cache")?;
        assert!(!answers && ready, "the cache is away and nobody says so");
        services.redis.restart()?;
        traffic.goes_on(5).await?;
        eventually("a document in the cache", || async {
            let task = traffic.some_task().context("no task")?;
            cluster
                .client("c2")?
                .task(&task, std::time::Duration::ZERO)
                .await?;
            let keys = services.redis.command(&["DBSIZE"])?;
            Ok((keys != "0").then_some(()))
        })
        .await?;
        let _ = services.redis.command(&["FLUSHALL"])?;
        services.redis.pause()?;
        traffic.goes_on(5).await?;
        services.redis.resume()?;
        traffic.goes_on(5).await?;
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}
