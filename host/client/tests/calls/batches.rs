//! Batches: their keys, and what of them is refused.

use aureole_client::Retries;
use aureole_client::rest::{ProofClaim, TaskRequest, VerifyBatchRequest};
use serde_json::json;

use crate::script::{document, refusal, script, serve, task};

#[tokio::test]
async fn a_batch_is_made_again_under_one_key_and_each_item_has_its_end() {
    let problem = json!({"code": "plugin.unknown", "status": 404, "detail": "no"});
    let report = json!({"items": [
        {"status": 202, "task": task("queued")},
        {"status": 404, "problem": problem},
    ]});
    let (builder, server) = serve(vec![refusal(503, "node.busy"), document(&report)]).await;
    let client = builder.retries(Retries::default()).build().unwrap();
    let told = client.submit_batch(vec![TaskRequest::default(); 2]).await;
    let items = told.unwrap().items;
    assert!(items[0].task.is_some() && items[0].problem.is_none());
    assert_eq!(items[1].problem.as_ref().unwrap().code(), "plugin.unknown");
    let asked = server.await.unwrap();
    assert_eq!(asked[0].line(), "POST /api/v1/tasks:batch");
    assert_eq!(asked[0].body()["tasks"].as_array().unwrap().len(), 2);
    let keys: Vec<_> = asked.iter().map(|a| a.field("idempotency-key")).collect();
    assert_eq!(keys[0].unwrap().len(), 32);
    assert_eq!(keys[0], keys[1]);
}

#[tokio::test]
async fn a_batch_without_a_key_that_may_have_arrived_is_not_made_again() {
    let (client, server) = script(vec![refusal(503, "node.busy")]).await;
    let refused = client.submit_batch(vec![TaskRequest::default()]).await;
    assert!(refused.unwrap_err().is_transient());
    let asked = server.await.unwrap();
    assert_eq!(asked[0].field("idempotency-key"), None);
}

#[tokio::test]
async fn a_batch_that_is_refused_whole_says_why() {
    let (client, server) = script(vec![refusal(422, "request.batch"); 2]).await;
    let refused = client.submit_batch_once("order-7", Vec::new()).await;
    assert_eq!(refused.unwrap_err().code(), Some("request.batch"));
    let request = VerifyBatchRequest {
        circuit: "cir_0000000000000000000000000000000c".to_owned(),
        proofs: Vec::new(),
    };
    let refused = client.verify_batch(&request).await;
    assert_eq!(refused.unwrap_err().code(), Some("request.batch"));
    let asked = server.await.unwrap();
    assert_eq!(asked[0].field("idempotency-key"), Some("order-7"));
}

#[tokio::test]
async fn each_proof_of_a_batch_has_its_verdict() {
    let report = json!({"valid": false, "verdicts": [
        {"valid": true}, {"valid": false, "reason": "the proof does not verify"},
    ]});
    let (client, server) = script(vec![document(&report)]).await;
    let claim = ProofClaim {
        public_inputs: std::collections::BTreeMap::new(),
        proof: "AAAA".to_owned(),
    };
    let request = VerifyBatchRequest {
        circuit: "cir_0000000000000000000000000000000c".to_owned(),
        proofs: vec![claim; 2],
    };
    let told = client.verify_batch(&request).await.unwrap();
    assert!(!told.valid && told.verdicts[0].valid && !told.verdicts[1].valid);
    let asked = server.await.unwrap();
    assert_eq!(asked[0].line(), "POST /api/v1/proofs/verify:batch");
}
