//! What a process is told about the services beside it: where history is kept and for how long, and
//! the cache that gateways share.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use aureole_ledger::TenantId;
use aureole_store::{ArchivePlace, Cache as Redis, CacheConfig, PostgresConfig, Retention};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Config, ConfigError, Founding};

/// Finished tasks that an outage of the archive may leave in the ledger: at about a KiB each, memory
/// and snapshots grow by a hundred MiB.
const BUFFER_TASKS_MAX: u64 = 100_000;

/// How a task may have ended.
const ENDED: [&str; 3] = ["done", "failed", "cancelled"];

/// History: finished tasks, after the ledger has forgotten them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Archive {
    /// The PostgreSQL database of a cluster, `postgres://USER@HOST:PORT/DATABASE`, the same on every
    /// coordinator. Without, a group of one has a SQLite file below the data directory, and a larger
    /// group only what its ledger holds.
    pub url: Option<ServiceUrl>,
    /// The file that holds the database's password and nothing else. Without, it is in `url` or in
    /// the environment's PGPASSWORD.
    pub password_file: Option<PathBuf>,
    /// How long tasks are kept after their end, such as "90d". For ever, unless given.
    pub keep: Option<Span>,
    /// The same for those that ended in a state: done, failed, cancelled.
    pub keep_states: BTreeMap<String, Span>,
    /// The same for those of a tenant, which counts before the others.
    pub keep_tenants: BTreeMap<String, Span>,
    /// Finished tasks that stay in the ledger for an hour, where reads are cheapest; more go to the
    /// archive at once.
    pub ledger_tasks: u64,
    /// Finished tasks that the ledger holds while the archive does not answer; then submissions are
    /// refused. In a larger group without an archive, the history that is kept.
    pub buffer_tasks: u64,
}

/// The cache that processes share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cache {
    /// The Redis server, `redis://HOST:PORT` or `rediss://HOST:PORT`. Without, each process has what
    /// it has in memory.
    pub url: Option<ServiceUrl>,
    /// The file that holds the server's password and nothing else.
    pub password_file: Option<PathBuf>,
    /// What all keys begin with; clusters that share a server have different ones.
    pub prefix: String,
}

/// The address of a service. Its `Debug` form shows neither user nor password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServiceUrl(String);

/// A length of time, written such as "90d" or "12h".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

// === impl Archive ===

impl Default for Archive {
    fn default() -> Self {
        Self {
            url: None,
            password_file: None,
            keep: None,
            keep_states: BTreeMap::new(),
            keep_tenants: BTreeMap::new(),
            ledger_tasks: 2_000,
            buffer_tasks: 20_000,
        }
    }
}

impl Archive {
    /// Checks the values against each other.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if let Some(url) = &self.url {
            url.is_one_of("archive.url", &["postgres", "postgresql"])?;
        }
        if self.url.is_none()
            && let Some(file) = &self.password_file
        {
            return Err(alone("archive.password_file", file, "archive.url"));
        }
        if self.buffer_tasks > BUFFER_TASKS_MAX || self.buffer_tasks <= self.ledger_tasks {
            return Err(ConfigError::OutOfBounds {
                key: "archive.buffer_tasks",
                value: self.buffer_tasks,
                bounds: "more than archive.ledger_tasks and at most 100000",
            });
        }
        if let Some(state) = self
            .keep_states
            .keys()
            .find(|s| !ENDED.contains(&s.as_str()))
        {
            return Err(ConfigError::Service {
                key: "archive.keep_states",
                reason: format!("`{state}` is no way to end: done, failed, cancelled"),
            });
        }
        for tenant in self.keep_tenants.keys() {
            TenantId::new(tenant.as_str()).map_err(|error| ConfigError::Service {
                key: "archive.keep_tenants",
                reason: format!("`{tenant}`: {error}"),
            })?;
        }
        Ok(())
    }

    /// How long history is kept.
    pub(crate) fn retention(&self) -> Retention {
        let named = |spans: &BTreeMap<String, Span>| {
            let spans = spans.iter().map(|(name, span)| (name.clone(), span.0));
            spans.collect()
        };
        Retention {
            keep: self.keep.map(|span| span.0),
            states: named(&self.keep_states),
            tenants: named(&self.keep_tenants),
        }
    }
}

