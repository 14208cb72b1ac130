//! The internal wire: what workers ask of the coordinators. Generated, but for what must not be.
//!
//! The types mirror `proto/aureole/internal/v1/`; nothing is checked here. Whoever receives one turns
//! it into checked types before use.

use std::fmt;

/// Version 1.
#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated code is reviewed as the proto it comes from"
)]
#[rustfmt::skip]
#[path = "generated/aureole.internal.v1.rs"]
pub mod v1;

/// Shows everything but the key: debug output ends in logs.
impl fmt::Debug for v1::Prove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prove")
            .field("component", &Hex(&self.component))
            .field("params", &Hex(&self.params))
            .field("circuit", &Hex(&self.circuit))
            .field("input", &Hex(&self.input))
            .field("input_key", &"[secret]")
            .finish()
    }
}

/// Bytes as hexadecimal in debug output.
struct Hex<'a>(&'a [u8]);

impl fmt::Debug for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::v1;

    #[test]
    fn an_input_key_is_not_in_debug_output() {
        let work = v1::lease::Work::Prove(v1::Prove {
            component: vec![0xab, 0xcd],
            input_key: vec![0x5e; 32],
            ..v1::Prove::default()
        });
        let shown = format!(
            "{:?}",
            v1::Lease {
                work: Some(work),
                ..v1::Lease::default()
            }
        );
        assert!(shown.contains("component: abcd"), "{shown}");
        assert!(shown.contains("[secret]") && !shown.contains("5e5e") && !shown.contains("94, 94"));
    }
}
