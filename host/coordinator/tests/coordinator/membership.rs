//! Members come, go, lose their disks and hand over, while submissions flow.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use aureole_api::internal::v1;
use aureole_api::internal::v1::members_client::MembersClient;
use aureole_coordinator::{Coordinator, Founding, MemberError, StartError};
use tokio::task::JoinHandle;

use crate::group::{Group, PATIENCE, numbered, try_submit, until};

/// Submits to whoever leads until it is told to stop; returns how much was acknowledged.
struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    running: JoinHandle<()>,
}

impl Load {
    fn on(members: Vec<Coordinator>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(AtomicU64::new(0));
        let (stopped, count) = (Arc::clone(&stop), Arc::clone(&acknowledged));
        let running = tokio::spawn(async move {
            let mut number = 0;
            while !stopped.load(Ordering::SeqCst) {
                for member in &members {
                    if try_submit(member, numbered(1_000_000 + number))
                        .await
                        .is_ok()
                    {
                        number += 1;
                        count.store(number, Ordering::SeqCst);
                    }
                }
                tokio::task::yield_now().await;
            }
        });
        Self {
            stop,
            acknowledged,
            running,
        }
    }

    /// Waits for so many more acknowledgements.
    async fn flows(&self, more: u64) {
        let wanted = self.acknowledged.load(Ordering::SeqCst) + more;
        until("submissions that flow", || async {
            (self.acknowledged.load(Ordering::SeqCst) >= wanted).then_some(())
        })
        .await;
    }

    async fn end(self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        self.running.await.unwrap();
        self.acknowledged.load(Ordering::SeqCst)
    }
}

fn members(group: &Group) -> Vec<Coordinator> {
    group
        .running()
        .into_iter()
        .map(|(_, member)| member)
        .collect()
}

#[tokio::test]
async fn a_member_is_added_removed_and_led_to_under_load() {
    let mut group = Group::of(3).await;
    let address = group.seat(4).await;
    let joined = group.start(4).await;
    let load = Load::on(members(&group));
    load.flows(20).await;

    // Asked of a follower: it passes the request on.
    let leader = group.leader().await.id();
    let (_, follower) = group
        .running()
        .into_iter()
        .find(|(id, _)| *id != leader)
        .unwrap();
    let status = follower.add_member(4, &address).await.unwrap();
    let added = status.members.iter().find(|member| member.id == 4).unwrap();
    assert!(added.voter && added.address == address, "{status:?}");
    load.flows(20).await;

    let status = joined.transfer_leader(4).await.unwrap();
    assert_eq!(status.leader, Some(4), "{status:?}");
    assert!(joined.is_leading() || group.leader().await.id() == 4);
    load.flows(20).await;

    let leader = group.leader().await;
    let removed = [1, 2, 3].into_iter().find(|id| *id != leader.id()).unwrap();
    let status = leader.remove_member(removed).await.unwrap();
    assert!(
        status.members.iter().all(|member| member.id != removed),
        "{status:?}"
    );
    load.flows(20).await;
    group.stop(removed).await;

    let acknowledged = load.end().await;
    let queued = group.agree().await;
    assert!(queued >= acknowledged, "{queued} of {acknowledged}");
    group.shutdown().await;
}

#[tokio::test]
async fn leadership_goes_round_and_takes_less_than_an_election() {
    let group = Group::of(3).await;
    let mut longest = std::time::Duration::ZERO;
    for round in 0..6_u64 {
        let leader = group.leader().await;
        let next = leader.id() % 3 + 1;
        let begun = std::time::Instant::now();
        let status = leader.transfer_leader(next).await.unwrap();
        group.submit(numbered(round)).await;
        longest = longest.max(begun.elapsed());
        assert!(status.leader == Some(next), "{status:?}");
    }
    // The lease and the shortest wait behind it are 900 ms: nobody could be elected sooner.
    assert!(longest.as_millis() < 700, "{longest:?}");
    assert_eq!(group.agree().await, 6);
    group.shutdown().await;
}

#[tokio::test]
async fn a_leader_removes_itself_and_the_others_go_on() {
    let mut group = Group::of(3).await;
    let leader = group.leader().await;
    leader.remove_member(leader.id()).await.unwrap();
    until("another leader", || async {
        let members = group.running();
        let others = members.iter().filter(|(id, _)| *id != leader.id());
        others
            .into_iter()
            .any(|(_, member)| member.is_leading())
            .then_some(())
    })
    .await;
    group.stop(leader.id()).await;
    group.submit(numbered(1)).await;
    assert_eq!(group.agree().await, 1);
    group.shutdown().await;
}

