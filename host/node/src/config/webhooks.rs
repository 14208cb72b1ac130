//! Webhooks: whether events are sent, and where to.

use std::path::PathBuf;
use std::time::Duration;

use aureole_webhooks::{Rules, Schedule, limits};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Events to receivers outside. All coordinators of a cluster must say the same: whoever leads sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// Whether any are sent.
    pub enabled: bool,
    /// Networks that are not of the public internet and may be reached all the same, such as
    /// `10.0.0.0/8`.
    pub allow: Vec<IpNet>,
    /// Whether those, and only those, may be reached without TLS.
    pub allow_http: bool,
    /// Ports that may be connected to.
    pub ports: Vec<u16>,
    /// PEM file of authorities that are trusted beside the world's.
    pub authorities: Option<PathBuf>,
    /// The first wait after a failed attempt, in milliseconds; each is four times the one before.
    pub wait_first_ms: u64,
    /// The longest wait, in milliseconds.
    pub wait_max_ms: u64,
    /// How long an event is tried before it is given up, in milliseconds.
    pub give_up_ms: u64,
}

// === impl Webhooks ===

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            enabled: false,
            allow: Vec::new(),
            allow_http: false,
            ports: limits::PORTS.to_vec(),
            authorities: None,
            wait_first_ms: 1_000,
            wait_max_ms: 60 * 60 * 1_000,
            give_up_ms: 24 * 60 * 60 * 1_000,
        }
    }
}

impl Webhooks {
    /// What may be reached.
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            allow: self.allow.clone(),
            allow_http: self.allow_http,
            ports: self.ports.iter().copied().collect(),
        }
    }

    /// When an event is tried again.
    pub(crate) const fn schedule(&self) -> Schedule {
        Schedule {
            first: Duration::from_millis(self.wait_first_ms),
            longest: Duration::from_millis(self.wait_max_ms),
            give_up: Duration::from_millis(self.give_up_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    //! The file's numbers are those of the room that keeps them.

    use super::{Rules, Schedule, Webhooks};

    #[test]
    fn the_defaults_are_the_rooms() {
        let defaults = Webhooks::default();
        assert_eq!(defaults.rules(), Rules::default());
        assert_eq!(defaults.schedule(), Schedule::default());
        assert!(!defaults.enabled);
    }
}
