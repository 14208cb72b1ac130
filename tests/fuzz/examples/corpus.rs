//! Writes the corpus: `cargo run -p aureole-fuzz --example corpus` from the repository's root.
//!
//! Real things and near misses, small enough to be read in a hex dump. What a fuzzer found and was
//! kept stands beside them under other names.
#![allow(
    clippy::expect_used,
    reason = "a tool for developers may end where it stands"
)]

use std::{fs, path::Path};

use aureole_fuzz::prover;
use aureole_handmade::{Constant, Parts, assembled, hostile_circuits, hostile_witnesses, multiply};
use aureole_ir::{Annotations, Column, ColumnKind, Limits, Region};

fn main() -> std::io::Result<()> {
    let (circuit, witness) = multiply();
    keep("circuit", "good", &circuit.encode())?;
    for case in hostile_circuits() {
        let bytes = case.circuit.encode();
        if bytes.len() < 4096 {
            keep("circuit", case.name, &bytes)?;
        }
    }
    keep("witness", "good", &witness.encode())?;
    for case in hostile_witnesses() {
        keep("witness", case.name, &case.witness.encode())?;
    }

    let region = |name: &str, rows| Region {
        name: name.to_owned(),
        columns: vec![Column {
            kind: ColumnKind::Advice,
            index: rows,
        }],
        first_row: 0,
        rows,
    };
    let several = vec![region("main", 1), region("a/b", u32::MAX), region("🦀", 0)];
    for (name, regions) in [
        ("none", Vec::new()),
        ("one", vec![region("", 3)]),
        ("several", several),
    ] {
        keep("annotations", name, &Annotations { regions }.encode())?;
    }

    let good = Parts::default().build();
    keep("component", "good", &good)?;
    keep(
        "component",
        "data",
        &Constant::new("given", circuit.clone(), witness.clone()).build(),
    )?;
    keep("component", "half", &good[..good.len() / 2])?;
    keep("component", "module", &assembled("(module (func))"))?;
    keep("component", "empty", &assembled("(component)"))?;
    keep(
        "component",
        "import",
        &assembled(r#"(component (import "wasi:io/poll@0.2.0" (instance)))"#),
    )?;
    keep(
        "component",
        "nested",
        &assembled("(component (component (core module (memory 1))))"),
    )?;

    let checked = circuit
        .check(&Limits::default())
        .expect("the circuit keeps every rule");
    let proof = prover()
        .prove(&checked, &witness)
        .expect("the witness satisfies it")
        .bytes;
    let request = |public_inputs: &[u8], proof: &[u8]| {
        let length = u8::try_from(public_inputs.len()).expect("one element");
        [&[length], public_inputs, proof].concat()
    };
    let public = &witness.public_inputs;
    keep("proof", "good", &request(public, &proof))?;
    keep("proof", "other-input", &request(&[5; 32], &proof))?;
    keep("proof", "not-canonical", &request(&[0xff; 32], &proof))?;
    keep(
        "proof",
        "trailing",
        &request(public, &[&proof[..], &[0]].concat()),
    )?;
    keep(
        "proof",
        "short",
        &request(public, &proof[..proof.len() - 32]),
    )?;
    keep("proof", "zeros", &request(public, &vec![0; proof.len()]))
}

fn keep(target: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let letters = name
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || " -".contains(*letter));
    let name: String = letters
        .map(|letter| if letter == ' ' { '-' } else { letter })
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("libfuzzer/corpus")
        .join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)
}
