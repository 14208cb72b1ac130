//! Having proofs verified.

use std::collections::BTreeMap;

use aureole_client::rest::{Elements, VerifyRequest};
use serde_json::{Value, json};

use crate::{house::CIRCUIT, wire::server};

const PATH: &str = "/api/v1/proofs/verify";

fn body(public_inputs: &Value, proof: &str) -> String {
    json!({"circuit": CIRCUIT, "public_inputs": public_inputs, "proof": proof}).to_string()
}

#[tokio::test]
async fn a_verdict_is_an_answer_whichever_it_is() {
    let server = server().await;
    let inputs = BTreeMap::from([
        (
            "leaf".to_owned(),
            Elements::from_big_endian(&[[1; 32], [2; 32]]),
        ),
        ("root".to_owned(), Elements::from_big_endian(&[[7; 32]])),
    ]);
    let mut request = VerifyRequest {
        circuit: CIRCUIT.to_owned(),
        public_inputs: inputs,
        proof: "YSBwcm9vZg==".to_owned(),
    };
    assert!(server.client.verify(&request).await.unwrap().valid);
    request.proof = String::new();
    let verdict = server.client.verify(&request).await.unwrap();
    assert_eq!(
        (verdict.valid, verdict.reason.as_deref()),
        (false, Some("it does not verify"))
    );
    let asked = server.house.0.borrow().verifications.clone();
    assert_eq!(asked[0].proof, b"a proof");
    assert_eq!(asked[0].public_inputs["leaf"], [[1; 32], [2; 32]]);
    assert_eq!(asked[0].public_inputs["root"], [[7; 32]]);
}

#[tokio::test]
async fn a_proof_in_another_base64_is_refused() {
    let server = server().await;
    for proof in [
        "YSBwcm9vZg",
        "YSBw cm9vZg==",
        "YSBwcm9vZg==\n",
        "YSBwcm9vZh==",
        "-_-_",
        "%%%%",
    ] {
        let reply = server.post(PATH, body(&json!({}), proof)).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (422, "proof.encoding"),
            "{proof}"
        );
        assert_eq!(reply.problem()["path"], "/proof");
    }
}

#[tokio::test]
async fn a_public_input_has_one_form() {
    let server = server().await;
    let good = format!("0x{}", "ab".repeat(32));
    for bad in [
        "",
        "0x",
        "0xab",
        "ab",
        "-1",
        "0x0x",
        &good[2..],
        &good[..65],
        &good.to_uppercase(),
        &format!("{good}00"),
        &format!("0X{}", &good[2..]),
        &format!("0x{}", "AB".repeat(32)),
        &format!(" {good}"),
        &format!("0x{}", "zz".repeat(32)),
    ] {
        let reply = server
            .post(PATH, body(&json!({"a/b": [good, bad]}), ""))
            .await;
        assert_eq!(reply.code(), "public_inputs.encoding", "{bad}");
        assert_eq!(reply.problem()["path"], "/public_inputs/a~1b/1");
    }
    for wrong in [
        json!({"root": 7}),
        json!([good]),
        json!({"root": null}),
        json!("x"),
    ] {
        let reply = server.post(PATH, body(&wrong, "")).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (422, "json.type"),
            "{wrong}"
        );
    }
    let reply = server
        .post(
            PATH,
            json!({"circuit": "x", "public_inputs": {}, "proof": ""}).to_string(),
        )
        .await;
    assert_eq!(reply.code(), "request.id");
}
