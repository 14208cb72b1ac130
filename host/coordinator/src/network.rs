//! The way to other members. There is none yet: this build runs one member, and says of any other
//! that it cannot be reached, which openraft retries.

use openraft::BasicNode;
use openraft::error::{InstallSnapshotError, RPCError, RaftError, Unreachable};
use openraft::network::{RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse,
    VoteRequest, VoteResponse,
};
use thiserror::Error;

use crate::raft::Types;

/// A member without an address.
#[derive(Debug, Error)]
#[error("member {target} at {address:?} is not known to this node")]
struct UnknownPeer {
    target: u64,
    address: String,
}

/// Makes connections to members.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Network;

/// A connection to one member.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    target: u64,
    address: String,
}

// === impl Network ===

impl RaftNetworkFactory<Types> for Network {
    type Network = Peer;

    async fn new_client(&mut self, target: u64, node: &BasicNode) -> Peer {
        Peer {
            target,
            address: node.addr.clone(),
        }
    }
}

// === impl Peer ===

impl Peer {
    fn unreachable<E: std::error::Error>(&self) -> RPCError<u64, BasicNode, E> {
        let reason = UnknownPeer {
            target: self.target,
            address: self.address.clone(),
        };
        RPCError::Unreachable(Unreachable::new(&reason))
    }
}

impl RaftNetwork<Types> for Peer {
    async fn append_entries(
        &mut self,
        _rpc: AppendEntriesRequest<Types>,
        _option: RPCOption,
    ) -> Result<AppendEntriesResponse<u64>, RPCError<u64, BasicNode, RaftError<u64>>> {
        Err(self.unreachable())
    }

    async fn install_snapshot(
        &mut self,
        _rpc: InstallSnapshotRequest<Types>,
        _option: RPCOption,
    ) -> Result<
        InstallSnapshotResponse<u64>,
        RPCError<u64, BasicNode, RaftError<u64, InstallSnapshotError>>,
    > {
        Err(self.unreachable())
    }

    async fn vote(
        &mut self,
        _rpc: VoteRequest<u64>,
        _option: RPCOption,
    ) -> Result<VoteResponse<u64>, RPCError<u64, BasicNode, RaftError<u64>>> {
        Err(self.unreachable())
    }
}
