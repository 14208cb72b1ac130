//! What holds after any sequence of commands: each promise is one test.
//!
//! Commands come from a small world, so that they meet: three plugins, two parameter sets, six tasks,
//! three workers. Most name the current attempt, some a wrong one.

use std::collections::BTreeMap;

use aureole_ledger::limits::{ATTEMPT_RECORDS_MAX, ATTEMPTS_MAX, RETURNS_MAX};
use aureole_ledger::{
    AttemptRef, CircuitId, Command, Completion, Digest, Expiry, Outcome, Priority, Problem, State,
    TaskId, TaskKind, TaskState, TenantId, codes,
};
use proptest::prelude::*;

use crate::kit::{
    LEASE_MS, Ledger, digest, facts, idempotency, inspected, proved, task_id, worker,
};

const WORKERS: [&str; 3] = ["a", "b", "c"];
const SLOTS: [(&str, u32); 3] = [("a", 1), ("b", 2), ("c", 1)];

/// One step of a story; numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Plan,
    Register {
        plugin: u8,
        task: u8,
    },
    Circuit {
        plugin: u8,
        params: u8,
        task: u8,
    },
    Submit {
        plugin: u8,
        params: u8,
        task: u8,
        key: Option<u8>,
    },
    Lease {
        task: u8,
        skew: u32,
        worker: u8,
    },
    Renew {
        worker: u8,
    },
    Complete {
        task: u8,
        skew: u32,
        worker: Option<u8>,
        kind: u8,
    },
    Fail {
        task: u8,
        skew: u32,
        worker: Option<u8>,
        code: u8,
    },
    Expire {
        task: u8,
        skew: u32,
        reason: u8,
    },
    Cancel {
        task: u8,
    },
    Retire {
        plugin: u8,
    },
    Forget {
        task: u8,
    },
}

fn skew() -> impl Strategy<Value = u32> {
    prop_oneof![9 => Just(0_u32), 1 => 1..3_u32]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let holder = || prop_oneof![5 => Just(None), 1 => (0..3_u8).prop_map(Some)];
    let step = prop_oneof![
        2 => (1..20_000_u64).prop_map(Step::Wait),
        6 => Just(Step::Plan),
        3 => (0..3_u8, 0..6_u8).prop_map(|(plugin, task)| Step::Register { plugin, task }),
        3 => (0..3_u8, 0..2_u8, 0..6_u8)
            .prop_map(|(plugin, params, task)| Step::Circuit { plugin, params, task }),
        8 => (0..2_u8, 0..2_u8, 0..6_u8, proptest::option::of(0..2_u8)).prop_map(
            |(plugin, params, task, key)| Step::Submit { plugin, params, task, key }
        ),
        2 => (0..6_u8, skew(), 0..3_u8)
            .prop_map(|(task, skew, worker)| Step::Lease { task, skew, worker }),
        2 => (0..3_u8).prop_map(|worker| Step::Renew { worker }),
        8 => (0..6_u8, skew(), holder(), 0..8_u8)
            .prop_map(|(task, skew, worker, kind)| Step::Complete { task, skew, worker, kind }),
        4 => (0..6_u8, skew(), holder(), 0..3_u8)
            .prop_map(|(task, skew, worker, code)| Step::Fail { task, skew, worker, code }),
        2 => (0..6_u8, skew(), 0..3_u8)
            .prop_map(|(task, skew, reason)| Step::Expire { task, skew, reason }),
        1 => (0..6_u8).prop_map(|task| Step::Cancel { task }),
        1 => (0..3_u8).prop_map(|plugin| Step::Retire { plugin }),
        1 => (0..6_u8).prop_map(|task| Step::Forget { task }),
    ];
    let rest = proptest::collection::vec(step, 1..150);
    (proptest::bool::weighted(0.8), rest).prop_map(|(ready, rest)| {
        if ready {
            [ready_circuit(), rest].concat()
        } else {
            rest
        }
    })
}

/// A story's beginning: a ready plugin with a ready circuit. Most stories have it, or few would come
/// as far as a proof.
fn ready_circuit() -> Vec<Step> {
    let done = |task| Step::Complete {
        task,
        skew: 0,
        worker: None,
        kind: 2,
    };
    vec![
        Step::Register { plugin: 0, task: 6 },
        Step::Plan,
        done(6),
        Step::Circuit {
            plugin: 0,
            params: 0,
            task: 7,
        },
        Step::Plan,
        done(7),
    ]
}

fn component(number: u8) -> Digest {
    digest(&format!("component {number}"))
}

