//! An uploaded component on its way to the depot: a stream of bytes with its limits built in.

use std::{
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use aureole_api::{Problem, rest::ComponentSignature};
use bytes::Bytes;
use futures::Stream;
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

/// The bytes of a component, at most as many as the gateway's limit, each pause and the whole
/// bounded in time. A failed read is an [`io::Error`]; the gateway keeps its cause and answers it.
pub struct Component {
    chunks: Pin<Box<dyn Stream<Item = Result<Bytes, Problem>> + Send>>,
    declared: Option<u64>,
    signature: Option<ComponentSignature>,
    fault: Fault,
}

/// Where a failed read leaves its cause.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fault(Arc<Mutex<Option<Problem>>>);

// === impl Component ===

impl Component {
    /// Wraps a stream whose limits are already enforced.
    pub(crate) fn new(
        chunks: impl Stream<Item = Result<Bytes, Problem>> + Send + 'static,
        declared: Option<u64>,
    ) -> (Self, Fault) {
        let fault = Fault::default();
        let component = Self {
            chunks: Box::pin(chunks),
            declared,
            signature: None,
            fault: fault.clone(),
        };
        (component, fault)
    }

    /// A component in memory, for callers that are no gateway.
    pub fn from_bytes(bytes: Bytes) -> Self {
        let declared = u64::try_from(bytes.len()).ok();
        Self::new(futures::stream::iter([Ok(bytes)]), declared).0
    }

    /// The same component with what its publisher signed, which is not verified yet.
    #[must_use]
    pub fn signed(mut self, signature: Option<ComponentSignature>) -> Self {
        self.signature = signature;
        self
    }

    /// The publisher's signature, if one was sent; whoever takes the component verifies it.
    pub fn signature(&self) -> Option<&ComponentSignature> {
        self.signature.as_ref()
    }

    /// What Content-Length said, which is at most the limit.
    pub fn declared_bytes(&self) -> Option<u64> {
        self.declared
    }

    /// The same bytes for those who read.
    pub fn into_reader(self) -> impl AsyncRead + Send + Unpin + 'static {
        StreamReader::new(self)
    }
}

impl Stream for Component {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.chunks.as_mut().poll_next(cx).map(|chunk| {
            chunk.map(|chunk| {
                chunk.map_err(|problem| {
                    let error = io::Error::other(problem.clone());
                    self.fault.keep(problem);
                    error
                })
            })
        })
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component")
            .field("declared", &self.declared)
            .finish_non_exhaustive()
    }
}

// === impl Fault ===

impl Fault {
    fn keep(&self, problem: Problem) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem);
    }

    /// The cause of a failed read, if there was one.
    pub(crate) fn take(&self) -> Option<Problem> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
