//! Submitting, waiting, listing, cancelling, downloading.

use std::time::Duration;

use aureole_client::{
    Error, TaskQuery,
    rest::{Stage, TaskRequest, TaskState, Wait},
};
use aureole_gateway::{Sort, Target};
use serde_json::{Value, json};

use crate::{
    house::{AUTH, CIRCUIT, CIRCUIT_BYTES, DONE, PROOF, done, failed},
    wire::server,
};

const LONG: Duration = Duration::from_secs(15);
const FIRST: &str = "tsk_00000000000000000000000000000001";

fn asked() -> TaskRequest {
    TaskRequest {
        plugin: Some("merkle".parse().unwrap()),
        params: Some(json!({"depth": 3})),
        input: json!({"leaves": []}),
        priority: Some(9),
        ..TaskRequest::default()
    }
}

#[tokio::test]
async fn a_task_is_accepted_as_it_was_asked_for() {
    let server = server().await;
    let task = server.client.submit(&asked()).await.unwrap();
    assert_eq!((task.id.as_str(), task.state), (FIRST, TaskState::Queued));
    let by_circuit = TaskRequest {
        circuit: Some(CIRCUIT.to_owned()),
        input: Value::Null,
        ..TaskRequest::default()
    };
    server.client.submit(&by_circuit).await.unwrap();
    let facts = server.house.0.borrow().clone();
    let [first, second] = facts.submissions.as_slice() else {
        panic!("{facts:?}")
    };
    assert_eq!((first.priority.level(), second.priority.level()), (9, 5));
    assert!(
        matches!(&first.target, Target::Plugin { params: Some(params), .. } if *params == json!({"depth": 3}))
    );
    assert_eq!(second.target, Target::Circuit(CIRCUIT.parse().unwrap()));
}

#[tokio::test]
async fn a_task_answers_202_with_the_place_to_look_for_it() {
    let server = server().await;
    let reply = server
        .post("/api/v1/tasks", serde_json::to_vec(&asked()).unwrap())
        .await;
    assert_eq!(reply.status, 202);
    assert_eq!(
        reply.header("location"),
        Some(format!("/api/v1/tasks/{FIRST}").as_str())
    );
}

#[tokio::test]
async fn a_task_names_one_target_and_a_priority_in_range() {
    let server = server().await;
    for (body, code, path) in [
        (json!({"input": 1}), "task.target", None),
        (
            json!({"input": 1, "circuit": CIRCUIT, "plugin": "a"}),
            "task.target",
            Some("/plugin"),
        ),
        (
            json!({"input": 1, "circuit": CIRCUIT, "params": {}}),
            "task.target",
            Some("/params"),
        ),
        (
            json!({"input": 1, "circuit": "cir_x"}),
            "request.id",
            Some("/circuit"),
        ),
        (
            json!({"input": 1, "plugin": "a", "priority": 10}),
            "task.priority",
            Some("/priority"),
        ),
        (
            json!({"input": 1, "plugin": "a", "priority": -1}),
            "json.type",
            Some("/priority"),
        ),
        (
            json!({"input": 1, "plugin": "A"}),
            "json.type",
            Some("/plugin"),
        ),
        (
            json!({"input": 1, "plugin": "a", "deadline": "tomorrow"}),
            "json.type",
            Some("/deadline"),
        ),
        (
            json!({"input": 1, "plugin": "a", "deadline": 10}),
            "json.type",
            Some("/deadline"),
        ),
    ] {
        let reply = server.post("/api/v1/tasks", body.to_string()).await;
        assert_eq!(reply.code(), code, "{body}");
        assert_eq!(reply.problem()["path"].as_str(), path, "{body}");
    }
}

#[tokio::test]
async fn an_input_that_is_refused_at_once_leaves_no_task() {
    let server = server().await;
    let error = server
        .client
        .submit_to("merkle", &json!({"refuse": 300}))
        .await
        .unwrap_err();
    let problem = error.problem().unwrap();
    assert_eq!(
        (problem.code(), problem.path()),
        ("input.schema", Some("/refuse"))
    );
    assert!(server.house.0.borrow().submissions.is_empty());
}

