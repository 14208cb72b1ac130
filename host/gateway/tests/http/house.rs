//! A platform in memory: it keeps what it is given and changes when a test says so.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use aureole_client::{
    Problem, codes,
    rest::{
        AuditTrail, Cell, CheckReport, Circuit, CircuitKey, CircuitState, ClusterMember,
        ClusterStanding, Delivery, DeliveryList, DeliveryState, Elements, Estimate, EventKind,
        Explanation, Failure, Health, Key, KeyList, LogProof, Me, Overview, Plugin, PluginList,
        PluginRef, PluginState, ProofRecord, Quotas, Revocation, Role, Sharing, Task, TaskCounts,
        TaskKind, TaskPage, TaskState, Tenant, TenantList, TenantLoad, Timestamp, Usage, Verdict,
        VerifyingKey, VerifyingKeyList, VerifyingKeyState, VerifyingKeyVersion, Wait, Webhook,
        WebhookList, WebhookTest, WorkerInfo, WorkerList,
    },
};
use aureole_gateway::{
    Administered, Administration, ApiKey, BatchVerification, Blob, Caller, Component, Credential,
    InputCheck, KeyHash, LogRead, NewWebhook, Platform, Seen, Submission, TaskFilter, Verification,
    Webhooks,
};
use aureole_ledger::{CircuitId, Digest, KeyId, TaskId, TenantId, WebhookId, WorkerId};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt as _, sync::watch, time::timeout};

/// The one circuit.
pub(crate) const CIRCUIT: &str = "cir_0000000000000000000000000000000c";
/// A task that is there from the start and done.
pub(crate) const DONE: &str = "tsk_0000000000000000000000000000000d";
/// The one webhook, once it is made.
pub(crate) const WEBHOOK: &str = "whk_0000000000000000000000000000000e";
/// The bytes of every proof.
pub(crate) const PROOF: &[u8] = b"a proof";
/// The bytes of the circuit.
pub(crate) const CIRCUIT_BYTES: &[u8] = b"a circuit";

/// The key that every request of these tests carries unless it names another.
pub(crate) const KEY: &str = "aur_7e57000000000000_7e577e577e577e577e577e577e577e577e577e57";

/// A token of an identity provider, good for a submitter.
pub(crate) const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl";

/// A token of an identity provider whose keys are not to be had.
pub(crate) const TOKEN_OF_ONE_AWAY: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhd2F5In0.c2lnbmF0dXJl";

/// The header with that key.
pub(crate) const AUTH: &str =
    "authorization: Bearer aur_7e57000000000000_7e577e577e577e577e577e577e577e577e577e57\r\n";

/// A key and who holds it.
pub(crate) fn admit(key: &str, tenant: &str, role: aureole_ledger::Role) -> (KeyHash, Caller) {
    let hash = ApiKey::parse(key).unwrap().hash();
    let caller = Caller {
        tenant: tenant.parse().unwrap(),
        role,
        credential: Credential::Key(hash.id),
    };
    (hash, caller)
}

/// What the house knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) plugins: BTreeMap<String, Plugin>,
    pub(crate) tasks: BTreeMap<String, Task>,
    pub(crate) submissions: Vec<Submission>,
    pub(crate) verifications: Vec<Verification>,
    pub(crate) filters: Vec<TaskFilter>,
    pub(crate) webhooks: BTreeMap<String, Webhook>,
    pub(crate) new_webhooks: Vec<NewWebhook>,
    pub(crate) uploads_begun: u32,
    pub(crate) waits: u32,
    pub(crate) unready: bool,
    pub(crate) circuit_bytes: Option<Bytes>,
    pub(crate) keys: Vec<(KeyHash, Caller)>,
}

/// The platform.
#[derive(Debug)]
pub(crate) struct House(pub(crate) watch::Sender<Facts>);

/// What nobody has used.
fn usage(tenant: &TenantId) -> Usage {
    Usage {
        tenant: tenant.to_string(),
        tasks: 0,
        proofs: 0,
        failed: 0,
        core_seconds: 0,
        input_bytes: 0,
        core_seconds_this_hour: 0,
        live_tasks: 0,
        queued_bytes: 0,
        running: 0,
        plugins: 0,
        stored_bytes: 0,
        quotas: Quotas::default(),
    }
}

