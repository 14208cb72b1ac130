//! What goes over a simulated connection: bytes for tonic, and messages between clients and members.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use aureole_ledger::Outcome;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tonic::transport::server::Connected;
use turmoil::net::TcpStream;

use crate::limits::MESSAGE_BYTES_MAX;

/// What a member answers a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// It is committed, on disk and applied.
    Done(Outcome),
    /// It was not proposed; whoever leads may be asked.
    NotLeader(Option<u64>),
    /// It may or may not be done.
    Unsure,
}

/// A simulated connection as tonic wants one.
#[derive(Debug)]
pub(crate) struct Wire(pub(crate) TcpStream);

// === impl Wire ===

impl Connected for Wire {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

fn malformed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Sends one message.
pub(crate) async fn say<T: Serialize>(stream: &mut TcpStream, message: &T) -> io::Result<()> {
    let body = postcard::to_stdvec(message).map_err(malformed)?;
    let length = u32::try_from(body.len()).map_err(malformed)?;
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend_from_slice(&body);
    stream.write_all(&bytes).await
}

/// Receives one message.
pub(crate) async fn hear<T: DeserializeOwned>(stream: &mut TcpStream) -> io::Result<T> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(malformed)?;
    if length > MESSAGE_BYTES_MAX {
        return Err(malformed(format!("a message of {length} bytes")));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    postcard::from_bytes(&body).map_err(malformed)
}
