//! Receipts, the log behind them and verifying keys, by the command line against a real node.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use aureole_client::Error;
use aureole_ledger::Digest;
use aureole_receipts::{Checkpoint, Leaf, Receipt, SignerKey, Tree};
use aureole_store::TileLog;
use aureole_tests::{Node, cli, preimage_input};
use serde_json::Value;

/// A node with a finished proof, and a folder to work in.
struct Desk {
    node: Node,
    folder: tempfile::TempDir,
    circuit: String,
    task: String,
    key: String,
}

impl Desk {
    async fn new() -> anyhow::Result<Self> {
        let node = Node::with_plugins(&["preimage"]).await?;
        let client = node.client()?;
        let plugin = client.plugin("preimage", std::time::Duration::ZERO).await?;
        let circuit = plugin.default_circuit.context("no default circuit")?;
        let task = node.submit(&circuit, preimage_input(1)).await?;
        let task = node.done(&task.id).await?;
        let key = String::from_utf8(client.log_key().await?.to_vec())?;
        let desk = Self {
            node,
            folder: tempfile::tempdir()?,
            circuit,
            task: task.id,
            key: key.trim().to_owned(),
        };
        fs::write(
            desk.folder.path().join("input.json"),
            preimage_input(3).to_string(),
        )?;
        Ok(desk)
    }

    fn run(&self, line: &str) -> anyhow::Result<cli::Ran> {
        let arguments = line.split(' ').map(|word| match word {
            "KEY" => self.key.as_str(),
            "TASK" => &self.task,
            "CIRCUIT" => &self.circuit,
            word => word,
        });
        cli::aureole(Some(self.node.url()), self.folder.path(), arguments)
    }

    fn json(&self, line: &str) -> anyhow::Result<Value> {
        let ran = self.run(&format!("--output json {line}"))?;
        serde_json::from_str(&ran.stdout)
            .with_context(|| format!("no JSON: {} {}", ran.stdout, ran.stderr))
    }

    /// Runs and expects an exit code.
    fn ends(&self, line: &str, code: i32) -> anyhow::Result<String> {
        let ran = self.run(line)?;
        ensure!(ran.code == Some(code), "{line}: {ran:?}");
        Ok(ran.stdout)
    }

    async fn prove(&self, number: u64) -> anyhow::Result<String> {
        let task = self
            .node
            .submit(&self.circuit, preimage_input(number))
            .await?;
        Ok(self.node.done(&task.id).await?.id)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }
}

#[tokio::test]
async fn a_receipt_verifies_offline_and_a_changed_one_does_not() -> anyhow::Result<()> {
    let desk = Desk::new().await?;
    desk.ends("receipts show TASK -o receipt.json", 0)?;
    desk.ends("prove preimage --input input.json -o bundle", 0)?;
    let valid = desk.ends("receipts verify receipt.json --key KEY", 0)?;
    ensure!(valid.starts_with("valid"), "{valid}");
    let document = desk.json("receipts verify receipt.json --key KEY")?;
    ensure!(document["leaf"]["task"] == desk.task.as_str(), "{document}");
    // It is of this task's proof and of no other.
    let client = desk.node.client()?;
    let mut receipt = Receipt::from_json(&fs::read_to_string(desk.path("receipt.json"))?)?;
    let proof = Digest::of(&client.proof(&desk.task).await?);
    ensure!(receipt.leaf.proof.to_string() == proof.to_string());
    let opening = receipt
        .opening
        .clone()
        .context("the owner is told nothing")?;
    ensure!(opening.verifier.contains("halo2_proofs"), "{opening:?}");
    let other = desk.ends("receipts verify receipt.json --key KEY --bundle bundle", 1)?;
    ensure!(other.contains("the bundle's proof"), "{other}");
    receipt.leaf.finished_ms += 1;
    fs::write(desk.path("changed.json"), receipt.to_json()?)?;
    let changed = desk.ends("receipts verify changed.json --key KEY", 1)?;
    ensure!(changed.contains("NOT valid"), "{changed}");
    let stranger = SignerKey::from_seed("other.example", &[1; 32])?;
    let line = format!("receipts verify receipt.json --key {}", stranger.verifier());
    desk.ends(&line, 1)?;
    Ok(())
}

