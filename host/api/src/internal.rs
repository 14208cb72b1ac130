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

/// Shows everything but the key.
impl fmt::Debug for v1::PutKeyRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PutKeyRequest")
            .field("task_id", &Hex(&self.task_id))
            .field("input", &Hex(&self.input))
            .field("key", &"[secret]")
            .finish()
    }
}

/// Shows whether there is a key, and not the key.
impl fmt::Debug for v1::GetKeyReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetKeyReply")
            .field("key", &self.key.as_ref().map(|_| "[secret]"))
            .finish()
    }
}

/// Shows the verb but not its arguments, which may hold a private input.
impl fmt::Debug for v1::VerbCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerbCall")
            .field("verb", &self.verb)
            .field(
                "arguments",
                &format_args!("[{} bytes]", self.arguments.len()),
            )
            .finish()
    }
}

/// Shows who asks, but not the token.
impl fmt::Debug for v1::SignRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignRequest")
            .field("token", &"[secret]")
            .field("name", &self.name)
            .finish_non_exhaustive()
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

    #[test]
    fn a_key_on_its_way_between_members_is_not_in_debug_output() {
        let key = vec![0x5e; 32];
        let put = v1::PutKeyRequest {
            task_id: vec![0xab],
            key: key.clone(),
            ..v1::PutKeyRequest::default()
        };
        let shown = format!("{put:?} {:?}", v1::GetKeyReply { key: Some(key) });
        assert!(shown.contains("task_id: ab"), "{shown}");
        assert_eq!(shown.matches("[secret]").count(), 2, "{shown}");
        assert!(
            !shown.contains("5e5e") && !shown.contains("94, 94"),
            "{shown}"
        );
    }

    #[test]
    fn private_arguments_are_not_in_debug_output() {
        let call = v1::VerbCall {
            verb: "submit".to_owned(),
            arguments: b"{\"input\":\"canary\"}".to_vec(),
            caller: None,
        };
        let shown = format!("{call:?}");
        assert!(
            shown.contains("submit") && shown.contains("18 bytes"),
            "{shown}"
        );
        assert!(!shown.contains("99, 97, 110"), "{shown}");
    }

    #[test]
    fn a_join_token_is_not_in_debug_output() {
        let request = v1::SignRequest {
            token: "canary".to_owned(),
            name: "w1".to_owned(),
            request: Vec::new(),
        };
        let shown = format!("{request:?}");
        assert!(
            shown.contains("w1") && shown.contains("[secret]"),
            "{shown}"
        );
        assert!(!shown.contains("canary"), "{shown}");
    }
}
