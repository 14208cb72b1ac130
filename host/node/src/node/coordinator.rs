//! The coordinator's part of a process: facts, bytes, keys, and the desk that the gateways reach.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aureole_coordinator::blobs::{
    BlobsService, Collector, Keeper, KeeperConfig, KeyRing, Links, ReplicasService, Replicated,
    Roots, RootsError,
};
use aureole_coordinator::receipts::{LogKeeper, LogKeeperConfig, LogService, Notary};
use aureole_coordinator::{Coordinator, SystemClock};
use aureole_ledger::Digest;
use aureole_receipts::SignerKey;
use aureole_store::{
    ArchivePlace, Cache, Depot, DepotConfig, InputVault, SharedArchive, SharedBlobs,
};
use aureole_webhooks::{Courier, Sender, SystemResolver};
use aureole_worker::{Provers, ProversConfig, Sandboxes, SandboxesConfig};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;

use super::lanes::{self, Apart};
use super::{StartError, bind, cores, provers_config};
use crate::archivist;
use crate::config::{Config, Founding};
use crate::desk::check::Checker;
use crate::desk::verdicts::Verifications;
use crate::desk::{Desk, Stores};
use crate::enrol::EnrolService;
use crate::history::History;
use crate::link::Link;
use crate::log_key;
use crate::post::{self, PostOffice};
use crate::relay::{DeskService, Local};
use crate::secret::Secret;
use crate::signers::Signers;
use crate::tls::{Authority, Guard, Role, Transport};
use crate::upkeep::UpkeepService;
use crate::verifier::ChildVerifier;

/// The id of a coordinator that is alone and was given none.
const ALONE: u64 = 1;

/// The child that verifies for callers keeps this part of the keys that others keep: what is asked
/// about is seldom of many circuits, and a verifying key is made again in the time of a proof.
const ASKED_KEYS_PART: u64 = 4;

/// A running coordinator.
#[derive(Debug)]
pub(super) struct Member {
    coordinator: Coordinator,
    blobs: SharedBlobs,
    replicated: Replicated,
    keys: KeyRing,
    collector: Collector,
    keeper: Keeper,
    history: History,
    notary: Notary,
    log_keeper: LogKeeper,
    verifications: Verifications,
    listener: Mutex<Option<(SocketAddr, TcpListener)>>,
    link: Link,
    /// Left by a worker in this process: checks use its children.
    checker: Option<Checker>,
    background: Mutex<Vec<JoinHandle<()>>>,
}

/// History as a root of collection: what it shows stays.
#[derive(Debug)]
struct ArchiveRoots(SharedArchive);

#[async_trait]
impl Roots for ArchiveRoots {
    async fn roots(&self) -> Result<Vec<Digest>, RootsError> {
        Ok(self.0.digests().await?)
    }
}

// === impl Member ===

impl Member {
    /// Opens the folder and starts the member and its upkeep.
    pub(super) async fn start(
        config: &Config,
        transport: &Transport,
        cache: Option<Cache>,
        stop: &CancellationToken,
    ) -> Result<Self, StartError> {
        let listener = match config.cluster.listens()? {
            Some(address) => Some((address, bind(address).await?)),
            None => None,
        };
        let data = |name: &str| config.data_dir.join(name);
        let log_key = log_key(config)?;
        let dial = Arc::new(transport.clone());
        let links = Arc::new(Links::new(dial.clone()));
        let depot = DepotConfig {
            reserve_bytes: config.depot.reserve_bytes,
            ..DepotConfig::default()
        };
        let depot = Depot::open_with(&data("depot"), depot)?;
        let replicated = Replicated::new(depot, links.clone());
        let blobs: SharedBlobs = Arc::new(replicated.clone());
        let keys = KeyRing::new(InputVault::open(&data("vault"))?, links.clone());
        let history = History::open(config, cache).await?;
        let verifier_config = ProversConfig {
            size: 1,
            threads: cores(),
            ..provers_config(config)?
        };
        // Callers ask others than completions do: neither waits for the other. Their child is started
        // when somebody asks, and keeps fewer keys.
        let asked_config = ProversConfig {
            key_cache_bytes: verifier_config.key_cache_bytes / ASKED_KEYS_PART,
            ..verifier_config.clone()
        };
        let child = |config| ChildVerifier::new(Provers::new(config, blobs.clone()));
        let verifications = Verifications::new(child(asked_config));
        let verifier = Arc::new(child(verifier_config));
        let coordinator = Coordinator::start(
            member_config(config, transport)?,
            blobs.clone(),
            verifier,
            Arc::new(keys.clone()),
            Arc::new(SystemClock::default()),
            dial,
        )
        .await?;
        coordinator.attach(&links, &keys);
        if config.cluster.founding == Founding::Alone {
            // Nothing is being submitted yet: a key without a task has lost it.
            keys.sweep(Duration::ZERO).await?;
        }
        // In this order: a task is in the archive before the ledger forgets it.
        let mut roots: Vec<Arc<dyn Roots>> = vec![Arc::new(coordinator.clone())];
        if let Some(archive) = history.archive() {
            roots.push(Arc::new(ArchiveRoots(archive.clone())));
        }
        let collector = Collector::new(replicated.local().clone(), roots);
        let keeper = Keeper::start(
            KeeperConfig::default(),
            coordinator.clone(),
            replicated.clone(),
            keys.clone(),
            collector.clone(),
        );
        let notary = Notary::new(coordinator.clone(), log_key)?;
        let log_keeper = LogKeeper::start(
            LogKeeperConfig::default(),
            coordinator.clone(),
            links,
            notary.clone(),
        );
        let router = tonic::transport::Server::builder().add_service(coordinator.workers_service());
        let (link, served) = Link::serve(router, stop.clone());
        Ok(Self {
            coordinator,
            blobs,
            replicated,
            keys,
            collector,
            keeper,
            history,
            notary,
            log_keeper,
            verifications,
            listener: Mutex::new(listener),
            link,
            checker: None,
            background: Mutex::new(vec![served]),
        })
    }

