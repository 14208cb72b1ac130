//! The OpenAPI document against a running node: no 5xx, and no answer that it does not promise.
//!
//! Schemathesis makes the requests; `cargo xtask` installs it. A few with every run of the tests;
//! `cargo xtask schemathesis --seed 1 --examples 100` for the whole.

use std::{env, fs, iter, path::PathBuf, process::Command};

use anyhow::{Context as _, ensure};
use aureole_tests::{KEY, Node, Options, http};
use serde_json::Value;

/// What it looks at: everything but that a key is asked for, which the gateway's own tests do for
/// each row of the table.
const CONFIG: &str = r#"request-timeout = 70.0

[checks]
ignored_auth.enabled = false
positive_data_acceptance.expected-statuses = ["2xx", "304", "307", "401", "403", "404", "409", "412", "413", "422", "429", "503"]
"#;

/// The tool; none only where the environment says that there is none.
fn tool() -> anyhow::Result<Option<PathBuf>> {
    if let Some(path) = env::var_os("AUREOLE_SCHEMATHESIS") {
        return Ok((path != "none").then(|| path.into()));
    }
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/schemathesis/bin");
    let paths = env::var_os("PATH").unwrap_or_default();
    let places = iter::once(own.into()).chain(env::split_paths(&paths));
    let mut tools = places.map(|place: PathBuf| place.join("schemathesis"));
    let tool = tools.find(|tool| tool.is_file());
    tool.map(Some).context(
        "there is no schemathesis: run `cargo xtask test`, which installs it, or do without by \
         AUREOLE_SCHEMATHESIS=none",
    )
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

#[tokio::test]
async fn schemathesis_finds_no_server_error_and_no_answer_outside_the_document()
-> anyhow::Result<()> {
    let Some(tool) = tool()? else {
        eprintln!("without schemathesis nothing is tried");
        return Ok(());
    };
    let options = Options {
        unlimited: true,
        ..Options::default()
    };
    let node = Node::start_with(options)?
        .having(&["merkle", "preimage"])
        .await?;
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("schemathesis.toml"), CONFIG)?;
    let document: Value = http::get(node.url(), "/openapi.json")?.json()?;
    ensure!(document["openapi"] == "3.1.0", "no document: {document}");
    let file = folder.path().join("openapi.json");
    fs::write(&file, document.to_string())?;
    let seed = setting("AUREOLE_SCHEMATHESIS_SEED", "1");
    let (examples, phases) = match env::var("AUREOLE_SCHEMATHESIS_EXAMPLES") {
        Ok(examples) => (examples, "examples,coverage,fuzzing,stateful"),
        Err(_) => ("3".to_owned(), "examples,fuzzing"),
    };
    let key = format!("Authorization: Bearer {KEY}");
    let ran = Command::new(tool)
        .arg("--config-file")
        .arg(folder.path().join("schemathesis.toml"))
        .arg("run")
        .arg(&file)
        .args(["--url", node.url(), "--phases", phases, "-n", &examples])
        .args(["--seed", &seed, "--workers", "1", "--continue-on-failure"])
        .args(["--header", &key])
        .args(["--no-color", "--warnings", "off"])
        .current_dir(folder.path())
        .output()
        .context("schemathesis does not start")?;
    let report = String::from_utf8_lossy(&ran.stdout);
    println!("{report}");
    ensure!(ran.status.success(), "seed {seed}:\n{report}");
    ensure!(!node.log()?.contains("panicked"), "the node panicked");
    Ok(())
}
