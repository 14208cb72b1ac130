//! Draws the first-party circuits: `cargo run -p aureole-draw --example gallery -- FOLDER`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool for whoever works on this crate prints, and stops at once"
)]

use std::path::Path;

use aureole_sdk::{Plugin, native};

#[path = "../tests/common/mod.rs"]
mod common;

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let folder = Path::new(&folder);
    draw::<aureole_merkle::Merkle>(folder, "merkle", "{\"depth\":16}");
    draw::<aureole_range::Range>(folder, "range", "{}");
    draw::<aureole_preimage::Preimage>(folder, "preimage", "{}");
    for (name, blocks, lanes, table_rows) in [
        ("k4", 0, 1, 5),
        ("k5", 1, 1, 4),
        ("k9", 5, 12, 100),
        ("k15", 1000, 6, 1024),
        ("wide", 300, 60, 4096),
    ] {
        let (circuit, annotations) = common::blocks(common::Blocks {
            blocks,
            lanes,
            table_rows,
        });
        let title = format!("{name}: {blocks} blocks, k = {}", circuit.circuit().k);
        write(
            folder,
            name,
            &aureole_draw::layout(&circuit, &annotations, &title),
        );
    }
}

fn write(folder: &Path, name: &str, picture: &aureole_draw::Picture) {
    std::fs::write(
        folder.join(name).with_extension("svg"),
        aureole_draw::svg(picture),
    )
    .unwrap();
    let png = aureole_draw::png(picture).unwrap();
    std::fs::write(folder.join(name).with_extension("png"), png).unwrap();
}

fn draw<P: Plugin>(folder: &Path, name: &str, params: &str) {
    let circuit = native::circuit::<P>(params).unwrap();
    let limits = aureole_ir::Limits {
        k_max: 18,
        ..aureole_ir::Limits::default()
    };
    let circuit = circuit.check(&limits).unwrap();
    let annotations = native::annotate::<P>(params).unwrap();
    let picture = aureole_draw::layout(&circuit, &annotations, name);
    write(folder, name, &picture);
    let formulas = aureole_draw::Formulas::new(
        &circuit.circuit().constraint_system,
        circuit.circuit().field,
    );
    for gate in &circuit.circuit().constraint_system.gates {
        println!("{name}: {}", gate.name);
        for constraint in &gate.constraints {
            println!(
                "  {}: {}",
                constraint.name,
                formulas.polynomial(constraint.expression)
            );
        }
    }
    for lookup in &circuit.circuit().constraint_system.lookups {
        println!("  {}", formulas.lookup(lookup));
    }
}
