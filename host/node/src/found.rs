//! Founding a cluster: the authority, and for each process a folder with its certificate, what it
//! shares with the others, and a configuration that `aureole serve` takes as it is.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use aureole_gateway::ApiKey;

use crate::config::{Config, ConfigError, Founding, NodeRole};
use crate::first_key::KEY_FILE;
use crate::log_key::{self, LogKeyError};
use crate::tls::{Authority, AuthorityError, FileError, Role, write_private, write_public};

/// The file of that key's hash, which every gateway is told.
const HASH_FILE: &str = "admin.hash";

/// What a new cluster is to be.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The coordinators' internal addresses, `host:port`; the first one is member 1.
    pub coordinators: Vec<String>,
    /// Where each coordinator serves the REST API; one that has no place here serves none.
    pub http: Vec<SocketAddr>,
    /// Workers that are to have a certificate, named `worker-1` and so on.
    pub workers: u32,
    /// Whether the coordinators sign certificates for join tokens, with copies of the authority's key.
    pub enrol: bool,
    /// What the log of accepted proofs is called; a random name unless given.
    pub origin: Option<String>,
    /// The folder of proving parameters that all are to share, if they share a machine.
    pub params_dir: Option<PathBuf>,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Founded {
    /// The cluster's id.
    pub cluster: String,
    /// The key that verifies the checkpoints of its log, to be published.
    pub log_key: String,
    /// The configuration of each coordinator.
    pub coordinators: Vec<PathBuf>,
    /// The configuration of each worker.
    pub workers: Vec<PathBuf>,
    /// The folder of the administrator's certificate and first key.
    pub admin: PathBuf,
}

