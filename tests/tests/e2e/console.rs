//! The console in a real browser, before a real node: its story is told by `tests/console/story.mjs`.
//!
//! `cargo xtask test` finds or installs Chromium and what drives it. The pictures of every page, wide,
//! narrow and dark, are left in `target/console` to be looked at.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use aureole_draw::Formulas;
use aureole_ir::Circuit;
use aureole_receipts::{
    Checkpoint, Digest, Head, Leaf, Log, SignerKey, TaskId, Tile, TileBytes, Writer,
};
use aureole_tests::{KEY, Node, Options, fixture, fixture_path, plugin_path};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

/// How many sizes of a log the page's mathematics is held to.
const SIZES: u64 = 40;

/// What drives the browser, below the workspace.
const TOOLS: &str = "target/console-browser";

/// Where Debian and others put the browser.
const PLACES: [&str; 3] = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
];

/// A browser and what drives it; none only where the environment says that there is none.
fn browser() -> anyhow::Result<Option<(PathBuf, PathBuf)>> {
    let named = env::var_os("AUREOLE_BROWSER");
    if named.as_ref().is_some_and(|name| name == "none") {
        return Ok(None);
    }
    let missing = "there is no browser to try the console in: run `cargo xtask test`, which \
                   installs it, or do without by AUREOLE_BROWSER=none";
    let mut places = PLACES.iter().map(PathBuf::from);
    let program = named
        .map(PathBuf::from)
        .or_else(|| places.find(|place| place.is_file()))
        .context(missing)?;
    let own = workspace().join(TOOLS);
    let tools = env::var_os("AUREOLE_BROWSER_TOOLS").map_or(own, PathBuf::from);
    ensure!(tools.join("node_modules").is_dir(), missing);
    Ok(Some((program, tools)))
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// With webhooks to a port of this machine where nobody listens.
const WEBHOOKS: &str =
    "[webhooks]\nenabled = true\nallow = [\"127.0.0.0/8\"]\nallow_http = true\nports = [9]\n";

#[tokio::test]
async fn the_console_does_all_it_says_in_a_real_browser() -> anyhow::Result<()> {
    let Some((program, tools)) = browser()? else {
        eprintln!("without a browser the console is not tried");
        return Ok(());
    };
    let node = Node::start_with(Options {
        unlimited: true,
        config: WEBHOOKS.to_owned(),
        ..Options::default()
    })?;
    let mut story = Command::new("node");
    story
        .arg(workspace().join("tests/console/story.mjs"))
        .arg(node.url())
        .arg(workspace().join("target/console"))
        .arg(plugin_path("merkle")?)
        .arg(fixture_path("workload")?)
        .env("AUREOLE_KEY", KEY)
        .env("AUREOLE_BROWSER", program)
        .env("AUREOLE_BROWSER_TOOLS", tools)
        .stdin(Stdio::null());
    let told = tokio::task::spawn_blocking(move || story.output()).await?;
    let told = told.context("node does not start: this test needs Node.js 20 or later")?;
    let steps = String::from_utf8_lossy(&told.stdout);
    println!("{steps}");
    ensure!(
        told.status.success(),
        "{steps}\n{}",
        String::from_utf8_lossy(&told.stderr)
    );
    ensure!(!node.log()?.contains("panicked"), "the node panicked");
    Ok(())
}

fn leaf(index: u64) -> Leaf {
    let digest = |name: &str| Digest::of(format!("{name} {index}").as_bytes());
    Leaf {
        task: TaskId::from_bytes(u128::from(index).to_be_bytes()),
        circuit: digest("circuit"),
        key: digest("key"),
        public_inputs: digest("public inputs"),
        proof: digest("proof"),
        verifier: digest("verifier"),
        submitted_ms: 1_700_000_000_000 + index,
        finished_ms: 1_700_000_001_000 + index,
    }
}

/// Logs of every size to [`SIZES`], with each proof that there is about them.
fn logs() -> anyhow::Result<Vec<Value>> {
    let mut tiles: BTreeMap<Tile, Vec<u8>> = BTreeMap::new();
    let mut writer = Writer::new();
    let mut logs = Vec::new();
    for size in 1..=SIZES {
        let done = writer.append(&leaf(size - 1))?;
        let keep = |each: TileBytes| (each.tile, each.bytes);
        tiles.extend(done.completed.into_iter().map(keep));
        tiles.extend(writer.partials().into_iter().map(keep));
        let mut log = Log::new(&tiles, size);
        let inclusions: Vec<_> = (0..size)
            .map(|index| log.inclusion(index))
            .collect::<Result<_, _>>()?;
        let growths: Vec<_> = (1..=size)
            .map(|old| log.consistency(old))
            .collect::<Result<_, _>>()?;
        logs.push(json!({
            "size": size,
            "root": log.root_at(size)?,
            "leaf": leaf(size - 1),
            "leaf_hash": log.leaf_hash(size - 1)?,
            "inclusions": inclusions,
            "growths": growths,
        }));
    }
    Ok(logs)
}

fn formulas(bytes: &[u8]) -> anyhow::Result<Value> {
    let circuit = Circuit::decode(bytes)?;
    let system = &circuit.constraint_system;
    let formulas = Formulas::new(system, circuit.field);
    let constraints = system.gates.iter().flat_map(|gate| &gate.constraints);
    let gates: Vec<_> = constraints
        .map(|each| formulas.polynomial(each.expression))
        .collect();
    let lookups: Vec<_> = system
        .lookups
        .iter()
        .map(|each| formulas.lookup(each))
        .collect();
    let rows = circuit.layout.selector_rows.len();
    Ok(json!({
        "bytes": BASE64_STANDARD.encode(bytes),
        "k": circuit.k,
        "gates": gates,
        "lookups": lookups,
        "selector_rows": rows,
        "copies": circuit.layout.copies.len(),
        "public_inputs": circuit.public_inputs.len(),
    }))
}

#[tokio::test]
async fn the_consoles_mathematics_is_that_of_the_log_and_of_the_circuits() -> anyhow::Result<()> {
    let node = Node::with_plugins(&["merkle"]).await?;
    node.upload(fixture("circuits")?).await?;
    let client = node.client()?;
    let mut made = vec![node.circuit("merkle", json!({"depth": 8})).await?];
    for name in ["instances", "lookups", "names", "selectors"] {
        let params = json!({"circuit": name});
        made.push(node.circuit("circuits", params).await?);
    }
    let mut circuits = Vec::new();
    for circuit in made {
        circuits.push(formulas(&client.circuit_ir(&circuit.id).await?)?);
    }
    let logs = logs()?;
    let root = serde_json::from_value(logs.last().context("no log")?["root"].clone())?;
    let signer = SignerKey::from_seed("console.example/log", &[7; 32])?;
    let head = Head { size: SIZES, root };
    let note = Checkpoint::new("console.example/log", head)?.sign(&[&signer])?;
    let vectors = json!({
        "logs": logs,
        "checkpoint": note.to_string(),
        "key": signer.verifier().to_string(),
        "circuits": circuits,
    });
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("vectors.json");
    fs::write(&file, vectors.to_string())?;
    let mut checks = Command::new("node");
    checks
        .arg(workspace().join("tests/console/mathematics.mjs"))
        .arg(&file)
        .stdin(Stdio::null());
    let told = tokio::task::spawn_blocking(move || checks.output()).await?;
    let told = told.context("node does not start: this test needs Node.js 20 or later")?;
    ensure!(
        told.status.success(),
        "{}",
        String::from_utf8_lossy(&told.stderr)
    );
    Ok(())
}
