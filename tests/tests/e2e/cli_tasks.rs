//! The command line on many tasks: submitted at once and again under one key, listed by what they
//! are, downloaded, and verified together by the node.

use std::fs;

use anyhow::{Context as _, ensure};
use aureole_tests::{Node, cli, preimage_input};
use serde_json::{Value, json};

/// A node of its own, because its tasks are counted, and a folder to work in.
struct Desk {
    node: Node,
    folder: tempfile::TempDir,
}

impl Desk {
    async fn new() -> anyhow::Result<Self> {
        Ok(Self {
            node: Node::with_plugins(&["preimage"]).await?,
            folder: tempfile::tempdir()?,
        })
    }

    fn run(&self, line: &str) -> anyhow::Result<cli::Ran> {
        cli::aureole(Some(self.node.url()), self.folder.path(), line.split(' '))
    }

    /// The document of a command, whatever its exit code.
    fn json(&self, line: &str) -> anyhow::Result<Value> {
        let ran = self.run(&format!("--output json {line}"))?;
        serde_json::from_str(&ran.stdout)
            .with_context(|| format!("{line}: {} {}", ran.stdout, ran.stderr))
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        Ok(fs::write(self.folder.path().join(name), text)?)
    }
}

fn ids(tasks: &Value) -> Vec<String> {
    let each = tasks.as_array().into_iter().flatten();
    each.filter_map(|task| Some(task["id"].as_str()?.to_owned()))
        .collect()
}

#[tokio::test]
async fn a_file_of_tasks_is_submitted_once_listed_downloaded_and_verified() -> anyhow::Result<()> {
    let desk = Desk::new().await?;
    let line = |seed| json!({"plugin": "preimage", "input": preimage_input(seed)}).to_string();
    let nobody = json!({"plugin": "nobody", "input": {}});
    let file = format!("{}\n{nobody}\n\n{}\n", line(1), line(2));
    desk.write("tasks.jsonl", &file)?;
    let submit = "task submit --batch tasks.jsonl --idempotency-key order-7";
    let first = desk.run(submit)?;
    ensure!(first.code == Some(1), "{first:?}");
    ensure!(first.stderr.contains("line 2: plugin.unknown"), "{first:?}");
    let submitted: Vec<&str> = first.stdout.lines().collect();
    ensure!(submitted.len() == 2, "{first:?}");
    ensure!(
        desk.run(submit)?.stdout == first.stdout,
        "it was done twice"
    );
    desk.write("broken.jsonl", &format!("{}\nnothing\n", line(3)))?;
    let broken = desk.run("task submit --batch broken.jsonl")?;
    ensure!(broken.stderr.contains("line 2 is no task"), "{broken:?}");
    // One alone, under a key of its own.
    desk.write("input.json", &preimage_input(4).to_string())?;
    let submit = "task submit preimage --input input.json --priority 7 --idempotency-key last";
    let last = desk.run(submit)?.text()?;
    ensure!(desk.run(submit)?.text()? == last, "it was done twice");
    let last = last.trim();
    for (number, id) in [submitted[0], submitted[1], last].into_iter().enumerate() {
        let told = desk.json(&format!("task watch {id}"))?;
        ensure!(told["state"] == "done", "{told}");
        desk.run(&format!("task bundle {id} -o b{number}"))?
            .text()?;
    }
    listed(&desk, &[submitted[0], submitted[1], last])?;
    verified(&desk)?;
    included(&desk, last)
}