// === impl Cache ===

impl Default for Cache {
    fn default() -> Self {
        Self {
            url: None,
            password_file: None,
            prefix: "aureole".to_owned(),
        }
    }
}

impl Cache {
    /// Checks the values against each other.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if let Some(url) = &self.url {
            url.is_one_of("cache.url", &["redis", "rediss"])?;
        }
        if self.url.is_none()
            && let Some(file) = &self.password_file
        {
            return Err(alone("cache.password_file", file, "cache.url"));
        }
        Ok(())
    }

    /// A handle to the server, if there is one.
    pub(crate) fn open(&self) -> Result<Option<Redis>, ConfigError> {
        let Some(url) = &self.url else {
            return Ok(None);
        };
        let config = CacheConfig {
            url: url.0.clone(),
            password: password(self.password_file.as_deref())?,
            prefix: self.prefix.clone(),
        };
        let opened = Redis::new(&config).map_err(|error| ConfigError::Service {
            key: "cache.url",
            reason: error.to_string(),
        });
        opened.map(Some)
    }
}

// === impl Config ===

impl Config {
    /// Where this process's history is kept; nowhere but in the ledger when it belongs to a larger
    /// group without a database.
    ///
    /// # Errors
    /// [`ConfigError::Read`]: the file of the password.
    pub(crate) fn archive_place(&self) -> Result<Option<ArchivePlace>, ConfigError> {
        let Some(url) = &self.archive.url else {
            let alone = self.cluster.founding == Founding::Alone;
            let file = self.data_dir.join("archive.sqlite");
            return Ok(alone.then_some(ArchivePlace::File(file)));
        };
        Ok(Some(ArchivePlace::Postgres(PostgresConfig {
            url: url.0.clone(),
            password: password(self.archive.password_file.as_deref())?,
        })))
    }
}

// === impl ServiceUrl ===

impl ServiceUrl {
    fn is_one_of(&self, key: &'static str, schemes: &[&str]) -> Result<(), ConfigError> {
        let scheme = self.0.split_once("://").map(|(scheme, _)| scheme);
        match scheme.is_some_and(|scheme| schemes.contains(&scheme)) {
            true => Ok(()),
            false => Err(ConfigError::Service {
                key,
                // The rest may hold a password.
                reason: format!("it must begin with {}://", schemes.join(":// or ")),
            }),
        }
    }
}

impl fmt::Debug for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("", ""));
        let after_user = rest.rsplit('@').next().unwrap_or_default();
        let host = after_user.split(['/', '?']).next().unwrap_or_default();
        write!(f, "{scheme}://{host}")
    }
}

// === impl Span ===

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(self.0))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match humantime::parse_duration(text) {
            Ok(span) if !span.is_zero() => Ok(Self(span)),
            _ => Err(format!("`{text}` is no length of time such as \"90d\"")),
        }
    }
}

fn password(file: Option<&Path>) -> Result<Option<String>, ConfigError> {
    let Some(path) = file else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()))
}

fn alone(key: &'static str, file: &Path, with: &str) -> ConfigError {
    ConfigError::Service {
        key,
        reason: format!("it is {}, but there is no {with}", file.display()),
    }
}

