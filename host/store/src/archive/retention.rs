//! How long history is kept: a policy, and what it removes at a time.

use std::collections::BTreeMap;
use std::time::Duration;

/// How long finished tasks are kept after their end. What no entry names is kept for ever.
///
/// A tenant's entry counts before that of a state, and both before `keep`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Every task.
    pub keep: Option<Duration>,
    /// Those that ended so: `done`, `failed`, `cancelled`.
    pub states: BTreeMap<String, Duration>,
    /// Those of a tenant.
    pub tenants: BTreeMap<String, Duration>,
}

/// Tasks that are past their time; all conditions hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expiry {
    /// Those that ended before, milliseconds since 1970.
    pub finished_before_ms: u64,
    /// Those of this tenant.
    pub tenant: Option<String>,
    /// Those that ended so.
    pub state: Option<String>,
    /// Those of none of these tenants.
    pub other_tenants: Vec<String>,
    /// Those that ended in none of these states.
    pub other_states: Vec<String>,
}

// === impl Retention ===

impl Retention {
    /// Whether everything is kept for ever.
    #[must_use]
    pub fn is_endless(&self) -> bool {
        self.keep.is_none() && self.states.is_empty() && self.tenants.is_empty()
    }

    /// What is past its time now; each task matches one entry at the most.
    #[must_use]
    pub fn expiries(&self, now_ms: u64) -> Vec<Expiry> {
        let before = |keep: &Duration| {
            let keep = u64::try_from(keep.as_millis()).unwrap_or(u64::MAX);
            now_ms.saturating_sub(keep)
        };
        let named = || self.tenants.keys().cloned().collect::<Vec<_>>();
        let tenants = self.tenants.iter().map(|(tenant, keep)| Expiry {
            finished_before_ms: before(keep),
            tenant: Some(tenant.clone()),
            ..Expiry::default()
        });
        let states = self.states.iter().map(|(state, keep)| Expiry {
            finished_before_ms: before(keep),
            state: Some(state.clone()),
            other_tenants: named(),
            ..Expiry::default()
        });
        let others = self.keep.iter().map(|keep| Expiry {
            finished_before_ms: before(keep),
            other_tenants: named(),
            other_states: self.states.keys().cloned().collect(),
            ..Expiry::default()
        });
        tenants.chain(states).chain(others).collect()
    }
}

#[cfg(test)]
mod tests {
    //! Which entry counts for which task.

    use super::*;

    #[test]
    fn nothing_is_removed_without_a_policy() {
        assert!(Retention::default().is_endless());
        assert_eq!(Retention::default().expiries(1 << 40), []);
    }

    #[test]
    fn a_tenants_entry_counts_before_a_states_and_both_before_the_rest() {
        let of = |name: &str, seconds| [(name.to_owned(), Duration::from_secs(seconds))].into();
        let retention = Retention {
            keep: Some(Duration::from_secs(9)),
            states: of("failed", 3),
            tenants: of("acme", 20),
        };
        let acme = vec!["acme".to_owned()];
        let expected = [
            Expiry {
                finished_before_ms: 0,
                tenant: Some("acme".to_owned()),
                ..Expiry::default()
            },
            Expiry {
                finished_before_ms: 7_000,
                state: Some("failed".to_owned()),
                other_tenants: acme.clone(),
                ..Expiry::default()
            },
            Expiry {
                finished_before_ms: 1_000,
                other_tenants: acme,
                other_states: vec!["failed".to_owned()],
                ..Expiry::default()
            },
        ];
        assert_eq!(retention.expiries(10_000), expected);
    }
}