// === impl House ===

impl Default for House {
    fn default() -> Self {
        let mut facts = Facts::default();
        facts.tasks.insert(DONE.to_owned(), done(task(DONE)));
        facts
            .keys
            .push(admit(KEY, "default", aureole_ledger::Role::Admin));
        Self(watch::Sender::new(facts))
    }
}

impl House {
    /// Changes what the house knows; whoever waits looks again.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Facts)) {
        self.0.send_modify(change);
    }

    /// Waits until the house knows something.
    pub(crate) async fn until(&self, mut known: impl FnMut(&Facts) -> bool) -> Facts {
        let mut facts = self.0.subscribe();
        let found = timeout(crate::wire::PATIENCE, facts.wait_for(|facts| known(facts))).await;
        found.expect("it never came to that").unwrap().clone()
    }

    async fn settled<T>(
        &self,
        wait: Duration,
        look: impl Fn(&Facts) -> Result<T, Problem>,
        is_settled: impl Fn(&T) -> bool,
    ) -> Result<T, Problem> {
        let settled = |facts: &Facts| look(facts).is_ok_and(|found| is_settled(&found));
        if !wait.is_zero() && !settled(&self.0.borrow()) {
            self.change(|facts| facts.waits += 1);
            let mut facts = self.0.subscribe();
            let _late = timeout(wait, facts.wait_for(settled)).await;
        }
        look(&self.0.borrow())
    }
}

fn plugin(digest: &Digest, bytes: &[u8]) -> Plugin {
    let known = |text: &str| (!bytes.starts_with(b"slow")).then(|| text.to_owned());
    let rejected = bytes.starts_with(b"bad");
    let denied = || Problem::new(codes::plugin::IMPORT_DENIED, "wasi:cli/environment@0.2.0");
    Plugin {
        digest: digest.to_string(),
        bytes: bytes.len() as u64,
        state: match bytes.get(..4) {
            Some(b"slow") => PluginState::Inspecting,
            _ if rejected => PluginState::Rejected,
            _ => PluginState::Ready,
        },
        task: None,
        registered_at: Timestamp::from_millis(0),
        name: known("merkle"),
        version: known("0.1.0"),
        summary: None,
        backend: None,
        field: None,
        params_schema: None,
        input_schema: None,
        default_params: None,
        default_circuit: None,
        public_inputs: Vec::new(),
        lints: Vec::new(),
        signer: None,
        problem: rejected.then(denied),
        sharing: None,
    }
}

fn circuit() -> Circuit {
    Circuit {
        id: CIRCUIT.to_owned(),
        state: CircuitState::Ready,
        component: Digest::of(b"").to_string(),
        plugin: Some("merkle@0.1.0".to_owned()),
        params: json!({"depth": 16}),
        registered_at: Timestamp::from_millis(0),
        circuit_digest: Some(Digest::of(CIRCUIT_BYTES).to_string()),
        key_digest: None,
        proof_bytes: Some(PROOF.len() as u64),
        shape: None,
        gates: Vec::new(),
        public_inputs: Vec::new(),
        lints: Vec::new(),
        estimate: None,
        problem: None,
    }
}

/// A cluster of one that has nothing to do.
fn overview() -> Overview {
    Overview {
        at: Timestamp::from_millis(0),
        cluster: ClusterStanding {
            name: "house".to_owned(),
            term: 1,
            leader: Some(1),
            applied: Some(7),
            members: vec![ClusterMember {
                id: 1,
                leader: true,
                voter: true,
                lag: Some(0),
            }],
        },
        tasks: TaskCounts {
            queued: 0,
            waiting: 0,
            running: 0,
        },
        tenants: vec![TenantLoad {
            tenant: "default".to_owned(),
            live: 0,
            running: 0,
            proofs: 0,
            failed: 0,
        }],
        tenant_count: 1,
        workers: vec![worker("w-1")],
    }
}

