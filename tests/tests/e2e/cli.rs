//! The command line, against a node and with none.

use std::process::{Command, Stdio};
use std::{fs, io, path::Path};

use aureole_tests::{KEY, MERKLE_REQUEST, Node, binary, cli, plugin_path, preimage_input};
use serde_json::{Value, json};

/// A node and a folder to work in.
struct Desk {
    node: std::sync::Arc<Node>,
    folder: tempfile::TempDir,
}

impl Desk {
    async fn new() -> anyhow::Result<Self> {
        let desk = Self {
            node: Node::shared().await?,
            folder: tempfile::tempdir()?,
        };
        fs::write(
            desk.folder.path().join("input.json"),
            preimage_input(3).to_string(),
        )?;
        Ok(desk)
    }

    fn run(&self, line: &str) -> anyhow::Result<cli::Ran> {
        cli::aureole(Some(self.node.url()), self.folder.path(), line.split(' '))
    }

    fn json(&self, line: &str) -> anyhow::Result<Value> {
        self.run(&format!("--output json {line}"))?.json()
    }
}

/// Runs with no node.
fn alone(folder: &Path, line: &str) -> anyhow::Result<cli::Ran> {
    cli::aureole(None, folder, line.split(' '))
}

#[tokio::test]
async fn plugins_are_uploaded_listed_shown_and_retired() -> anyhow::Result<()> {
    let node = Node::start()?;
    let folder = tempfile::tempdir()?;
    let run = |arguments: &[&str]| cli::aureole(Some(node.url()), folder.path(), arguments);
    let file = plugin_path("preimage")?.display().to_string();
    let uploaded = run(&["plugin", "upload", &file])?.text()?;
    assert!(uploaded.contains("preimage@0.1.0"), "{uploaded}");
    let again = run(&["plugin", "upload", &file])?.text()?;
    assert!(again.contains("already"), "{again}");
    let list = run(&["plugin", "list", "--output", "json"])?.json()?;
    assert_eq!(list["plugins"][0]["name"], "preimage");
    let shown = run(&["plugin", "show", "preimage", "--output", "json"])?.json()?;
    assert_eq!(shown["input_schema"]["title"], "Preimage input");
    assert!(
        run(&["plugin", "show", "preimage"])?
            .text()?
            .contains("digest")
    );
    let retired = run(&["plugin", "retire", "preimage@0.1.0"])?.text()?;
    assert!(retired.contains("retired"), "{retired}");
    fs::write(
        folder.path().join("input.json"),
        preimage_input(3).to_string(),
    )?;
    let refused = run(&["prove", "preimage", "--input", "input.json"])?;
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("retired"), "{}", refused.stderr);
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_no_plugin_is_refused_with_what_to_do() -> anyhow::Result<()> {
    let desk = Desk::new().await?;
    let refused = desk.run("plugin upload input.json")?;
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("plugin.not_component"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("what to do"), "{}", refused.stderr);
    let refused = desk.run("--output json plugin upload input.json")?;
    let problem: Value = serde_json::from_str(&refused.stderr)?;
    assert_eq!(problem["code"], "plugin.not_component");
    assert_eq!(refused.stdout, "");
    Ok(())
}