#[tokio::test]
async fn the_named_route_takes_the_input_itself_and_answers_the_proof() {
    let server = server().await;
    let post = server.post("/api/v1/tasks/merkle", r#"{"leaves":[],"leaf_index":0}"#);
    let finish = async {
        server.house.until(|facts| facts.waits == 1).await;
        server.house.change(|facts| {
            let task = facts.tasks.remove(FIRST).unwrap();
            facts.tasks.insert(FIRST.to_owned(), done(task));
        });
    };
    let (reply, ()) = tokio::join!(post, finish);
    assert_eq!(reply.status, 200);
    let task: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(task["proof"]["url"], format!("/api/v1/tasks/{FIRST}/proof"));
    let facts = server.house.0.borrow().clone();
    assert_eq!(
        facts.submissions[0].input,
        json!({"leaves": [], "leaf_index": 0})
    );
}

#[tokio::test]
async fn a_submission_that_fails_while_waited_for_answers_its_problem() {
    let server = server().await;
    let post = server.post("/api/v1/tasks/merkle?wait=15s", "{}");
    let fail = async {
        server.house.until(|facts| facts.waits == 1).await;
        server.house.change(|facts| {
            let task = facts.tasks.remove(FIRST).unwrap();
            facts.tasks.insert(FIRST.to_owned(), failed(task));
        });
    };
    let (reply, ()) = tokio::join!(post, fail);
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (422, "witness.unsatisfied")
    );
    assert_eq!(reply.problem()["task"], FIRST);
    let shown = server.client.task(FIRST, Duration::ZERO).await.unwrap();
    assert_eq!(shown.error.unwrap().code(), "witness.unsatisfied");
}

#[tokio::test]
async fn a_wait_ends_with_the_state_of_that_moment() {
    let server = server().await;
    let reply = server.post("/api/v1/tasks/merkle?wait=1ms", "{}").await;
    assert_eq!(reply.status, 202);
    let task = server
        .client
        .task(FIRST, Duration::from_millis(1))
        .await
        .unwrap();
    assert_eq!(task.state, TaskState::Queued);
}

#[tokio::test]
async fn an_idempotency_key_reaches_the_platform_and_a_malformed_one_does_not() {
    let server = server().await;
    let json = "content-type: application/json\r\n";
    let body = r#"{"plugin":"merkle","input":1}"#;
    let keyed = format!("{json}idempotency-key: order-7\r\n");
    assert_eq!(
        server.post_as("/api/v1/tasks", &keyed, body).await.status,
        202
    );
    let key = server.house.0.borrow().submissions[0]
        .idempotency_key
        .clone();
    assert_eq!(key.as_deref(), Some("order-7"));
    let long = "k".repeat(129);
    for key in [
        "",
        "two words",
        long.as_str(),
        "a\r\nidempotency-key: b",
        "é",
    ] {
        let headers = format!("{json}idempotency-key: {key}\r\n");
        let reply = server.post_as("/api/v1/tasks", &headers, body).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (422, "request.idempotency_key")
        );
    }
    assert_eq!(server.house.0.borrow().submissions.len(), 1);
}

#[tokio::test]
async fn tasks_are_listed_by_state_plugin_and_page() {
    let server = server().await;
    let query = TaskQuery {
        state: Some(TaskState::Done),
        plugin: Some("merkle@0.1.0".to_owned()),
        before: Some("00ff.1".to_owned()),
        limit: Some(7),
        ..TaskQuery::default()
    };
    let page = server.client.tasks(&query).await.unwrap();
    assert_eq!(
        (page.tasks.len(), page.next.as_deref()),
        (1, Some("00ff.1"))
    );
    server.client.tasks(&TaskQuery::default()).await.unwrap();
    let filters = server.house.0.borrow().filters.clone();
    assert_eq!(filters[0].state, Some(TaskState::Done));
    assert_eq!(filters[0].plugin, Some("merkle@0.1.0".parse().unwrap()));
    assert_eq!(
        (filters[0].before.as_deref(), filters[0].limit),
        (Some("00ff.1"), 7)
    );
    assert_eq!((filters[1].state, filters[1].limit), (None, 50));
}

