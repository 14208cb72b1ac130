//! Waiting for a task, watching changes, and what a worker says it is doing.

use std::time::Duration;

use aureole_api::internal::v1;
use aureole_coordinator::{Event, ProposeError};
use aureole_ledger::{CircuitId, Command, CommandError, Digest, Stage, TaskPhase, TenantId};

use crate::kit::{Node, PATIENCE, PROOF, attempt_of, task_id};

#[tokio::test]
async fn a_waiter_is_answered_when_the_task_ends() {
    let node = Node::ready().await;
    let mut worker = node.join("w").await;
    let _ = node.submit(1).await;
    let held = attempt_of(&worker.lease().await);
    let finished = |view: &aureole_coordinator::TaskView| view.task.is_finished();
    let waiting = node.coordinator.wait_task(task_id(1), finished, PATIENCE);
    let (view, refused) = tokio::join!(waiting, worker.prove(&node, held, PROOF));
    assert_eq!(refused, None);
    assert_eq!(view.unwrap().task.phase(), TaskPhase::Done);
}

#[tokio::test]
async fn an_impatient_waiter_gets_the_task_as_it_is() {
    let node = Node::ready().await;
    let _ = node.submit(1).await;
    let never = |_: &aureole_coordinator::TaskView| false;
    let view = node
        .coordinator
        .wait_task(task_id(1), never, Duration::from_millis(20))
        .await;
    assert_eq!(view.unwrap().task.phase(), TaskPhase::Queued);
    assert_eq!(
        node.coordinator
            .wait_task(task_id(9), never, PATIENCE)
            .await,
        None
    );
}

#[tokio::test]
async fn progress_is_seen_while_the_attempt_runs() {
    let node = Node::ready().await;
    let mut worker = node.join("w").await;
    let _ = node.submit(1).await;
    let held = attempt_of(&worker.lease().await);
    let mut events = node.coordinator.subscribe();
    let stage = v1::Stage::Witness.into();
    let worker_id = worker.id.clone();
    let report = v1::ProgressRequest {
        worker_id,
        attempt: Some(held.clone()),
        stage,
    };
    worker.client.progress(report.clone()).await.unwrap();
    let (task, stage) = (task_id(1), Stage::Witness);
    assert_eq!(
        events.recv().await.unwrap(),
        Event::Progress {
            task,
            attempt: 1,
            stage
        }
    );
    assert_eq!(node.coordinator.stage_of(task), Some((1, stage)));
    assert_eq!(node.coordinator.task(task).unwrap().stage, Some(stage));
    worker.prove(&node, held, PROOF).await;
    assert_eq!(node.coordinator.stage_of(task), None);
    worker.client.progress(report).await.unwrap();
    assert_eq!(
        node.coordinator.stage_of(task),
        None,
        "a late report says nothing"
    );
}

#[tokio::test]
async fn those_who_wait_for_a_rejected_circuit_are_told() {
    let node = Node::ready().await;
    let (plugin, params) = (Digest::of(b"component"), Digest::of(b"bad params"));
    let circuit = CircuitId::of(&plugin, &params);
    let now = 1_000_000;
    let command = Command::RegisterCircuit {
        plugin,
        params,
        task: task_id(5),
        now,
        tenant: TenantId::default(),
    };
    let _ = node.coordinator.propose(command).await.unwrap();
    let command = Command::SubmitTask {
        task: task_id(6),
        circuit,
        input: Digest::of(b"sealed"),
        priority: aureole_ledger::Priority::DEFAULT,
        idempotency: None,
        now,
        tenant: TenantId::default(),
        deadline: None,
        input_bytes: 0,
    };
    let _ = node.coordinator.propose(command).await.unwrap();
    let mut worker = node.join("w").await;
    let held = attempt_of(&worker.lease().await);
    let ended = node.until(6, |task| task.is_finished());
    let (task, ()) = tokio::join!(ended, worker.fail(held, "params.schema", false));
    assert_eq!(task.problem().unwrap().code, "params.schema");
}

#[tokio::test]
async fn changes_are_announced() {
    let node = Node::new().await;
    let mut events = node.coordinator.subscribe();
    crate::kit::make_ready(&node.coordinator).await;
    let component = Digest::of(b"component");
    let mut seen = Vec::new();
    while let Ok(event) = events.try_recv() {
        seen.push(event);
    }
    for expected in [
        Event::PluginChanged(component),
        Event::TaskChanged(task_id(200)),
        Event::CircuitChanged(crate::kit::circuit_id()),
    ] {
        assert!(seen.contains(&expected), "{expected:?} in {seen:?}");
    }
}

#[tokio::test]
async fn a_command_over_its_limits_is_not_proposed() {
    let node = Node::new().await;
    let command = Command::ForgetTasks {
        tasks: vec![task_id(1); 1000],
    };
    let error = node.coordinator.propose(command).await.unwrap_err();
    assert!(
        matches!(error, ProposeError::Invalid(CommandError::TooMany { .. })),
        "{error}"
    );
}

#[tokio::test]
async fn concurrent_proposals_all_get_their_own_answer() {
    let node = Node::ready().await;
    let submissions = (1..=150).map(|task| node.submit(task));
    let outcomes = futures::future::join_all(submissions).await;
    for (number, outcome) in (1..=150).zip(outcomes) {
        let task = task_id(number);
        assert_eq!(
            outcome,
            aureole_ledger::Outcome::TaskSubmitted {
                task,
                created: true
            }
        );
    }
}
