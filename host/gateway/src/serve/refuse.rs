//! A connection over the limit: told so, and closed.

use std::{sync::Arc, time::Duration};

use aureole_api::{MEDIA_TYPE, Problem, codes};
use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Semaphore,
    time::timeout,
};

/// Refusals being said at a time; past it a connection is closed without a word.
const REFUSALS_MAX: usize = 64;

/// How long a refused peer is listened to. Closing on unread bytes would reset the connection,
/// and the peer could lose the answer.
const LINGER: Duration = Duration::from_secs(1);

/// Says 503 to connections that get no slot.
#[derive(Debug)]
pub(super) struct Refuser {
    permits: Arc<Semaphore>,
    answer: Bytes,
}

// === impl Refuser ===

impl Refuser {
    pub(super) fn new() -> Self {
        let problem = Problem::new(codes::node::BUSY, "all connections of this node are taken");
        let body = serde_json::to_string(&problem).unwrap_or_default();
        let answer = format!(
            "HTTP/1.1 503 Service Unavailable\r\ncontent-type: {MEDIA_TYPE}\r\nretry-after: 1\r\n\
             connection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        Self {
            permits: Arc::new(Semaphore::new(REFUSALS_MAX)),
            answer: answer.into(),
        }
    }

    pub(super) fn run(&self, stream: TcpStream) -> impl Future<Output = ()> + Send + 'static {
        let permit = Arc::clone(&self.permits).try_acquire_owned();
        let answer = self.answer.clone();
        async move {
            // Without a permit the stream is dropped here, which closes it.
            let Ok(_permit) = permit else { return };
            let _peer_may_be_gone = timeout(LINGER, say(stream, &answer)).await;
        }
    }
}

async fn say(mut stream: TcpStream, answer: &[u8]) -> std::io::Result<()> {
    stream.write_all(answer).await?;
    stream.shutdown().await?;
    let mut sink = [0; 1024];
    while stream.read(&mut sink).await? > 0 {}
    Ok(())
}