#[cfg(test)]
mod tests {
    //! Every mistake names its key and the way out, and no password is shown.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    fn refusal(text: &str) -> String {
        let config: Result<Config, _> = toml::from_str(text);
        match config {
            Ok(config) => config.validate().unwrap_err().to_string(),
            Err(error) => error.to_string(),
        }
    }

    fn accepted(text: &str) -> Config {
        let config: Config = toml::from_str(text).unwrap();
        config.validate().unwrap()
    }

    #[test]
    fn each_mistake_is_refused_by_its_key() {
        for (text, named) in [
            (
                "[archive]\nurl = \"mysql://u:hunter2@h/d\"\n",
                "archive.url",
            ),
            (
                "[archive]\npassword_file = \"p\"\n",
                "archive.password_file",
            ),
            (
                "[archive]\nbuffer_tasks = 2000\n",
                "archive.buffer_tasks is 2000",
            ),
            ("[archive]\nbuffer_tasks = 100001\n", "archive.buffer_tasks"),
            (
                "[archive]\nkeep = \"soon\"\n",
                "`soon` is no length of time",
            ),
            ("[archive]\nkeep = \"0s\"\n", "`0s` is no length of time"),
            (
                "[archive]\nkeep_states = { queued = \"1d\" }\n",
                "archive.keep_states",
            ),
            (
                "[archive]\nkeep_tenants = { \"A b\" = \"1d\" }\n",
                "archive.keep_tenants",
            ),
            ("[cache]\nurl = \"http://u:hunter2@h\"\n", "cache.url"),
            ("[cache]\npassword_file = \"p\"\n", "cache.password_file"),
        ] {
            let refusal = refusal(text);
            assert!(refusal.contains(named), "{text}: {refusal}");
            assert!(!refusal.contains("hunter2"), "{refusal}");
        }
    }

    #[test]
    fn a_policy_is_read_as_it_is_written() {
        let config = accepted(
            "[archive]\nkeep = \"90d\"\nkeep_states = { failed = \"12h\" }\nkeep_tenants = { acme \
             = \"1year\" }\n",
        );
        let retention = config.archive.retention();
        assert_eq!(retention.keep, Some(Duration::from_secs(90 * 86_400)));
        assert_eq!(retention.states["failed"], Duration::from_secs(43_200));
        assert!(retention.tenants.contains_key("acme"));
        let written = toml::to_string(&config).unwrap();
        assert_eq!(accepted(&written), config);
    }

    #[test]
    fn a_password_comes_from_a_file_and_is_shown_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "hunter2\n").unwrap();
        let config = accepted(&format!(
            "[archive]\nurl = \"postgres://u:swordfish@db:5432/a\"\npassword_file = {file:?}\n[cache]\n\
             url = \"redis://:swordfish@r:6379\"\npassword_file = {file:?}\n"
        ));
        let place = config.archive_place().unwrap().unwrap();
        let ArchivePlace::Postgres(postgres) = &place else {
            unreachable!("{place}")
        };
        assert_eq!(postgres.password.as_deref(), Some("hunter2"));
        let cache = config.cache.open().unwrap().unwrap();
        let shown = format!("{config:?} {place:?} {place} {cache:?}");
        assert!(
            shown.contains("db:5432") && shown.contains("r:6379"),
            "{shown}"
        );
        assert!(
            !shown.contains("swordfish") && !shown.contains("hunter2"),
            "{shown}"
        );
        std::fs::remove_file(&file).unwrap();
        let gone = config.archive_place().unwrap_err();
        assert!(matches!(gone, ConfigError::Read { .. }), "{gone}");
    }

    #[test]
    fn a_group_of_one_has_a_file_and_a_larger_one_has_not() {
        let alone = accepted("data_dir = \"d\"\n");
        let place = alone.archive_place().unwrap().unwrap();
        assert_eq!(place.to_string(), "d/archive.sqlite");
        let member = accepted(
            "[cluster]\nid = 1\nfounding = \"founders\"\nmembers = { 1 = \"10.0.0.1:7400\" }\n",
        );
        assert!(member.archive_place().unwrap().is_none());
        assert!(member.cache.open().unwrap().is_none());
    }

    #[test]
    fn an_address_that_only_redis_refuses_names_its_key() {
        let config = accepted("[cache]\nurl = \"redis://h:port-hunter2\"\n");
        let refusal = config.cache.open().unwrap_err().to_string();
        assert!(refusal.contains("cache.url"), "{refusal}");
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
}
