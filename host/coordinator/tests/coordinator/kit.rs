//! A coordinator in a temporary folder, a clock that stands still, a worker by hand and a verifier
//! that says what it is told.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use aureole_api::internal::v1;
use aureole_api::internal::v1::workers_client::WorkersClient;
use aureole_api::internal::v1::workers_server::WorkersServer;
use aureole_coordinator::{
    CircuitKey, Clock, Config, Coordinator, DialNothing, InputKeys, KeyError, Verdict, Verifier,
    VerifyError, WorkersService,
};
use aureole_ledger::{
    Acceptance, CircuitFacts, CircuitId, Command, Completion, Digest, Outcome, Priority, Reading,
    TaskId, TaskRecord, TenantId, Timings, Visibility, WorkerId,
};
use aureole_store::Depot;
use tempfile::TempDir;
use tonic::Streaming;

pub(crate) const LEASE: Duration = Duration::from_secs(10);
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const PROOF: &[u8] = b"a proof of sixty-four bytes, which is what the circuit's have...";
pub(crate) const KEY: [u8; 32] = [0x5e; 32];

/// Clocks that move when they are told.
#[derive(Debug)]
pub(crate) struct Hands {
    /// Milliseconds on the stopwatch, and on the wall clock as long as nobody sets it.
    passed: AtomicU64,
    /// What the wall clock was set by.
    set: AtomicI64,
}

