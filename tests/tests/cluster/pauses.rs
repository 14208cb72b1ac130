//! Processes that stand still and go on, as on a machine that swaps: nobody sees an old state.

use std::time::Duration;

use aureole_tests::cluster::{Habits, Layout};

use crate::story::{calm, clients, cluster, ends_well, rounds};

/// Longer than an election takes.
const PAUSE: Duration = Duration::from_secs(4);

#[tokio::test]
async fn a_leader_that_stood_still_shows_nothing_stale_when_it_goes_on() -> anyhow::Result<()> {
    rounds(async |random| {
        let mut cluster = cluster(Layout::default()).await?;
        let habits = Habits {
            look_one_in: 1,
            ..calm(u64::MAX)
        };
        let traffic = clients(&cluster, habits, random);
        for _ in 0..2 {
            traffic.goes_on(5).await?;
            let leader = cluster.leader().await?;
            cluster.server(&leader)?.pause()?;
            assert!(cluster.server(&leader)?.is_paused()?);
            traffic.goes_on(8).await?;
            cluster.server(&leader)?.resume()?;
        }
        traffic.goes_on(5).await?;
        let recorded = traffic.stop()?;
        ends_well(&mut cluster, &recorded).await
    })
    .await
}

#[tokio::test]
async fn everybody_pausing_in_turn_loses_nothing() -> anyhow::Result<()> {
    rounds(async |random| {
        let mut cluster = cluster(Layout::default()).await?;
        let traffic = clients(&cluster, calm(u64::MAX), random);
        let names = cluster.names();
        for _ in 0..3 {
            traffic.goes_on(3).await?;
            let name = random
                .one_of(&names)
                .expect("a cluster has processes")
                .clone();
            cluster.server(&name)?.pause()?;
            // The pause itself is the fault.
            tokio::time::sleep(PAUSE).await;
            cluster.server(&name)?.resume()?;
        }
        traffic.goes_on(5).await?;
        let recorded = traffic.stop()?;
        ends_well(&mut cluster, &recorded).await
    })
    .await
}
