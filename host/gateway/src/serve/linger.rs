//! Closing so that the peer can read its answer.
//!
//! A peer that is refused early may still be sending. Closing with its bytes unread resets the
//! connection, and a reset throws away the answer that the peer has not read yet: it would see a
//! broken pipe instead of the reason. So the last bytes are read and dropped for a moment.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    time::timeout,
};

/// How long a peer that was answered is listened to.
const LINGER: Duration = Duration::from_secs(1);

/// Ends our half, then reads until the peer ends its own, or [`LINGER`] has passed.
pub(super) async fn linger(mut stream: TcpStream) {
    let read_out = async {
        stream.shutdown().await?;
        let mut sink = [0; 4096];
        while stream.read(&mut sink).await? > 0 {}
        io::Result::Ok(())
    };
    let _peer_may_be_gone = timeout(LINGER, read_out).await;
}

/// A stream that can be taken back when whoever used it has dropped it.
#[derive(Debug)]
pub(super) struct Lent(Arc<Mutex<TcpStream>>);

/// The way to take a [`Lent`] stream back.
#[derive(Debug)]
pub(super) struct Claim(Arc<Mutex<TcpStream>>);

// === impl Lent ===

impl Lent {
    pub(super) fn new(stream: TcpStream) -> (Self, Claim) {
        let shared = Arc::new(Mutex::new(stream));
        (Self(Arc::clone(&shared)), Claim(shared))
    }

    /// Never waits: the other half locks only after this one is gone.
    fn lock(&self) -> MutexGuard<'_, TcpStream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Lent {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_read(cx, buf)
    }
}

impl AsyncWrite for Lent {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.lock().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_shutdown(cx)
    }
}

// === impl Claim ===

impl Claim {
    /// The stream, unless it is still lent.
    pub(super) fn take_back(self) -> Option<TcpStream> {
        let stream = Arc::into_inner(self.0)?;
        Some(stream.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}
