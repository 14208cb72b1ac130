//! The simulated world: a coordinator, workers, clients, and a network between them that loses,
//! doubles, delays and reorders. Time passes from event to event; everything follows from the seed.

mod answers;
mod workers;

use std::collections::{BTreeMap, BTreeSet};

use aureole_ledger::limits::PLAN_MAX;
use aureole_ledger::{
    Acceptance, AttemptRef, CircuitFacts, CircuitId, Command, Completion, Digest, EventSet, Millis,
    Outcome, PlanOptions, Priority, Quotas, TaskId, TaskPhase, TenantId, Timings, Visibility,
    WebhookId, WebhookRecord, WorkerId, WorkerView, explain, plan,
};

pub use workers::honest_proof;

use crate::node::{Node, Step};
use crate::profile::Profile;
use crate::random::Random;
use crate::seen::Seen;

/// How long a lease lasts.
pub const LEASE_MS: Millis = 10_000;

/// Tells of the ends of the tasks of the tenant [`FLOOD`]; nobody ever takes what it tells.
pub const WEBHOOK: WebhookId = WebhookId::from_bytes([0xaa; 16]);

/// The tenant of every second task.
pub const FLOOD: &str = "flood";

/// When the world begins.
const BEGIN: Millis = 1_000_000_000;

/// How far the coordinator's wall clock is ever off, either way: more than any back-off or lease, and
/// than most deadlines.
const JUMP_MAX_MS: Millis = 2 * 3_600_000;

/// How long the world may take to finish everything after the storm.
const HEALING_MS: Millis = 3_600_000;

/// Who looks at every step, and at the end.
pub trait Invariant {
    /// Looks at a command that was just applied.
    ///
    /// # Errors
    /// What is wrong.
    fn step(&mut self, step: &Step<'_>) -> Result<(), String>;

    /// Looks at the world when it has come to rest.
    ///
    /// # Errors
    /// What is wrong.
    fn end(&mut self, world: &World) -> Result<(), String> {
        let _ = world;
        Ok(())
    }
}

/// Something that happens at a time.
#[derive(Clone, Debug)]
enum Event {
    /// A message reaches the coordinator.
    ToNode(ToNode),
    /// A message reaches a worker.
    ToWorker(usize, ToWorker),
    /// An attempt has come to its end on a worker, unless the worker was restarted since.
    Computed(usize, u64, AttemptRef),
    /// The coordinator plans.
    Plan,
    /// A worker says that it is alive.
    Heartbeat(usize),
    /// A client sends, again and again until it is answered.
    Submit(TaskId),
    NodeCrash,
    NodeRestart,
    WorkerCrash(usize),
    WorkerRestart(usize),
    ClockJump,
}

#[derive(Clone, Debug)]
enum ToNode {
    Propose(Box<Command>),
    Join(usize, Vec<AttemptRef>),
    Beat(usize, Vec<AttemptRef>),
}

#[derive(Clone, Debug)]
enum ToWorker {
    Lease(AttemptRef, u32),
    Stop(AttemptRef),
    Unknown,
}

/// A worker.
#[derive(Debug)]
struct Worker {
    view: WorkerView,
    up: bool,
    /// Counts its lives: what an earlier one began is lost.
    life: u64,
    running: BTreeSet<AttemptRef>,
}

/// A simulated world.
#[derive(Debug)]
pub struct World {
    random: Random,
    profile: Profile,
    now: Millis,
    sequence: u64,
    events: BTreeMap<(Millis, u64), Event>,
    /// The coordinator.
    pub node: Node,
    workers: Vec<Worker>,
    views: Vec<WorkerView>,
    circuits: Vec<CircuitId>,
    submissions: BTreeMap<TaskId, Command>,
    /// Tasks that a client was told of.
    pub acknowledged: BTreeSet<TaskId>,
    /// Tasks whose cancellation a client was told of.
    pub cancelled: BTreeSet<TaskId>,
    storm_until: Millis,
    /// What went wrong so far.
    pub seen: Seen,
}

// === impl World ===

impl World {
    /// Makes a world from a seed.
    ///
    /// # Errors
    /// Its first commands are refused, which is a fault of the simulator.
    pub fn new(seed: u64, profile: Profile) -> Result<Self, String> {
        let mut random = Random::new(seed);
        let gib = 1 << 30;
        let workers: Result<Vec<Worker>, String> = (0..random.between(2, 4))
            .map(|number| {
                let id = WorkerId::new(format!("w{number}")).map_err(|e| e.to_string())?;
                let slots = u32::try_from(random.between(1, 4)).unwrap_or(1);
                // The first is large enough for every circuit.
                let memory = if number == 0 { 8 } else { random.between(2, 8) };
                Ok(Worker {
                    view: WorkerView {
                        cores: slots,
                        memory_bytes: memory * gib,
                        ..WorkerView::with_slots(id, slots)
                    },
                    up: true,
                    life: 0,
                    running: BTreeSet::new(),
                })
            })
            .collect();
        let workers = workers?;
        let mut world = Self {
            random,
            profile,
            now: BEGIN,
            sequence: 0,
            events: BTreeMap::new(),
            node: Node::running(),
            views: workers.iter().map(|worker| worker.view.clone()).collect(),
            workers,
            circuits: Vec::new(),
            submissions: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            storm_until: BEGIN + profile.storm_ms,
            seen: Seen::default(),
        };
        world.prepare_circuits()?;
        world.subscribe()?;
        world.schedule_all();
        Ok(world)
    }

