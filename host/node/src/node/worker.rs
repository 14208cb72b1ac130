//! The worker's part of a process.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use aureole_store::SharedBlobs;
use aureole_telemetry::WorkerMeters;
use aureole_worker::{
    Connect, ConnectError, Provers, RemoteBlobs, RemoteConfig, Sandboxes, SandboxesConfig, Worker,
    WorkerConfig,
};
use tonic::transport::Channel;

use super::coordinator::Member;
use super::{StartError, cores, provers_config};
use crate::config::Config;
use crate::desk::check::Checker;
use crate::link::Link;
use crate::metrics::WorkerSource;
use crate::tls::Transport;

/// Stands for the coordinator of this process, which is reached without a network.
const HERE: &str = "coordinator.internal:0";

/// The way to coordinators, the one of this process included.
#[derive(Clone)]
struct Ways {
    transport: Transport,
    here: Option<Link>,
}

impl Connect for Ways {
    fn channel(&self, address: &str) -> Result<Channel, ConnectError> {
        if let (HERE, Some(link)) = (address, &self.here) {
            return Ok(link.channel());
        }
        let endpoint = self
            .transport
            .endpoint(address)
            .map_err(|error| ConnectError {
                address: address.to_owned(),
                reason: error.to_string(),
            })?;
        Ok(endpoint.connect_lazy())
    }
}

/// Starts the worker, at the coordinator of this process where there is one.
pub(super) async fn start(
    config: &Config,
    transport: &Transport,
    member: Option<&mut Member>,
    meters: WorkerMeters,
) -> Result<(Worker, WorkerSource), StartError> {
    let provers = provers_config(config)?;
    let slots = config.worker.slots;
    let code_dir = config.data_dir.join("code");
    let mut sandboxes = SandboxesConfig::new(provers.command.clone(), code_dir.clone());
    sandboxes.meters = meters.clone();
    // One more than there are attempts: a component leaves one to its neighbours.
    sandboxes.size = slots + 1;
    let ways = Ways {
        transport: transport.clone(),
        here: member.as_ref().map(|member| member.link()),
    };
    let coordinators = match &member {
        Some(_) => vec![HERE.to_owned()],
        None => config.cluster.coordinators.clone(),
    };
    let mut remote = None;
    let blobs: SharedBlobs = match &member {
        Some(member) => member.blobs().clone(),
        None => {
            let mut cache = RemoteConfig::new(config.data_dir.join("blobs"), coordinators.clone());
            cache.meters = meters.clone();
            let opened = Arc::new(RemoteBlobs::open(cache, Arc::new(ways.clone())).await?);
            remote = Some(opened.clone());
            opened
        }
    };
    let worker = WorkerConfig {
        id: name(config, member.as_deref())?,
        coordinators,
        slots,
        cores: cores(),
        memory_bytes: provers.limits.memory_bytes,
        meters,
        drain: Duration::from_millis(config.worker.drain_ms),
    };
    let sandboxes = Sandboxes::new(sandboxes, blobs.clone())?;
    let provers = Provers::new(provers, blobs.clone());
    if let Some(member) = member {
        member.lend(Checker::new(sandboxes.clone(), provers.clone()));
    }
    let worker = Worker::start(worker, ways, blobs, sandboxes, provers.clone()).await?;
    let source = WorkerSource {
        lookout: worker.lookout(),
        provers,
        blobs: remote.clone(),
        code_dir,
    };
    if let Some(remote) = remote {
        // The leader has the newest blobs for sure; others may have to pull them first.
        worker.tell_coordinators(move |addresses| remote.prefer(addresses));
    }
    Ok((worker, source))
}

/// The worker's name: configured, or after the coordinator of this process, or drawn at the first
/// start and kept.
fn name(config: &Config, member: Option<&Member>) -> Result<String, StartError> {
    if let Some(name) = &config.worker.name {
        return Ok(name.clone());
    }
    if let Some(member) = member {
        return Ok(format!("local-{}", member.coordinator().id()));
    }
    let path = config.data_dir.join("worker-name");
    let named = || match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut bytes = [0; 8];
            getrandom::fill(&mut bytes).map_err(io::Error::other)?;
            let name = format!("worker-{}", hex::encode(bytes));
            std::fs::write(&path, &name)?;
            Ok(name)
        }
        read => read.map(|name| name.trim().to_owned()),
    };
    named().map_err(|source| StartError::File {
        path: path.clone(),
        source,
    })
}
