//! What a process is told about telling: log lines, figures, spans.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Figures for a collector, in Prometheus's text format.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Address and port where `GET /metrics` is answered to whoever reaches it: it asks for no key, and
    /// tells tenants and what they use. Port 0 takes a free one. Nowhere, unless given.
    pub listen: Option<SocketAddr>,
}

/// Spans for a receiver, over OTLP and gRPC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Traces {
    /// The receiver, `http://HOST:PORT`: a collector beside the process or in its network. Nowhere,
    /// unless given.
    pub endpoint: Option<String>,
    /// Which share of the traces that begin here is told, in thousandths. A trace that a caller began
    /// is told if the caller tells it.
    pub per_mille: u32,
}

/// Logging, to standard error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// A filter such as `info` or `warn,aureole_worker=debug`.
    pub filter: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    Human,
    /// One JSON object a line.
    Json,
}

// === impl Log ===

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Human,
            filter: "info,openraft=warn".to_owned(),
        }
    }
}

// === impl Traces ===

impl Default for Traces {
    fn default() -> Self {
        Self {
            endpoint: None,
            per_mille: 1000,
        }
    }
}

impl Traces {
    /// Checks that the receiver's address is one.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let Some(endpoint) = &self.endpoint else {
            return Ok(());
        };
        let reason = match url::Url::parse(endpoint) {
            Ok(url) if url.scheme() != "http" => format!("{} is not http", url.scheme()),
            Ok(url) if url.host().is_none() => "it names no host".to_owned(),
            Ok(_) => return Ok(()),
            Err(error) => error.to_string(),
        };
        let key = "traces.endpoint";
        Err(ConfigError::Service { key, reason })
    }
}

#[cfg(test)]
mod tests {
    //! A receiver is an address that spans can be sent to.

    use super::Traces;

    fn validated(endpoint: &str) -> Result<(), String> {
        let traces = Traces {
            endpoint: Some(endpoint.to_owned()),
            ..Traces::default()
        };
        traces.validate().map_err(|error| error.to_string())
    }

    #[test]
    fn a_receiver_is_http_with_a_host() {
        assert_eq!(validated("http://collector:4317"), Ok(()));
        for (endpoint, named) in [
            ("collector:4317", "collector is not http"),
            ("https://collector:4317", "https is not http"),
            ("", "relative URL"),
        ] {
            let refused = validated(endpoint).err().unwrap_or_default();
            let told = refused.starts_with("traces.endpoint: ") && refused.contains(named);
            assert!(told, "{endpoint}: {refused}");
        }
    }
}
