//! Circuits in the document.

use aureole_api::{
    codes::{circuit, node, plugin, request},
    rest::{CheckReport, CheckRequest, Circuit, CircuitRequest},
};
use axum::http::Method;
use serde_json::json;

use super::{
    operation::{Header, Operation, Shape},
    parameters,
    refusals::{OF_COMPONENTS, facts, families, stored},
};

const TAG: &str = "circuits";

pub(super) fn operations() -> Vec<Operation> {
    vec![put(), show(), ir(), check()]
}

fn put() -> Operation {
    Operation::new(TAG, "putCircuit", Method::POST, "/api/v1/circuits")
        .says(
            "Registers a circuit",
            "A plugin with parameters: a worker builds it and makes its keys. The circuit's id is \
             computed from both, so registering it again changes nothing.",
        )
        .with(parameters::wait("30 s"))
        .with(parameters::idempotency_key(parameters::KEY_OF_CONTENT))
        .takes::<CircuitRequest>("The plugin and its parameters.")
        .example(
            "merkle",
            json!({"plugin": "merkle", "params": {"depth": 8}}),
        )
        .answers::<Circuit>(
            200,
            &[Header::Location],
            "It was here already, and is ready.",
        )
        .answers::<Circuit>(201, &[Header::Location], "It is new, and ready.")
        .answers::<Circuit>(202, &[Header::Location], "It is still being prepared.")
        .refuses(families(OF_COMPONENTS))
        .refuses(families(&["task"]))
        .refuses(facts())
        .refuses(stored())
        .refuses([node::NO_WORKER])
        .leads_to("showCircuit", "circuit", "$response.body#/id")
        .leads_to("downloadCircuit", "circuit", "$response.body#/id")
        .leads_to("checkInput", "circuit", "$response.body#/id")
}

fn show() -> Operation {
    Operation::new(
        TAG,
        "showCircuit",
        Method::GET,
        "/api/v1/circuits/{circuit}",
    )
    .says(
        "Shows a circuit",
        "Shape, digests and lints are there once it is ready; `wait` waits for that.",
    )
    .with(parameters::circuit())
    .with(parameters::wait("no time"))
    .with(parameters::if_none_match())
    .answers::<Circuit>(200, &[Header::Etag], "The circuit.")
    .replies(304, "", Shape::Empty, &[Header::Etag], "The caller has it.")
    .refuses([circuit::UNKNOWN])
    .refuses(facts())
}

fn ir() -> Operation {
    Operation::new(
        TAG,
        "downloadCircuit",
        Method::GET,
        "/api/v1/circuits/{circuit}/ir",
    )
    .says(
        "Downloads a circuit",
        "Its canonical bytes, which with a proof and public inputs verify anywhere.",
    )
    .with(parameters::circuit())
    .with(parameters::if_none_match())
    .replies(
        200,
        "application/octet-stream",
        Shape::Bytes,
        &[Header::Etag],
        "The canonical bytes.",
    )
    .replies(
        304,
        "",
        Shape::Empty,
        &[Header::Etag],
        "The caller has them.",
    )
    .refuses([circuit::UNKNOWN, circuit::NOT_READY, circuit::REJECTED])
    .refuses(families(OF_COMPONENTS))
    .refuses(facts())
}

fn check() -> Operation {
    Operation::new(
        TAG,
        "checkInput",
        Method::POST,
        "/api/v1/circuits/{circuit}/check",
    )
    .says(
        "Checks an input",
        "Whether the input satisfies the circuit, without a task and without a trace: neither \
             the input nor what its cells hold is kept.",
    )
    .with(parameters::circuit())
    .takes::<CheckRequest>("The input, and whether the report shows what cells hold.")
    .example(
        "merkle",
        json!({"input": {"leaves": ["0x00"], "leaf_index": 0}}),
    )
    .answers::<CheckReport>(200, &[], "What holds and what does not.")
    .refuses([
        circuit::UNKNOWN,
        circuit::NOT_READY,
        circuit::REJECTED,
        plugin::RETIRED,
    ])
    .refuses([request::BODY])
    .refuses(families(&["input", "witness", "task", "node"]))
    .refuses(families(OF_COMPONENTS))
}
