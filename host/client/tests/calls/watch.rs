//! A task followed by events, over all that can become of them.

use std::time::Duration;

use aureole_client::rest::TaskEvent;
use aureole_client::{Client, Error};
use futures::StreamExt as _;
use serde_json::json;

use crate::script::{Reply, TASK, answer, document, refusal, script, serve, task};

const WITHIN: Duration = Duration::from_secs(20);

fn event(id: &str, state: &str, stage: Option<&str>) -> String {
    let data = json!({"task": TASK, "state": state, "stage": stage, "attempt": 1, "novel": 1});
    format!("id: {id}\nevent: task\ndata: {data}\n\n")
}

fn stream(text: &str) -> String {
    format!("HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{text}")
}

fn told(text: &str) -> Reply {
    Reply::Whole(stream(text))
}

async fn watched(client: &Client) -> Vec<Result<TaskEvent, Error>> {
    client.watch(TASK, WITHIN).collect().await
}

/// The states of a watch that came to its end.
async fn states(client: &Client) -> Vec<&'static str> {
    let seen = watched(client).await;
    seen.into_iter()
        .map(|event| event.unwrap().state.name())
        .collect()
}

#[tokio::test]
async fn a_stream_that_breaks_is_made_again_by_a_reader_that_names_what_it_has() {
    let prove = event("1.running.prove", "running", Some("prove"));
    let (client, server) = script(vec![
        told(&format!(
            ": alive\n\n{}",
            event("0.queued.-", "queued", None)
        )),
        told(&format!(
            "event: novel\ndata: 1\n\n{prove}event: stopping\ndata: {{}}\n\n"
        )),
        told("event: lagged\ndata: {\"missed\":3}\n\n"),
        told(&event("1.done.-", "done", None)),
    ])
    .await;
    assert_eq!(states(&client).await, ["queued", "running", "done"]);
    let asked = server.await.unwrap();
    let last: Vec<_> = asked.iter().map(|a| a.field("last-event-id")).collect();
    let prove = Some("1.running.prove");
    assert_eq!(last, [None, Some("0.queued.-"), prove, prove]);
    for asked in &asked {
        assert_eq!(asked.line(), format!("GET /api/v1/tasks/{TASK}/events"));
        assert_eq!(asked.field("accept"), Some("text/event-stream"));
    }
}

#[tokio::test]
async fn what_has_no_events_is_asked_instead() {
    for without in [
        refusal(404, "request.route"),
        refusal(405, "request.method"),
        answer(200, "", "text/html", "a page"),
    ] {
        let (client, server) = script(vec![
            without,
            document(&task("queued")),
            document(&task("queued")),
            document(&task("done")),
        ])
        .await;
        assert_eq!(states(&client).await, ["queued", "done"]);
        let asked = server.await.unwrap();
        let wanted = format!("GET /api/v1/tasks/{TASK}?wait=500ms");
        assert_eq!(asked[3].line(), wanted);
    }
}

#[tokio::test]
async fn a_node_without_a_place_for_one_more_watcher_is_asked_meanwhile() {
    let busy = refusal(503, "node.busy");
    let (client, server) = script(vec![
        busy.clone(),
        busy,
        document(&task("running")),
        document(&task("cancelled")),
    ])
    .await;
    assert_eq!(states(&client).await, ["running", "cancelled"]);
    assert_eq!(server.await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_given_up_for_questions() {
    let first = stream(&event("0.queued.-", "queued", None));
    let replies = vec![Reply::Held(first), document(&task("failed"))];
    let (builder, _server) = serve(replies).await;
    let client = builder.patience(Duration::from_millis(300)).build();
    assert_eq!(states(&client.unwrap()).await, ["queued", "failed"]);
}

#[tokio::test]
async fn a_reader_who_is_said_to_have_all_looks_for_itself() {
    let nothing = Reply::Whole("HTTP/1.1 204 X\r\nconnection: close\r\n\r\n".to_owned());
    let (client, _server) = script(vec![
        told(&event("1.running.verify", "running", Some("verify"))),
        nothing,
        document(&task("done")),
    ])
    .await;
    assert_eq!(states(&client).await, ["running", "done"]);
}

#[tokio::test]
async fn a_watch_ends_with_what_went_wrong() {
    let problem = json!({"code": "task.unknown", "status": 404, "detail": "no"});
    let problem = format!("event: problem\ndata: {problem}\n\n");
    for replies in [
        vec![refusal(404, "task.unknown")],
        vec![told(&problem)],
        vec![refusal(404, "request.route"), refusal(404, "task.unknown")],
    ] {
        let (client, _server) = script(replies).await;
        let mut seen = watched(&client).await;
        assert_eq!(seen.len(), 1, "{seen:?}");
        let error = seen.pop().unwrap().unwrap_err();
        assert_eq!(error.code(), Some("task.unknown"));
    }
    let (client, _server) = script(vec![told("event: task\ndata: no json\n\n")]).await;
    let error = watched(&client).await.pop().unwrap().unwrap_err();
    assert!(matches!(error, Error::Foreign { .. }), "{error:?}");
}

#[tokio::test]
async fn a_watch_that_takes_too_long_says_so_and_a_node_that_stays_away_is_named() {
    let first = stream(&event("0.queued.-", "queued", None));
    let (client, _server) = script(vec![Reply::Held(first)]).await;
    let within = Duration::from_millis(200);
    let mut seen: Vec<_> = client.watch(TASK, within).collect().await;
    let error = seen.pop().unwrap().unwrap_err();
    assert!(matches!(error, Error::Unfinished { .. }), "{error:?}");
    assert_eq!(seen.len(), 1);
    let (client, server) = script(Vec::new()).await;
    server.await.unwrap();
    let mut seen: Vec<_> = client.watch(TASK, within).collect().await;
    let error = seen.pop().unwrap().unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert!(seen.is_empty());
}
