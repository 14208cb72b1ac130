//! Collection on every member: what something refers to stays.

use aureole_coordinator::blobs::{CollectError, Collector, Roots, RootsError, collect_everywhere};
use aureole_ledger::Digest;
use aureole_store::Blobs;
use std::sync::Arc;
use std::time::Duration;

use crate::town::{Town, until};

/// A root that does not know.
#[derive(Debug)]
struct Unsure;

#[tonic::async_trait]
impl Roots for Unsure {
    async fn roots(&self) -> Result<Vec<Digest>, RootsError> {
        Err("the archive is on fire".into())
    }
}

#[tokio::test]
async fn every_member_collects_and_a_dry_run_says_what_would_go() {
    let mut town = Town::of(3).await;
    let named = town.make_ready().await;
    let orphan = town
        .member(1)
        .replicated
        .put("orphan".into())
        .await
        .unwrap();
    until("on all disks", async || {
        town.holders(&orphan).await.len() == 3
    })
    .await;
    let member = town.member(2);
    for dry_run in [true, false] {
        let all = collect_everywhere(&member.replicated, &member.collector, dry_run).await;
        assert_eq!(all.len(), 3);
        assert_eq!(all[0].member, 2);
        for one in all {
            let report = one.outcome.unwrap();
            assert_eq!(report.blobs, [(orphan, 6)], "member {}", one.member);
            assert_eq!((report.count, report.bytes), (1, 6));
            assert!(report.referenced >= 2);
        }
        let left = if dry_run { 3 } else { 0 };
        assert_eq!(town.holders(&orphan).await.len(), left);
    }
    let local = town.member(1).replicated.local();
    assert!(local.missing(named).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_member_that_is_down_does_not_keep_the_others_from_it() {
    let mut town = Town::of(2).await;
    town.stop(2).await;
    let member = town.member(1);
    let all = collect_everywhere(&member.replicated, &member.collector, false).await;
    assert!(all[0].outcome.is_err() || all[0].member == 1);
    let down = all.iter().find(|one| one.member == 2).unwrap();
    let error = down.outcome.as_ref().unwrap_err();
    assert!(matches!(error, CollectError::Peer(_)), "{error}");
}

#[tokio::test]
async fn while_one_root_does_not_know_nothing_is_removed() {
    let town = Town::of(1).await;
    let member = town.member(1);
    let orphan = member.replicated.put("orphan".into()).await.unwrap();
    let roots: Vec<Arc<dyn Roots>> = vec![Arc::new(member.coordinator.clone()), Arc::new(Unsure)];
    let local = member.replicated.local().clone();
    let collector = Collector::with_grace(local, roots, Duration::ZERO);
    let error = collector.collect(false).await.unwrap_err();
    assert!(matches!(error, CollectError::Roots(_)), "{error}");
    assert_eq!(town.holders(&orphan).await, [1]);
}

#[tokio::test]
async fn a_member_that_knows_no_leader_does_not_know_what_is_referred_to() {
    let town = Town::of(1).await;
    let member = town.member(1);
    member.coordinator.shutdown().await;
    until("no leader", async || {
        member.coordinator.leader().now().is_none()
    })
    .await;
    let error = member.collector.collect(true).await.unwrap_err();
    assert!(matches!(error, CollectError::Roots(_)), "{error}");
}

#[tokio::test]
async fn upkeep_collects_by_itself() {
    let mut town = Town::of(1).await;
    let named = town.make_ready().await;
    let member = town.member(1);
    let orphan = member.replicated.put("orphan".into()).await.unwrap();
    let config = aureole_coordinator::blobs::KeeperConfig {
        collect_every: Some(Duration::from_millis(20)),
        ..aureole_coordinator::blobs::KeeperConfig::default()
    };
    let keeper = aureole_coordinator::blobs::Keeper::start(
        config,
        member.coordinator.clone(),
        member.replicated.clone(),
        member.keys.clone(),
        member.collector.clone(),
    );
    until("collected", async || town.holders(&orphan).await.is_empty()).await;
    keeper.stop().await;
    assert!(
        member
            .replicated
            .local()
            .missing(named)
            .await
            .unwrap()
            .is_empty()
    );
}