#[tokio::test]
async fn a_history_rewritten_on_disk_is_detected_by_a_checkpoint_kept_from_before()
-> anyhow::Result<()> {
    let mut desk = Desk::new().await?;
    desk.ends("receipts audit --key KEY --keep kept", 0)?;
    let second = desk.prove(2).await?;
    desk.ends(&format!("receipts show {second}"), 0)?;
    let report = desk.json("receipts audit --key KEY --since kept")?;
    ensure!(report["leaves"] == 2 && report["since"] == 1, "{report}");
    let grown = desk.ends("receipts consistency kept --key KEY --keep newer", 0)?;
    ensure!(
        grown.contains("of 2 leaves continues the one of 1"),
        "{grown}"
    );
    // The operator stops the node, replaces the first leaf, makes every tile anew and signs it all
    // with the log's own key.
    desk.node.stop(std::time::Duration::from_secs(30))?;
    let folder = desk.node.data_dir().join("receipts");
    let line = format!("receipts audit {} --key KEY --since kept", folder.display());
    desk.ends(&line, 0)?;
    rewrite(&desk.node.data_dir())?;
    let alone = format!("receipts audit {} --key KEY", folder.display());
    desk.ends(&alone, 0)?;
    let found = desk.ends(&line, 1)?;
    ensure!(found.contains("history was rewritten"), "{found}");
    // A leaf changed without all that is found by anybody.
    let bundle = folder.join("tile/entries/000.p/2");
    let mut bytes = fs::read(&bundle)?;
    bytes[40] ^= 1;
    fs::write(&bundle, bytes)?;
    let found = desk.ends(&alone, 1)?;
    ensure!(found.contains("leaf 0 was rewritten"), "{found}");
    Ok(())
}

/// Rewrites the first leaf of a log with all that stands on it, and signs it.
fn rewrite(data: &Path) -> anyhow::Result<()> {
    let key = SignerKey::from_text(fs::read_to_string(data.join("log.key"))?.trim())?;
    let folder = data.join("receipts");
    let leaves: Vec<Leaf> = {
        let log = TileLog::open(&folder)?;
        (0..log.size())
            .map(|index| log.leaf(index))
            .collect::<Result<_, _>>()?
    };
    fs::remove_dir_all(&folder)?;
    let log = TileLog::open(&folder)?;
    let mut tree = Tree::new();
    for (index, mut leaf) in (0..).zip(leaves) {
        leaf.submitted_ms += u64::from(index == 0);
        tree.append(leaf.hash())?;
        log.append(index, leaf);
    }
    log.settle()?;
    let origin = key.verifier().name();
    let note = Checkpoint::new(origin, tree.head())?.sign(&[&key])?;
    log.sign(tree.size(), |_| {
        Ok::<_, aureole_store::TileLogError>(Some(note.to_string()))
    })?;
    Ok(())
}

#[tokio::test]
async fn a_revoked_key_refuses_submissions_and_says_so_of_old_proofs() -> anyhow::Result<()> {
    let desk = Desk::new().await?;
    let client = desk.node.client()?;
    desk.ends("verifying-key publish preimages CIRCUIT", 0)?;
    let shown = desk.json("verifying-key show preimages")?;
    ensure!(shown["versions"][0]["state"] == "current", "{shown}");
    desk.ends("prove preimage --input input.json -o before", 0)?;
    desk.ends("verify before", 0)?;
    let bundle = client.bundle(&desk.task).await?;
    let request = aureole_client::rest::VerifyRequest {
        circuit: desk.circuit.clone(),
        public_inputs: bundle.task.public_inputs.clone().unwrap_or_default(),
        proof: {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(&bundle.proof)
        },
    };
    ensure!(client.verify(&request).await?.valid);
    let mut revoke = vec!["verifying-key", "revoke", &desk.circuit, "--reason"];
    revoke.push("a gate lacks a constraint");
    cli::aureole(Some(desk.node.url()), desk.folder.path(), &revoke)?.text()?;
    let verdict = client.verify(&request).await?;
    ensure!(!verdict.valid, "{verdict:?}");
    let revoked = verdict.revoked.context("the verdict says nothing")?;
    ensure!(revoked.reason == "a gate lacks a constraint");
    match desk.node.submit(&desk.circuit, preimage_input(9)).await {
        Err(error) => {
            let problem = error.downcast_ref::<Error>();
            ensure!(
                format!("{problem:?}").contains("verifying_key.revoked"),
                "{error:?}"
            );
        }
        Ok(task) => anyhow::bail!("{task:?} was accepted"),
    }
    let bundle = client.bundle(&desk.task).await?;
    ensure!(bundle.revoked.is_some());
    let listed = desk.ends("verifying-key list", 0)?;
    ensure!(listed.contains("REVOKED"), "{listed}");
    // The receipt stays what it was: the proof was accepted.
    desk.ends("receipts show TASK -o receipt.json", 0)?;
    desk.ends("receipts verify receipt.json --key KEY", 0)?;
    let workers = desk.ends("worker list", 0)?;
    ensure!(workers.contains("joined"), "{workers}");
    Ok(())
}