    /// Runs the storm and the healing after it, showing each step.
    ///
    /// # Errors
    /// What an invariant found.
    pub fn run(&mut self, invariants: &mut [&mut dyn Invariant]) -> Result<(), String> {
        while let Some(((at, _), event)) = self.events.pop_first() {
            self.now = at;
            if at > self.storm_until && self.is_at_rest() {
                break;
            }
            if at > self.storm_until + HEALING_MS {
                return Err(self.stuck());
            }
            self.happen(event, invariants)?;
        }
        for invariant in invariants.iter_mut() {
            invariant.end(self)?;
        }
        Ok(())
    }

    fn is_at_rest(&self) -> bool {
        self.node.up && self.acknowledged.len() == self.submissions.len() && self.open() == 0
    }

    fn open(&self) -> u64 {
        let state = &self.node.state;
        state.queued_count() + state.waiting_count() + state.running_count()
    }

    /// Says what a world waits for that does not come to rest.
    fn stuck(&mut self) -> String {
        let now = self.node.clock(self.now);
        let state = &self.node.state;
        let open = state.tasks().filter(|task| !task.is_finished());
        let waits = open.map(|task| {
            let told = explain(state, now, &task.id, &self.node.views());
            format!("{} waits for {:?}", task.id, told.map(|told| told.wait))
        });
        let waits: Vec<String> = waits.collect();
        format!("after an hour of calm: {}", waits.join("; "))
    }

    fn in_storm(&self) -> bool {
        self.now < self.storm_until
    }

    /// Three circuits of different size, ready from the beginning.
    fn prepare_circuits(&mut self) -> Result<(), String> {
        let component = Digest::of(b"component");
        let quiet = &mut [];
        let inspection = TaskId::from_bytes([0xff; 16]);
        let worker = self.views[..1].iter().map(|view| view.id.clone()).next();
        let worker = worker.ok_or("a world without workers")?;
        let _ = self.apply(&register_plugin(component, inspection), quiet)?;
        self.finish(inspection, &worker, inspected(), quiet)?;
        let publish = Command::SharePlugin {
            component,
            tenant: TenantId::default(),
            visibility: Visibility::Public,
            actor: "operator".to_owned(),
            now: self.now,
        };
        let _ = self.apply(&publish, quiet)?;
        let flood = Command::PutTenant {
            tenant: TenantId::new("flood").unwrap_or_default(),
            weight: Some(100),
            quotas: Some(Quotas {
                live_tasks: self.profile.flood_quota,
                ..Quotas::default()
            }),
            suspended: Some(false),
            actor: "operator".to_owned(),
            now: self.now,
        };
        let _ = self.apply(&flood, quiet)?;
        for (number, (gib, work)) in [(1, 20_000), (2, 100_000), (5, 300_000)]
            .into_iter()
            .enumerate()
        {
            let params = Digest::of(&[u8::try_from(number).unwrap_or(0)]);
            let task = TaskId::from_bytes([0xf0 + u8::try_from(number).unwrap_or(0); 16]);
            let register = Command::RegisterCircuit {
                plugin: component,
                params,
                task,
                now: self.now,
                tenant: TenantId::default(),
            };
            let _ = self.apply(&register, quiet)?;
            let facts = CircuitFacts {
                circuit_digest: params,
                key_digest: params,
                report: params,
                k: 10,
                proof_bytes: 2048,
                memory_bytes: gib << 30,
                work,
            };
            self.finish(task, &worker, Completion::CircuitPrepared(facts), quiet)?;
            self.circuits.push(CircuitId::of(&component, &params));
        }
        Ok(())
    }

