//! A cluster as `aureole dev --nodes 3 --workers 2` runs it: five processes with TLS between them,
//! proofs through a follower, and again after the leader was killed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use aureole_client::Client;
use aureole_client::rest::{PluginState, Task, TaskState};
use aureole_tests::{binary, eventually, merkle_input, params_dir, plugin};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// The longest wait of one request.
const WAIT: Duration = Duration::from_secs(60);

/// The processes and what they said of themselves; gone when dropped.
struct Cluster {
    parent: Child,
    ready: Value,
}

impl Cluster {
    fn start(folder: &Path) -> anyhow::Result<Self> {
        let mut parent = Command::new(binary()?)
            .args([
                "--output",
                "json",
                "dev",
                "--nodes",
                "3",
                "--workers",
                "2",
                "--log",
                "warn",
            ])
            .arg("--data-dir")
            .arg(folder)
            .arg("--params-dir")
            .arg(params_dir()?)
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = parent.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let ready = serde_json::from_str(&line).with_context(|| format!("not ready: {line}"))?;
        Ok(Self { parent, ready })
    }

    fn text(&self, index: usize, key: &str) -> anyhow::Result<&str> {
        let value = &self.ready["processes"][index][key];
        value
            .as_str()
            .with_context(|| format!("process {index} has no {key}"))
    }

    fn client(&self, index: usize) -> anyhow::Result<Client> {
        let admin = self.ready["admin"].as_str().context("no admin")?;
        let key = std::fs::read_to_string(Path::new(admin).join("admin.key"))?;
        Ok(Client::new(self.text(index, "url")?)?.with_key(&key))
    }

    /// Who leads, as the coordinators other than one say; the index among the processes.
    async fn leader(&self, asked: usize, but: Option<usize>) -> anyhow::Result<usize> {
        eventually("a leader", || async {
            let status = Command::new(binary()?)
                .args(["--output", "json", "cluster", "status", "--coordinator"])
                .arg(self.text(asked, "internal")?)
                .arg("--admin")
                .arg(self.ready["admin"].as_str().unwrap_or_default())
                .output()?;
            let status: Value = serde_json::from_slice(&status.stdout).unwrap_or_default();
            let leader = status["leader"]
                .as_u64()
                .and_then(|id| usize::try_from(id - 1).ok());
            Ok(leader.filter(|leader| Some(*leader) != but))
        })
        .await
    }

    fn kill(&self, index: usize) -> anyhow::Result<()> {
        let pid = self.ready["processes"][index]["pid"]
            .as_i64()
            .context("no pid")?;
        let pid = Pid::from_raw(i32::try_from(pid)?).context("no pid")?;
        Ok(kill_process(pid, Signal::KILL)?)
    }

    fn stop(&mut self) -> anyhow::Result<bool> {
        let pid = Pid::from_raw(i32::try_from(self.parent.id())?).context("no pid")?;
        kill_process(pid, Signal::TERM)?;
        Ok(self.parent.wait()?.success())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // One that has stopped needs no signal; the processes below it are stopped by it.
        if let Ok(None) = self.parent.try_wait() {
            let _ = self.stop();
        }
    }
}

async fn proved(client: &Client) -> anyhow::Result<Task> {
    let task = client.submit_to("merkle", &merkle_input()).await?;
    let task = client.task(&task.id, WAIT).await?;
    ensure!(
        task.state == TaskState::Done,
        "{:?}: {:?}",
        task.state,
        task.error
    );
    ensure!(!client.proof(&task.id).await?.is_empty());
    Ok(task)
}

#[tokio::test]
async fn a_cluster_proves_through_a_follower_and_goes_on_without_its_leader() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let mut cluster = Cluster::start(folder.path())?;
    let leader = cluster.leader(0, None).await?;
    let follower = (leader + 1) % 3;
    let client = cluster.client(follower)?;
    let component = plugin("merkle")?.into();
    let (merkle, _) = client.upload_plugin(component, WAIT, |_, _| {}).await?;
    ensure!(merkle.state == PluginState::Ready, "{:?}", merkle.problem);
    let before = proved(&client).await?;

    cluster.kill(leader)?;
    let after = proved(&client).await?;
    let next = cluster.leader(follower, Some(leader)).await?;
    let other = cluster.client(3 - leader - follower)?;
    for task in [&before, &after] {
        ensure!(other.task(&task.id, Duration::ZERO).await?.state == TaskState::Done);
    }
    ensure!(next != leader);
    ensure!(cluster.stop()?, "a process had to be killed");
    Ok(())
}