/// A queued task.
pub(crate) fn task(id: &str) -> Task {
    Task {
        id: id.to_owned(),
        tenant: "default".to_owned(),
        kind: TaskKind::Prove,
        state: TaskState::Queued,
        stage: None,
        priority: 5,
        plugin: Some("merkle@0.1.0".to_owned()),
        circuit: Some(CIRCUIT.to_owned()),
        submitted_at: Timestamp::from_millis(0),
        deadline: None,
        finished_at: None,
        attempts: Vec::new(),
        timings_ms: None,
        public_inputs: None,
        proof: None,
        receipt: None,
        error: None,
    }
}

/// The same task with its proof.
pub(crate) fn done(task: Task) -> Task {
    let root = Elements::from_big_endian(&[[7; 32]]);
    let record = ProofRecord {
        digest: Digest::of(PROOF).to_string(),
        bytes: PROOF.len() as u64,
        url: format!("/api/v1/tasks/{}/proof", task.id),
        base64: None,
    };
    Task {
        state: TaskState::Done,
        public_inputs: Some(BTreeMap::from([("root".to_owned(), root)])),
        proof: Some(record),
        ..task
    }
}

/// The same task without hope.
pub(crate) fn failed(task: Task) -> Task {
    let problem = Problem::new(codes::witness::UNSATISFIED, "gate \"swap\" at row 3");
    Task {
        state: TaskState::Failed,
        error: Some(problem),
        ..task
    }
}

#[async_trait]
impl Platform for House {
    async fn authenticate(&self, key: &KeyHash) -> Result<Option<Caller>, Problem> {
        let facts = self.0.borrow();
        let holder = facts.keys.iter().find(|(known, _)| known.matches(key));
        Ok(holder.map(|(_, caller)| caller.clone()))
    }

    async fn authenticate_token(&self, token: &str) -> Result<Option<Caller>, Problem> {
        if token == TOKEN_OF_ONE_AWAY {
            let detail = "the issuer of tokens is away";
            return Err(Problem::new(codes::access::ISSUER_AWAY, detail).retry_after(10));
        }
        Ok((token == TOKEN).then(|| Caller {
            tenant: TenantId::default(),
            role: aureole_ledger::Role::Submitter,
            credential: Credential::Token("ada".to_owned()),
        }))
    }

    async fn me(&self, caller: &Caller) -> Result<Me, Problem> {
        Ok(Me {
            tenant: caller.tenant.to_string(),
            role: serde_json::from_value(json!(caller.role.name())).unwrap(),
            credential: caller.credential.to_string(),
            usage: usage(&caller.tenant),
        })
    }

    async fn administer(&self, _: &Caller, asked: Administration) -> Result<Administered, Problem> {
        let tenant = |id: &TenantId| Tenant {
            id: id.to_string(),
            weight: 100,
            quotas: Quotas::default(),
            suspended: false,
            created_at: None,
        };
        let key = |id: KeyId| Key {
            id: id.to_string(),
            tenant: "default".to_owned(),
            role: Role::Submitter,
            label: String::new(),
            created_at: Timestamp::from_millis(0),
            expires_at: None,
            revoked_at: None,
        };
        Ok(match asked {
            Administration::Tenants => Administered::Tenants(TenantList::default()),
            Administration::Tenant(id) | Administration::PutTenant { tenant: id, .. } => {
                Administered::Tenant(tenant(&id))
            }
            Administration::Usage(id) => Administered::Usage(usage(&id)),
            Administration::Keys { .. } => Administered::Keys(KeyList::default()),
            Administration::CreateKey { key: hash, .. } => Administered::Key(key(hash.id)),
            Administration::RevokeKey(id) => Administered::Key(key(id)),
            Administration::Audit { .. } => Administered::Audit(AuditTrail::default()),
            Administration::Overview => Administered::Overview(overview()),
        })
    }

