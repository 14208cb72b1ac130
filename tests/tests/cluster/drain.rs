//! Workers that are asked to stop: they end well and in time, and hand back what they hold.

use std::time::{Duration, Instant};

use aureole_tests::cluster::Layout;
use aureole_tests::eventually;

use crate::story::{calm, clients, cluster, ends_well, rounds};

/// What a process may take to end well.
const END: Duration = Duration::from_secs(30);

/// Drains in one round. Ten rounds are two hundred.
const DRAINS: usize = 20;

#[tokio::test]
async fn twenty_drains_end_well_and_no_lease_runs_out() -> anyhow::Result<()> {
    rounds(async |random| {
        let layout = Layout {
            // One that was not handed back would be missed for the rest of the story.
            lease_ms: 120_000,
            ..Layout::default()
        };
        let mut cluster = cluster(layout).await?;
        let traffic = clients(&cluster, calm(u64::MAX), random);
        let workers = cluster.workers();
        let mut longest = Duration::ZERO;
        for drain in 0..DRAINS {
            let name = workers[drain % workers.len()].clone();
            tokio::time::sleep(Duration::from_millis(random.below(200))).await;
            longest = longest.max(cluster.server_mut(&name)?.stop(END)?);
            cluster.start_server(&name)?;
        }
        eprintln!("{DRAINS} drains ended well, the longest in {longest:?}");
        let recorded = traffic.stop()?;
        let start = Instant::now();
        ends_well(&mut cluster, &recorded).await?;
        assert!(
            start.elapsed() < Duration::from_secs(100),
            "a lease ran out"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_coordinator_that_ended_leaves_its_ports_and_its_leadership() -> anyhow::Result<()> {
    rounds(async |random| {
        let mut cluster = cluster(Layout::default()).await?;
        let traffic = clients(&cluster, calm(u64::MAX), random);
        traffic.goes_on(5).await?;
        let leader = cluster.leader().await?;
        let stopped = Instant::now();
        cluster.server_mut(&leader)?.stop(END)?;
        eventually("another leader", || async {
            Ok((cluster.leader().await? != leader).then_some(()))
        })
        .await?;
        traffic.goes_on(1).await?;
        eprintln!(
            "{leader} ended; tasks were accepted {:?} after it was asked to",
            stopped.elapsed()
        );
        cluster.start_server(&leader)?;
        cluster.ready().await?;
        let recorded = traffic.stop()?;
        ends_well(&mut cluster, &recorded).await
    })
    .await
}
