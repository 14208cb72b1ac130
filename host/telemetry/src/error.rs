//! Why figures cannot be told.

/// Why a figure cannot be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MeterError {
    /// A family's name, help or labels are not what Prometheus takes.
    #[error("the family {name} is not made as Prometheus wants it")]
    Family {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: prometheus::Error,
    },
    /// A row has another number of labels than its family.
    #[error("a row of {name} has {found} labels, the family has {expected}")]
    Labels {
        /// The family's name.
        name: String,
        /// What the row has.
        found: u32,
        /// What the family has.
        expected: u32,
    },
    /// The page would be larger than anybody reads.
    #[error("the page has {bytes} bytes, {max} are allowed")]
    TooLarge {
        /// What it has.
        bytes: u64,
        /// What it may have.
        max: u64,
    },
    /// The page cannot be written.
    #[error("the page cannot be written")]
    Write(#[source] prometheus::Error),
}
