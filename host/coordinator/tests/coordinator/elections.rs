//! Leaders come and go: nothing acknowledged is lost, and nothing is acknowledged without a majority.

use std::time::Instant;

use aureole_coordinator::ProposeError;

use crate::group::{Group, PATIENCE, numbered, try_submit, until};

#[tokio::test]
async fn three_founders_agree_on_a_leader_and_on_the_facts() {
    let group = Group::of(3).await;
    for number in 0..50 {
        group.submit(numbered(number)).await;
    }
    assert_eq!(group.agree().await, 50);
    let leader = group.leader().await;
    for (_, member) in group.running() {
        let mut follows = member.leader();
        let seen = follows.until(|seen| seen.as_ref().is_some_and(|it| it.id == leader.id()));
        let seen = tokio::time::timeout(PATIENCE, seen).await.unwrap().unwrap();
        let address = group.seats[&leader.id()].address.to_string();
        assert_eq!(seen.as_ref().unwrap().address, address);
    }
    group.shutdown().await;
}

#[tokio::test]
async fn five_members_go_on_when_two_are_gone() {
    let mut group = Group::of(5).await;
    group.submit(numbered(0)).await;
    for number in 1..=2 {
        let leader = group.leader().await.id();
        group.stop(leader).await;
        group.submit(numbered(number)).await;
    }
    assert_eq!(group.agree().await, 3);
    for id in 1..=5 {
        if !group.running().iter().any(|(running, _)| *running == id) {
            group.start(id).await;
        }
    }
    assert_eq!(group.agree().await, 3);
    group.shutdown().await;
}

#[tokio::test]
async fn a_follower_refuses_and_names_the_leader() {
    let group = Group::of(3).await;
    let leader = group.leader().await.id();
    let (_, follower) = group
        .running()
        .into_iter()
        .find(|(id, _)| *id != leader)
        .unwrap();
    until("a follower that knows the leader", || async {
        let error = try_submit(&follower, numbered(1)).await.unwrap_err();
        matches!(error, ProposeError::NotLeader { leader: Some(named) } if named == leader)
            .then_some(())
    })
    .await;
    let error = follower.linearizable().await.unwrap_err();
    assert!(matches!(error, ProposeError::NotLeader { .. }), "{error}");
    assert!(!follower.is_leading());
    assert_eq!(group.agree().await, 0);
    group.shutdown().await;
}

#[tokio::test]
async fn the_next_leader_accepts_within_seconds_and_has_everything() {
    let mut group = Group::of(3).await;
    for round in 0..3 {
        for number in 0..20 {
            group.submit(numbered(round * 100 + number)).await;
        }
        let leader = group.leader().await.id();
        group.stop(leader).await;
        let stopped = Instant::now();
        group.submit(numbered(round * 100 + 99)).await;
        let gap = stopped.elapsed();
        assert!(gap.as_secs() < 5, "{gap:?}");
        group.start(leader).await;
        assert_eq!(group.agree().await, (round + 1) * 21);
    }
    group.shutdown().await;
}

#[tokio::test]
async fn a_leader_without_a_majority_acknowledges_and_shows_nothing() {
    let group = Group::of(3).await;
    group.submit(numbered(1)).await;
    let old = group.leader().await;
    group.isolate(old.id());
    // Nobody hears of it: it must not say that it is done.
    let lost = try_submit(&old, numbered(2)).await.unwrap_err();
    assert!(
        matches!(
            lost,
            ProposeError::Undecided { .. } | ProposeError::NotLeader { .. }
        ),
        "{lost}"
    );
    let error = old.linearizable().await.unwrap_err();
    assert!(
        matches!(error, ProposeError::NotLeader { leader: None }),
        "{error}"
    );
    let mut seen = old.leader();
    let nobody = tokio::time::timeout(PATIENCE, seen.until(Option::is_none)).await;
    assert!(nobody.is_ok_and(|seen| seen.is_ok()) && !old.is_leading());
    // From now on it refuses at once.
    let error = try_submit(&old, numbered(3)).await.unwrap_err();
    assert!(
        matches!(error, ProposeError::NotLeader { leader: None }),
        "{error}"
    );

    let others: Vec<_> = group
        .running()
        .into_iter()
        .filter(|(id, _)| *id != old.id())
        .collect();
    until("an acknowledgement of the majority", || async {
        for (_, member) in &others {
            if try_submit(member, numbered(4)).await.is_ok() {
                return Some(());
            }
        }
        None
    })
    .await;
    group.heal();
    group.submit(numbered(5)).await;
    let _ = group.agree().await;
    let known = |number| {
        group
            .member(old.id())
            .read(|state| state.task(&numbered(number)).is_some())
    };
    assert!(known(1) && known(4) && known(5));
    assert!(
        !known(2) && !known(3),
        "what the minority took is acknowledged by nobody"
    );
    group.shutdown().await;
}

#[tokio::test]
async fn a_follower_that_was_cut_off_comes_back_without_an_uproar() {
    let group = Group::of(3).await;
    let leader = group.leader().await.id();
    let (cut, _) = group
        .running()
        .into_iter()
        .find(|(id, _)| *id != leader)
        .unwrap();
    group.isolate(cut);
    for number in 0..30 {
        group.submit(numbered(number)).await;
    }
    group.heal();
    assert_eq!(group.agree().await, 30);
    group.shutdown().await;
}
