//! Which calls are made again, when, and what they carry.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

use std::time::{Duration, Instant};

use aureole_client::{Client, Error, Retries, rest::TaskRequest};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

const TASK: &str = "tsk_0000000000000000000000000000000d";

/// A server that gives each connection the next answer (an empty one breaks off), and keeps the
/// heads of the requests.
async fn script(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut heads = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                assert!(stream.read_buf(&mut head).await.unwrap() > 0);
            }
            heads.push(String::from_utf8_lossy(&head).into_owned());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        heads
    });
    (base, server)
}

fn answer(status: u16, fields: &str, body: &serde_json::Value) -> String {
    let kind = if status < 400 { "json" } else { "problem+json" };
    let body = body.to_string();
    format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/{kind}\r\nconnection: close\r\n{fields}\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn busy(fields: &str) -> String {
    answer(503, fields, &json!({"code": "node.busy", "status": 503}))
}

fn task(state: &str) -> String {
    let at = "2026-01-31T12:00:00.000Z";
    let task = json!({"id": TASK, "kind": "prove", "state": state, "priority": 5,
        "submitted_at": at, "attempts": []});
    answer(200, "", &task)
}

fn quick() -> Retries {
    Retries {
        most: 3,
        first: Duration::from_millis(5),
        longest: Duration::from_millis(20),
        within: Duration::from_secs(20),
    }
}

fn client(base: &str) -> Client {
    let builder = Client::builder(base).key("aur_secret");
    builder.retries(quick()).build().unwrap()
}

/// The value of a header.
fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    })
}

#[tokio::test]
async fn a_read_is_made_again_and_carries_the_key_each_time() {
    let list = answer(200, "", &json!({"plugins": []}));
    let (base, server) = script(vec![busy(""), String::new(), list]).await;
    client(&base).plugins().await.unwrap();
    let heads = server.await.unwrap();
    assert_eq!(heads.len(), 3);
    for head in &heads {
        assert_eq!(field(head, "authorization"), Some("Bearer aur_secret"));
    }
}

#[tokio::test]
async fn a_submission_is_made_again_under_one_key() {
    let (base, server) = script(vec![String::new(), busy(""), task("queued")]).await;
    let client = client(&base);
    client.submit_to("merkle", &json!({})).await.unwrap();
    let heads = server.await.unwrap();
    let keys: Vec<_> = heads
        .iter()
        .map(|head| field(head, "idempotency-key"))
        .collect();
    assert_eq!(keys[0].unwrap().len(), 32);
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

#[tokio::test]
async fn two_submissions_have_two_keys_unless_the_caller_gives_one() {
    let (base, server) = script(vec![task("queued"); 4]).await;
    let client = client(&base);
    let request = TaskRequest::default();
    for _ in 0..2 {
        client.submit(&request).await.unwrap();
    }
    for _ in 0..2 {
        client.submit_once("order-7", &request).await.unwrap();
    }
    let heads = server.await.unwrap();
    let key = |at: usize| field(&heads[at], "idempotency-key");
    assert_ne!(key(0), key(1));
    assert_eq!([key(2), key(3)], [Some("order-7"); 2]);
}

#[tokio::test]
async fn without_a_key_a_submission_that_may_have_arrived_is_not_made_again() {
    let (base, server) = script(vec![String::new()]).await;
    let client = Client::new(&base).unwrap();
    let error = client.submit_to("merkle", &json!({})).await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    let heads = server.await.unwrap();
    assert_eq!(field(&heads[0], "idempotency-key"), None);
    assert_eq!(field(&heads[0], "authorization"), None);
}

#[tokio::test]
async fn a_refusal_is_not_asked_again() {
    let unknown = answer(404, "", &json!({"code": "task.unknown", "status": 404}));
    let (base, server) = script(vec![unknown]).await;
    let error = client(&base).task(TASK, Duration::ZERO).await.unwrap_err();
    assert_eq!(error.code(), Some("task.unknown"));
    assert_eq!(server.await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_wait_that_a_node_asks_for_is_kept() {
    let limited = json!({"code": "node.busy", "status": 429});
    let limited = answer(429, "retry-after: 1\r\n", &limited);
    let (base, _server) = script(vec![limited, task("queued")]).await;
    let retries = Retries {
        longest: Duration::from_secs(2),
        ..quick()
    };
    let client = Client::builder(&base).retries(retries).build().unwrap();
    let begun = Instant::now();
    client.task(TASK, Duration::ZERO).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_the_callers() {
    let (base, server) = script(vec![busy("retry-after: 3600\r\n")]).await;
    let error = client(&base).plugins().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(server.await.unwrap().len(), 1);
}

#[tokio::test]
async fn tries_end() {
    let (base, server) = script(vec![busy(""); 4]).await;
    let error = client(&base).plugins().await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert_eq!(server.await.unwrap().len(), 4, "once and three times more");
}

#[test]
fn a_key_that_no_header_holds_is_refused_and_a_good_one_is_not_shown() {
    let built = Client::builder("http://a").key("aur_\n").build();
    assert!(matches!(built, Err(Error::Key)));
    let builder = Client::builder("http://a").key("aur_secret");
    assert!(!format!("{builder:?}").contains("secret"));
    let client = builder.build().unwrap();
    assert!(!format!("{client:?}").contains("aur_secret"));
}
