//! What a node is told: one file, every key with a default, unknown keys refused.
//!
//! The files of `configs/` document each key and are checked against these defaults by a test.

mod access;
mod cluster;
mod services;
mod telemetry;
mod webhooks;

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub use access::{Access, TokenIssuer};
pub use cluster::{Cluster, Founding, NodeRole, Tls};
pub use services::{Archive, Cache, ServiceUrl, Span};
pub use telemetry::{Log, LogFormat, Metrics, Traces};
pub use webhooks::Webhooks;

use crate::signers::Signers;

/// The log and a snapshot of it need this much at least to go on for a while on a full disk.
const RESERVE_BYTES_MIN: u64 = 16 << 20;

/// A node's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What the process does: everything, unless given.
    pub roles: BTreeSet<NodeRole>,
    /// Where everything the node keeps is kept.
    pub data_dir: PathBuf,
    /// Where proving parameters are kept; they are public and may be shared between nodes.
    /// `params` below the data directory unless given.
    pub params_dir: Option<PathBuf>,
    /// The cluster and this process's place in it.
    pub cluster: Cluster,
    /// Certificates.
    pub tls: Tls,
    /// The bytes that a coordinator keeps.
    pub depot: Depot,
    /// History.
    pub archive: Archive,
    /// What processes share.
    pub cache: Cache,
    /// The REST API.
    pub http: Http,
    /// Who may use it.
    pub access: Access,
    /// Proving.
    pub worker: Worker,
    /// What is accepted.
    pub limits: Limits,
    /// Whose plugins are accepted.
    pub plugins: Plugins,
    /// The log of accepted proofs.
    pub receipts: Receipts,
    /// Events to receivers outside.
    pub webhooks: Webhooks,
    /// Figures for a collector.
    pub metrics: Metrics,
    /// Spans for a receiver.
    pub traces: Traces,
    /// Logging.
    pub log: Log,
}

/// The bytes that a coordinator keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Depot {
    /// Bytes of its disk that stay free for the log: what would take them is refused. A twentieth
    /// of the disk, from 128 MiB to 1 GiB, unless given.
    pub reserve_bytes: Option<u64>,
}

/// The REST API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Networks of the proxies before it, such as `10.0.0.0/8`. Only their X-Forwarded-For counts;
    /// the address it names stands in log lines.
    pub trusted_proxies: Vec<IpNet>,
}

/// Proving.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Worker {
    /// Its name, unique in the cluster. One that is made at the first start and kept, unless given.
    pub name: Option<String>,
    /// Tasks proved at a time. One by default: a lone proof then has all cores.
    pub slots: u32,
    /// Threads a proof uses; 0 shares the cores evenly between the slots.
    pub threads: u32,
    /// Bytes of memory that its provers may take; 0 is what the machine or its container has, less
    /// what the other processes of a node take.
    pub memory_bytes: u64,
    /// Bytes of proving keys that a prover keeps warm.
    pub key_cache_bytes: u64,
    /// How long a lease lasts without a heartbeat, in milliseconds.
    pub lease_ms: u64,
    /// How long a shutdown lets running proofs finish before it hands them back, in milliseconds.
    pub drain_ms: u64,
}

/// What is accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest k of a circuit: 2^k rows. Memory and time double with each step.
    pub k_max: u32,
}

/// Whose plugins are accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plugins {
    /// Ed25519 public keys, 64 hex digits each, whose signatures are accepted; none trusts every
    /// valid signature.
    pub trusted_signers: Vec<String>,
    /// Whether a component without a signature is refused.
    pub require_signature: bool,
}