#[tokio::test]
async fn a_group_of_one_grows_to_three() {
    let mut group = Group::seated(1, 2000).await;
    let mut config = group.config(1);
    config.founding = Founding::Alone;
    let alone = group.start_with(1, config).await.unwrap();
    assert!(alone.is_leading());
    crate::kit::make_ready(&alone).await;
    for id in [2, 3] {
        let address = group.seat(id).await;
        let mut config = group.config(id);
        config.founding = Founding::Join;
        group.start_with(id, config).await.unwrap();
        alone.add_member(id, &address).await.unwrap();
    }
    group.submit(numbered(1)).await;
    assert_eq!(group.agree().await, 1);
    group.stop(1).await;
    group.submit(numbered(2)).await;
    // It is one of three now: it must not start as if it were alone.
    let mut config = group.config(1);
    config.founding = Founding::Alone;
    let error = group.start_with(1, config).await.unwrap_err();
    assert!(matches!(error, StartError::Config { .. }), "{error}");
    let mut config = group.config(1);
    config.founding = Founding::Join;
    group.start_with(1, config).await.unwrap();
    assert_eq!(group.agree().await, 2);
    group.shutdown().await;
}

#[tokio::test]
async fn a_far_behind_member_gets_a_snapshot() {
    let mut group = Group::with(3, 20).await;
    let leader = group.leader().await.id();
    let late = leader % 3 + 1;
    group.stop(late).await;
    for number in 0..150 {
        group.submit(numbered(number)).await;
    }
    let leader = group.leader().await;
    leader.compact().await.unwrap();
    let purged = until("a log that is cut", || async {
        let status = leader.status().await;
        status.snapshot.filter(|snapshot| *snapshot > 100)
    })
    .await;
    assert!(purged > 100);
    let before = group.snapshots.load(Ordering::SeqCst);
    group.start(late).await;
    assert_eq!(group.agree().await, 150);
    assert!(
        group.snapshots.load(Ordering::SeqCst) > before,
        "no snapshot went over the wire"
    );
    group.shutdown().await;
}

#[tokio::test]
async fn a_member_that_lost_its_disk_votes_only_after_it_was_added_again() {
    let mut group = Group::of(3).await;
    for number in 0..20 {
        group.submit(numbered(number)).await;
    }
    let leader = group.leader().await;
    let lost = leader.id() % 3 + 1;
    group.stop(lost).await;
    group.wipe(lost);
    let mut config = group.config(lost);
    config.founding = Founding::Join;
    let empty = group.start_with(lost, config).await.unwrap();
    let address = group.seats[&lost].address.to_string();

    // The group does not know this one, and the id is taken by the one whose disk is gone.
    group.submit(numbered(20)).await;
    let error = leader.add_member(lost, &address).await.unwrap_err();
    assert!(
        matches!(error, MemberError::LostDisk { id } if id == lost),
        "{error}"
    );
    assert_eq!(empty.read(|state| state.queued_count()), 0);

    leader.remove_member(lost).await.unwrap();
    let status = leader.add_member(lost, &address).await.unwrap();
    assert!(
        status.members.iter().all(|member| member.voter),
        "{status:?}"
    );
    assert_eq!(group.agree().await, 21);
    // It counts again: without another member there is still a majority.
    let other = 6 - leader.id() - lost;
    group.stop(other).await;
    group.submit(numbered(21)).await;
    assert_eq!(group.agree().await, 22);
    group.shutdown().await;
}

#[tokio::test]
async fn a_member_that_lost_its_disk_comes_back_under_a_new_id() {
    let mut group = Group::of(3).await;
    group.submit(numbered(0)).await;
    let leader = group.leader().await;
    let lost = leader.id() % 3 + 1;
    group.stop(lost).await;
    group.wipe(lost);
    let address = group.seat(4).await;
    group.start(4).await;
    leader.add_member(4, &address).await.unwrap();
    leader.remove_member(lost).await.unwrap();
    assert_eq!(group.agree().await, 1);
    group.shutdown().await;
}

#[tokio::test]
async fn a_founder_that_lost_its_disk_founds_no_second_group() {
    let mut group = Group::of(3).await;
    group.submit(numbered(0)).await;
    group.stop(1).await;
    group.wipe(1);
    let empty = group.start(1).await;
    let reason = tokio::time::timeout(PATIENCE, empty.stopped())
        .await
        .unwrap();
    assert!(
        reason.contains("belongs to a group already") && reason.contains("disk"),
        "{reason}"
    );
    let error = try_submit(&empty, numbered(1)).await.unwrap_err();
    assert!(
        error.to_string().contains("belongs to a group already"),
        "{error}"
    );
    group.stop(1).await;
    group.submit(numbered(2)).await;
    assert_eq!(group.agree().await, 2);
    group.shutdown().await;
}

