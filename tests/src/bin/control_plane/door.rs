//! The way to the leader over a socket: gRPC on loopback, as a gateway's verbs come.
//!
//! The service is the desk's of the internal protocol. Its one verb here brings a command as the log has
//! it, which the leader proposes; a gateway's verb is larger, and what a desk does before it proposes
//! is not done. Connections are few and shared, as a cluster's gateways share theirs.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use aureole_api::internal::v1::desk_client::DeskClient;
use aureole_api::internal::v1::desk_server::{Desk, DeskServer};
use aureole_api::internal::v1::{BlobPart, UploadPart, VerbCall, VerbReply, verb_reply};
use aureole_coordinator::Coordinator;
use aureole_ledger::{Command, Outcome};
use tokio::task::JoinHandle;
use tonic::codegen::BoxStream;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status, Streaming};

/// Connections to the leader: a gateway's for each of three members.
const CONNECTIONS: usize = 3;

/// The verb; the real desk has none of that name.
const VERB: &str = "propose";

/// Proposes what comes.
struct Proposals(Coordinator);

/// A served leader, and the connections to it. Dropping it ends the service.
pub(crate) struct Door {
    channels: Vec<Channel>,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
}

/// How a client reaches the leader.
#[derive(Clone)]
pub(crate) enum Way {
    /// In its process.
    Here(Coordinator),
    /// By a connection.
    There(DeskClient<Channel>),
}

// === impl Door ===

impl Door {
    /// Serves a leader on a free port and connects to it.
    pub(crate) async fn open(leader: Coordinator) -> anyhow::Result<Self> {
        let incoming = TcpIncoming::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let incoming = incoming.with_nodelay(Some(true));
        let address = incoming.local_addr()?;
        let router = Server::builder().add_service(DeskServer::new(Proposals(leader)));
        let serving = tokio::spawn(router.serve_with_incoming(incoming));
        let mut channels = Vec::new();
        for _ in 0..CONNECTIONS {
            let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
            channels.push(endpoint.tcp_nodelay(true).connect().await?);
        }
        Ok(Self { channels, serving })
    }

    /// A way for each of so many clients, over the connections in turn.
    pub(crate) fn ways(&self, clients: usize) -> Vec<Way> {
        let channels = self.channels.iter().cycle().take(clients);
        channels
            .map(|channel| Way::There(DeskClient::new(channel.clone())))
            .collect()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

// === impl Way ===

impl Way {
    /// Has a command committed and applied; fails when it is refused.
    pub(crate) async fn propose(&self, command: Command) -> anyhow::Result<()> {
        match self {
            Self::Here(leader) => match leader.propose(command).await? {
                Outcome::Refused(refusal) => bail!("{refusal:?}"),
                _ => Ok(()),
            },
            Self::There(client) => {
                let call = VerbCall {
                    verb: VERB.to_owned(),
                    arguments: command.encode()?,
                    caller: None,
                };
                // A handle for this call; the connection is shared.
                let reply = client.clone().call(call).await?.into_inner();
                match reply.reply.context("a reply without an answer")? {
                    verb_reply::Reply::Answer(_) => Ok(()),
                    verb_reply::Reply::Problem(problem) => {
                        bail!("{}", String::from_utf8_lossy(&problem))
                    }
                }
            }
        }
    }
}

#[tonic::async_trait]
impl Desk for Proposals {
    async fn call(&self, request: Request<VerbCall>) -> Result<Response<VerbReply>, Status> {
        let call = request.into_inner();
        if call.verb != VERB {
            return Err(Status::unimplemented("commands are proposed here"));
        }
        let command = Command::decode(&call.arguments);
        let command = command.map_err(|error| Status::invalid_argument(error.to_string()))?;
        let outcome = self.0.propose(command).await;
        let outcome = outcome.map_err(|error| Status::unavailable(error.to_string()))?;
        let reply = match outcome {
            Outcome::Refused(refusal) => {
                verb_reply::Reply::Problem(format!("{refusal:?}").into_bytes())
            }
            _ => verb_reply::Reply::Answer(Vec::new()),
        };
        Ok(Response::new(VerbReply { reply: Some(reply) }))
    }

    async fn upload(
        &self,
        _: Request<Streaming<UploadPart>>,
    ) -> Result<Response<VerbReply>, Status> {
        Err(Status::unimplemented("nobody uploads here"))
    }

    type FetchStream = BoxStream<BlobPart>;

    async fn fetch(&self, _: Request<VerbCall>) -> Result<Response<Self::FetchStream>, Status> {
        Err(Status::unimplemented("nobody downloads here"))
    }
}
