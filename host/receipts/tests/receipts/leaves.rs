//! Leaves: one layout, forever; text forms, strictly parsed.

use aureole_receipts::limits::LEAF_BYTES;
use aureole_receipts::{Digest, Hash, Leaf, LeafError, Salt, TaskId, TextError, commit};
use proptest::prelude::*;

use crate::kit::leaf;

#[test]
fn the_layout_of_a_leaf_is_the_documented_one() {
    let leaf = Leaf {
        task: TaskId::from_bytes([1; 16]),
        circuit: Digest::from_bytes([2; 32]),
        key: Digest::from_bytes([3; 32]),
        public_inputs: Digest::from_bytes([4; 32]),
        proof: Digest::from_bytes([5; 32]),
        verifier: Digest::from_bytes([6; 32]),
        submitted_ms: 0x0607,
        finished_ms: 0x0809,
    };
    let expected = [
        "01".to_owned(),
        "01".repeat(16),
        "02".repeat(32),
        "03".repeat(32),
        "04".repeat(32),
        "05".repeat(32),
        "06".repeat(32),
        "0000000000000607".to_owned(),
        "0000000000000809".to_owned(),
    ];
    assert_eq!(hex::encode(leaf.encode()), expected.concat());
    assert_eq!(leaf.hash(), Hash::of_leaf(&leaf.encode()));
}

#[test]
fn bytes_that_are_no_leaf_are_refused() {
    let bytes = leaf(1).encode();
    let length = |found| LeafError::Length {
        found,
        expected: LEAF_BYTES as u64,
    };
    assert_eq!(Leaf::decode(&[]), Err(LeafError::Empty));
    assert_eq!(Leaf::decode(&bytes[..192]), Err(length(192)));
    assert_eq!(Leaf::decode(&[&bytes[..], &[0]].concat()), Err(length(194)));
    let newer = [&[2], &bytes[1..]].concat();
    let version = LeafError::Version { found: 2, known: 1 };
    assert_eq!(Leaf::decode(&newer), Err(version));
}

#[test]
fn texts_parse_back_and_others_are_refused() {
    let task = TaskId::from_bytes([0xab; 16]);
    assert_eq!(task.to_string(), format!("tsk_{}", "ab".repeat(16)));
    assert_eq!(task.to_string().parse(), Ok(task));
    let parse = |text: &str| text.parse::<TaskId>().unwrap_err();
    let prefix = TextError::Prefix { expected: "tsk_" };
    assert_eq!(parse(&"ab".repeat(16)), prefix);
    let length = TextError::Length {
        expected: 32,
        found: 2,
    };
    assert_eq!(parse("tsk_ab"), length);
    for digits in ["AB", "zz", "é"] {
        let text = format!("tsk_{}", digits.repeat(32 / digits.len()));
        assert_eq!(parse(&text), TextError::Digit, "{text}");
    }
}

#[test]
fn a_leaf_in_json_has_no_unknown_fields() {
    let mut json = serde_json::to_value(leaf(1)).unwrap();
    assert_eq!(
        serde_json::from_value::<Leaf>(json.clone()).unwrap(),
        leaf(1)
    );
    json["color"] = "red".into();
    assert!(serde_json::from_value::<Leaf>(json).is_err());
}

#[test]
fn a_commitment_is_to_its_inputs_and_its_salt() {
    let inputs = [Digest::of(b"yes"), Digest::of(b"no")];
    let salts = [Salt::from_bytes([1; 32]), Salt::from_bytes([2; 32])];
    let mut made: Vec<Digest> = salts
        .iter()
        .flat_map(|salt| inputs.iter().map(|inputs| commit(salt, inputs)))
        .collect();
    assert!(made.iter().all(|commitment| !inputs.contains(commitment)));
    assert_eq!(commit(&salts[0], &inputs[0]), made[0]);
    made.sort_unstable();
    made.dedup();
    assert_eq!(made.len(), 4);
}

proptest! {
    #[test]
    fn bytes_of_a_leaf_decode_to_it_and_nothing_else_does(
        bytes in proptest::collection::vec(any::<u8>(), LEAF_BYTES),
        bit in 0..LEAF_BYTES * 8,
    ) {
        let mut bytes = bytes;
        bytes[0] = 1;
        let leaf = Leaf::decode(&bytes).unwrap();
        prop_assert_eq!(leaf.encode(), bytes.clone());
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert_ne!(Leaf::decode(&bytes), Ok(leaf));
    }
}
