//! Workers as the leader knows them: one process a name, what they have, and whom not to trust.

use std::time::Duration;

use aureole_api::internal::v1;
use aureole_ledger::{Command, Outcome, TaskPhase, codes};
use tonic::Code;

use crate::kit::{Client, LEASE, Node, PROOF, Worker, attempt_of, task_id};

fn request(instance: u8) -> v1::JoinRequest {
    v1::JoinRequest {
        worker_id: "w".to_owned(),
        slots: 1,
        instance: vec![instance; 16],
        ..v1::JoinRequest::default()
    }
}

async fn beat(client: &mut Client, instance: u8) -> Result<v1::HeartbeatReply, tonic::Status> {
    let beat = v1::HeartbeatRequest {
        worker_id: "w".to_owned(),
        instance: vec![instance; 16],
        ..v1::HeartbeatRequest::default()
    };
    client
        .heartbeat(beat)
        .await
        .map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_second_process_of_a_name_waits_until_the_first_falls_silent() {
    let node = Node::ready().await;
    let mut client = node.client();
    let first = client.join(request(1)).await.unwrap().into_inner();
    let refused = client.join(request(2)).await.unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists);
    assert!(refused.message().contains("id of its own"), "{refused}");
    node.clock.pass(Duration::from_secs(2));
    beat(&mut client, 1).await.unwrap();
    node.clock.pass(Duration::from_secs(2));
    assert!(client.join(request(2)).await.is_err(), "it was heard of");
    node.clock.pass(Duration::from_secs(1));
    let _second = client.join(request(2)).await.unwrap();
    let stale = beat(&mut client, 1).await.unwrap_err();
    assert_eq!(stale.code(), Code::FailedPrecondition);
    drop(first);
    assert_eq!(node.coordinator.workers().len(), 1);
}

#[tokio::test]
async fn a_process_that_ended_frees_its_name_at_once() {
    let node = Node::ready().await;
    let mut client = node.client();
    drop(client.join(request(1)).await.unwrap());
    let _second = client.join(request(2)).await.unwrap();
}

#[tokio::test]
async fn what_a_worker_announces_is_shown_and_changes_with_its_heartbeats() {
    let node = Node::ready().await;
    let mut client = node.client();
    let join = v1::JoinRequest {
        backends: vec!["halo2-ipa".to_owned()],
        draining: true,
        ..request(1)
    };
    let _stream = client.join(join).await.unwrap();
    let beat = v1::HeartbeatRequest {
        worker_id: "w".to_owned(),
        instance: vec![1; 16],
        warm: Some(v1::WarmCircuits {
            circuits: vec![vec![7; 32]],
        }),
        ..v1::HeartbeatRequest::default()
    };
    client.heartbeat(beat).await.unwrap();
    let status = node.coordinator.workers().remove(0);
    assert!(status.draining && status.backends.contains("halo2-ipa"));
    assert_eq!(status.warm.iter().next().unwrap().as_bytes(), &[7; 32]);
}

#[tokio::test]
async fn a_join_with_too_much_in_it_is_refused() {
    let node = Node::new().await;
    let mut client = node.client();
    let warm = Some(v1::WarmCircuits {
        circuits: vec![vec![7; 32]; 65],
    });
    let short = Some(v1::WarmCircuits {
        circuits: vec![vec![7; 31]],
    });
    let mut requests = [request(1), request(1), request(1), request(1)];
    requests[0].warm = warm;
    requests[1].warm = short;
    requests[2].backends = vec![String::new()];
    requests[3].instance = vec![0; 33];
    for (request, field) in requests
        .into_iter()
        .zip(["warm", "warm", "backends", "instance"])
    {
        let status = client.join(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().starts_with(field), "{status}");
    }
}

#[tokio::test]
async fn three_invalid_proofs_put_a_worker_into_quarantine_and_none_is_served() {
    let node = Node::ready().await;
    let mut liar = node.join("liar").await;
    for task in 1..=3 {
        let _ = node.submit(task).await;
        let held = attempt_of(&liar.lease().await);
        let mut forged = PROOF.to_vec();
        forged[0] ^= 2;
        assert!(liar.prove(&node, held, &forged).await.is_some());
        let cancel = Command::CancelTask {
            task: task_id(task),
            now: 1,
        };
        let _ = node.coordinator.propose(cancel).await.unwrap();
    }
    let status = node.coordinator.workers().remove(0);
    assert!(status.distrust.quarantined_at.is_some());
    assert_eq!(status.distrust.invalid_proofs, 3);
    let _ = node.submit(9).await;
    let mut honest = node.join("honest").await;
    let held = attempt_of(&honest.lease().await);
    assert_eq!(held.task_id, task_id(9).as_bytes());
    assert_eq!(honest.prove(&node, held, PROOF).await, None);
    assert_eq!(node.task(9).attempts.len(), 1, "the liar never had it");
    // Joining again washes nothing off.
    drop(liar);
    let _again = node.join("liar").await;
    let statuses = node.coordinator.workers();
    let liar = statuses.iter().find(|status| status.id.as_str() == "liar");
    assert!(liar.unwrap().distrust.quarantined_at.is_some());
}

