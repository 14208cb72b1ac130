//! A private input is on no disk in plain and in no log, while its task runs and afterwards.

use std::fs;
use std::time::Duration;

use aureole_client::rest::{TaskRequest, TaskState};
use aureole_servers::{Postgres, Redis};
use aureole_tests::damage::files;
use aureole_tests::{Busy, Node, Options, Random, Secret, eventually, plugin};
use serde_json::json;

/// Nothing in a node's folder holds the secret, neither its data nor its log.
fn is_nowhere(secret: &Secret, node: &Node) -> anyhow::Result<()> {
    let data = node.data_dir();
    let found = secret.places(data.parent().unwrap_or(&data))?;
    assert!(
        found.is_empty(),
        "the secret {} stands in {found:?}",
        secret.hex()
    );
    Ok(())
}

/// Everything of ours is logged, so that nothing can hide behind a filter.
fn talkative_node() -> anyhow::Result<Node> {
    talkative_node_beside("")
}

/// The same with services beside it.
fn talkative_node_beside(services: &str) -> anyhow::Result<Node> {
    let log = "debug,aureole_node=trace,aureole_worker=trace,aureole_gateway=trace,\
               aureole_coordinator=trace,aureole_store=trace";
    Node::start_with(Options {
        log,
        config: format!("[worker]\nthreads = 1\n{services}"),
        ..Options::default()
    })
}

async fn talkative_node_with(names: &[&str]) -> anyhow::Result<Node> {
    let node = talkative_node()?;
    for name in names {
        node.upload(plugin(name)?).await?;
    }
    Ok(node)
}

#[tokio::test]
async fn a_planted_secret_is_found_nowhere_after_its_proof() -> anyhow::Result<()> {
    let mut random = Random::seeded()?;
    let node = talkative_node_with(&["preimage", "merkle"]).await?;
    let secret = Secret::new(&mut random);
    let task = node
        .client()?
        .submit_to("preimage", &secret.input())
        .await?;
    is_nowhere(&secret, &node)?;
    node.done(&task.id).await?;
    is_nowhere(&secret, &node)?;
    assert!(
        node.log()?.contains(&task.id),
        "the log tells of the task, or this proves nothing"
    );
    let leaf = Secret::new(&mut random);
    let input = json!({"leaves": [leaf.hex(), secret.hex()], "leaf_index": 0});
    let task = node.client()?.submit_to("merkle", &input).await?;
    is_nowhere(&leaf, &node)?;
    node.done(&task.id).await?;
    is_nowhere(&leaf, &node)?;
    is_nowhere(&secret, &node)
}

