//! Short words for the stories: a ledger with a clock that stands still until told.

use aureole_ledger::{
    Acceptance, AttemptRef, CircuitFacts, CircuitId, Command, Completion, Digest, Expiry,
    Idempotency, Millis, Outcome, PlanOptions, Priority, Problem, Refusal, State, TaskId,
    TaskRecord, TenantId, Timings, Visibility, WorkerId, WorkerView, plan,
};

pub(crate) const LEASE_MS: Millis = 10_000;

pub(crate) fn digest(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

pub(crate) fn task_id(number: u8) -> TaskId {
    TaskId::from_bytes([number; 16])
}

pub(crate) fn worker(name: &str) -> WorkerId {
    WorkerId::new(name).unwrap()
}

pub(crate) fn facts(name: &str) -> CircuitFacts {
    CircuitFacts {
        circuit_digest: digest(&format!("{name} circuit")),
        key_digest: digest(&format!("{name} key")),
        report: digest(&format!("{name} report")),
        k: 10,
        proof_bytes: 2048,
        memory_bytes: 0,
        work: 0,
    }
}

pub(crate) fn inspected(name: &str, version: &str) -> Completion {
    Completion::PluginInspected {
        name: name.to_owned(),
        version: version.to_owned(),
        description: digest("description"),
        default_params: None,
        default_circuit: None,
    }
}

pub(crate) fn proved(name: &str) -> Completion {
    Completion::Proved {
        proof: digest(name),
        public_inputs: digest("public inputs"),
    }
}

pub(crate) fn idempotency(key: &str, request: &str) -> Idempotency {
    Idempotency {
        key: digest(key),
        request: digest(request),
    }
}

/// A ledger, and the time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) state: State,
    pub(crate) now: Millis,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            state: State::new(),
            now: 1_000_000,
        }
    }

    pub(crate) fn apply(&mut self, command: &Command) -> Outcome {
        self.state.apply(command)
    }

    pub(crate) fn refusal(&mut self, command: &Command) -> Refusal {
        let before = self.state.digest().unwrap();
        let outcome = self.apply(command);
        assert_eq!(
            self.state.digest().unwrap(),
            before,
            "a refusal changed something"
        );
        match outcome {
            Outcome::Refused(refusal) => refusal,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    pub(crate) fn task(&self, id: TaskId) -> &TaskRecord {
        self.state.task(&id).unwrap()
    }

    pub(crate) fn register_plugin(&mut self, component: &str, task: u8) -> Outcome {
        let command = Command::RegisterPlugin {
            component: digest(component),
            bytes: 1000,
            task: task_id(task),
            now: self.now,
            tenant: TenantId::default(),
        };
        self.apply(&command)
    }

    pub(crate) fn circuit_command(&self, component: &str, params: &str, task: u8) -> Command {
        Command::RegisterCircuit {
            plugin: digest(component),
            params: digest(params),
            task: task_id(task),
            now: self.now,
            tenant: TenantId::default(),
        }
    }

    pub(crate) fn submit_command(&self, circuit: CircuitId, task: u8) -> Command {
        Command::SubmitTask {
            task: task_id(task),
            circuit,
            input: digest("input"),
            priority: Priority::DEFAULT,
            idempotency: None,
            now: self.now,
            tenant: TenantId::default(),
            deadline: None,
            input_bytes: 0,
        }
    }

    pub(crate) fn lease_command(&self, task: u8, attempt: u32, to: &str) -> Command {
        Command::LeaseTask {
            task: task_id(task),
            attempt,
            worker: worker(to),
            expires_at: self.now + LEASE_MS,
            now: self.now,
            threads: 1,
            memory_bytes: 0,
            speculative: false,
        }
    }

    pub(crate) fn lease(&mut self, task: u8, to: &str) -> AttemptRef {
        let attempt = self.task(task_id(task)).attempt + 1;
        let command = self.lease_command(task, attempt, to);
        assert_eq!(self.apply(&command), Outcome::Leased);
        AttemptRef {
            task: task_id(task),
            attempt,
        }
    }

    pub(crate) fn complete_command(
        &self,
        attempt: AttemptRef,
        by: &str,
        completion: Completion,
    ) -> Command {
        let AttemptRef { task, attempt } = attempt;
        let (worker, timings, now) = (worker(by), Timings::new(), self.now);
        Command::CompleteTask {
            task,
            attempt,
            worker,
            completion,
            timings,
            now,
            peak_memory_bytes: None,
            acceptance: Acceptance::none(),
        }
    }

    pub(crate) fn complete(&mut self, attempt: AttemptRef, by: &str, completion: Completion) {
        let command = self.complete_command(attempt, by, completion);
        let outcome = self.apply(&command);
        assert!(matches!(outcome, Outcome::Completed { .. }), "{outcome:?}");
    }

    pub(crate) fn fail_command(
        &self,
        attempt: AttemptRef,
        by: &str,
        code: &str,
        retryable: bool,
    ) -> Command {
        let AttemptRef { task, attempt } = attempt;
        let problem = Problem::new(code, "it went wrong");
        Command::FailAttempt {
            task,
            attempt,
            worker: worker(by),
            problem,
            retryable,
            now: self.now,
        }
    }

    pub(crate) fn fail(
        &mut self,
        attempt: AttemptRef,
        by: &str,
        code: &str,
        retryable: bool,
    ) -> bool {
        let command = self.fail_command(attempt, by, code, retryable);
        match self.apply(&command) {
            Outcome::AttemptEnded { requeued, .. } => requeued,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn expire_command(&self, attempt: AttemptRef, reason: Expiry) -> Command {
        let AttemptRef { task, attempt } = attempt;
        Command::ExpireLease {
            task,
            attempt,
            reason,
            now: self.now,
        }
    }

    pub(crate) fn cancel_command(&self, task: u8) -> Command {
        Command::CancelTask {
            task: task_id(task),
            now: self.now,
        }
    }

    pub(crate) fn plan(&self, workers: &[(&str, u32)]) -> Vec<Command> {
        let views: Vec<WorkerView> = workers
            .iter()
            .map(|(name, slots)| WorkerView::with_slots(worker(name), *slots))
            .collect();
        plan(
            &self.state,
            self.now,
            &PlanOptions { lease_ms: LEASE_MS },
            &views,
        )
    }

    /// The tasks that a plan leases, in its order.
    pub(crate) fn planned(&self, workers: &[(&str, u32)]) -> Vec<TaskId> {
        let leased = |command: &Command| match command {
            Command::LeaseTask { task, .. } => Some(*task),
            _ => None,
        };
        self.plan(workers).iter().filter_map(leased).collect()
    }

    /// A ready plugin without a default circuit; uses the task id 200.
    pub(crate) fn with_plugin(component: &str) -> Self {
        let mut ledger = Self::new();
        ledger.add_plugin(component, "plugin", "1.0.0", 200);
        ledger
    }

    pub(crate) fn add_plugin(&mut self, component: &str, name: &str, version: &str, task: u8) {
        let _ = self.register_plugin(component, task);
        let attempt = self.lease(task, "inspector");
        self.complete(attempt, "inspector", inspected(name, version));
    }

    /// A ready plugin and a ready circuit; uses the task ids 200 and 201.
    pub(crate) fn with_circuit() -> (Self, CircuitId) {
        let mut ledger = Self::with_plugin("component");
        let command = ledger.circuit_command("component", "params", 201);
        let _ = ledger.apply(&command);
        let attempt = ledger.lease(201, "preparer");
        ledger.complete(attempt, "preparer", Completion::CircuitPrepared(facts("a")));
        (
            ledger,
            CircuitId::of(&digest("component"), &digest("params")),
        )
    }

    /// A queued proof with the id 1 of a ready circuit.
    pub(crate) fn with_proof() -> Self {
        let (mut ledger, circuit) = Self::with_circuit();
        let command = ledger.submit_command(circuit, 1);
        assert!(matches!(
            ledger.apply(&command),
            Outcome::TaskSubmitted { created: true, .. }
        ));
        ledger
    }
}

/// A worker with cores and memory of its own.
pub(crate) fn view(name: &str, slots: u32, cores: u32, memory_bytes: u64) -> WorkerView {
    WorkerView {
        cores,
        memory_bytes,
        ..WorkerView::with_slots(worker(name), slots)
    }
}

/// A task id that can be told from 65,535 others.
pub(crate) fn wide_id(number: u16) -> TaskId {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    bytes[15] = 1;
    TaskId::from_bytes(bytes)
}

impl Ledger {
    /// Makes another circuit of the plugin `component` ready, with a size of its own.
    pub(crate) fn add_circuit(&mut self, name: &str, memory_bytes: u64, work: u64) -> CircuitId {
        let task = wide_id(u16::try_from(60_000 + self.state.circuits().count()).unwrap());
        let now = self.now;
        let _ = self.apply(&Command::RegisterCircuit {
            plugin: digest("component"),
            params: digest(name),
            task,
            now,
            tenant: TenantId::default(),
        });
        let attempt = AttemptRef { task, attempt: 1 };
        let _ = self.apply(&Command::LeaseTask {
            task,
            attempt: 1,
            worker: worker("preparer"),
            expires_at: now + LEASE_MS,
            now,
            threads: 1,
            memory_bytes: 0,
            speculative: false,
        });
        let facts = CircuitFacts {
            memory_bytes,
            work,
            ..facts(name)
        };
        self.complete(attempt, "preparer", Completion::CircuitPrepared(facts));
        CircuitId::of(&digest("component"), &digest(name))
    }

    /// Queues a proof for a tenant.
    pub(crate) fn submit_as(&mut self, tenant: &str, circuit: CircuitId, task: TaskId) {
        self.submit_until(tenant, circuit, task, None);
    }

    pub(crate) fn submit_until(
        &mut self,
        tenant: &str,
        circuit: CircuitId,
        task: TaskId,
        deadline: Option<Millis>,
    ) {
        let publish = Command::SharePlugin {
            component: digest("component"),
            tenant: TenantId::default(),
            visibility: Visibility::Public,
            actor: "operator".to_owned(),
            now: self.now,
        };
        assert_eq!(self.state.apply(&publish), Outcome::PluginShared);
        let outcome = self.state.apply(&Command::SubmitTask {
            task,
            circuit,
            input: digest("input"),
            priority: Priority::DEFAULT,
            idempotency: None,
            now: self.now,
            tenant: TenantId::new(tenant).unwrap(),
            deadline,
            input_bytes: 0,
        });
        assert!(matches!(
            outcome,
            Outcome::TaskSubmitted { created: true, .. }
        ));
    }

    pub(crate) fn plan_on(&self, views: &[WorkerView]) -> Vec<Command> {
        let options = PlanOptions { lease_ms: LEASE_MS };
        plan(&self.state, self.now, &options, views)
    }

    /// Carries out plans until there is nothing left to do; returns what was leased, in order.
    pub(crate) fn run(&mut self, views: &[WorkerView]) -> Vec<Leased> {
        let mut leased = Vec::new();
        loop {
            let plan = self.plan_on(views);
            if plan.is_empty() {
                return leased;
            }
            for command in &plan {
                let outcome = self.apply(command);
                assert!(!matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
                leased.extend(Leased::of(command));
            }
        }
    }
}

/// What a plan leased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leased {
    pub(crate) attempt: AttemptRef,
    pub(crate) worker: String,
    pub(crate) threads: u32,
    pub(crate) memory_bytes: u64,
    pub(crate) speculative: bool,
}

impl Leased {
    pub(crate) fn of(command: &Command) -> Option<Self> {
        let Command::LeaseTask {
            task,
            attempt,
            worker,
            threads,
            memory_bytes,
            speculative,
            ..
        } = command
        else {
            return None;
        };
        Some(Self {
            attempt: AttemptRef {
                task: *task,
                attempt: *attempt,
            },
            worker: worker.to_string(),
            threads: *threads,
            memory_bytes: *memory_bytes,
            speculative: *speculative,
        })
    }
}
