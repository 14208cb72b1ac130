//! Signed notes: the specification's examples, several signatures, and what is no note.

use aureole_receipts::limits::{NOTE_BYTES_MAX, SIGNATURES_MAX};
use aureole_receipts::{Note, NoteError, SignerKey, TrustError, TrustedKeys};
use proptest::prelude::*;

use crate::kit::{signer, trust};

/// The example of the specification, which its example key signed.
const EXAMPLE: &str = "This is an example message.\n\n— example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

/// Text with an empty line and characters beyond ASCII, as the specification shows.
const POEM: &str = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\n\
    ed è subito sera.\n\n— quasimodo.example/salvatore \
    NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";

fn example_trust() -> TrustedKeys {
    TrustedKeys::new(vec![KEY.parse().unwrap()]).unwrap()
}

#[test]
fn the_specifications_example_verifies_under_its_key() {
    let note: Note = EXAMPLE.parse().unwrap();
    let trusted = example_trust();
    let signers = trusted.check(&note).unwrap();
    assert_eq!(signers[0].to_string(), KEY);
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!(note.to_string(), EXAMPLE);
}

#[test]
fn a_text_may_have_empty_lines_of_its_own() {
    let note: Note = POEM.parse().unwrap();
    assert!(note.text().ends_with(":\n\ned è subito sera.\n"));
    assert_eq!(note.signatures().len(), 1);
    assert_eq!(note.signatures()[0].id(), 0x367b_a04b);
    assert_eq!(note.to_string(), POEM);
}

#[test]
fn a_signature_is_the_one_that_others_make() {
    let key = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let text = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n";
    let signature = "— PeterNeumann \
        x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let note = Note::sign(text, &[&SignerKey::from_text(key).unwrap()]).unwrap();
    assert_eq!(note.to_string(), format!("{text}\n{signature}"));
}

#[test]
fn several_keys_sign_and_each_counts_once() {
    let keys: Vec<SignerKey> = (0..3).map(|seed| signer("log", seed)).collect();
    let note = Note::sign("text\n", &[&keys[0], &keys[1]]).unwrap();
    let note = note.and_sign(&[&keys[0]]).unwrap();
    assert_eq!(note.signatures().len(), 2);
    let twice = note.to_string() + &note.signatures()[1].to_string();
    let note: Note = twice.parse().unwrap();
    let verifiers = |keys: &[SignerKey]| keys.iter().map(|key| key.verifier().clone()).collect();
    let all = TrustedKeys::at_least(2, verifiers(&keys)).unwrap();
    assert_eq!(all.check(&note).unwrap().len(), 2);
    let all = TrustedKeys::at_least(3, verifiers(&keys)).unwrap();
    let too_few = TrustError::TooFew {
        found: 2,
        wanted: 3,
    };
    assert_eq!(all.check(&note), Err(too_few));
}

#[test]
fn unknown_signatures_are_ignored_and_known_ones_must_hold() {
    let (known, stranger) = (signer("log", 1), signer("log", 2));
    let note = Note::sign("text\n", &[&stranger, &known]).unwrap();
    assert_eq!(trust(&[&known]).check(&note).unwrap().len(), 1);
    let nobody = TrustError::TooFew {
        found: 0,
        wanted: 1,
    };
    assert_eq!(trust(&[&signer("log", 3)]).check(&note), Err(nobody));
    // The known key's signature is of another text; the other holds, but the note does not.
    let changed: Note = note.to_string().replace("text", "tent").parse().unwrap();
    let forged = TrustError::Forged {
        name: "log".to_owned(),
        id: known.verifier().id(),
    };
    assert_eq!(
        trust(&[&known, &stranger])
            .check(&changed)
            .map(drop)
            .unwrap_err(),
        TrustError::Forged {
            name: "log".to_owned(),
            id: stranger.verifier().id(),
        }
    );
    assert_eq!(trust(&[&known]).check(&changed), Err(forged));
}

#[test]
fn texts_that_are_no_notes_are_refused() {
    let parse = |text: &str| text.parse::<Note>().unwrap_err();
    assert_eq!(parse("text\n"), NoteError::NoSignatures);
    assert_eq!(parse("text"), NoteError::Unterminated);
    assert_eq!(parse(EXAMPLE.trim_end()), NoteError::Unterminated);
    assert_eq!(
        parse(&EXAMPLE.replace('.', "\t")),
        NoteError::Control { code: 9 }
    );
    let too_long = parse(&"x".repeat(NOTE_BYTES_MAX + 1));
    assert!(matches!(
        too_long,
        NoteError::TooLong { bytes: 262_145, .. }
    ));
    let line = "— log AAAAAAE=\n";
    let many = format!("text\n\n{}", line.repeat(SIGNATURES_MAX));
    assert_eq!(many.parse::<Note>().unwrap().signatures().len(), 64);
    let too_many = NoteError::TooMany { found: 65, max: 64 };
    assert_eq!(parse(&(many + line)), too_many);
    for bad in [
        "- log AAAAAAE=",
        "— log AAAAAA==",
        "— log AAAAAAE",
        "— log",
        "— lo+g AAAAAAE=",
        "—  AAAAAAE=",
        "— a b AAAAAAE=",
        "— log AAAAAAF=",
    ] {
        let note = format!("text\n\n{line}{bad}\n");
        assert_eq!(parse(&note), NoteError::Signature { line: 2 }, "{bad:?}");
    }
}

#[test]
fn what_would_be_no_note_is_not_signed() {
    let key = signer("log", 1);
    let sign = |text: &str, keys: &[&SignerKey]| Note::sign(text, keys).unwrap_err();
    assert_eq!(sign("text", &[&key]), NoteError::Unterminated);
    assert_eq!(sign("text\n", &[]), NoteError::NoSignatures);
    assert_eq!(sign("te\rxt\n", &[&key]), NoteError::Control { code: 13 });
    let keys: Vec<SignerKey> = (0..65).map(|seed| signer("log", seed)).collect();
    let keys: Vec<&SignerKey> = keys.iter().collect();
    let too_many = NoteError::TooMany { found: 65, max: 64 };
    assert_eq!(sign("text\n", &keys), too_many);
}

#[test]
fn no_bit_of_a_signed_note_can_be_flipped() {
    let trusted = example_trust();
    for bit in 0..EXAMPLE.len() * 8 {
        let mut bytes = EXAMPLE.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let note = String::from_utf8(bytes)
            .ok()
            .and_then(|text| text.parse::<Note>().ok());
        assert!(
            note.is_none_or(|note| trusted.check(&note).is_err()),
            "bit {bit}"
        );
    }
}

proptest! {
    #[test]
    fn what_parses_prints_as_it_was(text in "[a-zA-Z —\n+=/]{0,60}") {
        if let Ok(note) = text.parse::<Note>() {
            prop_assert_eq!(note.to_string(), text);
        }
    }

    #[test]
    fn every_signed_text_verifies(text in "[ -~é\n]{0,80}", seed: u8) {
        let key = signer("log", seed);
        let note = Note::sign(&format!("{text}\n"), &[&key]).unwrap();
        let read: Note = note.to_string().parse().unwrap();
        prop_assert_eq!(&read, &note);
        prop_assert_eq!(trust(&[&key]).check(&read).unwrap().len(), 1);
    }
}
