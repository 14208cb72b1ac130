//! An attempt's spans: the attempt, its stages, the calls of its children.
//!
//! They name the task, the attempt, the stage and the child, and nothing that comes from an input.

use aureole_telemetry::adopt;
use tracing::Span;
use tracing::field::Empty;

use crate::message::Stage;

/// An attempt, as a part of the trace that its lease names; an empty traceparent names none.
pub(crate) fn attempt(task: &str, attempt: u32, work: &'static str, traceparent: &str) -> Span {
    let span = tracing::info_span!("attempt", task, attempt, work, trace_id = Empty);
    adopt(&span, Some(traceparent));
    span
}

/// A stage, within a span.
pub(crate) fn stage(within: &Span, stage: Stage) -> Span {
    let stage = stage.name();
    tracing::info_span!(parent: within, "stage", otel.name = stage, stage)
}

/// A call of a child process: the sandbox's or the prover's part of a stage.
pub(crate) fn child(kind: impl std::fmt::Display, during: &'static str) -> Span {
    tracing::info_span!("child", otel.name = %kind, child = %kind, during)
}
