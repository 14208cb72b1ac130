//! Three coordinators in one process, each with a log on disk and its own runtime, over loopback TCP.
//! What has ended is forgotten, as it is in a cluster whose archive has it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use aureole_coordinator::{
    CircuitKey, Config, Coordinator, Dial, DialError, Founding, InputKeys, KeyError, SystemClock,
    Verdict, Verifier, VerifyError,
};
use aureole_ledger::limits::FORGET_MAX;
use aureole_ledger::{
    Acceptance, CircuitFacts, CircuitId, Command, Completion, Digest, Priority, Quotas, TaskId,
    TenantId, Timings, WorkerId,
};
use aureole_store::Depot;
use tempfile::TempDir;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};

use crate::Queue;
use crate::door::{Door, Way};

/// How long the members are given to find a leader.
const PATIENCE: Duration = Duration::from_secs(30);

/// The members and their folders.
pub(crate) struct Group {
    members: Vec<Coordinator>,
    leader: Coordinator,
    ended: Arc<Mutex<Vec<TaskId>>>,
    dir: TempDir,
}

/// A client of the leader.
#[derive(Clone)]
pub(crate) struct Client {
    way: Way,
    worker: WorkerId,
    /// Tasks of all clients that have ended, and are not forgotten yet.
    ended: Arc<Mutex<Vec<TaskId>>>,
}

/// What a client has done to a task, in this order.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    Submit,
    Lease,
    Complete,
}

/// Dials plainly.
#[derive(Debug)]
struct Plain;

impl Dial for Plain {
    fn channel(&self, address: &str) -> Result<Channel, DialError> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"));
        let endpoint = endpoint.map_err(|error| DialError {
            address: address.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(endpoint.tcp_nodelay(true).connect_lazy())
    }
}

/// Nothing is proved here, so nothing is verified and no input has a key.
#[derive(Debug)]
struct Nobody;

#[tonic::async_trait]
impl Verifier for Nobody {
    fn build(&self) -> &str {
        "a test"
    }

    async fn key(&self, _circuit: Digest) -> Result<CircuitKey, VerifyError> {
        Err(nobody())
    }

    async fn verify(
        &self,
        _circuit: Digest,
        _public_inputs: Vec<u8>,
        _proof: Vec<u8>,
    ) -> Result<Verdict, VerifyError> {
        Err(nobody())
    }
}

#[tonic::async_trait]
impl InputKeys for Nobody {
    async fn key(&self, _task: TaskId, _input: Digest) -> Result<Option<[u8; 32]>, KeyError> {
        Ok(None)
    }
}

fn nobody() -> VerifyError {
    VerifyError {
        reason: "nothing is verified here".to_owned(),
    }
}

// === impl Group ===

impl Group {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let mut founders = BTreeMap::new();
        for id in 1..=3_u64 {
            let free = std::net::TcpListener::bind("127.0.0.1:0")?;
            founders.insert(id, free.local_addr()?.to_string());
        }
        let mut members = Vec::new();
        for (id, address) in &founders {
            let mut config = Config::new(*id, dir.path().join(format!("member-{id}")));
            config.cluster = "control-plane".to_owned();
            config.address.clone_from(address);
            config.founding = Founding::Founders(founders.clone());
            let depot = Depot::open(&dir.path().join(format!("depot-{id}")))?;
            members.push(member(config, depot, address.parse()?).await?);
        }
        let leader = leader(&members).await?;
        make_ready(&Way::Here(leader.clone())).await?;
        Ok(Self {
            members,
            leader,
            ended: Arc::default(),
            dir,
        })
    }

    /// Serves the leader to clients that come over a socket.
    pub(crate) async fn door(&self) -> anyhow::Result<Door> {
        Door::open(self.leader.clone()).await
    }

    /// A client in the leader's process.
    pub(crate) fn client(&self) -> Client {
        self.client_by(Way::Here(self.leader.clone()))
    }

    pub(crate) fn client_by(&self, way: Way) -> Client {
        Client {
            way,
            worker: WorkerId::new("bench").unwrap_or_else(|_| unreachable!("the name is short")),
            ended: Arc::clone(&self.ended),
        }
    }

    /// Index of the last entry that the leader applied.
    pub(crate) async fn applied(&self) -> anyhow::Result<u64> {
        let status = self.leader.status().await;
        status.applied.context("the leader has applied nothing")
    }

    /// Where a member keeps its log.
    pub(crate) fn log(&self) -> PathBuf {
        self.dir.path().join("member-1/log")
    }

    /// Lets the tenant have as many tasks as there are to be.
    pub(crate) async fn unlimited(&self) -> anyhow::Result<()> {
        let none = Quotas {
            live_tasks: None,
            queued_bytes: None,
            core_seconds: None,
            stored_bytes: None,
        };
        let command = Command::PutTenant {
            tenant: TenantId::default(),
            weight: None,
            quotas: Some(none),
            suspended: None,
            actor: "bench".to_owned(),
            now: 1,
        };
        Way::Here(self.leader.clone()).propose(command).await
    }

