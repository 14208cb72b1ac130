//! Promise P11: once a task has ended, what went into it is on no disk of a cluster, in no form: not in
//! the data and the logs of coordinators and workers, nor in their Raft logs and snapshots, the
//! database with its log, the cache's files, and dumps of both.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::ensure;
use aureole_servers::{Postgres, Redis};
use aureole_tests::cluster::{Cluster, Habits, Layout};
use aureole_tests::damage::files;
use aureole_tests::{PATIENCE, Random, Secret, eventually, preimage_input};
use serde_json::Value;

use crate::story::{clients, number_of_rounds, rounds};

/// Secrets that are planted in a round.
const SECRETS: usize = 4;

/// Submissions between two looks for a snapshot, which a coordinator writes every 8,000 entries.
const FURTHER: u64 = 500;

/// A cluster that tells everything of ours, with both services beside it.
fn layout(database: &str, redis: &Redis) -> Layout {
    let cache = redis.url();
    Layout {
        log: "debug,aureole_node=trace,aureole_worker=trace,aureole_gateway=trace,\
              aureole_coordinator=trace,aureole_store=trace,openraft=info",
        services: format!(
            "[archive]\nurl = \"{database}\"\nledger_tasks = 5\n[cache]\nurl = \"{cache}\"\n"
        ),
        ..Layout::default()
    }
}

/// Submits inputs through all gateways, and waits for their proofs.
async fn prove(
    cluster: &Cluster,
    inputs: impl Iterator<Item = Value>,
) -> anyhow::Result<Vec<String>> {
    let mut tasks = Vec::new();
    for (input, gateway) in inputs.zip(cluster.coordinators().iter().cycle()) {
        let client = cluster.client(gateway)?;
        tasks.push(client.submit_to("preimage", &input).await?.id);
    }
    for task in &tasks {
        let client = cluster.client("c1")?;
        let ended = client.wait_task(task, PATIENCE, |_| {}).await?;
        ensure!(ended.proof.is_some(), "{task} has no proof");
    }
    Ok(tasks)
}

/// The coordinators' snapshots.
fn snapshots(cluster: &Cluster) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = files(cluster.folder())?;
    found.retain(|file| file.file_name().is_some_and(|name| name == "snapshot"));
    Ok(found)
}

/// Lets clients submit and cancel until every coordinator has written a snapshot.
async fn until_snapshots(cluster: &Cluster, random: &mut Random) -> anyhow::Result<usize> {
    let habits = Habits {
        clients: 8,
        cancel_one_in: 1,
        look_one_in: 0,
        // The ledger forgets a task, and its key with it, as soon as five others have ended.
        misuse_one_in: 0,
        ..Habits::default()
    };
    let traffic = clients(cluster, habits, random);
    while snapshots(cluster)?.len() < cluster.coordinators().len() {
        traffic.goes_on(FURTHER).await?;
    }
    traffic.stop()?;
    Ok(snapshots(cluster)?.len())
}

/// Whether any file below a folder holds these bytes.
fn tells(folder: &Path, what: &str) -> anyhow::Result<bool> {
    let what = what.as_bytes();
    let holds = |file: &PathBuf| {
        let bytes = fs::read(file).unwrap_or_default();
        bytes.windows(what.len()).any(|part| part == what)
    };
    Ok(files(folder)?.iter().any(holds))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planted_secret_is_on_no_disk_of_a_cluster_after_its_proof() -> anyhow::Result<()> {
    let (postgres, redis) = (Postgres::start()?, Redis::start()?);
    let database = postgres.database()?;
    let full = number_of_rounds()? > 1;
    rounds(layout(&database, &redis), async |cluster, random| {
        let secrets: Vec<Secret> = (0..SECRETS).map(|_| Secret::new(random)).collect();
        let tasks = prove(cluster, secrets.iter().map(Secret::input)).await?;
        let written = match full {
            true => until_snapshots(cluster, random).await?,
            false => 0,
        };
        // Five newer ones move the planted ones to history.
        prove(cluster, (1..=6).map(preimage_input)).await?;
        eventually("the planted tasks in the database", || async {
            let listed = format!("('{}')", tasks.join("', '"));
            let count = format!("SELECT count(*) FROM tasks WHERE id IN {listed}");
            let there = postgres.query(&database, &count)? == tasks.len().to_string();
            Ok(there.then_some(()))
        })
        .await?;
        // Read from history they are in the cache.
        eventually("the planted tasks in the cache", || async {
            let mut cached = true;
            for task in &tasks {
                cluster.client("c2")?.task(task, Duration::ZERO).await?;
                cached &= tells(&redis.folder(), task)?;
            }
            Ok(cached.then_some(()))
        })
        .await?;
        postgres.query(&database, "CHECKPOINT")?;
        redis.command(&["SAVE"])?;
        let dump = postgres.dump(&database)?;
        for name in cluster.names() {
            cluster.server_mut(&name)?.kill()?;
        }
        let places = [
            cluster.folder().to_owned(),
            postgres.data_dir(),
            redis.folder(),
        ];
        for (place, task) in places.iter().zip(tasks.iter().cycle()) {
            ensure!(tells(place, task)?, "{place:?} does not tell of {task}");
        }
        let mut found = Vec::new();
        for secret in &secrets {
            for place in &places {
                found.extend(secret.places(place)?);
            }
            ensure!(!secret.is_in(&dump), "{} is in the dump", secret.hex());
        }
        assert!(found.is_empty(), "a secret stands in {found:?}");
        eprintln!(
            "{} secrets in {} forms: found 0 times, {written} snapshots among the files",
            secrets.len(),
            secrets[0].forms().len()
        );
        Ok(())
    })
    .await
}