    fn subscribe(&mut self) -> Result<(), String> {
        let webhook = WebhookRecord {
            id: WEBHOOK,
            tenant: TenantId::new(FLOOD).map_err(|error| error.to_string())?,
            url: "https://hooks.example/".to_owned(),
            events: EventSet::ALL,
            public_inputs: false,
            created_at: self.now,
            missed: 0,
        };
        let create = Command::CreateWebhook { webhook };
        self.apply(&create, &mut []).map(drop)
    }

    fn finish(
        &mut self,
        task: TaskId,
        worker: &WorkerId,
        completion: Completion,
        invariants: &mut [&mut dyn Invariant],
    ) -> Result<(), String> {
        let lease = Command::LeaseTask {
            task,
            attempt: 1,
            worker: worker.clone(),
            expires_at: self.now + LEASE_MS,
            now: self.now,
            threads: 1,
            memory_bytes: 0,
            speculative: false,
        };
        let _ = self.apply(&lease, invariants)?;
        let complete = Command::CompleteTask {
            task,
            attempt: 1,
            worker: worker.clone(),
            completion,
            timings: Timings::new(),
            now: self.now,
            peak_memory_bytes: None,
            acceptance: Acceptance::none(),
        };
        self.apply(&complete, invariants).map(drop)
    }

    /// Decides when everything is submitted and everything breaks.
    fn schedule_all(&mut self) {
        let profile = self.profile;
        let storm = profile.storm_ms;
        for worker in 0..self.workers.len() {
            let at = self.random.below(1000);
            self.after(at, Event::Heartbeat(worker));
        }
        self.after(1, Event::Plan);
        for number in 0..profile.tasks {
            let at = self.random.below(storm);
            let task = self.submission(number, at);
            self.after(at, Event::Submit(task));
            if self.random.chance(profile.cancels) {
                let later = at + self.random.below(storm / 4);
                let now = self.now + later;
                self.after(
                    later,
                    Event::ToNode(ToNode::Propose(Box::new(Command::CancelTask { task, now }))),
                );
            }
        }
        for _ in 0..profile.node_crashes {
            let at = self.random.below(storm);
            self.after(at, Event::NodeCrash);
        }
        for _ in 0..profile.worker_crashes {
            let at = self.random.below(storm);
            let worker = self.random.below(self.workers.len() as u64);
            self.after(at, Event::WorkerCrash(usize::try_from(worker).unwrap_or(0)));
        }
        for _ in 0..profile.clock_jumps {
            let at = self.random.below(storm);
            self.after(at, Event::ClockJump);
        }
    }

    /// Makes up a proof to be submitted at a time. Half of them are one tenant's.
    fn submission(&mut self, number: u64, at: Millis) -> TaskId {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.random.next().to_be_bytes());
        id[8..].copy_from_slice(&number.to_be_bytes());
        let task = TaskId::from_bytes(id);
        let circuit = self.random.pick(&self.circuits).copied();
        let tenant = if self.random.chance(500) {
            FLOOD.to_owned()
        } else {
            format!("t{}", self.random.below(self.profile.tenants.max(1)))
        };
        let deadline = self
            .random
            .chance(self.profile.deadlines)
            .then(|| self.now + at + self.random.between(5_000, 60_000));
        let level = u8::try_from(self.random.below(10)).unwrap_or(5);
        let command = Command::SubmitTask {
            task,
            circuit: circuit.unwrap_or(CircuitId::from_bytes([0; 16])),
            input: Digest::of(&id),
            priority: Priority::new(level).unwrap_or_default(),
            idempotency: None,
            now: self.now + at,
            tenant: TenantId::new(tenant).unwrap_or_default(),
            deadline,
            input_bytes: 0,
        };
        self.submissions.insert(task, command);
        task
    }

    fn after(&mut self, delay: Millis, event: Event) {
        self.sequence += 1;
        self.events.insert((self.now + delay, self.sequence), event);
    }

    /// Sends a message over the network, whatever that does to it.
    fn send(&mut self, event: &Event) {
        let calm = !self.in_storm();
        if !calm && self.random.chance(self.profile.loss) {
            return;
        }
        let copies = 1 + u64::from(!calm && self.random.chance(self.profile.twice));
        for _ in 0..copies {
            let delay = if !calm && self.random.chance(self.profile.stuck) {
                self.random.between(LEASE_MS, 3 * LEASE_MS)
            } else {
                self.random.between(1, self.profile.delay_ms)
            };
            self.after(delay, event.clone());
        }
    }

