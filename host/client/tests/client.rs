//! The client before answers that no Aureole node gives, and before one that comes and goes.
//! What a real gateway answers is tested with the gateway, through this client.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

use std::{error::Error as _, time::Duration};

use aureole_client::{Client, Error, rest::TaskState};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

const TASK: &str = "tsk_0000000000000000000000000000000d";
const CIRCUIT: &str = "cir_0000000000000000000000000000000c";

/// A server that gives each connection the next answer, and keeps the request lines.
async fn script(answers: Vec<String>) -> (Client, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let server = tokio::spawn(async move {
        let mut lines = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                assert!(stream.read_buf(&mut head).await.unwrap() > 0);
            }
            let head = String::from_utf8(head).unwrap();
            lines.push(head.lines().next().unwrap().to_owned());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        lines
    });
    (client, server)
}

fn answer(status: u16, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\nconnection: close\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
}

fn json_answer(body: &Value) -> String {
    answer(200, "application/json", &body.to_string())
}

fn task(state: TaskState) -> Value {
    json!({
        "id": TASK, "kind": "prove", "state": state, "priority": 5, "circuit": CIRCUIT,
        "submitted_at": "2026-01-31T12:00:00.000Z", "attempts": [], "novel": "field",
    })
}

fn busy() -> String {
    let body = json!({"code": "node.starting", "status": 503, "detail": "recovering"});
    answer(503, "application/problem+json", &body.to_string())
}

#[test]
fn only_a_plain_address_of_a_node_is_taken() {
    for base in [
        "http://localhost:8080",
        "http://10.0.0.1",
        "http://[::1]:8080/",
    ] {
        assert!(Client::new(base).unwrap().base().ends_with('/'), "{base}");
    }
    for base in [
        "",
        "localhost:8080",
        "ftp://localhost",
        "file:///etc",
        "http://",
        "http://a/api/v1",
        "http://a/?x",
        "http://a/#x",
    ] {
        let error = Client::new(base).unwrap_err();
        assert!(matches!(error, Error::Address { .. }), "{base}: {error}");
    }
}

#[tokio::test]
async fn a_node_that_is_away_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = Client::new(&format!("http://{address}"))
        .unwrap()
        .live()
        .await
        .unwrap_err();
    assert!(error.is_transient() && error.source().is_some());
    assert_eq!(
        error.to_string(),
        format!("no answer from http://{address}/")
    );
}

#[tokio::test]
async fn a_node_that_does_not_answer_is_given_up_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let client = Client::new(&base)
        .unwrap()
        .with_patience(Duration::from_millis(20));
    let error = client.plugins().await.unwrap_err();
    assert!(
        matches!(error, Error::Timeout { seconds: 0, .. }),
        "{error:?}"
    );
    assert!(error.is_transient());
}

