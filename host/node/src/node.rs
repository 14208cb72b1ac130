//! One node: a coordinator group of one, a worker with its children, and a gateway.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aureole_coordinator::{Coordinator, InputKeys, KeyError, SystemClock};
use aureole_ledger::TaskId;
use aureole_store::{Archive, Depot, InputVault};
use aureole_worker::{ChildCommand, Provers, ProversConfig, Sandboxes, SandboxesConfig};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::archivist;
use crate::config::{Config, ConfigError};
use crate::desk::Desk;
use crate::desk::check::Checker;
use crate::link::Link;
use crate::secret::Secret;
use crate::signers::Signers;
use crate::verifier::ChildVerifier;

/// This group has one member.
const NODE_ID: u64 = 1;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A file or folder of the node cannot be used.
    #[error("{path} cannot be used")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}; is another node running? --listen takes another address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The depot does not open.
    #[error("the depot does not open")]
    Depot(#[from] aureole_store::DepotError),
    /// The vault does not open.
    #[error("the vault of input keys does not open")]
    Vault(#[from] aureole_store::VaultError),
    /// The archive does not open.
    #[error("the archive does not open")]
    Archive(#[from] aureole_store::ArchiveError),
    /// The coordinator does not start.
    #[error("the coordinator does not start")]
    Coordinator(#[from] aureole_coordinator::StartError),
    /// The worker or the verifier does not start.
    #[error("the child processes do not start")]
    Worker(#[from] aureole_worker::Error),
    /// This program cannot find itself, which its child processes are started from.
    #[error("the program's own file is not to be found")]
    Program(#[source] io::Error),
}

/// A running node.
#[derive(Debug)]
pub struct Node {
    http_addr: SocketAddr,
    coordinator: Coordinator,
    worker: aureole_worker::Worker,
    archive: Archive,
    gateway: JoinHandle<()>,
    gateway_stop: CancellationToken,
    background: Vec<JoinHandle<()>>,
    background_stop: CancellationToken,
}

/// The vault as the coordinator sees it: keys for the leases it hands out.
#[derive(Debug)]
struct VaultKeys(Arc<InputVault>);

impl InputKeys for VaultKeys {
    fn key(&self, task: TaskId) -> Result<Option<[u8; 32]>, KeyError> {
        Ok(self.0.key(task)?.map(|key| *key.expose()))
    }
}

// === impl Node ===

impl Node {
    /// Starts everything; when this returns, the node takes requests.
    ///
    /// # Errors
    /// [`StartError`] names what could not be opened or started.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        make_folder(&config.data_dir)?;
        // Bound first: two nodes that were told the same address must not share a folder.
        let address = config.http.listen;
        let listen = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let http_addr = listener.local_addr().map_err(listen)?;

        let data = |name: &str| config.data_dir.join(name);
        let depot = Depot::open(&data("depot"))?;
        let vault = Arc::new(InputVault::open(&data("vault"))?);
        let archive = Archive::open(&data("archive.sqlite")).await?;
        let signers = Signers::new(&config.plugins)?;
        let secret_path = data("secret");
        let secret = Secret::open(&secret_path).map_err(|source| StartError::File {
            path: secret_path,
            source,
        })?;

        let provers = provers_config(&config)?;
        let verifier_config = ProversConfig {
            size: 1,
            threads: cores(),
            ..provers.clone()
        };
        let verifier = Arc::new(ChildVerifier::new(Provers::new(
            verifier_config,
            depot.clone(),
        )));
        let coordinator = Coordinator::start(
            aureole_coordinator::Config {
                lease: Duration::from_millis(config.worker.lease_ms),
                ..aureole_coordinator::Config::new(NODE_ID, data("raft"))
            },
            depot.clone(),
            verifier.clone(),
            Arc::new(VaultKeys(vault.clone())),
            Arc::new(SystemClock),
        )
        .await?;

        let background_stop = CancellationToken::new();
        let router = tonic::transport::Server::builder().add_service(coordinator.workers_service());
        let (link, served) = Link::serve(router, background_stop.clone());
        let (worker, checker) = start_worker(&config, provers, link, &depot).await?;
        let desk = Arc::new(Desk::new(
            depot,
            vault,
            archive.clone(),
            coordinator.clone(),
            verifier,
            secret,
            signers,
            checker,
        ));
        archivist::clear_orphans(&desk).await;
        let archivist = tokio::spawn(archivist::run(desk.clone(), background_stop.clone()));

        let gateway_stop = CancellationToken::new();
        let gateway = tokio::spawn(aureole_gateway::serve(
            listener,
            desk,
            aureole_gateway::Config::default(),
            gateway_stop.clone().cancelled_owned(),
        ));
        tracing::info!(address = %http_addr, data = %config.data_dir.display(), "the node is ready");
        Ok(Self {
            http_addr,
            coordinator,
            worker,
            archive,
            gateway,
            gateway_stop,
            background: vec![served, archivist],
            background_stop,
        })
    }

    /// Where the REST API listens.
    #[must_use]
    pub fn http_addr(&self) -> SocketAddr {
        self.http_addr
    }

    /// Runs until asked to stop, then stops in order: no new requests or leases; running proofs
    /// finish, or are handed back when the drain's bound has passed; the log is closed last.
    pub async fn run_until(mut self, asked: impl Future<Output = ()>) {
        tokio::select! {
            () = asked => {}
            result = &mut self.gateway => {
                tracing::error!(?result, "the gateway ended by itself; stopping the node");
            }
        }
        tracing::info!("stopping: finishing what runs, or handing it back");
        self.coordinator.quiesce();
        self.gateway_stop.cancel();
        self.worker.drain().await;
        if !self.gateway.is_finished()
            && let Err(error) = self.gateway.await
        {
            tracing::error!(%error, "the gateway did not end well");
        }
        self.background_stop.cancel();
        for task in self.background {
            if let Err(error) = task.await {
                tracing::error!(%error, "a background task did not end well");
            }
        }
        self.coordinator.shutdown().await;
        self.archive.close().await;
        tracing::info!("stopped");
    }
}

async fn start_worker(
    config: &Config,
    provers: ProversConfig,
    link: Link,
    depot: &Depot,
) -> Result<(aureole_worker::Worker, Checker), StartError> {
    let slots = config.worker.slots;
    let mut sandboxes = SandboxesConfig::new(provers.command.clone(), config.data_dir.join("code"));
    // One more than there are attempts: a component leaves one to its neighbours.
    sandboxes.size = slots + 1;
    let worker = aureole_worker::WorkerConfig {
        id: "local".to_owned(),
        slots,
        cores: cores(),
        memory_bytes: provers.memory_bytes,
        drain: Duration::from_millis(config.worker.drain_ms),
    };
    let sandboxes = Sandboxes::new(sandboxes, depot.clone())?;
    let provers = Provers::new(provers, depot.clone());
    let checker = Checker::new(sandboxes.clone(), provers.clone());
    let connect = move || link.channel();
    let depot = depot.clone();
    let worker = aureole_worker::Worker::start(worker, connect, depot, sandboxes, provers).await?;
    Ok((worker, checker))
}

fn provers_config(config: &Config) -> Result<ProversConfig, StartError> {
    let command = ChildCommand::current().map_err(StartError::Program)?;
    let params_dir = config.params_dir();
    make_folder(&params_dir)?;
    let slots = config.worker.slots;
    let threads = match config.worker.threads {
        0 => (cores() / slots).max(1),
        threads => threads,
    };
    let mut provers = ProversConfig::new(command, params_dir, threads);
    provers.size = slots;
    provers.key_cache_bytes = config.worker.key_cache_bytes;
    provers.limits.k_max = config.limits.k_max;
    Ok(provers)
}

fn make_folder(path: &Path) -> Result<(), StartError> {
    std::fs::create_dir_all(path).map_err(|source| StartError::File {
        path: path.to_owned(),
        source,
    })
}

fn cores() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(cores).unwrap_or(1)
}
