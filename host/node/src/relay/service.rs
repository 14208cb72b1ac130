//! The desk as the other processes' gateways reach it. A member that does not lead, as a majority
//! confirms, refuses and names who does.

use std::pin::Pin;

use async_trait::async_trait;
use aureole_api::internal::v1::desk_server::{self, DeskServer};
use aureole_api::internal::v1::{self, blob_part, upload_part, verb_reply};
use aureole_api::leader::Redirect;
use aureole_api::rest::ComponentSignature;
use aureole_api::{Problem, codes};
use aureole_gateway::{Caller, Component};
use aureole_telemetry::{TRACEPARENT, adopt, is_on};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};
use tracing::{Instrument as _, Span};

use super::call::Call;
use super::remote::{MESSAGE_BYTES_MAX, PART_BYTES};
use super::{Local, perform};
use crate::desk::COMPONENT_BYTES_MAX;

/// Uploads that are held whole at a time; 8 MiB each. More wait.
const UPLOADS_MAX: usize = 8;

/// Serves the desk of this member.
pub(crate) struct DeskService {
    local: Local,
    uploads: tokio::sync::Semaphore,
}

type Parts = Pin<Box<dyn Stream<Item = Result<v1::BlobPart, Status>> + Send>>;

// === impl DeskService ===

impl DeskService {
    pub(crate) fn server(local: Local) -> DeskServer<Self> {
        let uploads = tokio::sync::Semaphore::new(UPLOADS_MAX);
        DeskServer::new(Self { local, uploads })
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Does something while this member leads; if it ceases to, whoever asked is sent on.
    async fn leading<T>(&self, work: impl Future<Output = T>) -> Result<T, Status> {
        let mut leader = self.local.coordinator.leader();
        if self.local.confirm().await.is_err() {
            return Err(self.refusal().await);
        }
        let member = self.local.member;
        let lost = async {
            drop(
                leader
                    .until(|now| now.as_ref().map(|now| now.id) != Some(member))
                    .await,
            );
        };
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = lost => Err(self.refusal().await),
        }
    }

    async fn refusal(&self) -> Status {
        let coordinator = &self.local.coordinator;
        let leader = coordinator.leader().now();
        let elsewhere = leader.filter(|leader| leader.id != self.local.member);
        Redirect {
            leader: elsewhere.map(|leader| leader.address),
            coordinators: coordinator
                .status()
                .await
                .members
                .into_iter()
                .map(|member| member.address)
                .collect(),
        }
        .into_status()
    }
}

#[async_trait]
impl desk_server::Desk for DeskService {
    async fn call(
        &self,
        request: Request<v1::VerbCall>,
    ) -> Result<Response<v1::VerbReply>, Status> {
        let parent = parent_of(&request);
        let (caller, call) = read(&request.into_inner())?;
        let span = desk_span(call.verb(), parent.as_deref());
        let done = self
            .leading(perform::document(&self.local.desk, caller, call))
            .instrument(span)
            .await?;
        Ok(Response::new(reply(done)?))
    }

    async fn upload(
        &self,
        request: Request<Streaming<v1::UploadPart>>,
    ) -> Result<Response<v1::VerbReply>, Status> {
        let span = desk_span("upload", parent_of(&request).as_deref());
        let closed = |_| Status::unavailable("the desk is closing");
        let _permit = self.uploads.acquire().await.map_err(closed)?;
        let work = async {
            let (caller, component) = receive(request.into_inner()).await?;
            let desk = &self.local.desk;
            let done = match desk.recognise(&caller) {
                Ok(()) => desk.upload(&caller, component).await,
                Err(problem) => Err(problem),
            };
            Ok::<_, Status>(done.and_then(|done| written(&done)))
        };
        let done = self.leading(work).instrument(span).await??;
        Ok(Response::new(reply(done)?))
    }

    type FetchStream = Parts;

