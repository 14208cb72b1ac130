//! SIGTERM: the node ends well and in time, and what it had promised is kept.

use std::time::Duration;

use aureole_client::rest::TaskState;
use aureole_tests::{Busy, Node, eventually, http, preimage_input};

/// The default drain and some room: a slow machine runs all tests at once.
const IN_TIME: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_stopped_node_lets_a_running_proof_finish() -> anyhow::Result<()> {
    let Busy { mut node, task, .. } = Busy::proving("drain_ms = 60000").await?;
    let queued = node
        .client()?
        .submit_to("preimage", &preimage_input(1))
        .await?;
    node.stop(IN_TIME)?;
    node.restart()?;
    let finished = node.client()?.task(&task.id, Duration::ZERO).await?;
    assert_eq!(finished.state, TaskState::Done, "{finished:?}");
    assert_eq!(finished.attempts.len(), 1, "{:?}", finished.attempts);
    node.done(&queued.id).await?;
    Ok(())
}

#[tokio::test]
async fn a_node_stopped_at_once_hands_a_running_proof_back() -> anyhow::Result<()> {
    let Busy { mut node, task, .. } = Busy::proving("drain_ms = 0").await?;
    node.stop(IN_TIME)?;
    node.restart()?;
    let done = node.done(&task.id).await?;
    let codes: Vec<_> = done
        .attempts
        .iter()
        .map(|attempt| {
            attempt
                .problem
                .as_ref()
                .map(|problem| problem.code().to_owned())
        })
        .collect();
    assert_eq!(codes, [Some("task.handed_back".to_owned()), None]);
    Ok(())
}

#[tokio::test]
async fn a_stopped_node_leaves_no_process_and_frees_its_port() -> anyhow::Result<()> {
    let mut node = Node::with_plugins(&["preimage"]).await?;
    let task = node
        .client()?
        .submit_to("preimage", &preimage_input(1))
        .await?;
    node.done(&task.id).await?;
    let children = node.children()?;
    assert!(
        !children.is_empty(),
        "a node that has proved has child processes"
    );
    node.stop(IN_TIME)?;
    eventually("the end of the child processes", || async {
        let mut running = false;
        for child in &children {
            running |= child.runs()?;
        }
        Ok((!running).then_some(()))
    })
    .await?;
    let before = node.url().to_owned();
    node.restart()?;
    assert_eq!(node.url(), before);
    assert_eq!(http::get(node.url(), "/health/ready")?.status, 200);
    assert_eq!(
        node.client()?.task(&task.id, Duration::ZERO).await?.state,
        TaskState::Done
    );
    Ok(())
}

#[tokio::test]
async fn a_killed_node_takes_its_child_processes_with_it() -> anyhow::Result<()> {
    let Busy { mut node, .. } = Busy::proving("").await?;
    let children = node.children()?;
    node.kill()?;
    eventually("the end of the child processes", || async {
        let mut running = false;
        for child in &children {
            running |= child.runs()?;
        }
        Ok((!running).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_waiting_caller_is_not_kept_by_a_stopping_node() -> anyhow::Result<()> {
    let Busy { mut node, task, .. } = Busy::proving("drain_ms = 0").await?;
    let client = node.client()?;
    let waiting = tokio::spawn(async move { client.task(&task.id, Duration::from_secs(60)).await });
    node.terminate()?;
    let answer = waiting.await?;
    // The task as it stands then, a busy node, or a cut line: each tells the caller to ask again.
    let fine = answer
        .as_ref()
        .map_or_else(|error| error.is_transient(), |task| !task.state.is_final());
    assert!(fine, "{answer:?}");
    assert!(node.ended(IN_TIME)?.success());
    Ok(())
}
