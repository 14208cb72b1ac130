//! The README's request becomes a proof, and everything said about it agrees.

use aureole_tests::{Busy, MERKLE_REQUEST, Node, http, preimage_input};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Asks until the task is final; each request waits on the node.
fn finished(url: &str, id: &str) -> anyhow::Result<Value> {
    for _ in 0..4 {
        let task = http::get(url, &format!("/api/v1/tasks/{id}?wait=30s"))?;
        assert_eq!(task.status, 200);
        let task = task.json()?;
        if !["queued", "running"]
            .map(Value::from)
            .contains(&task["state"])
        {
            return Ok(task);
        }
    }
    anyhow::bail!("the task {id} is not finished after two minutes")
}

#[tokio::test]
async fn the_readme_request_is_answered_with_a_proof() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    let answer = http::post_json(node.url(), "/api/v1/tasks/merkle", MERKLE_REQUEST)?;
    let task = answer.json()?;
    // The plain call waits for the proof; a machine too slow for that answers 202 and goes on.
    assert!([200, 202].contains(&answer.status), "{task}");
    let task = finished(node.url(), task["id"].as_str().unwrap_or_default())?;
    assert_eq!(task["state"], "done", "{task}");
    assert!(task["proof"]["base64"].is_string(), "{task}");
    Ok(())
}

#[tokio::test]
async fn a_caller_who_does_not_wait_is_answered_202_with_the_place_to_look() -> anyhow::Result<()> {
    let busy = Busy::proving("").await?;
    let (node, input) = (&busy.node, preimage_input(1).to_string());
    // The slow proof before it holds the only slot.
    let answer = http::post_json(node.url(), "/api/v1/tasks/preimage?wait=0s", &input)?;
    assert_eq!(answer.status, 202);
    let task = answer.json()?;
    assert_eq!(task["state"], "queued");
    let id = task["id"].as_str().unwrap_or_default();
    assert!(id.starts_with("tsk_") && id.len() == 36, "{task}");
    let place = format!("/api/v1/tasks/{id}");
    assert_eq!(answer.header("location"), Some(place.as_str()));
    let early = http::get(node.url(), &format!("{place}/proof"))?;
    assert_eq!(early.status, 409);
    assert_eq!(early.json()?["code"], "task.not_done");
    assert_eq!(finished(node.url(), id)?["state"], "done");
    Ok(())
}

#[tokio::test]
async fn a_submitted_task_is_accepted_and_ends_with_its_proof() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    let body = format!(r#"{{"plugin":"merkle","input":{MERKLE_REQUEST},"priority":7}}"#);
    let answer = http::post_json(node.url(), "/api/v1/tasks", &body)?;
    let submitted = answer.json()?;
    // A machine so fast that it has the proof already says so.
    let status = if submitted["state"] == "done" {
        200
    } else {
        202
    };
    assert_eq!(answer.status, status, "{submitted}");
    assert_eq!(submitted["priority"], 7);
    let task = finished(node.url(), submitted["id"].as_str().unwrap_or_default())?;
    assert_eq!(task["state"], "done", "{task}");
    assert_eq!(task["kind"], "prove");
    assert_eq!(task["plugin"], "merkle@0.1.0");
    assert_eq!(task["attempts"].as_array().map(Vec::len), Some(1), "{task}");
    assert_eq!(task["attempts"][0]["attempt"], 1);
    assert!(task["attempts"][0]["ended_at"].is_string(), "{task}");
    assert!(
        task.get("input").is_none(),
        "a task never shows its input: {task}"
    );
    Ok(())
}

#[tokio::test]
async fn a_done_task_shows_its_times_and_public_inputs_by_name() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    let answer = http::post_json(node.url(), "/api/v1/tasks/merkle", MERKLE_REQUEST)?.json()?;
    let task = finished(node.url(), answer["id"].as_str().unwrap_or_default())?;
    for stage in ["queue", "witness", "check", "prove", "verify", "total"] {
        assert!(
            task["timings_ms"][stage].as_f64().is_some(),
            "no time for {stage}: {task}"
        );
    }
    let parts: f64 = ["queue", "witness", "check", "prove", "verify"]
        .iter()
        .filter_map(|stage| task["timings_ms"][*stage].as_f64())
        .sum();
    let total = task["timings_ms"]["total"].as_f64().unwrap_or_default();
    // Queue and total are whole milliseconds of the ledger, the parts are finer.
    assert!(
        parts <= total + 3.0,
        "the parts, {parts} ms, exceed the total, {total} ms"
    );
    let leaves = [
        "0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef",
        "0xfedcba0987654321fedcba0987654321fedcba0987654321fedcba0987654321",
    ];
    assert_eq!(
        task["public_inputs"],
        serde_json::json!({"root": root(&leaves)?})
    );
    Ok(())
}

/// The root, computed by the author's own code.
fn root(leaves: &[&str]) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    for leaf in leaves {
        let mut leaf_bytes = [0; 32];
        hex::decode_to_slice(leaf.trim_start_matches("0x"), &mut leaf_bytes)?;
        bytes.push(leaf_bytes);
    }
    let root = aureole_merkle::root(&bytes, aureole_merkle::DEPTH_DEFAULT)?;
    // A field element's own text is 0x and 64 digits.
    Ok(format!("{root:?}"))
}

#[tokio::test]
async fn the_proof_is_the_same_bytes_raw_in_base64_and_by_digest() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    let answer = http::post_json(node.url(), "/api/v1/tasks/merkle", MERKLE_REQUEST)?.json()?;
    let task = finished(node.url(), answer["id"].as_str().unwrap_or_default())?;
    let url = task["proof"]["url"].as_str().unwrap_or_default();
    let raw = http::get(node.url(), url)?;
    assert_eq!(raw.status, 200);
    assert_eq!(raw.header("content-type"), Some("application/octet-stream"));
    let base64 = task["proof"]["base64"].as_str().unwrap_or_default();
    assert_eq!(STANDARD.decode(base64)?, raw.body);
    assert_eq!(task["proof"]["bytes"], raw.body.len());
    let digest = hex::encode(Sha256::digest(&raw.body));
    assert_eq!(task["proof"]["digest"], digest.as_str());
    assert_eq!(raw.header("etag"), Some(format!("\"{digest}\"").as_str()));
    let circuit = task["circuit"].as_str().unwrap_or_default();
    let circuit = http::get(node.url(), &format!("/api/v1/circuits/{circuit}"))?.json()?;
    assert_eq!(circuit["proof_bytes"], raw.body.len());
    Ok(())
}

#[tokio::test]
async fn a_ready_node_says_so_and_lists_its_plugins() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    assert_eq!(http::get(node.url(), "/health/live")?.status, 200);
    let ready = http::get(node.url(), "/health/ready")?;
    assert_eq!(ready.status, 200);
    assert_eq!(ready.json()?["ready"], true);
    let list = http::get(node.url(), "/api/v1/plugins")?.json()?;
    let names: Vec<&Value> = list["plugins"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|plugin| &plugin["name"])
        .collect();
    assert_eq!(names, ["cubic-c", "merkle", "preimage", "range"]);
    Ok(())
}
