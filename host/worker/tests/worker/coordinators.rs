//! The coordinators' side of the wire, as a script: a test hands out leases and sees what comes
//! back.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aureole_api::internal::v1::workers_server::{Workers, WorkersServer};
use aureole_api::internal::v1::{self, assignment};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};

/// What a worker said.
#[derive(Clone, Debug)]
pub enum Said {
    Join(v1::JoinRequest),
    Heartbeat(v1::HeartbeatRequest),
    Progress(v1::ProgressRequest),
    Complete(v1::CompleteRequest),
    Fail(v1::FailRequest),
    Drain,
}

type Stream = mpsc::Sender<Result<v1::Assignment, Status>>;

/// The server.
#[derive(Clone)]
pub struct Coordinators {
    state: Arc<State>,
}

struct State {
    said: mpsc::UnboundedSender<Said>,
    stream: Mutex<Option<Stream>>,
    lost: Mutex<Vec<v1::AttemptId>>,
    /// Completions to answer as if the leader had moved away.
    unavailable: Mutex<u32>,
}

/// What the worker said, in order.
pub struct Heard(mpsc::UnboundedReceiver<Said>);

impl Coordinators {
    /// Starts a server on a free port.
    pub async fn start() -> (Self, Heard, SocketAddr) {
        let (said, heard) = mpsc::unbounded_channel();
        let state = State {
            said,
            stream: Mutex::default(),
            lost: Mutex::default(),
            unavailable: Mutex::default(),
        };
        let coordinators = Self {
            state: Arc::new(state),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::builder().add_service(WorkersServer::new(coordinators.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        (coordinators, Heard(heard), address)
    }

    /// Hands out an attempt.
    pub async fn lease(&self, attempt: v1::AttemptId, work: v1::lease::Work) {
        let lease = v1::Lease {
            attempt: Some(attempt),
            lease_ms: 300,
            work: Some(work),
        };
        self.assign(assignment::Assignment::Lease(lease)).await;
    }

    pub async fn cancel(&self, attempt: v1::AttemptId) {
        self.assign(assignment::Assignment::Cancel(attempt)).await;
    }

    /// Answers heartbeats from now on with a lost attempt.
    pub fn lose(&self, attempt: v1::AttemptId) {
        self.state.lost.lock().unwrap().push(attempt);
    }

    /// Ends the worker's stream.
    pub fn hang_up(&self) {
        self.state.stream.lock().unwrap().take();
    }

    /// Refuses some completions with a status that passes.
    pub fn be_unavailable(&self, times: u32) {
        *self.state.unavailable.lock().unwrap() = times;
    }

    async fn assign(&self, assignment: assignment::Assignment) {
        let stream = self
            .state
            .stream
            .lock()
            .unwrap()
            .clone()
            .expect("a worker has joined");
        stream
            .send(Ok(v1::Assignment {
                assignment: Some(assignment),
            }))
            .await
            .unwrap();
    }

    fn hear(&self, said: Said) {
        // A test that has seen enough no longer listens.
        let _ = self.state.said.send(said);
    }
}

/// A connection for a worker.
pub fn connect(address: SocketAddr) -> impl Fn() -> Channel + Send + Sync + 'static {
    move || {
        Endpoint::from_shared(format!("http://{address}"))
            .unwrap()
            .connect_lazy()
    }
}

impl Heard {
    /// Waits for something the worker says, and drops what comes before.
    pub async fn wait<T>(&mut self, mut pick: impl FnMut(Said) -> Option<T>) -> T {
        let wait = async {
            loop {
                if let Some(picked) = pick(self.0.recv().await.expect("the server runs")) {
                    return picked;
                }
            }
        };
        timeout(Duration::from_secs(60), wait)
            .await
            .expect("the worker says it in time")
    }

    pub async fn join(&mut self) -> v1::JoinRequest {
        self.wait(|said| {
            if let Said::Join(join) = said {
                Some(join)
            } else {
                None
            }
        })
        .await
    }

    pub async fn completion(&mut self) -> v1::CompleteRequest {
        self.wait(|said| match said {
            Said::Complete(request) => Some(request),
            Said::Fail(request) => panic!("{request:?}"),
            _ => None,
        })
        .await
    }

    pub async fn failure(&mut self) -> v1::FailRequest {
        self.wait(|said| match said {
            Said::Fail(request) => Some(request),
            Said::Complete(request) => panic!("{request:?}"),
            _ => None,
        })
        .await
    }

    pub async fn stage(&mut self, stage: v1::Stage) {
        self.wait(|said| match said {
            Said::Progress(progress) if progress.stage() == stage => Some(()),
            _ => None,
        })
        .await;
    }
}

#[tonic::async_trait]
impl Workers for Coordinators {
    type JoinStream = ReceiverStream<Result<v1::Assignment, Status>>;

    async fn join(
        &self,
        request: Request<v1::JoinRequest>,
    ) -> Result<Response<Self::JoinStream>, Status> {
        let (stream, assignments) = mpsc::channel(8);
        *self.state.stream.lock().unwrap() = Some(stream);
        self.hear(Said::Join(request.into_inner()));
        Ok(Response::new(ReceiverStream::new(assignments)))
    }

    async fn heartbeat(
        &self,
        request: Request<v1::HeartbeatRequest>,
    ) -> Result<Response<v1::HeartbeatReply>, Status> {
        self.hear(Said::Heartbeat(request.into_inner()));
        let lost = self.state.lost.lock().unwrap().clone();
        Ok(Response::new(v1::HeartbeatReply { lost }))
    }

    async fn progress(
        &self,
        request: Request<v1::ProgressRequest>,
    ) -> Result<Response<v1::ProgressReply>, Status> {
        self.hear(Said::Progress(request.into_inner()));
        Ok(Response::new(v1::ProgressReply {}))
    }

    async fn complete(
        &self,
        request: Request<v1::CompleteRequest>,
    ) -> Result<Response<v1::CompleteReply>, Status> {
        {
            let mut unavailable = self.state.unavailable.lock().unwrap();
            if *unavailable > 0 {
                *unavailable -= 1;
                return Err(Status::unavailable("the leader has moved"));
            }
        }
        self.hear(Said::Complete(request.into_inner()));
        Ok(Response::new(v1::CompleteReply { refused: None }))
    }

    async fn fail(
        &self,
        request: Request<v1::FailRequest>,
    ) -> Result<Response<v1::FailReply>, Status> {
        self.hear(Said::Fail(request.into_inner()));
        Ok(Response::new(v1::FailReply {}))
    }

    async fn drain(
        &self,
        _: Request<v1::DrainRequest>,
    ) -> Result<Response<v1::DrainReply>, Status> {
        self.hear(Said::Drain);
        Ok(Response::new(v1::DrainReply {}))
    }
}
