//! Versions of a plugin live side by side, and a retired one still verifies.

use std::time::Duration;

use aureole_tests::Node;
use serde_json::{Value, json};

use crate::author::Author;

fn prove(author: &Author, plugin: &str) -> anyhow::Result<Value> {
    author.json(&["prove", plugin, "--input", "input.json"])
}

#[tokio::test]
async fn versions_are_named_three_ways_and_a_retired_one_still_verifies() -> anyhow::Result<()> {
    let node = Node::start()?;
    let author = Author::of("circles", Some(node.url()))?;
    author.write("input.json", r#"{"factors": [2, 3, 5]}"#)?;
    let first = author.json(&["plugin", "publish", "circles"])?;
    let proved = prove(&author, "circles@0.1.0")?;

    // The second version pins k, where the first takes the smallest that fits.
    author.edit(
        "circles/Cargo.toml",
        "version = \"0.1.0\"",
        "version = \"0.2.0\"",
    )?;
    author.edit("circles/src/plugin.rs", "K::Auto\n", "K::Fixed(7)\n")?;
    let second = author.json(&["plugin", "publish", "circles"])?;
    let k =
        |plugin: &str| anyhow::Ok(author.json(&["circuit", "show", plugin])?["shape"]["k"].clone());
    assert_eq!(k("circles@0.1.0")?, 4);
    assert_eq!(k("circles@0.2.0")?, 7);
    assert_eq!(k("circles")?, 7);
    assert_eq!(k(first["digest"].as_str().unwrap_or_default())?, 4);
    assert_eq!(k(second["digest"].as_str().unwrap_or_default())?, 7);
    for plugin in [&first, &second] {
        let digest = plugin["digest"].as_str().unwrap_or_default();
        assert_eq!(prove(&author, digest)?["state"], "done");
    }

    author.run(&["plugin", "retire", "circles@0.1.0"])?.text()?;
    let refused = author.run(&["prove", "circles@0.1.0", "--input", "input.json"])?;
    assert!(
        refused.stderr.contains("plugin.retired"),
        "{}",
        refused.stderr
    );
    let client = node.client()?;
    let task = client
        .task(proved["id"].as_str().unwrap_or_default(), Duration::ZERO)
        .await?;
    let request = json!({
        "circuit": task.circuit,
        "public_inputs": task.public_inputs,
        "proof": task.proof.and_then(|proof| proof.base64),
    });
    let verdict = client.verify(&serde_json::from_value(request)?).await?;
    assert!(verdict.valid, "{verdict:?}");
    Ok(())
}

#[tokio::test]
async fn other_bytes_under_a_published_version_are_refused() -> anyhow::Result<()> {
    let node = Node::start()?;
    let author = Author::of("circles", Some(node.url()))?;
    author.run(&["plugin", "publish", "circles"])?.text()?;
    author.edit("circles/src/plugin.rs", "must have", "must be")?;
    let refused = author.run(&["plugin", "publish", "circles"])?;
    assert!(
        refused.stderr.contains("plugin.version_immutable"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("Cargo.toml"), "{}", refused.stderr);
    Ok(())
}
