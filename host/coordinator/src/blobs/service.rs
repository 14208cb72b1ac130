//! Blobs and keys over the internal wire.
//!
//! [`BlobsService`] is for workers: it stores on a majority and pulls what this member lacks.
//! [`ReplicasService`] is for the other members: it answers from this member's disk alone, so that
//! no question goes round in circles. Who may call which is decided before a call gets here, by the
//! interceptor of whoever serves them.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use aureole_api::internal::v1;
use aureole_api::internal::v1::blobs_server::{self, BlobsServer};
use aureole_api::internal::v1::replicas_server::{self, ReplicasServer};
use aureole_api::transfer;
use aureole_ledger::{Digest, TaskId};
use aureole_store::{BLOB_BYTES_MAX, Blobs, DepotError, InputKey, SharedBlobs};
use futures::Stream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tonic::{Code, Request, Response, Status, Streaming};

use super::collect::{self, Collector};
use super::keys::KeyRing;
use super::limits::{
    HAS_DIGESTS_MAX, PART_BYTES_MAX, PARTS_SENT_MAX, RECEIVE_PATIENCE, RECEIVED_KIB_MAX,
};
use super::replicated::Replicated;

/// Parts of a blob on their way out. The stream keeps its place among those that are sent.
type Parts = Pin<Box<dyn Stream<Item = Result<v1::BlobChunk, Status>> + Send>>;

/// Bounds what a service holds in memory; whoever finds it full waits.
#[derive(Clone, Debug)]
struct Gates {
    received_kib: Arc<Semaphore>,
    sent: Arc<Semaphore>,
}

/// Blobs for workers.
#[derive(Clone, Debug)]
pub struct BlobsService {
    replicated: Replicated,
    gates: Gates,
}

/// This member's disk for the other members.
#[derive(Clone)]
pub struct ReplicasService {
    replicated: Replicated,
    keys: KeyRing,
    collector: Collector,
    gates: Gates,
}

// === impl Gates ===

impl Gates {
    fn new() -> Self {
        Self {
            received_kib: Arc::new(Semaphore::new(RECEIVED_KIB_MAX as usize)),
            sent: Arc::new(Semaphore::new(PARTS_SENT_MAX)),
        }
    }

    /// Receives a blob whole and stores it.
    async fn receive(
        &self,
        request: Request<Streaming<v1::PutBlobRequest>>,
        store: impl AsyncFnOnce(bytes::Bytes) -> Result<Digest, DepotError>,
    ) -> Result<Response<v1::PutBlobReply>, Status> {
        let mut stream = request.into_inner();
        let head = transfer::read_head(&mut stream, BLOB_BYTES_MAX).await?;
        let claimed = digest(&head.digest)?;
        let kib = u32::try_from(head.total.div_ceil(1024)).unwrap_or(RECEIVED_KIB_MAX);
        let _room = permit(Arc::clone(&self.received_kib).acquire_many_owned(kib).await)?;
        let body = timeout(RECEIVE_PATIENCE, transfer::read_body(&mut stream, head)).await;
        let upload = body.map_err(|_| Status::deadline_exceeded("the blob came too slowly"))??;
        if Digest::of(&upload.bytes) != claimed {
            let told = format!("the bytes that came are not those of {claimed}");
            return Err(Status::data_loss(told));
        }
        store(upload.bytes).await.map_err(|error| status(&error))?;
        Ok(Response::new(v1::PutBlobReply {}))
    }

    /// Sends a part of a blob that this member has.
    async fn send(
        &self,
        replicated: &Replicated,
        request: &v1::GetBlobRequest,
    ) -> Result<Parts, DepotErrorOrStatus> {
        let digest = digest(&request.digest)?;
        let place = permit(Arc::clone(&self.sent).acquire_owned().await)?;
        let length = request.length.min(PART_BYTES_MAX);
        let (total, bytes) = replicated
            .local()
            .range(&digest, request.offset, length)
            .await?;
        let chunks = transfer::chunks(total, &bytes);
        Ok(Box::pin(futures::StreamExt::map(chunks, move |chunk| {
            // Held until the last chunk is taken or the asker leaves.
            let _place = &place;
            chunk
        })))
    }
}

/// What keeps a part from being sent: the first can be mended by a peer.
#[derive(Debug)]
enum DepotErrorOrStatus {
    Depot(DepotError),
    Status(Box<Status>),
}

impl From<DepotError> for DepotErrorOrStatus {
    fn from(error: DepotError) -> Self {
        Self::Depot(error)
    }
}

impl From<Status> for DepotErrorOrStatus {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
    }
}

impl From<DepotErrorOrStatus> for Status {
    fn from(error: DepotErrorOrStatus) -> Self {
        match error {
            DepotErrorOrStatus::Depot(error) => status(&error),
            DepotErrorOrStatus::Status(status) => *status,
        }
    }
}

// === impl BlobsService ===

impl BlobsService {
    /// Makes the service.
    pub fn server(replicated: Replicated) -> BlobsServer<Self> {
        BlobsServer::new(Self {
            replicated,
            gates: Gates::new(),
        })
    }
}

#[tonic::async_trait]
impl blobs_server::Blobs for BlobsService {
    type GetStream = Parts;

    async fn get(&self, request: Request<v1::GetBlobRequest>) -> Result<Response<Parts>, Status> {
        let request = request.into_inner();
        let (gates, replicated) = (&self.gates, &self.replicated);
        match gates.send(replicated, &request).await {
            Err(DepotErrorOrStatus::Depot(
                DepotError::NotFound { digest } | DepotError::Corrupt { digest, .. },
            )) => {
                replicated
                    .fetch(&digest)
                    .await
                    .map_err(|error| status(&error))?;
                Ok(Response::new(gates.send(replicated, &request).await?))
            }
            sent => Ok(Response::new(sent?)),
        }
    }

