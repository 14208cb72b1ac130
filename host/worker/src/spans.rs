//! An attempt's spans: the attempt, its stages, the calls of its children. There are none where nobody
//! gives them ids.
//!
//! They name the task, the attempt, the stage and the child, and nothing that comes from an input.

use aureole_store::TaskId;
use aureole_telemetry::{adopt, is_on};
use tracing::Span;
use tracing::field::Empty;

use crate::child::Kind;
use crate::message::Stage;

/// An attempt, as a part of the trace that its lease names; an empty traceparent names none.
pub(crate) fn attempt(task: TaskId, attempt: u32, work: &'static str, traceparent: &str) -> Span {
    if !is_on() {
        return Span::none();
    }
    let span = tracing::info_span!("attempt", %task, attempt, work, trace_id = Empty);
    adopt(&span, Some(traceparent));
    span
}

/// A stage, within a span.
pub(crate) fn stage(within: &Span, stage: Stage) -> Span {
    if !is_on() {
        return Span::none();
    }
    let stage = stage.name();
    tracing::info_span!(parent: within, "stage", otel.name = stage, stage)
}

/// A call of a child process: the sandbox's or the prover's part of a stage.
pub(crate) fn child(kind: Kind, during: &'static str) -> Span {
    if !is_on() {
        return Span::none();
    }
    tracing::info_span!("child", otel.name = %kind, child = %kind, during)
}
