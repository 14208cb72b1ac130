//! Members that replicate blobs and keys among each other. Each has a ledger of its own, which is
//! told the same commands: how ledgers agree is another test's business.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aureole_coordinator::blobs::{
    BlobsService, Collector, Keeper, KeeperConfig, KeyRing, Links, Membership, Peers,
    ReplicasService, Replicated,
};
use aureole_coordinator::receipts::LogService;
use aureole_coordinator::{
    CircuitKey, Config, Coordinator, Dial, DialError, DialNothing, SystemClock, Verdict, Verifier,
    VerifyError,
};
use aureole_ledger::{
    Acceptance, CircuitFacts, CircuitId, Command, Completion, Digest, Outcome, Priority, TaskId,
    TenantId, Timings, WorkerId,
};
use aureole_store::{Depot, DepotConfig, DepotError, InputVault, Probe};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint, Server};

/// How long a put may take in these tests.
pub(crate) const PUT: Duration = Duration::from_millis(600);
/// How long a test waits for what must come about.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Free space as a test says.
#[derive(Debug)]
pub(crate) struct Gauge(pub(crate) AtomicU64);

/// Plain TCP.
#[derive(Debug)]
struct Tcp;

/// Verifies nothing.
#[derive(Debug)]
struct Nobody;

/// A running member.
pub(crate) struct Member {
    pub(crate) dir: PathBuf,
    pub(crate) replicated: Replicated,
    pub(crate) keys: KeyRing,
    pub(crate) coordinator: Coordinator,
    pub(crate) collector: Collector,
    pub(crate) gauge: Arc<Gauge>,
    pub(crate) peers: Arc<dyn Peers>,
    address: SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<()>,
}

/// The members.
pub(crate) struct Town {
    pub(crate) dir: TempDir,
    pub(crate) members: BTreeMap<u64, Member>,
    addresses: Arc<Mutex<BTreeMap<u64, String>>>,
    commands: Vec<Command>,
}

impl Probe for Gauge {
    fn probe(&self, _dir: &Path) -> io::Result<(u64, u64)> {
        Ok((1 << 40, self.0.load(Ordering::SeqCst)))
    }
}

impl Dial for Tcp {
    fn channel(&self, address: &str) -> Result<Channel, DialError> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"));
        let endpoint = endpoint.map_err(|error| DialError {
            address: address.to_owned(),
            reason: error.to_string(),
        })?;
        let endpoint = endpoint.connect_timeout(Duration::from_millis(300));
        Ok(endpoint.connect_lazy())
    }
}

#[tonic::async_trait]
impl Verifier for Nobody {
    fn build(&self) -> &str {
        "a test"
    }

    async fn key(&self, _circuit: Digest) -> Result<CircuitKey, VerifyError> {
        let reason = "nobody verifies here".to_owned();
        Err(VerifyError { reason })
    }

    async fn verify(
        &self,
        _circuit: Digest,
        _public_inputs: Vec<u8>,
        _proof: Vec<u8>,
    ) -> Result<Verdict, VerifyError> {
        let reason = "nobody verifies here".to_owned();
        Err(VerifyError { reason })
    }
}

pub(crate) fn task_id(number: u8) -> TaskId {
    TaskId::from_bytes([number; 16])
}

pub(crate) fn channel(address: &str) -> Channel {
    Tcp.channel(address).unwrap()
}

impl Town {
    pub(crate) async fn of(members: u64) -> Self {
        let mut town = Self {
            dir: tempfile::tempdir().unwrap(),
            members: BTreeMap::new(),
            addresses: Arc::default(),
            commands: Vec::new(),
        };
        for id in 1..=members {
            town.start(id).await;
        }
        town
    }

    /// Starts a member where it was, or at a new address.
    pub(crate) async fn start(&mut self, id: u64) {
        let dir = self.dir.path().join(id.to_string());
        let known = self.addresses.lock().unwrap().get(&id).cloned();
        let listen = known.unwrap_or_else(|| "127.0.0.1:0".to_owned());
        let listener = TcpListener::bind(&listen).await.unwrap();
        let address = listener.local_addr().unwrap();
        self.addresses
            .lock()
            .unwrap()
            .insert(id, address.to_string());

        let gauge = Arc::new(Gauge(AtomicU64::new(1 << 39)));
        let config = DepotConfig {
            reserve_bytes: Some(1 << 20),
            probe: Arc::clone(&gauge) as Arc<dyn Probe>,
        };
        // The last of its process before may still be letting go.
        let depot = loop {
            match Depot::open_with(&dir.join("depot"), config.clone()) {
                Err(DepotError::InUse { .. }) => tokio::task::yield_now().await,
                opened => break opened.unwrap(),
            }
        };
        let links = Arc::new(Links::new(Arc::new(Tcp)));
        let peers = Arc::clone(&links) as Arc<dyn Peers>;
        let replicated = Replicated::with_patience(depot, Arc::clone(&peers), PUT);
        let vault = InputVault::open(&dir.join("vault")).unwrap();
        let keys = KeyRing::with_patience(vault, peers, PUT);
        let coordinator = Coordinator::start(
            Config::new(id, dir.join("raft")),
            Arc::new(replicated.clone()),
            Arc::new(Nobody),
            Arc::new(keys.clone()),
            Arc::new(SystemClock::default()),
            Arc::new(DialNothing),
        )
        .await
        .unwrap();
        let addresses = Arc::clone(&self.addresses);
        links.attach(move || {
            let addresses = addresses.lock().unwrap().clone();
            Membership {
                me: id,
                voters: vec![addresses.keys().copied().collect()],
                addresses,
            }
        });
        // The first answer counts: this one's are the keys' alone.
        coordinator.attach(&Links::new(Arc::new(Tcp)), &keys);
        let roots: Vec<Arc<dyn aureole_coordinator::blobs::Roots>> =
            vec![Arc::new(coordinator.clone())];
        let local = replicated.local().clone();
        let collector = Collector::with_grace(local, roots, Duration::ZERO);
        let replicas = ReplicasService::server(replicated.clone(), keys.clone(), collector.clone());
        let stop = CancellationToken::new();
        let server = Server::builder()
            .add_service(replicas)
            .add_service(BlobsService::server(replicated.clone()))
            .add_service(LogService::server(Arc::clone(coordinator.log())))
            .serve_with_incoming_shutdown(
                TcpListenerStream::new(listener),
                stop.clone().cancelled_owned(),
            );
        let served = tokio::spawn(async move { server.await.unwrap() });
        for command in &self.commands {
            // What it knows from before is refused, and that is well.
            let _ = coordinator.propose(command.clone()).await.unwrap();
        }
        let member = Member {
            dir,
            replicated,
            keys,
            coordinator,
            collector,
            gauge,
            peers: links,
            address,
            stop,
            served,
        };
        self.members.insert(id, member);
    }