    async fn share_plugin(
        &self,
        caller: &Caller,
        plugin: &PluginRef,
        sharing: Sharing,
    ) -> Result<Plugin, Problem> {
        let found = self.plugin(caller, plugin, Duration::ZERO).await?;
        Ok(Plugin {
            sharing: Some(sharing),
            ..found
        })
    }

    async fn put_plugin(
        &self,
        _: &Caller,
        component: Component,
    ) -> Result<(Plugin, bool), Problem> {
        self.change(|facts| facts.uploads_begun += 1);
        let mut bytes = Vec::new();
        let read = component.into_reader().read_to_end(&mut bytes).await;
        read.map_err(|_| Problem::new(codes::node::STORAGE, "the depot could not read it"))?;
        let digest = Digest::of(&bytes);
        let plugin = plugin(&digest, &bytes);
        let mut new = true;
        self.change(|facts| {
            new = facts
                .plugins
                .insert(digest.to_string(), plugin.clone())
                .is_none();
        });
        Ok((plugin, new))
    }

    async fn plugins(&self, _: &Caller) -> Result<PluginList, Problem> {
        Ok(PluginList {
            plugins: self.0.borrow().plugins.values().cloned().collect(),
        })
    }

    async fn plugin(
        &self,
        _: &Caller,
        plugin: &PluginRef,
        wait: Duration,
    ) -> Result<Plugin, Problem> {
        let meant = |known: &&Plugin| match plugin {
            PluginRef::Digest(_) => known.digest == plugin.to_string(),
            PluginRef::Name { name, version } => {
                known.name.as_ref() == Some(name)
                    && version
                        .as_ref()
                        .is_none_or(|v| known.version.as_ref() == Some(v))
            }
        };
        let look = |facts: &Facts| {
            let unknown = || Problem::new(codes::plugin::UNKNOWN, plugin.to_string());
            facts
                .plugins
                .values()
                .find(meant)
                .cloned()
                .ok_or_else(unknown)
        };
        self.settled(wait, look, Plugin::is_settled).await
    }

    async fn retire_plugin(&self, caller: &Caller, plugin: &PluginRef) -> Result<Plugin, Problem> {
        let found = self.plugin(caller, plugin, Duration::ZERO).await?;
        let retired = Plugin {
            state: PluginState::Retired,
            ..found
        };
        self.change(|facts| {
            facts
                .plugins
                .insert(retired.digest.clone(), retired.clone());
        });
        Ok(retired)
    }

    async fn put_circuit(
        &self,
        _: &Caller,
        _: &PluginRef,
        params: Option<Value>,
    ) -> Result<(Circuit, bool), Problem> {
        match params {
            Some(Value::String(_)) => {
                let problem = Problem::new(codes::ir::K, "k = 20 is over 14");
                let state = CircuitState::Rejected;
                Ok((
                    Circuit {
                        state,
                        problem: Some(problem),
                        ..circuit()
                    },
                    true,
                ))
            }
            Some(params) => Ok((
                Circuit {
                    params,
                    ..circuit()
                },
                true,
            )),
            None => Ok((circuit(), false)),
        }
    }

    async fn circuit(&self, _: &Caller, id: CircuitId, _: Duration) -> Result<Circuit, Problem> {
        let unknown = || Problem::new(codes::circuit::UNKNOWN, id.to_string());
        (id.to_string() == CIRCUIT)
            .then(circuit)
            .ok_or_else(unknown)
    }

    async fn check_input(
        &self,
        caller: &Caller,
        check: InputCheck,
    ) -> Result<CheckReport, Problem> {
        self.circuit(caller, check.circuit, Duration::ZERO).await?;
        let value = check.reveal.then(|| "0x7".to_owned());
        let satisfied = check.input.get("good").is_some();
        Ok(CheckReport {
            satisfied,
            code: (!satisfied).then(|| "witness.unsatisfied".to_owned()),
            failures: (!satisfied).then(|| failure(value)).into_iter().collect(),
            more: 0,
        })
    }

