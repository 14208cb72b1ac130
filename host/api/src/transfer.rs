//! Blobs as streams of messages, and what a refusal to store one says.
//!
//! A blob travels in chunks of [`CHUNK_BYTES`]; its length is told first and kept to. Whoever
//! receives it counts, and checks the digest of the whole: nothing here does that.

use bytes::{Bytes, BytesMut};
use futures::{Stream, stream};
use tonic::metadata::MetadataValue;
use tonic::{Code, Status, Streaming};

use crate::internal::v1::{BlobChunk, BlobHead, PutBlobRequest};

/// Bytes in one message: a sixteenth of the 4 MiB that a receiver takes, so that a stream shares a
/// connection fairly with short calls.
pub const CHUNK_BYTES: usize = 256 << 10;

/// The stable code of a refusal.
const CODE: &str = "aureole-code";

/// A blob that somebody sent.
#[derive(Clone, Debug)]
pub struct Upload {
    /// What its digest is said to be.
    pub digest: Vec<u8>,
    /// Its bytes, as many as were announced.
    pub bytes: Bytes,
}

/// The messages that send a blob.
pub fn put_messages(
    digest: &[u8; 32],
    bytes: &Bytes,
) -> impl Stream<Item = PutBlobRequest> + Send + Unpin + use<> {
    let head = PutBlobRequest {
        head: Some(BlobHead {
            digest: digest.to_vec(),
            total: bytes.len() as u64,
        }),
        bytes: Bytes::new(),
    };
    let rest = pieces(bytes).map(|bytes| PutBlobRequest { head: None, bytes });
    stream::iter(std::iter::once(head).chain(rest))
}

/// The messages that send a part of a blob; at least one, which tells the whole's length.
pub fn chunks(
    total: u64,
    bytes: &Bytes,
) -> impl Stream<Item = Result<BlobChunk, Status>> + Send + Unpin + use<> {
    let empty = bytes.is_empty().then(Bytes::new);
    let all = empty.into_iter().chain(pieces(bytes));
    stream::iter(all.map(move |bytes| Ok(BlobChunk { total, bytes })))
}

/// Reads the head of a blob that is being sent: what its digest is said to be, and its length.
///
/// # Errors
/// `INVALID_ARGUMENT` without a head, `OUT_OF_RANGE` above `max` bytes, and the stream's own.
pub async fn read_head(
    stream: &mut Streaming<PutBlobRequest>,
    max: u64,
) -> Result<BlobHead, Status> {
    let first = stream.message().await?;
    let head = first.and_then(|first| first.head);
    let head = head.ok_or_else(|| Status::invalid_argument("a blob comes without its head"))?;
    if head.total > max {
        let total = head.total;
        let told = format!("the blob has {total} bytes, {max} are taken");
        return Err(Status::out_of_range(told));
    }
    Ok(head)
}

/// Reads the bytes behind a head.
///
/// # Errors
/// `INVALID_ARGUMENT` if there are fewer or more than announced, and the stream's own.
pub async fn read_body(
    stream: &mut Streaming<PutBlobRequest>,
    head: BlobHead,
) -> Result<Upload, Status> {
    let BlobHead { digest, total } = head;
    let mut bytes = BytesMut::new();
    while let Some(message) = stream.message().await? {
        if (bytes.len() + message.bytes.len()) as u64 > total {
            return Err(Status::invalid_argument(
                "the blob is longer than announced",
            ));
        }
        bytes.extend_from_slice(&message.bytes);
    }
    if bytes.len() as u64 != total {
        return Err(Status::invalid_argument(
            "the blob is shorter than announced",
        ));
    }
    Ok(Upload {
        digest,
        bytes: bytes.freeze(),
    })
}

/// Reads a part of at most `length` bytes, and the whole's length.
///
/// # Errors
/// `INTERNAL` if there are more bytes, or none at all, and the stream's own.
pub async fn read_part(
    stream: &mut Streaming<BlobChunk>,
    length: u64,
) -> Result<(u64, Bytes), Status> {
    let first = stream.message().await?;
    let mut chunk =
        first.ok_or_else(|| Status::internal("a part of a blob comes without bytes"))?;
    let total = chunk.total;
    let mut bytes = BytesMut::new();
    loop {
        if (bytes.len() + chunk.bytes.len()) as u64 > length {
            return Err(Status::internal(
                "a part of a blob is longer than asked for",
            ));
        }
        bytes.extend_from_slice(&chunk.bytes);
        match stream.message().await? {
            Some(next) => chunk = next,
            None => return Ok((total, bytes.freeze())),
        }
    }
}

/// A refusal with a stable code.
#[must_use]
pub fn refusal(status: Code, code: &str, message: impl Into<String>) -> Status {
    let mut refusal = Status::new(status, message);
    // A code has no character that a header may not have.
    if let Ok(code) = MetadataValue::try_from(code) {
        refusal.metadata_mut().insert(CODE, code);
    }
    refusal
}

/// The stable code of a refusal, if it is one of this platform's.
#[must_use]
pub fn code_of(status: &Status) -> Option<&'static str> {
    let code = status.metadata().get(CODE)?.to_str().ok()?;
    crate::codes::find(code).map(|known| known.code)
}

fn pieces(bytes: &Bytes) -> impl Iterator<Item = Bytes> + Send + use<> {
    let mut rest = bytes.clone();
    std::iter::from_fn(move || {
        let piece = rest.split_to(rest.len().min(CHUNK_BYTES));
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use futures::StreamExt;
    use futures::executor::block_on;

    use super::*;

    #[test]
    fn a_blob_is_sent_whole_behind_its_head() {
        let bytes = Bytes::from(vec![7; CHUNK_BYTES + 1]);
        let sent: Vec<PutBlobRequest> = block_on(put_messages(&[1; 32], &bytes).collect());
        let lengths: Vec<usize> = sent.iter().map(|message| message.bytes.len()).collect();
        assert_eq!(lengths, [0, CHUNK_BYTES, 1]);
        let head = sent.first().unwrap().head.clone().unwrap();
        assert_eq!((head.total, head.digest.len()), (bytes.len() as u64, 32));
    }

    #[test]
    fn an_empty_part_still_tells_the_length_of_the_whole() {
        let sent: Vec<_> = block_on(chunks(9, &Bytes::new()).collect());
        assert_eq!(sent.len(), 1);
        assert_eq!(sent.first().unwrap().as_ref().unwrap().total, 9);
    }

    #[test]
    fn a_refusal_carries_its_code_and_only_a_known_one_is_read() {
        let full = refusal(Code::ResourceExhausted, "node.disk_full", "no room");
        assert_eq!(code_of(&full), Some("node.disk_full"));
        assert_eq!(code_of(&refusal(Code::Internal, "no.such", "")), None);
        assert_eq!(code_of(&Status::internal("")), None);
    }
}
