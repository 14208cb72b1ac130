//! How a caller names a plugin: `merkle`, `merkle@0.1.0`, or the component's digest.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest name: a DNS label. A digest has 64 digits, so the two cannot be confused.
const NAME_MAX: usize = 63;

/// Longest version text; longer than any that people write.
const VERSION_MAX: usize = 64;

/// A checked reference to a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PluginRef {
    /// By name: the newest ready version, or exactly the one named.
    Name {
        /// 1 to 63 lower-case letters, digits and dashes.
        name: String,
        /// A semantic version; the newest when absent.
        version: Option<String>,
    },
    /// By the SHA-256 of the component's bytes.
    Digest([u8; 32]),
}

/// Why a text is no reference to a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceError;

// === impl PluginRef ===

impl PluginRef {
    /// A reference by name and, where one is given, version.
    ///
    /// # Errors
    /// When either is malformed.
    pub fn named(name: &str, version: Option<&str>) -> Result<Self, ReferenceError> {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(letter) {
            return Err(ReferenceError);
        }
        if version.is_some_and(|version| !is_version(version)) {
            return Err(ReferenceError);
        }
        Ok(Self::Name {
            name: name.to_owned(),
            version: version.map(str::to_owned),
        })
    }

    /// Whether the reference can mean one plugin only, now and later.
    pub fn is_exact(&self) -> bool {
        !matches!(self, Self::Name { version: None, .. })
    }
}

/// Checks the shape only; what a version means is the ledger's business.
fn is_version(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+');
    text.len() <= VERSION_MAX
        && text.bytes().next().is_some_and(|b| b.is_ascii_digit())
        && text.bytes().all(allowed)
}

impl FromStr for PluginRef {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.len() == 64 {
            return digest(text).map(Self::Digest).ok_or(ReferenceError);
        }
        match text.split_once('@') {
            Some((name, version)) => Self::named(name, Some(version)),
            None => Self::named(text, None),
        }
    }
}

/// Reads 64 lower-case hex digits.
fn digest(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let pairs = text.as_bytes().chunks_exact(2);
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let [high, low] = pair else { return None };
        *byte = (nibble(*high)? << 4) | nibble(*low)?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for PluginRef {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PluginRef".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A plugin: its name, name@version, or the digest of its component.",
            "pattern": super::form::PLUGIN,
            "examples": ["merkle", "merkle@0.1.0"],
        })
    }
}

impl fmt::Display for PluginRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { name, version } => {
                f.write_str(name)?;
                version
                    .iter()
                    .try_for_each(|version| write!(f, "@{version}"))
            }
            Self::Digest(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected a plugin: name, name@version or the component's digest (a name has 1 to 63 \
             lower-case letters, digits and dashes; a digest 64 lower-case hex digits)",
        )
    }
}

impl std::error::Error for ReferenceError {}

impl Serialize for PluginRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PluginRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