/// The list, by all that it can be asked for.
fn listed(desk: &Desk, submitted: &[&str; 3]) -> anyhow::Result<()> {
    let mut oldest = submitted.map(str::to_owned).to_vec();
    // Two came in one batch, at the same time or not.
    let found = ids(&desk.json("task list --sort oldest --since 1h --all")?["tasks"]);
    if found.first() == oldest.get(1) {
        oldest.swap(0, 1);
    }
    ensure!(found == oldest, "{found:?}, not {oldest:?}");
    let page = desk.json("task list --plugin preimage --state done --limit 2")?;
    let next = page["next"].as_str().context("there is one more")?;
    let rest = desk.json(&format!(
        "task list --plugin preimage --state done --before {next}"
    ))?;
    let mut pages = [ids(&page["tasks"]), ids(&rest["tasks"])].concat();
    pages.reverse();
    ensure!(pages == oldest, "{pages:?}");
    let more = desk.run("task list --limit 1")?;
    ensure!(more.stderr.contains("--before"), "{more:?}");
    for none in ["--until 2020-01-01T00:00:00Z", "--state cancelled"] {
        let text = desk.run(&format!("task list {none}"))?.text()?;
        ensure!(text.contains("no tasks"), "{none}: {text}");
    }
    let refused = desk.run("task list --since yesterday")?;
    ensure!(
        refused.code == Some(2) && refused.stderr.contains("10m"),
        "{refused:?}"
    );
    Ok(())
}

/// The bundles, by the node: one, all, and one of which a proof was changed.
fn verified(desk: &Desk) -> anyhow::Result<()> {
    let one = desk.json("verify b0 --on-node")?;
    ensure!(
        one["valid"] == true && one["plugin"] == "preimage@0.1.0",
        "{one}"
    );
    let all = desk.run("verify b0 b1 b2 --on-node")?.text()?;
    ensure!(
        all.lines().filter(|line| line.starts_with("valid")).count() == 3,
        "{all}"
    );
    let here = desk.json("verify b0 b1")?;
    ensure!(here["valid"] == true, "{here}");
    let proof = desk.folder.path().join("b1/proof.bin");
    let mut bytes = fs::read(&proof)?;
    bytes[40] ^= 1;
    fs::write(&proof, bytes)?;
    let report = desk.json("verify b0 b1 b2 --on-node")?;
    let verdicts = [0, 1, 2].map(|at| report["verdicts"][at]["valid"].as_bool());
    ensure!(
        verdicts == [Some(true), Some(false), Some(true)],
        "{report}"
    );
    ensure!(desk.run("verify b1 --on-node")?.code == Some(1));
    let key = format!("verify b0 --on-node --key {}", "0".repeat(64));
    ensure!(desk.run(&key)?.stderr.contains("not the one asked for"));
    // A circuit that is not the bundle's is never asked about.
    fs::write(desk.folder.path().join("b2/circuit.bin"), b"another")?;
    let other = desk.run("verify b2 --on-node")?;
    ensure!(
        other.code == Some(1) && other.stderr.contains("digest"),
        "{other:?}"
    );
    Ok(())
}

/// A receipt's leaf in the log as it is now, and who asks.
fn included(desk: &Desk, task: &str) -> anyhow::Result<()> {
    let key = desk.run("receipts key")?.text()?;
    let key = key.trim();
    desk.run(&format!("receipts show {task} -o receipt.json"))?
        .text()?;
    let told = desk.json(&format!("receipts inclusion receipt.json --key {key}"))?;
    ensure!(told["included"] == true && told["size"] == 3, "{told}");
    let receipt = desk.folder.path().join("receipt.json");
    let text = fs::read_to_string(&receipt)?;
    let read: Value = serde_json::from_str(&text)?;
    let finished = read["leaf"]["finished_ms"].as_u64().context("no time")?;
    let changed = text.replace(&finished.to_string(), &(finished + 1).to_string());
    fs::write(&receipt, changed)?;
    let other = desk.run(&format!("receipts inclusion receipt.json --key {key}"))?;
    ensure!(
        other.code == Some(1) && other.stdout.contains("NOT included"),
        "{other:?}"
    );
    let me = desk.json("me")?;
    ensure!(me["role"] == "admin" && me["usage"]["proofs"] == 3, "{me}");
    ensure!(desk.run("me")?.text()?.contains("live tasks"));
    ensure!(desk.run("health")?.text()?.starts_with("ready"));
    let code = desk.run("errors plugin.unknown")?.text()?;
    ensure!(code.contains("What to do"), "{code}");
    ensure!(desk.run("errors")?.text()?.contains("witness.unsatisfied"));
    ensure!(desk.run("errors no.such")?.code == Some(1));
    Ok(())
}
