//! `demo LISTEN DATA_DIR PARAMS_DIR [stay]`: what `cargo xtask demo` shows once all is built.
//!
//! A node of its own, the first-party plugins uploaded over the API, the README's request, each
//! stage as it happens, the proof downloaded and verified, and what it cost.
#![allow(
    clippy::print_stdout,
    reason = "the lines to try next are this program's output"
)]

use std::io::{BufRead as _, BufReader, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use aureole_client::rest::{Task, TaskState, Timings, VerifyRequest};
use aureole_client::{Bundle, Client};
use aureole_tests::{MERKLE_REQUEST, binary, plugin_path};
use indicatif::{ProgressBar, ProgressStyle};

/// What the node gets to hold; the names of the components in `target/plugins`.
const PLUGINS: [&str; 3] = ["merkle", "preimage", "range"];

/// How long an inspection may take; the most a node lets a request wait.
const INSPECTION: Duration = Duration::from_secs(60);

/// How long the demo's proof may take, on a slow machine that makes its parameters first.
const PROOF: Duration = Duration::from_secs(600);

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |name| {
        arguments
            .next()
            .with_context(|| format!("{name} is missing"))
    };
    let (listen, data_dir, params_dir) = (next("LISTEN")?, next("DATA_DIR")?, next("PARAMS_DIR")?);
    let stay = arguments.next().is_some_and(|word| word == "stay");
    step("starting a node");
    let mut node = Node::start(&listen, &data_dir, &params_dir)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let key = std::fs::read_to_string(Path::new(&data_dir).join("admin.key"))?;
    runtime.block_on(show(&node.url, &key))?;
    if stay {
        eprintln!("\nThe node stays at {} until Ctrl-C.", node.url);
        node.process.wait()?;
    }
    Ok(())
}

fn step(what: &str) {
    eprintln!("\n==> {what}");
}

async fn show(url: &str, key: &str) -> anyhow::Result<()> {
    let client = Client::new(url)?.with_key(key);
    step("uploading the first-party plugins");
    for name in PLUGINS {
        upload(&client, name, plugin_path(name)?).await?;
    }
    step("submitting a Merkle membership proof");
    eprintln!("    POST {url}/api/v1/tasks/merkle\n    {MERKLE_REQUEST}");
    // The first proof of a fresh node makes nothing that the inspection has not made; the second
    // one is what every later request sees.
    for run in ["first", "warm"] {
        let started = Instant::now();
        let task = prove(&client).await?;
        let bundle = client.bundle(&task.id).await?;
        let elapsed = started.elapsed();
        verify(&client, &bundle).await?;
        figures(run, &task, &bundle, elapsed);
        if run == "warm" {
            next_steps(url, &task);
        }
    }
    Ok(())
}

async fn upload(client: &Client, name: &'static str, path: PathBuf) -> anyhow::Result<()> {
    let component = std::fs::read(path)?;
    let spinner = spinner(&format!("{name}: uploading"));
    let moving = spinner.clone();
    let (plugin, _) = client
        .upload_plugin(component.into(), INSPECTION, move |sent, total| {
            if sent == total {
                moving.set_message(format!(
                    "{name}: inspecting, recording the circuit, making keys"
                ));
            }
        })
        .await?;
    spinner.finish_and_clear();
    let circuit = plugin
        .default_circuit
        .as_deref()
        .unwrap_or("no default circuit");
    eprintln!("    {:<16} {circuit}", plugin.label());
    Ok(())
}

async fn prove(client: &Client) -> anyhow::Result<Task> {
    let input: serde_json::Value = serde_json::from_str(MERKLE_REQUEST)?;
    let spinner = spinner("submitted");
    let submitted = client.submit_to("merkle", &input).await?;
    let task = client
        .wait_task(&submitted.id, PROOF, |task| {
            let stage = task
                .stage
                .map_or_else(|| task.state.to_string(), |stage| stage.to_string());
            if spinner.is_hidden() {
                eprintln!("    {}: {stage}", task.id);
            }
            spinner.set_message(stage);
        })
        .await?;
    spinner.finish_and_clear();
    ensure!(
        task.state == TaskState::Done,
        "the task is {}: {:?}",
        task.state,
        task.error
    );
    Ok(task)
}

/// Asks the node for a verdict on the downloaded proof, and on one with a flipped byte.
async fn verify(client: &Client, bundle: &Bundle) -> anyhow::Result<()> {
    let encoded = bundle
        .task
        .proof
        .as_ref()
        .and_then(|proof| proof.base64.clone());
    let request = VerifyRequest {
        circuit: bundle.circuit.id.clone(),
        public_inputs: bundle.task.public_inputs.clone().unwrap_or_default(),
        proof: encoded.context("the task shows no proof")?,
    };
    let verdict = client.verify(&request).await?;
    ensure!(
        verdict.valid,
        "the proof does not verify: {:?}",
        verdict.reason
    );
    // The 65th character lies inside the transcript; A and B differ in their bits.
    let mut forged = request.clone();
    let flipped = if forged.proof.as_bytes().get(64) == Some(&b'A') {
        "B"
    } else {
        "A"
    };
    forged.proof.replace_range(64..65, flipped);
    let verdict = client.verify(&forged).await?;
    ensure!(!verdict.valid, "a proof with a flipped bit verifies");
    Ok(())
}

