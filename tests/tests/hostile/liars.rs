//! Workers that lie, over the real internal gRPC, to a coordinator that verifies with the real
//! verifier: of a thousand proofs that are not the ones asked for none is ever served.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use aureole_api::internal::v1::{self, workers_client::WorkersClient};
use aureole_coordinator::{
    CircuitKey, Config, Coordinator, DialNothing, InputKeys, KeyError, SystemClock, Verdict,
    Verifier, VerifyError,
};
use aureole_ir::{CheckedCircuit, Limits};
use aureole_ledger::{
    Acceptance, CircuitFacts, CircuitId, Command, Completion, Digest, Outcome, Priority, TaskId,
    TaskPhase, TenantId, Timings, WorkerId, codes,
};
use aureole_preimage::Preimage;
use aureole_prover::{Backend as _, Halo2Ipa, ParamsDir};
use aureole_range::Range;
use aureole_store::Depot;
use aureole_tests::{Native, params_dir, preimage_input, range_input};
use serde_json::json;
use tempfile::TempDir;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint, Server, server::TcpIncoming};

/// Proofs that are not the ones asked for.
const CORRUPTED: u32 = 1_000;

/// How long an assignment may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The real verifier, in this process.
#[derive(Debug)]
struct Real {
    prover: Halo2Ipa,
    circuits: BTreeMap<Digest, CheckedCircuit>,
}

/// Every input has this key.
#[derive(Debug)]
struct OneKey;

#[tonic::async_trait]
impl Verifier for Real {
    fn build(&self) -> &str {
        "a test"
    }

    async fn key(&self, circuit: Digest) -> Result<CircuitKey, VerifyError> {
        let failed = |reason: String| VerifyError { reason };
        let known = self.circuits.get(&circuit);
        let known = known.ok_or_else(|| failed("another circuit".to_owned()))?;
        let facts = self.prover.keygen(known);
        let facts = facts.map_err(|error| failed(error.to_string()))?;
        Ok(CircuitKey {
            digest: Digest::from_bytes(facts.key_digest.0),
            proof_bytes: u32::try_from(facts.proof_bytes).unwrap_or(u32::MAX),
        })
    }