    async fn put(
        &self,
        request: Request<Streaming<v1::PutBlobRequest>>,
    ) -> Result<Response<v1::PutBlobReply>, Status> {
        let store = async |bytes| self.replicated.put(bytes).await;
        self.gates.receive(request, store).await
    }

    async fn has(
        &self,
        request: Request<v1::HasBlobsRequest>,
    ) -> Result<Response<v1::HasBlobsReply>, Status> {
        let blobs: SharedBlobs = Arc::new(self.replicated.clone());
        has(&blobs, request.into_inner()).await
    }
}

// === impl ReplicasService ===

impl ReplicasService {
    /// Makes the service.
    pub fn server(
        replicated: Replicated,
        keys: KeyRing,
        collector: Collector,
    ) -> ReplicasServer<Self> {
        ReplicasServer::new(Self {
            replicated,
            keys,
            collector,
            gates: Gates::new(),
        })
    }
}

impl fmt::Debug for ReplicasService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplicasService").finish_non_exhaustive()
    }
}

#[tonic::async_trait]
impl replicas_server::Replicas for ReplicasService {
    type GetStream = Parts;

    async fn get(&self, request: Request<v1::GetBlobRequest>) -> Result<Response<Parts>, Status> {
        let request = request.into_inner();
        Ok(Response::new(
            self.gates.send(&self.replicated, &request).await?,
        ))
    }

    async fn put(
        &self,
        request: Request<Streaming<v1::PutBlobRequest>>,
    ) -> Result<Response<v1::PutBlobReply>, Status> {
        let store = async |bytes: bytes::Bytes| self.replicated.local().put(bytes).await;
        self.gates.receive(request, store).await
    }

    async fn has(
        &self,
        request: Request<v1::HasBlobsRequest>,
    ) -> Result<Response<v1::HasBlobsReply>, Status> {
        let blobs: SharedBlobs = self.replicated.local().clone().into();
        has(&blobs, request.into_inner()).await
    }

    async fn put_key(
        &self,
        request: Request<v1::PutKeyRequest>,
    ) -> Result<Response<v1::PutKeyReply>, Status> {
        let request = request.into_inner();
        let (task, input) = (task(&request.task_id)?, digest(&request.input)?);
        let key = InputKey::from_bytes(request.key);
        let key = key.ok_or_else(|| Status::invalid_argument("a key has 32 bytes"))?;
        let kept = self.keys.keep(task, input, key).await;
        kept.map_err(|error| Status::internal(chain(&error)))?;
        Ok(Response::new(v1::PutKeyReply {}))
    }

    async fn get_key(
        &self,
        request: Request<v1::GetKeyRequest>,
    ) -> Result<Response<v1::GetKeyReply>, Status> {
        let request = request.into_inner();
        let (task, input) = (task(&request.task_id)?, digest(&request.input)?);
        let key = self.keys.own(task, input).await;
        let key = key.map_err(|error| Status::internal(chain(&error)))?;
        let key = key.map(|key| key.expose().to_vec());
        Ok(Response::new(v1::GetKeyReply { key }))
    }

    async fn collect(
        &self,
        request: Request<v1::CollectRequest>,
    ) -> Result<Response<v1::CollectReply>, Status> {
        let dry_run = request.into_inner().dry_run;
        let collected = self.collector.collect(dry_run).await;
        let collected = collected.map_err(|error| Status::unavailable(chain(&error)))?;
        Ok(Response::new(collect::to_reply(&collected)))
    }
}

async fn has(
    blobs: &SharedBlobs,
    request: v1::HasBlobsRequest,
) -> Result<Response<v1::HasBlobsReply>, Status> {
    let asked = request.digests.len();
    if asked > HAS_DIGESTS_MAX {
        let told = format!("{asked} digests in one question, {HAS_DIGESTS_MAX} are taken");
        return Err(Status::out_of_range(told));
    }
    let mut has = Vec::with_capacity(asked);
    for bytes in &request.digests {
        let contains = blobs.contains(&digest(bytes)?).await;
        has.push(contains.map_err(|error| status(&error))?);
    }
    Ok(Response::new(v1::HasBlobsReply { has }))
}

/// What a caller is told of the depot's failure.
fn status(error: &DepotError) -> Status {
    let status = match error {
        DepotError::NotFound { .. } => Code::NotFound,
        DepotError::TooLarge { .. } => Code::OutOfRange,
        DepotError::Corrupt { .. } => Code::DataLoss,
        DepotError::Io { .. } => Code::Internal,
        _ if error.code() == "node.disk_full" => Code::ResourceExhausted,
        _ => Code::Unavailable,
    };
    transfer::refusal(status, error.code(), chain(error))
}

/// An error with its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn permit(
    permit: Result<OwnedSemaphorePermit, tokio::sync::AcquireError>,
) -> Result<OwnedSemaphorePermit, Status> {
    permit.map_err(|_| Status::unavailable("this member is stopping"))
}

fn digest(bytes: &[u8]) -> Result<Digest, Status> {
    Digest::from_slice(bytes).ok_or_else(|| Status::invalid_argument("a digest has 32 bytes"))
}

fn task(bytes: &[u8]) -> Result<TaskId, Status> {
    TaskId::from_slice(bytes).ok_or_else(|| Status::invalid_argument("a task id has 16 bytes"))
}
