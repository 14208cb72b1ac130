//! A copy of all coordinators, taken while they run, brings a cluster back of which everything is lost.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::ensure;
use aureole_tests::cluster::{Habits, Layout};

use crate::story::{calm, clients, ends_well, rounds};

/// Runs one of the operator's scripts and returns what it prints.
fn script(name: &str, arguments: &[String]) -> anyhow::Result<String> {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deployments/scripts");
    let ran = Command::new(scripts.join(name)).args(arguments).output()?;
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let why = String::from_utf8_lossy(&ran.stderr);
    ensure!(ran.status.success(), "{name} {arguments:?}: {said}{why}");
    Ok(said)
}

#[tokio::test]
async fn a_copy_of_a_running_cluster_brings_back_all_that_it_had() -> anyhow::Result<()> {
    rounds(Layout::default(), async |cluster, random| {
        let recorded = clients(cluster, calm(20), random).finish()?;
        // Others go on meanwhile, so that there is something half done in what is copied.
        let habits = Habits {
            cancel_one_in: 0,
            ..calm(u64::MAX)
        };
        let others = clients(cluster, habits, random);
        others.goes_on(25).await?;

        let backup = cluster.folder().join("backup").display().to_string();
        let mut arguments = vec!["--running".to_owned(), backup.clone()];
        for name in cluster.coordinators() {
            let folder = cluster.server(&name)?.data_dir();
            arguments.push(format!("{name}={}", folder.display()));
        }
        let said = script("backup.sh", &arguments)?;
        ensure!(said.contains("3 coordinators were paused"), "{said}");
        others.goes_on(5).await?;
        others.stop()?;

        for name in cluster.coordinators() {
            cluster.server_mut(&name)?.kill()?;
            cluster.server(&name)?.lose_disk()?;
        }
        let back = cluster.folder().join("back");
        script("restore.sh", &[backup, back.display().to_string()])?;
        for name in cluster.coordinators() {
            fs::rename(back.join(&name), cluster.server(&name)?.data_dir())?;
            cluster.start_server(&name)?;
        }
        cluster.ready().await?;
        ends_well(cluster, &recorded).await
    })
    .await
}
