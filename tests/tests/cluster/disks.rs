//! Disks that are slow, full or failing, under one coordinator: the others go on.
#![cfg(target_os = "linux")]

use std::time::Duration;

use aureole_tests::cluster::{Cluster, Layout};
use aureole_tests::eventually;

use crate::story::{calm, clients, ends_well, rounds};

fn layout() -> Layout {
    Layout {
        faults: true,
        ..Layout::default()
    }
}

#[tokio::test]
async fn a_slow_disk_under_the_leader_slows_and_loses_nothing() -> anyhow::Result<()> {
    rounds(layout(), async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
        traffic.goes_on(5).await?;
        let slow = cluster.leader().await?;
        let faults = cluster.server(&slow)?.faults()?;
        faults.slow_disk(Duration::from_millis(250))?;
        traffic.goes_on(10).await?;
        assert!(faults.happened()?.syncs_delayed > 0, "no sync was delayed");
        faults.heal()?;
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}

#[tokio::test]
async fn a_full_disk_under_one_coordinator_stops_only_that_one() -> anyhow::Result<()> {
    rounds(layout(), async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
        for leads in [true, false] {
            traffic.goes_on(5).await?;
            let full = if leads {
                cluster.leader().await?
            } else {
                cluster.follower().await?
            };
            let before = writes_refused(cluster, &full)?;
            cluster.server(&full)?.faults()?.full_disk()?;
            traffic.goes_on(15).await?;
            eventually("a write to find the disk full", || async {
                Ok((writes_refused(cluster, &full)? > before).then_some(()))
            })
            .await?;
            assert_ne!(cluster.leader().await?, full, "one that cannot write leads");
            cluster.heal().await?;
        }
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}

fn writes_refused(cluster: &Cluster, name: &str) -> anyhow::Result<u64> {
    Ok(cluster.server(name)?.faults()?.happened()?.writes_failed)
}

#[tokio::test]
async fn a_failing_sync_makes_a_leader_step_down_and_acknowledge_nothing() -> anyhow::Result<()> {
    rounds(layout(), async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
        traffic.goes_on(5).await?;
        let failing = cluster.leader().await?;
        cluster.server(&failing)?.faults()?.failing_disk()?;
        eventually("another leader", || async {
            Ok((cluster.leader().await? != failing).then_some(()))
        })
        .await?;
        traffic.goes_on(10).await?;
        assert!(
            cluster.server(&failing)?.faults()?.happened()?.syncs_failed > 0,
            "no sync failed"
        );
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}
