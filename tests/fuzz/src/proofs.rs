//! The targets that need a prover: witnesses and proofs of one small circuit. And the list of all.

use std::sync::LazyLock;

use aureole_handmade::multiply;
use aureole_ir::{CheckedCircuit, FieldElement, Limits, Witness};
use aureole_prover::{Halo2Ipa, ParamsDir, Verdict};

use crate::decoders::{annotations, circuit, component, is_fit_to_be_shown};

/// A target by the name of its corpus.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name; its corpus stands in `libfuzzer/corpus/NAME`.
    pub name: &'static str,
    /// What it does with some bytes.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 5] = [
    Target {
        name: "circuit",
        run: circuit,
    },
    Target {
        name: "witness",
        run: witness,
    },
    Target {
        name: "annotations",
        run: annotations,
    },
    Target {
        name: "component",
        run: component,
    },
    Target {
        name: "proof",
        run: proof,
    },
];

/// A witness's bytes, as one for a circuit that is known.
///
/// # Panics
/// If a claim does not hold.
pub fn witness(bytes: &[u8]) {
    let Ok(witness) = Witness::decode(bytes) else {
        return;
    };
    assert_eq!(witness.encode(), bytes, "a witness has two encodings");
    match CIRCUIT.check_witness(&witness) {
        // What passes the check is safe to evaluate, whatever its values.
        Ok(()) => {
            let _ = aureole_prover::check(&CIRCUIT, &witness);
        }
        Err(refusal) => is_fit_to_be_shown(&refusal.to_string()),
    }
}

/// Public inputs and a proof, as they come to be verified: the first byte says how many of the
/// bytes after it are public inputs. Whatever the bytes, there is a verdict, and only the public
/// input that was proved is ever valid.
///
/// # Panics
/// If a claim does not hold.
pub fn proof(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first() else {
        return;
    };
    let split = usize::from(*length).min(rest.len());
    let (public_inputs, proof) = rest.split_at(split);
    if let Ok(text) = std::str::from_utf8(public_inputs)
        && let Some(element) = FieldElement::from_hex(text)
    {
        assert_eq!(element.to_hex(), text.to_lowercase());
    }
    let verdict = prover().verify(&CIRCUIT, public_inputs, proof);
    match verdict {
        Ok(Verdict::Valid) => assert_eq!(public_inputs, multiply().1.public_inputs),
        Ok(Verdict::Invalid { .. }) => {}
        Err(error) => assert!(error.to_string().is_empty(), "no verdict: {error}"),
    }
}

/// The circuit that witnesses and proofs are for.
static CIRCUIT: LazyLock<CheckedCircuit> = LazyLock::new(|| {
    let checked = multiply().0.check(&Limits::default());
    #[expect(
        clippy::expect_used,
        reason = "a mistake in the fixture, not in what is fuzzed"
    )]
    checked.expect("the circuit keeps every rule")
});

/// A prover with the parameters of the smallest circuit.
///
/// # Panics
/// If there is no place for them.
#[expect(
    clippy::expect_used,
    reason = "without a folder there is nothing to fuzz"
)]
pub fn prover() -> &'static Halo2Ipa {
    static PROVER: LazyLock<Halo2Ipa> = LazyLock::new(|| {
        let folder = std::env::temp_dir().join("aureole-fuzz-params");
        let params = ParamsDir::open(folder).expect("a temporary folder takes the parameters");
        Halo2Ipa::new(params, 1 << 20)
    });
    &PROVER
}