    async fn circuit_ir(&self, caller: &Caller, id: CircuitId) -> Result<Blob, Problem> {
        self.circuit(caller, id, Duration::ZERO).await?;
        let other = self.0.borrow().circuit_bytes.clone();
        let bytes = other.unwrap_or(Bytes::from_static(CIRCUIT_BYTES));
        Ok(Blob {
            digest: Digest::of(&bytes),
            bytes,
        })
    }

    async fn submit(&self, _: &Caller, submission: Submission) -> Result<Task, Problem> {
        assert!(submission.input.get("panic").is_none(), "as the test asked");
        if submission.input.get("refuse").is_some() {
            let problem = Problem::new(codes::witness::INPUT_SCHEMA, "300 is over the maximum");
            return Err(problem.at("/refuse"));
        }
        let mut accepted = task("");
        self.change(|facts| {
            facts.submissions.push(submission);
            let number = facts.submissions.len();
            accepted.id = format!("tsk_{number:032x}");
            facts.tasks.insert(accepted.id.clone(), accepted.clone());
        });
        Ok(accepted)
    }

    async fn task(&self, _: &Caller, id: TaskId, wait: Duration) -> Result<Task, Problem> {
        let look = |facts: &Facts| {
            let unknown = || Problem::new(codes::task::UNKNOWN, id.to_string());
            facts
                .tasks
                .get(&id.to_string())
                .cloned()
                .ok_or_else(unknown)
        };
        self.settled(wait, look, |task: &Task| task.state.is_final())
            .await
    }

    async fn task_change(
        &self,
        _: &Caller,
        id: TaskId,
        seen: &Seen,
        wait: Duration,
    ) -> Result<Task, Problem> {
        let look = |facts: &Facts| {
            let unknown = || Problem::new(codes::task::UNKNOWN, id.to_string());
            let found = facts.tasks.get(&id.to_string());
            found.cloned().ok_or_else(unknown)
        };
        self.settled(wait, look, |task: &Task| Seen::of(task) != *seen)
            .await
    }

    async fn tasks(&self, _: &Caller, filter: TaskFilter) -> Result<TaskPage, Problem> {
        self.change(|facts| facts.filters.push(filter));
        let tasks = self.0.borrow().tasks.values().rev().cloned().collect();
        Ok(TaskPage {
            tasks,
            next: Some("00ff.1".to_owned()),
        })
    }

    async fn explain(&self, caller: &Caller, id: TaskId) -> Result<Explanation, Problem> {
        let task = self.task(caller, id, Duration::ZERO).await?;
        Ok(Explanation {
            task: task.id,
            state: task.state,
            wait: Wait::Slot,
            summary: "it is next, all 2 slots are taken".to_owned(),
            tenant: "default".to_owned(),
            weight: 100,
            tenant_running: 2,
            ahead: Some(0),
            ahead_is_more: false,
            queued: 1,
            estimate: Estimate {
                duration_ms: 650,
                memory_bytes: 1 << 28,
                threads: 2,
                basis: "measured 12 times here".to_owned(),
            },
            starts_in_ms: Some(300),
            ends_in_ms: Some(950),
            deadline: None,
        })
    }

    async fn cancel(&self, caller: &Caller, id: TaskId) -> Result<Task, Problem> {
        let found = self.task(caller, id, Duration::ZERO).await?;
        if found.state == TaskState::Done {
            return Err(Problem::new(codes::task::FINISHED, "it is done"));
        }
        let cancelled = Task {
            state: TaskState::Cancelled,
            ..found
        };
        self.change(|facts| {
            facts.tasks.insert(cancelled.id.clone(), cancelled.clone());
        });
        Ok(cancelled)
    }

    async fn proof(&self, caller: &Caller, id: TaskId) -> Result<Blob, Problem> {
        let task = self.task(caller, id, Duration::ZERO).await?;
        let not_done = || Problem::new(codes::task::NOT_DONE, task.state.name());
        task.proof.as_ref().ok_or_else(not_done)?;
        let bytes = Bytes::from_static(PROOF);
        Ok(Blob {
            digest: Digest::of(&bytes),
            bytes,
        })
    }

