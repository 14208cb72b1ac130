//! Many at once: submissions and verifications, and what their keys mean.

use aureole_api::rest::{BATCH_PROOFS_MAX, BATCH_TASKS_MAX};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{
    house::{CIRCUIT, PROOF},
    wire::{Reply, server},
};

const TASKS: &str = "/api/v1/tasks:batch";
const PROOFS: &str = "/api/v1/proofs/verify:batch";

fn body(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap()
}

fn of_tasks(count: u32) -> String {
    let item = json!({"plugin": "merkle", "input": {}});
    json!({"tasks": vec![item; count as usize]}).to_string()
}

fn of_proofs(proofs: &[&[u8]]) -> Value {
    let root = format!("0x{}", "07".repeat(32));
    let claims: Vec<Value> = proofs
        .iter()
        .map(|proof| json!({"public_inputs": {"root": root}, "proof": BASE64_STANDARD.encode(proof)}))
        .collect();
    json!({"circuit": CIRCUIT, "proofs": claims})
}

#[tokio::test]
async fn each_item_of_a_batch_has_its_own_end_in_the_order_given() {
    let server = server().await;
    let good = json!({"plugin": "merkle", "input": {}});
    let batch = json!({"tasks": [
        good,
        {"plugin": "merkle", "input": {"refuse": 300}},
        {"circuit": CIRCUIT, "input": {}},
    ]});
    let reply = server.post(TASKS, batch.to_string()).await;
    assert_eq!(reply.status, 200);
    let items = body(&reply)["items"].as_array().unwrap().clone();
    let codes: Vec<&str> = items
        .iter()
        .map(|item| item["problem"]["code"].as_str().unwrap_or("accepted"))
        .collect();
    assert_eq!(codes, ["accepted", "input.schema", "accepted"]);
    assert_eq!(items[0]["status"], 202);
    assert_eq!(items[1]["status"], 422);
    assert_eq!(items[1]["problem"]["path"], "/tasks/1/refuse");
    assert_ne!(items[0]["task"]["id"], items[2]["task"]["id"]);
}

#[tokio::test]
async fn an_item_that_can_be_no_submission_refuses_the_batch_before_any_is_made() {
    let server = server().await;
    for (item, code, path) in [
        (
            json!({"plugin": "merkle", "circuit": CIRCUIT, "input": {}}),
            "task.target",
            "/tasks/1/plugin",
        ),
        (
            json!({"circuit": "cir_1", "input": {}}),
            "request.id",
            "/tasks/1/circuit",
        ),
        (
            json!({"plugin": "merkle", "input": {}, "priority": 11}),
            "task.priority",
            "/tasks/1/priority",
        ),
    ] {
        let good = json!({"plugin": "merkle", "input": {}});
        let reply = server
            .post(TASKS, json!({"tasks": [good, item]}).to_string())
            .await;
        assert_eq!(reply.code(), code);
        assert_eq!(reply.problem()["path"], path);
    }
    assert!(server.house.0.borrow().submissions.is_empty());
}

#[tokio::test]
async fn every_item_of_a_keyed_batch_has_a_key_of_its_own() {
    let server = server().await;
    let headers = "content-type: application/json\r\nidempotency-key: order-7\r\n";
    let reply = server.post_as(TASKS, headers, of_tasks(3)).await;
    assert_eq!(reply.status, 200);
    let facts = server.house.0.borrow().clone();
    let mut keys: Vec<&str> = facts
        .submissions
        .iter()
        .filter_map(|submission| submission.idempotency_key.as_deref())
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, ["order-7-0", "order-7-1", "order-7-2"]);
    // The longest key of a batch still leaves room for the places.
    for (length, status) in [(124, 200), (125, 422)] {
        let key = "k".repeat(length);
        let headers = format!("content-type: application/json\r\nidempotency-key: {key}\r\n");
        let reply = server
            .post_as(TASKS, &headers, of_tasks(BATCH_TASKS_MAX))
            .await;
        assert_eq!(reply.status, status, "{length}");
    }
    let facts = server.house.0.borrow().clone();
    let longest = facts
        .submissions
        .iter()
        .filter_map(|one| one.idempotency_key.as_ref());
    assert!(longest.map(String::len).max().unwrap() <= 128);
}

#[tokio::test]
async fn a_batch_that_is_empty_too_large_or_malformed_is_refused_whole() {
    let server = server().await;
    for count in [0, BATCH_TASKS_MAX + 1] {
        let reply = server.post(TASKS, of_tasks(count)).await;
        assert_eq!(reply.code(), "request.batch", "{count}");
    }
    for proofs in [vec![], vec![PROOF; BATCH_PROOFS_MAX as usize + 1]] {
        let reply = server.post(PROOFS, of_proofs(&proofs).to_string()).await;
        assert_eq!(reply.code(), "request.batch", "{}", proofs.len());
    }
    let unknown = r#"{"tasks":[{"plugin":"merkle","input":1},{"plugin":"merkle","inputs":1}]}"#;
    let reply = server.post(TASKS, unknown).await;
    assert_eq!(reply.code(), "json.unknown_field");
    assert_eq!(reply.problem()["path"], "/tasks/1/inputs");
    assert!(server.house.0.borrow().submissions.is_empty());
}

#[tokio::test]
async fn each_proof_of_a_batch_has_its_verdict() {
    let server = server().await;
    let batch = of_proofs(&[PROOF, b"another", PROOF]);
    let report = body(&server.post(PROOFS, batch.to_string()).await);
    assert_eq!(report["valid"], false);
    let verdicts = report["verdicts"].as_array().unwrap();
    let valid: Vec<&Value> = verdicts.iter().map(|verdict| &verdict["valid"]).collect();
    assert_eq!(valid, [true, false, true]);
    let report = body(&server.post(PROOFS, of_proofs(&[PROOF]).to_string()).await);
    assert_eq!(report["valid"], true);
}

#[tokio::test]
async fn what_is_malformed_in_a_batch_of_proofs_is_named_by_its_place() {
    let server = server().await;
    let mut batch = of_proofs(&[PROOF, PROOF]);
    batch["proofs"][1]["proof"] = "not base64".into();
    let reply = server.post(PROOFS, batch.to_string()).await;
    assert_eq!(reply.code(), "proof.encoding");
    assert_eq!(reply.problem()["path"], "/proofs/1/proof");
    let mut batch = of_proofs(&[PROOF, PROOF]);
    batch["proofs"][0]["public_inputs"]["root"] = "0x7".into();
    let reply = server.post(PROOFS, batch.to_string()).await;
    assert_eq!(reply.code(), "public_inputs.encoding");
    assert_eq!(reply.problem()["path"], "/proofs/0/public_inputs/root/0");
}

#[tokio::test]
async fn a_key_of_what_is_named_by_its_content_is_only_looked_at_for_its_form() {
    let server = server().await;
    let circuit = r#"{"plugin":"merkle","params":{}}"#;
    for (path, kind, body) in [
        ("/api/v1/circuits", "application/json", circuit),
        ("/api/v1/plugins", "application/wasm", "a component"),
    ] {
        let keyed = |key: &str| format!("content-type: {kind}\r\nidempotency-key: {key}\r\n");
        let first = server.post_as(path, &keyed("a"), body).await;
        let again = server.post_as(path, &keyed("b"), body).await;
        assert_eq!(first.header("location"), again.header("location"), "{path}");
        let refused = server.post_as(path, &keyed(""), body).await;
        assert_eq!(refused.code(), "request.idempotency_key", "{path}");
    }
}
