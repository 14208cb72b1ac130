//! Workers and a group of several members: whom they are sent to, and what a change of leader leaves.

use aureole_api::internal::v1;
use aureole_api::internal::v1::workers_client::WorkersClient;
use aureole_api::leader::Redirect;
use aureole_coordinator::Coordinator;
use aureole_ledger::{Digest, TaskPhase, TaskRecord};

use crate::group::{Group, numbered, until};
use crate::kit::{PROOF, Worker, attempt_of, proved};

async fn join(member: &Coordinator, running: &[v1::AttemptId]) -> Worker {
    Worker::join(WorkersClient::new(member.workers_service()), "w", running).await
}

fn task(member: &Coordinator) -> TaskRecord {
    member.read(|state| state.task(&numbered(1)).unwrap().clone())
}

/// Puts a proof where a member finds it, and completes with it.
async fn complete(
    group: &Group,
    member: &Coordinator,
    worker: &mut Worker,
    held: v1::AttemptId,
) -> Option<v1::Problem> {
    let depot = &group.depots[&member.id()];
    let put = |bytes: &[u8]| depot.put(bytes.to_vec());
    let proof: Digest = put(PROOF).await.unwrap();
    let public_inputs = put(b"public inputs").await.unwrap();
    worker.complete(held, proved(&proof, &public_inputs)).await
}

/// Hands leadership to another member and waits until it leads.
async fn change(group: &Group) -> (Coordinator, Coordinator) {
    let old = group.leader().await;
    let running = group.running();
    let (next, new) = running.iter().find(|(id, _)| *id != old.id()).unwrap();
    old.transfer_leader(*next).await.unwrap();
    until("the new leader", || async {
        new.is_leading().then_some(())
    })
    .await;
    (old, new.clone())
}

#[tokio::test]
async fn a_follower_sends_a_worker_to_the_leader() {
    let group = Group::of(3).await;
    let leader = group.leader().await;
    let running = group.running();
    let (_, follower) = running.iter().find(|(id, _)| *id != leader.id()).unwrap();
    let mut client = WorkersClient::new(follower.workers_service());
    let request = v1::JoinRequest {
        worker_id: "w".to_owned(),
        slots: 1,
        ..v1::JoinRequest::default()
    };
    let status = client.join(request).await.unwrap_err();
    let redirect = Redirect::of(&status).unwrap();
    let address = group.seats[&leader.id()].address.to_string();
    assert_eq!(redirect.leader, Some(address));
    assert_eq!(redirect.coordinators.len(), 3);
    assert!(follower.workers().is_empty());
    drop(client);
    group.shutdown().await;
}

#[tokio::test]
async fn an_attempt_that_outlives_its_leader_completes_once_under_the_same_lease() {
    let group = Group::of(3).await;
    let old = group.leader().await;
    let mut worker = join(&old, &[]).await;
    group.submit(numbered(1)).await;
    let held = attempt_of(&worker.lease().await);
    let (old, new) = change(&group).await;
    let ended = worker.stream.message().await.unwrap_err();
    assert!(Redirect::of(&ended).is_some(), "{ended}");
    assert!(new.workers().is_empty() && old.workers().is_empty());

    let mut worker = join(&new, std::slice::from_ref(&held)).await;
    assert_eq!(
        complete(&group, &new, &mut worker, held.clone()).await,
        None
    );
    let again = complete(&group, &new, &mut worker, held).await;
    assert_eq!(again, None, "the answer may have got lost");
    let done = task(&new);
    assert_eq!((done.phase(), done.attempt), (TaskPhase::Done, 1));
    assert_eq!(done.attempts.len(), 1);
    drop(worker);
    group.shutdown().await;
}

#[tokio::test]
async fn a_lease_that_a_worker_lost_with_its_leader_counts_nothing() {
    let group = Group::of(3).await;
    let old = group.leader().await;
    let mut worker = join(&old, &[]).await;
    group.submit(numbered(1)).await;
    let _never_seen = worker.lease().await;
    let (_, new) = change(&group).await;
    let mut worker = join(&new, &[]).await;
    let next = attempt_of(&worker.lease().await);
    assert_eq!(next.attempt, 2);
    let running = task(&new);
    assert_eq!((running.strikes, running.returns), (0, 1));
    drop(worker);
    group.shutdown().await;
}
