//! Logs: one subscriber for the process, for people or as JSON, to standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::EnvFilter;

use crate::config::{Log, LogFormat};

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The filter does not parse.
    #[error("log.filter `{filter}` is not a filter such as `info` or `warn,aureole_worker=debug`")]
    Filter {
        /// The filter.
        filter: String,
        /// Where and why.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// The process has a subscriber already.
    #[error("logging was set up before")]
    Twice,
}

/// Installs the process's log subscriber. Called once, by the binary, before a node starts.
///
/// # Errors
/// A filter that does not parse, or a second call.
pub fn install(log: &Log) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|source| TelemetryError::Filter {
        filter: log.filter.clone(),
        source,
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let installed = match log.format {
        LogFormat::Human => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    installed.map_err(|_| TelemetryError::Twice)
}