#[tokio::test]
async fn a_circuit_is_shown_by_plugin_and_by_id() -> anyhow::Result<()> {
    let desk = Desk::new().await?;
    let by_plugin = desk.json("circuit show merkle")?;
    assert_eq!(by_plugin["params"]["depth"], 16);
    let id = by_plugin["id"].as_str().unwrap_or_default();
    assert_eq!(desk.json(&format!("circuit show {id}"))?, by_plugin);
    fs::write(desk.folder.path().join("params.json"), r#"{"depth":3}"#)?;
    let smaller = desk.json("circuit show merkle --params params.json")?;
    assert_ne!(smaller["key_digest"], by_plugin["key_digest"]);
    let text = desk.run("circuit show merkle")?.text()?;
    for word in ["k = ", "advice", "degree", "key"] {
        assert!(text.contains(word), "no {word:?} in {text}");
    }
    Ok(())
}

#[tokio::test]
async fn a_proof_from_a_node_verifies_from_its_bundle_alone() -> anyhow::Result<()> {
    let desk = Desk::new().await?;
    fs::write(desk.folder.path().join("merkle.json"), MERKLE_REQUEST)?;
    let proved = desk.json("prove merkle --input merkle.json -o bundle")?;
    assert_eq!(proved["state"], "done");
    let verdict = alone(desk.folder.path(), "--output json verify bundle")?.json()?;
    assert_eq!(verdict["valid"], true);
    assert_eq!(
        verdict["public_inputs"]["root"][0],
        proved["public_inputs"]["root"]
    );
    let text = alone(desk.folder.path(), "verify bundle")?.text()?;
    assert!(text.starts_with("valid"), "{text}");
    let key = verdict["key_digest"].as_str().unwrap_or_default();
    assert_eq!(
        alone(desk.folder.path(), &format!("verify bundle --key {key}"))?.code,
        Some(0)
    );
    let other = alone(
        desk.folder.path(),
        &format!("verify bundle --key {}", "0".repeat(64)),
    )?;
    assert_eq!(other.code, Some(1));
    Ok(())
}

#[tokio::test]
async fn a_proof_made_here_verifies_here_and_on_a_node() -> anyhow::Result<()> {
    let desk = Desk::new().await?;
    let file = plugin_path("preimage")?.display().to_string();
    let arguments = [
        "prove",
        "--local",
        &file,
        "--input",
        "input.json",
        "-o",
        "bundle",
        "--output",
        "json",
    ];
    let proved = cli::aureole(None, desk.folder.path(), arguments)?.json()?;
    assert_eq!(alone(desk.folder.path(), "verify bundle")?.code, Some(0));
    let circuit = desk.json("circuit show preimage")?;
    assert_eq!(proved["key_digest"], circuit["key_digest"]);
    assert_eq!(proved["circuit_digest"], circuit["circuit_digest"]);
    Ok(())
}

#[tokio::test]
async fn a_bundle_that_was_tampered_with_does_not_verify() -> anyhow::Result<()> {
    let desk = Desk::new().await?;
    desk.run("prove preimage --input input.json -o bundle")?
        .text()?;
    let bundle = desk.folder.path().join("bundle");
    let manifest = fs::read_to_string(bundle.join("bundle.json"))?;
    let parsed: Value = serde_json::from_str(&manifest)?;
    let digest = parsed["public_inputs"]["digest"][0]
        .as_str()
        .unwrap_or_default();
    let zero = format!("0x{:064x}", 0);
    let key = parsed["key_digest"].as_str().unwrap_or_default();
    let flip = |name: &str| -> anyhow::Result<Vec<u8>> {
        let mut bytes = fs::read(bundle.join(name))?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        Ok(bytes)
    };
    let longer = [fs::read(bundle.join("proof.bin"))?, vec![0]].concat();
    let table: Vec<(&str, &str, Vec<u8>, &str)> = vec![
        (
            "a flipped bit in the proof",
            "proof.bin",
            flip("proof.bin")?,
            "does not verify",
        ),
        ("a byte after the proof", "proof.bin", longer, "exactly"),
        (
            "a flipped bit in the circuit",
            "circuit.bin",
            flip("circuit.bin")?,
            "circuit",
        ),
        (
            "another public input",
            "bundle.json",
            manifest.replace(digest, &zero).into(),
            "does not verify",
        ),
        (
            "another key",
            "bundle.json",
            manifest.replace(key, &"0".repeat(64)).into(),
            "key",
        ),
        (
            "another format",
            "bundle.json",
            manifest.replace("bundle/1", "bundle/2").into(),
            "format",
        ),
        (
            "an unknown field",
            "bundle.json",
            manifest.replacen('{', "{\"x\":1,", 1).into(),
            "bundle",
        ),
        ("no JSON", "bundle.json", b"nothing".to_vec(), "no bundle"),
    ];
    for (what, name, bytes, reason) in &table {
        let genuine = fs::read(bundle.join(name))?;
        fs::write(bundle.join(name), bytes)?;
        let verdict = alone(desk.folder.path(), "verify bundle")?;
        assert_eq!(verdict.code, Some(1), "{what} is taken");
        let said = format!("{}{}", verdict.stdout, verdict.stderr);
        assert!(said.contains(reason), "{what}: {said}");
        fs::write(bundle.join(name), genuine)?;
    }
    assert_eq!(alone(desk.folder.path(), "verify bundle")?.code, Some(0));
    Ok(())
}

#[tokio::test]
async fn tasks_are_listed_shown_watched_and_cancelled() -> anyhow::Result<()> {
    let desk = Desk::new().await?;
    let task = desk
        .node
        .client()?
        .submit_to("preimage", &preimage_input(9))
        .await?;
    let watched = desk.json(&format!("task watch {}", task.id))?;
    assert_eq!(watched["state"], "done");
    let shown = desk.json(&format!("task show {}", task.id))?;
    assert_eq!(shown, watched);
    assert!(
        desk.run(&format!("task show {}", task.id))?
            .text()?
            .contains("done")
    );
    let list = desk.json("task list --state done --limit 50")?;
    let ids: Vec<&Value> = list["tasks"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|task| &task["id"])
        .collect();
    assert!(ids.contains(&&json!(task.id)), "{list}");
    assert!(desk.run("task list")?.text()?.contains("tsk_"));
    let late = desk.run(&format!("task cancel {}", task.id))?;
    assert_eq!(late.code, Some(1));
    assert!(late.stderr.contains("task.finished"), "{}", late.stderr);
    let unknown = desk.run("task list --state sleeping")?;
    assert!(
        unknown.stderr.contains("queued"),
        "the states are named: {}",
        unknown.stderr
    );
    Ok(())
}

#[tokio::test]
async fn an_input_with_a_mistake_is_refused_with_its_place() -> anyhow::Result<()> {
    let desk = Desk::new().await?;
    fs::write(
        desk.folder.path().join("bad.json"),
        r#"{"message":["0x00"]}"#,
    )?;
    let refused = desk.run("prove preimage --input bad.json")?;
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("input.schema: /message"),
        "{}",
        refused.stderr
    );
    Ok(())
}

