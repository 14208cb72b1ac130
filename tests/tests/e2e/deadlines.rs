//! Deadlines: of a task that waits behind another, of one that is repeated, and of one that never had
//! a chance.

use std::time::{Duration, SystemTime};

use aureole_client::rest::Timestamp;
use aureole_tests::{Busy, Node, http, preimage_input};
use serde_json::json;

/// Long enough for a submission, too short for the proof that runs before it.
const SOON: Duration = Duration::from_millis(500);

/// Submits with a deadline and under a key, and waits for the end.
fn submit(node: &Node, deadline: Timestamp, key: &str) -> anyhow::Result<http::Answer> {
    let body = json!({"plugin": "preimage", "input": preimage_input(1), "deadline": deadline});
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", key),
    ];
    let path = "/api/v1/tasks?wait=30s";
    http::send(
        node.url(),
        "POST",
        path,
        &headers,
        body.to_string().as_bytes(),
    )
}

fn from_now(time: Duration) -> anyhow::Result<Timestamp> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(Timestamp::from_millis(u64::try_from(
        (since + time).as_millis(),
    )?))
}

#[tokio::test]
async fn a_task_that_misses_its_deadline_fails_by_name_however_often_it_is_sent()
-> anyhow::Result<()> {
    let Busy { node, task, .. } = Busy::proving("").await?;
    let deadline = from_now(SOON)?;
    let first = submit(&node, deadline, "order-1")?;
    assert_eq!(first.status, 504, "{:?}", first.json());
    assert_eq!(first.json()?["code"], "task.deadline");
    // By now it has passed: the same submission still means the same task.
    let again = submit(&node, deadline, "order-1")?;
    assert_eq!(again.json()?["code"], "task.deadline");
    assert_eq!(again.json()?["task"], first.json()?["task"]);
    let refused = submit(&node, deadline, "order-2")?;
    assert_eq!(refused.status, 422, "{:?}", refused.json());
    assert_eq!(refused.json()?["code"], "task.deadline_past");
    assert_eq!(refused.json()?["path"], "/deadline");
    node.client()?.cancel(&task.id).await?;
    let in_time = submit(&node, from_now(Duration::from_secs(60))?, "order-3")?;
    assert_eq!(in_time.status, 200, "{:?}", in_time.json());
    Ok(())
}
