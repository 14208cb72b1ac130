//! A node under test: the real binary, in a folder and on a port of its own.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Weak, mpsc},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use aureole_client::{
    Client,
    rest::{Circuit, CircuitRequest, Plugin, Task, TaskRequest, TaskState},
};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::{
    key::{ACCESS, client},
    place::{binary, params_dir, plugin},
    processes::{Process, descendants, send},
    wait::PATIENCE,
};

/// How long an inspection or a preparation may be waited for in one request: the API's limit.
const REQUEST_WAIT: Duration = Duration::from_secs(60);

/// What follows the testkit's key in the same section when callers may ask as often as they like.
const UNLIMITED: &str = "key_rate = 0\ntenant_rate = 0\n";

/// Lines of a node's log that a failed test shows.
const LOG_LINES_SHOWN: usize = 60;

/// How a node is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its configuration file; what the testkit needs is given by flags, which override it.
    pub config: String,
    /// Which log lines it writes.
    pub log: &'static str,
    /// Whether it makes its administrator's first key itself, in place of the testkit's.
    pub first_key: bool,
    /// Whether its callers may ask as often as they like. Only with the testkit's key.
    pub unlimited: bool,
}

/// A running node. Dropped, it is killed and its folder removed.
#[derive(Debug)]
pub struct Node {
    process: Child,
    url: String,
    /// Where its figures are, if its configuration says so.
    metrics: Option<String>,
    folder: TempDir,
    options: Options,
}

/// What a node says when it is ready.
struct Told {
    url: String,
    metrics: Option<String>,
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            config: String::new(),
            log: "warn",
            first_key: false,
            unlimited: false,
        }
    }
}

// === impl Node ===

impl Node {
    /// Starts a node with nothing in it and waits until it is ready.
    ///
    /// # Errors
    /// When it is not built, ends, or is not ready in time; its log is in the error.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(Options::default())
    }

    /// Starts a node with other options.
    ///
    /// # Errors
    /// As [`Node::start`].
    pub fn start_with(options: Options) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("aureole-node-").tempdir()?;
        let access = if options.first_key { "" } else { ACCESS };
        let rates = if options.unlimited { UNLIMITED } else { "" };
        let config = format!("{}\n{access}{rates}", options.config);
        fs::write(folder.path().join("node.toml"), config)?;
        let (process, Told { url, metrics }) = launch(folder.path(), "127.0.0.1:0", &options)?;
        Ok(Self {
            process,
            url,
            metrics,
            folder,
            options,
        })
    }

    /// Starts a node and uploads first-party plugins.
    ///
    /// # Errors
    /// As [`Node::start`], and when a plugin is refused.
    pub async fn with_plugins(names: &[&str]) -> anyhow::Result<Self> {
        Self::start()?.having(names).await
    }

    /// Uploads first-party plugins.
    ///
    /// # Errors
    /// When one is refused.
    pub async fn having(self, names: &[&str]) -> anyhow::Result<Self> {
        for name in names {
            self.upload(plugin(name)?).await?;
        }
        Ok(self)
    }

    /// Where its figures are.
    ///
    /// # Errors
    /// When its configuration names no address for them.
    pub fn metrics_url(&self) -> anyhow::Result<&str> {
        self.metrics.as_deref().context("the node tells no figures")
    }

    /// The node that tests share which neither stop it nor count what it holds, with the
    /// first-party plugins. It lives as long as one of them uses it.
    ///
    /// # Errors
    /// As [`Node::with_plugins`].
    pub async fn shared() -> anyhow::Result<Arc<Self>> {
        static SHARED: Mutex<Weak<Node>> = Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        if let Some(node) = shared.upgrade() {
            return Ok(node);
        }
        let node = Arc::new(Self::with_plugins(&["cubic-c", "merkle", "preimage", "range"]).await?);
        *shared = Arc::downgrade(&node);
        Ok(node)
    }

    /// Where it answers, such as `http://127.0.0.1:40123`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// A client of it.
    ///
    /// # Errors
    /// When its address is none.
    pub fn client(&self) -> anyhow::Result<Client> {
        client(&self.url)
    }

    /// Where it keeps its data.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// All that it has logged, over restarts.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> anyhow::Result<String> {
        read_log(self.folder.path())
    }

    /// The processes below it.
    ///
    /// # Errors
    /// When the system cannot be asked.
    pub fn children(&self) -> anyhow::Result<Vec<Process>> {
        descendants(self.process.id())
    }

    /// Kills it as a power cut would, and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Asks it to stop.
    ///
    /// # Errors
    /// When it is gone already.
    pub fn terminate(&self) -> anyhow::Result<()> {
        send(self.process.id(), Signal::TERM)
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// When it goes on for longer than that.
    pub fn ended(&mut self, within: Duration) -> anyhow::Result<ExitStatus> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait()? {
                return Ok(status);
            }
            ensure!(
                start.elapsed() < within,
                "the node still runs after {within:?}"
            );
            thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Asks it to stop, waits until it has, and wants its exit to be a success.
    ///
    /// # Errors
    /// When it takes longer, or ends otherwise.
    pub fn stop(&mut self, within: Duration) -> anyhow::Result<()> {
        self.terminate()?;
        let status = self.ended(within)?;
        ensure!(status.success(), "the node ended with {status}");
        Ok(())
    }

    /// Starts it again with the same folder and on the same port, after a kill or a stop.
    ///
    /// # Errors
    /// As [`Node::start`].
    pub fn restart(&mut self) -> anyhow::Result<()> {
        ensure!(
            self.process.try_wait()?.is_some(),
            "the node still runs: stop it first"
        );
        let (process, Told { url, metrics }) =
            launch(self.folder.path(), &self.listen(), &self.options)?;
        self.process = process;
        (self.url, self.metrics) = (url, metrics);
        Ok(())
    }

    /// Starts it again and kills it so long after: before, while or just after it recovers.
    ///
    /// # Errors
    /// As [`Node::start`].
    pub fn die_starting(&mut self, after: Duration) -> anyhow::Result<()> {
        ensure!(
            self.process.try_wait()?.is_some(),
            "the node still runs: stop it first"
        );
        self.process = spawn(self.folder.path(), &self.listen(), &self.options)?;
        thread::sleep(after);
        self.kill()
    }

    /// The address it answers at, as a start takes it.
    fn listen(&self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }

    /// Uploads a component and waits until it is ready.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn upload(&self, component: Vec<u8>) -> anyhow::Result<Plugin> {
        let client = self.client()?;
        let (plugin, _) = client
            .upload_plugin(component.into(), REQUEST_WAIT, |_, _| {})
            .await?;
        ensure!(
            plugin.is_settled(),
            "{} is still being inspected",
            plugin.label()
        );
        Ok(plugin)
    }

    /// Prepares a plugin's circuit and waits until it is ready.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn circuit(&self, plugin: &str, params: Value) -> anyhow::Result<Circuit> {
        let request = CircuitRequest {
            plugin: plugin.parse()?,
            params: Some(params),
        };
        let (circuit, _) = self.client()?.put_circuit(&request, REQUEST_WAIT).await?;
        ensure!(
            circuit.is_settled(),
            "circuit {} is still being prepared",
            circuit.id
        );
        Ok(circuit)
    }

    /// Submits a task for a circuit and answers at once.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn submit(&self, circuit: &str, input: Value) -> anyhow::Result<Task> {
        let request = TaskRequest {
            circuit: Some(circuit.to_owned()),
            input,
            ..TaskRequest::default()
        };
        Ok(self.client()?.submit(&request).await?)
    }

    /// Waits until a task has its proof.
    ///
    /// # Errors
    /// When it ends otherwise, or not in time.
    pub async fn done(&self, task: &str) -> anyhow::Result<Task> {
        let task = self.client()?.wait_task(task, PATIENCE, |_| {}).await?;
        if task.state != TaskState::Done {
            bail!("task {} is {}: {:?}", task.id, task.state, task.error);
        }
        Ok(task)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("{}", shown_log(self.folder.path()));
        }
    }
}

