//! Verification in the document.

use aureole_api::{
    codes::{node, proof, request},
    rest::{Verdict, VerifyBatchReport, VerifyBatchRequest, VerifyRequest},
};
use axum::http::Method;
use serde_json::json;

use super::{
    operation::Operation,
    refusals::{OF_COMPONENTS, facts, families},
};

const TAG: &str = "proofs";

pub(super) fn operations() -> Vec<Operation> {
    let refused = |operation: Operation| {
        operation
            .refuses([node::VERIFIER_FAILED, proof::ENCODING, request::ID])
            .refuses(families(OF_COMPONENTS))
            .refuses(families(&["public_inputs"]))
            .refuses(facts())
    };
    let one = Operation::new(TAG, "verifyProof", Method::POST, "/api/v1/proofs/verify")
        .says(
            "Verifies a proof",
            "Under the circuit's key, for exactly these public inputs. A proof that does not \
             verify is an answer; text that is no proof is refused.",
        )
        .takes::<VerifyRequest>("The circuit, the public inputs and the proof.")
        .example(
            "zero",
            json!({
                "circuit": "cir_00000000000000000000000000000000",
                "public_inputs": {"root": format!("0x{}", "0".repeat(64))},
                "proof": "AAAA",
            }),
        )
        .answers::<Verdict>(200, &[], "The verdict.");
    let many = Operation::new(
        TAG,
        "verifyProofs",
        Method::POST,
        "/api/v1/proofs/verify:batch",
    )
    .says(
        "Verifies many proofs of one circuit",
        "They share the work. When all verify, one multi-exponentiation says so; when one does \
             not, each is looked at by itself, so that every item has its own verdict.",
    )
    .takes::<VerifyBatchRequest>("The circuit, and each proof with its public inputs.")
    .answers::<VerifyBatchReport>(200, &[], "The verdicts, in the order given.");
    vec![refused(one), refused(many).refuses([request::BATCH])]
}
