//! The verbs as any member takes them: the leader carries them out, the others pass them on.

use std::time::Duration;

use aureole_api::internal::v1;
use aureole_api::internal::v1::members_client::MembersClient;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

use super::{ClusterStatus, MemberError};
use crate::group::{Group, Leader, leader_of};
use crate::limits::{FORWARD_PATIENCE, HELLO_PATIENCE};

/// A change of the members.
#[derive(Clone, Debug)]
pub(crate) enum Verb {
    Add { id: u64, address: String },
    Remove { id: u64 },
    Transfer { id: u64 },
}

type Answer = Result<Response<v1::ClusterStatus>, Status>;

// === impl Group ===

impl Group {
    /// Tells how the group stands: as the leader sees it, if there is one that answers.
    pub(crate) async fn status(&self, forwarded: bool) -> ClusterStatus {
        if let Some(leader) = self.other_leader().filter(|_| !forwarded) {
            let request = v1::MembersRequest { forwarded: true };
            let send =
                |mut client: MembersClient<Channel>| async move { client.status(request).await };
            match self.pass_on(&leader, HELLO_PATIENCE, send).await {
                Ok(status) => return status,
                Err(error) => tracing::debug!(%error, "the leader did not tell its status"),
            }
        }
        ClusterStatus::of(self)
    }

    /// Carries out a change here or at the leader.
    pub(crate) async fn carry_out(
        &self,
        verb: Verb,
        forwarded: bool,
    ) -> Result<ClusterStatus, MemberError> {
        if let Some(leader) = self.other_leader().filter(|_| !forwarded) {
            return self
                .pass_on(&leader, FORWARD_PATIENCE, |client| send(client, verb))
                .await;
        }
        match verb {
            Verb::Add { id, address } => self.add(id, &address).await?,
            Verb::Remove { id } => self.remove(id).await?,
            Verb::Transfer { id } => self.transfer(id).await?,
        }
        Ok(ClusterStatus::of(self))
    }

    fn other_leader(&self) -> Option<Leader> {
        leader_of(&self.raft.metrics().borrow()).filter(|leader| leader.id != self.identity.member)
    }

    async fn pass_on<F>(
        &self,
        leader: &Leader,
        patience: Duration,
        send: impl FnOnce(MembersClient<Channel>) -> F + Send,
    ) -> Result<ClusterStatus, MemberError>
    where
        F: Future<Output = Answer> + Send,
    {
        let client = MembersClient::new(self.network.channel(&leader.address)?);
        let answer = tokio::time::timeout(patience, send(client)).await;
        let answer = answer.map_err(|_| MemberError::Undecided { waited: patience })?;
        let failed = |status: Status| MemberError::Leader {
            leader: leader.id,
            code: status.code(),
            message: status.message().to_owned(),
        };
        Ok(answer.map_err(failed)?.into_inner().into())
    }
}

async fn send(mut client: MembersClient<Channel>, verb: Verb) -> Answer {
    let forwarded = true;
    match verb {
        Verb::Add { id, address } => {
            let request = v1::AddMemberRequest {
                id,
                address,
                forwarded,
            };
            client.add(request).await
        }
        Verb::Remove { id } => {
            client
                .remove(v1::RemoveMemberRequest { id, forwarded })
                .await
        }
        Verb::Transfer { id } => {
            client
                .transfer(v1::TransferLeaderRequest { id, forwarded })
                .await
        }
    }
}

// === impl MemberError ===

impl MemberError {
    /// What kind of error it is on the wire.
    pub(super) fn code(&self) -> Code {
        match self {
            Self::NoLeader
            | Self::Undecided { .. }
            | Self::Stopped { .. }
            | Self::NotTaken { .. }
            | Self::Behind { .. } => Code::Unavailable,
            Self::Unknown { .. } => Code::NotFound,
            Self::Full { .. } => Code::ResourceExhausted,
            Self::Dial(_) => Code::InvalidArgument,
            Self::Leader { code, .. } => *code,
            Self::LastVoter { .. }
            | Self::NoAddress
            | Self::StaysAlone { .. }
            | Self::Unreachable { .. }
            | Self::Another { .. }
            | Self::NotEmpty { .. }
            | Self::LostDisk { .. }
            | Self::Learner { .. }
            | Self::Refused { .. } => Code::FailedPrecondition,
        }
    }
}