fn params(number: u8) -> Digest {
    digest(&format!("params {number}"))
}

fn attempt(ledger: &Ledger, task: u8, skew: u32) -> AttemptRef {
    let current = ledger
        .state
        .task(&task_id(task))
        .map_or(0, |task| task.attempt);
    AttemptRef {
        task: task_id(task),
        attempt: current + skew,
    }
}

fn holder(ledger: &Ledger, task: u8, other: Option<u8>) -> &str {
    let lease = ledger
        .state
        .task(&task_id(task))
        .and_then(|task| task.lease());
    match (other, lease) {
        (Some(other), _) => WORKERS[usize::from(other)],
        (None, Some(lease)) => lease.worker.as_str(),
        (None, None) => "a",
    }
}

/// Mostly the result that the task asks for.
fn completion(ledger: &Ledger, task: u8, kind: u8) -> Completion {
    let asked = ledger.state.task(&task_id(task)).map(|task| task.kind);
    match (kind, asked) {
        (0, _) => proved("any"),
        (1, Some(TaskKind::InspectPlugin { .. })) => inspected("Bad Name", "1.0.0"),
        (_, Some(TaskKind::InspectPlugin { .. })) => inspected("plugin", &format!("1.0.{kind}")),
        (_, Some(TaskKind::PrepareCircuit { .. })) => Completion::CircuitPrepared(facts("x")),
        (_, Some(TaskKind::Prove { .. }) | None) => proved(&format!("proof {kind}")),
    }
}

/// What a step proposes, given the state so far.
fn commands(ledger: &Ledger, step: &Step) -> Vec<Command> {
    let now = ledger.now;
    vec![match *step {
        Step::Wait(_) => return Vec::new(),
        Step::Plan => return ledger.plan(&SLOTS),
        Step::Register { plugin, task } => Command::RegisterPlugin {
            component: component(plugin),
            bytes: 1,
            task: task_id(task),
            now,
            tenant: TenantId::default(),
        },
        Step::Circuit {
            plugin,
            params: p,
            task,
        } => Command::RegisterCircuit {
            plugin: component(plugin),
            params: params(p),
            task: task_id(task),
            now,
            tenant: TenantId::default(),
        },
        Step::Submit {
            plugin,
            params: p,
            task,
            key,
        } => Command::SubmitTask {
            task: task_id(task),
            circuit: CircuitId::of(&component(plugin), &params(p)),
            input: digest("input"),
            priority: Priority::DEFAULT,
            idempotency: key.map(|key| idempotency(&format!("key {key}"), "request")),
            now,
            tenant: TenantId::default(),
            deadline: None,
            input_bytes: 0,
        },
        Step::Lease { task, skew, worker } => {
            let attempt = attempt(ledger, task, 1 + skew).attempt;
            ledger.lease_command(task, attempt, WORKERS[usize::from(worker)])
        }
        Step::Renew { worker: number } => {
            let worker = worker(WORKERS[usize::from(number)]);
            let leases = ledger.state.leases_of(&worker).collect();
            Command::RenewLeases {
                worker,
                leases,
                expires_at: now + LEASE_MS,
                now,
            }
        }
        Step::Complete {
            task,
            skew,
            worker,
            kind,
        } => {
            let completion = completion(ledger, task, kind);
            let by = holder(ledger, task, worker);
            ledger.complete_command(attempt(ledger, task, skew), by, completion)
        }
        Step::Fail {
            task,
            skew,
            worker: other,
            code,
        } => {
            let AttemptRef { task: id, attempt } = attempt(ledger, task, skew);
            let codes = ["crashed", codes::HANDED_BACK, "final"];
            let problem = Problem::new(codes[usize::from(code)], "detail");
            let worker = worker(holder(ledger, task, other));
            let retryable = code < 2;
            Command::FailAttempt {
                task: id,
                attempt,
                worker,
                problem,
                retryable,
                now,
            }
        }
        Step::Expire { task, skew, reason } => {
            let reasons = [
                Expiry::Deadline,
                Expiry::WorkerRestarted,
                Expiry::NodeRestarted,
            ];
            ledger.expire_command(attempt(ledger, task, skew), reasons[usize::from(reason)])
        }
        Step::Cancel { task } => ledger.cancel_command(task),
        Step::Retire { plugin } => Command::RetirePlugin {
            component: component(plugin),
            now,
            tenant: None,
            actor: "somebody".to_owned(),
        },
        Step::Forget { task } => Command::ForgetTasks {
            tasks: vec![task_id(task)],
        },
    }]
}

