//! What is looked up when somebody asks: figures of one moment, which nobody counted.

use prometheus::core::Collector as _;
use prometheus::proto::MetricFamily;
use prometheus::{CounterVec, GaugeVec, Opts};

use crate::MeterError;

/// What a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It goes up and down.
    Gauge,
    /// It only grows, until its process ends.
    Counter,
}

/// Figures of one moment, family by family.
#[derive(Debug, Default)]
pub struct Sheet {
    families: Vec<MetricFamily>,
}

// === impl Sheet ===

impl Sheet {
    /// Adds a figure without labels.
    ///
    /// # Errors
    /// As [`Self::family`].
    pub fn figure(
        &mut self,
        kind: Kind,
        name: &str,
        help: &str,
        value: f64,
    ) -> Result<(), MeterError> {
        self.family(kind, (name, help), &[], [(Vec::new(), value)])
    }

    /// Adds a family: its labels' names, and rows of their values and a figure.
    ///
    /// # Errors
    /// [`MeterError::Family`] for a name that Prometheus does not take, [`MeterError::Labels`] for a
    /// row that does not fit the family.
    pub fn family(
        &mut self,
        kind: Kind,
        (name, help): (&str, &str),
        labels: &[&str],
        rows: impl IntoIterator<Item = (Vec<String>, f64)>,
    ) -> Result<(), MeterError> {
        let options = Opts::new(name, help);
        let of = |source| MeterError::Family {
            name: name.to_owned(),
            source,
        };
        let fits = |row: &[String]| match row.len() == labels.len() {
            true => Ok(()),
            false => Err(MeterError::Labels {
                name: name.to_owned(),
                found: u32::try_from(row.len()).unwrap_or(u32::MAX),
                expected: u32::try_from(labels.len()).unwrap_or(u32::MAX),
            }),
        };
        let families = match kind {
            Kind::Gauge => {
                let family = GaugeVec::new(options, labels).map_err(of)?;
                for (row, value) in rows {
                    fits(&row)?;
                    family.with_label_values(&row).set(value);
                }
                family.collect()
            }
            Kind::Counter => {
                let family = CounterVec::new(options, labels).map_err(of)?;
                for (row, value) in rows {
                    fits(&row)?;
                    // A counter takes nothing negative: it would panic.
                    family.with_label_values(&row).inc_by(value.max(0.0));
                }
                family.collect()
            }
        };
        // A family without rows says nothing, and its head alone is no valid page.
        let told = |family: &MetricFamily| !family.get_metric().is_empty();
        self.families.extend(families.into_iter().filter(told));
        Ok(())
    }

    pub(crate) fn into_families(self) -> Vec<MetricFamily> {
        self.families
    }
}
