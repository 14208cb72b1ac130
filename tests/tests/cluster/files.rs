//! Files that rot while a coordinator is down: torn logs, flipped bits. What is damaged is found,
//! never served, and repaired from the others.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use aureole_tests::cluster::{Cluster, Habits, Layout};
use aureole_tests::{PATIENCE, Random, damage};

use crate::story::{calm, clients, ends_well, rounds};

/// Starts a coordinator over damaged files. It may refuse, aloud; then it gets an empty disk, as its
/// operator would give it one.
async fn start_or_replace(cluster: &mut Cluster, name: &str) -> anyhow::Result<bool> {
    cluster.start_server(name)?;
    let client = cluster.client(name)?;
    let start = std::time::Instant::now();
    loop {
        if let Some(status) = cluster.server_mut(name)?.exited()? {
            ensure!(!status.success(), "{name} ended well over damaged files");
            cluster.server(name)?.lose_disk()?;
            cluster.replace(name).await?;
            return Ok(false);
        }
        if client.ready().await.is_ok_and(|health| health.ready) {
            return Ok(true);
        }
        ensure!(
            start.elapsed() < PATIENCE,
            "{name} neither starts nor refuses to"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn files(cluster: &Cluster, name: &str, below: &str) -> anyhow::Result<Vec<PathBuf>> {
    let found = damage::files(&cluster.server(name)?.data_dir().join(below))?;
    ensure!(!found.is_empty(), "{name} has no files in {below}");
    Ok(found)
}

/// The largest of some files: the log itself, beside the small ones.
fn largest(files: Vec<PathBuf>) -> PathBuf {
    let size = |path: &PathBuf| std::fs::metadata(path).map_or(0, |file| file.len());
    files.into_iter().max_by_key(size).unwrap_or_default()
}

#[tokio::test]
async fn a_torn_log_is_found_and_its_coordinator_comes_back() -> anyhow::Result<()> {
    rounds(Layout::default(), async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
        traffic.goes_on(10).await?;
        let torn = cluster.follower().await?;
        cluster.server_mut(&torn)?.kill()?;
        let log = largest(files(cluster, &torn, "raft")?);
        damage::tear(&log, 1 + random.below(4096))?;
        traffic.goes_on(5).await?;
        let opened = start_or_replace(cluster, &torn).await?;
        eprintln!(
            "over a torn {}: {}",
            log.display(),
            if opened { "opened" } else { "refused" }
        );
        traffic.goes_on(5).await?;
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}

#[tokio::test]
async fn flipped_bits_in_a_log_never_become_facts() -> anyhow::Result<()> {
    rounds(Layout::default(), async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
        traffic.goes_on(10).await?;
        let rotten = cluster.follower().await?;
        cluster.server_mut(&rotten)?.kill()?;
        for file in files(cluster, &rotten, "raft")? {
            flip(&file, random)?;
        }
        let opened = start_or_replace(cluster, &rotten).await?;
        eprintln!(
            "over flipped bits: {}",
            if opened { "opened" } else { "refused" }
        );
        traffic.goes_on(5).await?;
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}

#[tokio::test]
async fn a_corrupt_blob_is_never_served_and_is_repaired() -> anyhow::Result<()> {
    rounds(Layout::default(), async |cluster, random| {
        let habits = Habits {
            // The same submissions come again below, and must not find a task that was cancelled.
            cancel_one_in: 0,
            ..calm(12)
        };
        let recorded = clients(cluster, habits, random).finish()?;
        ends_well(cluster, &recorded).await?;
        let rotten = cluster.leader().await?;
        let mut flipped = flip_all(cluster, &rotten, "depot", random)?;
        // What a worker keeps: blobs it has pulled, and compiled plugins.
        for worker in cluster.workers() {
            flipped += flip_all(cluster, &worker, "", random)?;
        }
        eprintln!("flipped {flipped} bits, one in each file of {rotten}'s depot and the workers");
        cluster.ready().await?;
        // Every proof again, a third of them through the gateway whose blobs are all corrupt.
        ends_well(cluster, &recorded).await?;
        // And new ones, by workers whose caches are all corrupt.
        let recorded = clients(cluster, calm(24), random).finish()?;
        ends_well(cluster, &recorded).await?;
        cluster.repaired().await
    })
    .await
}

/// Kills a process, flips a bit in each of its files, and starts it again.
fn flip_all(
    cluster: &mut Cluster,
    name: &str,
    below: &str,
    random: &mut Random,
) -> anyhow::Result<usize> {
    cluster.server_mut(name)?.kill()?;
    let files = files(cluster, name, below)?;
    for file in &files {
        flip(file, random)?;
    }
    cluster.start_server(name)?;
    Ok(files.len())
}

/// Flips a bit, unless the file is empty.
fn flip(file: &std::path::Path, random: &mut Random) -> anyhow::Result<()> {
    if std::fs::metadata(file)?.len() > 0 {
        damage::flip_bit(file, random)?;
    }
    Ok(())
}
