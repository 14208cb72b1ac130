//! The coordinators' side of the wire, as a script: a test hands out leases and sees what comes
//! back.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use aureole_api::internal::v1::workers_server::{Workers, WorkersServer};
use aureole_api::internal::v1::{self, assignment};
use aureole_api::leader::Redirect;
use aureole_worker::ConnectError;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
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
    /// Completions to answer as if the network were bad.
    unavailable: Mutex<u32>,
    /// What is answered to everything, if this one does not lead.
    elsewhere: Mutex<Option<Redirect>>,
    /// Joins to answer as if another process had the worker's name.
    namesakes: Mutex<u32>,
    /// Whether heartbeats stay without an answer.
    silent: AtomicBool,
    /// Threads that leases name.
    threads: AtomicU32,
    /// Who the members are, as heartbeats say.
    members: Mutex<Vec<String>>,
    /// What the server runs on: gone with its connections when it is taken.
    runtime: Mutex<Option<Runtime>>,
}

impl Drop for State {
    fn drop(&mut self) {
        stop(&self.runtime);
    }
}

fn stop(runtime: &Mutex<Option<Runtime>>) {
    if let Some(runtime) = runtime.lock().unwrap().take() {
        runtime.shutdown_background();
    }
}

/// What the worker said, in order.
pub struct Heard(mpsc::UnboundedReceiver<Said>);

impl Coordinators {
    /// Starts a server on a free port.
    pub async fn start() -> (Self, Heard, SocketAddr) {
        Self::start_at("127.0.0.1:0".parse().unwrap()).await
    }

    /// Starts a server at an address.
    pub async fn start_at(address: SocketAddr) -> (Self, Heard, SocketAddr) {
        let (said, heard) = mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let handle = runtime.handle().clone();
        let state = State {
            said,
            stream: Mutex::default(),
            lost: Mutex::default(),
            unavailable: Mutex::default(),
            elsewhere: Mutex::default(),
            namesakes: Mutex::default(),
            silent: AtomicBool::default(),
            threads: AtomicU32::default(),
            members: Mutex::default(),
            runtime: Mutex::new(Some(runtime)),
        };
        let coordinators = Self {
            state: Arc::new(state),
        };
        let server = Server::builder().add_service(WorkersServer::new(Service(Arc::downgrade(
            &coordinators.state,
        ))));
        let serving = handle.spawn(async move {
            let listener = TcpListener::bind(address).await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
            address
        });
        let address = serving.await.unwrap();
        (coordinators, Heard(heard), address)
    }

