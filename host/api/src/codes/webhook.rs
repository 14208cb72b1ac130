//! Codes of webhooks.

codes! {
    OFF = "webhook.off", 403, "webhooks are off",
        "This node sends nothing to receivers outside: its configuration does not say that it may.",
        "Ask the operator for `[webhooks] enabled`, or wait for tasks with `?wait`.";
    URL_DENIED = "webhook.url_denied", 422, "the URL may not be called",
        "Only HTTPS to public addresses on the allowed ports, without a user, a password or a fragment, or what the operator allowed besides.",
        "Give the URL of a public receiver, or ask the operator to allow its network.";
    EVENTS = "webhook.events", 422, "the webhook would tell of nothing",
        "`events` is empty.",
        "Name at least one of task.done, task.failed and task.cancelled, or leave `events` out.";
    LIMIT = "webhook.limit", 409, "the tenant has as many webhooks as it may",
        "A tenant has sixteen at the most.",
        "Delete one that nobody listens to any more.";
    UNKNOWN = "webhook.unknown", 404, "no such webhook",
        "No webhook has this id, or it belongs to somebody else.",
        "List the webhooks.";
    EXISTS = "webhook.exists", 409, "the idempotency key belongs to another webhook",
        "The same key was used for a webhook with another URL, other events or other content.",
        "Use another key.";
    DELIVERY_UNKNOWN = "webhook.delivery_unknown", 404, "no such delivery",
        "The webhook has no event of this task, and the task is not known any more or is somebody else's.",
        "List the deliveries.";
}
