//! A gateway on its own and leaders that fall silent: who asked is answered in time, and nobody is
//! asked twice without need. The leaders are services that count; a link carries bytes until it is cut.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aureole_api::internal::v1::desk_server::{self, DeskServer};
use aureole_api::internal::v1::{self, verb_reply};
use aureole_api::rest::Health;
use aureole_api::{Problem, codes};
use aureole_gateway::{Caller, Credential, Platform as _};
use aureole_ledger::{Role, TaskId, TenantId};
use futures::Stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, Streaming};

use super::patience::ANSWER_WITHIN;
use super::{Doorman, Relay};
use crate::hot::Hot;
use crate::tls::Transport;

/// What every caller of a prompt verb is promised.
const PROMISED: Duration = Duration::from_secs(8);

/// A leader that counts. Every verb but its health answers that there is no such task.
#[derive(Clone)]
struct Leader {
    asked: Arc<AtomicUsize>,
    /// How many verbs it still works on.
    at_work: watch::Sender<usize>,
    takes: Duration,
}

/// Counts as work until it is dropped.
struct AtWork(watch::Sender<usize>);

/// A way to an address: bytes pass until it is cut, then those of the far side never arrive, on old
/// connections and on new ones.
struct Link {
    address: SocketAddr,
    cut: Arc<AtomicBool>,
}

// === impl Leader ===

impl Leader {
    /// A leader whose verbs take so long, and where it is.
    async fn start(takes: Duration) -> (Self, SocketAddr) {
        let leader = Self {
            asked: Arc::default(),
            at_work: watch::Sender::new(0),
            takes,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = DeskServer::new(leader.clone());
        tokio::spawn(async move {
            let incoming = TcpListenerStream::new(listener);
            let router = tonic::transport::Server::builder().add_service(service);
            router.serve_with_incoming(incoming).await.unwrap();
        });
        (leader, address)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

type Parts = Pin<Box<dyn Stream<Item = Result<v1::BlobPart, Status>> + Send>>;

#[async_trait]
impl desk_server::Desk for Leader {
    async fn call(
        &self,
        request: Request<v1::VerbCall>,
    ) -> Result<Response<v1::VerbReply>, Status> {
        let reply = match request.get_ref().verb.as_str() {
            "checks" => verb_reply::Reply::Answer(b"[]".to_vec()),
            _ => {
                self.asked.fetch_add(1, Ordering::SeqCst);
                self.at_work.send_modify(|count| *count += 1);
                let at_work = AtWork(self.at_work.clone());
                tokio::time::sleep(self.takes).await;
                drop(at_work);
                let problem = Problem::new(codes::task::UNKNOWN, "no such task");
                verb_reply::Reply::Problem(serde_json::to_vec(&problem).unwrap())
            }
        };
        Ok(Response::new(v1::VerbReply { reply: Some(reply) }))
    }

    async fn upload(
        &self,
        _: Request<Streaming<v1::UploadPart>>,
    ) -> Result<Response<v1::VerbReply>, Status> {
        Err(Status::unimplemented("nobody uploads here"))
    }

    type FetchStream = Parts;

    async fn fetch(&self, _: Request<v1::VerbCall>) -> Result<Response<Parts>, Status> {
        Err(Status::unimplemented("nobody downloads here"))
    }
}

// === impl Link ===

impl Link {
    async fn to(far: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cut = Arc::new(AtomicBool::new(false));
        let is_cut = Arc::clone(&cut);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, far, Arc::clone(&is_cut)));
            }
        });
        Self { address, cut }
    }

    fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }
}

async fn carry(near: TcpStream, far: SocketAddr, cut: Arc<AtomicBool>) -> std::io::Result<()> {
    let far = TcpStream::connect(far).await?;
    let (mut from_near, mut to_near) = near.into_split();
    let (mut from_far, mut to_far) = far.into_split();
    let there = async { tokio::io::copy(&mut from_near, &mut to_far).await.map(drop) };
    let back = async {
        let mut bytes = vec![0; 4096];
        loop {
            let count = from_far.read(&mut bytes).await?;
            if count == 0 {
                return Ok(());
            }
            if !cut.load(Ordering::SeqCst) {
                to_near.write_all(&bytes[..count]).await?;
            }
        }
    };
    // Either end that closes closes both.
    tokio::select! {
        ended = there => ended,
        ended = back => ended,
    }
}

fn caller() -> Caller {
    Caller {
        tenant: TenantId::default(),
        role: Role::Submitter,
        credential: Credential::Token("somebody".to_owned()),
    }
}

