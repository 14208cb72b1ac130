//! Instants on the wire: RFC 3339 in UTC with milliseconds.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The last instant that has a form: 9999-12-31T23:59:59.999Z.
const MILLIS_MAX: u64 = 253_402_300_799_999;

/// Milliseconds since the Unix epoch, written as `2026-01-31T12:00:00.000Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// Why a text is no instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimestampError;

// === impl Timestamp ===

impl Timestamp {
    /// From milliseconds since the epoch; later than the year 9999 counts as its end.
    pub const fn from_millis(millis: u64) -> Self {
        Self(if millis > MILLIS_MAX {
            MILLIS_MAX
        } else {
            millis
        })
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> u64 {
        self.0
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "date-time",
            "pattern": super::form::INSTANT,
        })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = UNIX_EPOCH + Duration::from_millis(self.0);
        humantime::format_rfc3339_millis(instant).fmt(f)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let instant: SystemTime = humantime::parse_rfc3339(text).map_err(|_| TimestampError)?;
        let since = instant
            .duration_since(UNIX_EPOCH)
            .map_err(|_| TimestampError)?;
        u64::try_from(since.as_millis())
            .map(Self::from_millis)
            .map_err(|_| TimestampError)
    }
}

impl fmt::Display for TimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected an instant such as 2026-01-31T12:00:00.000Z")
    }
}

impl std::error::Error for TimestampError {}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
