//! Members that applied the same entry have the same facts, at every moment that was seen.

use std::collections::BTreeMap;

use aureole_ledger::Digest;
use aureole_simnet::{History, Sample};

use crate::every::holds;

pub(crate) fn check(history: &History) -> Result<(), String> {
    let mut seen = BTreeMap::<u64, &Sample>::new();
    for sample in &history.samples {
        let first = *seen.entry(sample.applied).or_insert(sample);
        if first.member != sample.member && first.digest != sample.digest {
            return Err(format!(
                "after entry {} members {} and {} differ, at {} and {} ms",
                sample.applied, first.member, sample.member, first.at, sample.at
            ));
        }
    }
    for ends in [&history.ends, &history.kept] {
        let digests: Vec<Digest> = ends.values().map(|end| end.digest).collect();
        if digests.windows(2).any(|two| two.first() != two.last()) {
            return Err(format!("in the end the members differ: {digests:?}"));
        }
    }
    Ok(())
}

#[test]
fn members_at_one_entry_have_one_digest() -> Result<(), String> {
    holds("members_at_one_entry_have_one_digest", check)
}

#[test]
fn two_members_that_differ_at_an_entry_are_seen() {
    let sample = |member, text: &[u8]| Sample {
        at: 1,
        member,
        life: 1,
        applied: 7,
        digest: Digest::of(text),
    };
    let mut history = History {
        samples: vec![sample(1, b"a"), sample(2, b"a")],
        ..History::default()
    };
    assert_eq!(check(&history), Ok(()));
    history.samples.push(sample(3, b"b"));
    let error = check(&history).unwrap_err();
    assert!(error.contains("members 1 and 3 differ"), "{error}");
}
