//! Links that are cut or slow: each process has a host of its own. Needs root; see the testkit's `Net`.
#![cfg(target_os = "linux")]

use std::time::Duration;

use anyhow::Context as _;
use aureole_tests::cluster::{Cluster, Habits, Layout, Traffic};
use aureole_tests::{PATIENCE, eventually, http, preimage_input};
use serde_json::json;

use crate::story::{calm, clients, ends_well, rounds};

/// What a link between two continents takes, and what it differs by.
const FAR: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(30));

/// Longer than a gateway waits for a leader.
const ANSWER: Duration = PATIENCE;

fn layout() -> Layout {
    Layout {
        network: true,
        ..Layout::default()
    }
}

/// The hosts of all but some coordinators.
fn others(cluster: &Cluster, but: &[&str]) -> anyhow::Result<Vec<u8>> {
    let names = cluster.names();
    let names = names.iter().filter(|name| !but.contains(&name.as_str()));
    names.map(|name| cluster.host(name)).collect()
}

/// Looks that a gateway that is cut off refuses reads and writes and says to come back.
fn refuses(cluster: &Cluster, name: &str, task: &str) -> anyhow::Result<()> {
    let url = cluster.url(name)?;
    let body = json!({"plugin": "preimage", "input": preimage_input(1)}).to_string();
    let json = [("content-type", "application/json")];
    let asked = [
        http::send_within(
            ANSWER,
            url,
            "GET",
            &format!("/api/v1/tasks/{task}"),
            &[],
            b"",
        )?,
        http::send_within(ANSWER, url, "POST", "/api/v1/tasks", &json, body.as_bytes())?,
    ];
    for answer in asked {
        assert_eq!(answer.status, 503, "{:?}", answer.json());
        assert!(
            answer.header("retry-after").is_some(),
            "it does not say when to come back"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_minority_network_with_the_leader_in_it_refuses_and_the_majority_goes_on()
-> anyhow::Result<()> {
    rounds(layout(), async |cluster, random| {
        // The same submissions come again below, and must not find or make a task that was cancelled.
        let habits = |submissions| Habits {
            cancel_one_in: 0,
            ..calm(submissions)
        };
        let first = clients(cluster, habits(10), random).finish()?;
        let leader = cluster.leader().await?;
        let (alone, rest) = (cluster.host(&leader)?, others(cluster, &[&leader])?);
        cluster.net()?.partition(&[&[alone], &rest])?;
        let majority = cluster
            .coordinators()
            .into_iter()
            .filter(|name| *name != leader);
        let urls: Result<Vec<String>, _> = majority
            .map(|name| cluster.url(&name).map(str::to_owned))
            .collect();
        let recorded = Traffic::start(urls?, habits(15), random).finish()?;
        assert_ne!(cluster.leader().await?, leader, "the minority leads");
        let task = first
            .acknowledged
            .values()
            .next()
            .expect("ten were acknowledged");
        refuses(cluster, &leader, &task.id)?;
        cluster.net()?.heal()?;
        ends_well(cluster, &first).await?;
        // The same numbers under the same keys: the second round's tasks are the first's and more.
        ends_well(cluster, &recorded).await
    })
    .await
}

#[tokio::test]
async fn a_minority_network_without_the_leader_refuses_and_the_majority_goes_on()
-> anyhow::Result<()> {
    rounds(layout(), async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
        traffic.goes_on(5).await?;
        let follower = cluster.follower().await?;
        let (alone, rest) = (cluster.host(&follower)?, others(cluster, &[&follower])?);
        cluster.net()?.partition(&[&[alone], &rest])?;
        traffic.goes_on(15).await?;
        let task = traffic.some_task().context("nothing is acknowledged")?;
        refuses(cluster, &follower, &task)?;
        cluster.net()?.heal()?;
        traffic.goes_on(5).await?;
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}

#[tokio::test]
async fn a_network_of_five_goes_on_without_two_of_whom_one_led() -> anyhow::Result<()> {
    let layout = Layout {
        coordinators: 5,
        ..layout()
    };
    rounds(layout, async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
        traffic.goes_on(5).await?;
        let leader = cluster.leader().await?;
        let mut followers = cluster.coordinators().into_iter();
        let follower = followers.find(|name| *name != leader);
        let follower = follower.context("the leader is alone")?;
        // Two who hear each other and are too few: a leader with one follower must not go on.
        let minority = [cluster.host(&leader)?, cluster.host(&follower)?];
        let majority = others(cluster, &[&leader, &follower])?;
        cluster.net()?.partition(&[&minority, &majority])?;
        let next = eventually("a leader among three", || async {
            let now = cluster.leader().await?;
            Ok((now != leader).then_some(now))
        })
        .await?;
        assert_ne!(next, follower, "one of the minority leads");
        traffic.goes_on(15).await?;
        let task = traffic.some_task().context("nothing is acknowledged")?;
        refuses(cluster, &leader, &task)?;
        refuses(cluster, &follower, &task)?;
        cluster.net()?.heal()?;
        traffic.goes_on(5).await?;
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}

#[tokio::test]
async fn a_slow_network_between_the_leader_and_a_follower_loses_nothing() -> anyhow::Result<()> {
    rounds(layout(), async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
        traffic.goes_on(5).await?;
        let leader = cluster.leader().await?;
        let mut followers = cluster.coordinators().into_iter();
        let follower = followers.find(|name| *name != leader);
        let follower = follower.context("the leader is alone")?;
        let (one, other) = (cluster.host(&leader)?, cluster.host(&follower)?);
        let (delay, jitter) = FAR;
        cluster
            .net()?
            .delay(one, other, delay, jitter, random.fork())?;
        traffic.goes_on(30).await?;
        let held = cluster.net()?.held_back();
        eprintln!("{held} frames between {leader} and {follower} came late");
        assert!(held > 0, "no frame came late");
        cluster.net()?.heal()?;
        traffic.goes_on(5).await?;
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}

#[tokio::test]
async fn an_asymmetric_network_leaves_one_leader_that_a_majority_follows() -> anyhow::Result<()> {
    rounds(layout(), async |cluster, random| {
        let traffic = clients(cluster, calm(u64::MAX), random);
        traffic.goes_on(5).await?;
        let leader = cluster.leader().await?;
        let from = cluster.host(&leader)?;
        // What the leader sends reaches no member; what they send reaches it.
        for name in cluster
            .coordinators()
            .into_iter()
            .filter(|name| *name != leader)
        {
            let to = cluster.host(&name)?;
            cluster.net()?.cut(from, to)?;
        }
        let other = eventually("another leader", || async {
            let now = cluster.leader().await?;
            Ok((now != leader).then_some(now))
        })
        .await?;
        eprintln!("{leader} was heard no more, {other} leads");
        traffic.goes_on(10).await?;
        cluster.net()?.heal()?;
        // Two members that do not see each other, and both see the third.
        let leader = cluster.leader().await?;
        let follower = cluster.follower().await?;
        let (from, to) = (cluster.host(&leader)?, cluster.host(&follower)?);
        cluster.net()?.cut(from, to)?;
        cluster.net()?.cut(to, from)?;
        traffic.goes_on(5).await?;
        cluster.net()?.heal()?;
        let recorded = traffic.stop()?;
        ends_well(cluster, &recorded).await
    })
    .await
}
