//! A verb with its arguments, as JSON between a relay and the leader's desk.

use std::collections::BTreeMap;
use std::time::Duration;

use aureole_api::rest::{PluginRef, Sharing, TaskState};
use aureole_api::{Problem, codes};
use aureole_gateway::{
    Administration, BatchVerification, Claim, InputCheck, KeyHash, LogRead, Seen, Sort, Submission,
    Target, TaskFilter, Verification,
};
use aureole_ledger::{CircuitId, Millis, Priority, TaskId, WorkerId};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::webhooks::WebhookCall;

/// A verb with its arguments. Not `Debug`: an input is private.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Call {
    Plugins,
    Plugin {
        plugin: PluginRef,
        wait_ms: u64,
    },
    RetirePlugin {
        plugin: PluginRef,
    },
    SharePlugin {
        plugin: PluginRef,
        sharing: Sharing,
    },
    PutCircuit {
        plugin: PluginRef,
        params: Option<Value>,
    },
    Circuit {
        circuit: CircuitId,
        wait_ms: u64,
    },
    CircuitIr {
        circuit: CircuitId,
    },
    CheckInput {
        circuit: CircuitId,
        input: Value,
        reveal: bool,
    },
    Submit(Box<Submit>),
    Task {
        task: TaskId,
        wait_ms: u64,
    },
    TaskChange {
        task: TaskId,
        seen: Seen,
        wait_ms: u64,
    },
    Tasks(Tasks),
    Cancel {
        task: TaskId,
    },
    Explain {
        task: TaskId,
    },
    Proof {
        task: TaskId,
    },
    Verify(Verify),
    VerifyBatch(VerifyBatch),
    Me,
    Administer(Administration),
    /// Who holds a key.
    Authenticate {
        key: KeyHash,
    },
    Receipt {
        task: TaskId,
    },
    Log(LogCall),
    VerifyingKeys,
    VerifyingKey {
        name: String,
    },
    PublishVerifyingKey {
        name: String,
        circuit: CircuitId,
    },
    CircuitKey {
        circuit: CircuitId,
    },
    RevokeVerifyingKey {
        circuit: CircuitId,
        reason: String,
    },
    Workers,
    TrustWorker {
        worker: WorkerId,
    },
    Webhooks(WebhookCall),
    /// How the leader is.
    Checks,
}

/// What is read of the log of accepted proofs.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LogCall {
    Checkpoint,
    Key,
    Tile(String),
    Inclusion { index: u64, size: Option<u64> },
    Consistency { from: u64, to: Option<u64> },
}

/// A submission and the id that its task will have.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Submit {
    task: TaskId,
    circuit: Option<CircuitId>,
    plugin: Option<PluginRef>,
    params: Option<Value>,
    input: Value,
    priority: u8,
    deadline: Option<Millis>,
    idempotency_key: Option<String>,
    /// How long the answer may wait for the verdict on the input.
    verdict_ms: u64,
}

/// A page of tasks.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tasks {
    state: Option<TaskState>,
    plugin: Option<PluginRef>,
    #[serde(default)]
    circuit: Option<CircuitId>,
    #[serde(default)]
    since: Option<Millis>,
    #[serde(default)]
    until: Option<Millis>,
    #[serde(default)]
    sort: Sort,
    before: Option<String>,
    limit: u32,
}

/// A proof to be verified.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Verify {
    circuit: CircuitId,
    #[serde(flatten)]
    claim: Claimed,
}

/// Proofs of one circuit to be verified together.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct VerifyBatch {
    circuit: CircuitId,
    claims: Vec<Claimed>,
}

/// A proof and its public inputs.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Claimed {
    public_inputs: BTreeMap<String, Vec<String>>,
    proof: String,
}

// === impl Call ===