/// The log of accepted proofs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Receipts {
    /// The log's origin, such as a host name and a path: what checkpoints and receipts call it. It goes
    /// into the key when that is made, and is the key's for good. A random name unless given.
    pub origin: Option<String>,
    /// The file of the key that signs checkpoints; the same on every coordinator. `log.key` in the
    /// data folder unless given.
    pub key_file: Option<PathBuf>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("configuration file {path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no such configuration.
    #[error("configuration file {path}: {source}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A value is outside its bounds.
    #[error("{key} is {value}, but must be {bounds}")]
    OutOfBounds {
        /// The key, with its section.
        key: &'static str,
        /// What it is.
        value: u64,
        /// What it may be.
        bounds: &'static str,
    },
    /// A key about the cluster does not fit the others.
    #[error("{key} is {value}, {reason}")]
    Cluster {
        /// The key, with its section.
        key: &'static str,
        /// What it is.
        value: String,
        /// Why that will not do, and what would.
        reason: String,
    },
    /// A key about a service beside the process cannot be used.
    #[error("{key}: {reason}")]
    Service {
        /// The key, with its section.
        key: &'static str,
        /// Why that will not do.
        reason: String,
    },
    /// An entry of `plugins.trusted_signers` is no public key.
    #[error(
        "plugins.trusted_signers: `{value}` is no Ed25519 public key: 64 hex digits, as `aureole \
         plugin key show FILE` prints"
    )]
    Signer {
        /// The entry.
        value: String,
    },
    /// A gateway would let nobody in, or is told two first keys.
    #[error(
        "access.bootstrap_key {found}: make a key with `aureole admin bootstrap-key`, keep it, and \
         give each gateway its hash, in access.bootstrap_key or the file that \
         access.bootstrap_key_file names"
    )]
    BootstrapKey {
        /// What there is instead.
        found: &'static str,
    },
    /// No component could ever be accepted.
    #[error(
        "plugins.require_signature is true and plugins.trusted_signers is empty: name at least \
         one public key"
    )]
    NoSigners,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            roles: NodeRole::ALL.into_iter().collect(),
            data_dir: PathBuf::from(".aureole"),
            params_dir: None,
            cluster: Cluster::default(),
            tls: Tls::default(),
            depot: Depot::default(),
            archive: Archive::default(),
            cache: Cache::default(),
            http: Http::default(),
            access: Access::default(),
            worker: Worker::default(),
            limits: Limits::default(),
            plugins: Plugins::default(),
            receipts: Receipts::default(),
            webhooks: Webhooks::default(),
            metrics: Metrics::default(),
            traces: Traces::default(),
            log: Log::default(),
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            trusted_proxies: Vec::new(),
        }
    }
}

