//! What is counted while it happens. Handles are cheap to clone and count together; one that belongs
//! to no process's meters counts nothing.

mod http;
mod leader;
mod words;
mod worker;

use prometheus::core::Collector;
use prometheus::{
    Encoder as _, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder,
};

pub use self::http::HttpMeters;
pub use self::leader::LeaderMeters;
pub use self::worker::{Ended, WorkerMeters};
use crate::limits::PAGE_BYTES_MAX;
use crate::{MeterError, Sheet};

/// The media type of a page.
pub const TEXT: &str = prometheus::TEXT_FORMAT;

/// The meters of one process. The default is silent: its handles count nothing.
#[derive(Clone, Debug, Default)]
pub struct Meters {
    registry: Registry,
    http: HttpMeters,
    leader: LeaderMeters,
    worker: WorkerMeters,
}

// === impl Meters ===

impl Meters {
    /// Makes the meters of a process, all at zero.
    ///
    /// # Errors
    /// [`MeterError::Family`]: a name in this room is not what Prometheus takes.
    pub fn new() -> Result<Self, MeterError> {
        let registry = Registry::new();
        Ok(Self {
            http: HttpMeters::new(&registry)?,
            leader: LeaderMeters::new(&registry)?,
            worker: WorkerMeters::new(&registry)?,
            registry,
        })
    }

    /// The gateway's.
    #[must_use]
    pub fn http(&self) -> HttpMeters {
        self.http.clone()
    }

    /// The coordinator's, which count while it leads.
    #[must_use]
    pub fn leader(&self) -> LeaderMeters {
        self.leader.clone()
    }

    /// The worker's.
    #[must_use]
    pub fn worker(&self) -> WorkerMeters {
        self.worker.clone()
    }

    /// Writes everything that was counted, and what a sheet tells beside, as a page for Prometheus.
    ///
    /// # Errors
    /// [`MeterError::Write`] and [`MeterError::TooLarge`].
    pub fn page(&self, sheet: Sheet) -> Result<String, MeterError> {
        let mut families = self.registry.gather();
        families.extend(sheet.into_families());
        families.sort_by(|a, b| a.name().cmp(b.name()));
        let mut page = Vec::new();
        TextEncoder::new()
            .encode(&families, &mut page)
            .map_err(MeterError::Write)?;
        let bytes = page.len() as u64;
        if bytes > PAGE_BYTES_MAX {
            let max = PAGE_BYTES_MAX;
            return Err(MeterError::TooLarge { bytes, max });
        }
        String::from_utf8(page)
            .map_err(|error| MeterError::Write(prometheus::Error::Msg(error.to_string())))
    }
}

/// Makes a family of counters and enters it.
fn counters(
    registry: &Registry,
    (name, help): (&str, &str),
    labels: &[&str],
) -> Result<IntCounterVec, MeterError> {
    let made = IntCounterVec::new(Opts::new(name, help), labels);
    enter(registry, name, made)
}

/// Makes a family of histograms and enters it.
fn histograms(
    registry: &Registry,
    (name, help): (&str, &str),
    labels: &[&str],
    buckets: &[f64],
) -> Result<HistogramVec, MeterError> {
    let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    enter(registry, name, HistogramVec::new(options, labels))
}

fn enter<C: Collector + Clone + 'static>(
    registry: &Registry,
    name: &str,
    made: prometheus::Result<C>,
) -> Result<C, MeterError> {
    let entered = made.and_then(|family| {
        registry.register(Box::new(family.clone()))?;
        Ok(family)
    });
    entered.map_err(|source| MeterError::Family {
        name: name.to_owned(),
        source,
    })
}
