//! What an operator asks of a cluster: who belongs to it, and changes of that.

use std::sync::Arc;

use aureole_api::internal::v1::member_collected::Outcome;
use aureole_api::internal::v1::members_client::MembersClient;
use aureole_api::internal::v1::upkeep_client::UpkeepClient;
use aureole_api::internal::v1::{
    AddMemberRequest, ClusterStatus, CollectRequest, MemberCollected, MembersRequest,
    RemoveMemberRequest, TransferLeaderRequest,
};
use serde::Serialize;
use tonic::transport::Channel;
use tonic::{Response, Status};

use crate::config::{Config, ConfigError};
use crate::tls::{Identity, IdentityError, Role, Transport, TransportError, explain};

/// Asks one coordinator, which passes on what only the leader can do.
#[derive(Clone, Debug)]
pub struct Operator {
    address: String,
    members: MembersClient<Channel>,
    upkeep: UpkeepClient<Channel>,
}

/// How a cluster stands.
#[derive(Clone, Debug, Serialize)]
pub struct Standing {
    /// Name of the cluster.
    pub cluster: String,
    /// The member that answered.
    pub member: u64,
    /// Who leads, as far as it knows.
    pub leader: Option<u64>,
    /// The term.
    pub term: u64,
    /// Index of the last entry of its log.
    pub last_log: Option<u64>,
    /// Index of the last entry it applied.
    pub applied: Option<u64>,
    /// Index of the last entry in its snapshot.
    pub snapshot: Option<u64>,
    /// Every member.
    pub members: Vec<Standpoint>,
    /// Digest of the facts after the entry `applied`, in hexadecimal: equal on members that applied
    /// the same.
    pub state_digest: Option<String>,
}

/// One member.
#[derive(Clone, Debug, Serialize)]
pub struct Standpoint {
    /// Its id.
    pub id: u64,
    /// Its internal address.
    pub address: String,
    /// Whether it votes.
    pub voter: bool,
    /// Whether it leads.
    pub leader: bool,
    /// How many of the leader's entries it lacks, if the leader answered.
    pub lag: Option<u64>,
}

/// What a collection removed, or would remove.
#[derive(Clone, Debug, Serialize)]
pub struct Collection {
    /// Whether nothing was removed yet.
    pub dry_run: bool,
    /// Every member that was asked.
    pub members: Vec<MemberCollection>,
}

/// What one member removed, or would.
#[derive(Clone, Debug, Serialize)]
pub struct MemberCollection {
    /// The member.
    pub member: u64,
    /// How many blobs.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs that stay because something refers to them.
    pub referenced: u64,
    /// Blobs that stay because they are too young to tell.
    pub young: u64,
    /// The first of the removed blobs: digests in hexadecimal.
    pub blobs: Vec<String>,
    /// Why it did not collect, or not to the end.
    pub failure: Option<String>,
}

/// Why a cluster did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// There is no way to the coordinator.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The configuration has no usable address.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The certificate cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// It did not answer, or refused.
    #[error("the coordinator at {address}: {reason}")]
    Refused {
        /// Who was asked.
        address: String,
        /// What it said, or why it was not reached.
        reason: String,
    },
}

// === impl Operator ===

impl Operator {
    /// The way to a coordinator; connects with the first request.
    ///
    /// # Errors
    /// [`OperatorError::Transport`].
    pub fn new(address: &str, transport: &Transport) -> Result<Self, OperatorError> {
        let channel = transport.endpoint(address)?.connect_lazy();
        Ok(Self {
            address: address.to_owned(),
            members: MembersClient::new(channel.clone()),
            upkeep: UpkeepClient::new(channel),
        })
    }

