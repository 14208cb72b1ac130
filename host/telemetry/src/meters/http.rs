//! Requests, by what they asked for and what was answered.

use std::sync::Arc;
use std::time::Duration;

use prometheus::{HistogramVec, IntCounterVec, Registry};

use super::{counters, histograms};
use crate::MeterError;
use crate::limits::{OTHER, REQUEST_BUCKETS};

/// Methods that count by their names; a request may have any word for one.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

/// The gateway's meters. The default is silent.
#[derive(Clone, Debug, Default)]
pub struct HttpMeters(Option<Arc<Families>>);

#[derive(Debug)]
struct Families {
    /// By route, method and status: some hundred rows of the table of routes, and the statuses that
    /// each can answer, about ten.
    requests: IntCounterVec,
    seconds: HistogramVec,
}

// === impl HttpMeters ===

impl HttpMeters {
    pub(super) fn new(registry: &Registry) -> Result<Self, MeterError> {
        let requests = counters(
            registry,
            (
                "aureole_http_requests_total",
                "Requests that were answered.",
            ),
            &["route", "method", "status"],
        )?;
        let seconds = histograms(
            registry,
            (
                "aureole_http_request_duration_seconds",
                "Time from a request's head to its answer's, the wait that it asked for included.",
            ),
            &["route"],
            &REQUEST_BUCKETS,
        )?;
        Ok(Self(Some(Arc::new(Families { requests, seconds }))))
    }

    /// Counts an answer by its status' three digits. The route is the template of a row of the table,
    /// never a path.
    pub fn answered(&self, route: &str, method: &str, status: &str, took: Duration) {
        let Some(families) = &self.0 else { return };
        let method = METHODS.into_iter().find(|known| *known == method);
        let labels = [route, method.unwrap_or(OTHER), status];
        families.requests.with_label_values(&labels).inc();
        let seconds = families.seconds.with_label_values(&[route]);
        seconds.observe(took.as_secs_f64());
    }
}