    async fn verify(&self, _: &Caller, request: Verification) -> Result<Verdict, Problem> {
        let valid = request.proof == PROOF;
        self.change(|facts| facts.verifications.push(request));
        Ok(Verdict {
            valid,
            reason: (!valid).then(|| "it does not verify".to_owned()),
            revoked: None,
        })
    }

    async fn receipt(&self, caller: &Caller, id: TaskId) -> Result<Value, Problem> {
        let task = self.task(caller, id, Duration::ZERO).await?;
        Ok(json!({"format": "aureole-receipt/1", "task": task.id}))
    }

    async fn log(&self, _: &Caller, read: LogRead) -> Result<Blob, Problem> {
        let proof = |of, size: Option<u64>| {
            let proof = LogProof {
                of,
                size: size.unwrap_or(10),
                root: "0".repeat(64),
                hashes: Vec::new(),
                checkpoint: String::new(),
            };
            Bytes::from(serde_json::to_vec(&proof).unwrap())
        };
        let bytes = match read {
            LogRead::Tile(path) if path != "tile/0/x001/234.p/5" => {
                return Err(Problem::new(codes::log::TILE, path));
            }
            LogRead::Inclusion { index, size } => proof(index, size),
            LogRead::Consistency { from, to } => proof(from, to),
            read => Bytes::from(format!("{read:?}")),
        };
        Ok(Blob {
            digest: Digest::of(&bytes),
            bytes,
        })
    }

    async fn verifying_keys(&self, _: &Caller) -> Result<VerifyingKeyList, Problem> {
        Ok(VerifyingKeyList {
            keys: vec![verifying_key("votes")],
            revocations: Vec::new(),
        })
    }

    async fn verifying_key(&self, _: &Caller, name: &str) -> Result<VerifyingKey, Problem> {
        match name {
            "votes" => Ok(verifying_key(name)),
            _ => Err(Problem::new(codes::verifying_key::UNKNOWN, name)),
        }
    }

    async fn publish_verifying_key(
        &self,
        _: &Caller,
        name: &str,
        circuit: CircuitId,
    ) -> Result<VerifyingKey, Problem> {
        assert_eq!(circuit.to_string(), CIRCUIT);
        Ok(verifying_key(name))
    }

    async fn circuit_key(&self, _: &Caller, circuit: CircuitId) -> Result<CircuitKey, Problem> {
        Ok(circuit_key(circuit, None))
    }

    async fn revoke_verifying_key(
        &self,
        _: &Caller,
        circuit: CircuitId,
        reason: String,
    ) -> Result<CircuitKey, Problem> {
        Ok(circuit_key(circuit, Some(reason)))
    }

    async fn workers(&self, _: &Caller) -> Result<WorkerList, Problem> {
        Ok(WorkerList {
            workers: vec![worker("w-1")],
        })
    }

    async fn trust_worker(&self, _: &Caller, id: WorkerId) -> Result<WorkerList, Problem> {
        Ok(WorkerList {
            workers: vec![worker(id.as_str())],
        })
    }

    async fn verify_batch(
        &self,
        _: &Caller,
        batch: BatchVerification,
    ) -> Result<Vec<Verdict>, Problem> {
        let verdicts = batch.claims.iter().map(|claim| {
            let valid = claim.proof == PROOF;
            Verdict {
                valid,
                reason: (!valid).then(|| "it does not verify".to_owned()),
                revoked: None,
            }
        });
        Ok(verdicts.collect())
    }

    async fn health(&self) -> Health {
        let ready = !self.0.borrow().unready;
        Health {
            ready,
            version: "0.1.0".to_owned(),
            node: None,
            checks: Vec::new(),
        }
    }
}

fn worker(name: &str) -> WorkerInfo {
    WorkerInfo {
        name: name.to_owned(),
        joined: true,
        slots: Some(1),
        cores: Some(2),
        draining: false,
        leases: 0,
        warm: 0,
        invalid_proofs: 0,
        quarantined_at: None,
    }
}

