//! The author's guide is true: its worked example runs as it stands in `plugins/README.md`.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use aureole_tests::Node;
use serde_json::json;

use crate::author::{Author, checkout, ran};

fn worked_example() -> anyhow::Result<String> {
    let guide = fs::read_to_string(checkout()?.join("plugins/README.md"))?;
    let (_, rest) = guide
        .split_once("<!-- worked example -->\n```sh\n")
        .context("the guide has a worked example")?;
    let (script, _) = rest.split_once("```").context("the example ends")?;
    Ok(script.to_owned())
}

#[tokio::test]
async fn the_guides_worked_example_ends_with_a_proof_from_a_node() -> anyhow::Result<()> {
    let node = Node::start()?;
    let author = Author::new(Some(node.url()))?;
    author.write("guide.sh", &worked_example()?)?;
    let said = ran(author
        .program(Path::new("/bin/sh"))?
        .args(["-eu", "guide.sh"]))?
    .text()?;
    for word in [
        "a node with default limits takes it",
        "6 of 6 examples as expected",
        "circles@0.1.0  ready",
        "signer",
    ] {
        assert!(said.contains(word), "no {word:?} in {said}");
    }
    let verdicts = said.lines().filter(|line| *line == "valid").count();
    assert_eq!(verdicts, 2, "{said}");
    let plugin = node
        .client()?
        .plugin("circles", std::time::Duration::ZERO)
        .await?;
    assert!(
        plugin
            .signer
            .is_some_and(|signer| signer.starts_with("ed25519:"))
    );
    Ok(())
}

#[test]
fn a_check_lists_what_a_node_looks_at() -> anyhow::Result<()> {
    let author = Author::of("circles", None)?;
    let checked = author.json(&["plugin", "check", "circles"])?;
    assert_eq!(checked["ok"], true, "{checked}");
    let steps: Vec<_> = checked["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|step| step["step"].as_str())
        .collect();
    assert_eq!(
        steps,
        [
            "scan",
            "compile",
            "describe",
            "schemas",
            "parameters",
            "circuit",
            "keys",
            "determinism"
        ]
    );
    Ok(())
}

#[test]
fn an_example_is_proved_by_name_with_its_parameters() -> anyhow::Result<()> {
    let author = Author::of("circles", None)?;
    let arguments = [
        "plugin",
        "prove",
        "circles",
        "--example",
        "other parameters are another circuit",
    ];
    let proved = author.json(&arguments)?;
    assert_eq!(
        proved["public_inputs"],
        json!({"product": ["0x0000000000000000000000000000000000000000000000000000000000000018"]})
    );
    let unknown = author.run(&["plugin", "prove", "circles", "--example", "none such"])?;
    assert!(
        unknown.stderr.contains("three factors of 30"),
        "{}",
        unknown.stderr
    );
    Ok(())
}
