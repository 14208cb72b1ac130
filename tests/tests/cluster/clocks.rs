//! A clock that jumps under the leader, forth and back: deadlines move, nothing else.
#![cfg(target_os = "linux")]

use aureole_tests::cluster::{Cluster, Layout};

use crate::story::{calm, clients, ends_well, rounds};

const HOUR_MS: i64 = 3_600_000;

/// How often a process has seen another time than it was.
fn wrong_looks(cluster: &Cluster, name: &str) -> anyhow::Result<u64> {
    Ok(cluster.server(name)?.faults()?.happened()?.clocks_shifted)
}

#[tokio::test]
async fn a_clock_that_jumps_under_the_leader_loses_and_doubles_nothing() -> anyhow::Result<()> {
    let layout = Layout {
        faults: true,
        ..Layout::default()
    };
    rounds(layout, async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
        for jump in [HOUR_MS, -2 * HOUR_MS, 0] {
            traffic.goes_on(5).await?;
            let leader = cluster.leader().await?;
            cluster.server(&leader)?.faults()?.shift_clock(jump)?;
            // Counted from here: it may be the one whose clock jumped before.
            let before = wrong_looks(cluster, &leader)?;
            traffic.goes_on(10).await?;
            assert!(
                jump == 0 || wrong_looks(cluster, &leader)? > before,
                "nobody looked at a clock that was shifted by {jump} ms"
            );
        }
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}
