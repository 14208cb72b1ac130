//! A member on its simulated host: a coordinator, its services, and somebody who writes down what it
//! does.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aureole_api::internal::v1;
use aureole_api::internal::v1::members_client::MembersClient;
use aureole_api::internal::v1::members_server::MembersServer;
use aureole_coordinator::{
    CircuitKey, Clock, Config, Coordinator, InputKeys, KeyError, MembersService, ProposeError,
    Verdict, Verifier, VerifyError,
};
use aureole_ledger::{Digest, Reading, TaskId};
use aureole_store::Depot;
use tonic::body::Body;
use tonic::codegen::http::Request;
use tonic::transport::Server;
use tower::util::MapRequestLayer;
use turmoil::net::{TcpListener, TcpStream};

use crate::deeds::command;
use crate::dial::SimulatedDial;
use crate::history::{Chronicle, Reign, Sample, State};
use crate::limits::{
    CLIENTS_PORT, EPOCH_MS, KEEPALIVE, KEEPALIVE_TIMEOUT, MEMBERS_PORT, TICK, WATCH,
};
use crate::wire::{Reply, Wire, hear, say};

/// Milliseconds since the world began; the driver moves it on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Time(Arc<AtomicU64>);

/// A member's place: it may be running or not.
pub(crate) struct Seat {
    /// As it is started; the seed of its chance is another each time.
    pub(crate) config: Config,
    pub(crate) depot: Depot,
    pub(crate) time: Time,
    /// By how much its clock is wrong, in milliseconds.
    pub(crate) wrong: AtomicI64,
    pub(crate) life: AtomicU64,
    pub(crate) chronicle: Chronicle,
    running: Mutex<Option<Coordinator>>,
}

/// A member's clock: wrong by what its seat says.
#[derive(Debug)]
struct Wall(Arc<Seat>);

/// Verifies nothing and has no keys: nobody proves here.
#[derive(Debug)]
struct Nobody;

/// The name of a member's host.
pub(crate) fn name(member: u64) -> String {
    format!("member-{member}")
}

/// Where the other members reach it.
pub(crate) fn address(member: u64) -> String {
    format!("{}:{MEMBERS_PORT}", name(member))
}

// === impl Time ===

impl Time {
    pub(crate) fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn set(&self, elapsed: Duration) {
        let now = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        self.0.store(now, Ordering::SeqCst);
    }
}

// === impl Seat ===

impl Seat {
    pub(crate) fn new(config: Config, depot: Depot, time: Time, chronicle: Chronicle) -> Self {
        Self {
            config,
            depot,
            time,
            wrong: AtomicI64::new(0),
            life: AtomicU64::new(0),
            chronicle,
            running: Mutex::new(None),
        }
    }

    pub(crate) fn folder(&self) -> &PathBuf {
        &self.config.dir
    }

    /// The coordinator that runs here. Nobody may keep it over a crash.
    pub(crate) fn running(&self) -> MutexGuard<'_, Option<Coordinator>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn config_of_life(&self, life: u64) -> Config {
        let mut config = self.config.clone();
        if let Some(simulation) = &mut config.simulation {
            simulation.seed = simulation.seed.wrapping_add(life);
        }
        config
    }
}

impl std::fmt::Debug for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Seat").field(&self.config.node_id).finish()
    }
}

impl Clock for Wall {
    fn read(&self) -> Reading {
        let passed = self.0.time.now();
        let right = EPOCH_MS.saturating_add(passed);
        Reading {
            stopwatch: Duration::from_millis(passed),
            wall: right.saturating_add_signed(self.0.wrong.load(Ordering::SeqCst)),
        }
    }
}

#[tonic::async_trait]
impl Verifier for Nobody {
    fn build(&self) -> &str {
        "a test"
    }

    async fn key(&self, _circuit: Digest) -> Result<CircuitKey, VerifyError> {
        Err(VerifyError {
            reason: "nobody verifies here".to_owned(),
        })
    }

    async fn verify(
        &self,
        _circuit: Digest,
        _public_inputs: Vec<u8>,
        _proof: Vec<u8>,
    ) -> Result<Verdict, VerifyError> {
        Err(VerifyError {
            reason: "nobody verifies here".to_owned(),
        })
    }
}

#[tonic::async_trait]
impl InputKeys for Nobody {
    async fn key(&self, _task: TaskId, _input: Digest) -> Result<Option<[u8; 32]>, KeyError> {
        Ok(None)
    }
}

