//! The process's subscriber: log lines to standard error, spans to a collector.

use std::fmt;
use std::io::IsTerminal as _;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider,
};
use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, FilterFn};
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::{Filter, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry};

use crate::context;
use crate::json::Flat;
use crate::limits::{EXPORT_TIMEOUT, SPANS_PER_EXPORT_MAX, SPANS_WAITING_MAX};

/// How log lines are written.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Whether for machines.
    pub json: bool,
    /// A filter such as `info` or `warn,aureole_worker=debug`.
    pub filter: String,
}

/// Where spans go.
#[derive(Clone, Debug)]
pub struct TraceOptions {
    /// An OTLP receiver over gRPC, `http://HOST:PORT`.
    pub endpoint: String,
    /// Which share of the traces that begin here is told, in thousandths. A trace that began elsewhere
    /// is told if its caller tells it.
    pub per_mille: u32,
    /// What this process is, such as `gateway`.
    pub roles: String,
    /// Which one it is; unique among those of its roles.
    pub instance: String,
}

/// Why a process has no subscriber.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The filter does not parse.
    #[error("log.filter `{filter}` is not a filter such as `info` or `warn,aureole_worker=debug`")]
    Filter {
        /// The filter.
        filter: String,
        /// Where and why.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// The receiver of spans cannot be one.
    #[error("traces.endpoint `{endpoint}` cannot be sent to")]
    Endpoint {
        /// The address.
        endpoint: String,
        /// Why.
        #[source]
        source: opentelemetry_otlp::ExporterBuildError,
    },
    /// The process has a subscriber already.
    #[error("logging was set up before")]
    Twice,
}

/// What was installed; what waits is sent when it is closed.
#[must_use = "spans that wait are lost unless it is closed"]
pub struct Installed {
    provider: Option<SdkTracerProvider>,
}

/// Installs the process's subscriber. Called once, by the binary, within its runtime, before anything
/// else starts.
///
/// # Errors
/// [`InstallError`]: a filter that does not parse, an address that is none, or a second call.
pub fn install(log: &LogOptions, traces: Option<&TraceOptions>) -> Result<Installed, InstallError> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|source| InstallError::Filter {
        filter: log.filter.clone(),
        source,
    })?;
    let provider = match traces {
        Some(traces) => Some(exporting(traces)?),
        // Ids for log lines, told to nobody.
        None if log.json => Some(silent()),
        None => None,
    };
    let lines = lines(log.json);
    let installed = match &provider {
        Some(provider) => {
            global::set_tracer_provider(provider.clone());
            let spans = spans(provider.tracer("aureole"));
            let both = Registry::default()
                .with(lines.with_filter(with_our_spans(filter)))
                .with(spans);
            both.try_init()
        }
        // The filter stands before everything: a span that no line is about does not exist.
        None => Registry::default().with(lines).with(filter).try_init(),
    };
    installed.map_err(|_| InstallError::Twice)?;
    if provider.is_some() {
        context::turn_on();
    }
    Ok(Installed { provider })
}

fn lines<S>(json: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match json {
        true => lines
            .fmt_fields(JsonFields::new())
            .event_format(Flat)
            .boxed(),
        false => lines.with_target(false).boxed(),
    }
}

/// What a filter lets pass, and our own spans whatever it says: a line of an error has the ids of its
/// request and its trace also where lines of that request are not written.
fn with_our_spans<S>(filter: EnvFilter) -> impl Filter<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    filter.or(ours())
}

fn ours() -> FilterFn {
    fn is_ours(metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target().starts_with("aureole")
    }
    // As a pointer: a function's own type has no name.
    let is_ours: fn(&Metadata<'_>) -> bool = is_ours;
    FilterFn::new(is_ours).with_max_level_hint(LevelFilter::INFO)
}

/// Our own spans alone, and no events: a log line may have words that are for the operator's eyes.
fn spans<S>(tracer: SdkTracer) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(ours())
        .boxed()
}

fn exporting(traces: &TraceOptions) -> Result<SdkTracerProvider, InstallError> {
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(traces.endpoint.clone())
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(|source| InstallError::Endpoint {
            endpoint: traces.endpoint.clone(),
            source,
        })?;
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(SPANS_WAITING_MAX)
        .with_max_export_batch_size(SPANS_PER_EXPORT_MAX)
        .with_scheduled_delay(Duration::from_secs(1))
        .build();
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(batches);
    let share = f64::from(traces.per_mille) / 1000.0;
    let own = Sampler::TraceIdRatioBased(share);
    let resource = Resource::builder_empty()
        .with_service_name("aureole")
        .with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", traces.instance.clone()),
            KeyValue::new("aureole.roles", traces.roles.clone()),
        ])
        .build();
    Ok(SdkTracerProvider::builder()
        .with_span_processor(processor.build())
        .with_sampler(Sampler::ParentBased(Box::new(own)))
        .with_resource(resource)
        .build())
}

/// Passes on whether a caller tells its trace, and tells nobody itself.
fn silent() -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
        .build()
}

// === impl Installed ===

impl Installed {
    /// Sends what waits. Blocks for [`EXPORT_TIMEOUT`] at the most: not for an async worker.
    pub fn close(self) {
        if let Some(provider) = self.provider {
            // Whoever stops has no use for spans that nobody takes.
            let _ = provider.shutdown_with_timeout(EXPORT_TIMEOUT);
        }
    }
}

impl fmt::Debug for Installed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let traces = self.provider.is_some();
        f.debug_struct("Installed")
            .field("traces", &traces)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    //! What a line has of its spans.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::filter::EnvFilter;
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::{Layer as _, Registry};

    use super::with_our_spans;
    use crate::json::Flat;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_error_has_the_ids_of_its_request_where_no_line_of_the_request_is_written() {
        let written = Written::default();
        let writer = written.clone();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .fmt_fields(super::JsonFields::new())
            .event_format(Flat);
        let filter = EnvFilter::try_new("error").unwrap();
        let both = Registry::default().with(lines.with_filter(with_our_spans(filter)));
        tracing::subscriber::with_default(both, || {
            let request =
                tracing::info_span!(target: "aureole_tests", "request", request_id = "req_7");
            request.in_scope(|| {
                tracing::info!(target: "aureole_tests", "it began");
                tracing::error!(target: "aureole_tests", "it failed");
            });
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!(line["message"], "it failed");
        assert_eq!(line["request_id"], "req_7");
    }
}
