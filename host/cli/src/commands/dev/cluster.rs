//! `aureole dev --nodes 3 --workers 2`: a cluster on this machine, each part a process of its own.
//!
//! Nothing is started again by itself, so that killing a process shows what the others make of it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use aureole_node::{Plan, found};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use crate::arguments::{Output, Settings};
use crate::commands::Context;
use crate::print;

/// How long a process may take to be ready: parameters and keys may have to be made.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// How long a process may take to stop, its running proofs included.
const STOP_PATIENCE: Duration = Duration::from_secs(40);

/// A process of the cluster.
struct Part {
    name: String,
    url: Option<String>,
    metrics: Option<String>,
    process: Child,
}

/// Runs a cluster until SIGINT or SIGTERM.
pub(super) async fn run(
    context: &Context,
    nodes: u32,
    workers: u32,
    settings: Settings,
) -> anyhow::Result<ExitCode> {
    let folder = settings
        .data_dir
        .unwrap_or_else(|| ".aureole-cluster".into());
    let addresses = free_addresses(2 * nodes)?;
    let (internal, http) = addresses.split_at(nodes as usize);
    let plan = Plan {
        coordinators: internal.iter().map(ToString::to_string).collect(),
        http: http.to_vec(),
        workers,
        enrol: false,
        origin: None,
        params_dir: Some(settings.params_dir.unwrap_or_else(|| folder.join("params"))),
    };
    let founded = found(&folder, &plan)?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let log = settings.log.as_deref().unwrap_or("info,openraft=warn");
    let mut parts = Vec::new();
    for config in founded.coordinators.iter().chain(&founded.workers) {
        parts.push(start(config, log)?);
    }
    for part in &mut parts {
        part.ready().await?;
    }
    tell(context, &folder, &founded.admin, &plan, &parts)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    let mut well = true;
    for part in &parts {
        part.send(Signal::TERM);
    }
    for part in &mut parts {
        well &= part.stopped().await;
    }
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Addresses on the loopback interface that nobody listened on a moment ago.
fn free_addresses(count: u32) -> anyhow::Result<Vec<SocketAddr>> {
    let bind = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listeners: Vec<_> = (0..count).map(bind).collect::<Result<_, _>>()?;
    let addresses = listeners.iter().map(TcpListener::local_addr);
    Ok(addresses.collect::<Result<_, _>>()?)
}

fn start(config: &Path, log: &str) -> anyhow::Result<Part> {
    let folder = config
        .parent()
        .context("a configuration without a folder")?;
    let name = folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let log_file = std::fs::File::create(folder.join("log"))?;
    let process = Command::new(std::env::current_exe()?)
        .args(["--output", "json", "serve", "--log", log, "--config"])
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log_file)
        // Ctrl-C reaches this process alone, which passes it on.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{name} does not start"))?;
    Ok(Part {
        name,
        url: None,
        metrics: None,
        process,
    })
}

fn tell(
    context: &Context,
    folder: &Path,
    admin: &Path,
    plan: &Plan,
    parts: &[Part],
) -> anyhow::Result<()> {
    let internal = |index: usize| plan.coordinators.get(index);
    let described = parts.iter().enumerate().map(|(index, part)| {
        json!({
            "name": part.name,
            "pid": part.process.id(),
            "url": part.url,
            "internal": internal(index),
            "metrics": part.metrics,
        })
    });
    let ready = json!({
        "event": "ready",
        "folder": folder,
        "admin": admin,
        "processes": described.collect::<Vec<Value>>(),
    });
    if context.output == Output::Json {
        return print::announcement(context.output, &ready, |_| {});
    }
    for (index, part) in parts.iter().enumerate() {
        let pid = part.process.id().unwrap_or_default();
        let (url, internal) = (part.url.as_deref().unwrap_or("-"), internal(index));
        let internal = internal.map_or("-", String::as_str);
        print::announce(format_args!(
            "{:<15} pid {pid:<8} {url:<24} internal {internal}",
            part.name
        ));
    }
    let (admin, first) = (admin.display(), internal(0).map_or("", String::as_str));
    print::announce(format_args!(
        "  status:    aureole cluster status --coordinator {first} --admin {admin}"
    ));
    print::announce(format_args!(
        "  key:       {admin}/admin.key, which aureole finds in this folder"
    ));
    print::announce("  kill one:  kill -9 PID; the others go on without it");
    print::announce(format_args!("  logs:      {}/*/log", folder.display()));
    print::announce("  stop:      Ctrl-C");
    Ok(())
}

// === impl Part ===

impl Part {
    /// Waits until the process says that it is ready.
    async fn ready(&mut self) -> anyhow::Result<()> {
        let stdout = self
            .process
            .stdout
            .take()
            .context("a process without output")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = timeout(START_PATIENCE, lines.next_line()).await;
        let Ok(Ok(Some(line))) = line else {
            bail!(
                "{} did not become ready; its log is in its folder",
                self.name
            );
        };
        let ready: Value = serde_json::from_str(&line)?;
        let text = |name: &str| ready.get(name).and_then(Value::as_str).map(str::to_owned);
        (self.url, self.metrics) = (text("url"), text("metrics"));
        Ok(())
    }

    fn send(&self, signal: Signal) {
        let pid = self
            .process
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(pid) = pid {
            // One that ended a moment ago needs no signal.
            let _ = kill_process(pid, signal);
        }
    }

    /// Waits until the process has ended; false if it had to be killed.
    async fn stopped(&mut self) -> bool {
        if timeout(STOP_PATIENCE, self.process.wait()).await.is_ok() {
            return true;
        }
        print::announce(format_args!(
            "{} did not stop in time and is killed",
            self.name
        ));
        let _ = self.process.kill().await;
        false
    }
}