    /// Hands out an attempt.
    pub async fn lease(&self, attempt: v1::AttemptId, work: v1::lease::Work) {
        let lease = v1::Lease {
            attempt: Some(attempt),
            lease_ms: 300,
            threads: self.state.threads.load(Ordering::SeqCst),
            work: Some(work),
            traceparent: String::new(),
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

    /// Leases from now on with so many threads.
    pub fn use_threads(&self, threads: u32) {
        self.state.threads.store(threads, Ordering::SeqCst);
    }

    /// Refuses everything from now on, and says who leads; ends the worker's stream.
    pub fn abdicate(&self, leader: Option<SocketAddr>, members: &[SocketAddr]) {
        self.refuse(leader, members);
        self.hang_up();
    }

    /// Refuses everything from now on, and says who leads. The stream stays.
    pub fn refuse(&self, leader: Option<SocketAddr>, members: &[SocketAddr]) {
        *self.state.elsewhere.lock().unwrap() = Some(Redirect {
            leader: leader.map(|address| address.to_string()),
            coordinators: members.iter().map(ToString::to_string).collect(),
        });
    }

    /// Names the members in answers to heartbeats.
    pub fn name_members(&self, members: &[SocketAddr]) {
        *self.state.members.lock().unwrap() = members.iter().map(ToString::to_string).collect();
    }

    /// Answers no heartbeat from now on.
    pub fn be_silent(&self) {
        self.state.silent.store(true, Ordering::SeqCst);
    }

    /// Turns some Joins away.
    pub fn know_a_namesake(&self, times: u32) {
        *self.state.namesakes.lock().unwrap() = times;
    }

    /// Ends the server and all its connections, as a kill would.
    pub fn kill(&self) {
        stop(&self.state.runtime);
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

/// Connections for a worker.
pub fn connect(address: &str) -> Result<Channel, ConnectError> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"));
    let endpoint = endpoint.map_err(|error| ConnectError {
        address: address.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(endpoint
        .connect_timeout(Duration::from_secs(1))
        .connect_lazy())
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

    /// Whether nothing was said so far.
    pub fn is_empty(&mut self) -> bool {
        self.0.try_recv().is_err()
    }

    /// Whether a completion is among what was said so far.
    pub fn has_completion(&mut self) -> bool {
        while let Ok(said) = self.0.try_recv() {
            if matches!(said, Said::Complete(_)) {
                return true;
            }
        }
        false
    }

    /// Waits for a heartbeat that announces something warm.
    pub async fn warm(&mut self) -> v1::WarmCircuits {
        self.wait(|said| match said {
            Said::Heartbeat(beat) => beat.warm.filter(|warm| !warm.circuits.is_empty()),
            _ => None,
        })
        .await
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

/// What the server holds: nothing that keeps the test's side alive.
#[derive(Clone)]
struct Service(Weak<State>);

impl Service {
    /// The script, unless it says that another one leads.
    fn lead(&self) -> Result<Coordinators, Status> {
        let gone = || Status::unavailable("the test is over");
        let state = self.0.upgrade().ok_or_else(gone)?;
        let elsewhere = state.elsewhere.lock().unwrap().clone();
        match elsewhere {
            Some(redirect) => Err(redirect.into_status()),
            None => Ok(Coordinators { state }),
        }
    }
}

#[tonic::async_trait]
impl Workers for Service {
    type JoinStream = ReceiverStream<Result<v1::Assignment, Status>>;

    async fn join(
        &self,
        request: Request<v1::JoinRequest>,
    ) -> Result<Response<Self::JoinStream>, Status> {
        let this = self.lead()?;
        {
            let mut namesakes = this.state.namesakes.lock().unwrap();
            if *namesakes > 0 {
                *namesakes -= 1;
                return Err(Status::already_exists(
                    "another process is joined as this worker",
                ));
            }
        }
        let (stream, assignments) = mpsc::channel(8);
        *this.state.stream.lock().unwrap() = Some(stream);
        this.hear(Said::Join(request.into_inner()));
        Ok(Response::new(ReceiverStream::new(assignments)))
    }

    async fn heartbeat(
        &self,
        request: Request<v1::HeartbeatRequest>,
    ) -> Result<Response<v1::HeartbeatReply>, Status> {
        let this = self.lead()?;
        if this.state.silent.load(Ordering::SeqCst) {
            drop(this);
            std::future::pending::<()>().await;
            unreachable!();
        }
        this.hear(Said::Heartbeat(request.into_inner()));
        let lost = this.state.lost.lock().unwrap().clone();
        let coordinators = this.state.members.lock().unwrap().clone();
        Ok(Response::new(v1::HeartbeatReply { lost, coordinators }))
    }

    async fn progress(
        &self,
        request: Request<v1::ProgressRequest>,
    ) -> Result<Response<v1::ProgressReply>, Status> {
        let this = self.lead()?;
        this.hear(Said::Progress(request.into_inner()));
        Ok(Response::new(v1::ProgressReply {}))
    }

    async fn complete(
        &self,
        request: Request<v1::CompleteRequest>,
    ) -> Result<Response<v1::CompleteReply>, Status> {
        let this = self.lead()?;
        {
            let mut unavailable = this.state.unavailable.lock().unwrap();
            if *unavailable > 0 {
                *unavailable -= 1;
                return Err(Status::unavailable("the leader has moved"));
            }
        }
        this.hear(Said::Complete(request.into_inner()));
        Ok(Response::new(v1::CompleteReply { refused: None }))
    }

    async fn fail(
        &self,
        request: Request<v1::FailRequest>,
    ) -> Result<Response<v1::FailReply>, Status> {
        let this = self.lead()?;
        this.hear(Said::Fail(request.into_inner()));
        Ok(Response::new(v1::FailReply {}))
    }

    async fn drain(
        &self,
        _: Request<v1::DrainRequest>,
    ) -> Result<Response<v1::DrainReply>, Status> {
        let this = self.lead()?;
        this.hear(Said::Drain);
        Ok(Response::new(v1::DrainReply {}))
    }
}