#[test]
fn a_node_that_is_not_there_is_named() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let away = cli::aureole(
        Some("http://127.0.0.1:9"),
        folder.path(),
        ["plugin", "list"],
    )?;
    assert_eq!(away.code, Some(1));
    assert!(
        away.stderr.contains("http://127.0.0.1:9"),
        "{}",
        away.stderr
    );
    assert!(away.stderr.contains("because"), "{}", away.stderr);
    Ok(())
}

#[test]
fn help_says_what_each_command_is_for() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let help = alone(folder.path(), "--help")?.text()?;
    for command in ["dev", "plugin", "circuit", "prove", "verify", "task"] {
        assert!(
            help.contains(command),
            "{command} is not in the help: {help}"
        );
    }
    assert!(
        !help.contains("child"),
        "the hidden command is shown: {help}"
    );
    for line in [
        "dev --help",
        "plugin --help",
        "plugin upload --help",
        "plugin list --help",
        "plugin show --help",
        "plugin retire --help",
        "circuit show --help",
        "prove --help",
        "verify --help",
        "task list --help",
        "task show --help",
        "task cancel --help",
        "task watch --help",
    ] {
        let help = alone(folder.path(), line)?.text()?;
        assert!(help.contains("Usage: aureole"), "{line}: {help}");
        assert!(help.contains("--output"), "{line}: {help}");
        let first = help.lines().next().unwrap_or_default();
        assert!(
            first.len() > 10 && !first.starts_with("Usage"),
            "{line} does not say what it is for"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_reader_that_goes_ends_a_command_without_a_word() -> anyhow::Result<()> {
    let desk = Desk::new().await?;
    for line in ["--output json plugin list", "circuit show merkle"] {
        let (reader, writer) = io::pipe()?;
        drop(reader);
        let ended = Command::new(binary()?)
            .args(line.split(' '))
            .env("AUREOLE_URL", desk.node.url())
            .env("AUREOLE_KEY", KEY)
            .stdout(writer)
            .output()?;
        assert_eq!(ended.status.code(), Some(141), "{line}");
        assert_eq!(String::from_utf8(ended.stderr)?, "", "{line}");
    }
    Ok(())
}

#[test]
fn a_flag_wins_over_the_environment() -> anyhow::Result<()> {
    let status = |arguments: &[&str]| -> anyhow::Result<_> {
        let ended = Command::new(binary()?)
            .args(["cluster", "status", "--config", "/nowhere/node.toml"])
            .args(arguments)
            .env("AUREOLE_COORDINATOR", "127.0.0.1:1")
            .env("AUREOLE_ADMIN", "/nowhere/admin")
            .stdin(Stdio::null())
            .output()?;
        Ok((ended.status.code(), String::from_utf8(ended.stderr)?))
    };
    let (code, said) = status(&[])?;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("/nowhere/node.toml cannot be read"), "{said}");
    for flag in ["--coordinator", "--admin"] {
        let (code, said) = status(&[flag, "127.0.0.1:1"])?;
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(flag) && said.contains("--config"), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn a_proof_may_have_a_deadline() -> anyhow::Result<()> {
    let desk = Desk::new().await?;
    let proved = desk.json("prove preimage --input input.json --deadline 10m --priority 7")?;
    assert_eq!(
        (&proved["state"], &proved["priority"]),
        (&json!("done"), &json!(7))
    );
    assert!(proved["deadline"].is_string(), "{proved}");
    let past = desk.run("prove preimage --input input.json --deadline 2020-01-01T00:00:00Z")?;
    assert_eq!(past.code, Some(1));
    assert!(
        past.stderr.contains("task.deadline_past"),
        "{}",
        past.stderr
    );
    let unread = desk.run("prove preimage --input input.json --deadline soon")?;
    assert_eq!(unread.code, Some(2));
    assert!(unread.stderr.contains("10m"), "{}", unread.stderr);
    Ok(())
}

#[test]
fn shells_and_man_are_told_every_command() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = alone(folder.path(), &format!("completions {shell}"))?.text()?;
        for verb in ["webhook", "circuit", "prove"] {
            assert!(script.contains(verb), "{shell} knows nothing of {verb}");
        }
    }
    let script = folder.path().join("completions.bash");
    fs::write(&script, alone(folder.path(), "completions bash")?.text()?)?;
    let syntax = Command::new("bash").arg("-n").arg(script).status()?;
    assert!(syntax.success(), "bash cannot read its completions");
    alone(folder.path(), "man pages")?.text()?;
    let page = fs::read_to_string(folder.path().join("pages/aureole-task-list.1"))?;
    assert!(page.contains("newest first"), "{page}");
    assert!(!folder.path().join("pages/aureole-child.1").exists());
    Ok(())
}
