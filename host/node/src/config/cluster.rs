//! What a process is told about its cluster: its roles, the members, the certificates.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::tls::is_loopback;

/// Members of a group: an odd number, of which each is a disk more to write to before a command is
/// committed. Seven survive the loss of three.
const MEMBERS_MAX: usize = 7;

/// What a process does; roles combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeRole {
    /// A member of the group that keeps the facts and the bytes.
    Coordinator,
    /// Serves the REST API and relays to the leader.
    Gateway,
    /// Proves.
    Worker,
}

/// The cluster and this process's place in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cluster {
    /// This coordinator's id, 1 or more; never that of another, nor of one that was lost with its
    /// disk and not removed.
    pub id: Option<u64>,
    /// How the group of a coordinator that has no data yet comes about.
    pub founding: Founding,
    /// The founding coordinators' addresses by their ids, the same on each.
    pub members: BTreeMap<String, String>,
    /// Where the other processes reach this coordinator, `host:port`. What `members` says of `id`,
    /// unless given.
    pub advertise: Option<String>,
    /// Where this coordinator listens for them. The advertised address, unless given.
    pub listen: Option<SocketAddr>,
    /// Coordinators to ask for the leader, for a process that is none: one that answers is enough.
    pub coordinators: Vec<String>,
    /// The file of 32 secret bytes that the coordinators share. `secret` below the data directory,
    /// unless given.
    pub secret_file: Option<PathBuf>,
}

/// How the group of a new coordinator comes about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Founding {
    /// It is a group of one.
    #[default]
    Alone,
    /// It founds the group together with the other `members`.
    Founders,
    /// It waits to be added by `aureole cluster add`.
    Join,
}

/// Certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Whether the processes of the cluster authenticate each other. Off is for addresses on the
    /// loopback interface only.
    pub enabled: bool,
    /// The folder of this process's certificate and key. `tls` below the data directory, unless
    /// given.
    pub dir: Option<PathBuf>,
    /// Whether this coordinator signs certificates for join tokens. It then needs the authority's
    /// key, `ca.key`, in that folder: whoever has that key can be anybody in the cluster.
    pub enrol: bool,
}

// === impl NodeRole ===

impl NodeRole {
    /// Every role, in the order of starting.
    pub const ALL: [Self; 3] = [Self::Coordinator, Self::Gateway, Self::Worker];

    /// The word in configuration and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::Gateway => "gateway",
            Self::Worker => "worker",
        }
    }
}

// === impl Cluster ===

impl Cluster {
    /// The founding members by id.
    ///
    /// # Errors
    /// [`ConfigError::Cluster`]: an id that is none.
    pub(crate) fn members(&self) -> Result<BTreeMap<u64, String>, ConfigError> {
        let read = |(id, address): (&String, &String)| match id.parse() {
            Ok(id) if id > 0 => Ok((id, address.clone())),
            _ => Err(refused(
                "cluster.members",
                id,
                "but a member's id is a whole number from 1: members = { 1 = \"host:port\", ... }",
            )),
        };
        self.members.iter().map(read).collect()
    }

    /// Where others reach this coordinator; nowhere when it is alone and was given no address.
    ///
    /// # Errors
    /// [`ConfigError::Cluster`], as [`Cluster::members`].
    pub(crate) fn advertised(&self) -> Result<Option<String>, ConfigError> {
        if self.advertise.is_some() {
            return Ok(self.advertise.clone());
        }
        let members = self.members()?;
        Ok(self.id.and_then(|id| members.get(&id).cloned()))
    }

    /// Where this coordinator listens for others; nowhere when it is alone and was given no address.
    ///
    /// # Errors
    /// [`ConfigError::Cluster`]: the advertised address is a name, so where to listen is not known.
    pub(crate) fn listens(&self) -> Result<Option<SocketAddr>, ConfigError> {
        if self.listen.is_some() {
            return Ok(self.listen);
        }
        let Some(address) = self.advertised()? else {
            return Ok(None);
        };
        address.parse().map(Some).map_err(|_| {
            refused(
                "cluster.advertise",
                &address,
                "a name and no address: set cluster.listen, such as \"0.0.0.0:7400\"",
            )
        })
    }

