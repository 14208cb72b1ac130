//! The ends of tasks are told to receivers: signed, again until they are taken, and nowhere inside.

use std::time::Duration;

use anyhow::Context as _;
use aureole_client::rest::{Delivery, DeliveryState, EventKind, Webhook, WebhookRequest};
use aureole_tests::{Node, Options, Received, Receiver, cli, eventually, plugin, preimage_input};
use aureole_webhooks::{SigningKey, verify};

/// Longer than any of these stories.
const NEVER_MS: u64 = 600_000;

/// A node that may send to a receiver.
async fn node_for(receiver: &Receiver, give_up_ms: u64) -> anyhow::Result<Node> {
    let node = Node::start_with(Options {
        config: Receiver::config(&[receiver], give_up_ms),
        ..Options::default()
    })?;
    node.upload(plugin("preimage")?).await?;
    Ok(node)
}

fn request(receiver: &Receiver) -> WebhookRequest {
    WebhookRequest {
        url: receiver.url(),
        events: None,
        public_inputs: false,
    }
}

/// What came, once there is so much of it.
async fn received(receiver: &Receiver, count: usize) -> anyhow::Result<Vec<Received>> {
    eventually("events at the receiver", || async {
        let received = receiver.received();
        Ok((received.len() >= count).then_some(received))
    })
    .await
}

fn is_signed(received: &Received, webhook: &Webhook) -> anyhow::Result<bool> {
    let secret = webhook.secret.as_deref().context("no secret")?;
    let key = SigningKey::parse(secret).context("another form of secret")?;
    Ok(verify(
        &key,
        received.header("webhook-id"),
        received.header("webhook-timestamp").parse()?,
        &received.body,
        received.header("webhook-signature"),
    ))
}

/// The one delivery, once it is as it should be.
async fn delivery(
    node: &Node,
    webhook: &Webhook,
    until: impl Fn(&Delivery) -> bool,
) -> anyhow::Result<Delivery> {
    let client = node.client()?;
    eventually("a delivery", || async {
        let list = client.deliveries(&webhook.id).await?;
        Ok(list.deliveries.into_iter().next().filter(&until))
    })
    .await
}

#[tokio::test]
async fn the_end_of_a_proof_is_told_signed_and_without_what_went_in() -> anyhow::Result<()> {
    let receiver = Receiver::answering(204)?;
    let node = node_for(&receiver, NEVER_MS).await?;
    let client = node.client()?;
    let webhook = client.create_webhook(&request(&receiver)).await?;
    let input = preimage_input(7);
    let task = client.submit_to("preimage", &input).await?;
    let told = received(&receiver, 1).await?.remove(0);
    assert!(is_signed(&told, &webhook)?);
    let event = told.event()?;
    assert_eq!(event["type"], "task.done");
    assert_eq!(event["data"]["id"], task.id.as_str());
    assert_eq!(event["data"]["plugin"], "preimage@0.1.0");
    let done = client.task(&task.id, Duration::ZERO).await?;
    let proof = done.proof.context("no proof")?;
    assert_eq!(event["data"]["proof"]["digest"], proof.digest.as_str());
    assert_eq!(event["data"]["proof"]["base64"], serde_json::Value::Null);
    assert_eq!(event["data"]["public_inputs"], serde_json::Value::Null);
    let text = String::from_utf8(told.body.clone())?;
    let secret = input["message"][1].as_str().context("no message")?;
    assert!(!text.contains(secret), "{text}");

    let settled = delivery(&node, &webhook, |at| at.state == DeliveryState::Delivered).await?;
    assert_eq!((settled.last_status, settled.attempts), (Some(204), 1));
    assert_eq!(settled.id, told.header("webhook-id"));
    client.replay(&webhook.id, &task.id).await?;
    let again = received(&receiver, 2).await?.remove(1);
    assert_eq!(again.header("webhook-id"), told.header("webhook-id"));
    assert_eq!(again.body, told.body);

    let tried = client.test_webhook(&webhook.id).await?;
    assert_eq!((tried.delivered, tried.status), (true, Some(204)));
    let test = received(&receiver, 3).await?.remove(2);
    assert!(is_signed(&test, &webhook)?);
    assert_eq!(test.event()?["type"], "test");
    client.delete_webhook(&webhook.id).await?;
    let error = client.replay(&webhook.id, &task.id).await.unwrap_err();
    assert_eq!(error.code(), Some("webhook.unknown"));
    Ok(())
}

#[tokio::test]
async fn an_event_waits_for_its_receiver_over_the_death_of_the_node() -> anyhow::Result<()> {
    let receiver = Receiver::answering(503)?;
    let mut node = node_for(&receiver, NEVER_MS).await?;
    let client = node.client()?;
    let mut wanted = request(&receiver);
    wanted.events = Some(vec![EventKind::Done]);
    let webhook = client.create_webhook(&wanted).await?;
    client.submit_to("preimage", &preimage_input(8)).await?;
    let waiting = delivery(&node, &webhook, |at| at.attempts >= 2).await?;
    assert_eq!(
        (waiting.state, waiting.last_status),
        (DeliveryState::Pending, Some(503))
    );
    assert!(waiting.next_attempt_at.is_some());
    node.kill()?;
    receiver.answer(200);
    node.restart()?;
    let settled = delivery(&node, &webhook, |at| at.state == DeliveryState::Delivered).await?;
    assert_eq!(settled.id, waiting.id, "an event keeps its id");
    let received = receiver.received();
    let last = received.last().context("nothing came")?;
    assert_eq!(last.status, 200);
    assert!(
        is_signed(last, &webhook)?,
        "the secret outlives the process"
    );
    Ok(())
}

