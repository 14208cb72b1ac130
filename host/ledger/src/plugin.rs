//! What is known of a plugin: the component's digest, its inspection and its name.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::limits::{NAME_BYTES_MAX, VERSION_BYTES_MAX};
use crate::{CircuitId, Digest, Millis, Problem, Signer, TaskId, TenantId};

/// A component that somebody uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginRecord {
    /// The component's bytes in the depot; also the plugin's identity.
    pub component: Digest,
    /// How many bytes the component has.
    pub bytes: u64,
    /// When it was registered first.
    pub registered_at: Millis,
    /// The inspection, which may be long forgotten.
    pub task: TaskId,
    /// Where it stands.
    pub state: PluginState,
    /// What the inspection found; absent until it has ended well once.
    pub facts: Option<PluginFacts>,
    /// Who signed the component first.
    pub signer: Option<Signer>,
    /// Who uploaded the component, each on its own, and who else may use each one's. Never empty.
    pub holders: BTreeMap<TenantId, Visibility>,
}

/// Who may use a tenant's plugin beside itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Visibility {
    /// Nobody.
    #[default]
    Private,
    /// Some tenants; at most `SHARED_WITH_MAX`.
    Shared(BTreeSet<TenantId>),
    /// Everybody.
    Public,
}

/// Where a plugin stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PluginState {
    /// Its inspection is queued or running.
    Inspecting,
    /// It may be used.
    Ready,
    /// The inspection refused it. Registering it again inspects it again.
    Rejected(Problem),
    /// Its owner took it out of use: nothing new starts, what was submitted before still finishes.
    /// Registering it again brings it back.
    Retired {
        /// When.
        at: Millis,
    },
}

/// What the inspection of a plugin found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginFacts {
    /// The plugin's own name, `[a-z0-9-]{1,63}`.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// The description as JSON, in the depot.
    pub description: Digest,
    /// The default parameters as canonical JSON, in the depot.
    pub default_params: Option<Digest>,
    /// The circuit that the default parameters give.
    pub default_circuit: Option<CircuitId>,
}

// === impl PluginRecord ===

impl PluginRecord {
    /// Says whether a tenant may know of the plugin and use it.
    pub fn is_visible_to(&self, tenant: &TenantId) -> bool {
        let shown = |visibility: &Visibility| match visibility {
            Visibility::Private => false,
            Visibility::Shared(with) => with.contains(tenant),
            Visibility::Public => true,
        };
        self.holders.contains_key(tenant) || self.holders.values().any(shown)
    }

    /// Says whether it was taken out of use.
    pub const fn is_retired(&self) -> bool {
        matches!(self.state, PluginState::Retired { .. })
    }

    /// Says whether some holder has published it.
    pub(crate) fn is_public(&self) -> bool {
        self.holders
            .values()
            .any(|shown| *shown == Visibility::Public)
    }
}

/// Says whether a text can be a plugin's name: `[a-z0-9-]{1,63}`.
pub(crate) fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed)
}

/// Says whether a text can be a plugin's version: `MAJOR.MINOR.PATCH` with an optional suffix.
pub(crate) fn is_version(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    text.len() <= VERSION_BYTES_MAX && text.bytes().all(allowed) && numbers(text).is_some()
}

/// Compares versions by semantic-version precedence. Build metadata, which has none, and texts that
/// are no versions are compared as text, so that the order is total.
pub(crate) fn compare_versions(a: &str, b: &str) -> Ordering {
    numbers(a)
        .cmp(&numbers(b))
        .then_with(|| compare_prereleases(prerelease(a), prerelease(b)))
        .then_with(|| a.cmp(b))
}

fn numbers(version: &str) -> Option<[u64; 3]> {
    let core = version.split(['-', '+']).next()?;
    let mut parts = core.split('.').map(|part| {
        let plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if plain && (part == "0" || !part.starts_with('0')) {
            part.parse().ok()
        } else {
            None
        }
    });
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

fn prerelease(version: &str) -> Option<&str> {
    let version = version.split('+').next().unwrap_or(version);
    version.split_once('-').map(|(_, suffix)| suffix)
}

/// A release comes after its pre-releases; numbers compare as numbers and come before words.
fn compare_prereleases(a: Option<&str>, b: Option<&str>) -> Ordering {
    let (a, b) = match (a, b) {
        (None, None) => return Ordering::Equal,
        (None, Some(_)) => return Ordering::Greater,
        (Some(_), None) => return Ordering::Less,
        (Some(a), Some(b)) => (a, b),
    };
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let (left, right) = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(left), Some(right)) => (left, right),
        };
        let order = match (left.parse::<u64>(), right.parse::<u64>()) {
            (Ok(left), Ok(right)) => left.cmp(&right),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => left.cmp(right),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_semantic_versions() {
        let ordered = [
            "0.9.10",
            "1.0.0-1",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-beta",
            "1.0.0",
            "1.0.0+x",
            "1.2.0",
            "1.10.0",
        ];
        for pair in ordered.windows(2) {
            let [a, b] = pair else { continue };
            assert_eq!(compare_versions(a, b), Ordering::Less, "{a} < {b}");
        }
    }

    #[test]
    fn only_dns_labels_are_names() {
        assert!(is_name("merkle-2"));
        for bad in ["", "../etc", "Merkle", "a b", "é", "a\0", &"x".repeat(64)] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn only_semantic_versions_are_versions() {
        for good in ["0.1.0", "10.20.30-rc.1+build"] {
            assert!(is_version(good), "{good}");
        }
        for bad in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "01.2.3",
            "1.2.x",
            "1.2.3 ",
            &format!("1.2.3-{}", "x".repeat(64)),
        ] {
            assert!(!is_version(bad), "{bad:?}");
        }
    }
}
