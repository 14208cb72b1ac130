//! The targets.

use std::sync::LazyLock;

use aureole_handmade::multiply;
use aureole_ir::{Annotations, CheckedCircuit, Circuit, FieldElement, Limits, Witness};
use aureole_prover::{Halo2Ipa, ParamsDir, Verdict, estimate};
use aureole_runtime::scan;

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

/// What may be shown of a plugin's own making.
const SHOWN_BYTES_MAX: usize = 4096;

/// A circuit's bytes: what decodes has one encoding, and a check of it ends.
///
/// # Panics
/// If a claim does not hold.
pub fn circuit(bytes: &[u8]) {
    let Ok(circuit) = Circuit::decode(bytes) else {
        return;
    };
    assert_eq!(circuit.encode(), bytes, "a circuit has two encodings");
    let digest = circuit.digest();
    match circuit.check(&Limits::default()) {
        Ok(checked) => {
            assert_eq!(checked.digest(), digest);
            assert!(checked.shape().rows_used <= checked.shape().rows);
            // Sums and products of sizes that the check has bounded.
            let _ = estimate(checked.shape());
        }
        Err(refusal) => is_fit_to_be_shown(&refusal.to_string()),
    }
}

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

/// The bytes of a circuit's region names.
///
/// # Panics
/// If a claim does not hold.
pub fn annotations(bytes: &[u8]) {
    if let Ok(annotations) = Annotations::decode(bytes) {
        assert_eq!(
            annotations.encode(),
            bytes,
            "annotations have two encodings"
        );
    }
}

/// An uploaded file: the scan ends, and says what is fit to be shown.
///
/// # Panics
/// If a claim does not hold.
pub fn component(bytes: &[u8]) {
    let limits = aureole_runtime::Limits::default();
    match scan(bytes, &limits) {
        Ok(report) => {
            assert!(report.functions <= limits.functions);
            assert!(report.local_blocks <= limits.local_blocks);
        }
        Err(error) => {
            assert!(error.code().starts_with("plugin."));
            is_fit_to_be_shown(&error.to_string());
        }
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

fn is_fit_to_be_shown(text: &str) {
    assert!(
        text.len() <= SHOWN_BYTES_MAX,
        "{} bytes of text",
        text.len()
    );
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
