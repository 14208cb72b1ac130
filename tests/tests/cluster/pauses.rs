//! Processes that stand still and go on, as on a machine that swaps: nobody sees an old state.

use std::time::Duration;

use anyhow::Context as _;
use aureole_tests::cluster::{Habits, Layout};

use crate::story::{calm, clients, ends_well, rounds};

/// What promise P6 names: three leases of a worker, twenty elections.
const LONG: Duration = Duration::from_secs(30);

/// Longer than an election takes.
const PAUSE: Duration = Duration::from_secs(4);

#[tokio::test]
async fn a_leader_that_stood_still_shows_nothing_stale_when_it_goes_on() -> anyhow::Result<()> {
    rounds(Layout::default(), async |cluster, random| {
        let habits = Habits {
            look_one_in: 1,
            ..calm(u64::MAX)
        };
        let traffic = clients(cluster, habits, random);
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
        ends_well(cluster, &recorded).await
    })
    .await
}

#[tokio::test]
async fn everybody_pausing_in_turn_loses_nothing() -> anyhow::Result<()> {
    rounds(Layout::default(), async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
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
        ends_well(cluster, &recorded).await
    })
    .await
}

#[tokio::test]
async fn half_a_minute_of_standing_still_loses_nothing_and_shows_nothing_stale()
-> anyhow::Result<()> {
    rounds(Layout::default(), async |cluster, random| {
        let habits = Habits {
            look_one_in: 1,
            ..calm(u64::MAX)
        };
        let traffic = clients(cluster, habits, random);
        traffic.goes_on(5).await?;
        let coordinator = if random.below(2) == 0 {
            cluster.leader().await?
        } else {
            cluster.follower().await?
        };
        let workers = cluster.workers();
        let worker = random.one_of(&workers).context("there is no worker")?;
        eprintln!("{coordinator} and {worker} stand still for {LONG:?}");
        for name in [&coordinator, worker] {
            cluster.server(name)?.pause()?;
        }
        // The pause itself is the fault.
        tokio::time::sleep(LONG).await;
        traffic.goes_on(5).await?;
        for name in [&coordinator, worker] {
            assert!(cluster.server(name)?.is_paused()?);
            cluster.server(name)?.resume()?;
        }
        traffic.goes_on(5).await?;
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}
