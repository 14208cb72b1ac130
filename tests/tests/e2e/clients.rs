//! The clients in other languages, and what the one in Rust does at length, against a real node.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use aureole_client::{Client, Sort, TaskQuery};
use aureole_tests::{KEY, Node, Options, merkle_input, plugin_path, preimage_input};
use futures::TryStreamExt as _;

#[path = "../../../host/client/examples/batch.rs"]
#[allow(dead_code, reason = "its main is for people")]
mod batch_example;
#[path = "../../../host/client/examples/prove.rs"]
#[allow(dead_code, reason = "its main is for people")]
mod example;

/// With webhooks to a port of this machine where nobody listens.
const CONFIG: &str =
    "[webhooks]\nenabled = true\nallow = [\"127.0.0.0/8\"]\nallow_http = true\nports = [9]\n";

/// Runs a client's own tests against a node.
async fn tested(program: &str, install: &str, script: &str) -> anyhow::Result<()> {
    let node = Node::start_with(Options {
        config: CONFIG.to_owned(),
        ..Options::default()
    })?;
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/client");
    let component = plugin_path("merkle")?;
    let url = node.url().to_owned();
    let mut command = Command::new(program);
    command
        .arg(clients.join(script))
        .arg(url)
        .arg(component)
        .env("AUREOLE_KEY", KEY)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null());
    let missing = format!("{program} does not start: this test needs {install}");
    let output = tokio::task::spawn_blocking(move || command.output()).await?;
    let output = output.context(missing)?;
    ensure!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

#[tokio::test]
async fn the_python_client_does_all_it_says_against_a_node() -> anyhow::Result<()> {
    tested("python3", "Python 3.9 or later", "python/test_aureole.py").await
}

#[tokio::test]
async fn the_typescript_client_does_all_it_says_against_a_node() -> anyhow::Result<()> {
    tested("node", "Node.js 20 or later", "typescript/test.mjs").await
}

#[tokio::test]
async fn the_rust_clients_example_gets_a_proof() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    let client = Client::builder(node.url()).key(KEY).build()?;
    let bundle = example::prove(&client, "merkle", &merkle_input()).await;
    let bundle = bundle.map_err(|error| anyhow::anyhow!("{error}"))?;
    ensure!(!bundle.proof.is_empty(), "an empty proof");
    Ok(())
}

#[tokio::test]
async fn the_rust_client_submits_watches_lists_and_verifies_many_at_once() -> anyhow::Result<()> {
    let node = Node::with_plugins(&["preimage"]).await?;
    let client = Client::builder(node.url()).key(KEY).build()?;
    let inputs = (1..=3).map(preimage_input).collect();
    let batch = batch_example::batch(&client, &"preimage".parse()?, inputs).await;
    let (mut ids, valid) = batch.map_err(|error| anyhow::anyhow!("{error}"))?;
    ensure!(ids.len() == 3 && valid, "{ids:?} {valid}");
    let query = TaskQuery {
        plugin: Some("preimage".to_owned()),
        sort: Sort::Oldest,
        limit: Some(2),
        ..TaskQuery::default()
    };
    let listed: Vec<_> = client.all_tasks(query).try_collect().await?;
    let mut listed: Vec<_> = listed.into_iter().map(|task| task.id).collect();
    listed.sort();
    ids.sort();
    ensure!(listed == ids, "{listed:?}, not {ids:?}");
    Ok(())
}
