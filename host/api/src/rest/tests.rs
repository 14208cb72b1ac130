//! What is promised of the documents.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use serde_json::json;

use super::{
    CircuitRequest, Elements, PluginRef, Stage, TaskRequest, TaskState, Timestamp, Timings,
    VerifyRequest,
};

#[test]
fn a_plugin_is_named_by_name_version_or_digest() {
    let digest = "0f".repeat(32);
    for text in ["merkle", "merkle@0.1.0", "a-1@1.0.0-rc.1+build", &digest] {
        let reference: PluginRef = text.parse().unwrap();
        assert_eq!(reference.to_string(), text);
    }
    assert!(!"merkle".parse::<PluginRef>().unwrap().is_exact());
    assert!("merkle@1.0.0".parse::<PluginRef>().unwrap().is_exact());
    assert_eq!(digest.parse(), Ok(PluginRef::Digest([15; 32])));
}

#[test]
fn a_text_outside_the_alphabet_of_names_is_no_plugin() {
    let long = "a".repeat(300);
    let upper = "0F".repeat(32);
    let accents = "é".repeat(32);
    for text in [
        "",
        "Merkle",
        "../../etc",
        "a\0b",
        "mérkle",
        "a@",
        "a@v1",
        "a@1@2",
        "a@../1",
        &long,
        &upper,
        &accents,
    ] {
        assert!(text.parse::<PluginRef>().is_err(), "{text:?}");
    }
}

#[test]
fn an_instant_reads_back_as_written() {
    let instant = Timestamp::from_millis(1_769_860_800_123);
    assert_eq!(instant.to_string(), "2026-01-31T12:00:00.123Z");
    assert_eq!(instant.to_string().parse(), Ok(instant));
    let end = Timestamp::from_millis(u64::MAX);
    assert_eq!(end.to_string(), "9999-12-31T23:59:59.999Z");
    assert!("yesterday".parse::<Timestamp>().is_err());
}

#[test]
fn a_request_refuses_fields_that_it_does_not_know() {
    let circuit = json!({"plugin": "merkle", "parms": {}});
    assert!(serde_json::from_value::<CircuitRequest>(circuit).is_err());
    let task = json!({"plugin": "merkle", "input": 1, "prio": 1});
    assert!(serde_json::from_value::<TaskRequest>(task).is_err());
    let verify = json!({"circuit": "", "public_inputs": {}, "proof": "", "x": 1});
    assert!(serde_json::from_value::<VerifyRequest>(verify).is_err());
}

#[test]
fn a_task_request_must_have_an_input_even_if_it_is_null() {
    assert!(serde_json::from_value::<TaskRequest>(json!({"plugin": "merkle"})).is_err());
    assert!(serde_json::from_value::<TaskRequest>(json!({"plugin": "a", "input": null})).is_ok());
}

#[test]
fn one_element_is_written_without_brackets() {
    let one = Elements::from_big_endian(&[[0xab; 32]]);
    assert_eq!(
        serde_json::to_value(&one).unwrap(),
        json!(format!("0x{}", "ab".repeat(32)))
    );
    let two = Elements::from_big_endian(&[[0; 32], [1; 32]]);
    let text = serde_json::to_string(&two).unwrap();
    assert_eq!(serde_json::from_str::<Elements>(&text).unwrap(), two);
    assert_eq!(two.texts().len(), 2);
    assert_eq!(one.texts().len(), 1);
}

#[test]
fn a_stage_of_a_newer_node_does_not_stop_an_older_reader() {
    assert_eq!(
        serde_json::from_value::<Stage>(json!("polish")).unwrap(),
        Stage::Other
    );
    assert_eq!(
        serde_json::to_value(Stage::Prove).unwrap(),
        json!(Stage::Prove.name())
    );
}

#[test]
fn done_failed_and_cancelled_are_final() {
    let open: Vec<_> = TaskState::ALL
        .into_iter()
        .filter(|state| !state.is_final())
        .collect();
    assert_eq!(open, [TaskState::Queued, TaskState::Running]);
    for state in TaskState::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), json!(state.name()));
    }
}

#[test]
fn microseconds_keep_their_digits_as_milliseconds() {
    assert_eq!(Timings::millis(1_234_567).to_string(), "1234.567");
}