impl Default for Worker {
    fn default() -> Self {
        Self {
            name: None,
            slots: 1,
            threads: 0,
            memory_bytes: 0,
            // A key of the k = 14 planning shape takes about 60 MB: some thirty circuits stay warm.
            key_cache_bytes: 2 << 30,
            lease_ms: 10_000,
            drain_ms: 20_000,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { k_max: 14 }
    }
}

impl Config {
    /// Reads a configuration file; keys it lacks have their defaults.
    ///
    /// # Errors
    /// A file that cannot be read or parsed, an unknown key, or a value outside its bounds.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let config: Self = toml::from_str(&text).map_err(|source| ConfigError::Parse {
            path: path.to_owned(),
            source: source.into(),
        })?;
        config.validate()
    }

    /// Checks every value against its bounds.
    ///
    /// # Errors
    /// [`ConfigError::OutOfBounds`] names the key, its value and the bounds.
    pub fn validate(self) -> Result<Self, ConfigError> {
        let within = |key, value: u64, range: std::ops::RangeInclusive<u64>, bounds| {
            if range.contains(&value) {
                Ok(())
            } else {
                Err(ConfigError::OutOfBounds { key, value, bounds })
            }
        };
        if self.roles.is_empty() {
            return Err(ConfigError::Cluster {
                key: "roles",
                value: "empty".to_owned(),
                reason: "but a process has at least one: coordinator, gateway, worker".to_owned(),
            });
        }
        self.cluster.validate(&self.roles, &self.tls)?;
        if let Some(reserve) = self.depot.reserve_bytes {
            let bounds = "16777216 (16 MiB) or more: a coordinator that cannot write its log ends";
            within(
                "depot.reserve_bytes",
                reserve,
                RESERVE_BYTES_MIN..=u64::MAX,
                bounds,
            )?;
        }
        self.archive.validate()?;
        self.cache.validate()?;
        within("worker.slots", self.worker.slots.into(), 1..=64, "1 to 64")?;
        within(
            "worker.threads",
            self.worker.threads.into(),
            0..=256,
            "0 to 256",
        )?;
        within(
            "worker.lease_ms",
            self.worker.lease_ms,
            1_000..=600_000,
            "1000 to 600000",
        )?;
        within(
            "worker.drain_ms",
            self.worker.drain_ms,
            0..=600_000,
            "0 to 600000",
        )?;
        within("limits.k_max", self.limits.k_max.into(), 4..=18, "4 to 18")?;
        let waits = 1..=7 * 24 * 60 * 60 * 1_000;
        let bounds = "1 to 604800000 (a week)";
        let webhooks = &self.webhooks;
        within(
            "webhooks.wait_first_ms",
            webhooks.wait_first_ms,
            waits.clone(),
            bounds,
        )?;
        within(
            "webhooks.wait_max_ms",
            webhooks.wait_max_ms,
            waits.clone(),
            bounds,
        )?;
        within("webhooks.give_up_ms", webhooks.give_up_ms, waits, bounds)?;
        let per_mille = self.traces.per_mille.into();
        within("traces.per_mille", per_mille, 0..=1000, "0 to 1000")?;
        self.traces.validate()?;
        Signers::new(&self.plugins)?;
        Ok(self)
    }

    /// Whether the process has a role.
    #[must_use]
    pub fn is(&self, role: NodeRole) -> bool {
        self.roles.contains(&role)
    }

    /// The names of the process's roles, with commas between.
    pub(crate) fn role_names(&self) -> String {
        let names: Vec<&str> = self.roles.iter().map(|role| role.name()).collect();
        names.join(",")
    }

    /// The folder of certificates.
    #[must_use]
    pub fn tls_dir(&self) -> PathBuf {
        self.tls
            .dir
            .clone()
            .unwrap_or_else(|| self.data_dir.join("tls"))
    }

    /// The file of the coordinators' shared secret.
    #[must_use]
    pub fn secret_file(&self) -> PathBuf {
        let given = self.cluster.secret_file.clone();
        given.unwrap_or_else(|| self.data_dir.join("secret"))
    }

    /// The file of the key that signs the log's checkpoints.
    #[must_use]
    pub fn log_key_file(&self) -> PathBuf {
        let given = self.receipts.key_file.clone();
        given.unwrap_or_else(|| self.data_dir.join("log.key"))
    }

    /// The folder of proving parameters.
    #[must_use]
    pub fn params_dir(&self) -> PathBuf {
        self.params_dir
            .clone()
            .unwrap_or_else(|| self.data_dir.join("params"))
    }
}

