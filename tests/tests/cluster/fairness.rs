//! Promise P20 on real processes: a tenant with a thousand tasks waiting delays another tenant's first
//! task by one that is running, and by no more.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use aureole_client::rest::{Role, Sharing, Task, TaskState};
use aureole_client::{Client, TaskQuery};
use aureole_tests::cluster::{Cluster, Layout};
use aureole_tests::{client_of, preimage_input};
use tokio::task::JoinSet;

/// Tasks that wait when the others come.
const FLOOD: u64 = 1_000;

/// Submissions at a time.
const AT_A_TIME: u64 = 32;

/// Tenants who come with one task each.
const GUESTS: usize = 10;

/// What a lease takes beside the end of a proof: a tick of the planner and a commit, on a machine
/// whose cores are taken.
const LEASE: Duration = Duration::from_millis(1_500);

/// How long a proof may be waited for in one request.
const WAIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_thousand_tasks_of_one_tenant_delay_ten_others_first_by_one_running_task_each()
-> anyhow::Result<()> {
    let layout = Layout {
        alone: true,
        ..Layout::default()
    };
    let cluster = Cluster::with_plugins(layout, &["preimage"]).await?;
    let told = flooded(&cluster).await;
    told.with_context(|| cluster.shown_logs())
}

async fn flooded(cluster: &Cluster) -> anyhow::Result<()> {
    let url = cluster.url("c1")?;
    let admin = cluster.client("c1")?;
    admin.share_plugin("preimage", &Sharing::Public).await?;
    let flood = client_of(url, "flood", Role::Submitter).await?;
    let mut clients = JoinSet::new();
    for first in 0..AT_A_TIME {
        let flood = flood.clone();
        clients.spawn(async move {
            for number in (first..FLOOD).step_by(usize::try_from(AT_A_TIME)?) {
                flood.submit_to("preimage", &preimage_input(number)).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(submitted) = clients.join_next().await {
        submitted??;
    }
    let mut guests = Vec::new();
    for guest in 0..GUESTS {
        let client = client_of(url, &format!("guest-{guest}"), Role::Submitter).await?;
        let task = client.submit_to("preimage", &preimage_input(7)).await?;
        guests.push(client.task(&task.id, WAIT).await?);
    }
    let running = all(&flood).await?;
    let queued = running
        .iter()
        .filter(|task| task.state == TaskState::Queued)
        .count();
    ensure!(queued > 0, "the flood was over before the guests came");
    let longest = running
        .iter()
        .filter_map(duration)
        .max()
        .context("no proof ended")?;
    for task in &guests {
        ensure!(task.state == TaskState::Done, "{:?}", task.error);
        let leased = leased_at(task).context("it was never leased")?;
        let waited = Duration::from_millis(leased.saturating_sub(task.submitted_at.millis()));
        let before = |at: &u64| (task.submitted_at.millis() + 1..leased).contains(at);
        let passed = running.iter().filter_map(leased_at).filter(before).count();
        eprintln!(
            "{}: waited {waited:?}, {passed} of the flood began meanwhile",
            task.tenant
        );
        ensure!(
            waited <= longest + LEASE,
            "waited {waited:?}, a proof takes {longest:?}"
        );
        // A lease that was on its way to the log when the task came may be committed before it, one on
        // each worker.
        ensure!(passed <= 2, "{passed} tasks of the flood began before it");
    }
    eprintln!("{queued} of {FLOOD} were still queued; the longest proof took {longest:?}");
    Ok(())
}

/// Every task of a tenant.
async fn all(client: &Client) -> anyhow::Result<Vec<Task>> {
    let mut tasks = Vec::new();
    let mut query = TaskQuery {
        limit: Some(200),
        ..TaskQuery::default()
    };
    loop {
        let page = client.tasks(&query).await?;
        tasks.extend(page.tasks);
        match page.next {
            Some(next) => query.before = Some(next),
            None => return Ok(tasks),
        }
    }
}

fn leased_at(task: &Task) -> Option<u64> {
    task.attempts
        .first()
        .map(|attempt| attempt.leased_at.millis())
}

fn duration(task: &Task) -> Option<Duration> {
    let attempt = task.attempts.first()?;
    let ended = attempt.ended_at?.millis();
    Some(Duration::from_millis(
        ended.saturating_sub(attempt.leased_at.millis()),
    ))
}
