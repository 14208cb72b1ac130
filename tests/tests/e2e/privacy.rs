//! A private input is on no disk in plain and in no log, while its task runs and afterwards.

use std::{fs, path::Path};

use aureole_client::rest::{TaskRequest, TaskState};
use aureole_servers::{Postgres, Redis};
use aureole_tests::{Busy, Node, Options, Random, eventually, plugin};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

/// A secret in every form in which it could be written down.
struct Secret {
    hex: String,
    forms: Vec<Vec<u8>>,
}

impl Secret {
    fn new(random: &mut Random) -> Self {
        let bytes = random.element();
        let mut forms = vec![decimal(&bytes)];
        // Wherever it stands in what is encoded, and whichever end comes first.
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        for order in [&bytes[..], &reversed] {
            for before in 0..3 {
                let text = STANDARD.encode([&vec![0; before], order].concat());
                forms.push(text.into_bytes()[4..40].to_vec());
            }
        }
        // A circuit may take the value in two halves, and a number's leading zero byte may be
        // left out.
        for half in [&bytes[1..16], &bytes[16..]] {
            for order in [half.to_vec(), half.iter().rev().copied().collect()] {
                forms.push(hex::encode(&order).into_bytes());
                forms.push(hex::encode_upper(&order).into_bytes());
                forms.push(order);
            }
        }
        Self {
            hex: format!("0x{}", hex::encode(bytes)),
            forms,
        }
    }

    fn input(&self) -> serde_json::Value {
        json!({"message": [self.hex, format!("0x{:064x}", 1)]})
    }

    /// The files below a folder that hold the secret in any form.
    fn places(&self, folder: &Path, found: &mut Vec<String>) -> anyhow::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.places(&path, found)?;
                continue;
            }
            // A temporary file may be gone already.
            let bytes = fs::read(&path).unwrap_or_default();
            if self.is_in(&bytes) {
                found.push(path.display().to_string());
            }
        }
        Ok(())
    }

    /// Whether bytes hold the secret in any form; in one pass, for a database is large.
    fn is_in(&self, bytes: &[u8]) -> bool {
        let begins = |byte: &u8| self.forms.iter().any(|form| form.first() == Some(byte));
        let begins: Vec<bool> = (0..=255).map(|byte| begins(&byte)).collect();
        (bytes.iter().enumerate())
            .filter(|(_, byte)| begins[usize::from(**byte)])
            .any(|(at, _)| self.forms.iter().any(|form| bytes[at..].starts_with(form)))
    }

    fn is_nowhere(&self, node: &Node) -> anyhow::Result<()> {
        let mut found = Vec::new();
        // The folder that holds the data and the log.
        self.places(
            node.data_dir().parent().unwrap_or(&node.data_dir()),
            &mut found,
        )?;
        assert!(
            found.is_empty(),
            "the secret {} stands in {found:?}",
            self.hex
        );
        Ok(())
    }
}

/// A number as people write it.
fn decimal(big_endian: &[u8]) -> Vec<u8> {
    let mut digits = vec![0_u8];
    for byte in big_endian {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) * 256;
            *digit = (carry % 10) as u8;
            carry /= 10;
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
    }
    digits.iter().rev().map(|digit| b'0' + digit).collect()
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

#[test]
fn the_search_finds_a_secret_in_every_form() -> anyhow::Result<()> {
    let secret = Secret::new(&mut Random::seeded()?);
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("log");
    for form in &secret.forms {
        fs::write(&file, [b"before", &form[..], b"after"].concat())?;
        let mut found = Vec::new();
        secret.places(folder.path(), &mut found)?;
        assert_eq!(found, [file.display().to_string()]);
    }
    Ok(())
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
    secret.is_nowhere(&node)?;
    node.done(&task.id).await?;
    secret.is_nowhere(&node)?;
    assert!(
        node.log()?.contains(&task.id),
        "the log tells of the task, or this proves nothing"
    );
    let leaf = Secret::new(&mut random);
    let input = json!({"leaves": [leaf.hex, secret.hex], "leaf_index": 0});
    let task = node.client()?.submit_to("merkle", &input).await?;
    leaf.is_nowhere(&node)?;
    node.done(&task.id).await?;
    leaf.is_nowhere(&node)?;
    secret.is_nowhere(&node)
}

#[test]
fn a_number_is_written_as_people_write_it() {
    for (bytes, text) in [
        (&[0][..], "0"),
        (&[1, 0], "256"),
        (&[255; 8], "18446744073709551615"),
    ] {
        assert_eq!(decimal(bytes), text.as_bytes());
    }
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
        client.task(&task.id, std::time::Duration::ZERO).await?;
        let archived = postgres.query(&url, &known)? == "1";
        let cached = redis.command(&["DBSIZE"])? != "0";
        Ok((archived && cached).then_some(()))
    })
    .await?;
    // What was written before is on the disk, and so is a snapshot of the cache beside its log.
    postgres.query(&url, "CHECKPOINT")?;
    redis.command(&["SAVE"])?;
    secret.is_nowhere(&node)?;
    let mut found = Vec::new();
    for folder in [postgres.data_dir(), redis.folder()] {
        secret.places(&folder, &mut found)?;
    }
    assert!(
        found.is_empty(),
        "the secret {} stands in {found:?}",
        secret.hex
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
        secret.hex
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
        client
            .task(&waiting.id, std::time::Duration::ZERO)
            .await?
            .state,
        TaskState::Queued
    );
    secret.is_nowhere(&node)?;
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
    secret.is_nowhere(&node)
}

#[tokio::test]
async fn a_secret_in_a_refused_input_is_found_nowhere() -> anyhow::Result<()> {
    let mut random = Random::seeded()?;
    let node = talkative_node_with(&["preimage"]).await?;
    let secret = Secret::new(&mut random);
    let too_large = format!("0x{}", "f".repeat(64));
    for input in [
        json!({"message": [secret.hex, too_large]}),
        json!({"message": [secret.hex]}),
        json!({"message": [secret.hex, 7]}),
        json!({"message": format!("{}00", secret.hex)}),
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
            !problem.contains(&secret.hex[4..]),
            "the refusal shows the secret: {problem}"
        );
    }
    secret.is_nowhere(&node)
}

/// The files of the vault that hold the key of an input.
fn vault_files(node: &Node) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(node.data_dir().join("vault/keys"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}
