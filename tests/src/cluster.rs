//! A whole cluster under test: real processes on loopback ports, or on hosts of a [`Net`].
//!
//! Coordinators, which are gateways too, are `c1`, `c2`, ...; workers `w1`, `w2`, ...
//! Each has a folder, a log and a configuration file of its own, as on machines of their own.

mod audit;
mod config;
mod offer;
mod server;
mod status;
mod traffic;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use aureole_client::Client;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::net::Net;
use crate::place::{binary, plugin};
use crate::wait::eventually;

pub use audit::Verdict;
pub use server::Server;
pub use status::Status;
pub use traffic::{Acknowledged, Habits, Recorded, Traffic};

/// How long an inspection may be waited for in one request: the API's limit.
const REQUEST_WAIT: Duration = Duration::from_secs(60);

/// Where coordinators that have a host of their own listen for each other.
pub(crate) const INTERNAL_PORT: u16 = 7400;

/// Where their gateways answer.
const REST_PORT: u16 = 8080;

/// Clusters at a time in one process. Most of a story is waiting for elections, leases and pauses, so
/// two share a machine of two cores; more would only slow each other down.
const AT_A_TIME: u32 = 2;

static TURNS: Semaphore = Semaphore::const_new(AT_A_TIME as usize);

/// What a cluster is made of.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Coordinators, each with a gateway.
    pub coordinators: u8,
    /// Workers.
    pub workers: u8,
    /// Proofs that a worker makes at a time.
    pub slots: u32,
    /// Threads of a proof.
    pub threads: u32,
    /// Whether each process has a host of its own, so that links can be cut; needs root.
    pub network: bool,
    /// Whether disks and clocks can be made wrong.
    pub faults: bool,
    /// How long a lease lasts without a heartbeat.
    pub lease_ms: u64,
    /// Which log lines they write.
    pub log: &'static str,
    /// Sections added to each coordinator's configuration, such as its `[archive]`.
    pub services: String,
    /// Whether no other cluster of this process may run meanwhile, because something is timed.
    pub alone: bool,
}

/// A running cluster. Dropped, its processes are killed and its folders removed.
#[derive(Debug)]
pub struct Cluster {
    servers: BTreeMap<String, Server>,
    net: Option<Net>,
    layout: Layout,
    folder: TempDir,
    _turn: SemaphorePermit<'static>,
}

// === impl Layout ===

impl Default for Layout {
    fn default() -> Self {
        Self {
            coordinators: 3,
            workers: 2,
            slots: 1,
            threads: 1,
            network: false,
            faults: false,
            lease_ms: 10_000,
            log: "info,openraft=warn",
            services: String::new(),
            alone: false,
        }
    }
}

// === impl Cluster ===

impl Cluster {
    /// Starts a cluster and waits until it takes work.
    ///
    /// # Errors
    /// When it is not built, or does not take work in time; the logs' ends are in the error.
    pub async fn start(layout: Layout) -> anyhow::Result<Self> {
        let turns = if layout.alone { AT_A_TIME } else { 1 };
        let turn = TURNS.acquire_many(turns).await?;
        let folder = tempfile::Builder::new()
            .prefix("aureole-cluster-")
            .tempdir()?;
        let hosts = layout.coordinators + layout.workers;
        let net = layout.network.then(|| Net::new(hosts)).transpose()?;
        let servers = config::servers(&layout, net.as_ref(), folder.path())?;
        let mut cluster = Self {
            servers,
            net,
            layout,
            folder,
            _turn: turn,
        };
        for name in cluster.names() {
            cluster.start_server(&name)?;
        }
        match cluster.ready().await {
            Ok(()) => Ok(cluster),
            Err(error) => Err(error.context(cluster.shown_logs())),
        }
    }

    /// Starts a cluster and uploads first-party plugins.
    ///
    /// # Errors
    /// As [`Cluster::start`], and when a plugin is refused.
    pub async fn with_plugins(layout: Layout, names: &[&str]) -> anyhow::Result<Self> {
        let cluster = Self::start(layout).await?;
        for name in names {
            cluster.upload(plugin(name)?).await?;
        }
        Ok(cluster)
    }

