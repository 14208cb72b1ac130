//! Starting a member: its folder, its Raft, and its place in a group.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use aureole_store::{TileLog, TileLogError};
use openraft::SnapshotPolicy;
use thiserror::Error;
use tokio::sync::{Mutex, RwLock};

use crate::chance::seeded;
use crate::config::{Config, Founding, Simulation};
use crate::dial::Dial;
use crate::group::{Group, Halt, LeaderWatch, Reads, alone, found, watch_leader};
use crate::identity::Identity;
use crate::limits::{APPEND_ENTRIES_MAX, ELECTION_MAX_MS, ELECTION_MIN_MS, HEARTBEAT_MS, LOG_KEPT};
use crate::log::{LogError, LogStore};
use crate::machine::{Facts, Machine};
use crate::network::Network;
use crate::proposer::{ProposeError, Proposer, write_nothing};
use crate::raft::{Member, Raft};
use crate::runtime::{RaftRuntime, apart};
use crate::snapshot::{SnapshotError, SnapshotFile};

/// Why a coordinator does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The log does not open, or is damaged.
    #[error(
        "the coordinator's log; if it is damaged, this member must not vote by it: with other \
         members alive, empty its folder, remove it from the group and add it again"
    )]
    Log(#[from] LogError),
    /// The snapshot does not load.
    #[error(
        "the coordinator's snapshot; if it is damaged, this member must not vote by it: with other \
         members alive, empty its folder, remove it from the group and add it again"
    )]
    Snapshot(#[from] SnapshotError),
    /// The folder of the log of proofs cannot be used.
    #[error("the coordinator's log of proofs")]
    Tiles(#[from] TileLogError),
    /// The configuration contradicts itself, or the folder.
    #[error("the coordinator's configuration: {reason}")]
    Config {
        /// How.
        reason: String,
    },
    /// Raft does not start.
    #[error("the coordinator's group: {reason}")]
    Raft {
        /// What was met.
        reason: String,
    },
    /// The log could not be brought up to date.
    #[error("the coordinator could not apply its log")]
    Apply(#[from] ProposeError),
}

/// A member that runs.
pub(crate) struct Started {
    pub(crate) runtime: RaftRuntime,
    pub(crate) group: Arc<Group>,
    pub(crate) facts: Arc<Facts>,
    pub(crate) leader: LeaderWatch,
    pub(crate) proposer: Proposer,
    pub(crate) reads: Reads,
}

/// Starts a member on a runtime of its own, or in a simulation as a guest on the caller's.
pub(crate) async fn member(config: &Config, dial: Arc<dyn Dial>) -> Result<Started, StartError> {
    check(config)?;
    let runtime = match config.simulation {
        Some(_) => RaftRuntime::callers(),
        None => RaftRuntime::start().map_err(|error| failed(&error))?,
    };
    let on_raft = runtime.handle().clone();
    let (config, raft_config) = (config.clone(), Arc::new(raft_config(config)?));
    let started = on_raft.spawn(async move {
        let (log, machine, identity) = open(&config).await?;
        let facts = Arc::clone(&machine.facts);
        let network = Network::new(Arc::clone(&identity), dial, log.newest());
        let raft = Raft::new(config.node_id, raft_config, network.clone(), log, machine);
        let raft = match config.simulation {
            Some(Simulation { seed }) => seeded(seed, raft).await,
            None => raft.await,
        };
        let raft = raft.map_err(|error| failed(&error))?;
        let group = Arc::new(Group {
            identity,
            address: config.address.clone(),
            stays_alone: config.stays_alone.clone(),
            leader: watch_leader(&raft),
            raft,
            network,
            halt: Halt::new(),
            changing: Mutex::new(()),
            writing: Arc::new(RwLock::new(())),
        });
        settle(&group, &config).await?;
        let proposer = Proposer::start(Arc::clone(&group));
        let reads = Reads::start(group.raft.clone());
        Ok::<_, StartError>((group, facts, proposer, reads))
    });
    let (group, facts, proposer, reads) = started.await.map_err(|error| failed(&error))??;
    Ok(Started {
        runtime,
        leader: group.leader.clone(),
        group,
        facts,
        proposer,
        reads,
    })
}

/// Opens the folder.
async fn open(config: &Config) -> Result<(LogStore, Machine, Arc<Identity>), StartError> {
    let (dir, cluster, member) = (config.dir.clone(), config.cluster.clone(), config.node_id);
    let receipts = config.receipts_dir.clone();
    let opened = apart(move || -> Result<_, StartError> {
        let log = LogStore::open(&dir)?;
        let identity = log.identity(&dir, &cluster, member)?;
        let tiles = Arc::new(TileLog::open(receipts)?);
        let machine = Machine::open(SnapshotFile::open(&dir)?, tiles)?;
        Ok((log, machine, Arc::new(identity)))
    });
    opened.await.map_err(|error| failed(&error))?
}

/// Finds the member's place: at the head of a group of one, or in the background among others.
async fn settle(group: &Arc<Group>, config: &Config) -> Result<(), StartError> {
    if config.founding == Founding::Alone {
        // Asked of Raft itself: what it publishes may be a moment behind at a start.
        let stands = |state: &openraft::RaftState<u64, Member, tokio::time::Instant>| {
            state.membership_state.effective().voter_ids().collect()
        };
        let voters: BTreeSet<u64> = group
            .raft
            .with_raft_state(stands)
            .await
            .map_err(|error| failed(&error))?;
        if !voters.is_empty() && !voters.contains(&config.node_id) || voters.len() > 1 {
            return Err(StartError::Config {
                reason: format!(
                    "the folder belongs to a group of members {voters:?}; start it as one of them, \
                     not alone"
                ),
            });
        }
        alone(&group.raft, config.node_id, group.me())
            .await
            .map_err(|error| failed(&error))?;
        // An empty entry: what it waits for, everything before it being applied, is the point.
        write_nothing(&group.raft).await?;
        return Ok(());
    }
    let (group, founding) = (Arc::clone(group), config.founding.clone());
    tokio::spawn(async move {
        if let Err(error) = found(&group, &founding).await {
            group.halt.stop(&group.raft, error.to_string());
        }
    });
    Ok(())
}

/// Refuses a configuration that cannot make a group.
fn check(config: &Config) -> Result<(), StartError> {
    let refuse = |reason: String| Err(StartError::Config { reason });
    if config.cluster.is_empty() {
        return refuse("the cluster has no name".to_owned());
    }
    match &config.founding {
        Founding::Alone => Ok(()),
        Founding::Founders(_) | Founding::Join if config.address.is_empty() => refuse(format!(
            "member {} has no address under which the others could reach it",
            config.node_id
        )),
        Founding::Join => Ok(()),
        Founding::Founders(founders) => match founders.get(&config.node_id) {
            None => refuse(format!(
                "member {} is not among the founders {:?}",
                config.node_id,
                founders.keys().collect::<Vec<_>>()
            )),
            Some(address) if *address != config.address => refuse(format!(
                "member {} has the address {}, among the founders it has {address}",
                config.node_id, config.address
            )),
            Some(_) => Ok(()),
        },
    }
}

fn failed(error: &dyn fmt::Display) -> StartError {
    StartError::Raft {
        reason: error.to_string(),
    }
}

fn raft_config(config: &Config) -> Result<openraft::Config, StartError> {
    openraft::Config {
        cluster_name: config.cluster.clone(),
        heartbeat_interval: HEARTBEAT_MS,
        election_timeout_min: ELECTION_MIN_MS,
        election_timeout_max: ELECTION_MAX_MS,
        max_payload_entries: APPEND_ENTRIES_MAX,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(config.snapshot_every),
        max_in_snapshot_log_to_keep: LOG_KEPT.min(config.snapshot_every),
        // A member further behind than a snapshot's distance gets the snapshot: it is smaller.
        replication_lag_threshold: config.snapshot_every.saturating_add(LOG_KEPT),
        ..openraft::Config::default()
    }
    .validate()
    .map_err(|error| StartError::Config {
        reason: error.to_string(),
    })
}
