//! Restarts on purpose, one process after the other, while tasks flow.
//!
//! The binary is the same before and after: there is no released version to come from yet.

use std::time::Duration;

use aureole_tests::cluster::Layout;

use crate::story::{calm, clients, cluster, ends_well, rounds};

/// What a process may take to end well.
const END: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_rolling_restart_loses_nothing_and_nobody_waits_for_an_election_twice()
-> anyhow::Result<()> {
    rounds(async |random| {
        let mut cluster = cluster(Layout::default()).await?;
        let traffic = clients(&cluster, calm(u64::MAX), random);
        for name in cluster.names() {
            traffic.goes_on(5).await?;
            let took = cluster.server_mut(&name)?.stop(END)?;
            eprintln!("{name} ended well in {took:?}");
            cluster.start_server(&name)?;
            cluster.ready().await?;
        }
        traffic.goes_on(5).await?;
        let recorded = traffic.stop()?;
        ends_well(&mut cluster, &recorded).await
    })
    .await
}