#[tokio::test]
async fn an_answer_of_something_else_is_foreign() {
    for reply in [
        answer(200, "text/html", "<html>welcome to nginx"),
        answer(502, "text/html", "bad gateway"),
        answer(302, "text/html", ""),
        answer(404, "application/json", "{}"),
        answer(400, "application/problem+json", "not json"),
    ] {
        let (client, server) = script(vec![reply]).await;
        let error = client.plugins().await.unwrap_err();
        assert!(
            matches!(error, Error::Foreign { .. }) && !error.is_transient(),
            "{error:?}"
        );
        server.await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_larger_than_any_is_not_read() {
    let head = "HTTP/1.1 200 X\r\ncontent-length: 1000000000000\r\n\r\n";
    let (client, _server) = script(vec![head.to_owned()]).await;
    let error = client.proof(TASK).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn names_and_ids_cannot_leave_their_place_in_the_path() {
    let list = json!({"plugins": []});
    let (client, server) = script(vec![json_answer(&list); 4]).await;
    let _not_a_plugin = client.plugin("../tasks?x=1#y", Duration::ZERO).await;
    let _not_a_task = client.task("a/b", Duration::from_millis(1500)).await;
    let _not_a_plugin = client.plugin("merkle@1.0.0/../..", Duration::ZERO).await;
    let query = aureole_client::TaskQuery {
        before: Some("a&b=c".to_owned()),
        ..Default::default()
    };
    let _not_a_page = client.tasks(&query).await;
    let expected = [
        "GET /api/v1/plugins/..%2Ftasks%3Fx=1%23y?wait=0ms HTTP/1.1",
        "GET /api/v1/tasks/a%2Fb?wait=1500ms HTTP/1.1",
        "GET /api/v1/plugins/merkle/1.0.0%2F..%2F..?wait=0ms HTTP/1.1",
        "GET /api/v1/tasks?before=a%26b%3Dc HTTP/1.1",
    ];
    assert_eq!(server.await.unwrap(), expected);
}

#[tokio::test]
async fn waiting_goes_on_over_a_node_that_restarts() {
    let answers = vec![
        json_answer(&task(TaskState::Queued)),
        String::new(),
        busy(),
        json_answer(&task(TaskState::Done)),
    ];
    let (client, server) = script(answers).await;
    let mut states = Vec::new();
    let within = Duration::from_secs(20);
    let done = client
        .wait_task(TASK, within, |task| states.push(task.state))
        .await
        .unwrap();
    assert_eq!(done.state, TaskState::Done);
    assert_eq!(states, [TaskState::Queued, TaskState::Done]);
    assert_eq!(server.await.unwrap().len(), 4);
}

#[tokio::test]
async fn waiting_ends_at_once_with_a_refusal_and_in_time_with_a_node_that_stays_away() {
    let body = json!({"code": "task.unknown", "status": 404});
    let unknown = answer(404, "application/problem+json", &body.to_string());
    let (client, _server) = script(vec![unknown]).await;
    let error = client
        .wait_task(TASK, Duration::from_secs(20), |_| {})
        .await
        .unwrap_err();
    assert_eq!(error.problem().unwrap().code(), "task.unknown");
    let (client, _server) = script(vec![busy()]).await;
    let error = client
        .wait_task(TASK, Duration::ZERO, |_| {})
        .await
        .unwrap_err();
    assert_eq!(error.problem().unwrap().code(), "node.starting");
}

#[tokio::test]
async fn a_bundle_with_other_bytes_than_announced_is_refused() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let proof = json!({"digest": empty, "bytes": 0, "url": ""});
    let mut done = task(TaskState::Done);
    done["proof"] = proof;
    let circuit = json!({
        "id": CIRCUIT, "state": "ready", "component": empty, "params": {},
        "registered_at": "2026-01-31T12:00:00.000Z", "circuit_digest": empty,
    });
    let octets = "application/octet-stream";
    for (circuit_bytes, proof_bytes, what) in [("", "x", "proof"), ("x", "", "circuit")] {
        let answers = vec![
            json_answer(&done),
            json_answer(&circuit),
            answer(200, octets, circuit_bytes),
            answer(200, octets, proof_bytes),
        ];
        let (client, _server) = script(answers).await;
        let error = client.bundle(TASK).await.unwrap_err();
        assert!(
            matches!(error, Error::Digest { what: at, .. } if at == what),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_failed_task_has_no_bundle_but_a_reason() {
    let mut failed = task(TaskState::Failed);
    failed["error"] = json!({"code": "witness.unsatisfied", "status": 422, "detail": "row 3"});
    let (client, _server) = script(vec![json_answer(&failed)]).await;
    let error = client.bundle(TASK).await.unwrap_err();
    assert_eq!(error.problem().unwrap().code(), "witness.unsatisfied");
    assert!(
        matches!(
            error,
            Error::NoProof {
                state: TaskState::Failed,
                ..
            }
        ),
        "{error:?}"
    );
}
