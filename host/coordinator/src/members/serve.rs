//! The members' service: what operators ask of any member.

use std::sync::Arc;

use aureole_api::internal::v1;
use aureole_api::internal::v1::members_server::Members as MembersRpc;
use tonic::{Request, Response, Status};

use super::forward::Verb;
use super::{ClusterStatus, MemberError, MemberStatus};
use crate::group::Group;
use crate::machine::Facts;
use crate::runtime::apart;

/// The service for operators and members.
#[derive(Clone, Debug)]
pub struct MembersService {
    group: Arc<Group>,
    facts: Arc<Facts>,
}

type Reply = Result<Response<v1::ClusterStatus>, Status>;

// === impl MembersService ===

impl MembersService {
    pub(crate) fn new(group: Arc<Group>, facts: Arc<Facts>) -> Self {
        Self { group, facts }
    }

    /// Adds the digest of this member's facts. It reads them all, so not where others wait.
    async fn stamp(&self, status: &mut ClusterStatus) {
        let facts = Arc::clone(&self.facts);
        let stamp = apart(move || facts.stamp()).await;
        if let Ok((applied, Ok(digest))) = stamp {
            status.applied = applied;
            status.state_digest = Some(digest.as_bytes().to_vec());
        }
    }

    async fn carry_out(&self, verb: Verb, forwarded: bool) -> Reply {
        let status = self.group.carry_out(verb, forwarded).await;
        let status = status.map_err(|error| refuse(&error))?;
        Ok(Response::new(status.into()))
    }
}

fn refuse(error: &MemberError) -> Status {
    Status::new(error.code(), error.to_string())
}

#[tonic::async_trait]
impl MembersRpc for MembersService {
    async fn status(&self, request: Request<v1::MembersRequest>) -> Reply {
        let mut status = self.group.status(request.into_inner().forwarded).await;
        if status.member == self.group.identity.member {
            self.stamp(&mut status).await;
        }
        Ok(Response::new(status.into()))
    }

    async fn add(&self, request: Request<v1::AddMemberRequest>) -> Reply {
        let v1::AddMemberRequest {
            id,
            address,
            forwarded,
        } = request.into_inner();
        self.carry_out(Verb::Add { id, address }, forwarded).await
    }

    async fn remove(&self, request: Request<v1::RemoveMemberRequest>) -> Reply {
        let v1::RemoveMemberRequest { id, forwarded } = request.into_inner();
        self.carry_out(Verb::Remove { id }, forwarded).await
    }

    async fn transfer(&self, request: Request<v1::TransferLeaderRequest>) -> Reply {
        let v1::TransferLeaderRequest { id, forwarded } = request.into_inner();
        self.carry_out(Verb::Transfer { id }, forwarded).await
    }
}

// === impl ClusterStatus ===

impl From<ClusterStatus> for v1::ClusterStatus {
    fn from(status: ClusterStatus) -> Self {
        let members = status.members.into_iter().map(|member| v1::MemberStatus {
            id: member.id,
            address: member.address,
            voter: member.voter,
            leader: member.leader,
            matched: member.matched,
            lag: member.lag,
        });
        Self {
            cluster: status.cluster,
            member: status.member,
            leader: status.leader,
            term: status.term,
            last_log: status.last_log,
            applied: status.applied,
            snapshot: status.snapshot,
            members: members.collect(),
            state_digest: status.state_digest,
        }
    }
}

impl From<v1::ClusterStatus> for ClusterStatus {
    fn from(status: v1::ClusterStatus) -> Self {
        let members = status.members.into_iter().map(|member| MemberStatus {
            id: member.id,
            address: member.address,
            voter: member.voter,
            leader: member.leader,
            matched: member.matched,
            lag: member.lag,
        });
        Self {
            cluster: status.cluster,
            member: status.member,
            leader: status.leader,
            term: status.term,
            last_log: status.last_log,
            applied: status.applied,
            snapshot: status.snapshot,
            members: members.collect(),
            state_digest: status.state_digest,
        }
    }
}