#[tokio::test]
async fn a_change_that_makes_no_sense_is_refused_with_the_reason() {
    let mut group = Group::of(3).await;
    let leader = group.leader().await;
    let own = group.seats[&leader.id()].address.to_string();

    let error = leader.remove_member(9).await.unwrap_err();
    assert!(matches!(error, MemberError::Unknown { id: 9 }), "{error}");
    let error = leader.transfer_leader(9).await.unwrap_err();
    assert!(matches!(error, MemberError::Unknown { id: 9 }), "{error}");
    let error = leader.add_member(9, "127.0.0.1:1").await.unwrap_err();
    assert!(
        matches!(error, MemberError::Unreachable { id: 9, .. }),
        "{error}"
    );
    let error = leader.add_member(9, &own).await.unwrap_err();
    assert!(
        matches!(error, MemberError::Another { id: 9, .. }),
        "{error}"
    );
    let error = leader.add_member(9, "not an address").await.unwrap_err();
    assert!(
        matches!(error, MemberError::Unreachable { id: 9, .. }),
        "{error}"
    );

    // A group of one, whose member cannot be added to another, nor leave its own.
    let foreign = group.seat(8).await;
    let mut config = group.config(8);
    config.founding = Founding::Alone;
    let alone = group.start_with(8, config).await.unwrap();
    let error = leader.add_member(8, &foreign).await.unwrap_err();
    assert!(
        matches!(error, MemberError::NotEmpty { id: 8, .. }),
        "{error}"
    );
    let error = alone.remove_member(8).await.unwrap_err();
    assert!(matches!(error, MemberError::LastVoter { id: 8 }), "{error}");

    // One that keeps what no other member could read.
    group.seat(10).await;
    let mut config = group.config(10);
    config.founding = Founding::Alone;
    config.stays_alone = Some("its history is a file".to_owned());
    let alone = group.start_with(10, config).await.unwrap();
    let error = alone.add_member(9, &foreign).await.unwrap_err();
    assert!(
        matches!(&error, MemberError::StaysAlone { reason } if reason.contains("file")),
        "{error}"
    );
    assert_eq!(alone.member_count(), 1);

    // A follower passes on what the leader refuses, with its words.
    let (_, follower) = group
        .running()
        .into_iter()
        .find(|(id, _)| *id != leader.id() && ![8, 10].contains(id))
        .unwrap();
    let error = follower.remove_member(9).await.unwrap_err();
    let MemberError::Leader { code, message, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(code, tonic::Code::NotFound);
    assert!(message.contains("member 9"), "{message}");
    group.shutdown().await;
}

#[tokio::test]
async fn a_group_without_a_leader_says_so_and_shows_what_it_knows() {
    let mut group = Group::of(3).await;
    for id in [1, 2] {
        group.stop(id).await;
    }
    let left = group.member(3);
    let mut seen = left.leader();
    tokio::time::timeout(PATIENCE, seen.until(Option::is_none))
        .await
        .unwrap()
        .unwrap();
    let error = left.remove_member(1).await.unwrap_err();
    assert!(
        matches!(error, MemberError::NoLeader | MemberError::Leader { .. }),
        "{error}"
    );
    let status = left.status().await;
    assert_eq!((status.member, status.members.len()), (3, 3));
    group.shutdown().await;
}

#[tokio::test]
async fn operators_ask_any_member_over_the_wire() {
    let group = Group::of(3).await;
    let leader = group.leader().await.id();
    let (_, follower) = group
        .running()
        .into_iter()
        .find(|(id, _)| *id != leader)
        .unwrap();
    let mut client = MembersClient::new(follower.members_service());
    let status = client
        .status(v1::MembersRequest { forwarded: false })
        .await
        .unwrap();
    let status = status.into_inner();
    assert_eq!((status.leader, status.member), (Some(leader), leader));
    assert!(
        status
            .members
            .iter()
            .all(|member| member.voter && member.lag.is_some())
    );
    let request = v1::RemoveMemberRequest {
        id: 7,
        forwarded: false,
    };
    let refused = client.remove(request).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::NotFound);
    // Passed on already, and this one does not lead: it is not passed round in circles.
    let request = v1::TransferLeaderRequest {
        id: 1,
        forwarded: true,
    };
    let refused = client.transfer(request).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable);
    group.shutdown().await;
}

#[tokio::test]
async fn what_too_few_members_can_decide_is_said_and_not_waited_for_for_ever() {
    let mut group = Group::of(3).await;
    let leader = group.leader().await;
    let down = leader.id() % 3 + 1;
    group.stop(down).await;
    group.submit(numbered(1)).await;
    // It cannot be given what it lacks, and the leader leads on.
    let error = leader.transfer_leader(down).await.unwrap_err();
    assert!(
        matches!(error, MemberError::Behind { id, lag, .. } if id == down && lag > 0),
        "{error}"
    );
    group.submit(numbered(2)).await;
    group.isolate(leader.id());
    let error = leader.remove_member(down).await.unwrap_err();
    assert!(
        matches!(error, MemberError::Undecided { .. } | MemberError::NoLeader),
        "{error}"
    );
    group.heal();
    group.start(down).await;
    assert_eq!(group.agree().await, 2);
    group.shutdown().await;
}
