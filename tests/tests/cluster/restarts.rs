//! Restarts on purpose, one process after the other, while tasks flow: to another version, and back.
//!
//! There is no released version to come from yet: the other one is this build with another number in
//! its executable. What stands on disk and goes over the wire is the same in both.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use aureole_tests::cluster::Layout;
use aureole_tests::{another_version, binary};

use crate::story::{calm, clients, ends_well, rounds};

/// What a process may take to end well.
const END: Duration = Duration::from_secs(30);

/// The version that an executable says it is.
fn version(executable: &Path) -> anyhow::Result<String> {
    let output = Command::new(executable).arg("--version").output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[tokio::test]
async fn a_rolling_restart_to_another_version_and_back_loses_nothing() -> anyhow::Result<()> {
    rounds(Layout::default(), async |cluster, random| {
        let (path, theirs) = another_version(&cluster.folder().canonicalize()?)?;
        assert_eq!(version(&path)?, format!("aureole {theirs}"));
        assert_ne!(version(&path)?, version(&binary()?)?);
        let traffic = clients(cluster, calm(u64::MAX), random);
        for (to, runs) in [(Some(path.clone()), path), (None, binary()?)] {
            for name in cluster.names() {
                traffic.goes_on(5).await?;
                let server = cluster.server_mut(&name)?;
                assert_ne!(server.executable()?, runs);
                let took = server.stop(END)?;
                server.switch_to(to.clone());
                eprintln!("{name} ended well in {took:?}");
                cluster.start_server(&name)?;
                cluster.ready().await?;
                // From the first to the last of them the versions are mixed.
                assert_eq!(cluster.server(&name)?.executable()?, runs);
            }
        }
        traffic.goes_on(5).await?;
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}
