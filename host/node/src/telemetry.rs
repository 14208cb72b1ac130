//! Log lines and spans of the process, as its configuration says.

pub use aureole_telemetry::{InstallError, Installed};
use aureole_telemetry::{LogOptions, TraceOptions};

use crate::config::{Config, LogFormat};

/// Why nothing was set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The subscriber cannot be made.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// Without randomness the process has no name of its own for its spans.
    #[error("the operating system gives no randomness")]
    Randomness(#[source] getrandom::Error),
}

/// Installs the process's subscriber. Called once, by the binary, within its runtime, before a node
/// starts; what it returns is closed after the node has stopped.
///
/// # Errors
/// A filter that does not parse, a receiver that is none, or a second call.
pub fn install(config: &Config) -> Result<Installed, TelemetryError> {
    let log = LogOptions {
        json: config.log.format == LogFormat::Json,
        filter: config.log.filter.clone(),
    };
    let traces = match &config.traces.endpoint {
        Some(endpoint) => Some(TraceOptions {
            endpoint: endpoint.clone(),
            per_mille: config.traces.per_mille,
            roles: config.role_names(),
            instance: instance().map_err(TelemetryError::Randomness)?,
        }),
        None => None,
    };
    Ok(aureole_telemetry::install(&log, traces.as_ref())?)
}

/// A name that no other process has, also not the one before it on the same machine.
fn instance() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}