    async fn fetch(&self, request: Request<v1::VerbCall>) -> Result<Response<Parts>, Status> {
        let parent = parent_of(&request);
        let (caller, call) = read(&request.into_inner())?;
        let span = desk_span(call.verb(), parent.as_deref());
        let done = self
            .leading(perform::blob(&self.local.desk, caller, call))
            .instrument(span)
            .await?;
        let part = |part| v1::BlobPart { part: Some(part) };
        let parts: Vec<_> = match done {
            Ok(blob) => {
                let head = part(blob_part::Part::Digest(blob.digest.as_bytes().to_vec()));
                let count = blob.bytes.len().div_ceil(PART_BYTES);
                let chunk = move |index: usize| {
                    let from = index * PART_BYTES;
                    let to = blob.bytes.len().min(from + PART_BYTES);
                    part(blob_part::Part::Bytes(blob.bytes.slice(from..to).to_vec()))
                };
                let chunks = futures::stream::iter((0..count).map(chunk));
                let parts = futures::stream::iter([head]).chain(chunks).map(Ok);
                return Ok(Response::new(Box::pin(parts)));
            }
            Err(problem) => vec![Ok(part(blob_part::Part::Problem(encoded(&problem)?)))],
        };
        Ok(Response::new(Box::pin(futures::stream::iter(parts))))
    }
}

/// The traceparent that a gateway sent along.
fn parent_of<T>(request: &Request<T>) -> Option<String> {
    let parent = request.metadata().get(TRACEPARENT)?;
    parent.to_str().ok().map(str::to_owned)
}

/// A verb's part of its request's trace. What asks on its own account, such as for health, has none.
fn desk_span(verb: &'static str, parent: Option<&str>) -> Span {
    if parent.is_none() || !is_on() {
        return Span::none();
    }
    let span = tracing::info_span!(
        "desk",
        otel.name = %format_args!("desk {verb}"),
        otel.kind = "server",
        verb,
        trace_id = tracing::field::Empty
    );
    adopt(&span, parent);
    span
}

fn read(call: &v1::VerbCall) -> Result<(Option<Caller>, Call), Status> {
    // The parser's words may hold a piece of the input, which is private.
    let unknown = |_| {
        Status::invalid_argument(format!(
            "the verb {:?} is not known here, or has other arguments; are the versions the same?",
            call.verb
        ))
    };
    let caller = call.caller.as_deref().map(serde_json::from_slice);
    let caller = caller.transpose().map_err(unknown)?;
    let call = serde_json::from_slice(&call.arguments).map_err(unknown)?;
    Ok((caller, call))
}

/// Takes an upload whole.
async fn receive(mut parts: Streaming<v1::UploadPart>) -> Result<(Caller, Component), Status> {
    let mut caller = None;
    let mut signature = None;
    let mut bytes = Vec::new();
    while let Some(part) = parts.message().await? {
        match part.part {
            Some(upload_part::Part::Caller(json)) => caller = serde_json::from_slice(&json).ok(),
            Some(upload_part::Part::Signature(text)) => {
                let text = std::str::from_utf8(&text).ok();
                let read = text.and_then(|text| text.parse::<ComponentSignature>().ok());
                let read = read.ok_or_else(|| Status::invalid_argument("the signature is none"))?;
                signature = Some(read);
            }
            Some(upload_part::Part::Bytes(more)) => bytes.extend_from_slice(&more),
            None => {}
        }
        // A little more than allowed may come: the desk refuses it by name.
        if bytes.len() as u64 > COMPONENT_BYTES_MAX + PART_BYTES as u64 {
            return Err(Status::out_of_range("the component is too large"));
        }
    }
    let caller = caller.ok_or_else(|| Status::invalid_argument("an upload names its caller"))?;
    let component = Component::from_bytes(Bytes::from(bytes)).signed(signature);
    Ok((caller, component))
}

fn reply(done: Result<Vec<u8>, Problem>) -> Result<v1::VerbReply, Status> {
    let reply = match done {
        Ok(answer) => verb_reply::Reply::Answer(answer),
        Err(problem) => verb_reply::Reply::Problem(encoded(&problem)?),
    };
    Ok(v1::VerbReply { reply: Some(reply) })
}

fn encoded(problem: &Problem) -> Result<Vec<u8>, Status> {
    serde_json::to_vec(problem).map_err(|_| Status::internal("a problem cannot be written"))
}

fn written(answer: &impl serde::Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(answer)
        .map_err(|_| Problem::new(codes::node::INTERNAL, "the answer cannot be written"))
}
