//! The log carries facts, never bytes: no command comes near its limit, and a snapshot grows by little
//! with each fact.

use aureole_ledger::limits::COMMAND_BYTES_MAX;
use aureole_ledger::{
    Acceptance, CircuitFacts, Command, Completion, Digest, Outcome, TaskId, TenantId, Timings,
    WorkerId,
};
use aureole_sim::{Invariant, LEASE_MS, Node, Profile, Step, World, runs};

/// Bytes of a snapshot beside its tasks: tenants, a plugin, three circuits, the shape of the log.
const STATE_BYTES_MAX: usize = 16 << 10;

/// Bytes of a task in it, on average: its record, up to eight attempts with what was seen of each, and
/// the event that tells of its end.
const TASK_BYTES_MAX: usize = 1 << 10;

/// A snapshot with a thousand plugins, each with a circuit, the task that inspected it and the act of
/// its upload: two KiB for all of these, where a component has a megabyte.
const THOUSAND_PLUGINS_BYTES_MAX: usize = 2 << 20;

#[derive(Default)]
struct Sizes;

impl Invariant for Sizes {
    fn step(&mut self, step: &Step<'_>) -> Result<(), String> {
        let bytes = step.command.encode().map_err(|error| error.to_string())?;
        if bytes.len() * 2 > COMMAND_BYTES_MAX {
            return Err(format!("{} has {} bytes", step.command.name(), bytes.len()));
        }
        Ok(())
    }

    fn end(&mut self, world: &World) -> Result<(), String> {
        let state = &world.node.state;
        let bytes = state.encode().map_err(|error| error.to_string())?.len();
        let tasks = state.tasks().count();
        if bytes > STATE_BYTES_MAX + tasks * TASK_BYTES_MAX {
            return Err(format!("a snapshot of {tasks} tasks has {bytes} bytes"));
        }
        Ok(())
    }
}

#[test]
fn commands_and_snapshots_stay_small() -> Result<(), String> {
    runs::<Sizes>("commands_and_snapshots_stay_small", Profile::STORM, 300).map(drop)
}

/// What makes a plugin ready, as its inspection would.
fn registered(number: u32) -> Result<[Command; 3], String> {
    let digest = |what: &str| Digest::of(format!("{what} of plugin {number}").as_bytes());
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    let (task, attempt, now) = (TaskId::from_bytes(id), 1, 1_000 + u64::from(number));
    let worker = WorkerId::new("inspector").map_err(|error| error.to_string())?;
    // A thousand are one tenant's limit.
    let tenant = TenantId::new(format!("t{}", number % 4)).map_err(|error| error.to_string())?;
    let register = Command::RegisterPlugin {
        component: digest("component"),
        bytes: 1,
        task,
        now,
        tenant,
    };
    let lease = Command::LeaseTask {
        task,
        attempt,
        worker: worker.clone(),
        expires_at: now + LEASE_MS,
        now,
        threads: 1,
        memory_bytes: 0,
        speculative: false,
    };
    let facts = CircuitFacts {
        circuit_digest: digest("circuit"),
        key_digest: digest("key"),
        report: digest("report"),
        k: 10,
        proof_bytes: 2048,
        memory_bytes: 1 << 30,
        work: 20_000,
    };
    let complete = Command::CompleteTask {
        task,
        attempt,
        worker,
        completion: Completion::PluginInspected {
            name: format!("plugin-{number}"),
            version: "1.0.0".to_owned(),
            description: digest("description"),
            default_params: Some(digest("parameters")),
            default_circuit: Some(facts),
        },
        timings: Timings::new(),
        now,
        peak_memory_bytes: None,
        acceptance: Acceptance::none(),
    };
    Ok([register, lease, complete])
}

#[test]
fn a_snapshot_with_a_thousand_plugins_stays_small() -> Result<(), String> {
    let mut node = Node::running();
    for number in 0..1_000 {
        for command in registered(number)? {
            let outcome = node.apply(&command)?;
            if let Outcome::Refused(refusal) = outcome {
                return Err(format!("{}: {refusal}", command.name()));
            }
        }
    }
    let ready = node.state.circuits().count();
    assert_eq!((node.state.plugins().count(), ready), (1_000, 1_000));
    let bytes = node.state.encode().map_err(|error| error.to_string())?;
    eprintln!("a thousand plugins are a snapshot of {} bytes", bytes.len());
    assert!(
        bytes.len() < THOUSAND_PLUGINS_BYTES_MAX,
        "{} bytes",
        bytes.len()
    );
    Ok(())
}