fn launch(folder: &Path, listen: &str, options: &Options) -> anyhow::Result<(Child, Told)> {
    let mut process = spawn(folder, listen, options)?;
    match ready(&mut process) {
        Ok(told) => Ok((process, told)),
        Err(error) => {
            let _ = process.kill();
            let status = process.wait();
            Err(error.context(format!("status {status:?}; {}", shown_log(folder))))
        }
    }
}

fn spawn(folder: &Path, listen: &str, options: &Options) -> anyhow::Result<Child> {
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("node.log"))?;
    Command::new(binary()?)
        .args([
            "dev",
            "--output",
            "json",
            "--listen",
            listen,
            "--log",
            options.log,
        ])
        .arg("--config")
        .arg(folder.join("node.toml"))
        .arg("--data-dir")
        .arg(folder.join("data"))
        .arg("--params-dir")
        .arg(params_dir()?)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .context("could not start the node")
}

/// Reads the line that says where the node answers.
fn ready(process: &mut Child) -> anyhow::Result<Told> {
    let stdout = process
        .stdout
        .take()
        .context("the node's output is not ours to read")?;
    let (send, receive) = mpsc::channel();
    // Reads to the end, so that the node never blocks on a full pipe.
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = send.send(line);
        }
    });
    let line = match receive.recv_timeout(PATIENCE) {
        Ok(line) => line,
        Err(mpsc::RecvTimeoutError::Timeout) => bail!("the node was not ready in {PATIENCE:?}"),
        Err(mpsc::RecvTimeoutError::Disconnected) => bail!("the node ended before it was ready"),
    };
    let event: Value = serde_json::from_str(&line)
        .with_context(|| format!("the node's first line is no JSON: {line}"))?;
    ensure!(
        event["event"] == "ready",
        "the node's first line is {event}"
    );
    let text = |name: &str| event[name].as_str().map(str::to_owned);
    Ok(Told {
        url: text("url").context("the node does not say where it answers")?,
        metrics: text("metrics"),
    })
}

fn read_log(folder: &Path) -> anyhow::Result<String> {
    let log = fs::read(folder.join("node.log")).context("could not read the node's log")?;
    Ok(String::from_utf8_lossy(&log).into_owned())
}

fn shown_log(folder: &Path) -> String {
    let log = read_log(folder).unwrap_or_else(|error| format!("{error:#}"));
    let lines: Vec<&str> = log.lines().collect();
    let from = lines.len().saturating_sub(LOG_LINES_SHOWN);
    format!(
        "the node's log ends with:\n{}",
        lines.get(from..).unwrap_or_default().join("\n")
    )
}
