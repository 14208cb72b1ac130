//! A connection over the limit: told so, and closed.

use std::{sync::Arc, time::Duration};

use aureole_api::{MEDIA_TYPE, Problem, codes};
use bytes::Bytes;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, sync::Semaphore, time::timeout};

use super::linger::linger;

/// Refusals being said at a time; past it a connection is closed without a word.
const REFUSALS_MAX: usize = 64;

/// How long the few bytes may take to leave.
const SAY: Duration = Duration::from_secs(1);

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
            let mut stream = stream;
            if let Ok(Ok(())) = timeout(SAY, stream.write_all(&answer)).await {
                linger(stream).await;
            }
        }
    }
}
