//! A log line as one flat JSON object: what Elastic and Loki take without a rule of their own.
//!
//! `@timestamp`, `level`, `target`, `message`, then the fields of the event, then those of the spans
//! around it, from the innermost outwards; the first of a name counts. So `trace_id`, `request_id`,
//! `tenant` and `task` stand at the top of every line that has them.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes flat lines. Spans' fields must be formatted by [`JsonFields`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flat;

struct Fields<'a>(&'a mut Map<String, Value>);

impl<S> FormatEvent<S, JsonFields> for Flat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let metadata = event.metadata();
        line.insert("@timestamp".to_owned(), time.into());
        line.insert("level".to_owned(), metadata.level().as_str().into());
        line.insert("target".to_owned(), metadata.target().into());
        event.record(&mut Fields(&mut line));
        for span in context.event_scope().into_iter().flatten() {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<JsonFields>>();
            // Written by our own formatter: what does not read is left out, not the line.
            let fields = fields.and_then(|fields| serde_json::from_str(&fields.fields).ok());
            let fields: Map<String, Value> = fields.unwrap_or_default();
            // What only says how a span is called or sent is no fact of a line.
            let told = |(name, _): &(String, Value)| !name.starts_with("otel.");
            for (name, value) in fields.into_iter().filter(told) {
                line.entry(name).or_insert(value);
            }
        }
        let text = serde_json::to_string(&line).map_err(|_| fmt::Error)?;
        writeln!(writer, "{text}")
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        self.put(field, text.into());
    }
}

// === impl Fields ===

impl Fields<'_> {
    /// Names that the line has of itself are kept: a field of that name gets an underscore.
    fn put(&mut self, field: &Field, value: Value) {
        let name = match field.name() {
            name @ ("@timestamp" | "level" | "target") => format!("{name}_"),
            name => name.trim_start_matches("r#").to_owned(),
        };
        self.0.insert(name, value);
    }
}