    /// Opens the desk and, where there are others, the internal services.
    pub(super) async fn open(
        &self,
        config: &Config,
        transport: &Transport,
        stop: &CancellationToken,
    ) -> Result<Local, StartError> {
        let checker = match &self.checker {
            Some(checker) => checker.clone(),
            None => checker(config, &self.blobs)?,
        };
        let stores = Stores {
            depot: self.blobs.clone(),
            disk: self.replicated.local().clone(),
            keys: self.keys.clone(),
            history: self.history.clone(),
        };
        let desk = Arc::new(Desk::new(
            stores,
            self.coordinator.clone(),
            self.verifications.clone(),
            self.notary.clone(),
            secret(config)?,
            Signers::new(&config.plugins)?,
            checker,
        ));
        let mut background = vec![];
        background.extend(self.post(config, &desk, stop)?);
        let local = Local {
            desk: desk.clone(),
            coordinator: self.coordinator.clone(),
            member: self.coordinator.id(),
        };
        let archivist = tokio::spawn(archivist::run(desk, stop.clone()));
        let listener = self
            .listener
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        background.push(archivist);
        if let Some(listener) = listener {
            background.push(self.serve(config, listener, transport, local.clone(), stop)?);
        }
        self.background
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(background);
        Ok(local)
    }

    /// Starts to deliver events, where that is wanted.
    fn post(
        &self,
        config: &Config,
        desk: &Arc<Desk>,
        stop: &CancellationToken,
    ) -> Result<Option<JoinHandle<()>>, StartError> {
        let webhooks = &config.webhooks;
        if !webhooks.enabled {
            return Ok(None);
        }
        let sender = Sender::new(
            webhooks.rules(),
            Arc::new(SystemResolver::default()),
            webhooks.authorities.as_deref(),
        )?;
        let office = Arc::new(PostOffice::new(self.coordinator.clone(), desk));
        let courier = Courier::new(office, sender, webhooks.schedule());
        desk.deliver_by(courier.clone());
        let delivering = post::run(self.coordinator.clone(), courier, stop.clone());
        Ok(Some(tokio::spawn(delivering)))
    }

    /// Serves the other processes of the cluster, each what its role may call.
    fn serve(
        &self,
        config: &Config,
        (address, listener): (SocketAddr, TcpListener),
        transport: &Transport,
        local: Local,
        stop: &CancellationToken,
    ) -> Result<JoinHandle<()>, StartError> {
        let members = transport.guard(&[Role::Coordinator]);
        let operators = transport.guard(&[Role::Coordinator, Role::Admin]);
        let workers = transport.guard(&[Role::Coordinator, Role::Worker]);
        let gateways = transport.guard(&[Role::Coordinator, Role::Gateway]);
        let replicas = ReplicasService::server(
            self.replicated.clone(),
            self.keys.clone(),
            self.collector.clone(),
        );
        let upkeep = UpkeepService::server(self.replicated.clone(), self.collector.clone());
        let authority = match config.tls.enrol {
            true => Some(Authority::load(&config.tls_dir())?),
            false => None,
        };
        let coordinator = &self.coordinator;
        let router = transport
            .server()?
            .add_service(InterceptedService::new(
                coordinator.raft_service(),
                members.clone(),
            ))
            .add_service(apart(replicas, members.clone()))
            .add_service(apart(
                LogService::server(coordinator.log().clone()),
                members,
            ))
            .add_service(apart(coordinator.members_service(), operators.clone()))
            .add_service(apart(upkeep, operators))
            // Whoever has a token has no certificate yet.
            .add_service(Apart::here(EnrolService::server(authority)))
            .add_service(apart(coordinator.workers_service(), workers.clone()))
            .add_service(apart(
                BlobsService::server(self.replicated.clone()),
                workers,
            ))
            .add_service(apart(DeskService::server(local), gateways));
        let runtime = coordinator.raft_runtime();
        let listener = lanes::moved(listener, &runtime)
            .map_err(|source| StartError::Listen { address, source })?;
        let stop = stop.clone();
        Ok(runtime.spawn(async move {
            let incoming = TcpListenerStream::new(listener);
            let incoming = futures::StreamExt::map(incoming, |stream| {
                stream.inspect(|stream| drop(stream.set_nodelay(true)))
            });
            let served =
                router.serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned());
            // Streams of workers and members have no end of their own.
            tokio::select! {
                result = served => if let Err(error) = result {
                    tracing::error!(%error, "the internal service ended");
                },
                () = async { stop.cancelled().await; tokio::time::sleep(CLOSE_PATIENCE).await } => {}
            }
        }))
    }

    pub(super) fn coordinator(&self) -> &Coordinator {
        &self.coordinator
    }

    pub(super) fn blobs(&self) -> &SharedBlobs {
        &self.blobs
    }

    pub(super) fn link(&self) -> Link {
        self.link.clone()
    }

    /// Lends a worker's children to the desk's checks.
    pub(super) fn lend(&mut self, checker: Checker) {
        self.checker = Some(checker);
    }

    /// Hands out no further leases, and leadership to another member: nobody waits for an election.
    pub(super) async fn quiesce(&self) {
        self.coordinator.quiesce();
        self.coordinator.step_aside().await;
    }

    /// Waits until the member had to stop, and says why.
    pub(super) async fn halted(&self) -> String {
        self.coordinator.stopped().await
    }

    /// Stops; the node's token is cancelled.
    pub(super) async fn stop(self) {
        let background = self
            .background
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        for task in background {
            if let Err(error) = task.await {
                tracing::error!(%error, "a background task did not end well");
            }
        }
        self.keeper.stop().await;
        self.log_keeper.stop().await;
        self.coordinator.shutdown().await;
        self.history.close().await;
    }
}