    async fn verify(
        &self,
        circuit: Digest,
        public_inputs: Vec<u8>,
        proof: Vec<u8>,
    ) -> Result<Verdict, VerifyError> {
        let failed = |reason: String| VerifyError { reason };
        let known = self.circuits.get(&circuit);
        let known = known.ok_or_else(|| failed("another circuit".to_owned()))?;
        match self.prover.verify(known, &public_inputs, &proof) {
            Ok(aureole_prover::Verdict::Valid) => Ok(Verdict::Valid),
            Ok(aureole_prover::Verdict::Invalid { reason }) => Ok(Verdict::Invalid {
                reason: reason.to_string(),
            }),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

#[tonic::async_trait]
impl InputKeys for OneKey {
    async fn key(&self, _: TaskId, _: Digest) -> Result<Option<[u8; 32]>, KeyError> {
        Ok(Some([7; 32]))
    }
}

/// A proof and what it is of.
#[derive(Clone)]
struct Made {
    public_inputs: Vec<u8>,
    proof: Vec<u8>,
}

/// A coordinator that workers reach over TCP, and honest proofs to corrupt.
struct Scene {
    coordinator: Coordinator,
    depot: Depot,
    address: SocketAddr,
    made: Vec<Made>,
    /// A good proof under another key.
    foreign: Made,
    circuit: CircuitId,
    tasks: u32,
    _dir: TempDir,
}

/// A worker by hand.
struct Worker {
    id: String,
    client: WorkersClient<Channel>,
    stream: Streaming<v1::Assignment>,
}

// === impl Scene ===

impl Scene {
    async fn start() -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let prover = Halo2Ipa::new(ParamsDir::open(params_dir()?)?, 64 << 20);
        let circuit = Native::<Preimage>::recorded(&json!({}))?.check(&Limits::default())?;
        let keys = prover.keygen(&circuit)?;
        let native = Native::<Preimage>::new(&json!({}), circuit.circuit().k)?;
        let mut made = Vec::new();
        for number in 0..2 {
            let (assigned, instance) = native.assign(&preimage_input(number))?;
            let proof = native.prove(assigned, &instance)?;
            let public_inputs = flat(&instance);
            made.push(Made {
                public_inputs,
                proof,
            });
        }
        let other = Native::<Range>::recorded(&json!({"bits": 8}))?.check(&Limits::default())?;
        let native = Native::<Range>::new(&json!({"bits": 8}), other.circuit().k)?;
        let (assigned, instance) = native.assign(&range_input())?;
        let foreign = Made {
            proof: native.prove(assigned, &instance)?,
            public_inputs: flat(&instance),
        };
        let digest = Digest::from_bytes(circuit.digest().0);
        let facts = CircuitFacts {
            circuit_digest: digest,
            key_digest: Digest::from_bytes(keys.key_digest.0),
            report: Digest::of(b"report"),
            k: circuit.circuit().k,
            proof_bytes: u32::try_from(keys.proof_bytes)?,
            memory_bytes: 0,
            work: 0,
        };
        let depot = Depot::open(&dir.path().join("depot"))?;
        let coordinator = Coordinator::start(
            Config::new(1, dir.path().join("raft")),
            depot.clone().into(),
            Arc::new(Real {
                prover,
                circuits: [(digest, circuit)].into(),
            }),
            Arc::new(OneKey),
            Arc::new(SystemClock::default()),
            Arc::new(DialNothing),
        )
        .await?;
        make_ready(&coordinator, facts).await?;
        let incoming = TcpIncoming::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = incoming.local_addr()?;
        let server = Server::builder().add_service(coordinator.workers_service());
        tokio::spawn(server.serve_with_incoming(incoming));
        Ok(Self {
            coordinator,
            depot,
            address,
            made,
            foreign,
            circuit: CircuitId::of(&Digest::of(b"component"), &Digest::of(b"params")),
            tasks: 0,
            _dir: dir,
        })
    }

    async fn submit(&mut self) -> anyhow::Result<TaskId> {
        self.tasks += 1;
        let mut id = [0; 16];
        id[..4].copy_from_slice(&self.tasks.to_be_bytes());
        let task = TaskId::from_bytes(id);
        self.apply(Command::SubmitTask {
            task,
            circuit: self.circuit,
            input: Digest::of(&id),
            input_bytes: 0,
            priority: Priority::DEFAULT,
            idempotency: None,
            now: self.coordinator.now(),
            tenant: TenantId::default(),
            deadline: None,
        })
        .await?;
        Ok(task)
    }

    async fn apply(&self, command: Command) -> anyhow::Result<()> {
        let outcome = self.coordinator.propose(command).await?;
        ensure!(!matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
        Ok(())
    }

    async fn join(&self, id: &str) -> anyhow::Result<Worker> {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address))?;
        let mut client = WorkersClient::new(endpoint.connect().await?);
        let request = v1::JoinRequest {
            worker_id: id.to_owned(),
            cores: 2,
            memory_bytes: 1 << 30,
            slots: 1,
            ..v1::JoinRequest::default()
        };
        let stream = client.join(request).await?.into_inner();
        Ok(Worker {
            id: id.to_owned(),
            client,
            stream,
        })
    }

    fn phase(&self, task: TaskId) -> Option<TaskPhase> {
        self.coordinator
            .read(|state| state.task(&task).map(aureole_ledger::TaskRecord::phase))
    }

    /// What a liar brings, of the kinds in turn.
    fn corrupted(&self, number: u32) -> (Made, &'static str) {
        let (honest, other) = (&self.made[0], &self.made[1]);
        let mut made = honest.clone();
        let what = match number % 7 {
            0 | 1 => {
                // Another bit each time, all over the proof.
                let bits = u32::try_from(made.proof.len() * 8).unwrap();
                let bit = usize::try_from(number.wrapping_mul(2_654_435_761) % bits).unwrap();
                made.proof[bit / 8] ^= 1 << (bit % 8);
                "one flipped bit"
            }
            2 => {
                made.proof.clone_from(&other.proof);
                "the proof of another statement"
            }
            3 => {
                made.public_inputs.clone_from(&other.public_inputs);
                "another statement for the proof"
            }
            4 => {
                made.proof.extend_from_slice(&number.to_be_bytes());
                "trailing bytes"
            }
            5 => {
                made = self.foreign.clone();
                made.proof.resize(honest.proof.len(), 0);
                "a proof under another key"
            }
            _ => {
                made.public_inputs.extend_from_slice(&[0; 32]);
                "a public input too many"
            }
        };
        (made, what)
    }
}

// === impl Worker ===

impl Worker {
    async fn lease(&mut self, task: TaskId) -> anyhow::Result<v1::AttemptId> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.stream.message()).await;
            let next = next.with_context(|| format!("{} got no lease", self.id))??;
            let next = next.context("the stream ended")?.assignment;
            // Cancels of tasks before may come between.
            if let Some(v1::assignment::Assignment::Lease(lease)) = next {
                let attempt = lease.attempt.context("no attempt")?;
                ensure!(attempt.task_id == task.as_bytes(), "another task");
                return Ok(attempt);
            }
        }
    }

    async fn complete(
        &mut self,
        depot: &Depot,
        attempt: v1::AttemptId,
        made: &Made,
    ) -> anyhow::Result<Option<v1::Problem>> {
        let proof = depot.put(made.proof.clone()).await?;
        let public_inputs = depot.put(made.public_inputs.clone()).await?;
        let proved = v1::Proved {
            proof: proof.as_bytes().to_vec(),
            public_inputs: public_inputs.as_bytes().to_vec(),
        };
        let request = v1::CompleteRequest {
            worker_id: self.id.clone(),
            attempt: Some(attempt),
            result: Some(v1::complete_request::Result::Proved(proved)),
            ..v1::CompleteRequest::default()
        };
        Ok(self.client.complete(request).await?.into_inner().refused)
    }
}