/// Why no cluster was founded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FoundError {
    /// The folder holds one already.
    #[error("{} holds an authority already: give a new folder", path.display())]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// The number of coordinators makes no group.
    #[error(
        "{count} coordinators make no group: give 1, 3, 5 or 7; an even number survives no more"
    )]
    Count {
        /// How many.
        count: usize,
    },
    /// The key of the log cannot be made.
    #[error(transparent)]
    LogKey(#[from] LogKeyError),
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A certificate cannot be made.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// What was asked for makes no configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A configuration cannot be written as text.
    #[error("a configuration cannot be written as text")]
    Text(#[from] toml::ser::Error),
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness for the cluster's secret")]
    Randomness(#[from] getrandom::Error),
}

/// Makes a cluster in a folder that holds none.
///
/// # Errors
/// [`FoundError`]; what was written stays.
pub fn found(folder: &Path, plan: &Plan) -> Result<Founded, FoundError> {
    let count = plan.coordinators.len();
    if count.is_multiple_of(2) || count > 7 {
        return Err(FoundError::Count { count });
    }
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    if folder.join("ca.key").exists() {
        return Err(FoundError::Taken { path: folder });
    }
    let authority = Authority::new()?;
    authority.store(&folder)?;
    let admin = folder.join("admin");
    authority.issue(Role::Admin, "admin")?.store(&admin)?;
    let first = ApiKey::fresh()?;
    write_private(&admin.join(KEY_FILE), first.text().as_bytes())?;
    write_public(&admin.join(HASH_FILE), first.hash().to_string().as_bytes())?;
    let mut secret = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(secret.as_mut())?;
    let log_key = log_key::fresh(plan.origin.as_deref())?;
    let mut coordinators = Vec::new();
    for (index, _) in plan.coordinators.iter().enumerate() {
        let mut config = coordinator(&folder, plan, index)?;
        if config.is(NodeRole::Gateway) {
            config.access.bootstrap_key = Some(first.hash().to_string());
        }
        write_private(&config.secret_file(), secret.as_slice())?;
        write_private(&config.log_key_file(), log_key.to_text().as_bytes())?;
        let name = format!("coordinator-{}", index + 1);
        authority
            .issue(Role::Coordinator, &name)?
            .store(&config.tls_dir())?;
        if plan.enrol {
            authority.store(&config.tls_dir())?;
        }
        coordinators.push(write(&config)?);
    }
    let mut workers = Vec::new();
    for number in 1..=plan.workers {
        let name = format!("worker-{number}");
        let mut config = Config {
            roles: [NodeRole::Worker].into(),
            data_dir: folder.join(&name),
            params_dir: plan.params_dir.clone(),
            ..Config::default()
        };
        config.cluster.coordinators.clone_from(&plan.coordinators);
        config.worker.name = Some(name.clone());
        authority
            .issue(Role::Worker, &name)?
            .store(&config.tls_dir())?;
        workers.push(write(&config)?);
    }
    Ok(Founded {
        cluster: authority.cluster().to_owned(),
        log_key: log_key.verifier().to_string(),
        coordinators,
        workers,
        admin,
    })
}

fn coordinator(folder: &Path, plan: &Plan, index: usize) -> Result<Config, FoundError> {
    let id = index as u64 + 1;
    let mut config = Config {
        roles: [NodeRole::Coordinator].into(),
        data_dir: folder.join(format!("coordinator-{id}")),
        params_dir: plan.params_dir.clone(),
        ..Config::default()
    };
    if let Some(listen) = plan.http.get(index) {
        config.roles.insert(NodeRole::Gateway);
        config.http.listen = *listen;
    }
    config.tls.enrol = plan.enrol;
    config.cluster.id = Some(id);
    config.cluster.founding = Founding::Founders;
    let members = (1..)
        .map(|id: u64| id.to_string())
        .zip(plan.coordinators.iter().cloned());
    config.cluster.members = members.collect();
    if let Some(address) = plan.coordinators.get(index)
        && address.parse::<SocketAddr>().is_err()
        && let Some((_, port)) = address.rsplit_once(':')
    {
        // A name: the machine it means has it on whichever interface.
        config.cluster.listen = format!("0.0.0.0:{port}").parse().ok();
    }
    Ok(config)
}

/// Writes a configuration into its own data folder.
fn write(config: &Config) -> Result<PathBuf, FoundError> {
    let path = config.data_dir.join("node.toml");
    let text = toml::to_string(&config.clone().validate()?)?;
    write_public(&path, text.as_bytes())?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    //! What is founded is what `aureole serve` takes; what makes no cluster is refused.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::{FoundError, Plan, found};
    use crate::config::Config;
    use crate::tls::{Authority, Identity, Role};

    fn plan(coordinators: &[&str]) -> Plan {
        Plan {
            coordinators: coordinators
                .iter()
                .map(|&address| address.to_owned())
                .collect(),
            workers: 1,
            ..Plan::default()
        }
    }

    #[test]
    fn every_process_has_a_configuration_and_a_certificate_that_it_can_start_with() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(&["10.0.0.1:7400", "two.example:7400", "10.0.0.3:7400"]);
        let founded = found(folder.path(), &plan).unwrap();
        let (mut secrets, mut log_keys) = (Vec::new(), Vec::new());
        for file in &founded.coordinators {
            let config = Config::load(file).unwrap();
            assert!(config.cluster.listens().unwrap().is_some());
            let identity = Identity::load(&config.tls_dir(), Role::Coordinator).unwrap();
            assert_eq!(identity.name().cluster, founded.cluster);
            secrets.push(std::fs::read(config.secret_file()).unwrap());
            log_keys.push(std::fs::read(config.log_key_file()).unwrap());
        }
        secrets.dedup();
        log_keys.dedup();
        assert_eq!(log_keys.len(), 1);
        assert_eq!((founded.coordinators.len(), secrets.len()), (3, 1));
        let worker = Config::load(&founded.workers[0]).unwrap();
        assert_eq!(worker.cluster.coordinators, plan.coordinators);
        Identity::load(&worker.tls_dir(), Role::Worker).unwrap();
        Identity::load(&founded.admin, Role::Admin).unwrap();
    }

    #[test]
    fn coordinators_get_the_authoritys_key_only_where_they_are_to_sign() {
        let folder = tempfile::tempdir().unwrap();
        for enrol in [false, true] {
            let plan = Plan {
                enrol,
                ..plan(&["10.0.0.1:7400"])
            };
            let founded = found(&folder.path().join(enrol.to_string()), &plan).unwrap();
            let config = Config::load(&founded.coordinators[0]).unwrap();
            assert_eq!(config.tls.enrol, enrol);
            assert_eq!(Authority::load(&config.tls_dir()).is_ok(), enrol);
            assert_eq!(config.tls_dir().join("ca.key").exists(), enrol);
        }
    }

    #[test]
    fn a_folder_with_a_cluster_and_a_group_without_a_majority_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for even in [&[][..], &["10.0.0.1:1", "10.0.0.2:1"]] {
            let refused = found(folder.path(), &plan(even)).unwrap_err();
            assert!(matches!(refused, FoundError::Count { .. }), "{refused:?}");
        }
        let bad = found(&folder.path().join("bad"), &plan(&["nowhere"])).unwrap_err();
        assert!(matches!(bad, FoundError::Config(_)), "{bad:?}");
        found(folder.path(), &plan(&["10.0.0.1:1"])).unwrap();
        let again = found(folder.path(), &plan(&["10.0.0.1:1"])).unwrap_err();
        assert!(matches!(again, FoundError::Taken { .. }), "{again:?}");
    }
}
