//! Server-sent events: what is told, to how many, and to whom not.

use std::time::{Duration, Instant};

use aureole_client::rest::{Stage, TaskState};
use aureole_gateway::{Config, limits};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    house::{AUTH, DONE, TOKEN, done, failed, task},
    wire::{PATIENCE, Server, server, server_with},
};

const FIRST: &str = "tsk_00000000000000000000000000000001";

/// A reader of one task's events.
struct Watcher {
    stream: TcpStream,
    text: String,
}

impl Watcher {
    async fn new(server: &Server, id: &str, headers: &str) -> Self {
        Self::with(server, id, &format!("{AUTH}{headers}")).await
    }

    /// With a credential among the headers.
    async fn with(server: &Server, id: &str, headers: &str) -> Self {
        let mut stream = server.connect().await;
        let head = format!("GET /api/v1/tasks/{id}/events HTTP/1.1\r\nhost: a\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let text = String::new();
        Self { stream, text }
    }

    /// Reads until the text has `wanted` so many times.
    async fn until(&mut self, wanted: &str, times: usize) -> &str {
        let read = async {
            let mut buffer = [0; 4096];
            while self.text.matches(wanted).count() < times {
                let count = self.stream.read(&mut buffer).await.unwrap();
                assert!(
                    count > 0,
                    "the stream ended before {wanted:?}: {}",
                    self.text
                );
                self.text
                    .push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        };
        timeout(PATIENCE, read).await.expect("nothing more came");
        &self.text
    }

    /// Reads to the last chunk.
    async fn to_the_end(mut self) -> String {
        self.until("\r\n0\r\n\r\n", 1).await;
        self.text
    }
}

/// The data of every event, in order.
fn told(text: &str) -> Vec<Value> {
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

async fn with_a_task(config: Config) -> Server {
    let server = server_with(config).await;
    server.house.change(|facts| {
        facts.tasks.insert(FIRST.to_owned(), task(FIRST));
    });
    server
}

fn run(server: &Server, stage: Stage) {
    server.house.change(|facts| {
        let task = facts.tasks.get_mut(FIRST).unwrap();
        (task.state, task.stage) = (TaskState::Running, Some(stage));
    });
}

fn finish(server: &Server) {
    server.house.change(|facts| {
        let ended = done(facts.tasks[FIRST].clone());
        facts.tasks.insert(FIRST.to_owned(), ended);
    });
}

#[tokio::test]
async fn the_end_of_a_task_is_told_at_once_although_a_stage_was_told_a_moment_before() {
    // On a busy machine any one of them may take long; if the end waited its turn, all would.
    let mut least = Duration::MAX;
    for _ in 0..20 {
        let server = with_a_task(Config::default()).await;
        let mut watcher = Watcher::new(&server, FIRST, "").await;
        watcher.until("event: task", 1).await;
        run(&server, Stage::Prove);
        watcher.until("event: task", 2).await;
        let ended = Instant::now();
        finish(&server);
        watcher.until("\"done\"", 1).await;
        least = least.min(ended.elapsed());
    }
    assert!(least < limits::EVENTS_APART / 2, "{least:?}");
}

#[tokio::test]
async fn every_stage_is_told_with_what_remains_until_the_task_has_ended() {
    let server = with_a_task(Config::default()).await;
    let mut watcher = Watcher::new(&server, FIRST, "").await;
    let head = watcher.until("event: task", 1).await.to_lowercase();
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    assert!(head.contains("cache-control: no-store"), "{head}");
    assert!(head.contains("x-request-id: "), "{head}");
    for (count, stage) in [Stage::Witness, Stage::Prove].into_iter().enumerate() {
        run(&server, stage);
        watcher.until("event: task", count + 2).await;
    }
    finish(&server);
    let text = watcher.to_the_end().await;
    let told = told(&text);
    let stages: Vec<&str> = told
        .iter()
        .map(|event| event["stage"].as_str().unwrap_or("-"))
        .collect();
    assert_eq!(stages, ["-", "witness", "prove", "prove"]);
    assert_eq!(told[0]["state"], "queued");
    assert_eq!(told[0]["ends_in_ms"], 950);
    assert_eq!(told[3]["state"], "done");
    assert!(told[3].get("ends_in_ms").is_none());
}

#[tokio::test]
async fn a_task_that_has_ended_is_told_once_and_a_reader_who_knows_is_sent_home() {
    let server = server().await;
    let text = Watcher::new(&server, DONE, "").await.to_the_end().await;
    assert_eq!(told(&text).len(), 1);
    let id = text
        .lines()
        .find_map(|line| line.strip_prefix("id: "))
        .unwrap();
    let headers = format!("last-event-id: {id}\r\nconnection: close\r\n");
    let mut again = Watcher::new(&server, DONE, &headers).await;
    assert!(again.until("\r\n\r\n", 1).await.starts_with("HTTP/1.1 204"));
    // Whatever is no id of ours means that the reader has nothing.
    let long = "x".repeat(1000);
    for garbage in ["x", "0.done.-.-", "%00", long.as_str()] {
        let headers = format!("last-event-id: {garbage}\r\n");
        let text = Watcher::new(&server, DONE, &headers)
            .await
            .to_the_end()
            .await;
        assert_eq!(told(&text).len(), 1, "{garbage}");
    }
}

#[tokio::test]
async fn a_reader_who_comes_back_is_not_told_again_what_it_has() {
    let server = with_a_task(Config::default()).await;
    run(&server, Stage::Prove);
    let mut first = Watcher::new(&server, FIRST, "").await;
    let text = first.until("\n\n", 1).await;
    let id = text
        .lines()
        .find_map(|line| line.strip_prefix("id: "))
        .unwrap();
    let headers = format!("last-event-id: {id}\r\n");
    drop(first.stream);
    let again = Watcher::new(&server, FIRST, &headers).await;
    server.house.until(|facts| facts.waits > 0).await;
    finish(&server);
    let text = again.to_the_end().await;
    let states: Vec<Value> = told(&text)
        .iter()
        .map(|event| event["state"].clone())
        .collect();
    assert_eq!(states, ["done"]);
}

#[tokio::test]
async fn silence_is_filled_with_comments_and_is_no_reason_to_close() {
    let short = Duration::from_millis(200);
    let config = Config {
        heartbeat: Duration::from_millis(20),
        head_timeout: short,
        flush_time_max: short,
        ..Config::default()
    };
    let server = with_a_task(config).await;
    let mut watcher = Watcher::new(&server, FIRST, "").await;
    watcher.until(": alive", 40).await;
    finish(&server);
    assert!(watcher.to_the_end().await.contains("\"done\""));
}

#[tokio::test]
async fn a_task_that_fails_says_why_and_one_that_is_unknown_is_no_stream() {
    let server = with_a_task(Config::default()).await;
    let watcher = Watcher::new(&server, FIRST, "").await;
    server.house.change(|facts| {
        let ended = failed(facts.tasks[FIRST].clone());
        facts.tasks.insert(FIRST.to_owned(), ended);
    });
    let text = watcher.to_the_end().await;
    let last = told(&text).pop().unwrap();
    assert_eq!(last["error"]["code"], "witness.unsatisfied");
    let nobody = server
        .ask(
            "GET",
            &format!("/api/v1/tasks/{}/events", FIRST.replace('1', "9")),
        )
        .await;
    assert_eq!(nobody.code(), "task.unknown");
    let malformed = server.ask("GET", "/api/v1/tasks/merkle/events").await;
    assert_eq!(malformed.code(), "request.id");
}

#[tokio::test]
async fn a_gateway_that_stops_says_so_to_who_watches() {
    let server = with_a_task(Config::default()).await;
    let mut watcher = Watcher::new(&server, FIRST, "").await;
    watcher.until("event: task", 1).await;
    server.stop.cancel();
    assert!(watcher.to_the_end().await.contains("event: stopping"));
    timeout(PATIENCE, server.running).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_thousand_watch_one_task_by_one_question_and_one_more_place_is_refused() {
    let config = Config {
        connections_max: 2048,
        watchers_max: 1000,
        ..Config::default()
    };
    let server = with_a_task(config).await;
    let mut watchers = Vec::new();
    for _ in 0..1000 {
        watchers.push(Watcher::new(&server, FIRST, "").await);
    }
    for watcher in &mut watchers {
        watcher.until("event: task", 1).await;
    }
    let path = format!("/api/v1/tasks/{FIRST}/events");
    assert_eq!(server.ask("GET", &path).await.code(), "node.busy");
    // One keeper asks for all of them, again every few seconds.
    assert!(server.house.0.borrow().waits < 10);
    finish(&server);
    for watcher in watchers {
        assert!(watcher.to_the_end().await.contains("\"done\""));
    }
    // Every place is free again.
    let again = Watcher::new(&server, FIRST, "").await;
    assert!(again.to_the_end().await.contains("\"done\""));
}

#[tokio::test]
async fn who_watches_with_a_token_has_to_come_again_with_a_fresh_one() {
    let server = with_a_task(Config {
        token_watch_max: Duration::from_millis(500),
        ..Config::default()
    })
    .await;
    let token = format!("authorization: Bearer {TOKEN}\r\n");
    let watcher = Watcher::with(&server, FIRST, &token).await;
    let text = watcher.to_the_end().await;
    assert!(text.contains("event: task"), "{text}");
    assert!(text.contains("event: stopping"), "{text}");
}
