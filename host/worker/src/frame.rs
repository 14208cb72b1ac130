//! Messages on a pipe: a small JSON header and byte strings behind it.
//!
//! ```text
//! u32 header length | u32 number of blobs | u64 length of each | header | blobs
//! ```
//!
//! Integers are little-endian. Every length is checked against a limit before anything is
//! allocated. Byte strings are written from where they stand and read into one buffer each: a
//! witness is never copied on its way.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::limits::{BLOBS_MAX, HEADER_BYTES_MAX, MESSAGE_BYTES_MAX};

/// Byte strings of a message.
pub(crate) type Blobs = Vec<Vec<u8>>;

/// Why a message could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("the pipe was closed")]
    Closed,
    #[error("the pipe failed")]
    Io(#[source] io::Error),
    #[error("the message's {item} is {value}, {limit} are allowed")]
    TooLarge {
        item: &'static str,
        value: u64,
        limit: u64,
    },
    #[error("the message's header is malformed: {detail}")]
    Header { detail: String },
}

/// Writes a message to a blocking pipe.
pub(crate) fn write(
    pipe: &mut impl Write,
    header: &impl Serialize,
    blobs: &[&[u8]],
) -> Result<(), FrameError> {
    pipe.write_all(&prefix(header, blobs)?)?;
    for blob in blobs {
        pipe.write_all(blob)?;
    }
    pipe.flush()?;
    Ok(())
}

/// Reads a message from a blocking pipe.
pub(crate) fn read<T: DeserializeOwned>(pipe: &mut impl Read) -> Result<(T, Blobs), FrameError> {
    let mut counts = [0; 8];
    pipe.read_exact(&mut counts)?;
    let (header_bytes, blob_count) = check_counts(counts)?;
    let mut lengths = vec![0; blob_count * 8];
    pipe.read_exact(&mut lengths)?;
    let lengths = check_lengths(&lengths)?;
    let mut header = vec![0; header_bytes];
    pipe.read_exact(&mut header)?;
    let mut blobs = Vec::with_capacity(lengths.len());
    for length in lengths {
        let mut blob = Vec::with_capacity(length);
        pipe.by_ref().take(length as u64).read_to_end(&mut blob)?;
        blobs.push(whole(blob, length)?);
    }
    Ok((parse(&header)?, blobs))
}

/// Writes a message to an asynchronous pipe. Not cancel safe: a dropped call leaves half a
/// message behind, and the pipe must not be used again.
pub(crate) async fn send(
    pipe: &mut (impl AsyncWrite + Unpin),
    header: &impl Serialize,
    blobs: &[&[u8]],
) -> Result<(), FrameError> {
    let prefix = prefix(header, blobs)?;
    pipe.write_all(&prefix).await?;
    for blob in blobs {
        pipe.write_all(blob).await?;
    }
    pipe.flush().await?;
    Ok(())
}

/// Reads a message from an asynchronous pipe. Not cancel safe, like [`send`].
pub(crate) async fn receive<T: DeserializeOwned>(
    pipe: &mut (impl AsyncRead + Unpin),
) -> Result<(T, Blobs), FrameError> {
    let mut counts = [0; 8];
    pipe.read_exact(&mut counts).await?;
    let (header_bytes, blob_count) = check_counts(counts)?;
    let mut lengths = vec![0; blob_count * 8];
    pipe.read_exact(&mut lengths).await?;
    let lengths = check_lengths(&lengths)?;
    let mut header = vec![0; header_bytes];
    pipe.read_exact(&mut header).await?;
    let mut blobs = Vec::with_capacity(lengths.len());
    for length in lengths {
        let mut blob = Vec::with_capacity(length);
        (&mut *pipe)
            .take(length as u64)
            .read_to_end(&mut blob)
            .await?;
        blobs.push(whole(blob, length)?);
    }
    Ok((parse(&header)?, blobs))
}

/// Everything before the blobs.
fn prefix(header: &impl Serialize, blobs: &[&[u8]]) -> Result<Vec<u8>, FrameError> {
    let header = serde_json::to_vec(header).map_err(|error| FrameError::Header {
        detail: error.to_string(),
    })?;
    let header_bytes = within("header", header.len() as u64, HEADER_BYTES_MAX.into())?;
    let count = within("number of blobs", blobs.len() as u64, BLOBS_MAX.into())?;
    let total = blobs.iter().map(|blob| blob.len() as u64).sum();
    within("length", total, MESSAGE_BYTES_MAX)?;
    let mut prefix = Vec::with_capacity(8 + 8 * blobs.len() + header.len());
    prefix.extend_from_slice(
        &u32::try_from(header_bytes)
            .unwrap_or(u32::MAX)
            .to_le_bytes(),
    );
    prefix.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
    for blob in blobs {
        prefix.extend_from_slice(&(blob.len() as u64).to_le_bytes());
    }
    prefix.extend_from_slice(&header);
    Ok(prefix)
}