impl Call {
    /// The verb, for logs.
    pub(super) fn verb(&self) -> &'static str {
        match self {
            Self::Plugins => "plugins",
            Self::Plugin { .. } => "plugin",
            Self::RetirePlugin { .. } => "retire_plugin",
            Self::PutCircuit { .. } => "put_circuit",
            Self::Circuit { .. } => "circuit",
            Self::CircuitIr { .. } => "circuit_ir",
            Self::CheckInput { .. } => "check_input",
            Self::Submit(_) => "submit",
            Self::Task { .. } => "task",
            Self::TaskChange { .. } => "task_change",
            Self::Tasks(_) => "tasks",
            Self::Cancel { .. } => "cancel",
            Self::Explain { .. } => "explain",
            Self::Proof { .. } => "proof",
            Self::Verify(_) => "verify",
            Self::VerifyBatch(_) => "verify_batch",
            Self::SharePlugin { .. } => "share_plugin",
            Self::Me => "me",
            Self::Administer(_) => "administer",
            Self::Authenticate { .. } => "authenticate",
            Self::Receipt { .. } => "receipt",
            Self::Log(_) => "log",
            Self::VerifyingKeys => "verifying_keys",
            Self::VerifyingKey { .. } => "verifying_key",
            Self::PublishVerifyingKey { .. } => "publish_verifying_key",
            Self::CircuitKey { .. } => "circuit_key",
            Self::RevokeVerifyingKey { .. } => "revoke_verifying_key",
            Self::Workers => "workers",
            Self::TrustWorker { .. } => "trust_worker",
            Self::Webhooks(_) => "webhooks",
            Self::Checks => "checks",
        }
    }

    pub(super) fn check_input(check: &InputCheck) -> Self {
        Self::CheckInput {
            circuit: check.circuit,
            input: check.input.clone(),
            reveal: check.reveal,
        }
    }

    pub(super) fn submit(task: TaskId, submission: &Submission, verdict: Duration) -> Self {
        let (circuit, plugin, params) = match &submission.target {
            Target::Circuit(circuit) => (Some(*circuit), None, None),
            Target::Plugin { plugin, params } => (None, Some(plugin.clone()), params.clone()),
        };
        Self::Submit(Box::new(Submit {
            task,
            circuit,
            plugin,
            params,
            input: submission.input.clone(),
            priority: submission.priority.level(),
            deadline: submission.deadline,
            idempotency_key: submission.idempotency_key.clone(),
            verdict_ms: millis(verdict),
        }))
    }

    pub(super) fn tasks(filter: &TaskFilter) -> Self {
        Self::Tasks(Tasks {
            state: filter.state,
            plugin: filter.plugin.clone(),
            circuit: filter.circuit,
            since: filter.since,
            until: filter.until,
            sort: filter.sort,
            before: filter.before.clone(),
            limit: filter.limit,
        })
    }

    pub(super) fn verify(request: &Verification) -> Self {
        Self::Verify(Verify {
            circuit: request.circuit,
            claim: Claimed::new(&request.public_inputs, &request.proof),
        })
    }

    pub(super) fn verify_batch(batch: &BatchVerification) -> Self {
        let claims = batch.claims.iter();
        Self::VerifyBatch(VerifyBatch {
            circuit: batch.circuit,
            claims: claims
                .map(|claim| Claimed::new(&claim.public_inputs, &claim.proof))
                .collect(),
        })
    }
}

// === impl LogCall ===

impl From<LogRead> for LogCall {
    fn from(read: LogRead) -> Self {
        match read {
            LogRead::Checkpoint => Self::Checkpoint,
            LogRead::Key => Self::Key,
            LogRead::Tile(path) => Self::Tile(path),
            LogRead::Inclusion { index, size } => Self::Inclusion { index, size },
            LogRead::Consistency { from, to } => Self::Consistency { from, to },
        }
    }
}

impl From<LogCall> for LogRead {
    fn from(call: LogCall) -> Self {
        match call {
            LogCall::Checkpoint => Self::Checkpoint,
            LogCall::Key => Self::Key,
            LogCall::Tile(path) => Self::Tile(path),
            LogCall::Inclusion { index, size } => Self::Inclusion { index, size },
            LogCall::Consistency { from, to } => Self::Consistency { from, to },
        }
    }
}