/// A service for some roles, done by the runtime of the process.
fn apart<S>(service: S, guard: Guard) -> InterceptedService<Apart<S>, Guard> {
    InterceptedService::new(Apart::here(service), guard)
}

/// Why a node with a file of history takes no other members.
const FILE_OF_ONE: &str = "its history is a file in its data_dir, which no other member could read; set \
     archive.url to one PostgreSQL database here and on every member to come, start this node again, \
     then add them. The file stays where it is and is no longer looked at";

/// How long requests of other processes may go on after a stop was asked for.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

fn member_config(
    config: &Config,
    transport: &Transport,
) -> Result<aureole_coordinator::Config, StartError> {
    let id = config.cluster.id.unwrap_or(ALONE);
    let mut member = aureole_coordinator::Config::new(id, config.data_dir.join("raft"));
    member.lease = Duration::from_millis(config.worker.lease_ms);
    member.receipts_dir = config.data_dir.join("receipts");
    member.address = config.cluster.advertised()?.unwrap_or_default();
    member.stays_alone = match config.archive_place()? {
        Some(ArchivePlace::File(_)) => Some(FILE_OF_ONE.to_owned()),
        Some(ArchivePlace::Postgres(_)) | None => None,
    };
    if let Transport::Tls(identity) = transport {
        member.cluster.clone_from(&identity.name().cluster);
    }
    let members: BTreeMap<u64, String> = config.cluster.members()?;
    member.founding = match config.cluster.founding {
        Founding::Alone => aureole_coordinator::Founding::Alone,
        Founding::Founders => aureole_coordinator::Founding::Founders(members),
        Founding::Join => aureole_coordinator::Founding::Join,
    };
    Ok(member)
}

/// The secret that idempotency keys are digested with. A lone node makes its own; the members of a
/// group must have the same, or a repeated key would be new at the next leader.
fn secret(config: &Config) -> Result<Secret, StartError> {
    let path = config.secret_file();
    let opened = match config.cluster.founding {
        Founding::Alone => Secret::open(&path),
        Founding::Founders | Founding::Join => Secret::read(&path),
    };
    opened.map_err(|source| StartError::File { path, source })
}

/// The key of the log. A lone node makes its own; the members of a group must have the same, or each
/// leader's log would be another one.
fn log_key(config: &Config) -> Result<SignerKey, StartError> {
    let path = config.log_key_file();
    let origin = config.receipts.origin.as_deref();
    let key = match config.cluster.founding {
        Founding::Alone => log_key::open(&path, origin),
        Founding::Founders | Founding::Join => log_key::read(&path, origin),
    };
    Ok(key?)
}

/// Children for checks, in a process that has no worker.
fn checker(config: &Config, blobs: &SharedBlobs) -> Result<Checker, StartError> {
    let mut provers = provers_config(config)?;
    provers.size = 1;
    let code = config.data_dir.join("code");
    let mut sandboxes = SandboxesConfig::new(provers.command.clone(), code);
    sandboxes.size = 1;
    let sandboxes = Sandboxes::new(sandboxes, blobs.clone())?;
    Ok(Checker::new(
        sandboxes,
        Provers::new(provers, blobs.clone()),
    ))
}