#[tokio::test]
async fn a_planted_secret_is_in_no_embedded_archive_nor_in_what_it_has_not_merged()
-> anyhow::Result<()> {
    let mut random = Random::seeded()?;
    let mut node = talkative_node_beside("[archive]\nledger_tasks = 0\n")?;
    node.upload(plugin("preimage")?).await?;
    let secret = Secret::new(&mut random);
    let task = node
        .client()?
        .submit_to("preimage", &secret.input())
        .await?;
    node.done(&task.id).await?;
    // History is in the write-ahead log first.
    let id = task.id.as_bytes();
    let tells = |file: &std::path::PathBuf| {
        let bytes = fs::read(file).unwrap_or_default();
        file.to_string_lossy().contains("archive.sqlite")
            && bytes.windows(id.len()).any(|part| part == id)
    };
    eventually("the task in the archive", || async {
        Ok(files(&node.data_dir())?.iter().any(tells).then_some(()))
    })
    .await?;
    is_nowhere(&secret, &node)?;
    node.kill()?;
    is_nowhere(&secret, &node)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_process_of_a_node_leaves_a_core_file() -> anyhow::Result<()> {
    let node = Node::with_plugins(&["preimage"]).await?;
    let task = node
        .client()?
        .submit_to("preimage", &aureole_tests::preimage_input(1))
        .await?;
    node.done(&task.id).await?;
    let children = node.children()?;
    assert!(!children.is_empty(), "who has proved has children");
    let processes = children.iter().map(|child| child.id);
    for process in processes.chain([node.id()]) {
        let limits = fs::read_to_string(format!("/proc/{process}/limits"))?;
        let core = limits.lines().find(|line| line.starts_with("Max core"));
        let words: Vec<&str> = core.unwrap_or_default().split_whitespace().collect();
        assert_eq!(words[4..6], ["0", "0"], "process {process}: {core:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_planted_secret_is_in_no_database_no_cache_and_no_dump_of_them() -> anyhow::Result<()> {
    let mut random = Random::seeded()?;
    let (postgres, redis) = (Postgres::start()?, Redis::start()?);
    let url = postgres.database()?;
    let node = talkative_node_beside(&format!(
        "[archive]\nurl = \"{url}\"\nledger_tasks = 0\n[cache]\nurl = \"{}\"\n",
        redis.url()
    ))?;
    node.upload(plugin("preimage")?).await?;
    let secret = Secret::new(&mut random);
    let client = node.client()?;
    let task = client.submit_to("preimage", &secret.input()).await?;
    node.done(&task.id).await?;
    let known = format!("SELECT count(*) FROM tasks WHERE id = '{}'", task.id);
    eventually("the task in the database and in the cache", || async {
        client.task(&task.id, Duration::ZERO).await?;
        let archived = postgres.query(&url, &known)? == "1";
        let cached = redis.command(&["DBSIZE"])? != "0";
        Ok((archived && cached).then_some(()))
    })
    .await?;
    // What was written before is on the disk, and so is a snapshot of the cache beside its log.
    postgres.query(&url, "CHECKPOINT")?;
    redis.command(&["SAVE"])?;
    is_nowhere(&secret, &node)?;
    let mut found = secret.places(&postgres.data_dir())?;
    found.extend(secret.places(&redis.folder())?);
    assert!(
        found.is_empty(),
        "the secret {} stands in {found:?}",
        secret.hex()
    );
    let dump = postgres.dump(&url)?;
    let id = task.id.as_bytes();
    assert!(
        dump.windows(id.len()).any(|part| part == id),
        "the dump tells of the task"
    );
    assert!(
        !secret.is_in(&dump),
        "the secret {} stands in the dump",
        secret.hex()
    );
    Ok(())
}

#[tokio::test]
async fn a_secret_that_waits_in_the_queue_is_sealed_and_goes_with_its_task() -> anyhow::Result<()> {
    let mut random = Random::seeded()?;
    let Busy {
        node, task: slow, ..
    } = Busy::on(talkative_node()?).await?;
    let secret = Secret::new(&mut random);
    let client = node.client()?;
    let waiting = client.submit_to("preimage", &secret.input()).await?;
    assert_eq!(
        client.task(&waiting.id, Duration::ZERO).await?.state,
        TaskState::Queued
    );
    is_nowhere(&secret, &node)?;
    let keys = vault_files(&node)?;
    assert!(
        keys.iter().any(|name| name.contains(&waiting.id)),
        "no key for {}: {keys:?}",
        waiting.id
    );
    client.cancel(&waiting.id).await?;
    client.cancel(&slow.id).await?;
    eventually("the end of the keys", || async {
        Ok(vault_files(&node)?.is_empty().then_some(()))
    })
    .await?;
    is_nowhere(&secret, &node)
}

#[tokio::test]
async fn a_secret_in_a_refused_input_is_found_nowhere() -> anyhow::Result<()> {
    let mut random = Random::seeded()?;
    let node = talkative_node_with(&["preimage"]).await?;
    let secret = Secret::new(&mut random);
    let too_large = format!("0x{}", "f".repeat(64));
    for input in [
        json!({"message": [secret.hex(), too_large]}),
        json!({"message": [secret.hex()]}),
        json!({"message": [secret.hex(), 7]}),
        json!({"message": format!("{}00", secret.hex())}),
    ] {
        let request = TaskRequest {
            plugin: Some("preimage".parse()?),
            input,
            ..TaskRequest::default()
        };
        let error = node
            .client()?
            .submit(&request)
            .await
            .expect_err("it is no input");
        let problem = error.problem().map(ToString::to_string).unwrap_or_default();
        assert!(problem.starts_with("input."), "{error}");
        assert!(
            !problem.contains(&secret.hex()[4..]),
            "the refusal shows the secret: {problem}"
        );
    }
    is_nowhere(&secret, &node)
}

/// The files of the vault that hold the key of an input.
fn vault_files(node: &Node) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(node.data_dir().join("vault/keys"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}
