//! What the clients' deeds are as commands.

use aureole_ledger::{
    Acceptance, CircuitFacts, CircuitId, Command, Completion, Digest, Millis, Priority, TaskId,
    TenantId, Timings, WorkerId,
};

use crate::history::Deed;

/// Returns the command of a deed.
pub(crate) fn command(deed: Deed, now: Millis) -> Command {
    match deed {
        Deed::Prepare(step) => prepare(step, now),
        Deed::Submit(task, patience) => Command::SubmitTask {
            task,
            circuit: CircuitId::of(&Digest::of(b"component"), &Digest::of(b"params")),
            input: Digest::of(b"sealed"),
            priority: Priority::DEFAULT,
            idempotency: None,
            now,
            tenant: TenantId::default(),
            deadline: patience.map(|patience| now.saturating_add(patience)),
            input_bytes: 0,
        },
        Deed::Cancel(task) => Command::CancelTask { task, now },
        Deed::Weigh(client, weight) => Command::SetWeight {
            tenant: TenantId::new(format!("client-{client}")).unwrap_or_default(),
            weight,
        },
    }
}

/// Registers a plugin with a circuit, as its inspection would.
fn prepare(step: u8, now: Millis) -> Command {
    let task = TaskId::from_bytes([200; 16]);
    let worker = inspector();
    match step {
        0 => Command::RegisterPlugin {
            component: Digest::of(b"component"),
            bytes: 1,
            task,
            now,
            tenant: TenantId::default(),
        },
        1 => Command::LeaseTask {
            task,
            attempt: 1,
            worker,
            expires_at: u64::MAX,
            now,
            threads: 1,
            memory_bytes: 0,
            speculative: false,
        },
        _ => Command::CompleteTask {
            task,
            attempt: 1,
            worker,
            completion: Completion::PluginInspected {
                name: "merkle".to_owned(),
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
            },
            timings: Timings::new(),
            now,
            peak_memory_bytes: None,
            acceptance: Acceptance::none(),
        },
    }
}

fn inspector() -> WorkerId {
    #[expect(clippy::expect_used, reason = "the name is a constant")]
    WorkerId::new("inspector").expect("a worker's name")
}
