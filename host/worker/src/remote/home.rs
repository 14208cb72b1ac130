//! One coordinator's blobs, behind a circuit breaker.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use aureole_api::internal::v1;
use aureole_api::internal::v1::blobs_client::BlobsClient;
use aureole_api::transfer;
use aureole_store::{DepotError, Digest, Holder, HolderError, Part};
use bytes::Bytes;
use recloser::{AsyncRecloser, Recloser};
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::limits::{BLOB_CALL_TIMEOUT, BLOB_PUT_TIMEOUT, BREAKER_CALLS, BREAKER_WAIT};

/// One coordinator. Cheap to clone; clones share the breaker.
#[derive(Clone)]
pub(super) struct Home {
    address: String,
    client: BlobsClient<Channel>,
    /// Opens when half of the last calls failed; then nothing is sent for a while.
    breaker: AsyncRecloser,
}

// === impl Home ===

impl Home {
    pub(super) fn new(address: String, channel: Channel) -> Self {
        let breaker = Recloser::custom()
            .error_rate(0.5)
            .closed_len(BREAKER_CALLS)
            .half_open_len(1)
            .open_wait(BREAKER_WAIT)
            .build();
        Self {
            address,
            client: BlobsClient::new(channel),
            breaker: breaker.into(),
        }
    }

    /// Stores a blob; it is on a majority's disks when this returns.
    pub(super) async fn put(&self, digest: &Digest, bytes: &Bytes) -> Result<(), DepotError> {
        let mut client = self.client.clone();
        let messages = transfer::put_messages(digest.as_bytes(), bytes);
        let put = async { client.put(messages).await.map(drop) };
        self.call(BLOB_PUT_TIMEOUT, put)
            .await
            .map_err(|status| self.refused(digest, &status))
    }

    pub(super) async fn has(&self, digest: &Digest) -> Result<bool, DepotError> {
        let request = v1::HasBlobsRequest {
            digests: vec![digest.as_bytes().to_vec()],
        };
        let mut client = self.client.clone();
        let has = async { client.has(request).await };
        let reply = self.call(BLOB_CALL_TIMEOUT, has).await;
        reply
            .map(|reply| reply.into_inner().has.contains(&true))
            .map_err(|status| self.refused(digest, &status))
    }

    /// Bounds a call in time, and does not make it while the breaker is open.
    async fn call<T>(
        &self,
        patience: Duration,
        call: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, Status> {
        let bounded = async {
            let silent = |_| Status::deadline_exceeded("no answer in time");
            timeout(patience, call).await.map_err(silent)?
        };
        match self.breaker.call_with(is_failure, bounded).await {
            Ok(answer) => Ok(answer),
            Err(recloser::Error::Inner(status)) => Err(status),
            Err(recloser::Error::Rejected) => Err(Status::unavailable(
                "left alone for a while, it kept failing",
            )),
        }
    }

    /// What a status means to whoever called.
    fn refused(&self, digest: &Digest, status: &Status) -> DepotError {
        let address = &self.address;
        let detail = format!("coordinator {address}: {}", status.message());
        match transfer::code_of(status) {
            // Elsewhere there may be a majority, and later; a full disk may be this one's alone.
            Some(code) if status.code() != Code::Unavailable => {
                DepotError::Refused { code, detail }
            }
            _ => DepotError::Unreachable {
                digest: *digest,
                detail,
            },
        }
    }
}

#[async_trait]
impl Holder for Home {
    fn name(&self) -> String {
        format!("coordinator {}", self.address)
    }

    async fn part(
        &self,
        digest: &Digest,
        offset: u64,
        length: u64,
    ) -> Result<Option<Part>, HolderError> {
        let request = v1::GetBlobRequest {
            digest: digest.as_bytes().to_vec(),
            offset,
            length,
        };
        let mut client = self.client.clone();
        let read = async {
            let mut stream = client.get(request).await?.into_inner();
            transfer::read_part(&mut stream, length).await
        };
        match self.call(BLOB_CALL_TIMEOUT, read).await {
            Ok((total, bytes)) => Ok(Some(Part { total, bytes })),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(HolderError {
                reason: status.message().to_owned(),
            }),
        }
    }
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Home")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Whether a call failed for the coordinator's or the network's sake. What it decided is an answer,
/// and that it has no majority is not its fault.
fn is_failure(status: &Status) -> bool {
    transfer::code_of(status).is_none()
        && !matches!(
            status.code(),
            Code::NotFound | Code::OutOfRange | Code::InvalidArgument
        )
}