/// Plays a story and shows each command with the states around it.
fn play(
    steps: &[Step],
    mut look: impl FnMut(&State, &Command, &Outcome, &State) -> Result<(), TestCaseError>,
) -> Result<Ledger, TestCaseError> {
    let mut ledger = Ledger::new();
    for step in steps {
        if let Step::Wait(millis) = step {
            ledger.now += millis;
        }
        for command in commands(&ledger, step) {
            let before = ledger.state.clone();
            let outcome = ledger.apply(&command);
            look(&before, &command, &outcome, &ledger.state)?;
        }
    }
    Ok(ledger)
}

/// Returns the commands of a story.
fn log(steps: &[Step]) -> Vec<Command> {
    let mut log = Vec::new();
    let played = play(steps, |_, command, _, _| {
        log.push(command.clone());
        Ok(())
    });
    played.unwrap();
    log
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_finished_task_never_changes(steps in steps()) {
        play(&steps, |before, command, _, after| {
            for task in before.tasks().filter(|task| task.is_finished()) {
                let forgotten = matches!(command, Command::ForgetTasks { tasks } if tasks.contains(&task.id));
                match after.task(&task.id) {
                    Some(now) => prop_assert_eq!(now, task),
                    None => prop_assert!(forgotten),
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn the_backlog_counts_each_queued_task_once(steps in steps()) {
        play(&steps, |_, _, _, after| {
            let depths = after.backlog(1).depths;
            let counted: u64 = depths.iter().map(|depth| depth.tasks).sum();
            prop_assert_eq!(counted, after.queued_count());
            for depth in depths {
                let mut queued = after.tasks().filter(|task| {
                    (&task.tenant, task.priority) == (&depth.tenant, depth.priority)
                        && matches!(task.state, TaskState::Queued { .. })
                });
                prop_assert!(queued.any(|task| task.submitted_at == depth.oldest_at));
            }
            Ok(())
        })?;
    }

    #[test]
    fn at_most_one_result_is_accepted_for_a_task(steps in steps()) {
        let mut accepted: BTreeMap<TaskId, Completion> = BTreeMap::new();
        play(&steps, |_, command, outcome, after| {
            if let (Command::CompleteTask { task, completion, .. }, Outcome::Completed { .. }) = (command, outcome)
                && after.task(task).unwrap().completion().is_some()
            {
                let first = accepted.entry(*task).or_insert_with(|| completion.clone());
                prop_assert_eq!(&*first, completion);
            }
            if let Command::ForgetTasks { tasks } = command {
                for task in tasks.iter().filter(|task| after.task(task).is_none()) {
                    accepted.remove(task);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn only_the_holder_of_the_current_attempt_ends_it_with_a_result(steps in steps()) {
        play(&steps, |before, command, _, after| {
            for task in after.tasks().filter(|task| task.completion().is_some()) {
                let was = before.task(&task.id).unwrap();
                if was.completion().is_none() {
                    let Command::CompleteTask { attempt, worker, .. } = command else {
                        return Err(TestCaseError::fail("ended by another command"));
                    };
                    prop_assert_eq!(&was.lease_of(*attempt).unwrap().worker, worker);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_refusal_changes_nothing(steps in steps()) {
        play(&steps, |before, _, outcome, after| {
            if matches!(outcome, Outcome::Refused(_)) {
                prop_assert_eq!(before.digest(), after.digest());
            }
            Ok(())
        })?;
    }

    #[test]
    fn applying_a_command_again_changes_nothing_more(steps in steps()) {
        play(&steps, |_, command, _, after| {
            let mut again = after.clone();
            let outcome = again.apply(command);
            // A rejected plugin or circuit is tried again by the same command: it needs a fresh task.
            if !matches!(&outcome, Outcome::PluginRegistered { created: true, .. } | Outcome::CircuitRegistered { created: true, .. }) {
                prop_assert_eq!(again.digest(), after.digest());
            }
            Ok(())
        })?;
    }

    #[test]
    fn attempts_only_grow_and_by_one(steps in steps()) {
        play(&steps, |before, _, outcome, after| {
            for task in after.tasks() {
                let was = before.task(&task.id).map_or(0, |task| task.attempt);
                let grown = u32::from(*outcome == Outcome::Leased && task.attempt != was);
                prop_assert_eq!(task.attempt, was + grown);
            }
            Ok(())
        })?;
    }

    #[test]
    fn budgets_and_records_are_bounded(steps in steps()) {
        play(&steps, |_, _, _, after| {
            for task in after.tasks() {
                prop_assert!(task.strikes <= ATTEMPTS_MAX && task.returns <= RETURNS_MAX);
                prop_assert!(task.attempts.len() <= ATTEMPT_RECORDS_MAX);
                let open = matches!(task.state, TaskState::Queued { .. } | TaskState::Leased(_));
                prop_assert!(!open || task.strikes < ATTEMPTS_MAX);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_name_and_version_never_change_hands(steps in steps()) {
        let mut owners: BTreeMap<String, Digest> = BTreeMap::new();
        play(&steps, |_, _, _, after| {
            for plugin in after.plugin_versions(&TenantId::default(), "plugin") {
                let version = plugin.facts.as_ref().unwrap().version.clone();
                prop_assert_eq!(*owners.entry(version).or_insert(plugin.component), plugin.component);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_proof_is_leased_only_when_its_circuit_is_ready(steps in steps()) {
        play(&steps, |_, _, _, after| {
            for task in after.tasks().filter(|task| task.lease().is_some()) {
                if let TaskKind::Prove { circuit, .. } = task.kind {
                    prop_assert!(after.ready_circuit(&circuit).is_some());
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_plan_is_never_refused_and_never_overfills_a_worker(steps in steps()) {
        let mut ledger = play(&steps, |_, _, _, _| Ok(()))?;
        for command in ledger.plan(&SLOTS) {
            prop_assert!(command.encode().is_ok());
            let fresh = matches!(command, Command::LeaseTask { .. });
            let outcome = ledger.apply(&command);
            prop_assert!(!matches!(outcome, Outcome::Refused(_)), "{:?}", outcome);
            for (name, slots) in SLOTS {
                let held = ledger.state.leases_of(&worker(name)).count();
                let planned = matches!(&command, Command::LeaseTask { worker: to, .. } if to.as_str() == name);
                prop_assert!(!fresh || !planned || held <= slots as usize);
            }
        }
    }

    #[test]
    fn planning_comes_to_rest(steps in steps()) {
        let mut ledger = play(&steps, |_, _, _, _| Ok(()))?;
        for _ in 0..10 {
            for command in ledger.plan(&SLOTS) {
                let _ = ledger.apply(&command);
            }
        }
        prop_assert!(ledger.plan(&SLOTS).is_empty());
    }

    #[test]
    fn replaying_a_log_twice_gives_equal_digests(steps in steps()) {
        let log = log(&steps);
        let replay = || {
            let mut state = State::new();
            let outcomes: Vec<Outcome> = log.iter().map(|command| state.apply(command)).collect();
            (state.digest(), outcomes)
        };
        prop_assert_eq!(replay(), replay());
    }

    #[test]
    fn a_snapshot_and_the_rest_of_the_log_give_the_whole(steps in steps(), cut in 0.0..1.0_f64) {
        let log = log(&steps);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a short list")]
        let cut = (log.len() as f64 * cut) as usize;
        let (mut whole, mut first) = (State::new(), State::new());
        for command in &log {
            let bytes = command.encode().unwrap();
            let _ = whole.apply(&Command::decode(&bytes).unwrap());
        }
        for command in &log[..cut] {
            let _ = first.apply(command);
        }
        let mut second = State::decode(&first.encode().unwrap()).unwrap();
        for command in &log[cut..] {
            let _ = second.apply(command);
        }
        prop_assert_eq!(second.digest(), whole.digest());
        let (a, b) = (Ledger { state: second, now: u64::MAX / 2 }, Ledger { state: whole, now: u64::MAX / 2 });
        prop_assert_eq!(a.plan(&SLOTS), b.plan(&SLOTS));
        let counts = |ledger: &Ledger| {
            let state = &ledger.state;
            let finished: Vec<TaskId> = state.finished_tasks().map(|task| task.id).collect();
            (state.queued_count(), state.waiting_count(), state.running_count(), state.next_deadline(0), finished)
        };
        prop_assert_eq!(counts(&a), counts(&b));
    }
}

/// The stories must reach what they are about.
#[test]
fn stories_reach_every_kind_of_end() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = BTreeMap::new();
    for _ in 0..200 {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        let ledger = play(&steps, |_, _, _, _| Ok(())).unwrap();
        for task in ledger.state.tasks() {
            let proof = matches!(task.kind, TaskKind::Prove { .. });
            *seen.entry((proof, task.phase().name())).or_insert(0) += 1;
        }
    }
    for phase in ["queued", "running", "done", "failed"] {
        assert!(
            seen.contains_key(&(true, phase)) && seen.contains_key(&(false, phase)),
            "{seen:?}"
        );
    }
    assert!(seen.contains_key(&(true, "cancelled")), "{seen:?}");
}
