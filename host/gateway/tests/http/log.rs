//! The log, verifying keys and workers over HTTP.

use aureole_client::rest::LogProof;
use serde_json::{Value, json};

use crate::{
    house::{CIRCUIT, DONE},
    wire::{Reply, server},
};

#[tokio::test]
async fn the_log_is_laid_out_as_tlog_tiles_has_it() {
    let server = server().await;
    let tile = server.ask("GET", "/api/v1/log/tile/0/x001/234.p/5").await;
    assert_eq!(tile.status, 200);
    assert_eq!(tile.body, "Tile(\"tile/0/x001/234.p/5\")");
    let cached = tile.header("cache-control").unwrap();
    assert!(cached.contains("immutable"), "{cached}");
    let unknown = server.ask("GET", "/api/v1/log/tile/0/000").await;
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "log.tile"));
    for (path, body) in [("checkpoint", "Checkpoint"), ("key", "Key")] {
        let text = server.ask("GET", &format!("/api/v1/log/{path}")).await;
        assert_eq!((text.status, text.body.as_str()), (200, body));
        let kind = text.header("content-type").unwrap();
        assert!(kind.starts_with("text/plain"), "{kind}");
    }
    let key = server.client.log_key().await.unwrap();
    assert_eq!(&key[..], b"Key");
    let tile = server.client.log_tile("tile/0/x001/234.p/5").await.unwrap();
    assert!(tile.is_some());
    assert_eq!(server.client.log_tile("tile/9").await.unwrap(), None);
}

#[tokio::test]
async fn proofs_about_the_log_are_asked_for_by_number() {
    let server = server().await;
    let inclusion = server.ask("GET", "/api/v1/log/inclusion?index=7").await;
    let of = |reply: &Reply| {
        let proof: LogProof = serde_json::from_str(&reply.body).unwrap();
        (proof.of, proof.size)
    };
    assert_eq!(of(&inclusion), (7, 10));
    let consistency = server
        .ask("GET", "/api/v1/log/consistency?from=3&to=9")
        .await;
    assert_eq!(of(&consistency), (3, 9));
    assert_eq!(consistency.header("content-type"), Some("application/json"));
    for bad in [
        "inclusion",
        "inclusion?index=-1",
        "inclusion?index=1e3",
        "inclusion?index=99999999999999999999999",
        "inclusion?index=1&index=2",
        "consistency?from=1&to=x",
        "consistency?from=1&more=2",
    ] {
        let refused = server.ask("GET", &format!("/api/v1/log/{bad}")).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (422, "request.query"),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_receipt_is_kept_by_nobody_on_the_way() {
    let server = server().await;
    let receipt = server
        .ask("GET", &format!("/api/v1/tasks/{DONE}/receipt"))
        .await;
    assert_eq!(receipt.header("cache-control"), Some("no-store"));
    let document = server.client.receipt(DONE).await.unwrap();
    assert_eq!(document["task"], Value::from(DONE));
}

#[tokio::test]
async fn a_key_is_published_shown_and_revoked() {
    let server = server().await;
    let client = &server.client;
    let published = client.publish_verifying_key("votes", CIRCUIT).await;
    assert_eq!(published.unwrap().versions[0].circuit, CIRCUIT);
    assert_eq!(client.verifying_keys().await.unwrap().keys.len(), 1);
    assert_eq!(client.verifying_key("votes").await.unwrap().name, "votes");
    let unknown = server.ask("GET", "/api/v1/verifying-keys/none").await;
    assert_eq!(
        (unknown.status, unknown.code().as_str()),
        (404, "verifying_key.unknown")
    );
    let key = client.circuit_key(CIRCUIT).await.unwrap();
    assert_eq!((key.names, key.revoked), (vec!["votes@1".to_owned()], None));
    let revoked = client.revoke_verifying_key(CIRCUIT, "a bug").await.unwrap();
    assert_eq!(revoked.revoked.unwrap().reason, "a bug");
    let path = format!("/api/v1/circuits/{CIRCUIT}/revocation");
    let missing = server.post(&path, "{}").await;
    assert_eq!(missing.status, 422, "{}", missing.body);
    let more = json!({"reason": "a bug", "quietly": true}).to_string();
    assert_eq!(server.post(&path, more).await.status, 422);
}

#[tokio::test]
async fn workers_are_listed_and_trusted_again() {
    let server = server().await;
    let listed = server.client.workers().await.unwrap();
    assert_eq!(listed.workers[0].name, "w-1");
    let trusted = server.client.trust_worker("w-2").await.unwrap();
    assert_eq!(trusted.workers[0].name, "w-2");
    let bad = server
        .ask("DELETE", "/api/v1/workers/a%20b/quarantine")
        .await;
    assert_eq!((bad.status, bad.code().as_str()), (400, "request.id"));
}