fn figures(run: &str, task: &Task, bundle: &Bundle, elapsed: Duration) {
    let Timings {
        queue,
        witness,
        check,
        prove,
        verify,
        ..
    } = task.timings_ms.unwrap_or_default();
    let millis = |stage: Option<f64>| stage.unwrap_or_default();
    let total = elapsed.as_secs_f64() * 1000.0;
    let work = millis(witness) + millis(check) + millis(prove) + millis(verify);
    eprintln!("\n    {run} proof, verified; the same with one flipped bit was refused");
    eprintln!("      witness  {:8.1} ms   in the sandbox", millis(witness));
    eprintln!(
        "      check    {:8.1} ms   every constraint, before proving",
        millis(check)
    );
    eprintln!(
        "      prove    {:8.1} ms   stock halo2_proofs",
        millis(prove)
    );
    eprintln!(
        "      verify   {:8.1} ms   in another process",
        millis(verify)
    );
    eprintln!("      queue    {:8.1} ms", millis(queue));
    eprintln!(
        "      overhead {:8.1} ms   all else: HTTP, commits to disk, download",
        total - work - millis(queue)
    );
    eprintln!("      total    {total:8.1} ms   from submission to the downloaded proof");
    eprintln!(
        "      proof    {:8} B    sha256 {}",
        bundle.proof.len(),
        task.proof.as_ref().map_or("", |proof| &proof.digest)
    );
    for (name, elements) in task.public_inputs.iter().flatten() {
        eprintln!("      {name:<8} {}", elements.texts().join(", "));
    }
}

fn next_steps(url: &str, task: &Task) {
    let id = &task.id;
    step("what to try next (keep a node running with `cargo xtask demo --stay`)");
    println!(
        "curl -X POST {url}/api/v1/tasks/merkle -H 'content-type: application/json' -d '{MERKLE_REQUEST}'\n\
         curl '{url}/api/v1/tasks/{id}?wait=30s'\n\
         curl -o proof.bin {url}/api/v1/tasks/{id}/proof\n\
         curl -X POST {url}/api/v1/tasks/range -H 'content-type: application/json' -d '{{\"value\":\"42\",\"lo\":\"18\",\"hi\":\"99\",\"blinding\":\"0x{:064x}\"}}'\n\
         curl {url}/api/v1/plugins/merkle\n\
         target/debug/aureole --url {url} task list",
        7
    );
}

fn spinner(message: &str) -> ProgressBar {
    let spinner = if std::io::stderr().is_terminal() {
        ProgressBar::new_spinner()
    } else {
        ProgressBar::hidden()
    };
    if let Ok(style) = ProgressStyle::with_template("    {spinner} {msg} ({elapsed})") {
        spinner.set_style(style);
    }
    spinner.set_message(message.to_owned());
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

/// The demo's node, stopped when the demo ends.
struct Node {
    process: Child,
    url: String,
}

// === impl Node ===

impl Node {
    fn start(listen: &str, data_dir: &str, params_dir: &str) -> anyhow::Result<Self> {
        let mut command = Command::new(binary()?);
        command
            .args([
                "dev", "--output", "json", "--log", "warn", "--listen", listen,
            ])
            .args(["--data-dir", data_dir, "--params-dir", params_dir])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut process = command.spawn().context("could not start the node")?;
        let url = ready(&mut process);
        match url {
            Ok(url) => {
                eprintln!("    listening on {url}");
                Ok(Self { process, url })
            }
            Err(error) => {
                process.kill().ok();
                process.wait().ok();
                Err(error)
            }
        }
    }
}

/// Reads the line in which a node says where it listens.
fn ready(process: &mut Child) -> anyhow::Result<String> {
    let output = process
        .stdout
        .take()
        .context("the node has no standard output")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    if line.is_empty() {
        bail!(
            "the node ended before it was ready; is its address in use? (see above; --listen takes another)"
        );
    }
    let ready: serde_json::Value = serde_json::from_str(&line).context("the node said no JSON")?;
    let url = ready.get("url").and_then(|url| url.as_str());
    Ok(url
        .context("the node did not say where it listens")?
        .to_owned())
}

impl Drop for Node {
    fn drop(&mut self) {
        // SIGTERM would do as well; nothing acknowledged is lost either way.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
