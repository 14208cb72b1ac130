//! Webhooks and workers in the document.

use aureole_api::{
    codes::{circuit, webhook, worker},
    rest::{Delivery, DeliveryList, Webhook, WebhookList, WebhookRequest, WebhookTest, WorkerList},
};
use axum::http::Method;
use serde_json::json;

use super::{
    operation::{Header, Operation, Shape},
    parameters,
    refusals::facts,
};

const TAG: &str = "webhooks";

pub(super) fn operations() -> Vec<Operation> {
    let mut all = hooks();
    all.extend(deliveries());
    all.extend(workers());
    all
}

/// A verb on one webhook.
fn of(id: &'static str, method: Method, path: &'static str) -> Operation {
    Operation::new(TAG, id, method, path)
        .with(parameters::webhook())
        .refuses([webhook::UNKNOWN])
        .refuses(facts())
}

fn hooks() -> Vec<Operation> {
    let (all, one) = ("/api/v1/webhooks", "/api/v1/webhooks/{webhook}");
    vec![
        Operation::new(TAG, "createWebhook", Method::POST, all)
            .says(
                "Makes a webhook",
                "Ends of the tenant's proofs are sent to the URL, signed as Standard Webhooks has \
                 it. The secret stands in this answer only.",
            )
            .with(parameters::idempotency_key(
                "Names the webhook: the same key with the same request answers the same one.",
            ))
            .takes::<WebhookRequest>("Where to, and what.")
            .example(
                "ends",
                json!({"url": "https://hooks.example/aureole", "events": ["task.done"]}),
            )
            .answers::<Webhook>(201, &[Header::Location], "The webhook, with its secret.")
            .refuses([webhook::OFF, webhook::URL_DENIED, webhook::EVENTS])
            .refuses([webhook::LIMIT, webhook::EXISTS, webhook::UNKNOWN])
            .refuses([circuit::LEDGER])
            .refuses(facts())
            .leads_to("showWebhook", "webhook", "$response.body#/id")
            .leads_to("listDeliveries", "webhook", "$response.body#/id")
            .leads_to("deleteWebhook", "webhook", "$response.body#/id"),
        Operation::new(TAG, "listWebhooks", Method::GET, all)
            .says("Lists the tenant's webhooks", "")
            .answers::<WebhookList>(200, &[], "The webhooks.")
            .refuses(facts()),
        of("showWebhook", Method::GET, one)
            .says("Shows a webhook", "")
            .answers::<Webhook>(200, &[], "The webhook."),
        of("deleteWebhook", Method::DELETE, one)
            .says(
                "Ends a webhook",
                "What was to be delivered is not any more.",
            )
            .replies(204, "", Shape::Empty, &[], "It is gone."),
        of(
            "testWebhook",
            Method::POST,
            "/api/v1/webhooks/{webhook}/test",
        )
        .says(
            "Sends a test event",
            "Once, and says what came of it: what the receiver refuses is an answer too.",
        )
        .answers::<WebhookTest>(200, &[], "What came of it.")
        .refuses([webhook::OFF]),
    ]
}

fn deliveries() -> [Operation; 2] {
    [
        of(
            "listDeliveries",
            Method::GET,
            "/api/v1/webhooks/{webhook}/deliveries",
        )
        .says(
            "Lists what is to be delivered, and what came of the rest",
            "",
        )
        .answers::<DeliveryList>(200, &[], "The deliveries."),
        of(
            "replayDelivery",
            Method::POST,
            "/api/v1/webhooks/{webhook}/deliveries/{task}/replay",
        )
        .says(
            "Delivers the end of a task again",
            "One that waits is tried at once; one that was given up begins anew.",
        )
        .with(parameters::task())
        .answers::<Delivery>(202, &[], "It is on its way.")
        .refuses([webhook::OFF, webhook::DELIVERY_UNKNOWN, circuit::LEDGER]),
    ]
}

fn workers() -> [Operation; 2] {
    let tag = "node";
    [
        Operation::new(tag, "listWorkers", Method::GET, "/api/v1/workers")
            .says("Lists the workers that are joined or in quarantine", "")
            .answers::<WorkerList>(200, &[], "The workers.")
            .refuses(facts()),
        Operation::new(
            tag,
            "trustWorker",
            Method::DELETE,
            "/api/v1/workers/{worker}/quarantine",
        )
        .says(
            "Ends a worker's quarantine",
            "A worker is put there after three proofs that did not verify.",
        )
        .with(parameters::worker())
        .answers::<WorkerList>(200, &[], "The workers as they stand now.")
        .refuses([worker::UNKNOWN])
        .refuses(facts()),
    ]
}
