//! Having an input checked against a circuit.

use aureole_client::rest::CheckRequest;
use serde_json::json;

use crate::{house::CIRCUIT, wire::server};

#[tokio::test]
async fn a_report_is_an_answer_whichever_it_is_and_shows_values_only_when_asked() {
    let server = server().await;
    let check = async |input, reveal| {
        let request = CheckRequest { input, reveal };
        server.client.check(CIRCUIT, &request).await.unwrap()
    };
    let good = check(json!({"good": 1}), false).await;
    assert!(good.satisfied && good.failures.is_empty());
    let hidden = check(json!({}), false).await;
    assert_eq!(hidden.code.as_deref(), Some("witness.unsatisfied"));
    assert_eq!(hidden.failures[0].cells[0].value, None);
    let shown = check(json!({}), true).await;
    assert_eq!(shown.failures[0].cells[0].value.as_deref(), Some("0x7"));
    assert!(!format!("{shown:?}").contains("0x7"), "{shown:?}");
}

#[tokio::test]
async fn a_check_of_an_unknown_circuit_is_refused() {
    let server = server().await;
    let request = CheckRequest {
        input: json!({}),
        reveal: false,
    };
    let other = "cir_0000000000000000000000000000000a";
    let error = server.client.check(other, &request).await.unwrap_err();
    assert_eq!(error.problem().unwrap().code(), "circuit.unknown");
}
