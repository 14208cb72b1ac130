//! Webhooks on the wire.

use aureole_client::rest::{DeliveryState, EventKind, WebhookRequest};
use aureole_client::{Client, Retries};
use serde_json::json;

use crate::{
    house::{DONE, KEY, WEBHOOK},
    wire::server,
};

fn request(events: Option<Vec<EventKind>>) -> WebhookRequest {
    WebhookRequest {
        url: "https://hooks.example/".to_owned(),
        events,
        public_inputs: true,
    }
}

#[tokio::test]
async fn a_webhook_is_made_shown_tried_replayed_and_ended() {
    let server = server().await;
    let client = &server.client;
    let made = client
        .create_webhook(&request(Some(vec![EventKind::Done])))
        .await
        .unwrap();
    assert_eq!(made.id, WEBHOOK);
    assert!(made.secret.unwrap().starts_with("whsec_"));
    let shown = client.webhook(WEBHOOK).await.unwrap();
    assert_eq!((shown.secret, shown.public_inputs), (None, true));
    assert_eq!(client.webhooks().await.unwrap().webhooks.len(), 1);
    let tried = client.test_webhook(WEBHOOK).await.unwrap();
    assert_eq!(tried.failure.as_deref(), Some("timeout"));
    assert!(!client.deliveries(WEBHOOK).await.unwrap().more);
    let again = client.replay(WEBHOOK, DONE).await.unwrap();
    assert_eq!(
        (again.task.as_str(), again.state),
        (DONE, DeliveryState::Pending)
    );
    client.delete_webhook(WEBHOOK).await.unwrap();
    let error = client.webhook(WEBHOOK).await.unwrap_err();
    assert_eq!(error.code(), Some("webhook.unknown"));
}

#[tokio::test]
async fn every_event_is_meant_unless_some_are_named_and_none_is_refused() {
    let server = server().await;
    server.client.create_webhook(&request(None)).await.unwrap();
    let error = server
        .client
        .create_webhook(&request(Some(Vec::new())))
        .await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), Some("webhook.events"));
    assert_eq!(error.problem().unwrap().path(), Some("/events"));
    let facts = server.house.until(|_| true).await;
    assert_eq!(facts.new_webhooks.len(), 1);
    assert_eq!(facts.new_webhooks[0].events, EventKind::ALL);
    assert_eq!(facts.new_webhooks[0].idempotency_key, None);
}

#[tokio::test]
async fn a_client_that_makes_calls_again_names_each_webhook_it_asks_for() {
    let server = server().await;
    let client = Client::builder(server.client.base()).retries(Retries::default());
    let client = client.key(KEY).build().unwrap();
    client.create_webhook(&request(None)).await.unwrap();
    let facts = server.house.until(|_| true).await;
    let key = facts.new_webhooks[0].idempotency_key.as_ref();
    assert_eq!(key.unwrap().len(), 32);
}

#[tokio::test]
async fn the_answers_of_webhooks_have_their_status_and_place() {
    let server = server().await;
    let body = json!({"url": "https://hooks.example/"}).to_string();
    let made = server.post("/api/v1/webhooks", body).await;
    assert_eq!(made.status, 201);
    let head = made.head.to_lowercase();
    assert!(head.contains(&format!("location: /api/v1/webhooks/{WEBHOOK}")));
    assert!(head.contains("cache-control: no-store"));
    let path = format!("/api/v1/webhooks/{WEBHOOK}");
    let replayed = server
        .post(&format!("{path}/deliveries/{DONE}/replay"), "{}")
        .await;
    assert_eq!(replayed.status, 202);
    let ended = server.ask("DELETE", &path).await;
    assert_eq!((ended.status, ended.body.as_str()), (204, ""));
    assert_eq!(server.ask("DELETE", &path).await.status, 404);
}

#[tokio::test]
async fn what_is_no_webhook_is_refused_by_name() {
    let server = server().await;
    for path in ["whk_0", "tsk_0000000000000000000000000000000d"] {
        let refused = server.ask("GET", &format!("/api/v1/webhooks/{path}")).await;
        assert_eq!(refused.status, 400, "{path}");
        assert!(refused.body.contains("request.id"), "{}", refused.body);
    }
    for body in [
        "{}",
        r#"{"url":"a","secret":"b"}"#,
        r#"{"url":"a","events":["task.begun"]}"#,
    ] {
        let refused = server.post("/api/v1/webhooks", body).await;
        assert_eq!(refused.status, 422, "{body}: {}", refused.body);
    }
    let replay = format!("/api/v1/webhooks/{WEBHOOK}/deliveries/x/replay");
    assert_eq!(server.post(&replay, "{}").await.status, 400);
}