    /// Checks what a process with these roles needs.
    pub(super) fn validate(
        &self,
        roles: &BTreeSet<NodeRole>,
        tls: &Tls,
    ) -> Result<(), ConfigError> {
        if roles.contains(&NodeRole::Coordinator) {
            self.validate_coordinator()?;
        } else if self.coordinators.is_empty() {
            return Err(refused(
                "cluster.coordinators",
                "empty",
                "but a process that is no coordinator must know one: coordinators = [\"host:port\"]",
            ));
        }
        let coordinates = roles.contains(&NodeRole::Coordinator);
        if tls.enrol && !(coordinates && tls.enabled) {
            return Err(refused(
                "tls.enrol",
                "true",
                "but only a coordinator with tls.enabled signs certificates",
            ));
        }
        if !coordinates && tls.enabled && roles.len() > 1 {
            return Err(refused(
                "roles",
                "gateway and worker",
                "but a certificate is for one of them: run two processes, or add the coordinator",
            ));
        }
        let listen = self.listen.map(|address| address.to_string());
        let named = self
            .members
            .values()
            .map(|address| ("cluster.members", address));
        let advertised = self
            .advertise
            .iter()
            .map(|address| ("cluster.advertise", address));
        let asked = self
            .coordinators
            .iter()
            .map(|address| ("cluster.coordinators", address));
        let listened = listen.iter().map(|address| ("cluster.listen", address));
        for (key, address) in named.chain(advertised).chain(asked).chain(listened) {
            match is_loopback(address) {
                None => return Err(refused(key, address, "but an address is HOST:PORT")),
                Some(false) if !tls.enabled => {
                    return Err(refused(
                        key,
                        address,
                        "which is not on the loopback interface, and tls.enabled is false: plain \
                         connections never leave the machine",
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn validate_coordinator(&self) -> Result<(), ConfigError> {
        let members = self.members()?;
        if members.len() > MEMBERS_MAX {
            let found = format!("a list of {}", members.len());
            return Err(refused(
                "cluster.members",
                &found,
                "but a group has at most 7",
            ));
        }
        if self.founding == Founding::Alone {
            return Ok(());
        }
        let Some(id) = self.id.filter(|id| *id > 0) else {
            return Err(refused(
                "cluster.id",
                self.id
                    .map_or_else(|| "absent".to_owned(), |id| id.to_string()),
                "but a coordinator of a group has an id of its own, from 1",
            ));
        };
        if self.founding == Founding::Founders && !members.contains_key(&id) {
            let ids: Vec<String> = members.keys().map(u64::to_string).collect();
            return Err(refused(
                "cluster.id",
                id.to_string(),
                &format!("but cluster.members lists only: {}", ids.join(", ")),
            ));
        }
        if self.advertised()?.is_none() {
            return Err(refused(
                "cluster.advertise",
                "absent",
                "but a coordinator of a group has an address under which the others reach it",
            ));
        }
        self.listens().map(drop)
    }
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            enabled: true,
            dir: None,
            enrol: false,
        }
    }
}

fn refused(key: &'static str, value: impl Into<String>, reason: &str) -> ConfigError {
    ConfigError::Cluster {
        key,
        value: value.into(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    //! Every mistake in a cluster's configuration names its key, its value and the way out.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::super::Config;

    fn refusal(text: &str) -> String {
        let config: Config = toml::from_str(text).unwrap();
        config.validate().unwrap_err().to_string()
    }

    fn accepted(text: &str) -> Config {
        let config: Config = toml::from_str(text).unwrap();
        config.validate().unwrap()
    }

    #[test]
    fn a_founder_needs_an_id_that_is_among_the_members() {
        let founders = "[cluster]\nfounding = \"founders\"\nmembers = { 1 = \"10.0.0.1:7400\" }\n";
        assert!(refusal(founders).contains("cluster.id is absent"));
        let other = refusal(&format!("{founders}id = 2\n"));
        assert!(
            other.contains("cluster.id is 2") && other.contains("only: 1"),
            "{other}"
        );
        let config = accepted(&format!("{founders}id = 1\n"));
        assert_eq!(
            config.cluster.advertised().unwrap().unwrap(),
            "10.0.0.1:7400"
        );
        assert_eq!(
            config.cluster.listens().unwrap(),
            "10.0.0.1:7400".parse().ok()
        );
    }

    #[test]
    fn a_member_without_a_number_and_a_group_that_is_too_large_are_refused() {
        let named = refusal("[cluster]\nmembers = { one = \"10.0.0.1:7400\" }\n");
        assert!(named.contains("cluster.members is one"), "{named}");
        let many: Vec<String> = (1..=8)
            .map(|id| format!("{id} = \"10.0.0.{id}:1\""))
            .collect();
        let many = refusal(&format!("[cluster]\nmembers = {{ {} }}\n", many.join(", ")));
        assert!(
            many.contains("list of 8") && many.contains("at most 7"),
            "{many}"
        );
    }

    #[test]
    fn one_who_joins_needs_an_address_and_a_place_to_listen() {
        let joins = "[cluster]\nid = 4\nfounding = \"join\"\n";
        assert!(refusal(joins).contains("cluster.advertise is absent"));
        let named = refusal(&format!("{joins}advertise = \"four.example:7400\"\n"));
        assert!(
            named.contains("four.example") && named.contains("cluster.listen"),
            "{named}"
        );
        accepted(&format!(
            "{joins}advertise = \"four.example:7400\"\nlisten = \"0.0.0.0:7400\"\n"
        ));
    }

    #[test]
    fn a_worker_or_gateway_must_know_a_coordinator() {
        for role in ["worker", "gateway"] {
            let alone = refusal(&format!("roles = [\"{role}\"]\n"));
            assert!(alone.contains("cluster.coordinators is empty"), "{alone}");
            accepted(&format!(
                "roles = [\"{role}\"]\n[cluster]\ncoordinators = [\"10.0.0.1:7400\"]\n"
            ));
        }
    }

    #[test]
    fn plain_connections_are_for_the_loopback_interface_only() {
        let plain = |address: &str| {
            format!(
                "roles = [\"worker\"]\n[tls]\nenabled = false\n[cluster]\ncoordinators = \
                 [\"{address}\"]\n"
            )
        };
        accepted(&plain("127.0.0.1:7400"));
        let abroad = refusal(&plain("10.0.0.1:7400"));
        assert!(
            abroad.contains("10.0.0.1:7400") && abroad.contains("tls.enabled"),
            "{abroad}"
        );
        let nowhere = refusal(&plain("10.0.0.1"));
        assert!(nowhere.contains("HOST:PORT"), "{nowhere}");
    }

    #[test]
    fn only_a_coordinator_with_certificates_signs() {
        let worker = "roles = [\"worker\"]\n[cluster]\ncoordinators = [\"10.0.0.1:1\"]\n";
        let signs = refusal(&format!("{worker}[tls]\nenrol = true\n"));
        assert!(signs.contains("tls.enrol is true"), "{signs}");
        assert!(refusal("[tls]\nenrol = true\nenabled = false\n").contains("tls.enrol"));
        accepted("[tls]\nenrol = true\n");
    }

    #[test]
    fn a_gateway_that_is_a_worker_and_no_coordinator_is_refused() {
        let both = "roles = [\"gateway\", \"worker\"]\n[cluster]\ncoordinators = \
                    [\"127.0.0.1:1\"]\n";
        assert!(refusal(both).contains("two processes"));
        accepted(&format!("{both}[tls]\nenabled = false\n"));
    }

    #[test]
    fn a_process_without_a_role_is_refused() {
        assert!(refusal("roles = []\n").contains("roles is empty"));
    }
}
