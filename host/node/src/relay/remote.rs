//! Verbs over gRPC, at the desk of a coordinator that may lead.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aureole_api::Problem;
use aureole_api::internal::v1::desk_client::DeskClient;
use aureole_api::internal::v1::{self, blob_part, upload_part, verb_reply};
use aureole_api::leader::{COORDINATORS_MAX, Redirect};
use aureole_api::rest::ComponentSignature;
use aureole_gateway::{Blob, Caller};
use aureole_ledger::Digest;
use aureole_telemetry::TRACEPARENT;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use tonic::Status;
use tonic::transport::Channel;

use super::Lost;
use super::call::Call;
use super::route::Route;
use crate::tls::{Transport, explain};

/// Largest message: a task with its proof, or a call with an input of 8 MiB in which every byte may
/// stand escaped.
pub(super) const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// Bytes in one part of a stream; gRPC carries it in frames of 16 KiB.
pub(super) const PART_BYTES: usize = 64 << 10;

/// Largest blob that a verb answers with: a circuit of the largest k.
const BLOB_BYTES_MAX: usize = 512 << 20;

/// How often a silent connection to a desk is tried, and how long the answer may take: whoever asked
/// learns within the sum that nothing comes from the leader any more, and goes on to another while there
/// is time. A member whose provers burn every core answers in a fraction of it.
const KEEPALIVE: Duration = Duration::from_secs(1);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(2);

/// Calls coordinators' desks.
pub(super) struct Remote {
    transport: Transport,
    route: Route,
    channels: Mutex<BTreeMap<String, Channel>>,
}

// === impl Remote ===

impl Remote {
    pub(super) fn new(transport: Transport, route: Route) -> Self {
        Self {
            transport,
            route,
            channels: Mutex::default(),
        }
    }

    pub(super) fn route(&self) -> &Route {
        &self.route
    }

