//! Every target, for some seconds: with its corpus, and with seeded changes to it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may end where it stands"
)]

use std::{
    fs,
    path::Path,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use aureole_fuzz::{Mutator, TARGETS, Target};

/// How long a target is tried.
const TIME: Duration = Duration::from_secs(3);

/// What makes a target's choices, fresh each time unless it is given.
const SEED: &str = "AUREOLE_TEST_SEED";

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("libfuzzer/corpus")
        .join(target.name);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn smoke(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let seed = std::env::var(SEED).map_or_else(
        |_| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            u64::try_from(now.as_nanos() % u128::from(u64::MAX)).unwrap()
        },
        |text| text.parse().unwrap(),
    );
    let corpus = corpus(target);
    assert!(corpus.len() >= 3, "{name} has no corpus to speak of");
    corpus.iter().for_each(|bytes| (target.run)(bytes));
    let mut mutator = Mutator::seeded(seed);
    let started = Instant::now();
    let mut runs = 0_u32;
    eprintln!("changes can be had again with {SEED}={seed}");
    while started.elapsed() < TIME {
        let bytes = mutator.variant(&corpus);
        let one = Instant::now();
        (target.run)(&bytes);
        assert!(
            one.elapsed() < Duration::from_secs(10),
            "{name} is slow on {bytes:02x?}"
        );
        runs += 1;
    }
    eprintln!("{name}: {runs} runs");
    assert!(runs > 50, "{name}: {runs} runs are none to speak of");
}

#[test]
fn no_bytes_of_a_circuit_break_its_decoder_or_its_check() {
    smoke("circuit");
}

#[test]
fn no_bytes_of_a_witness_break_its_decoder_or_its_check() {
    smoke("witness");
}

#[test]
fn no_bytes_of_annotations_break_their_decoder() {
    smoke("annotations");
}

#[test]
fn no_bytes_of_a_component_break_the_scan() {
    smoke("component");
}

#[test]
fn no_bytes_of_a_proof_break_the_verifier_or_convince_it() {
    smoke("proof");
}

#[test]
fn every_target_has_a_fuzzer_and_a_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("libfuzzer");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for target in TARGETS {
        let path = format!("fuzz_targets/{}.rs", target.name);
        assert!(manifest.contains(&path), "{path}");
        let text = fs::read_to_string(folder.join(&path)).unwrap();
        assert!(
            text.contains(&format!("aureole_fuzz::{}", target.name)),
            "{path}"
        );
        assert!(!corpus(&target).is_empty());
    }
}
