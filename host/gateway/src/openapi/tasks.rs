//! Tasks in the document.

use aureole_api::{
    codes::{plugin, request, task, verifying_key},
    rest::{BatchReport, BatchRequest, Explanation, Task, TaskPage, TaskRequest},
};
use axum::http::Method;
use serde_json::{Value, json};

use super::{
    operation::{Body, Header, Operation, Shape},
    parameters,
    refusals::{OF_TASKS, facts, families, stored},
};

const TAG: &str = "tasks";

pub(super) fn operations() -> Vec<Operation> {
    vec![
        submit(),
        submit_to(),
        batch(),
        list(),
        show(),
        cancel(),
        explain(),
        proof(),
        events(),
    ]
}

/// An input that the plugin `merkle` takes.
fn input() -> Value {
    json!({"leaves": ["0x00", "0x01"], "leaf_index": 0})
}

fn request() -> Value {
    json!({"plugin": "merkle", "params": {"depth": 8}, "input": input(), "priority": 7})
}

fn submit() -> Operation {
    Operation::new(TAG, "submitTask", Method::POST, "/api/v1/tasks")
        .says(
            "Submits a task",
            "Durable before it answers. An input that is refused at once leaves no task. With \
             `wait`, what fails meanwhile answers the task's own problem.",
        )
        .with(parameters::wait("no time"))
        .with(parameters::idempotency_key(parameters::KEY_OF_TASK))
        .takes::<TaskRequest>("A circuit or a plugin, and the input.")
        .example("merkle", request())
        .answers::<Task>(
            200,
            &[Header::Location],
            "It has ended: done, or cancelled.",
        )
        .answers::<Task>(202, &[Header::Location], "It goes on.")
        .refuses([request::ID, request::IDEMPOTENCY_CONFLICT])
        .refuses(families(OF_TASKS))
        .refuses([verifying_key::REVOKED])
        .refuses(facts())
        .refuses(stored())
        .leads_to("showTask", "task", "$response.body#/id")
        .leads_to("cancelTask", "task", "$response.body#/id")
        .leads_to("explainTask", "task", "$response.body#/id")
        .leads_to("downloadProof", "task", "$response.body#/id")
        .leads_to("watchTask", "task", "$response.body#/id")
        .leads_to("downloadReceipt", "task", "$response.body#/id")
}

fn submit_to() -> Operation {
    let plugin = parameters::plugin();
    Operation::new(TAG, "prove", Method::POST, "/api/v1/tasks/{task}")
        .says(
            "Proves with a plugin's default circuit",
            "The path names the plugin and the body is the input; the answer waits for the proof.",
        )
        .with(super::operation::Parameter {
            name: "task",
            ..plugin
        })
        .with(parameters::wait("30 s"))
        .with(parameters::idempotency_key(parameters::KEY_OF_TASK))
        .takes_body(Body {
            description: "The input.",
            media: &["application/json"],
            shape: Shape::Json,
            examples: vec![("merkle", input())],
        })
        .answers::<Task>(
            200,
            &[Header::Location],
            "It has ended: done, or cancelled.",
        )
        .answers::<Task>(202, &[Header::Location], "It goes on.")
        .refuses([request::IDEMPOTENCY_CONFLICT])
        .refuses(families(OF_TASKS))
        .refuses([verifying_key::REVOKED])
        .refuses(facts())
        .refuses(stored())
        .leads_to("showTask", "task", "$response.body#/id")
        .leads_to("downloadProof", "task", "$response.body#/id")
}

fn batch() -> Operation {
    Operation::new(TAG, "submitTasks", Method::POST, "/api/v1/tasks:batch")
        .says(
            "Submits many tasks",
            "Each item is accepted or refused by itself; an item that can be no submission \
             refuses the batch whole, with its place. With an \
             Idempotency-Key each item has the key and its place as its own, so that a batch that \
             was cut off can be sent again.",
        )
        .with(parameters::batch_key())
        .takes::<BatchRequest>("The submissions.")
        .example("merkle", json!({"tasks": [request(), request()]}))
        .answers::<BatchReport>(200, &[], "What came of each item.")
        .refuses([request::BATCH, request::ID, task::TARGET, task::PRIORITY])
}

