//! Receipts, the log of accepted proofs and verifying keys in the document.

use aureole_api::{
    codes::{Code, log, request, task, verifying_key},
    rest::{
        CircuitKey, LogProof, RevocationRequest, VerifyingKey, VerifyingKeyList,
        VerifyingKeyRequest,
    },
};
use axum::http::Method;
use serde_json::json;

use super::{
    operation::{Header, Operation, Shape},
    parameters,
    refusals::{OF_COMPONENTS, OF_TASKS, facts, families},
};

const TAG: &str = "receipts";

/// What every reading of the log may meet.
const OF_LOG: [Code; 2] = [log::EMPTY, log::UNAVAILABLE];

pub(super) fn operations() -> Vec<Operation> {
    let mut all = vec![receipt()];
    all.extend(log_itself());
    all.extend(proofs());
    all.extend(names());
    all.extend(of_circuits());
    all
}

fn receipt() -> Operation {
    let path = "/api/v1/tasks/{task}/receipt";
    Operation::new(TAG, "downloadReceipt", Method::GET, path)
        .says(
            "Downloads a task's receipt",
            "An `aureole-receipt/1`: the leaf, its inclusion proof, the signed checkpoint, and the \
             salt that opens the commitment to the public inputs. It verifies offline.",
        )
        .with(parameters::task())
        .replies(200, "application/json", Shape::Json, &[], "The receipt.")
        .refuses([task::UNKNOWN, task::NO_PROOF, log::UNAVAILABLE])
        .refuses([verifying_key::REVOKED])
        .refuses(families(OF_TASKS))
        .refuses(facts())
}

/// A reading that has a validator.
fn read(id: &'static str, path: &'static str, media: &'static str, shape: Shape) -> Operation {
    Operation::new(TAG, id, Method::GET, path)
        .with(parameters::if_none_match())
        .replies(200, media, shape, &[Header::Etag], "What the log has.")
        .replies(304, "", Shape::Empty, &[Header::Etag], "The caller has it.")
        .refuses(OF_LOG)
        .refuses(facts())
}

fn log_itself() -> [Operation; 3] {
    let text = "text/plain; charset=utf-8";
    let bytes = "application/octet-stream";
    [
        read("checkpoint", "/api/v1/log/checkpoint", text, Shape::Text).says(
            "Shows the newest checkpoint",
            "A C2SP checkpoint: a signed note of the log's size and root.",
        ),
        read("logKey", "/api/v1/log/key", text, Shape::Text).says(
            "Shows the key that verifies checkpoints",
            "As signed notes write a verifier's key.",
        ),
        read("tile", "/api/v1/log/tile/{*tile}", bytes, Shape::Bytes)
            .says(
                "Downloads a tile, or a bundle of entries",
                "By its path as C2SP tlog-tiles has it. It never changes.",
            )
            .with(parameters::tile())
            .refuses([log::TILE]),
    ]
}

fn proofs() -> [Operation; 2] {
    let of = |id, path| {
        Operation::new(TAG, id, Method::GET, path)
            .with(parameters::if_none_match())
            .answers::<LogProof>(
                200,
                &[Header::Etag],
                "The proof, and a checkpoint to check it by.",
            )
            .replies(304, "", Shape::Empty, &[Header::Etag], "The caller has it.")
            .refuses(OF_LOG)
            .refuses([log::BEYOND])
            .refuses(facts())
    };
    let number = parameters::number;
    [
        of("inclusion", "/api/v1/log/inclusion")
            .says("Proves that the log has a leaf", "RFC 9162, section 2.1.3.")
            .with(number("index", "The leaf.", true))
            .with(number(
                "size",
                "Of which log; the newest unless given.",
                false,
            )),
        of("consistency", "/api/v1/log/consistency")
            .says(
                "Proves that one log goes on as another",
                "RFC 9162, section 2.1.4.",
            )
            .with(number("from", "The size that the log had.", true))
            .with(number(
                "to",
                "The size that it has; the newest unless given.",
                false,
            )),
    ]
}

fn names() -> [Operation; 3] {
    let one = "/api/v1/verifying-keys/{name}";
    [
        Operation::new(
            TAG,
            "listVerifyingKeys",
            Method::GET,
            "/api/v1/verifying-keys",
        )
        .says(
            "Lists the names that keys are published under",
            "With every revocation, so that whoever verifies offline can keep the list.",
        )
        .answers::<VerifyingKeyList>(200, &[], "Names and revocations.")
        .refuses(facts()),
        Operation::new(TAG, "showVerifyingKey", Method::GET, one)
            .says("Shows the keys under a name", "Newest first.")
            .with(parameters::name())
            .answers::<VerifyingKey>(200, &[], "The keys.")
            .refuses([verifying_key::UNKNOWN])
            .refuses(facts()),
        Operation::new(TAG, "publishVerifyingKey", Method::PUT, one)
            .says(
                "Publishes a circuit's key, or rotates to it",
                "It becomes the current one under the name; those before it go on verifying. The \
                 same again changes nothing.",
            )
            .with(parameters::name())
            .takes::<VerifyingKeyRequest>("The circuit.")
            .example(
                "zero",
                json!({"circuit": "cir_00000000000000000000000000000000"}),
            )
            .answers::<VerifyingKey>(200, &[], "The keys under the name.")
            .refuses([verifying_key::NAME, verifying_key::NAME_TAKEN])
            .refuses([verifying_key::REVOKED, verifying_key::UNKNOWN])
            .refuses(families(OF_COMPONENTS))
            .refuses([request::ID])
            .refuses(facts()),
    ]
}

fn of_circuits() -> [Operation; 2] {
    let of = |id, method, path| {
        Operation::new(TAG, id, method, path)
            .with(parameters::circuit())
            .refuses(families(OF_COMPONENTS))
            .refuses([verifying_key::UNKNOWN])
            .refuses(facts())
    };
    [
        of(
            "showCircuitKey",
            Method::GET,
            "/api/v1/circuits/{circuit}/key",
        )
        .says(
            "Shows a circuit's verifying key",
            "Its digest, its names and whether it is revoked; the key itself is made from the \
             circuit's bytes.",
        )
        .answers::<CircuitKey>(200, &[], "The key."),
        of(
            "revokeVerifyingKey",
            Method::POST,
            "/api/v1/circuits/{circuit}/revocation",
        )
        .says(
            "Revokes a circuit's key",
            "For good: proofs under it are valid nowhere, and tasks that wait for one fail. \
             Revoking twice is no error, and the first reason stays.",
        )
        .takes::<RevocationRequest>("Why.")
        .answers::<CircuitKey>(200, &[], "The key as it stands now.")
        .refuses([verifying_key::REASON]),
    ]
}
