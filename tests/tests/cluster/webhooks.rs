//! Events over the death of leaders: each is told at least once, and each is signed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use aureole_client::rest::WebhookRequest;
use aureole_tests::cluster::Layout;
use aureole_tests::{Receiver, eventually};
use aureole_webhooks::{SigningKey, verify};

use crate::story::{calm, clients, ends_well, rounds};

#[tokio::test]
async fn every_end_of_a_task_is_told_although_leaders_die() -> anyhow::Result<()> {
    let receiver = Receiver::answering(503)?;
    let layout = Layout {
        services: Receiver::config(&[&receiver], 600_000),
        ..Layout::default()
    };
    rounds(layout, async |cluster, random| {
        // The receiver outlives a round: what it got in the last one is none of this one's.
        receiver.answer(503);
        let before = receiver.received().len();
        let first = cluster.leader().await?;
        let request = WebhookRequest {
            url: receiver.url(),
            events: None,
            public_inputs: true,
        };
        let webhook = cluster.client(&first)?.create_webhook(&request).await?;
        let secret = webhook.secret.context("no secret")?;
        let key = SigningKey::parse(&secret).context("another form of secret")?;
        let traffic = clients(cluster, calm(60), random);
        // Nothing is taken while the first leader lives, everything while the third does.
        traffic.goes_on(20).await?;
        eventually("attempts", || async {
            Ok((receiver.received().len() >= before + 3).then_some(()))
        })
        .await?;
        for _ in 0..2 {
            let leader = cluster.leader().await?;
            cluster.server_mut(&leader)?.kill()?;
            traffic.goes_on(10).await?;
            receiver.answer(200);
            cluster.start_server(&leader)?;
            cluster.ready().await?;
        }
        let recorded = traffic.finish()?;
        ends_well(cluster, &recorded).await?;
        let acknowledged = recorded.acknowledged.values();
        let tasks: BTreeSet<String> = acknowledged.map(|task| task.id.clone()).collect();
        let told = eventually("every event", || async {
            let mut told = BTreeMap::new();
            for received in receiver.received().into_iter().skip(before) {
                if received.status == 200 {
                    let event = received.event()?;
                    let task = event["data"]["id"].as_str().unwrap_or_default().to_owned();
                    told.insert(task, received);
                }
            }
            let all = tasks.iter().all(|task| told.contains_key(task));
            Ok(all.then_some(told))
        })
        .await?;
        for (task, received) in &told {
            let seconds = received.header("webhook-timestamp").parse()?;
            let id = received.header("webhook-id");
            let signature = received.header("webhook-signature");
            let signed = verify(&key, id, seconds, &received.body, signature);
            assert!(signed, "the event of {task} is signed by nobody");
        }
        let ids: BTreeSet<&str> = told
            .values()
            .map(|each| each.header("webhook-id"))
            .collect();
        assert_eq!(ids.len(), told.len(), "two events have one id");
        eprintln!(
            "{} events, {} requests at the receiver",
            told.len(),
            receiver.received().len() - before
        );
        Ok(())
    })
    .await
}
