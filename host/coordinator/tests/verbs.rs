//! Verbs of members that nobody can carry out: a successor that cannot lead, a leader that has moved
//! where nobody reaches it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking; the other target uses what this one does not"
)]

#[path = "coordinator/group.rs"]
mod group;
#[path = "coordinator/kit.rs"]
mod kit;

use aureole_coordinator::MemberError;

use crate::group::{Group, numbered, until};

#[tokio::test]
async fn a_successor_that_nobody_hears_does_not_take_over() {
    let group = Group::of(3).await;
    group.submit(numbered(0)).await;
    let leader = group.leader().await;
    let successor = leader.id() % 3 + 1;
    // It hears the leader and answers it, and cannot ask anybody for a vote.
    let address = |id: u64| group.seats[&id].address.to_string();
    for id in (1..=3).filter(|id| *id != successor) {
        let wire = (address(successor), address(id));
        group.wires.0.lock().unwrap().insert(wire);
    }
    let error = leader.transfer_leader(successor).await.unwrap_err();
    assert!(
        matches!(error, MemberError::NotTaken { id, waited } if id == successor && !waited.is_zero()),
        "{error}"
    );
    group.heal();
    group.submit(numbered(1)).await;
    assert_eq!(group.agree().await, 2);
    group.shutdown().await;
}

#[tokio::test]
async fn a_verb_is_not_passed_on_to_a_leader_without_a_usable_address() {
    let group = Group::of(3).await;
    let leader = group.leader().await;
    let moved = "nowhere at all";
    leader.add_member(leader.id(), moved).await.unwrap();
    let follower = group.member(leader.id() % 3 + 1);
    until("a follower that knows where the leader is", || async {
        let known = follower.leader().now()?;
        (known.address == moved).then_some(())
    })
    .await;
    let error = follower.remove_member(9).await.unwrap_err();
    let MemberError::Dial(error) = error else {
        panic!("{error}");
    };
    assert!(error.to_string().contains(moved), "{error}");
    group.shutdown().await;
}
