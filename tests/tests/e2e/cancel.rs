//! Stopping a proof that runs: by a cancel, and by the death of the process that makes it.

use aureole_client::rest::{Stage, Task, TaskState};
use aureole_tests::{Node, PATIENCE, Process, eventually, fixture, preimage_input};
use serde_json::json;

/// A proof of this size takes seconds: long enough to be seen and stopped.
const K_SLOW: u32 = 13;

/// A node with one task whose proof is being made, and the circuit's id.
async fn proving() -> anyhow::Result<(Node, String, Task)> {
    let node = Node::with_plugins(&["preimage"]).await?;
    node.upload(fixture("workload")?).await?;
    let circuit = node.circuit("workload", json!({"k": K_SLOW})).await?;
    let task = node.submit(&circuit.id, json!({"start": 3})).await?;
    let task = in_stage(&node, &task.id, Stage::Prove).await?;
    Ok((node, circuit.id, task))
}

async fn in_stage(node: &Node, id: &str, stage: Stage) -> anyhow::Result<Task> {
    let client = node.client()?;
    eventually("the task's stage", || async {
        let task = client.task(id, std::time::Duration::ZERO).await?;
        assert!(
            !task.state.is_final(),
            "the task ended before it could be stopped: {task:?}"
        );
        Ok((task.stage == Some(stage)).then_some(task))
    })
    .await
}

fn provers(node: &Node) -> anyhow::Result<Vec<Process>> {
    let children = node.children()?.into_iter();
    Ok(children
        .filter(|process| process.command.contains("child prover"))
        .collect())
}

#[tokio::test]
async fn cancelling_a_running_proof_stops_its_process() -> anyhow::Result<()> {
    let (node, _, task) = proving().await?;
    let client = node.client()?;
    let before = provers(&node)?;
    assert!(!before.is_empty(), "no prover runs: {:?}", node.children()?);
    let cancelled = client.cancel(&task.id).await?;
    assert_eq!(cancelled.state, TaskState::Cancelled);
    // The process that proved is gone long before its proof could have been finished.
    eventually("the prover's end", || async {
        let mut gone = false;
        for process in &before {
            gone |= !process.runs()?;
        }
        Ok(gone.then_some(()))
    })
    .await?;
    let shown = client.task(&task.id, std::time::Duration::ZERO).await?;
    assert_eq!(shown.state, TaskState::Cancelled);
    assert!(shown.proof.is_none() && shown.timings_ms.and_then(|times| times.prove).is_none());
    let next = client.submit_to("preimage", &preimage_input(1)).await?;
    node.done(&next.id).await?;
    Ok(())
}

#[tokio::test]
async fn cancelling_twice_gives_the_same_answer() -> anyhow::Result<()> {
    let (node, circuit, task) = proving().await?;
    let client = node.client()?;
    let queued = node.submit(&circuit, json!({"start": 4})).await?;
    for id in [&queued.id, &task.id] {
        let first = client.cancel(id).await?;
        assert_eq!(first.state, TaskState::Cancelled);
        assert_eq!(client.cancel(id).await?, first);
    }
    let proof = client
        .proof(&task.id)
        .await
        .expect_err("a cancelled task has no proof");
    assert_eq!(
        proof.problem().map(|problem| problem.code()),
        Some("task.cancelled")
    );
    Ok(())
}

#[tokio::test]
async fn cancelling_a_done_task_changes_nothing() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    let client = node.client()?;
    let task = client.submit_to("preimage", &preimage_input(2)).await?;
    let done = node.done(&task.id).await?;
    let error = client.cancel(&task.id).await.expect_err("it is done");
    assert_eq!(
        error.problem().map(|problem| problem.code()),
        Some("task.finished")
    );
    assert_eq!(
        client.task(&task.id, std::time::Duration::ZERO).await?,
        done
    );
    Ok(())
}

#[tokio::test]
async fn a_prover_killed_mid_proof_costs_one_attempt_and_not_the_task() -> anyhow::Result<()> {
    let (node, _, task) = proving().await?;
    for process in provers(&node)? {
        process.kill()?;
    }
    let done = node.client()?.wait_task(&task.id, PATIENCE, |_| {}).await?;
    assert_eq!(done.state, TaskState::Done, "{:?}", done.error);
    assert_eq!(done.attempts.len(), 2, "{:?}", done.attempts);
    let problems: Vec<_> = done
        .attempts
        .iter()
        .map(|attempt| attempt.problem.as_ref())
        .collect();
    assert_eq!(
        problems[0].map(|problem| problem.code()),
        Some("task.prover_crashed")
    );
    assert_eq!(problems[1], None);
    assert!(node.client()?.ready().await?.ready);
    Ok(())
}
