//! One process: a coordinator, a worker with its children, a gateway, or several of them.

mod coordinator;
mod lanes;
mod worker;

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aureole_gateway::{Limiter, MemoryLimiter, Rates};
use aureole_store::Cache;
use aureole_telemetry::Meters;
use aureole_worker::{ChildCommand, ProversConfig, Worker};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::coordinator::Member;
use crate::config::{Config, ConfigError, Founding, NodeRole};
use crate::hot::Hot;
use crate::memory;
use crate::metrics::{self, Sources};
use crate::rates::SharedLimiter;
use crate::relay::{Doorman, Local, Relay};
use crate::tls::{AuthorityError, Identity, IdentityError, Role, Transport, TransportError};

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
    /// The connections of the cluster cannot be made.
    #[error("the connections between the processes of the cluster")]
    Transport(#[from] TransportError),
    /// This process's certificate cannot be used.
    #[error("this process's certificate cannot be used")]
    Identity(#[from] IdentityError),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The authority's key, with which join tokens are answered, cannot be used.
    #[error("tls.enrol is true, but the authority's key cannot be used")]
    Authority(#[from] AuthorityError),
    /// The depot does not open.
    #[error("the depot does not open")]
    Depot(#[from] aureole_store::DepotError),
    /// The vault does not open.
    #[error("the vault of input keys does not open")]
    Vault(#[from] aureole_store::VaultError),
    /// The vault cannot be swept.
    #[error("the vault of input keys cannot be cleared of keys without a task")]
    Keys(#[from] aureole_coordinator::blobs::KeysError),
    /// The key that signs the log's checkpoints cannot be used.
    #[error("the key of the log of proofs cannot be used")]
    LogKey(#[from] crate::log_key::LogKeyError),
    /// The log's key cannot be trusted.
    #[error("the key of the log of proofs cannot be trusted")]
    Trust(#[from] aureole_receipts::TrustError),
    /// The meters cannot be made.
    #[error("the meters cannot be made")]
    Meters(#[from] aureole_telemetry::MeterError),
    /// The archive does not open.
    #[error("the archive does not open")]
    Archive(#[from] aureole_store::ArchiveError),
    /// The file of authorities that receivers of webhooks are known by cannot be used.
    #[error("webhooks.authorities")]
    Webhooks(#[from] aureole_webhooks::TrustError),
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

/// A running process of a cluster, or a whole node.
#[derive(Debug)]
pub struct Node {
    http_addr: Option<SocketAddr>,
    member: Option<Member>,
    worker: Option<Worker>,
    metrics_addr: Option<SocketAddr>,
    metrics: Option<JoinHandle<()>>,
    gateway: Option<JoinHandle<()>>,
    gateway_stop: CancellationToken,
    stop: CancellationToken,
}

// === impl Node ===

impl Node {
    /// Starts what the configuration's roles name; when this returns, requests are taken.
    ///
    /// # Errors
    /// [`StartError`] names what could not be opened or started.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        make_folder(&config.data_dir)?;
        let doorman = match config.is(NodeRole::Gateway) {
            true => Doorman::new(Some(config.bootstrap_key()?), config.tokens()?),
            false => Doorman::default(),
        };
        // Bound first: two nodes that were told the same address must not share a folder.
        let listener = match config.is(NodeRole::Gateway) {
            true => Some(bind(config.http.listen).await?),
            false => None,
        };
        let collector = match config.metrics.listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let http_addr = address_of(listener.as_ref());
        let metrics_addr = address_of(collector.as_ref());
        // What nobody asks for is not counted.
        let meters = match collector {
            Some(_) => Meters::new()?,
            None => Meters::default(),
        };
        let mut sources = Sources::new(meters.clone(), config.role_names());
        let transport = transport(&config)?;
        sources.certificate_ends = transport.certificate_ends();
        let stop = CancellationToken::new();
        let cache = config.cache.open()?;
        let mut member = match config.is(NodeRole::Coordinator) {
            true => {
                let counted = meters.leader();
                Some(Member::start(&config, &transport, cache.clone(), counted, &stop).await?)
            }
            false => None,
        };
        let worker = match config.is(NodeRole::Worker) {
            true => {
                let counted = meters.worker();
                let (worker, source) =
                    worker::start(&config, &transport, member.as_mut(), counted).await?;
                sources.worker = Some(source);
                Some(worker)
            }
            false => None,
        };
        let local = match &member {
            Some(member) => Some(member.open(&config, &transport, &stop).await?),
            None => None,
        };
        sources.member = member.as_ref().map(Member::source);
        let gateway_stop = CancellationToken::new();
        let gateway = listener.map(|listener| {
            let relay = relay(&config, local, transport, cache.clone(), doorman);
            sources.platform = Some(relay.clone());
            let limiter = limiter(&config, cache);
            serve(&config, listener, relay, limiter, &meters, &gateway_stop)
        });
        let metrics = collector
            .map(|collector| tokio::spawn(metrics::serve(collector, sources, stop.clone())));
        tracing::info!(address = ?http_addr, metrics = ?metrics_addr, data = %config.data_dir.display(),
            "the node is ready");
        Ok(Self {
            http_addr,
            metrics_addr,
            member,
            worker,
            metrics,
            gateway,
            gateway_stop,
            stop,
        })
    }

    /// Where figures are served, if they are.
    #[must_use]
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics_addr
    }

    /// Where the REST API listens, if this process serves it.
    #[must_use]
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http_addr
    }

    /// Runs until asked to stop, then stops in order: no new requests or leases; running proofs
    /// finish, or are handed back when the drain's bound has passed; the log is closed last.
    ///
    /// Returns why it stopped when nobody asked it to.
    pub async fn run_until(mut self, asked: impl Future<Output = ()>) -> Option<String> {
        let mut unasked = None;
        tokio::select! {
            () = asked => {}
            () = ended(self.gateway.as_mut()) => {
                tracing::error!("the gateway ended by itself; stopping the node");
                self.gateway = None;
                unasked = Some("the gateway ended by itself".to_owned());
            }
            reason = halted(self.member.as_ref()) => {
                tracing::error!(reason, "the coordinator ended by itself; stopping the node");
                unasked = Some(format!("the coordinator ended by itself: {reason}"));
            }
        }
        tracing::info!("stopping: finishing what runs, or handing it back");
        if let Some(member) = &self.member {
            member.quiesce().await;
        }
        self.gateway_stop.cancel();
        if let Some(worker) = self.worker {
            worker.drain().await;
        }
        if let Some(gateway) = self.gateway
            && let Err(error) = gateway.await
        {
            tracing::error!(%error, "the gateway did not end well");
        }
        self.stop.cancel();
        if let Some(metrics) = self.metrics
            && let Err(error) = metrics.await
        {
            tracing::error!(%error, "the listener of metrics did not end well");
        }
        if let Some(member) = self.member {
            member.stop().await;
        }
        tracing::info!("stopped");
        unasked
    }
}

async fn ended(task: Option<&mut JoinHandle<()>>) {
    match task {
        Some(task) => drop(task.await),
        None => std::future::pending().await,
    }
}

async fn halted(member: Option<&Member>) -> String {
    match member {
        Some(member) => member.halted().await,
        None => std::future::pending().await,
    }
}

/// How this process speaks to the others of its cluster. A node on its own needs no certificate.
fn transport(config: &Config) -> Result<Transport, StartError> {
    let alone = config.is(NodeRole::Coordinator)
        && config.cluster.founding == Founding::Alone
        && config.cluster.listens()?.is_none();
    if alone || !config.tls.enabled {
        return Ok(Transport::Plain);
    }
    let role = match config.is(NodeRole::Coordinator) {
        true => Role::Coordinator,
        false if config.is(NodeRole::Gateway) => Role::Gateway,
        false => Role::Worker,
    };
    let identity = Identity::load(&config.tls_dir(), role)?;
    Ok(Transport::Tls(Arc::new(identity)))
}

/// The gateway's verbs, beside a coordinator or on their own.
fn relay(
    config: &Config,
    local: Option<Local>,
    transport: Transport,
    cache: Option<Cache>,
    doorman: Doorman,
) -> Arc<Relay> {
    let hot = Hot::new(cache);
    Arc::new(match local {
        Some(local) => Relay::beside(local, transport, hot, doorman),
        None => {
            let known = config.cluster.coordinators.clone();
            Relay::apart(known, transport, hot, doorman)
        }
    })
}

/// Serves the API until it is told to stop.
fn serve(
    config: &Config,
    listener: TcpListener,
    relay: Arc<Relay>,
    limiter: Arc<dyn Limiter>,
    meters: &Meters,
    stop: &CancellationToken,
) -> JoinHandle<()> {
    let settings = aureole_gateway::Config {
        trusted_proxies: config.http.trusted_proxies.clone(),
        meters: meters.http(),
        tenant_requests_max: match config.access.tenant_requests {
            0 => u32::MAX,
            most => most,
        },
        ..aureole_gateway::Config::default()
    };
    let stopped = stop.clone().cancelled_owned();
    let served = aureole_gateway::serve(listener, relay, limiter, settings, stopped);
    tokio::spawn(served)
}

fn limiter(config: &Config, cache: Option<Cache>) -> Arc<dyn Limiter> {
    match cache {
        Some(cache) => Arc::new(SharedLimiter::new(cache, rates(config))),
        None => Arc::new(MemoryLimiter::new(rates(config))),
    }
}

fn address_of(listener: Option<&TcpListener>) -> Option<SocketAddr> {
    listener.and_then(|listener| listener.local_addr().ok())
}

fn rates(config: &Config) -> Rates {
    Rates {
        tenant: NonZeroU32::new(config.access.tenant_rate),
        key: NonZeroU32::new(config.access.key_rate),
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    let listen = |source| StartError::Listen { address, source };
    TcpListener::bind(address).await.map_err(listen)
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
    Ok(provers.within(memory::of_provers(config)))
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
