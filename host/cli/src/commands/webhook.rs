//! `aureole webhook`: create, list, show, delete, test, deliveries, replay.

use std::process::ExitCode;

use aureole_client::rest::{Delivery, DeliveryList, Webhook as View, WebhookRequest, WebhookTest};

use super::Context;
use crate::arguments::Webhook;
use crate::print;

/// Runs the verb.
pub(crate) async fn run(context: &Context, verb: Webhook) -> anyhow::Result<ExitCode> {
    let (client, output) = (context.client()?, context.output);
    match verb {
        Webhook::Create {
            receiver,
            events,
            public_inputs,
        } => {
            let request = WebhookRequest {
                url: receiver,
                events: (!events.is_empty()).then_some(events),
                public_inputs,
            };
            print::result(output, &client.create_webhook(&request).await?, show)?;
        }
        Webhook::List => {
            let list = client.webhooks().await?;
            print::result(output, &list, |list| list.webhooks.iter().for_each(brief))?;
        }
        Webhook::Show { id } => print::result(output, &client.webhook(&id).await?, show)?,
        Webhook::Delete { id } => {
            client.delete_webhook(&id).await?;
            print::result(output, &serde_json::json!({"deleted": id}), |_| {
                print::line(format_args!("{id} is gone"));
            })?;
        }
        Webhook::Test { id } => {
            let tried = client.test_webhook(&id).await?;
            print::result(output, &tried, test)?;
            if !tried.delivered {
                return Ok(ExitCode::FAILURE);
            }
        }
        Webhook::Deliveries { id } => {
            print::result(output, &client.deliveries(&id).await?, deliveries)?;
        }
        Webhook::Replay { id, task } => {
            print::result(output, &client.replay(&id, &task).await?, delivery)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn brief(webhook: &View) {
    let View {
        id, url, pending, ..
    } = webhook;
    print::line(format_args!("{id}  {pending:>5} pending  {url}"));
}

fn show(webhook: &View) {
    let events: Vec<&str> = webhook.events.iter().map(|event| event.name()).collect();
    print::line(format_args!("id             {}", webhook.id));
    print::line(format_args!("url            {}", webhook.url));
    print::line(format_args!("events         {}", events.join(", ")));
    print::line(format_args!("public inputs  {}", webhook.public_inputs));
    print::line(format_args!("created        {}", webhook.created_at));
    print::line(format_args!("pending        {}", webhook.pending));
    print::line(format_args!("missed         {}", webhook.missed));
    if let Some(secret) = &webhook.secret {
        print::line(format_args!("secret         {secret}"));
        print::remark("the secret is not shown again");
    }
}

fn test(tried: &WebhookTest) {
    let status = tried.status.map(|status| status.to_string());
    let what = match (tried.delivered, &tried.failure) {
        (true, _) => "the receiver took it",
        (false, Some(failure)) => failure.as_str(),
        (false, None) => "not delivered",
    };
    let status = status.unwrap_or_else(|| "no status".to_owned());
    print::line(format_args!("{what} ({status}, {} ms)", tried.took_ms));
}

fn deliveries(list: &DeliveryList) {
    list.deliveries.iter().for_each(delivery);
    if list.more {
        print::remark("more events wait than are shown");
    }
}

fn delivery(delivery: &Delivery) {
    let last = match (delivery.last_status, &delivery.last_failure) {
        (Some(status), _) => status.to_string(),
        (None, Some(failure)) => failure.clone(),
        (None, None) => "-".to_owned(),
    };
    print::line(format_args!(
        "{}  {:<14}  {:<9}  attempts {:<3}  last {last}",
        delivery.task,
        delivery.event.name(),
        delivery.state.name(),
        delivery.attempts,
    ));
}