fn list() -> Operation {
    Operation::new(TAG, "listTasks", Method::GET, "/api/v1/tasks")
        .says(
            "Lists tasks",
            "A page in the order asked for; `next` leads to the one after it. The order holds \
             while tasks are added.",
        )
        .with(parameters::state())
        .with(parameters::of_plugin())
        .with(parameters::of_circuit())
        .with(parameters::since())
        .with(parameters::until())
        .with(parameters::sort())
        .with(parameters::limit())
        .with(parameters::before())
        .answers::<TaskPage>(200, &[], "A page of tasks.")
        .refuses([plugin::UNKNOWN])
        .refuses(facts())
}

fn show() -> Operation {
    Operation::new(TAG, "showTask", Method::GET, "/api/v1/tasks/{task}")
        .says(
            "Shows a task",
            "With its proof and public inputs when it is done; `wait` waits for its end.",
        )
        .with(parameters::task())
        .with(parameters::wait("no time"))
        .with(parameters::if_none_match())
        .answers::<Task>(200, &[Header::Etag], "The task.")
        .replies(304, "", Shape::Empty, &[Header::Etag], "The caller has it.")
        .refuses([task::UNKNOWN])
        .refuses(facts())
}

fn cancel() -> Operation {
    Operation::new(TAG, "cancelTask", Method::DELETE, "/api/v1/tasks/{task}")
        .says(
            "Cancels a task",
            "What runs is stopped. Cancelling twice is no error; what has finished stays finished.",
        )
        .with(parameters::task())
        .with(parameters::if_match())
        .answers::<Task>(200, &[], "The task as it stands now.")
        .refuses([task::UNKNOWN, task::FINISHED, task::NOT_CANCELLABLE])
        .refuses([request::PRECONDITION])
        .refuses(facts())
}

fn explain() -> Operation {
    Operation::new(
        TAG,
        "explainTask",
        Method::GET,
        "/api/v1/tasks/{task}/explain",
    )
    .says(
        "Says why a task waits",
        "What it waits for, who is before it, and when it should start and end.",
    )
    .with(parameters::task())
    .answers::<Explanation>(200, &[], "Where it stands.")
    .refuses([task::UNKNOWN, task::FINISHED])
    .refuses(facts())
}

fn proof() -> Operation {
    Operation::new(
        TAG,
        "downloadProof",
        Method::GET,
        "/api/v1/tasks/{task}/proof",
    )
    .says(
        "Downloads a proof",
        "The bytes; a task that failed answers with its own problem.",
    )
    .with(parameters::task())
    .with(parameters::if_none_match())
    .replies(
        200,
        "application/octet-stream",
        Shape::Bytes,
        &[Header::Etag],
        "The proof.",
    )
    .replies(304, "", Shape::Empty, &[Header::Etag], "The caller has it.")
    .refuses(families(OF_TASKS))
    .refuses([verifying_key::REVOKED])
    .refuses(facts())
}

fn events() -> Operation {
    Operation::new(TAG, "watchTask", Method::GET, "/api/v1/tasks/{task}/events")
        .says(
            "Watches a task",
            "Server-sent events: `task` with where it stands and an estimate of what remains, at \
             once and whenever that changes; `lagged`, `problem` or `stopping` before an early \
             end. The stream ends after the task has. A comment every few seconds shows that it \
             lives. With Last-Event-ID an event that the reader has is not sent again.",
        )
        .with(parameters::task())
        .with(parameters::last_event_id())
        .replies(200, "text/event-stream", Shape::Text, &[], "The stream.")
        .replies(
            204,
            "",
            Shape::Empty,
            &[],
            "It has ended, and the reader knows.",
        )
        .refuses([task::UNKNOWN])
        .refuses(facts())
}