    fn happen(
        &mut self,
        event: Event,
        invariants: &mut [&mut dyn Invariant],
    ) -> Result<(), String> {
        match event {
            Event::ToNode(message) if self.node.up => self.at_node(message, invariants)?,
            Event::ToNode(_) => {}
            Event::ToWorker(worker, message) => self.at_worker(worker, &message),
            Event::Computed(worker, life, attempt) => self.computed(worker, life, attempt),
            Event::Plan => {
                self.after(100, Event::Plan);
                if self.node.up {
                    self.plan(invariants)?;
                }
            }
            Event::Heartbeat(worker) => self.heartbeat(worker),
            Event::Submit(task) => {
                if !self.acknowledged.contains(&task)
                    && let Some(command) = self.submissions.get(&task).cloned()
                {
                    self.send(&Event::ToNode(ToNode::Propose(Box::new(command))));
                    self.after(2_000, Event::Submit(task));
                }
            }
            Event::NodeCrash if self.node.up => {
                self.node.crash();
                self.seen.node_crashes += 1;
                let down = self.random.between(100, 2 * LEASE_MS);
                self.after(down, Event::NodeRestart);
            }
            Event::NodeRestart => self.node.restart()?,
            Event::NodeCrash => {}
            Event::WorkerCrash(worker) => self.crash_worker(worker),
            Event::WorkerRestart(worker) => {
                if let Some(worker) = self.workers.get_mut(worker) {
                    worker.up = true;
                }
            }
            Event::ClockJump => {
                let jump = self.random.between(0, 2 * JUMP_MAX_MS);
                self.node.skew = jump.cast_signed() - JUMP_MAX_MS.cast_signed();
                self.seen.clock_jumps += 1;
            }
        }
        Ok(())
    }

    /// Applies a command, shows it, and sends out what follows from it.
    fn apply(
        &mut self,
        command: &Command,
        invariants: &mut [&mut dyn Invariant],
    ) -> Result<Outcome, String> {
        let outcome = self.node.apply(command)?;
        let reports = matches!(
            command,
            Command::CompleteTask { .. } | Command::FailAttempt { .. }
        );
        self.seen.stale_reports += u64::from(reports && matches!(outcome, Outcome::Refused(_)));
        let step = Step {
            command,
            outcome: &outcome,
            state: &self.node.state,
            workers: &self.views,
        };
        for invariant in invariants.iter_mut() {
            invariant.step(&step)?;
        }
        let stops: Vec<(usize, AttemptRef)> = outcome
            .to_stop()
            .iter()
            .filter_map(|attempt| Some((self.worker_of(*attempt)?, *attempt)))
            .collect();
        for (worker, attempt) in stops {
            self.send(&Event::ToWorker(worker, ToWorker::Stop(attempt)));
        }
        if self.random.chance(5) {
            self.node.take_snapshot()?;
        }
        Ok(outcome)
    }

    fn worker_of(&self, attempt: AttemptRef) -> Option<usize> {
        let task = self.node.state.task(&attempt.task)?;
        let record = task
            .attempts
            .iter()
            .find(|a| a.attempt == attempt.attempt)?;
        self.views.iter().position(|view| view.id == record.worker)
    }

    fn plan(&mut self, invariants: &mut [&mut dyn Invariant]) -> Result<(), String> {
        let now = self.node.clock(self.now);
        let options = PlanOptions { lease_ms: LEASE_MS };
        let commands = plan(&self.node.state, now, &options, &self.node.views());
        if commands.len() > PLAN_MAX {
            return Err(format!("a plan of {} commands", commands.len()));
        }
        for command in commands {
            let outcome = self.apply(&command, invariants)?;
            if let (
                Command::LeaseTask {
                    task,
                    attempt,
                    worker,
                    threads,
                    ..
                },
                Outcome::Leased,
            ) = (&command, outcome)
                && let Some(worker) = self.views.iter().position(|view| view.id == *worker)
            {
                let attempt = AttemptRef {
                    task: *task,
                    attempt: *attempt,
                };
                self.send(&Event::ToWorker(worker, ToWorker::Lease(attempt, *threads)));
            }
        }
        Ok(())
    }

    /// Returns where a task stands.
    #[must_use]
    pub fn phase(&self, task: &TaskId) -> Option<TaskPhase> {
        self.node.state.task(task).map(|task| task.phase())
    }
}

fn register_plugin(component: Digest, task: TaskId) -> Command {
    Command::RegisterPlugin {
        component,
        bytes: 1,
        task,
        now: BEGIN,
        tenant: TenantId::default(),
    }
}

fn inspected() -> Completion {
    Completion::PluginInspected {
        name: "plugin".to_owned(),
        version: "1.0.0".to_owned(),
        description: Digest::of(b"description"),
        default_params: None,
        default_circuit: None,
    }
}
