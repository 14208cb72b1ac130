//! Coordinators that are killed: the leader in the middle of everything, each in turn, one with its
//! disk.

use std::time::Instant;

use aureole_tests::cluster::{Habits, Layout};
use aureole_tests::eventually;

use crate::story::{calm, clients, ends_well, rounds};

#[tokio::test]
async fn a_leader_killed_during_200_submissions_loses_none() -> anyhow::Result<()> {
    rounds(Layout::default(), async |cluster, random| {
        let habits = Habits {
            submissions: 200,
            ..Habits::default()
        };
        let traffic = clients(cluster, habits, random);
        traffic.goes_on(30 + random.below(60)).await?;
        let leader = cluster.leader().await?;
        let killed = Instant::now();
        cluster.server_mut(&leader)?.kill()?;
        traffic.goes_on(1).await?;
        eprintln!(
            "{leader} was killed; the next acknowledgement came after {:?}",
            killed.elapsed()
        );
        let next = cluster.leader().await?;
        assert_ne!(next, leader, "a dead coordinator leads");
        traffic.goes_on(30).await?;
        cluster.start_server(&leader)?;
        let recorded = traffic.finish()?;
        assert_eq!(recorded.acknowledged.len(), 200);
        ends_well(cluster, &recorded).await
    })
    .await
}

#[tokio::test]
async fn coordinators_killed_in_turn_lose_nothing() -> anyhow::Result<()> {
    rounds(Layout::default(), async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
        for name in cluster.coordinators() {
            traffic.goes_on(5 + random.below(5)).await?;
            cluster.server_mut(&name)?.kill()?;
            traffic.goes_on(10).await?;
            cluster.start_server(&name)?;
            cluster.ready().await?;
        }
        traffic.goes_on(5).await?;
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}

#[tokio::test]
async fn a_coordinator_that_lost_its_disk_comes_back_empty_and_catches_up() -> anyhow::Result<()> {
    rounds(Layout::default(), async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
        traffic.goes_on(10).await?;
        let lost = cluster.leader().await?;
        cluster.server_mut(&lost)?.kill()?;
        cluster.server(&lost)?.lose_disk()?;
        traffic.goes_on(10).await?;
        cluster.replace(&lost).await?;
        let caught_up = || async {
            let (there, leader) = (cluster.status(&lost), cluster.leader().await?);
            let ahead = cluster.status(&leader)?.applied;
            Ok(there
                .is_ok_and(|there| there.applied >= ahead)
                .then_some(()))
        };
        eventually("the empty coordinator to catch up", caught_up).await?;
        traffic.goes_on(5).await?;
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}
