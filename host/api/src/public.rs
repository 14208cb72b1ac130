//! The public API in gRPC. Generated, but for what must not be.
//!
//! The types mirror `proto/aureole/v1/`; the gateway turns them into the documents of [`crate::rest`]
//! and back.

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
#[path = "generated/aureole.v1.rs"]
pub mod v1;

/// The descriptors of the public API's files, as reflection answers them.
pub const DESCRIPTORS: &[u8] = include_bytes!("generated/aureole.v1.bin");

/// Shows what is asked for but not the input: debug output ends in logs.
impl fmt::Debug for v1::SubmitTaskRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubmitTaskRequest")
            .field("target", &self.target)
            .field("priority", &self.priority)
            .field("idempotency_key", &self.idempotency_key)
            .finish_non_exhaustive()
    }
}

/// Shows what is named, which is no secret.
impl fmt::Debug for v1::submit_task_request::Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Circuit(circuit) => f.debug_tuple("Circuit").field(circuit).finish(),
            Self::Plugin(plugin) => f.debug_tuple("Plugin").field(plugin).finish(),
        }
    }
}

/// Shows how many there are.
impl fmt::Debug for v1::SubmitTasksRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubmitTasksRequest")
            .field("tasks", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

/// Leaves the input out.
impl fmt::Debug for v1::CheckInputRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckInputRequest")
            .field("circuit", &self.circuit)
            .field("reveal", &self.reveal)
            .finish_non_exhaustive()
    }
}

/// Leaves out what cells may hold.
impl fmt::Debug for v1::CheckInputReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckInputReply")
            .field("satisfied", &self.satisfied)
            .field("failures", &self.failures.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::v1;

    #[test]
    fn an_input_is_not_in_debug_output() {
        let task = v1::SubmitTaskRequest {
            input: "canary".to_owned(),
            params: Some("canary".to_owned()),
            priority: Some(7),
            ..v1::SubmitTaskRequest::default()
        };
        let check = v1::CheckInputRequest {
            input: "canary".to_owned(),
            ..v1::CheckInputRequest::default()
        };
        let report = v1::CheckInputReply {
            failures: vec!["canary".to_owned()],
            ..v1::CheckInputReply::default()
        };
        let batch = v1::SubmitTasksRequest {
            tasks: vec![task.clone()],
            ..v1::SubmitTasksRequest::default()
        };
        let shown = format!("{task:?} {check:?} {report:?} {batch:?}");
        assert!(shown.contains("priority: Some(7)"), "{shown}");
        assert!(!shown.contains("canary"), "{shown}");
    }
}