#[tokio::test]
async fn an_event_that_nobody_takes_is_dead_until_it_is_replayed() -> anyhow::Result<()> {
    let receiver = Receiver::answering(500)?;
    let node = node_for(&receiver, 700).await?;
    let client = node.client()?;
    let webhook = client.create_webhook(&request(&receiver)).await?;
    let task = client.submit_to("preimage", &preimage_input(9)).await?;
    let dead = delivery(&node, &webhook, |at| at.state == DeliveryState::Dead).await?;
    assert_eq!(dead.last_status, Some(500));
    assert_eq!(dead.last_failure.as_deref(), Some("status"));
    receiver.answer(200);
    client.replay(&webhook.id, &task.id).await?;
    delivery(&node, &webhook, |at| at.state == DeliveryState::Delivered).await?;
    Ok(())
}

#[tokio::test]
async fn a_url_that_leads_inside_is_refused_and_so_is_one_too_many() -> anyhow::Result<()> {
    let receiver = Receiver::answering(200)?;
    let node = node_for(&receiver, NEVER_MS).await?;
    let client = node.client()?;
    let allowed = receiver.url();
    let port = allowed
        .split(':')
        .nth(2)
        .and_then(|rest| rest.split('/').next());
    let port = port.context("no port")?;
    let at = |host: &str| format!("https://{host}:{port}/");
    let long = format!("{}{}", at("a.example"), "x".repeat(10_000));
    for url in [
        "file:///etc/passwd".to_owned(),
        format!("gopher://127.0.0.1:{port}/"),
        at("user:pass@a.example"),
        at("169.254.169.254"),
        at("[::ffff:127.0.0.1]"),
        at("[fd00::1]"),
        at("0xa000001"),
        at("10.1"),
        "http://127.0.0.1:22/".to_owned(),
        "https://127.0.0.1/".to_owned(),
        format!("http://1.1.1.1:{port}/"),
        long,
    ] {
        let asked = WebhookRequest {
            url,
            ..request(&receiver)
        };
        let error = client.create_webhook(&asked).await.unwrap_err();
        assert_eq!(error.code(), Some("webhook.url_denied"), "{}", asked.url);
        let path = error.problem().and_then(|problem| problem.path());
        assert_eq!(path, Some("/url"));
    }
    assert!(client.webhooks().await?.webhooks.is_empty());
    assert!(receiver.received().is_empty());
    for _ in 0..16 {
        client.create_webhook(&request(&receiver)).await?;
    }
    // Its name leads nowhere, which nobody asks any more.
    let asked = WebhookRequest {
        url: at("nowhere.invalid"),
        ..request(&receiver)
    };
    let error = client.create_webhook(&asked).await.unwrap_err();
    assert_eq!(error.code(), Some("webhook.limit"));
    Ok(())
}

#[tokio::test]
async fn a_node_that_is_not_told_to_sends_nothing() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    let receiver = Receiver::answering(200)?;
    let error = node.client()?.create_webhook(&request(&receiver)).await;
    assert_eq!(error.unwrap_err().code(), Some("webhook.off"));
    Ok(())
}

#[tokio::test]
async fn the_command_line_makes_tries_shows_replays_and_ends_webhooks() -> anyhow::Result<()> {
    let receiver = Receiver::answering(200)?;
    let node = node_for(&receiver, NEVER_MS).await?;
    let folder = tempfile::tempdir()?;
    let run = |arguments: &[&str]| cli::aureole(Some(node.url()), folder.path(), arguments);
    let json = |arguments: &[&str]| run(&[arguments, &["--output", "json"]].concat())?.json();
    let url = receiver.url();
    let made = json(&["webhook", "create", &url, "--event", "task.done"])?;
    let id = made["id"].as_str().context("no id")?.to_owned();
    assert!(
        made["secret"]
            .as_str()
            .is_some_and(|secret| secret.starts_with("whsec_"))
    );
    let shown = run(&["webhook", "show", &id])?.text()?;
    assert!(
        shown.contains("task.done") && !shown.contains("whsec_"),
        "{shown}"
    );
    assert!(run(&["webhook", "list"])?.text()?.contains(&url));
    assert!(
        run(&["webhook", "test", &id])?
            .text()?
            .contains("took it (200")
    );
    let task = node
        .client()?
        .submit_to("preimage", &preimage_input(10))
        .await?;
    received(&receiver, 2).await?;
    let told = eventually("the delivery", || async {
        let text = run(&["webhook", "deliveries", &id])?.text()?;
        Ok(text.contains("delivered").then_some(text))
    })
    .await?;
    assert!(told.contains(&task.id), "{told}");
    run(&["webhook", "replay", &id, &task.id])?.text()?;
    received(&receiver, 3).await?;
    receiver.answer(500);
    let failed = run(&["webhook", "test", &id])?;
    assert_eq!(failed.code, Some(1), "{}", failed.stdout);
    assert!(
        run(&["webhook", "delete", &id])?
            .text()?
            .contains("is gone")
    );
    let unknown = run(&["webhook", "show", &id])?;
    assert!(
        unknown.stderr.contains("webhook.unknown"),
        "{}",
        unknown.stderr
    );
    let wrong = run(&["webhook", "create", &url, "--event", "task.begun"])?;
    assert!(wrong.stderr.contains("task.cancelled"), "{}", wrong.stderr);
    Ok(())
}