    /// The way to the coordinator of a configuration file, with that coordinator's certificate.
    ///
    /// # Errors
    /// [`OperatorError`]: the file is no coordinator's, or its certificate cannot be used.
    pub fn beside(config: &Config) -> Result<Self, OperatorError> {
        let address = config.cluster.advertised()?.unwrap_or_default();
        let transport = match config.tls.enabled {
            true => {
                let identity = Identity::load(&config.tls_dir(), Role::Coordinator)?;
                Transport::Tls(Arc::new(identity))
            }
            false => Transport::Plain,
        };
        Self::new(&address, &transport)
    }

    /// How the cluster stands: as the leader sees it, or, `local`, as the asked member does.
    ///
    /// # Errors
    /// [`OperatorError::Refused`].
    pub async fn status(&mut self, local: bool) -> Result<Standing, OperatorError> {
        // A member that is asked by another one answers from what it knows itself.
        let answer = self
            .members
            .status(MembersRequest { forwarded: local })
            .await;
        self.read(answer)
    }

    /// Adds a member, or tells where one is now.
    ///
    /// # Errors
    /// [`OperatorError::Refused`].
    pub async fn add(&mut self, id: u64, address: &str) -> Result<Standing, OperatorError> {
        let address = address.to_owned();
        let request = AddMemberRequest {
            id,
            address,
            forwarded: false,
        };
        let answer = self.members.add(request).await;
        self.read(answer)
    }

    /// Removes a member, alive or not.
    ///
    /// # Errors
    /// [`OperatorError::Refused`].
    pub async fn remove(&mut self, id: u64) -> Result<Standing, OperatorError> {
        let request = RemoveMemberRequest {
            id,
            forwarded: false,
        };
        let answer = self.members.remove(request).await;
        self.read(answer)
    }

    /// Hands leadership to a member.
    ///
    /// # Errors
    /// [`OperatorError::Refused`].
    pub async fn transfer(&mut self, id: u64) -> Result<Standing, OperatorError> {
        let request = TransferLeaderRequest {
            id,
            forwarded: false,
        };
        let answer = self.members.transfer(request).await;
        self.read(answer)
    }

    /// Has every member remove the blobs that nothing refers to, or say what that would be.
    ///
    /// # Errors
    /// [`OperatorError::Refused`].
    pub async fn collect(&mut self, dry_run: bool) -> Result<Collection, OperatorError> {
        let answer = self.upkeep.collect(CollectRequest { dry_run }).await;
        let reply = answer.map_err(|status| self.refused(&status))?.into_inner();
        Ok(Collection {
            dry_run,
            members: reply.members.into_iter().map(collection).collect(),
        })
    }

    fn refused(&self, status: &Status) -> OperatorError {
        OperatorError::Refused {
            address: self.address.clone(),
            reason: explain(status).unwrap_or_else(|| status.message().to_owned()),
        }
    }

    fn read(
        &self,
        answer: Result<Response<ClusterStatus>, Status>,
    ) -> Result<Standing, OperatorError> {
        let status = answer.map_err(|status| self.refused(&status))?;
        let status = status.into_inner();
        let members = status.members.into_iter().map(|member| Standpoint {
            id: member.id,
            address: member.address,
            voter: member.voter,
            leader: member.leader,
            lag: member.lag,
        });
        Ok(Standing {
            cluster: status.cluster,
            member: status.member,
            leader: status.leader,
            term: status.term,
            last_log: status.last_log,
            applied: status.applied,
            snapshot: status.snapshot,
            members: members.collect(),
            state_digest: status.state_digest.map(hex::encode),
        })
    }
}

fn collection(member: MemberCollected) -> MemberCollection {
    let (collected, failure) = match member.outcome {
        Some(Outcome::Collected(collected)) => (collected, None),
        Some(Outcome::Failure(why)) => (Default::default(), Some(why)),
        None => (Default::default(), Some("it sent no outcome".to_owned())),
    };
    MemberCollection {
        member: member.member,
        count: collected.count,
        bytes: collected.bytes,
        referenced: collected.referenced,
        young: collected.young,
        blobs: collected
            .blobs
            .iter()
            .map(|blob| hex::encode(&blob.digest))
            .collect(),
        failure,
    }
}
