//! Workers that are asked to stop: they end well and in time, and hand back what they hold.

use std::time::{Duration, Instant};

use aureole_tests::cluster::Layout;
use aureole_tests::eventually;

use crate::story::{calm, clients, ends_well, rounds};

/// What a process may take to end well.
const END: Duration = Duration::from_secs(30);

/// Drains in one round. Ten rounds are two hundred.
const DRAINS: usize = 20;

#[tokio::test]
async fn twenty_drains_end_well_and_no_lease_runs_out() -> anyhow::Result<()> {
    let layout = Layout {
        // Longer than anything here is waited for: a task that is not handed back is missed.
        lease_ms: 600_000,
        ..Layout::default()
    };
    rounds(layout, async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
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
        ends_well(cluster, &recorded).await
    })
    .await
}

#[tokio::test]
async fn a_coordinator_that_ended_leaves_its_ports_and_its_leadership() -> anyhow::Result<()> {
    rounds(Layout::default(), async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
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
        ends_well(cluster, &recorded).await
    })
    .await
}
