//! Results: looked at before they are believed.

use aureole_api::internal::v1;
use aureole_api::internal::v1::complete_request::Result as Wire;
use aureole_ledger::{
    CircuitState, Command, Digest, PluginState, Stage, TaskPhase, TenantId, codes,
};

use crate::kit::{Node, PROOF, Worker, attempt, attempt_of, facts, proved, task_id};

async fn leased() -> (Node, Worker, v1::AttemptId) {
    let node = Node::ready().await;
    let mut worker = node.join("w").await;
    let _ = node.submit(1).await;
    let held = attempt_of(&worker.lease().await);
    (node, worker, held)
}

#[tokio::test]
async fn a_proof_is_done_once_it_was_verified() {
    let (node, mut worker, held) = leased().await;
    assert_eq!(worker.prove(&node, held.clone(), PROOF).await, None);
    let task = node.task(1);
    assert_eq!(task.phase(), TaskPhase::Done);
    assert_eq!(task.timings[&Stage::Prove], 1234);
    assert!(task.timings.contains_key(&Stage::Verify) && task.timings.contains_key(&Stage::Queue));
    assert_eq!(
        worker.prove(&node, held, PROOF).await,
        None,
        "the answer may have got lost"
    );
}

#[tokio::test]
async fn a_proof_that_does_not_verify_is_a_strike_and_never_done() {
    let (node, mut worker, held) = leased().await;
    let mut forged = PROOF.to_vec();
    forged[7] ^= 1;
    let refused = worker.prove(&node, held, &forged).await.unwrap();
    assert_eq!(refused.code, codes::PROOF_INVALID);
    let task = node.task(1);
    assert_eq!((task.phase(), task.strikes), (TaskPhase::Queued, 1));
    assert_eq!(
        task.attempts[0].problem.as_ref().unwrap().code,
        codes::PROOF_INVALID
    );
}

#[tokio::test]
async fn a_proof_has_exactly_the_circuits_length() {
    for (proof, expected) in [
        (
            [PROOF, b"junk"].concat(),
            "more than the circuit's 64 bytes",
        ),
        (PROOF[..63].to_vec(), "63 bytes"),
        (Vec::new(), "0 bytes"),
    ] {
        let (node, mut worker, held) = leased().await;
        let refused = worker.prove(&node, held, &proof).await.unwrap();
        assert_eq!(refused.code, codes::PROOF_INVALID);
        assert!(refused.detail.contains(expected), "{}", refused.detail);
        assert_eq!(node.task(1).phase(), TaskPhase::Queued);
    }
}

#[tokio::test]
async fn a_verifier_that_fails_says_nothing_of_the_proof() {
    let (node, mut worker, held) = leased().await;
    let mut poison = PROOF.to_vec();
    poison[0] = b'!';
    let refused = worker.prove(&node, held, &poison).await.unwrap();
    assert_eq!(refused.code, "node.verifier_failed");
    assert_eq!(node.task(1).strikes, 1);
}

#[tokio::test]
async fn bytes_that_are_not_in_the_depot_are_no_result() {
    let (node, mut worker, held) = leased().await;
    let missing = Digest::of(b"never stored");
    let refused = worker
        .complete(held, proved(&missing, &missing))
        .await
        .unwrap();
    assert_eq!(refused.code, "task.result_missing");
    assert_eq!(node.task(1).strikes, 1);
}

#[tokio::test]
async fn a_foreign_or_early_or_late_result_changes_nothing() {
    let (node, mut worker, held) = leased().await;
    let mut thief = node.join("thief").await;
    let refused = thief.prove(&node, held.clone(), PROOF).await.unwrap();
    assert_eq!(refused.code, "task.foreign_lease");
    let refused = worker.prove(&node, attempt(1, 2), PROOF).await.unwrap();
    assert_eq!(refused.code, "task.stale_attempt");
    let refused = worker.prove(&node, attempt(9, 1), PROOF).await.unwrap();
    assert_eq!(refused.code, "task.unknown");
    assert_eq!(node.task(1).phase(), TaskPhase::Running);
    assert_eq!(worker.prove(&node, held, PROOF).await, None);
}

#[tokio::test]
async fn a_result_of_another_kind_is_a_strike() {
    let (node, mut worker, held) = leased().await;
    let refused = worker
        .complete(held, Wire::CircuitPrepared(prepared()))
        .await
        .unwrap();
    assert_eq!(refused.code, "task.completion_mismatch");
    assert_eq!(node.task(1).strikes, 1);
}

