//! What workers send is checked: each refusal names the field.

use aureole_api::internal::v1;
use tonic::Code;

use crate::kit::{Client, Node, attempt};

async fn refused_join(client: &mut Client, change: impl FnOnce(&mut v1::JoinRequest)) -> String {
    let mut request = v1::JoinRequest {
        worker_id: "w".to_owned(),
        slots: 1,
        ..v1::JoinRequest::default()
    };
    change(&mut request);
    let status = client.join(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    status.message().to_owned()
}

#[tokio::test]
async fn a_join_must_name_a_worker_with_slots() {
    let node = Node::new().await;
    let mut client = node.client();
    let message = refused_join(&mut client, |request| request.worker_id = "a b".to_owned()).await;
    assert!(message.contains("worker_id"), "{message}");
    for slots in [0, 257] {
        let message = refused_join(&mut client, |request| request.slots = slots).await;
        assert!(
            message.contains("slots") && message.contains("1 to 256"),
            "{message}"
        );
    }
    let many = vec![attempt(1, 1); 513];
    let message = refused_join(&mut client, |request| request.running = many).await;
    assert!(
        message.contains("513 attempts, the limit is 512"),
        "{message}"
    );
    let short = v1::AttemptId {
        task_id: vec![1, 2],
        attempt: 1,
    };
    let message = refused_join(&mut client, |request| request.running = vec![short]).await;
    assert!(message.contains("attempt.task_id: 2 bytes"), "{message}");
    assert!(node.coordinator.workers().is_empty());
}

#[tokio::test]
async fn a_report_must_be_whole() {
    let node = Node::new().await;
    let mut client = node.client();
    let worker_id = "w".to_owned();
    let report = v1::ProgressRequest {
        worker_id: worker_id.clone(),
        attempt: None,
        stage: 4,
    };
    let status = client.progress(report).await.unwrap_err();
    assert!(
        status.message().contains("attempt: it is missing"),
        "{status}"
    );
    let report = v1::ProgressRequest {
        worker_id,
        attempt: Some(attempt(1, 1)),
        stage: 99,
    };
    let status = client.progress(report).await.unwrap_err();
    assert!(status.message().contains("stage: 99"), "{status}");
}

#[tokio::test]
async fn a_result_must_be_whole() {
    let node = Node::new().await;
    let mut client = node.client();
    let good = v1::CompleteRequest {
        worker_id: "w".to_owned(),
        attempt: Some(attempt(1, 1)),
        timings: Vec::new(),
        result: Some(crate::kit::proved(
            &aureole_ledger::Digest::of(b"p"),
            &aureole_ledger::Digest::of(b"i"),
        )),
        ..v1::CompleteRequest::default()
    };
    let timing = v1::StageTiming {
        stage: v1::Stage::Prove.into(),
        micros: 1,
    };
    let short = v1::complete_request::Result::Proved(v1::Proved::default());
    let cases = [
        (
            "result: it is missing",
            v1::CompleteRequest {
                result: None,
                ..good.clone()
            },
        ),
        (
            "proof: 0 bytes",
            v1::CompleteRequest {
                result: Some(short),
                ..good.clone()
            },
        ),
        (
            "timings: 17",
            v1::CompleteRequest {
                timings: vec![timing; 17],
                ..good.clone()
            },
        ),
        (
            "attempt: it is missing",
            v1::CompleteRequest {
                attempt: None,
                ..good.clone()
            },
        ),
    ];
    for (expected, request) in cases {
        let status = client.complete(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains(expected), "{status}");
    }
    let refused = client
        .complete(good)
        .await
        .unwrap()
        .into_inner()
        .refused
        .unwrap();
    assert_eq!(refused.code, "task.unknown");
}

#[tokio::test]
async fn a_failure_must_say_why() {
    let node = Node::new().await;
    let mut client = node.client();
    let without = v1::FailRequest {
        worker_id: "w".to_owned(),
        attempt: Some(attempt(1, 1)),
        problem: None,
        retryable: true,
    };
    let status = client.fail(without.clone()).await.unwrap_err();
    assert!(
        status.message().contains("problem: it is missing"),
        "{status}"
    );
    let empty = v1::FailRequest {
        problem: Some(v1::Problem::default()),
        ..without
    };
    let status = client.fail(empty).await.unwrap_err();
    assert!(
        status.message().contains("problem.code: it is empty"),
        "{status}"
    );
}

#[tokio::test]
async fn a_stopped_coordinator_is_unavailable() {
    let node = Node::new().await;
    let mut client = node.client();
    node.coordinator.shutdown().await;
    let join = v1::JoinRequest {
        worker_id: "w".to_owned(),
        slots: 1,
        ..Default::default()
    };
    let request = v1::FailRequest {
        worker_id: "w".to_owned(),
        attempt: Some(attempt(1, 1)),
        problem: Some(v1::Problem {
            code: "x".to_owned(),
            ..v1::Problem::default()
        }),
        retryable: true,
    };
    assert_eq!(
        client.fail(request).await.unwrap_err().code(),
        Code::Unavailable
    );
    assert_eq!(
        client.join(join).await.unwrap_err().code(),
        Code::Unavailable
    );
}
