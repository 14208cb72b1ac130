//! The targets that need no prover: decoders, checks, and the scan of an upload.

use aureole_ir::{Annotations, Circuit, Limits};
use aureole_runtime::scan;

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
            #[cfg(feature = "prover")]
            let _ = aureole_prover::estimate(checked.shape());
            for lint in checked.lints() {
                assert!(lint.code.starts_with("lint."));
                is_fit_to_be_shown(&lint.detail);
            }
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

/// Asserts that a text can be put before a person.
pub(crate) fn is_fit_to_be_shown(text: &str) {
    assert!(
        text.len() <= SHOWN_BYTES_MAX,
        "{} bytes of text",
        text.len()
    );
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
