//! Promise P1: what was acknowledged outlives the loss of any one coordinator with its disk, over and
//! over, plugins as well as tasks.
//!
//! Nobody proves meanwhile, so that writes come as fast as the coordinators take them, and nothing is
//! there but what was acknowledged.

use std::collections::BTreeSet;

use aureole_tests::cluster::{Cluster, Habits, Layout, Recorded};
use aureole_tests::{Random, http, plugin, preimage_input};
use serde_json::json;

use crate::story::{clients, number_of_rounds, rounds};

/// Tasks that are acknowledged in a round, and disks that are lost, each with a plugin uploaded just
/// before. Ten of several rounds are the ten thousand and the thirty that are promised.
const SEVERAL: (u64, u64) = (1_000, 3);

/// The same of a round that is the only one.
const ONE: (u64, u64) = (200, 2);

/// A component that nobody has uploaded yet: a good one with a section that means nothing.
fn another_component(random: &mut Random) -> anyhow::Result<Vec<u8>> {
    let mut component = plugin("preimage")?;
    // A custom section: its kind, its length, its name, its content.
    component.extend([0, 37, 4]);
    component.extend(b"more");
    component.extend(random.element());
    Ok(component)
}

/// Uploads a component through some gateway and returns where it is to be found.
fn upload(cluster: &Cluster, random: &mut Random) -> anyhow::Result<String> {
    let urls = cluster.urls();
    let url = random.one_of(&urls).map(String::as_str).unwrap_or_default();
    let headers = [
        ("content-type", "application/wasm"),
        ("prefer", "respond-async"),
    ];
    let component = another_component(random)?;
    let answer = http::send(url, "POST", "/api/v1/plugins?wait=0s", &headers, &component)?;
    anyhow::ensure!(
        answer.status < 300,
        "{}: {:?}",
        answer.status,
        answer.json()
    );
    let digest = answer.json()?["digest"].as_str().map(str::to_owned);
    digest.ok_or_else(|| anyhow::anyhow!("no digest in {:?}", answer.json()))
}

/// Looks through all gateways that everything acknowledged is there, and that it is what was sent.
fn all_there(
    cluster: &Cluster,
    recorded: &Recorded,
    plugins: &BTreeSet<String>,
) -> anyhow::Result<()> {
    let urls = cluster.urls();
    for url in &urls {
        for digest in plugins {
            let shown = http::get(url, &format!("/api/v1/plugins/{digest}"))?;
            anyhow::ensure!(
                shown.status == 200,
                "plugin {digest} is lost: {:?}",
                shown.json()
            );
        }
    }
    for ((number, acknowledged), url) in recorded.acknowledged.iter().zip(urls.iter().cycle()) {
        let shown = http::get(url, &format!("/api/v1/tasks/{}", acknowledged.id))?;
        anyhow::ensure!(
            shown.status == 200,
            "task {number} is lost: {:?}",
            shown.json()
        );
        assert_eq!(shown.json()?["state"], "queued", "nobody works");
        // The same request under its key is the same task only if the request is known. Each is a
        // write again, so some of them are asked.
        if number % 8 > 0 {
            continue;
        }
        let body = json!({"plugin": "preimage", "input": preimage_input(*number)}).to_string();
        let key = format!("submission-{number}");
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", key.as_str()),
        ];
        let again = http::send(url, "POST", "/api/v1/tasks", &headers, body.as_bytes())?;
        assert_eq!(again.json()?["id"], acknowledged.id.as_str());
    }
    recorded.history.check()?;
    Ok(())
}

#[tokio::test]
async fn what_was_acknowledged_outlives_disk_after_disk() -> anyhow::Result<()> {
    let layout = Layout {
        workers: 1,
        ..Layout::default()
    };
    let (tasks, losses) = if number_of_rounds()? > 1 {
        SEVERAL
    } else {
        ONE
    };
    rounds(layout, async |cluster, random| {
        cluster.server_mut("w1")?.kill()?;
        let habits = Habits {
            clients: 8,
            submissions: tasks,
            cancel_one_in: 0,
            look_one_in: 16,
            ..Habits::default()
        };
        let traffic = clients(cluster, habits, random);
        let mut plugins = BTreeSet::new();
        let names = cluster.coordinators();
        for loss in 1..=losses {
            plugins.insert(upload(cluster, random)?);
            traffic.goes_on(tasks / (losses + 1)).await?;
            let lost = random
                .one_of(&names)
                .map(String::as_str)
                .unwrap_or_default();
            cluster.server_mut(lost)?.kill()?;
            cluster.server(lost)?.lose_disk()?;
            cluster.replace(lost).await?;
            // Another disk may be lost when this one has everything again.
            traffic.hold(true);
            cluster.repaired().await?;
            traffic.hold(false);
            let acknowledged = traffic.acknowledged();
            eprintln!("loss {loss}: {lost}, after {acknowledged} tasks");
        }
        let recorded = traffic.finish()?;
        assert_eq!(recorded.acknowledged.len() as u64, tasks);
        all_there(cluster, &recorded, &plugins)?;
        Ok(())
    })
    .await
}