impl Hands {
    pub(crate) fn pass(&self, time: Duration) {
        self.passed
            .fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Sets the wall clock.
    pub(crate) fn set(&self, by_ms: i64) {
        self.set.fetch_add(by_ms, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn read(&self) -> Reading {
        let passed = self.passed.load(Ordering::SeqCst);
        Reading {
            stopwatch: Duration::from_millis(passed),
            wall: passed.saturating_add_signed(self.set.load(Ordering::SeqCst)),
        }
    }
}

/// Accepts what begins like `PROOF`, fails on a proof that begins with `!`, refuses any other.
#[derive(Debug)]
pub(crate) struct Script;

#[tonic::async_trait]
impl Verifier for Script {
    fn build(&self) -> &str {
        "a test"
    }

    async fn key(&self, circuit: Digest) -> Result<CircuitKey, VerifyError> {
        assert_eq!(circuit, facts().circuit_digest);
        Ok(CircuitKey {
            digest: facts().key_digest,
            proof_bytes: facts().proof_bytes,
        })
    }

    async fn verify(
        &self,
        circuit: Digest,
        public_inputs: Vec<u8>,
        proof: Vec<u8>,
    ) -> Result<Verdict, VerifyError> {
        assert_eq!(circuit, facts().circuit_digest);
        assert_eq!(public_inputs, b"public inputs");
        match proof.first() {
            // The rest is what makes one proof unlike another.
            _ if proof[..32] == PROOF[..32] => Ok(Verdict::Valid),
            Some(b'!') => Err(VerifyError {
                reason: "the verifier crashed".to_owned(),
            }),
            _ => Ok(Verdict::Invalid {
                reason: "the equation does not hold".to_owned(),
            }),
        }
    }
}

/// Task 66 has lost its key, task 67's cannot be read.
#[derive(Debug)]
pub(crate) struct Keys;

#[tonic::async_trait]
impl InputKeys for Keys {
    async fn key(&self, task: TaskId, _input: Digest) -> Result<Option<[u8; 32]>, KeyError> {
        match task.as_bytes()[0] {
            66 => Ok(None),
            67 => Err("disk on fire".into()),
            _ => Ok(Some(KEY)),
        }
    }
}

pub(crate) fn facts() -> CircuitFacts {
    CircuitFacts {
        circuit_digest: Digest::of(b"circuit"),
        key_digest: Digest::of(b"key"),
        report: Digest::of(b"report"),
        k: 8,
        proof_bytes: u32::try_from(PROOF.len()).unwrap(),
        memory_bytes: 0,
        work: 0,
    }
}

pub(crate) fn task_id(number: u8) -> TaskId {
    TaskId::from_bytes([number; 16])
}

pub(crate) fn circuit_id() -> CircuitId {
    CircuitId::of(&Digest::of(b"component"), &Digest::of(b"params"))
}

pub(crate) type Client = WorkersClient<WorkersServer<WorkersService>>;

/// A coordinator and what it stands on.
pub(crate) struct Node {
    pub(crate) coordinator: Coordinator,
    pub(crate) clock: Arc<Hands>,
    pub(crate) depot: Depot,
    pub(crate) dir: TempDir,
}

/// Looks at the clock often: the clock of these tests moves by itself to nobody's notice.
pub(crate) fn config(dir: &Path) -> Config {
    let mut config = Config::new(1, dir.join("raft"));
    config.lease = LEASE;
    config.tick = Duration::from_millis(5);
    config
}

pub(crate) async fn start(config: Config, depot: Depot, clock: Arc<Hands>) -> Coordinator {
    Coordinator::start(
        config,
        depot.into(),
        Arc::new(Script),
        Arc::new(Keys),
        clock,
        Arc::new(DialNothing),
    )
    .await
    .unwrap()
}

impl Node {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(Hands {
            passed: AtomicU64::new(10_000_000),
            set: AtomicI64::new(0),
        });
        let depot = Depot::open(&dir.path().join("depot")).unwrap();
        let mut config = config(dir.path());
        change(&mut config);
        let coordinator = start(config, depot.clone(), Arc::clone(&clock)).await;
        Self {
            coordinator,
            clock,
            depot,
            dir,
        }
    }

    /// A node with a ready plugin and circuit.
    pub(crate) async fn ready() -> Self {
        let node = Self::new().await;
        make_ready(&node.coordinator).await;
        node
    }

    /// Stops and starts in the same folder.
    pub(crate) async fn restart(self) -> Self {
        let Self {
            coordinator,
            clock,
            depot,
            dir,
        } = self;
        coordinator.shutdown().await;
        drop(coordinator);
        let coordinator = start(config(dir.path()), depot.clone(), Arc::clone(&clock)).await;
        Self {
            coordinator,
            clock,
            depot,
            dir,
        }
    }

    pub(crate) async fn submit(&self, task: u8) -> Outcome {
        submit(&self.coordinator, task_id(task)).await
    }

    pub(crate) fn task(&self, task: u8) -> TaskRecord {
        self.coordinator
            .read(|state| state.task(&task_id(task)).unwrap().clone())
    }

    pub(crate) fn client(&self) -> Client {
        WorkersClient::new(self.coordinator.workers_service())
    }

    pub(crate) async fn join(&self, worker: &str) -> Worker {
        Worker::join(self.client(), worker, &[]).await
    }

    /// Waits until a task is as wanted.
    pub(crate) async fn until(&self, task: u8, wanted: impl Fn(&TaskRecord) -> bool) -> TaskRecord {
        let wanted_view = |view: &aureole_coordinator::TaskView| wanted(&view.task);
        let view = self
            .coordinator
            .wait_task(task_id(task), wanted_view, PATIENCE)
            .await
            .unwrap();
        assert!(wanted(&view.task), "out of patience: {view:?}");
        view.task
    }
}

pub(crate) async fn submit(coordinator: &Coordinator, task: TaskId) -> Outcome {
    let command = Command::SubmitTask {
        task,
        circuit: circuit_id(),
        input: Digest::of(b"sealed"),
        priority: Priority::DEFAULT,
        idempotency: None,
        now: 1_000_000,
        tenant: TenantId::default(),
        deadline: None,
        input_bytes: 0,
    };
    coordinator.propose(command).await.unwrap()
}

/// Registers a plugin with a circuit, as its inspection would.
pub(crate) async fn make_ready(coordinator: &Coordinator) {
    let (task, worker) = (task_id(200), WorkerId::new("inspector").unwrap());
    let component = Digest::of(b"component");
    let completion = Completion::PluginInspected {
        name: "merkle".to_owned(),
        version: "1.0.0".to_owned(),
        description: Digest::of(b"description"),
        default_params: Some(Digest::of(b"params")),
        default_circuit: Some(facts()),
    };
    let (attempt, now, expires_at) = (1, 1_000_000, u64::MAX);
    for command in [
        Command::RegisterPlugin {
            component,
            bytes: 1,
            task,
            now,
            tenant: TenantId::default(),
        },
        Command::LeaseTask {
            task,
            attempt,
            worker: worker.clone(),
            expires_at,
            now,
            threads: 1,
            memory_bytes: 0,
            speculative: false,
        },
        Command::CompleteTask {
            task,
            attempt,
            worker,
            completion,
            timings: Timings::new(),
            now,
            peak_memory_bytes: None,
            acceptance: Acceptance::none(),
        },
        Command::SharePlugin {
            component,
            tenant: TenantId::default(),
            visibility: Visibility::Public,
            actor: "operator".to_owned(),
            now,
        },
    ] {
        let outcome = coordinator.propose(command).await.unwrap();
        assert!(!matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    }
}

/// A worker by hand.
pub(crate) struct Worker {
    pub(crate) id: String,
    pub(crate) client: Client,
    pub(crate) stream: Streaming<v1::Assignment>,
}

impl Worker {
    pub(crate) async fn join(mut client: Client, id: &str, running: &[v1::AttemptId]) -> Self {
        let request = v1::JoinRequest {
            worker_id: id.to_owned(),
            cores: 2,
            memory_bytes: 1 << 30,
            slots: 1,
            running: running.to_vec(),
            ..v1::JoinRequest::default()
        };
        let stream = client.join(request).await.unwrap().into_inner();
        Self {
            id: id.to_owned(),
            client,
            stream,
        }
    }

    pub(crate) async fn next(&mut self) -> v1::assignment::Assignment {
        let next = tokio::time::timeout(PATIENCE, self.stream.message()).await;
        next.expect("no assignment came")
            .unwrap()
            .unwrap()
            .assignment
            .unwrap()
    }

    pub(crate) async fn lease(&mut self) -> v1::Lease {
        match self.next().await {
            v1::assignment::Assignment::Lease(lease) => lease,
            other => panic!("expected a lease, got {other:?}"),
        }
    }

    pub(crate) async fn cancel(&mut self) -> v1::AttemptId {
        match self.next().await {
            v1::assignment::Assignment::Cancel(attempt) => attempt,
            other => panic!("expected a cancel, got {other:?}"),
        }
    }

    pub(crate) async fn heartbeat(&mut self, running: &[v1::AttemptId]) -> Vec<v1::AttemptId> {
        let worker_id = self.id.clone();
        let request = v1::HeartbeatRequest {
            worker_id,
            running: running.to_vec(),
            ..v1::HeartbeatRequest::default()
        };
        self.client
            .heartbeat(request)
            .await
            .unwrap()
            .into_inner()
            .lost
    }

    pub(crate) async fn fail(&mut self, attempt: v1::AttemptId, code: &str, retryable: bool) {
        let problem = v1::Problem {
            code: code.to_owned(),
            detail: "so".to_owned(),
            path: None,
            report: None,
        };
        let request = v1::FailRequest {
            worker_id: self.id.clone(),
            attempt: Some(attempt),
            problem: Some(problem),
            retryable,
        };
        self.client.fail(request).await.unwrap();
    }

    pub(crate) async fn complete(
        &mut self,
        attempt: v1::AttemptId,
        result: v1::complete_request::Result,
    ) -> Option<v1::Problem> {
        let request = v1::CompleteRequest {
            worker_id: self.id.clone(),
            attempt: Some(attempt),
            timings: vec![v1::StageTiming {
                stage: v1::Stage::Prove.into(),
                micros: 1234,
            }],
            result: Some(result),
            ..v1::CompleteRequest::default()
        };
        self.client
            .complete(request)
            .await
            .unwrap()
            .into_inner()
            .refused
    }

    /// Puts a proof into the depot and completes with it.
    pub(crate) async fn prove(
        &mut self,
        node: &Node,
        attempt: v1::AttemptId,
        proof: &[u8],
    ) -> Option<v1::Problem> {
        let mut proof = proof.to_vec();
        if proof == PROOF {
            proof[48..].copy_from_slice(&attempt.task_id);
        }
        let proof = node.depot.put(proof).await.unwrap();
        let public_inputs = node.depot.put(b"public inputs".to_vec()).await.unwrap();
        self.complete(attempt, proved(&proof, &public_inputs)).await
    }
}

pub(crate) fn proved(proof: &Digest, public_inputs: &Digest) -> v1::complete_request::Result {
    v1::complete_request::Result::Proved(v1::Proved {
        proof: proof.as_bytes().to_vec(),
        public_inputs: public_inputs.as_bytes().to_vec(),
    })
}

pub(crate) fn attempt_of(lease: &v1::Lease) -> v1::AttemptId {
    lease.attempt.clone().unwrap()
}

pub(crate) fn attempt(task: u8, attempt: u32) -> v1::AttemptId {
    v1::AttemptId {
        task_id: task_id(task).as_bytes().to_vec(),
        attempt,
    }
}

/// Verifies nothing and has no keys: for coordinators without workers.
#[derive(Debug)]
pub(crate) struct Nobody;

#[tonic::async_trait]
impl Verifier for Nobody {
    fn build(&self) -> &str {
        "a test"
    }

    async fn key(&self, _circuit: Digest) -> Result<CircuitKey, VerifyError> {
        Err(VerifyError {
            reason: "nobody verifies here".to_owned(),
        })
    }

    async fn verify(
        &self,
        _circuit: Digest,
        _public_inputs: Vec<u8>,
        _proof: Vec<u8>,
    ) -> Result<Verdict, VerifyError> {
        Err(VerifyError {
            reason: "nobody verifies here".to_owned(),
        })
    }
}

#[tonic::async_trait]
impl InputKeys for Nobody {
    async fn key(&self, _task: TaskId, _input: Digest) -> Result<Option<[u8; 32]>, KeyError> {
        Ok(None)
    }
}