// === impl Submit ===

impl Submit {
    /// The submission, if its fields can be one, and how long to wait for its verdict.
    pub(super) fn read(self) -> Result<(TaskId, Submission, Duration), Problem> {
        let target = match (self.circuit, self.plugin) {
            (Some(circuit), None) => Target::Circuit(circuit),
            (None, Some(plugin)) => Target::Plugin {
                plugin,
                params: self.params,
            },
            _ => return Err(malformed("a submission names a circuit or a plugin")),
        };
        let priority =
            Priority::new(self.priority).ok_or_else(|| malformed("a priority is 0 to 9"))?;
        let submission = Submission {
            target,
            input: self.input,
            priority,
            deadline: self.deadline,
            idempotency_key: self.idempotency_key,
        };
        Ok((
            self.task,
            submission,
            Duration::from_millis(self.verdict_ms),
        ))
    }
}

// === impl Tasks ===

impl Tasks {
    pub(super) fn read(self) -> TaskFilter {
        TaskFilter {
            state: self.state,
            plugin: self.plugin,
            circuit: self.circuit,
            since: self.since,
            until: self.until,
            sort: self.sort,
            before: self.before,
            limit: self.limit,
        }
    }
}

// === impl Verify ===

impl Verify {
    pub(super) fn read(self) -> Result<Verification, Problem> {
        let (public_inputs, proof) = self.claim.read()?;
        Ok(Verification {
            circuit: self.circuit,
            public_inputs,
            proof,
        })
    }
}

// === impl VerifyBatch ===

impl VerifyBatch {
    pub(super) fn read(self) -> Result<BatchVerification, Problem> {
        let claims = self.claims.into_iter().map(|claim| {
            let (public_inputs, proof) = claim.read()?;
            Ok(Claim {
                public_inputs,
                proof,
            })
        });
        Ok(BatchVerification {
            circuit: self.circuit,
            claims: claims.collect::<Result<_, Problem>>()?,
        })
    }
}

// === impl Claimed ===

/// Field elements by the name of the public input.
type Elements = BTreeMap<String, Vec<[u8; 32]>>;

impl Claimed {
    fn new(public_inputs: &Elements, proof: &[u8]) -> Self {
        let texts = |(name, elements): (&String, &Vec<[u8; 32]>)| {
            (name.clone(), elements.iter().map(hex::encode).collect())
        };
        Self {
            public_inputs: public_inputs.iter().map(texts).collect(),
            proof: STANDARD.encode(proof),
        }
    }

    fn read(self) -> Result<(Elements, Vec<u8>), Problem> {
        let element = |text: &String| {
            let mut element = [0; 32];
            hex::decode_to_slice(text, &mut element)
                .map(|()| element)
                .map_err(|_| malformed("a public input is 64 hex digits"))
        };
        let mut public_inputs = BTreeMap::new();
        for (name, texts) in self.public_inputs {
            let elements = texts.iter().map(element).collect::<Result<_, _>>()?;
            public_inputs.insert(name, elements);
        }
        let proof = STANDARD
            .decode(&self.proof)
            .map_err(|_| malformed("a proof is base64"))?;
        Ok((public_inputs, proof))
    }
}

pub(super) fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

fn malformed(detail: &str) -> Problem {
    Problem::new(codes::node::INTERNAL, format!("a relayed call: {detail}"))
}

#[cfg(test)]
mod tests {
    //! What one process writes, another reads as the same; what is no call is refused.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;
    use serde_json::json;

    fn travelled(call: &Call) -> Call {
        serde_json::from_slice(&serde_json::to_vec(call).unwrap()).unwrap()
    }

