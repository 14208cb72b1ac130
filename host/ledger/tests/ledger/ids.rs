//! Ids: one text form each, strictly parsed.

use aureole_ledger::{CircuitId, Digest, IdError, Priority, TaskId, WorkerId};

use crate::kit::{digest, task_id};

#[test]
fn ids_parse_back_from_their_text() {
    let digest = digest("x");
    assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
    assert_eq!(digest.to_string().len(), 64);
    let task = task_id(0xab);
    assert_eq!(task.to_string(), format!("tsk_{}", "ab".repeat(16)));
    assert_eq!(task.to_string().parse::<TaskId>(), Ok(task));
    let circuit = CircuitId::of(&digest, &digest);
    assert_eq!(circuit.to_string().parse::<CircuitId>(), Ok(circuit));
}

#[test]
fn an_id_of_another_kind_or_shape_is_refused() {
    let hex = "ab".repeat(16);
    let parse = |text: &str| text.parse::<TaskId>().unwrap_err();
    assert_eq!(
        parse(&format!("cir_{hex}")),
        IdError::Prefix { expected: "tsk_" }
    );
    assert_eq!(
        parse("tsk_ab"),
        IdError::Length {
            expected: 32,
            found: 2
        }
    );
    assert_eq!(
        parse(&format!("tsk_{}", hex.to_uppercase())),
        IdError::Digit
    );
    assert_eq!(parse(&format!("tsk_{}", "zz".repeat(16))), IdError::Digit);
    assert_eq!(parse(&format!("tsk_{}", "é".repeat(16))), IdError::Digit);
}

#[test]
fn worker_names_are_short_and_plain() {
    assert_eq!(
        WorkerId::new("node-1.worker_2").unwrap().as_str(),
        "node-1.worker_2"
    );
    for bad in ["", "a b", "a/b", "é", &"x".repeat(65)] {
        assert_eq!(
            WorkerId::new(bad),
            Err(IdError::Worker { max: 64 }),
            "{bad:?}"
        );
    }
}

#[test]
fn ids_are_text_in_json() {
    let task = task_id(1);
    let json = serde_json::to_string(&task).unwrap();
    assert_eq!(json, format!("\"{task}\""));
    assert_eq!(serde_json::from_str::<TaskId>(&json).unwrap(), task);
    assert!(serde_json::from_str::<TaskId>("\"tsk_\"").is_err());
    assert!(serde_json::from_str::<WorkerId>("\"a b\"").is_err());
}

#[test]
fn a_circuit_id_depends_on_component_and_params_in_this_order() {
    let (a, b) = (digest("a"), digest("b"));
    assert_ne!(CircuitId::of(&a, &b), CircuitId::of(&b, &a));
    // Fixed for ever: ids are stored by clients.
    let zero = Digest::from_bytes([0; 32]);
    assert_eq!(
        CircuitId::of(&zero, &zero).to_string(),
        "cir_c34bec4e7fd5dfc68f4b326f6a6023c9"
    );
}

#[test]
fn priorities_end_at_nine() {
    assert_eq!(Priority::new(9), Some(Priority::HIGHEST));
    assert_eq!(Priority::new(10), None);
    assert_eq!(Priority::default().level(), 5);
}
