//! What operators do to a cluster that works: look at it, collect, hand leadership over, lose a
//! leader, add and remove members, let processes join by a token. By the real binary, over TLS.
#![allow(
    clippy::indexing_slicing,
    reason = "a missing field of a document is null, which fails the comparison"
)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use aureole_client::rest::{Task, TaskState};
use aureole_client::{Client, TaskQuery};
use aureole_tests::cluster::{Cluster, Layout};
use aureole_tests::{ACCESS, binary, client, eventually, params_dir, preimage_input};
use serde_json::Value;

/// The longest wait of one request.
const WAIT: Duration = Duration::from_secs(60);

/// How long a leader that stands still is left with a submission before it is killed.
const IN_HAND: Duration = Duration::from_millis(200);

/// What a process may take to end well.
const END: Duration = Duration::from_secs(30);

/// Runs the binary; its standard output, or what it said to standard error.
fn aureole(arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(binary()?).args(arguments).output()?;
    ensure!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs a verb of `aureole cluster` beside a member, as its operator.
fn beside(cluster: &Cluster, name: &str, verb: &[&str]) -> anyhow::Result<Value> {
    let config = cluster.server(name)?.config();
    let config = config.display().to_string();
    let mut arguments = vec!["--output", "json", "cluster"];
    arguments.extend(verb);
    arguments.extend(["--config", &config]);
    Ok(serde_json::from_str(&aureole(&arguments)?)?)
}

fn id(name: &str) -> &str {
    name.trim_start_matches('c')
}

/// Coordinators that do not lead.
async fn followers(cluster: &Cluster) -> anyhow::Result<(String, Vec<String>)> {
    let leader = cluster.leader().await?;
    let others = cluster.coordinators().into_iter();
    let others = others.filter(|name| *name != leader).collect();
    Ok((leader, others))
}

/// Joined processes are killed when dropped.
struct Joined(Child);

impl Joined {
    /// Starts a process that has a token and an address, and waits until it says that it is ready.
    fn start(role: &str, folder: &Path, join: &str, token: &Path) -> anyhow::Result<(Self, Value)> {
        let log = std::fs::File::create(folder.with_extension("log"))?;
        let config = folder.with_extension("toml");
        std::fs::write(&config, ACCESS)?;
        let mut process = Command::new(binary()?)
            .args(["--output", "json", "serve", "--listen", "127.0.0.1:0"])
            .arg("--config")
            .arg(&config)
            .args(["--role", role, "--join", join])
            .arg("--token-file")
            .arg(token)
            .arg("--data-dir")
            .arg(folder)
            .arg("--params-dir")
            .arg(params_dir()?)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let stdout = process.stdout.take().context("no output")?;
        let joined = Self(process);
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let log = || std::fs::read_to_string(folder.with_extension("log")).unwrap_or_default();
        let ready = serde_json::from_str(&line);
        let ready = ready.with_context(|| format!("{role} is not ready: {line} {}", log()))?;
        Ok((joined, ready))
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn finished(client: &Client, task: &Task) -> anyhow::Result<()> {
    let task = client.task(&task.id, WAIT).await?;
    ensure!(
        task.state == TaskState::Done,
        "{:?}: {:?}",
        task.state,
        task.error
    );
    Ok(())
}

/// Status as the leader and as a member sees it, and a collection that only looks.
async fn looks(cluster: &Cluster) -> anyhow::Result<()> {
    let (leader, others) = followers(cluster).await?;
    let follower = &others[0];
    let seen = beside(cluster, follower, &["status", "--local"])?;
    ensure!(seen["member"].to_string() == id(follower), "{seen}");
    let seen = beside(cluster, follower, &["status"])?;
    ensure!(seen["member"].to_string() == id(&leader), "{seen}");
    let members = seen["members"].as_array().context("no members")?;
    ensure!(members.len() == 3, "{seen}");
    ensure!(
        members.iter().all(|member| member["lag"].is_u64()),
        "{seen}"
    );

    let seen = eventually("every member to have what is referred to", || async {
        let seen = beside(cluster, follower, &["gc", "--dry-run"])?;
        let members = seen["members"].as_array().context("no members")?;
        ensure!(members.len() == 3, "{seen}");
        let some = |member: &Value| member["referenced"].as_u64() > Some(0);
        Ok(members.iter().all(some).then(|| seen.clone()))
    })
    .await?;
    ensure!(seen["dry_run"] == true, "{seen}");
    // Everything is young or referred to, so the real one removes nothing either.
    let seen = beside(cluster, follower, &["gc"])?;
    ensure!(seen["members"][2]["count"] == 0, "{seen}");
    Ok(())
}

/// Leadership goes where it is sent, and a wait that is held open at another gateway goes on.
async fn hands_over(cluster: &mut Cluster) -> anyhow::Result<()> {
    let (_, others) = followers(cluster).await?;
    let (next, gateway) = (&others[0], cluster.client(&others[1])?);
    cluster.server_mut("w1")?.stop(END)?;
    let task = gateway.submit_to("preimage", &preimage_input(7)).await?;
    let held = {
        let (gateway, task) = (gateway.clone(), task.clone());
        tokio::spawn(async move { finished(&gateway, &task).await })
    };
    beside(cluster, next, &["transfer-leader", id(next)])?;
    eventually("leadership to be handed over", || async {
        Ok((cluster.leader().await? == *next).then_some(()))
    })
    .await?;
    ensure!(!held.is_finished(), "the wait was not held open");
    cluster.start_server("w1")?;
    held.await?
}

/// A leader that stands still has a submission in its hands and is killed: the relay does it again
/// at the next one, and there is one task.
async fn relays(cluster: &mut Cluster) -> anyhow::Result<()> {
    let (leader, others) = followers(cluster).await?;
    let gateway = cluster.client(&others[0])?;
    let before = gateway.tasks(&TaskQuery::default()).await?.tasks.len();
    cluster.server(&leader)?.pause()?;
    let input = preimage_input(7);
    let mut submitted = std::pin::pin!(gateway.submit_to("preimage", &input));
    // Either it is in the leader's hands by then, or the others have elected another meanwhile.
    let early = tokio::time::timeout(IN_HAND, &mut submitted).await;
    cluster.server_mut(&leader)?.kill()?;
    let task = match early {
        Ok(task) => task?,
        Err(_) => submitted.await?,
    };
    finished(&gateway, &task).await?;
    let after = gateway.tasks(&TaskQuery::default()).await?.tasks;
    ensure!(after.len() == before + 1, "{before} tasks, then {after:?}");
    cluster.start_server(&leader)?;
    cluster.ready().await
}

/// A member is removed and, with an empty disk, added again.
async fn replaces(cluster: &mut Cluster) -> anyhow::Result<()> {
    let (leader, others) = followers(cluster).await?;
    let lost = &others[0];
    cluster.server_mut(lost)?.kill()?;
    cluster.server(lost)?.lose_disk()?;
    cluster.replace(lost).await?;
    let seen = beside(cluster, &leader, &["status"])?;
    ensure!(
        seen["members"].as_array().map(Vec::len) == Some(3),
        "{seen}"
    );
    Ok(())
}

/// A coordinator ends well when asked, comes back at the same ports as one that signs, and a worker
/// and a gateway join with nothing but its address and a token.
async fn enrols(cluster: &mut Cluster) -> anyhow::Result<()> {
    let authority = cluster.folder().join("cluster");
    let tls = authority.join("coordinator-1/tls");
    std::fs::copy(authority.join("ca.key"), tls.join("ca.key"))?;
    let config = cluster.server("c1")?.config();
    let text = std::fs::read_to_string(&config)?;
    let enrols = text.replacen("[tls]\n", "[tls]\nenrol = true\n", 1);
    ensure!(enrols != text, "no section of certificates");
    std::fs::write(&config, enrols)?;
    let took = cluster.server_mut("c1")?.stop(END)?;
    ensure!(took < END, "{took:?}");
    cluster.server_mut("w1")?.stop(END)?;
    cluster.start_server("c1")?;
    cluster.ready().await?;

    let status = beside(cluster, "c1", &["status"])?;
    let members = status["members"].as_array().context("no members")?;
    let first = members.iter().find(|member| member["id"] == 1);
    let join = first.and_then(|member| member["address"].as_str());
    let join = join.context("c1 has no address")?.to_owned();
    let dir = authority.display().to_string();
    let token = |role: &str| -> anyhow::Result<_> {
        let file = cluster.folder().join(format!("{role}.token"));
        let verb = ["cluster", "token", "new", "--ttl", "5m", "--dir", &dir];
        std::fs::write(&file, aureole(&[&verb[..], &["--role", role]].concat())?)?;
        Ok(file)
    };
    let (worker, gateway) = (token("worker")?, token("gateway")?);
    let folder = |name: &str| cluster.folder().join(name);
    let refused = Joined::start("worker", &folder("refused"), &join, &gateway);
    let refused = refused.err().context("a gateway's token made a worker")?;
    ensure!(
        refused.to_string().contains("token new --role worker"),
        "{refused}"
    );

    let (_worker, _) = Joined::start("worker", &folder("joined-worker"), &join, &worker)?;
    let (_gateway, ready) = Joined::start("gateway", &folder("joined-gateway"), &join, &gateway)?;
    let client = client(ready["url"].as_str().context("no url")?)?;
    // Only the worker that joined runs.
    let task = client.submit_to("preimage", &preimage_input(7)).await?;
    finished(&client, &task).await?;
    ensure!(!client.proof(&task.id).await?.is_empty());
    cluster.start_server("w1")
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_look_after_a_cluster_that_goes_on_working() -> anyhow::Result<()> {
    let layout = Layout {
        workers: 1,
        ..Layout::default()
    };
    let mut cluster = Cluster::with_plugins(layout, &["preimage"]).await?;
    let start = Instant::now();
    let told = |part: &str| eprintln!("{part} after {:?}", start.elapsed());
    looks(&cluster).await.context("looking")?;
    told("looked");
    hands_over(&mut cluster).await.context("handing over")?;
    told("handed over");
    relays(&mut cluster).await.context("relaying")?;
    told("relayed");
    replaces(&mut cluster).await.context("replacing")?;
    told("replaced");
    enrols(&mut cluster).await.context("enrolling")?;
    told("enrolled");
    for name in cluster.names() {
        cluster.server_mut(&name)?.stop(END)?;
    }
    told("stopped");
    Ok(())
}

/// The commands that a README shows in backticks, with this folder for `D`.
fn shown(readme: &str, folder: &str) -> Vec<Vec<String>> {
    let spans = readme.split('`').filter(|span| !span.contains('\n'));
    let commands = spans.filter_map(|span| span.strip_prefix("aureole "));
    commands
        .map(|command| {
            let words = command.split(' ').take_while(|word| *word != ">");
            words
                .map(|word| if word == "D" { folder } else { word }.to_owned())
                .collect()
        })
        .collect()
}

#[test]
fn the_commands_that_the_readme_shows_for_clusters_do_what_it_says() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let made = folder.path().join("cluster").display().to_string();
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let commands = shown(&std::fs::read_to_string(readme)?, &made);
    let run = |verb: &[&str]| -> anyhow::Result<String> {
        let fits = |command: &&Vec<String>| {
            command.len() > verb.len() && verb.iter().zip(*command).all(|(a, b)| a == b)
        };
        let command = commands.iter().find(fits);
        let command = command.with_context(|| format!("the README does not show {verb:?}"))?;
        aureole(&command.iter().map(String::as_str).collect::<Vec<_>>())
    };
    run(&["cluster", "init"])?;
    for name in ["coordinator-1", "coordinator-3", "worker-2"] {
        let config = Path::new(&made).join(name).join("node.toml");
        ensure!(config.exists(), "{name} has no configuration");
    }
    let token = run(&["cluster", "token", "new"])?;
    ensure!(token.starts_with("aureole-join-1."), "{token}");
    ensure!(token.lines().count() == 1, "{token}");
    let again = aureole(&["cluster", "token", "new", "--role", "admin", "--dir", &made]);
    let again = again
        .err()
        .context("an admin joined by a token")?
        .to_string();
    ensure!(again.contains("cluster certificate"), "{again}");
    Ok(())
}
