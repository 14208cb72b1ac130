//! Receipts as documents: self-contained, checked offline, and no bit of them can be changed.

use aureole_receipts::limits::RECEIPT_BYTES_MAX;
use aureole_receipts::{
    CheckpointError, Head, LogError, MakeError, Opening, ProofError, Receipt, ReceiptError,
    TrustError,
};

use crate::kit::{BUILD, ORIGIN, checkpoint, leaf, opening, salt, signer, trust, written};

const SIZE: u64 = 300;

fn receipt(index: u64) -> Receipt {
    let key = signer(ORIGIN, 1);
    let (writer, tiles) = written((0..SIZE).map(leaf));
    let note = checkpoint(writer.tree().head()).sign(&[&key]).unwrap();
    Receipt::make(
        &tiles,
        leaf(index),
        index,
        &note.to_string(),
        &trust(&[&key]),
    )
    .unwrap()
    .opened(opening(index))
    .unwrap()
}

fn verify(receipt: &Receipt) -> Result<(), ReceiptError> {
    receipt.verify(&trust(&[&signer(ORIGIN, 1)])).map(drop)
}

#[test]
fn a_receipt_verifies_from_its_json_alone() {
    for index in [0, 7, 255, 256, 299] {
        let json = receipt(index).to_json().unwrap();
        let read = Receipt::from_json(&json).unwrap();
        let key = signer(ORIGIN, 1);
        let verified = read.verify(&trust(&[&key])).unwrap();
        assert_eq!(verified.origin, ORIGIN);
        assert_eq!(verified.head.size, SIZE);
        assert_eq!(verified.signers, [key.verifier().clone()]);
        assert_eq!(read.leaf, leaf(index));
    }
}

#[test]
fn the_only_leaf_of_a_log_has_a_receipt_without_hashes() {
    let key = signer(ORIGIN, 1);
    let (writer, tiles) = written([leaf(0)]);
    let note = checkpoint(writer.tree().head()).sign(&[&key]).unwrap();
    let made = Receipt::make(&tiles, leaf(0), 0, &note.to_string(), &trust(&[&key])).unwrap();
    assert!(made.inclusion.is_empty());
    verify(&made).unwrap();
}

#[test]
fn no_bit_of_a_receipt_can_be_flipped() {
    let json = serde_json::to_string(&receipt(3)).unwrap();
    let trusted = trust(&[&signer(ORIGIN, 1)]);
    for bit in 0..json.len() * 8 {
        let mut bytes = json.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        let verified = Receipt::from_json(&text).and_then(|read| read.verify(&trusted));
        assert!(verified.is_err(), "bit {bit}: {text}");
    }
}

#[test]
fn what_does_not_hold_is_named() {
    let good = receipt(7);
    let other = Receipt {
        leaf: leaf(8),
        ..good.clone()
    };
    let inclusion = ReceiptError::Inclusion;
    let found = verify(&other).unwrap_err();
    assert!(matches!(
        found,
        ReceiptError::Inclusion(ProofError::Inclusion { index: 7, .. })
    ));
    let beyond = Receipt {
        index: SIZE,
        ..good.clone()
    };
    let expected = ProofError::Beyond {
        index: SIZE,
        size: SIZE,
    };
    let found = verify(&beyond).unwrap_err();
    assert_eq!(found.to_string(), inclusion(expected.clone()).to_string());
    assert!(matches!(found, ReceiptError::Inclusion(source) if source == expected));
    let found = good.verify(&trust(&[&signer(ORIGIN, 2)])).unwrap_err();
    let untrusted = CheckpointError::Trust(TrustError::TooFew {
        found: 0,
        wanted: 1,
    });
    assert!(matches!(found, ReceiptError::Checkpoint(source) if source == untrusted));
    let newer = Receipt {
        format: "aureole-receipt/2".to_owned(),
        ..good
    };
    let found = verify(&newer).unwrap_err();
    assert!(matches!(found, ReceiptError::Format { found, .. } if found == "aureole-receipt/2"));
}

#[test]
fn what_a_leaf_keeps_to_itself_is_checked_against_it() {
    let good = receipt(7);
    let sealed = Receipt {
        opening: None,
        ..good.clone()
    };
    verify(&sealed).unwrap();
    let with = |opening| Receipt {
        opening: Some(opening),
        ..sealed.clone()
    };
    let salted = Opening {
        salt: salt(8),
        ..opening(7)
    };
    let build = Opening {
        verifier: BUILD.replace("0.4.1", "0.4.0"),
        ..opening(7)
    };
    for (opening, inputs) in [(salted, true), (opening(8), true), (build, false)] {
        let refused = verify(&with(opening.clone())).unwrap_err();
        assert_eq!(matches!(refused, ReceiptError::PublicInputs { .. }), inputs);
        assert_eq!(matches!(refused, ReceiptError::Verifier { .. }), !inputs);
        assert!(sealed.clone().opened(opening).is_err());
    }
}

#[test]
fn documents_that_are_no_receipts_are_refused() {
    let json = receipt(7).to_json().unwrap();
    for bad in [
        "",
        "{}",
        &json.replace("\"index\"", "\"place\""),
        &(json.clone() + "x"),
    ] {
        let refused = Receipt::from_json(bad).unwrap_err();
        assert!(matches!(refused, ReceiptError::Json(_)), "{bad}");
    }
    let refused = Receipt::from_json(&" ".repeat(RECEIPT_BYTES_MAX + 1)).unwrap_err();
    assert!(matches!(refused, ReceiptError::TooLong { .. }));
}

#[test]
fn no_receipt_is_made_that_would_not_verify() {
    let key = signer(ORIGIN, 1);
    let (writer, mut tiles) = written((0..SIZE).map(leaf));
    let note = |head: Head| checkpoint(head).sign(&[&key]).unwrap().to_string();
    let head = writer.tree().head();
    let make = |tiles: &_, number, index, note: &str| {
        Receipt::make(tiles, leaf(number), index, note, &trust(&[&key])).map(drop)
    };
    let wrong = make(&tiles, 8, 7, &note(head)).unwrap_err();
    assert!(matches!(wrong, MakeError::Proof { index: 7, .. }));
    let beyond = make(&tiles, SIZE, SIZE, &note(head)).unwrap_err();
    assert!(matches!(beyond, MakeError::Log(LogError::Beyond(_))));
    let unsigned = make(&tiles, 7, 7, &checkpoint(head).to_string()).unwrap_err();
    assert!(matches!(unsigned, MakeError::Checkpoint(_)));
    tiles.clear();
    let missing = make(&tiles, 7, 7, &note(head)).unwrap_err();
    assert!(matches!(missing, MakeError::Log(LogError::Missing { .. })));
}