fn verifying_key(name: &str) -> VerifyingKey {
    VerifyingKey {
        name: name.to_owned(),
        versions: vec![VerifyingKeyVersion {
            version: 1,
            state: VerifyingKeyState::Current,
            circuit: CIRCUIT.to_owned(),
            key_digest: "0".repeat(64),
            published_at: Timestamp::from_millis(0),
            revoked: None,
        }],
    }
}

fn circuit_key(circuit: CircuitId, reason: Option<String>) -> CircuitKey {
    let key_digest = "0".repeat(64);
    CircuitKey {
        circuit: circuit.to_string(),
        key_digest: key_digest.clone(),
        circuit_digest: "1".repeat(64),
        url: format!("/api/v1/circuits/{circuit}/ir"),
        proof_bytes: PROOF.len() as u64,
        names: vec!["votes@1".to_owned()],
        revoked: reason.map(|reason| Revocation {
            key_digest,
            reason,
            at: Timestamp::from_millis(0),
        }),
    }
}

fn failure(value: Option<String>) -> Failure {
    Failure {
        fault: "constraint".to_owned(),
        message: "gate 0 'sum' constraint 0 is not zero at sums offset 1".to_owned(),
        gate: Some(0),
        gate_name: Some("sum".to_owned()),
        constraint: Some(0),
        constraint_name: None,
        lookup: None,
        row: 1,
        rows: 1,
        region: None,
        cells: vec![Cell {
            name: "a0".to_owned(),
            kind: "advice".to_owned(),
            column: 0,
            row: 1,
            public_input: None,
            value,
        }],
    }
}

#[async_trait]
impl Webhooks for House {
    async fn create_webhook(&self, _: &Caller, request: NewWebhook) -> Result<Webhook, Problem> {
        let webhook = Webhook {
            id: WEBHOOK.to_owned(),
            url: request.url.clone(),
            events: request.events.clone(),
            public_inputs: request.public_inputs,
            created_at: Timestamp::from_millis(0),
            pending: 0,
            missed: 0,
            secret: None,
        };
        self.change(|facts| {
            facts.new_webhooks.push(request);
            facts.webhooks.insert(WEBHOOK.to_owned(), webhook.clone());
        });
        let secret = Some("whsec_c2VjcmV0".to_owned());
        Ok(Webhook { secret, ..webhook })
    }

    async fn webhooks(&self, _: &Caller) -> Result<WebhookList, Problem> {
        let webhooks = self.0.borrow().webhooks.values().cloned().collect();
        Ok(WebhookList { webhooks })
    }

    async fn webhook(&self, _: &Caller, id: WebhookId) -> Result<Webhook, Problem> {
        let known = self.0.borrow().webhooks.get(&id.to_string()).cloned();
        known.ok_or_else(|| Problem::new(codes::webhook::UNKNOWN, "no such webhook is here"))
    }

    async fn delete_webhook(&self, caller: &Caller, id: WebhookId) -> Result<(), Problem> {
        self.webhook(caller, id).await?;
        self.change(|facts| drop(facts.webhooks.remove(&id.to_string())));
        Ok(())
    }

    async fn test_webhook(&self, caller: &Caller, id: WebhookId) -> Result<WebhookTest, Problem> {
        self.webhook(caller, id).await?;
        Ok(WebhookTest {
            delivered: false,
            status: None,
            failure: Some("timeout".to_owned()),
            took_ms: 5000,
        })
    }

    async fn deliveries(&self, caller: &Caller, id: WebhookId) -> Result<DeliveryList, Problem> {
        self.webhook(caller, id).await?;
        Ok(DeliveryList {
            deliveries: Vec::new(),
            more: false,
        })
    }

    async fn replay(
        &self,
        caller: &Caller,
        id: WebhookId,
        task: TaskId,
    ) -> Result<Delivery, Problem> {
        self.webhook(caller, id).await?;
        Ok(Delivery {
            id: "evt_1".to_owned(),
            task: task.to_string(),
            event: EventKind::Done,
            state: DeliveryState::Pending,
            since: Timestamp::from_millis(0),
            attempts: 0,
            ended_at: None,
            last_status: None,
            last_failure: None,
            last_attempt_at: None,
            next_attempt_at: None,
        })
    }
}