fn prepared() -> v1::CircuitPrepared {
    let facts = facts();
    v1::CircuitPrepared {
        circuit: facts.circuit_digest.as_bytes().to_vec(),
        key: facts.key_digest.as_bytes().to_vec(),
        report: facts.report.as_bytes().to_vec(),
        k: facts.k,
        proof_bytes: facts.proof_bytes,
        ..v1::CircuitPrepared::default()
    }
}

async fn store(node: &Node, names: &[&[u8]]) {
    for name in names {
        node.depot.put(name.to_vec()).await.unwrap();
    }
}

#[tokio::test]
async fn an_inspection_needs_its_blobs() {
    let node = Node::new().await;
    let component = Digest::of(b"component");
    let command = Command::RegisterPlugin {
        component,
        bytes: 1,
        task: task_id(1),
        now: 1,
        tenant: TenantId::default(),
    };
    let _ = node.coordinator.propose(command).await.unwrap();
    let mut worker = node.join("w").await;
    let held = attempt_of(&worker.lease().await);
    let inspected = v1::PluginInspected {
        name: "merkle".to_owned(),
        version: "1.0.0".to_owned(),
        description: Digest::of(b"description").as_bytes().to_vec(),
        default_params: Some(Digest::of(b"params").as_bytes().to_vec()),
        default_circuit: Some(prepared()),
    };
    store(&node, &[b"description", b"params", b"circuit"]).await;
    let refused = worker
        .complete(held, Wire::PluginInspected(inspected.clone()))
        .await
        .unwrap();
    assert_eq!(refused.code, "task.result_missing");
    assert!(refused.detail.contains("report"), "{}", refused.detail);
    store(&node, &[b"report"]).await;
    node.clock.pass(std::time::Duration::from_secs(1));
    let held = attempt_of(&worker.lease().await);
    assert_eq!(
        worker
            .complete(held, Wire::PluginInspected(inspected))
            .await,
        None
    );
    let ready = node
        .coordinator
        .read(|state| state.plugin(&component).unwrap().state.clone());
    assert_eq!(ready, PluginState::Ready);
    let circuit = node
        .coordinator
        .read(|state| state.circuits().next().unwrap().clone());
    assert_eq!(circuit.state, CircuitState::Ready(facts()));
}

#[tokio::test]
async fn a_prepared_circuit_lets_the_tasks_that_wait_for_it_run() {
    let node = Node::ready().await;
    let (plugin, params) = (Digest::of(b"component"), Digest::of(b"other params"));
    let command = Command::RegisterCircuit {
        plugin,
        params,
        task: task_id(5),
        now: 1,
        tenant: TenantId::default(),
    };
    let _ = node.coordinator.propose(command).await.unwrap();
    let mut worker = node.join("w").await;
    let lease = worker.lease().await;
    let Some(v1::lease::Work::PrepareCircuit(prepare)) = &lease.work else {
        panic!("{lease:?}")
    };
    assert_eq!(prepare.params, params.as_bytes());
    store(&node, &[b"circuit", b"report"]).await;
    let result = Wire::CircuitPrepared(prepared());
    assert_eq!(worker.complete(attempt_of(&lease), result).await, None);
    assert_eq!(node.task(5).phase(), TaskPhase::Done);
}

#[tokio::test]
async fn a_key_that_the_verifier_does_not_make_too_is_a_strike() {
    let node = Node::ready().await;
    let (plugin, params) = (Digest::of(b"component"), Digest::of(b"other params"));
    let command = Command::RegisterCircuit {
        plugin,
        params,
        task: task_id(5),
        now: 1,
        tenant: TenantId::default(),
    };
    let _ = node.coordinator.propose(command).await.unwrap();
    let mut worker = node.join("w").await;
    let held = attempt_of(&worker.lease().await);
    store(&node, &[b"circuit", b"report"]).await;
    let forged = v1::CircuitPrepared {
        key: Digest::of(b"another key").as_bytes().to_vec(),
        ..prepared()
    };
    let refused = worker
        .complete(held, Wire::CircuitPrepared(forged))
        .await
        .unwrap();
    assert_eq!(refused.code, "circuit.key_mismatch");
    assert_eq!(node.task(5).strikes, 1);
}
