//! Stopping a proof that runs: by a cancel, and by the death of the process that makes it.

use aureole_client::rest::TaskState;
use aureole_tests::{Busy, Node, PATIENCE, Process, eventually, preimage_input};
use serde_json::json;

fn provers(node: &Node) -> anyhow::Result<Vec<Process>> {
    let children = node.children()?.into_iter();
    Ok(children
        .filter(|process| process.command.contains("child prover"))
        .collect())
}

#[tokio::test]
async fn cancelling_a_running_proof_stops_its_process() -> anyhow::Result<()> {
    let Busy { node, task, .. } = Busy::proving("").await?;
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
async fn cancelling_is_of_what_was_seen_and_twice_gives_the_same_answer() -> anyhow::Result<()> {
    let Busy {
        node,
        circuit,
        task,
    } = Busy::proving("").await?;
    let client = node.client()?;
    let queued = node.submit(&circuit.id, json!({"start": 4})).await?;
    let seen = client.task_tagged(&queued.id).await?;
    let other = client.task_tagged(&task.id).await?;
    let refused = client.cancel_if(&queued.id, &other.tag).await;
    let refused = refused.expect_err("it is not what was seen");
    assert_eq!(refused.code(), Some("request.precondition"));
    client.cancel_if(&queued.id, &seen.tag).await?;
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
    let Busy { node, task, .. } = Busy::proving("").await?;
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