#[tokio::test]
async fn a_list_is_narrowed_by_circuit_and_time_and_sorted_either_way() {
    let server = server().await;
    let path = format!(
        "/api/v1/tasks?circuit={CIRCUIT}&since=2026-01-31T12:00:00Z&until=2026-02-01T00:00:00.5Z&sort=oldest"
    );
    assert_eq!(server.ask("GET", &path).await.status, 200);
    let filters = server.house.0.borrow().filters.clone();
    let filter = &filters[0];
    assert_eq!(filter.circuit, Some(CIRCUIT.parse().unwrap()));
    assert_eq!(filter.since, Some(1_769_860_800_000));
    assert_eq!(filter.until, Some(1_769_904_000_500));
    assert_eq!(filter.sort, Sort::Oldest);
    for query in [
        "circuit=merkle",
        "circuit=",
        "since=yesterday",
        "until=2026-13-01T00:00:00Z",
        "sort=random",
        "sort=",
    ] {
        let reply = server.ask("GET", &format!("/api/v1/tasks?{query}")).await;
        assert_eq!(reply.code(), "request.query", "{query}");
    }
}

#[tokio::test]
async fn an_answer_is_known_again_by_its_tag() {
    let server = server().await;
    let uploaded = server
        .post_as(
            "/api/v1/plugins",
            "content-type: application/wasm\r\n",
            "a component",
        )
        .await;
    assert_eq!(uploaded.status, 201);
    let paths = [
        format!("/api/v1/tasks/{DONE}"),
        format!("/api/v1/circuits/{CIRCUIT}"),
        "/api/v1/plugins/merkle".to_owned(),
        "/api/v1/plugins/merkle/0.1.0".to_owned(),
    ];
    for path in paths {
        let tag = server
            .ask("GET", &path)
            .await
            .header("etag")
            .unwrap()
            .to_owned();
        let again = |tag: &str| {
            format!(
                "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{AUTH}if-none-match: {tag}\r\n\r\n"
            )
        };
        let same = server.raw(again(&tag)).await;
        assert_eq!((same.status, same.body.as_str()), (304, ""), "{path}");
        assert_eq!(same.header("etag"), Some(tag.as_str()));
        assert_eq!(server.raw(again("\"other\"")).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn what_is_done_to_another_state_than_was_seen_is_refused() {
    let server = server().await;
    server.client.submit(&asked()).await.unwrap();
    let path = format!("/api/v1/tasks/{FIRST}");
    let tag = server
        .ask("GET", &path)
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    let cancel = |tag: &str| {
        format!(
            "DELETE {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{AUTH}if-match: {tag}\r\n\r\n"
        )
    };
    server.house.change(|facts| {
        facts.tasks.get_mut(FIRST).unwrap().stage = Some(Stage::Prove);
    });
    let stale = server.raw(cancel(&tag)).await;
    assert_eq!(
        (stale.status, stale.code().as_str()),
        (412, "request.precondition")
    );
    assert_eq!(
        server.house.0.borrow().tasks[FIRST].state,
        TaskState::Queued
    );
    let fresh = server
        .ask("GET", &path)
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    assert_eq!(server.raw(cancel(&fresh)).await.status, 200);
    assert_eq!(server.raw(cancel("*")).await.status, 200);

    let uploaded = server
        .post_as(
            "/api/v1/plugins",
            "content-type: application/wasm\r\n",
            "a component",
        )
        .await;
    assert_eq!(uploaded.status, 201);
    let stale = format!(
        "DELETE /api/v1/plugins/merkle/0.1.0 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
         {AUTH}if-match: \"old\"\r\n\r\n"
    );
    assert_eq!(server.raw(stale).await.code(), "request.precondition");
}

#[tokio::test]
async fn a_cancel_can_be_repeated_and_comes_too_late_for_a_done_task() {
    let server = server().await;
    server.client.submit(&asked()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(
            server.client.cancel(FIRST).await.unwrap().state,
            TaskState::Cancelled
        );
    }
    let late = server.client.cancel(DONE).await.unwrap_err();
    assert_eq!(
        (
            late.problem().unwrap().code(),
            late.problem().unwrap().status()
        ),
        ("task.finished", 409)
    );
}

#[tokio::test]
async fn a_task_says_why_it_waits() {
    let server = server().await;
    server.client.submit(&asked()).await.unwrap();
    let told = server.client.explain(FIRST).await.unwrap();
    assert_eq!((told.task.as_str(), told.wait), (FIRST, Wait::Slot));
    assert_eq!(told.estimate.basis, "measured 12 times here");
    let unknown = format!("tsk_{}", "0".repeat(32));
    let problem = server.client.explain(&unknown).await.unwrap_err();
    assert_eq!(problem.problem().unwrap().code(), "task.unknown");
}

#[tokio::test]
async fn a_proof_is_downloaded_once_and_then_known_by_its_tag() {
    let server = server().await;
    let path = format!("/api/v1/tasks/{DONE}/proof");
    let first = server.ask("GET", &path).await;
    assert_eq!((first.status, first.body.as_bytes()), (200, PROOF));
    assert_eq!(
        first.header("content-type"),
        Some("application/octet-stream")
    );
    let tag = first.header("etag").unwrap();
    for known in [tag.to_owned(), format!("\"x\", W/{tag}"), "*".to_owned()] {
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: a\r\n{AUTH}if-none-match: {known}\r\nconnection: close\r\n\r\n"
        );
        let reply = server.raw(head).await;
        assert_eq!((reply.status, reply.body.as_str()), (304, ""), "{known}");
        assert_eq!(reply.header("etag"), Some(tag));
    }
    let stale = format!(
        "GET {path} HTTP/1.1\r\nhost: a\r\n{AUTH}if-none-match: \"x\"\r\nconnection: close\r\n\r\n"
    );
    assert_eq!(server.raw(stale).await.status, 200);
    server.client.submit(&asked()).await.unwrap();
    let early = server.client.proof(FIRST).await.unwrap_err();
    assert_eq!(early.problem().unwrap().code(), "task.not_done");
}

#[tokio::test]
async fn a_bundle_has_everything_that_verifying_takes() {
    let server = server().await;
    let bundle = server.client.bundle(DONE).await.unwrap();
    assert_eq!(bundle.proof, PROOF);
    assert_eq!(bundle.circuit_bytes, CIRCUIT_BYTES);
    assert_eq!(bundle.circuit.id, CIRCUIT);
    assert!(bundle.task.public_inputs.unwrap().contains_key("root"));
    server.client.submit(&asked()).await.unwrap();
    let early = server.client.bundle(FIRST).await.unwrap_err();
    assert!(
        matches!(
            early,
            Error::NoProof {
                state: TaskState::Queued,
                ..
            }
        ),
        "{early:?}"
    );
}

#[tokio::test]
async fn waiting_for_a_task_shows_each_stage_and_ends_with_it() {
    let server = server().await;
    server.client.submit(&asked()).await.unwrap();
    let house = std::sync::Arc::clone(&server.house);
    let mut stages = Vec::new();
    let task = server.client.wait_task(FIRST, LONG, |task| {
        stages.push((task.state, task.stage));
        house.change(|facts| {
            let task = facts.tasks.remove(FIRST).unwrap();
            let next = match task.stage {
                None => aureole_client::rest::Task {
                    state: TaskState::Running,
                    stage: Some(Stage::Prove),
                    ..task
                },
                Some(_) => done(aureole_client::rest::Task {
                    stage: None,
                    ..task
                }),
            };
            facts.tasks.insert(FIRST.to_owned(), next);
        });
    });
    assert_eq!(task.await.unwrap().state, TaskState::Done);
    let expected = [
        (TaskState::Queued, None),
        (TaskState::Running, Some(Stage::Prove)),
        (TaskState::Done, None),
    ];
    assert_eq!(stages, expected);
    server.client.submit(&asked()).await.unwrap();
    let second = FIRST.replace('1', "2");
    let error = server
        .client
        .wait_task(&second, Duration::from_millis(1), |_| {})
        .await;
    assert!(matches!(error, Err(Error::Unfinished { .. })), "{error:?}");
}

#[test]
fn a_submission_does_not_show_its_input_when_it_is_logged() {
    let submission = aureole_gateway::Submission {
        target: Target::Circuit(CIRCUIT.parse().unwrap()),
        input: json!({"secret": "0x1234"}),
        priority: Default::default(),
        deadline: None,
        idempotency_key: None,
    };
    let shown = format!("{submission:?}");
    assert!(
        shown.contains(CIRCUIT) && !shown.contains("1234"),
        "{shown}"
    );
}