/// Public inputs as the coordinator takes them.
fn flat(instance: &aureole_tests::Instance) -> Vec<u8> {
    use ff::PrimeField as _;
    let elements = instance.iter().flatten();
    elements.flat_map(|element| element.to_repr()).collect()
}

/// Registers a plugin with a circuit, as its inspection would.
async fn make_ready(coordinator: &Coordinator, facts: CircuitFacts) -> anyhow::Result<()> {
    let task = TaskId::from_bytes([0xee; 16]);
    let worker: WorkerId = "inspector".parse()?;
    let (attempt, now, component) = (1, coordinator.now(), Digest::of(b"component"));
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
            expires_at: u64::MAX,
            now,
            threads: 1,
            memory_bytes: 0,
            speculative: false,
        },
        Command::CompleteTask {
            task,
            attempt,
            worker,
            completion: Completion::PluginInspected {
                name: "preimage".to_owned(),
                version: "1.0.0".to_owned(),
                description: Digest::of(b"description"),
                default_params: Some(Digest::of(b"params")),
                default_circuit: Some(facts),
            },
            timings: Timings::new(),
            now,
            peak_memory_bytes: None,
            acceptance: Acceptance::none(),
        },
    ] {
        let outcome = coordinator.propose(command).await?;
        ensure!(!matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_corrupted_proofs_none_is_served_and_each_liar_is_quarantined()
-> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    let mut liars = 0;
    let mut number = 0;
    while number < CORRUPTED {
        liars += 1;
        let mut liar = scene.join(&format!("liar-{liars}")).await?;
        for _ in 0..3 {
            let task = scene.submit().await?;
            let attempt = liar.lease(task).await?;
            let (made, what) = scene.corrupted(number);
            let refused = liar.complete(&scene.depot, attempt, &made).await?;
            let refused = refused.with_context(|| format!("{what} was accepted"))?;
            ensure!(refused.code == codes::PROOF_INVALID, "{what}: {refused:?}");
            ensure!(scene.phase(task) == Some(TaskPhase::Queued), "{what}");
            scene
                .apply(Command::CancelTask {
                    task,
                    now: scene.coordinator.now(),
                })
                .await?;
            number += 1;
        }
        let id: WorkerId = liar.id.parse()?;
        let distrust = scene.coordinator.read(|state| state.distrust(&id));
        ensure!(distrust.quarantined_at.is_some(), "{id}: {distrust:?}");
    }
    let log = scene.coordinator.read(|state| state.log().size());
    ensure!(log == 0, "{log} receipts of corrupted proofs");
    // Every liar is still joined or gone; the honest one alone gets the task, and its proof is taken.
    let task = scene.submit().await?;
    let mut honest = scene.join("honest").await?;
    let attempt = honest.lease(task).await?;
    let good = scene.made[0].clone();
    let refused = honest.complete(&scene.depot, attempt, &good).await?;
    ensure!(refused.is_none(), "{refused:?}");
    ensure!(scene.phase(task) == Some(TaskPhase::Done));
    ensure!(scene.coordinator.read(|state| state.log().size()) == 1);
    // Nor is a good proof taken a second time.
    let task = scene.submit().await?;
    let attempt = honest.lease(task).await?;
    let refused = honest.complete(&scene.depot, attempt, &good).await?;
    let refused = refused.context("a replay was accepted")?;
    ensure!(refused.code == codes::PROOF_INVALID, "{refused:?}");
    scene.coordinator.shutdown().await;
    Ok(())
}