    #[test]
    fn a_submission_arrives_as_it_was_sent() {
        let task = TaskId::from_bytes([7; 16]);
        for target in [
            Target::Circuit(CircuitId::from_bytes([1; 16])),
            Target::Plugin {
                plugin: "merkle@0.1.0".parse().unwrap(),
                params: Some(json!({"depth": 8})),
            },
        ] {
            let submission = Submission {
                target,
                input: json!({"value": 18_446_744_073_709_551_615_u64}),
                priority: Priority::HIGHEST,
                deadline: Some(253_402_300_799_999),
                idempotency_key: Some("order-7".to_owned()),
            };
            let verdict = Duration::from_millis(1_250);
            let Call::Submit(submit) = travelled(&Call::submit(task, &submission, verdict)) else {
                unreachable!("another verb arrived");
            };
            assert!(submit.read() == Ok((task, submission, verdict)));
        }
    }

    #[test]
    fn a_reading_of_the_log_arrives_as_it_was_asked_for() {
        for read in [
            LogRead::Checkpoint,
            LogRead::Key,
            LogRead::Tile("tile/0/000".to_owned()),
            LogRead::Inclusion {
                index: u64::MAX,
                size: None,
            },
            LogRead::Consistency {
                from: 1,
                to: Some(2),
            },
        ] {
            let Call::Log(call) = travelled(&Call::Log(read.clone().into())) else {
                unreachable!("another verb arrived");
            };
            assert_eq!(LogRead::from(call), read);
        }
    }

    #[test]
    fn a_verification_arrives_as_it_was_sent() {
        let request = Verification {
            circuit: CircuitId::from_bytes([1; 16]),
            public_inputs: BTreeMap::from([("root".to_owned(), vec![[9; 32], [0; 32]])]),
            proof: vec![0, 1, 255],
        };
        let Call::Verify(verify) = travelled(&Call::verify(&request)) else {
            unreachable!("another verb arrived");
        };
        assert_eq!(verify.read(), Ok(request.clone()));
        let claim = Claim {
            public_inputs: request.public_inputs,
            proof: request.proof,
        };
        let batch = BatchVerification {
            circuit: request.circuit,
            claims: vec![claim.clone(), claim],
        };
        let Call::VerifyBatch(verify) = travelled(&Call::verify_batch(&batch)) else {
            unreachable!("another verb arrived");
        };
        assert_eq!(verify.read(), Ok(batch));
    }

    #[test]
    fn a_filter_arrives_as_it_was_sent_and_an_older_one_asks_for_less() {
        let filter = TaskFilter {
            state: Some(TaskState::Failed),
            plugin: Some("merkle".parse().unwrap()),
            circuit: Some(CircuitId::from_bytes([1; 16])),
            since: Some(1),
            until: Some(2),
            sort: Sort::Oldest,
            before: Some("1.2".to_owned()),
            limit: 7,
        };
        let Call::Tasks(tasks) = travelled(&Call::tasks(&filter)) else {
            unreachable!("another verb arrived");
        };
        assert_eq!(tasks.read(), filter);
        let older = json!({"state": null, "plugin": null, "before": null, "limit": 1});
        let older: Tasks = serde_json::from_value(older).unwrap();
        assert_eq!(older.read().sort, Sort::Newest);
    }

    #[test]
    fn a_call_that_cannot_be_is_a_problem() {
        let submit = Submit {
            task: TaskId::from_bytes([7; 16]),
            circuit: None,
            plugin: None,
            params: None,
            input: Value::Null,
            priority: 5,
            deadline: None,
            idempotency_key: None,
            verdict_ms: 0,
        };
        assert!(submit.clone().read().is_err());
        let urgent = Submit {
            circuit: Some(CircuitId::from_bytes([1; 16])),
            priority: 10,
            ..submit
        };
        assert!(urgent.read().is_err());
        let verify = |input: &str, proof: &str| Verify {
            circuit: CircuitId::from_bytes([1; 16]),
            claim: Claimed {
                public_inputs: BTreeMap::from([("root".to_owned(), vec![input.to_owned()])]),
                proof: proof.to_owned(),
            },
        };
        assert!(verify("00", "").read().is_err());
        assert!(verify(&"00".repeat(32), "%").read().is_err());
    }
}