    /// Stops a member; its folder stays.
    pub(crate) async fn stop(&mut self, id: u64) {
        let member = self.members.remove(&id).unwrap();
        member.stop.cancel();
        tokio::time::timeout(PATIENCE, member.served)
            .await
            .unwrap()
            .unwrap();
        member.coordinator.shutdown().await;
    }

    /// Where a member's tiles are.
    pub(crate) fn receipts_of(&self, id: u64) -> PathBuf {
        self.dir.path().join(id.to_string()).join("raft/receipts")
    }

    pub(crate) fn member(&self, id: u64) -> &Member {
        &self.members[&id]
    }

    /// Tells every ledger a command.
    pub(crate) async fn tell(&mut self, command: Command) {
        for member in self.members.values() {
            let outcome = member.coordinator.propose(command.clone()).await.unwrap();
            assert!(!matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
        }
        self.commands.push(command);
    }

    /// Who has a blob on its own disk.
    pub(crate) async fn holders(&self, digest: &Digest) -> Vec<u64> {
        let mut holders = Vec::new();
        for (id, member) in &self.members {
            if member.replicated.local().contains(digest).await.unwrap() {
                holders.push(*id);
            }
        }
        holders
    }

    /// Registers a plugin with a circuit, as its inspection would; returns the blobs named, which
    /// are put at a member.
    pub(crate) async fn make_ready(&mut self) -> Vec<Digest> {
        let mut named = Vec::new();
        for name in ["component", "description", "params", "circuit", "report"] {
            let depot = self.members.values().next().unwrap().replicated.clone();
            let put = aureole_store::Blobs::put(&depot, name.as_bytes().to_vec().into()).await;
            named.push(put.unwrap());
        }
        let (task, worker) = (task_id(200), WorkerId::new("inspector").unwrap());
        let completion = Completion::PluginInspected {
            name: "merkle".to_owned(),
            version: "1.0.0".to_owned(),
            description: named[1],
            default_params: Some(named[2]),
            default_circuit: Some(CircuitFacts {
                circuit_digest: named[3],
                key_digest: Digest::of(b"key"),
                report: named[4],
                k: 8,
                proof_bytes: 64,
                memory_bytes: 0,
                work: 0,
            }),
        };
        let (attempt, now, expires_at) = (1, 1_000_000, u64::MAX);
        self.tell(Command::RegisterPlugin {
            component: named[0],
            bytes: 1,
            task,
            now,
            tenant: TenantId::default(),
        })
        .await;
        self.tell(Command::LeaseTask {
            task,
            attempt,
            worker: worker.clone(),
            expires_at,
            now,
            threads: 1,
            memory_bytes: 0,
            speculative: false,
        })
        .await;
        self.tell(Command::CompleteTask {
            task,
            attempt,
            worker,
            completion,
            timings: Timings::new(),
            now,
            peak_memory_bytes: None,
            acceptance: Acceptance::none(),
        })
        .await;
        named
    }

    pub(crate) async fn submit(&mut self, task: u8, input: Digest) {
        self.tell(Command::SubmitTask {
            task: task_id(task),
            circuit: CircuitId::of(&Digest::of(b"component"), &Digest::of(b"params")),
            input,
            priority: Priority::DEFAULT,
            idempotency: None,
            now: 1_000_000,
            tenant: TenantId::default(),
            deadline: None,
            input_bytes: 0,
        })
        .await;
    }

    pub(crate) async fn cancel(&mut self, task: u8) {
        let task = task_id(task);
        self.tell(Command::CancelTask {
            task,
            now: 1_000_001,
        })
        .await;
    }
}

impl Member {
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Starts its upkeep, in a hurry.
    pub(crate) fn keep(&self) -> Keeper {
        let config = KeeperConfig {
            repair_every: Duration::from_millis(100),
            repair_bytes_per_second: 1 << 30,
            scrub_bytes_per_second: 1 << 30,
            collect_every: None,
        };
        Keeper::start(
            config,
            self.coordinator.clone(),
            self.replicated.clone(),
            self.keys.clone(),
            self.collector.clone(),
        )
    }

    pub(crate) fn file_of(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.dir
            .join("depot/blobs")
            .join(&name[..2])
            .join(&name[2..])
    }

    /// Flips a bit of a blob on this member's disk.
    pub(crate) fn flip(&self, digest: &Digest) {
        let mut bytes = std::fs::read(self.file_of(digest)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        std::fs::write(self.file_of(digest), bytes).unwrap();
    }
}

/// Waits until something holds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    assert!(waited.is_ok(), "out of patience: {what}");
}