#[tokio::test]
async fn a_copied_proof_counts_as_one_that_does_not_verify() {
    let node = Node::ready().await;
    let mut worker = node.join("w").await;
    let _ = node.submit(1).await;
    let first = attempt_of(&worker.lease().await);
    assert_eq!(worker.prove(&node, first, PROOF).await, None);
    let mut copied = PROOF.to_vec();
    copied[48..].copy_from_slice(task_id(1).as_bytes());
    let _ = node.submit(2).await;
    let second = attempt_of(&worker.lease().await);
    let refused = worker.prove(&node, second, &copied).await.unwrap();
    assert_eq!(refused.code, codes::PROOF_INVALID);
    assert!(refused.detail.contains("tsk_0101"), "{}", refused.detail);
    let status = node.coordinator.workers().remove(0);
    assert_eq!(status.distrust.invalid_proofs, 1);
}

#[tokio::test]
async fn streams_beyond_the_limit_are_refused() {
    let node = Node::ready().await;
    let mut joined = Vec::new();
    for number in 0..1024 {
        joined.push(node.join(&format!("w{number}")).await);
    }
    let refused = node.client().join(request(1)).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.message().contains("1024 workers"), "{refused}");
    // Who leaves makes room.
    joined.pop();
    let again = async {
        while node.client().join(request(1)).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_operator_ends_a_quarantine() {
    let node = Node::ready().await;
    let mut worker = node.join("w").await;
    for task in 1..=3 {
        let _ = node.submit(task).await;
        let held = attempt_of(&worker.lease().await);
        let mut forged = PROOF.to_vec();
        forged[0] ^= 2;
        assert!(worker.prove(&node, held, &forged).await.is_some());
        let cancel = Command::CancelTask {
            task: task_id(task),
            now: 1,
        };
        let _ = node.coordinator.propose(cancel).await.unwrap();
    }
    let _ = node.submit(9).await;
    let trust = Command::TrustWorker {
        worker: "w".parse().unwrap(),
    };
    let _ = node.coordinator.propose(trust).await.unwrap();
    let held = attempt_of(&worker.lease().await);
    assert_eq!(held.task_id, task_id(9).as_bytes());
    assert_eq!(worker.prove(&node, held, PROOF).await, None);
}

#[tokio::test]
async fn after_a_cancel_was_acknowledged_no_proof_of_the_task_is_served() {
    let node = Node::ready().await;
    let mut worker = node.join("w").await;
    let mut cancelled = 0;
    for task in 1..=100_u8 {
        if task == 66 || task == 67 {
            continue;
        }
        let _ = node.submit(task).await;
        // A cancel of the task before may still be in the stream.
        let held = loop {
            if let v1::assignment::Assignment::Lease(lease) = worker.next().await {
                break attempt_of(&lease);
            }
        };
        let cancel = Command::CancelTask {
            task: task_id(task),
            now: 1,
        };
        let racing = async {
            // Earlier and later, over the whole length of a completion.
            for _ in 0..task % 8 {
                tokio::task::yield_now().await;
            }
            node.coordinator.propose(cancel).await.unwrap()
        };
        let (refused, outcome) = tokio::join!(worker.prove(&node, held, PROOF), racing);
        let phase = node.task(task).phase();
        match outcome {
            Outcome::Cancelled { .. } => {
                cancelled += 1;
                assert_eq!(phase, TaskPhase::Cancelled);
                assert!(refused.is_some());
            }
            _ => {
                assert_eq!(phase, TaskPhase::Done);
                assert_eq!(refused, None);
            }
        }
    }
    assert!(cancelled > 0, "no race was won by a cancel");
}

#[tokio::test]
async fn a_lease_of_the_reign_before_has_a_whole_lease_from_the_election() {
    let node = Node::ready().await;
    let mut worker = node.join("w").await;
    let _ = node.submit(1).await;
    let held = attempt_of(&worker.lease().await);
    drop(worker);
    node.clock.pass(LEASE - Duration::from_millis(1));
    let node = node.restart().await;
    let renewed = node.until(1, |task| {
        task.lease()
            .is_some_and(|lease| lease.expires_at > 1_010_000)
    });
    renewed.await;
    node.clock.pass(LEASE / 2);
    let mut worker = Worker::join(node.client(), "w", std::slice::from_ref(&held)).await;
    assert_eq!(node.task(1).attempt, 1);
    assert_eq!(worker.prove(&node, held, PROOF).await, None);
}