#[cfg(test)]
mod tests {
    //! The documented file is the default, and each refusal names its key.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::{Cluster, Config, ConfigError, Founding, NodeRole};
    use std::path::Path;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("node.toml");
        std::fs::write(&file, text).unwrap();
        Config::load(&file)
    }

    fn documented(name: &str) -> (Config, String) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../configs")
            .join(name);
        let text = std::fs::read_to_string(file).unwrap();
        // Not validated: what a cluster must be told has no default.
        (toml::from_str(&text).unwrap(), text)
    }

    /// A configuration in which every optional key stands.
    fn everything() -> Config {
        let mut config = Config::default();
        let path = || Some(std::path::PathBuf::from("x"));
        config.params_dir = path();
        config.cluster.id = Some(1);
        config.cluster.members.insert("1".to_owned(), String::new());
        config.cluster.advertise = Some(String::new());
        config.cluster.listen = Some(config.http.listen);
        config.cluster.secret_file = path();
        config.tls.dir = path();
        config.depot.reserve_bytes = Some(1);
        config.worker.name = Some(String::new());
        let services = "[archive]\nurl = \"x\"\npassword_file = \"x\"\nkeep = \"1d\"\n\
                        keep_states = { failed = \"1d\" }\nkeep_tenants = { acme = \"1d\" }\n\
                        [cache]\nurl = \"x\"\npassword_file = \"x\"\n";
        let services: Config = toml::from_str(services).unwrap();
        (config.archive, config.cache) = (services.archive, services.cache);
        config.access.bootstrap_key = Some(String::new());
        config.access.bootstrap_key_file = path();
        config.webhooks.authorities = path();
        config.metrics.listen = Some(config.http.listen);
        config.traces.endpoint = Some(String::new());
        config
    }

    #[test]
    fn the_documented_files_hold_the_defaults() {
        assert_eq!(documented("dev.toml").0, Config::default());
        for role in NodeRole::ALL {
            let (config, _) = documented(&format!("{}.toml", role.name()));
            let roles = [role].into_iter().collect();
            let founding = match role {
                NodeRole::Coordinator => Founding::Founders,
                NodeRole::Gateway | NodeRole::Worker => Founding::Alone,
            };
            let cluster = Cluster {
                founding,
                ..Cluster::default()
            };
            assert_eq!(
                config,
                Config {
                    roles,
                    cluster,
                    ..Config::default()
                },
                "{}",
                role.name()
            );
        }
    }

    #[test]
    fn every_key_is_documented() {
        let texts: String = ["dev", "coordinator", "gateway", "worker"]
            .map(|name| documented(&format!("{name}.toml")).1)
            .concat();
        let keys = toml::to_string(&everything()).unwrap();
        let keys = keys.lines().filter_map(|line| line.split_once(" = "));
        for key in keys.map(|(key, _)| key).chain(["members"]) {
            assert!(texts.contains(key), "no file of configs/ documents {key}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = parse("[http]\nlistn = \"127.0.0.1:1\"\n").unwrap_err();
        assert!(error.to_string().contains("listn"), "{error}");
    }

    #[test]
    fn a_value_outside_its_bounds_is_refused_with_the_bounds() {
        let error = parse("[limits]\nk_max = 33\n").unwrap_err();
        assert_eq!(error.to_string(), "limits.k_max is 33, but must be 4 to 18");
    }

    #[test]
    fn a_reserve_that_leaves_no_room_for_the_log_is_refused() {
        let error = parse("[depot]\nreserve_bytes = 1024\n").unwrap_err();
        assert!(
            error.to_string().contains("depot.reserve_bytes is 1024"),
            "{error}"
        );
        parse("[depot]\nreserve_bytes = 16777216\n").unwrap();
    }

    #[test]
    fn webhooks_are_told_networks_ports_and_waits_that_can_be() {
        let file =
            "[webhooks]\nenabled = true\nallow = [\"10.0.0.0/8\", \"fd00::/8\"]\nports = [9000]\n";
        let config = parse(file).unwrap();
        assert_eq!(
            (config.webhooks.allow.len(), &config.webhooks.ports[..]),
            (2, &[9000][..])
        );
        let error = parse("[webhooks]\nallow = [\"10.0.0.0/33\"]\n").unwrap_err();
        assert!(matches!(error, ConfigError::Parse { .. }), "{error:?}");
        for key in ["wait_first_ms", "wait_max_ms", "give_up_ms"] {
            let error = parse(&format!("[webhooks]\n{key} = 0\n")).unwrap_err();
            let named = format!("webhooks.{key} is 0");
            assert!(error.to_string().starts_with(&named), "{error}");
        }
    }

    #[test]
    fn a_signer_that_is_no_key_is_refused_by_its_text() {
        let error = parse("[plugins]\ntrusted_signers = [\"0102\"]\n").unwrap_err();
        assert!(matches!(error, ConfigError::Signer { .. }), "{error:?}");
        assert!(error.to_string().contains("`0102`"), "{error}");
    }

    #[test]
    fn a_node_that_could_accept_no_plugin_is_refused() {
        let error = parse("[plugins]\nrequire_signature = true\n").unwrap_err();
        assert!(matches!(error, ConfigError::NoSigners), "{error:?}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Config::load(Path::new("/nowhere/node.toml")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/node.toml"), "{error}");
    }
}
