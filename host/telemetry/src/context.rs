//! W3C trace context: one line that names a trace and a place in it, the same in REST and gRPC.
//!
//! `traceparent: 00-TRACE(32 hex)-SPAN(16 hex)-FLAGS(2 hex)`. `tracestate` is not passed on: it is
//! other systems' text, and would go through every queue of ours.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _,
};
use opentelemetry::{Context, KeyValue, global};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The header, and gRPC's metadata.
pub const TRACEPARENT: &str = "traceparent";

/// Longest traceparent that is looked at. One of version 00 has 55 characters; a later one may have more.
const HEADER_MAX: usize = 256;

/// The name under which spans that are told afterwards come.
const SCOPE: &str = "aureole";

/// Whether this process has a place for spans: a subscriber was installed that gives them ids.
static ON: AtomicBool = AtomicBool::new(false);

/// Notes that spans have ids from now on.
pub(crate) fn turn_on() {
    ON.store(true, Ordering::Relaxed);
}

/// Whether spans have ids. Where they have none, whoever would make a span for a trace's sake makes
/// none: it would cost something and tell nothing.
#[must_use]
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Makes a span a part of the trace that a traceparent names, if it is one, and else the root of a
/// trace of its own; writes the trace's id into the span's field `trace_id`, for log lines.
///
/// The span must be fresh: one that has children already keeps its place.
pub fn adopt(span: &Span, traceparent: Option<&str>) {
    if !is_on() {
        return;
    }
    if let Some(parent) = traceparent.and_then(parse) {
        // Refused only where nobody listens, or too late: then the span is a root.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
    let context = span.context();
    let span_context = context.span().span_context().clone();
    if span_context.is_valid() {
        span.record("trace_id", tracing::field::display(span_context.trace_id()));
    }
}

/// The traceparent of a span, for whoever works for it elsewhere; `None` where nobody listens.
#[must_use]
pub fn traceparent(span: &Span) -> Option<String> {
    if !is_on() {
        return None;
    }
    let context = span.context();
    let of_span = context.span();
    let context = of_span.span_context();
    context.is_valid().then(|| write(context))
}

/// Tells a span that has passed already: nobody was there while it ran, such as a wait in a queue.
pub fn past(
    traceparent: &str,
    name: &'static str,
    (start, end): (SystemTime, SystemTime),
    attributes: &[(&'static str, String)],
) {
    let Some(parent) = parse(traceparent) else {
        return;
    };
    let tracer = global::tracer(SCOPE);
    let attributes = attributes.iter();
    let attributes = attributes.map(|(key, value)| KeyValue::new(*key, value.clone()));
    let builder = tracer
        .span_builder(name)
        .with_start_time(start)
        .with_attributes(attributes);
    let parent = Context::new().with_remote_span_context(parent);
    tracer
        .build_with_context(builder, &parent)
        .end_with_timestamp(end);
}

fn write(context: &SpanContext) -> String {
    format!(
        "00-{}-{}-{:02x}",
        context.trace_id(),
        context.span_id(),
        context.trace_flags().to_u8()
    )
}

/// Reads a traceparent strictly: small hex digits, no id of zeros. Of a version after 00 the parts that it
/// has in common with 00 count (W3C Trace Context, section 4.3).
fn parse(text: &str) -> Option<SpanContext> {
    let hex = |part: &str| {
        part.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    if text.len() > HEADER_MAX || !text.is_ascii() {
        return None;
    }
    let mut parts = text.splitn(5, '-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let (span, flags) = (parts.next()?, parts.next()?);
    let sizes = (version.len(), trace.len(), span.len(), flags.len());
    if sizes != (2, 32, 16, 2) || ![version, trace, span, flags].into_iter().all(hex) {
        return None;
    }
    let has_more = parts.next().is_some();
    if version == "ff" || (version == "00" && has_more) {
        return None;
    }
    let trace = TraceId::from_hex(trace).ok()?;
    let span = SpanId::from_hex(span).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let context = SpanContext::new(trace, span, flags, true, TraceState::default());
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    //! What is no traceparent is nobody's place.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::{adopt, parse, traceparent, write};

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_read_and_written_as_it_is() {
        assert_eq!(write(&parse(GOOD).unwrap()), GOOD);
        let unsampled = GOOD.replace("-01", "-00");
        assert_eq!(write(&parse(&unsampled).unwrap()), unsampled);
    }

    #[test]
    fn a_traceparent_of_a_later_version_is_read_as_far_as_it_is_known() {
        for later in [
            GOOD.replace("00-4b", "01-4b"),
            format!("{}-more", GOOD.replace("00-4b", "cc-4b")),
        ] {
            assert_eq!(write(&parse(&later).unwrap()), GOOD, "{later}");
        }
    }

    #[test]
    fn what_is_no_traceparent_is_refused() {
        for text in [
            "",
            "00",
            &GOOD.to_uppercase(),
            &GOOD.replace("00-4b", "ff-4b"),
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &GOOD.replace('-', "_"),
            &format!("{GOOD}-x"),
            &GOOD.replace("47", "é"),
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn where_nobody_listens_there_is_nothing_to_pass_on() {
        let span = tracing::info_span!("quiet", trace_id = tracing::field::Empty);
        adopt(&span, Some(GOOD));
        assert_eq!(traceparent(&span), None);
    }
}