    pub(crate) async fn stop(self) {
        for member in self.members {
            member.shutdown().await;
        }
    }
}

async fn member(config: Config, depot: Depot, address: SocketAddr) -> anyhow::Result<Coordinator> {
    let member = Coordinator::start(
        config,
        depot.into(),
        Arc::new(Nobody),
        Arc::new(Nobody),
        Arc::new(SystemClock::default()),
        Arc::new(Plain),
    )
    .await?;
    let incoming = {
        let _on_raft = member.raft_runtime().enter();
        TcpIncoming::bind(address)?.with_nodelay(Some(true))
    };
    let router = Server::builder()
        .add_service(member.raft_service())
        .add_service(member.members_service());
    member
        .raft_runtime()
        .spawn(router.serve_with_incoming(incoming));
    Ok(member)
}

async fn leader(members: &[Coordinator]) -> anyhow::Result<Coordinator> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        for member in members {
            if member.is_leading() && member.linearizable().await.is_ok() {
                return Ok(member.clone());
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!(
        "the members found no leader within {} s",
        PATIENCE.as_secs()
    )
}

fn circuit() -> CircuitId {
    CircuitId::of(&Digest::of(b"component"), &Digest::of(b"params"))
}

/// Registers a plugin with a circuit, as its inspection would.
async fn make_ready(leader: &Way) -> anyhow::Result<()> {
    let (task, worker) = (fresh()?, WorkerId::new("inspector")?);
    let component = Digest::of(b"component");
    let register = Command::RegisterPlugin {
        component,
        bytes: 1,
        task,
        now: 1,
        tenant: TenantId::default(),
    };
    leader.propose(register).await?;
    leader.propose(lease(task, worker.clone())).await?;
    let inspected = Completion::PluginInspected {
        name: "no-op".to_owned(),
        version: "1.0.0".to_owned(),
        description: Digest::of(b"description"),
        default_params: Some(Digest::of(b"params")),
        default_circuit: Some(CircuitFacts {
            circuit_digest: Digest::of(b"circuit"),
            key_digest: Digest::of(b"key"),
            report: Digest::of(b"report"),
            k: 8,
            proof_bytes: 64,
            memory_bytes: 0,
            work: 0,
        }),
    };
    leader.propose(complete(task, worker, inspected)).await
}

/// A task that nobody else has.
pub(crate) fn fresh() -> anyhow::Result<TaskId> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).context("the system has no randomness")?;
    Ok(TaskId::from_bytes(bytes))
}

fn submission(task: TaskId) -> Command {
    Command::SubmitTask {
        task,
        circuit: circuit(),
        input: Digest::of(task.as_bytes()),
        priority: Priority::DEFAULT,
        idempotency: None,
        now: 1,
        tenant: TenantId::default(),
        deadline: None,
        input_bytes: 0,
    }
}

fn lease(task: TaskId, worker: WorkerId) -> Command {
    Command::LeaseTask {
        task,
        attempt: 1,
        worker,
        expires_at: u64::MAX,
        now: 2,
        threads: 1,
        memory_bytes: 0,
        speculative: false,
    }
}

fn complete(task: TaskId, worker: WorkerId, completion: Completion) -> Command {
    Command::CompleteTask {
        task,
        attempt: 1,
        worker,
        completion,
        timings: Timings::new(),
        now: 3,
        peak_memory_bytes: None,
        acceptance: Acceptance::none(),
    }
}

// === impl Client ===

impl Client {
    /// Takes a task a step further. Who ends the last one of as many as a command holds has them forgotten.
    pub(crate) async fn step(&self, step: Step, task: TaskId) -> anyhow::Result<()> {
        let worker = self.worker.clone();
        match step {
            Step::Submit => self.way.propose(submission(task)).await,
            Step::Lease => self.way.propose(lease(task, worker)).await,
            Step::Complete => {
                let proved = Completion::Proved {
                    proof: Digest::of(b"proof"),
                    public_inputs: Digest::of(b"public inputs"),
                };
                self.way.propose(complete(task, worker, proved)).await?;
                match self.archived(task) {
                    Some(tasks) => self.way.propose(Command::ForgetTasks { tasks }).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// Notes a task that has ended; returns those that a keeper of the archive would have forgotten by now.
    fn archived(&self, task: TaskId) -> Option<Vec<TaskId>> {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.push(task);
        (ended.len() >= FORGET_MAX).then(|| std::mem::take(&mut *ended))
    }
}

impl Queue for Client {
    async fn one(&mut self) -> anyhow::Result<()> {
        let task = fresh()?;
        for step in [Step::Submit, Step::Lease, Step::Complete] {
            self.step(step, task).await?;
        }
        Ok(())
    }
}