    /// One verb that answers with a document.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        address: &str,
        caller: Option<&Caller>,
        call: &Call,
        left: Duration,
    ) -> Result<T, Lost> {
        let request = timely(verb(caller, call)?, left);
        let mut client = self.client(address)?;
        let reply = self.within(address, left, client.call(request)).await?;
        document(reply)
    }

    /// An upload; the whole component is here, so that it can be sent again.
    pub(super) async fn upload<T: DeserializeOwned>(
        &self,
        address: &str,
        caller: &Caller,
        signature: Option<&ComponentSignature>,
        component: &Bytes,
        left: Duration,
    ) -> Result<T, Lost> {
        let part = |part| v1::UploadPart { part: Some(part) };
        let caller = serde_json::to_vec(caller).map_err(|error| unreadable(&error))?;
        let signature = signature.map(|signature| {
            part(upload_part::Part::Signature(
                signature.to_string().into_bytes(),
            ))
        });
        let head = [part(upload_part::Part::Caller(caller))]
            .into_iter()
            .chain(signature);
        let chunks: Vec<_> = component
            .chunks(PART_BYTES)
            .map(|bytes| part(upload_part::Part::Bytes(bytes.to_vec())))
            .collect();
        let parts = timely(futures::stream::iter(head.chain(chunks)), left);
        let mut client = self.client(address)?;
        let reply = self.within(address, left, client.upload(parts)).await?;
        document(reply)
    }

    /// One verb that answers with bytes.
    pub(super) async fn fetch(
        &self,
        address: &str,
        caller: &Caller,
        call: &Call,
        left: Duration,
    ) -> Result<Blob, Lost> {
        let request = timely(verb(Some(caller), call)?, left);
        let mut client = self.client(address)?;
        let fetched = async {
            let mut parts = client.fetch(request).await?.into_inner();
            let mut digest = None;
            let mut bytes = Vec::new();
            while let Some(part) = parts.message().await? {
                match part.part {
                    Some(blob_part::Part::Digest(head)) => {
                        let head = <[u8; 32]>::try_from(head.as_slice());
                        digest = head.ok().map(Digest::from_bytes);
                    }
                    Some(blob_part::Part::Bytes(more)) => bytes.extend_from_slice(&more),
                    Some(blob_part::Part::Problem(problem)) => {
                        return Ok(Err(read_problem(&problem)));
                    }
                    None => {}
                }
                if bytes.len() > BLOB_BYTES_MAX {
                    return Err(Status::out_of_range("the blob is longer than any may be"));
                }
            }
            let digest =
                digest.ok_or_else(|| Status::data_loss("the blob came without a digest"))?;
            let bytes = Bytes::from(bytes);
            if Digest::of(&bytes) != digest {
                return Err(Status::data_loss(
                    "the blob came with other bytes than its digest's",
                ));
            }
            Ok(Ok(Blob { digest, bytes }))
        };
        let fetched = async { fetched.await.map(tonic::Response::new) };
        self.within(address, left, fetched).await?
    }

    /// Waits for an answer and notes what it says of who leads.
    async fn within<T>(
        &self,
        address: &str,
        left: Duration,
        answer: impl Future<Output = Result<tonic::Response<T>, Status>>,
    ) -> Result<T, Lost> {
        let late = |_| Status::deadline_exceeded("no answer in time");
        let answer = tokio::time::timeout(left, answer).await.map_err(late);
        match answer.and_then(|answer| answer) {
            Ok(response) => {
                self.route.follow(address);
                Ok(response.into_inner())
            }
            Err(status) => {
                let redirect = Redirect::of(&status);
                if redirect.is_none() {
                    // A connection that failed is made anew.
                    self.lock().remove(address);
                }
                self.route.doubt(address, redirect);
                let why = explain(&status).unwrap_or_else(|| status.message().to_owned());
                Err(Lost::Leader(format!("{address}: {why}")))
            }
        }
    }

    fn client(&self, address: &str) -> Result<DeskClient<Channel>, Lost> {
        let mut channels = self.lock();
        let channel = match channels.get(address) {
            Some(channel) => channel.clone(),
            None => {
                let endpoint = self.transport.endpoint(address).map_err(|error| {
                    self.route.doubt(address, None);
                    Lost::Leader(error.to_string())
                })?;
                // Members that left are not worth a connection; those that are there come back.
                if channels.len() >= 2 * COORDINATORS_MAX {
                    channels.clear();
                }
                let channel = endpoint
                    .http2_keep_alive_interval(KEEPALIVE)
                    .keep_alive_timeout(KEEPALIVE_TIMEOUT)
                    .connect_lazy();
                channels.insert(address.to_owned(), channel.clone());
                channel
            }
        };
        Ok(DeskClient::new(channel)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Channel>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request whose deadline the other side knows: it drops what nobody waits for any more. It names
/// the trace that it belongs to.
fn timely<T>(message: T, left: Duration) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.set_timeout(left);
    let parent = aureole_telemetry::traceparent(&tracing::Span::current());
    if let Some(parent) = parent.and_then(|parent| parent.parse().ok()) {
        request.metadata_mut().insert(TRACEPARENT, parent);
    }
    request
}

fn verb(caller: Option<&Caller>, call: &Call) -> Result<v1::VerbCall, Lost> {
    let encoded = |error| unreadable(&error);
    let arguments = serde_json::to_vec(call).map_err(encoded)?;
    let caller = caller.map(serde_json::to_vec).transpose();
    Ok(v1::VerbCall {
        verb: call.verb().to_owned(),
        arguments,
        caller: caller.map_err(encoded)?,
    })
}

fn document<T: DeserializeOwned>(reply: v1::VerbReply) -> Result<T, Lost> {
    match reply.reply {
        Some(verb_reply::Reply::Answer(answer)) => {
            serde_json::from_slice(&answer).map_err(|error| unreadable(&error))
        }
        Some(verb_reply::Reply::Problem(problem)) => Err(read_problem(&problem)),
        None => Err(Lost::Leader("an empty reply".to_owned())),
    }
}

fn read_problem(problem: &[u8]) -> Lost {
    match serde_json::from_slice::<Problem>(problem) {
        Ok(problem) => Lost::Problem(problem),
        Err(error) => unreadable(&error),
    }
}

/// The two ends disagree about a document, which trying again does not mend.
fn unreadable(error: &serde_json::Error) -> Lost {
    tracing::error!(%error, "a relayed document does not read; are the versions the same?");
    Lost::Problem(Problem::new(
        aureole_api::codes::node::INTERNAL,
        "the gateway and the leader do not understand each other",
    ))
}