fn check_counts(bytes: [u8; 8]) -> Result<(usize, usize), FrameError> {
    let both = u64::from_le_bytes(bytes);
    let header = within("header", both & 0xffff_ffff, HEADER_BYTES_MAX.into())?;
    let blobs = within("number of blobs", both >> 32, BLOBS_MAX.into())?;
    Ok((index(header)?, index(blobs)?))
}

fn check_lengths(bytes: &[u8]) -> Result<Vec<usize>, FrameError> {
    let mut total = 0_u64;
    let mut lengths = Vec::with_capacity(bytes.len() / 8);
    for length in bytes.as_chunks::<8>().0 {
        let length = u64::from_le_bytes(*length);
        total = within("length", total.saturating_add(length), MESSAGE_BYTES_MAX)?;
        lengths.push(index(length)?);
    }
    Ok(lengths)
}

fn within(item: &'static str, value: u64, limit: u64) -> Result<u64, FrameError> {
    if value > limit {
        Err(FrameError::TooLarge { item, value, limit })
    } else {
        Ok(value)
    }
}

fn index(value: u64) -> Result<usize, FrameError> {
    usize::try_from(value).map_err(|_| FrameError::TooLarge {
        item: "length",
        value,
        limit: usize::MAX as u64,
    })
}

fn whole(blob: Vec<u8>, length: usize) -> Result<Vec<u8>, FrameError> {
    if blob.len() == length {
        Ok(blob)
    } else {
        Err(FrameError::Closed)
    }
}

fn parse<T: DeserializeOwned>(header: &[u8]) -> Result<T, FrameError> {
    serde_json::from_slice(header).map_err(|error| FrameError::Header {
        detail: error.to_string(),
    })
}

// === impl FrameError ===

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn message(blobs: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes, &"header", blobs).unwrap();
        bytes
    }

    #[test]
    fn what_is_written_is_read_back() {
        let bytes = message(&[b"one", b"", b"three"]);
        let (header, blobs): (String, _) = read(&mut bytes.as_slice()).unwrap();
        assert_eq!(header, "header");
        assert_eq!(blobs, [b"one".to_vec(), Vec::new(), b"three".to_vec()]);
    }

    #[tokio::test]
    async fn both_sides_speak_the_same_form() {
        let mut bytes = Vec::new();
        send(&mut bytes, &"header", &[b"one"]).await.unwrap();
        assert_eq!(bytes, message(&[b"one"]));
        let (header, blobs): (String, _) = receive(&mut bytes.as_slice()).await.unwrap();
        assert_eq!((header.as_str(), blobs), ("header", vec![b"one".to_vec()]));
    }

    #[test]
    fn a_message_cut_anywhere_is_a_closed_pipe() {
        let bytes = message(&[b"one", b"two"]);
        for end in 0..bytes.len() {
            let result = read::<String>(&mut &bytes[..end]);
            assert!(matches!(result, Err(FrameError::Closed)), "cut at {end}");
        }
    }

    #[test]
    fn lengths_over_the_limit_are_refused_before_anything_is_allocated() {
        let mut huge_header = message(&[]);
        huge_header[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut many_blobs = message(&[]);
        many_blobs[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut huge_blob = message(&[b""]);
        huge_blob[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
        let mut huge_sum = message(&[b"", b""]);
        huge_sum[8..16].copy_from_slice(&MESSAGE_BYTES_MAX.to_le_bytes());
        huge_sum[16..24].copy_from_slice(&1_u64.to_le_bytes());
        for bytes in [huge_header, many_blobs, huge_blob, huge_sum] {
            let result = read::<String>(&mut bytes.as_slice());
            assert!(matches!(result, Err(FrameError::TooLarge { .. })));
        }
    }

    #[test]
    fn a_header_that_is_not_of_the_type_is_malformed() {
        let bytes = message(&[]);
        let result = read::<u32>(&mut bytes.as_slice());
        assert!(matches!(result, Err(FrameError::Header { .. })));
    }
}