fn relay(coordinators: &[SocketAddr]) -> Relay {
    let coordinators = coordinators.iter().map(SocketAddr::to_string).collect();
    Relay::apart(
        coordinators,
        Transport::Plain,
        Hot::new(None),
        Doorman::default(),
    )
}

/// Asks for a task; what came of it, and how long it took.
async fn ask(relay: &Relay) -> (Problem, Duration) {
    let began = Instant::now();
    let task = relay
        .task(&caller(), TaskId::from_bytes([7; 16]), Duration::ZERO)
        .await;
    (task.unwrap_err(), began.elapsed())
}

#[tokio::test]
async fn who_asks_is_answered_in_time_when_no_frame_of_the_leader_arrives() {
    let (_, address) = Leader::start(Duration::ZERO).await;
    let link = Link::to(address).await;
    let relay = relay(&[link.address]);
    let (problem, _) = ask(&relay).await;
    assert!(problem.is(codes::task::UNKNOWN), "{problem}");
    link.cut();
    let (problem, took) = ask(&relay).await;
    assert!(problem.is(codes::node::NO_LEADER), "{problem}");
    assert!(took < PROMISED, "{took:?}");
}

#[tokio::test]
async fn another_leader_answers_in_time_when_the_first_falls_silent() {
    let (first, address) = Leader::start(Duration::ZERO).await;
    let (second, other) = Leader::start(Duration::ZERO).await;
    let link = Link::to(address).await;
    let relay = relay(&[link.address, other]);
    ask(&relay).await;
    assert_eq!((first.asked(), second.asked()), (1, 0));
    link.cut();
    let (problem, took) = ask(&relay).await;
    assert!(problem.is(codes::task::UNKNOWN), "{problem}");
    assert!(took < PROMISED, "{took:?}");
    assert_eq!((first.asked(), second.asked()), (2, 1), "work was doubled");
}

#[tokio::test]
async fn a_leader_that_takes_its_time_is_asked_once() {
    let takes = ANSWER_WITHIN - Duration::from_secs(2);
    let (leader, address) = Leader::start(takes).await;
    let (problem, took) = ask(&relay(&[address])).await;
    assert!(problem.is(codes::task::UNKNOWN), "{problem}");
    assert!(took >= takes && took < PROMISED, "{took:?}");
    assert_eq!(leader.asked(), 1);
}

#[tokio::test]
async fn a_leader_that_takes_too_long_drops_what_nobody_waits_for() {
    let (leader, address) = Leader::start(Duration::from_secs(3_600)).await;
    let (problem, took) = ask(&relay(&[address])).await;
    assert!(problem.is(codes::node::NO_LEADER), "{problem}");
    assert!(took < PROMISED, "{took:?}");
    assert_eq!(leader.asked(), 1);
    let mut at_work = leader.at_work.subscribe();
    let idle = at_work.wait_for(|count| *count == 0);
    tokio::time::timeout(PROMISED, idle).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_wait_lasts_as_long_as_it_was_asked_for() {
    let takes = ANSWER_WITHIN + Duration::from_secs(1);
    let (leader, address) = Leader::start(takes).await;
    let relay = relay(&[address]);
    let task = relay
        .task(&caller(), TaskId::from_bytes([7; 16]), takes)
        .await;
    assert!(task.unwrap_err().is(codes::task::UNKNOWN));
    assert_eq!(leader.asked(), 1);
}

/// Asks for health until it is as wanted.
async fn eventually(relay: &Relay, wanted: impl Fn(&Health) -> bool) -> Health {
    let mut beat = tokio::time::interval(Duration::from_millis(50));
    let asked = async {
        loop {
            beat.tick().await;
            let health = relay.health().await;
            if wanted(&health) {
                return health;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asked)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_gateway_is_ready_only_while_it_hears_a_leader() {
    let (_, address) = Leader::start(Duration::ZERO).await;
    let link = Link::to(address).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let alone = relay(&[nobody.local_addr().unwrap()]).health().await;
    assert!(!alone.ready, "{alone:?}");
    let why = alone.checks[0].detail.as_deref();
    assert_eq!(why, Some("no leader has answered yet"));

    let relay = relay(&[link.address]);
    assert!(relay.health().await.ready);
    link.cut();
    let health = eventually(&relay, |health| !health.ready).await;
    let why = health.checks[0].detail.clone().unwrap_or_default();
    assert!(why.starts_with("no leader has answered for"), "{why}");
}