    /// Uploads a component and waits until it is ready.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn upload(&self, component: Vec<u8>) -> anyhow::Result<()> {
        let client = self.client("c1")?;
        let (plugin, _) = client
            .upload_plugin(component.into(), REQUEST_WAIT, |_, _| {})
            .await?;
        ensure!(
            plugin.is_settled(),
            "{} is still being inspected",
            plugin.label()
        );
        Ok(())
    }

    /// What it is made of.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Everybody's name.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.servers.keys().cloned().collect()
    }

    /// The coordinators' names.
    #[must_use]
    pub fn coordinators(&self) -> Vec<String> {
        (1..=self.layout.coordinators)
            .map(|id| format!("c{id}"))
            .collect()
    }

    /// The workers' names.
    #[must_use]
    pub fn workers(&self) -> Vec<String> {
        (1..=self.layout.workers)
            .map(|id| format!("w{id}"))
            .collect()
    }

    /// One process.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn server(&self, name: &str) -> anyhow::Result<&Server> {
        let server = self.servers.get(name);
        server.with_context(|| format!("the cluster has no {name}"))
    }

    /// One process, to kill or stop.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn server_mut(&mut self, name: &str) -> anyhow::Result<&mut Server> {
        let server = self.servers.get_mut(name);
        server.with_context(|| format!("the cluster has no {name}"))
    }

    /// Starts a process that does not run, with the folder that it had.
    ///
    /// # Errors
    /// When it runs already or cannot be started.
    pub fn start_server(&mut self, name: &str) -> anyhow::Result<()> {
        let server = self.servers.get_mut(name);
        let server = server.with_context(|| format!("the cluster has no {name}"))?;
        server.start(self.net.as_ref())
    }

    /// Its hosts' network.
    ///
    /// # Errors
    /// When it was started without.
    pub fn net(&mut self) -> anyhow::Result<&mut Net> {
        self.net
            .as_mut()
            .context("this cluster was started without a network of its own")
    }

    /// A process's host in the network.
    ///
    /// # Errors
    /// When it was started without.
    pub fn host(&self, name: &str) -> anyhow::Result<u8> {
        self.server(name)?
            .host
            .context("this cluster was started without a network of its own")
    }

    /// Where a coordinator's gateway answers.
    ///
    /// # Errors
    /// When it has no gateway.
    pub fn url(&self, name: &str) -> anyhow::Result<&str> {
        let url = self.server(name)?.url.as_deref();
        url.with_context(|| format!("{name} has no gateway"))
    }

    /// Where all gateways answer.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.servers
            .values()
            .filter_map(|server| server.url.clone())
            .collect()
    }

    /// A client of one gateway.
    ///
    /// # Errors
    /// When it has no gateway.
    pub fn client(&self, name: &str) -> anyhow::Result<Client> {
        crate::client(self.url(name)?)
    }

    /// Waits until every gateway that runs takes work.
    ///
    /// # Errors
    /// When one does not in time, or a coordinator has ended whose disk refused nothing.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        self.ready_after(BTreeSet::new()).await
    }

    /// The same, of a cluster in which some may be about to end by themselves, as they do when their
    /// disk is full or fails: each is started again, once, and those that were already never.
    async fn ready_after(&mut self, mut restarted: BTreeSet<String>) -> anyhow::Result<()> {
        for name in self.coordinators() {
            if !self.server(&name)?.runs() {
                continue;
            }
            let client = self.client(&name)?;
            let mut told;
            let waiting = format!("{name} to take work");
            let start = std::time::Instant::now();
            loop {
                if self.ended_by_its_disk(&name)? {
                    ensure!(restarted.insert(name.clone()), "{name} ended once more");
                    self.start_server(&name)?;
                }
                match client.ready().await {
                    Ok(health) if health.ready => break,
                    Ok(health) => told = format!("{:?}", health.checks),
                    Err(error) => told = format!("{error:#}"),
                }
                ensure!(
                    start.elapsed() < crate::PATIENCE,
                    "waited for {waiting}, in vain: {told}"
                );
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Ok(())
    }

    /// Whether a process that ran has ended since, as it may when its disk refused something.
    ///
    /// # Errors
    /// When it has ended without that reason, or otherwise than by itself.
    fn ended_by_its_disk(&mut self, name: &str) -> anyhow::Result<bool> {
        let server = self.server_mut(name)?;
        let Some(status) = server.exited()? else {
            return Ok(false);
        };
        let may = server.may_end_by_itself()?;
        ensure!(may && status.code().is_some(), "{name} ended with {status}");
        Ok(true)
    }

    /// Gives a coordinator that has lost its disk back to the group: the member that it was is
    /// removed, and it is added as a new one.
    ///
    /// # Errors
    /// When the group does not let it go or in.
    pub async fn replace(&mut self, name: &str) -> anyhow::Result<()> {
        let id = name.trim_start_matches('c').to_owned();
        let address = self.server(name)?.rejoins()?;
        eventually("a lost coordinator to be removed", || async {
            let removed = self.operate(&["remove", &id]).await;
            // An earlier try may have done it without an answer.
            let gone = |error: &anyhow::Error| error.to_string().contains("does not belong");
            Ok((removed.is_ok() || removed.is_err_and(|error| gone(&error))).then_some(()))
        })
        .await?;
        self.start_server(name)?;
        eventually("an empty coordinator to be added", || async {
            Ok(self.operate(&["add", &id, &address]).await.ok())
        })
        .await?;
        self.ready().await
    }

    /// Runs `aureole cluster` as the operator of whoever leads.
    async fn operate(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let leader = self.leader().await?;
        administrate(&self.server(&leader)?.config(), arguments)
    }

    /// Waits until every coordinator has each blob that something refers to: until each has as many,
    /// while nobody submits.
    ///
    /// # Errors
    /// When one still lacks some after [`crate::PATIENCE`].
    pub async fn repaired(&self) -> anyhow::Result<()> {
        eventually("every coordinator to have all blobs", || async {
            let Ok(told) = self.operate(&["gc", "--dry-run", "--output", "json"]).await else {
                return Ok(None);
            };
            let told: Value = serde_json::from_str(&told)?;
            let members = told.get("members").and_then(Value::as_array);
            let counts = members.into_iter().flatten();
            let counts: Vec<_> = counts
                .map(|member| member.get("referenced").and_then(Value::as_u64))
                .collect();
            let all = counts.len() == usize::from(self.layout.coordinators);
            let same = counts
                .iter()
                .all(|count| count.is_some() && Some(count) == counts.first());
            Ok((all && same).then_some(()))
        })
        .await
    }

    /// Who leads, as the majority of those who answer say.
    ///
    /// # Errors
    /// When nobody leads in time.
    pub async fn leader(&self) -> anyhow::Result<String> {
        eventually("somebody to lead", || async {
            let mut votes = BTreeMap::<u64, usize>::new();
            for name in self.coordinators() {
                if let Ok(status) = self.status(&name)
                    && let Some(leader) = status.leader
                {
                    *votes.entry(leader).or_default() += 1;
                }
            }
            let majority = usize::from(self.layout.coordinators / 2 + 1);
            let leader = votes.into_iter().find(|(_, votes)| *votes >= majority);
            Ok(leader.map(|(id, _)| format!("c{id}")))
        })
        .await
    }

    /// A coordinator that does not lead.
    ///
    /// # Errors
    /// As [`Cluster::leader`].
    pub async fn follower(&self) -> anyhow::Result<String> {
        let leader = self.leader().await?;
        let followers = self.coordinators();
        let mut followers = followers.into_iter().filter(|name| *name != leader);
        followers.next().context("the leader is alone")
    }

    /// The group as one coordinator sees it.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn status(&self, name: &str) -> anyhow::Result<Status> {
        status::ask(self.server(name)?)
    }

    /// Runs a command of the binary against one gateway.
    ///
    /// # Errors
    /// When it fails, with what it said.
    pub fn run(&self, name: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(binary()?);
        command
            .args(arguments)
            .args(["--url", self.url(name)?])
            .env("AUREOLE_KEY", crate::KEY);
        output(&mut command)
    }

    /// Ends every fault, starts who does not run, and waits until all take work again.
    ///
    /// # Errors
    /// When one does not in time, or a process has ended by itself whose disk refused nothing since
    /// the last healing.
    pub async fn heal(&mut self) -> anyhow::Result<()> {
        if let Some(net) = &mut self.net {
            net.heal()?;
        }
        let mut restarted = BTreeSet::new();
        for name in self.names() {
            let server = self.server(&name)?;
            if let Ok(faults) = server.faults() {
                faults.heal()?;
            }
            if server.runs() {
                if self.ended_by_its_disk(&name)? {
                    restarted.insert(name.clone());
                } else {
                    self.server(&name)?.resume()?;
                }
            }
            if !self.server(&name)?.runs() {
                self.start_server(&name)?;
            }
        }
        if let Err(error) = self.ready_after(restarted).await {
            return Err(error.context(self.shown_logs()));
        }
        self.servers
            .values_mut()
            .try_for_each(Server::forget_refusals)
    }

    /// The folder of a shared file, for people.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The ends of all logs.
    #[must_use]
    pub fn shown_logs(&self) -> String {
        let logs: Vec<String> = self.servers.values().map(Server::shown_log).collect();
        logs.join("\n\n")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", self.shown_logs());
        }
        // Processes end before their folders go.
        self.servers.clear();
        // Thousands of small files that were synced take seconds to remove. Nobody waits for it: the
        // next story begins, and the removal outlives this process.
        let removal = Command::new("rm")
            .arg("-rf")
            .arg(self.folder.path())
            .spawn();
        self.folder.disable_cleanup(removal.is_ok());
    }
}

/// Runs `aureole cluster` as the operator of one coordinator.
fn administrate(config: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new(binary()?);
    command
        .arg("cluster")
        .args(arguments)
        .arg("--config")
        .arg(config);
    output(&mut command)
}

/// Runs a command and returns what it printed.
fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "{command:?} ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// A path as configuration has it.
fn quoted(path: &Path) -> String {
    format!("{:?}", path.display().to_string())
}