/// Lives on its host until that crashes.
pub(crate) async fn live(seat: Arc<Seat>) -> turmoil::Result {
    // A host's clock is right from its first step on.
    tokio::time::sleep(TICK).await;
    let life = seat.life.fetch_add(1, Ordering::SeqCst) + 1;
    let started = Coordinator::start(
        seat.config_of_life(life),
        seat.depot.clone().into(),
        Arc::new(Nobody),
        Arc::new(Nobody),
        Arc::new(Wall(Arc::clone(&seat))),
        Arc::new(SimulatedDial),
    );
    let coordinator = started.await?;
    *seat.running() = Some(coordinator.clone());
    if life > 1 {
        seat.chronicle.write().restarts += 1;
    }
    tokio::task::spawn_local(serve_members(coordinator.clone(), seat.chronicle.clone()));
    tokio::task::spawn_local(serve_clients(coordinator.clone()));
    tokio::task::spawn_local(tell_of_end(coordinator.clone(), Arc::clone(&seat)));
    watch(&seat, life, &coordinator).await
}

async fn serve_members(coordinator: Coordinator, chronicle: Chronicle) -> turmoil::Result {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, MEMBERS_PORT)).await?;
    let incoming = futures::stream::unfold(listener, |listener| async {
        let accepted = listener.accept().await;
        Some((accepted.map(|(stream, _)| Wire(stream)), listener))
    });
    let count = move |request: Request<Body>| {
        if request.uri().path().ends_with("/Install") {
            chronicle.write().installs += 1;
        }
        request
    };
    Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .layer(MapRequestLayer::new(count))
        .add_service(coordinator.raft_service())
        .add_service(coordinator.members_service())
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}

async fn serve_clients(coordinator: Coordinator) -> turmoil::Result {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, CLIENTS_PORT)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::task::spawn_local(serve_client(coordinator.clone(), stream));
    }
}

/// Answers one client until it goes.
async fn serve_client(coordinator: Coordinator, mut stream: TcpStream) {
    while let Ok(deed) = hear(&mut stream).await {
        let proposed = coordinator.propose(command(deed, coordinator.now())).await;
        let reply = match proposed {
            Ok(outcome) => Reply::Done(outcome),
            Err(ProposeError::NotLeader { leader }) => Reply::NotLeader(leader),
            Err(_) => Reply::Unsure,
        };
        if say(&mut stream, &reply).await.is_err() {
            return;
        }
    }
}

async fn tell_of_end(coordinator: Coordinator, seat: Arc<Seat>) {
    let reason = coordinator.stopped().await;
    let told = format!(
        "{} ms: member {} stopped: {reason}",
        seat.time.now(),
        coordinator.id()
    );
    seat.chronicle.write().stopped.push(told);
}

/// Writes down how a member stands, whenever that changes.
async fn watch(seat: &Seat, life: u64, coordinator: &Coordinator) -> turmoil::Result {
    let mut events = coordinator.subscribe();
    let mut leader = coordinator.leader();
    let mut members = MembersClient::new(coordinator.members_service());
    loop {
        look(seat, life, &mut members).await?;
        tokio::select! {
            biased;
            Ok(_) = leader.next() => {}
            Ok(_) = events.recv() => {}
            () = tokio::time::sleep(WATCH) => {}
        }
        // One look is enough for what was applied together.
        while events.try_recv().is_ok() {}
    }
}

async fn look(
    seat: &Seat,
    life: u64,
    members: &mut MembersClient<MembersServer<MembersService>>,
) -> turmoil::Result {
    let request = v1::MembersRequest { forwarded: true };
    let status = members.status(request).await?.into_inner();
    let (at, member) = (seat.time.now(), status.member);
    let digest = status.state_digest.as_deref().and_then(Digest::from_slice);
    let mut history = seat.chronicle.write();
    let state = State {
        life,
        term: status.term,
        leader: status.leader,
        last_log: status.last_log,
        applied: status.applied,
        snapshot: status.snapshot,
        digest,
    };
    let before = history.now.insert(member, state);
    let before = before.filter(|before| before.life == life);
    let follows = |before: &State| (before.term, before.leader) == (status.term, status.leader);
    if let Some(leader) = status
        .leader
        .filter(|_| !before.as_ref().is_some_and(follows))
    {
        let term = status.term;
        let reign = Reign {
            at,
            member,
            life,
            term,
            leader,
        };
        history.reigns.push(reign);
    }
    let moved = before.is_none_or(|before| before.applied != status.applied);
    if let (Some(applied), Some(digest), true) = (status.applied, digest, moved) {
        history.samples.push(Sample {
            at,
            member,
            life,
            applied,
            digest,
        });
    }
    Ok(())
}
