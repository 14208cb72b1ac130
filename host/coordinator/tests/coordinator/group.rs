//! Groups of members in one process over real loopback TCP, whose connections can be cut.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use aureole_coordinator::{
    Config, Coordinator, Dial, DialError, Founding, ProposeError, StartError, SystemClock,
};
use aureole_ledger::{Command, Digest, Outcome, Priority, TaskId, TenantId};
use aureole_store::Depot;
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codegen::http::Request;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tower::util::MapRequestLayer;

use crate::kit::{Keys, Script, circuit_id, make_ready};

/// How long a test waits for what must come about.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Who cannot send to whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wires(pub(crate) Arc<Mutex<BTreeSet<(String, String)>>>);

/// Dials for one member.
#[derive(Debug)]
struct Dialer {
    from: String,
    wires: Wires,
}

/// A connection that swallows what is sent while it is cut, and is of no use afterwards.
struct Wire {
    stream: TcpStream,
    ends: (String, String),
    wires: Wires,
    swallowed: bool,
}

/// A member's place: it may be running or not.
pub(crate) struct Seat {
    pub(crate) address: SocketAddr,
    running: Option<(Coordinator, CancellationToken)>,
}

/// A group and what it stands on.
pub(crate) struct Group {
    pub(crate) seats: BTreeMap<u64, Seat>,
    pub(crate) wires: Wires,
    pub(crate) dir: TempDir,
    /// Snapshots that went over the wires.
    pub(crate) snapshots: Arc<AtomicU64>,
    snapshot_every: u64,
    founders: BTreeMap<u64, String>,
    /// Open as long as the group: a depot is open once, and a stopped member may still let go of it.
    pub(crate) depots: BTreeMap<u64, Depot>,
}

// === impl Wires ===

impl Wires {
    fn is_cut(&self, ends: &(String, String)) -> bool {
        self.0.lock().unwrap().contains(ends)
    }
}

impl Dial for Dialer {
    fn channel(&self, address: &str) -> Result<Channel, DialError> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"));
        let endpoint = endpoint.map_err(|error| DialError {
            address: address.to_owned(),
            reason: error.to_string(),
        })?;
        let ends = (self.from.clone(), address.to_owned());
        let wires = self.wires.clone();
        let connector = tower::service_fn(move |_: tonic::transport::Uri| {
            let (ends, wires) = (ends.clone(), wires.clone());
            async move {
                if wires.is_cut(&ends) {
                    // As long as the endpoint waits.
                    std::future::pending::<()>().await;
                }
                let stream = TcpStream::connect(&ends.1).await?;
                stream.set_nodelay(true)?;
                let wire = Wire {
                    stream,
                    ends,
                    wires,
                    swallowed: false,
                };
                Ok::<_, io::Error>(TokioIo::new(wire))
            }
        });
        let endpoint = endpoint.connect_timeout(Duration::from_millis(300));
        Ok(endpoint.connect_with_connector_lazy(connector))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.wires.is_cut(&self.ends) {
            self.swallowed = true;
            return Poll::Ready(Ok(bytes.len()));
        }
        if self.swallowed {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

// === impl Group ===

impl Group {
    /// Founds a group of so many members, with a ready plugin.
    pub(crate) async fn of(members: u64) -> Self {
        Self::with(members, 2000).await
    }

    pub(crate) async fn with(members: u64, snapshot_every: u64) -> Self {
        let mut group = Self::seated(members, snapshot_every).await;
        for id in 1..=members {
            group.start(id).await;
        }
        let leader = group.leader().await;
        make_ready(&leader).await;
        group
    }

    /// Seats of a group that nobody sits on yet.
    pub(crate) async fn seated(members: u64, snapshot_every: u64) -> Self {
        let mut group = Self {
            seats: BTreeMap::new(),
            wires: Wires::default(),
            dir: tempfile::tempdir().unwrap(),
            snapshots: Arc::default(),
            snapshot_every,
            founders: BTreeMap::new(),
            depots: BTreeMap::new(),
        };
        for id in 1..=members {
            let address = group.seat(id).await;
            group.founders.insert(id, address);
        }
        group
    }

    /// Makes a seat with an address of its own.
    pub(crate) async fn seat(&mut self, id: u64) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seat = Seat {
            address,
            running: None,
        };
        self.seats.insert(id, seat);
        address.to_string()
    }

    pub(crate) fn config(&self, id: u64) -> Config {
        let mut config = Config::new(id, self.dir.path().join(format!("member-{id}")));
        config.cluster = "tests".to_owned();
        config.address = self.seats[&id].address.to_string();
        config.snapshot_every = self.snapshot_every;
        config.founding = if self.founders.contains_key(&id) {
            Founding::Founders(self.founders.clone())
        } else {
            Founding::Join
        };
        config
    }

    /// Starts a member at its seat.
    pub(crate) async fn start(&mut self, id: u64) -> Coordinator {
        let config = self.config(id);
        self.start_with(id, config).await.unwrap()
    }

    pub(crate) async fn start_with(
        &mut self,
        id: u64,
        config: Config,
    ) -> Result<Coordinator, StartError> {
        let address = self.seats[&id].address;
        let path = self.dir.path().join(format!("depot-{id}"));
        let depot = self.depots.entry(id);
        let depot = depot.or_insert_with(|| Depot::open(&path).unwrap()).clone();
        let count = Arc::clone(&self.snapshots);
        let asked = move |path: &str| {
            if path.ends_with("/Install") {
                count.fetch_add(1, Ordering::SeqCst);
            }
        };
        let (coordinator, stop) = serve(config, depot, address, self.wires.clone(), asked).await?;
        self.seats.get_mut(&id).unwrap().running = Some((coordinator.clone(), stop));
        Ok(coordinator)
    }

    /// Stops a member: its streams end, its folder is free.
    pub(crate) async fn stop(&mut self, id: u64) {
        let (coordinator, stop) = self.seats.get_mut(&id).unwrap().running.take().unwrap();
        stop.cancel();
        coordinator.shutdown().await;
    }

    /// Loses a stopped member's disk.
    pub(crate) fn wipe(&self, id: u64) {
        std::fs::remove_dir_all(self.dir.path().join(format!("member-{id}"))).unwrap();
    }

    pub(crate) fn member(&self, id: u64) -> Coordinator {
        self.seats[&id].running.as_ref().unwrap().0.clone()
    }

    pub(crate) fn running(&self) -> Vec<(u64, Coordinator)> {
        let running = self.seats.iter();
        running
            .filter_map(|(id, seat)| Some((*id, seat.running.as_ref()?.0.clone())))
            .collect()
    }

    /// Cuts a member off from all others, both ways.
    pub(crate) fn isolate(&self, id: u64) {
        let me = self.seats[&id].address.to_string();
        let mut cut = self.wires.0.lock().unwrap();
        for other in self.seats.values().map(|seat| seat.address.to_string()) {
            if other != me {
                cut.insert((me.clone(), other.clone()));
                cut.insert((other, me.clone()));
            }
        }
    }

    pub(crate) fn heal(&self) {
        self.wires.0.lock().unwrap().clear();
    }

    /// Waits for a leader that a majority confirms, and returns it.
    pub(crate) async fn leader(&self) -> Coordinator {
        let found = until("a leader", || async {
            for (_, member) in self.running() {
                if member.is_leading() && member.linearizable().await.is_ok() {
                    return Some(member);
                }
            }
            None
        });
        found.await
    }

    /// Proposes a submission to whoever leads until it is acknowledged.
    pub(crate) async fn submit(&self, task: TaskId) {
        until("an acknowledgement", || async {
            for (_, member) in self.running() {
                if let Ok(Outcome::TaskSubmitted { .. }) = try_submit(&member, task).await {
                    return Some(());
                }
            }
            None
        })
        .await;
    }

    /// Waits until every running member has the same facts, and returns how many tasks are queued.
    pub(crate) async fn agree(&self) -> u64 {
        let leader = self.leader().await;
        let members = self.running();
        until("equal facts", || async {
            leader.linearizable().await.ok()?;
            let wanted = leader.state_digest().unwrap();
            members
                .iter()
                .all(|(_, member)| member.state_digest().unwrap() == wanted)
                .then_some(())
        })
        .await;
        leader.read(|state| state.queued_count())
    }

    pub(crate) async fn shutdown(mut self) {
        for (id, _) in self.running() {
            self.stop(id).await;
        }
    }
}

/// Starts a member and serves it at its address; `asked` hears of each request.
pub(crate) async fn serve(
    config: Config,
    depot: Depot,
    address: SocketAddr,
    wires: Wires,
    asked: impl Fn(&str) + Clone + Send + Sync + 'static,
) -> Result<(Coordinator, CancellationToken), StartError> {
    let dial = Arc::new(Dialer {
        from: address.to_string(),
        wires,
    });
    let coordinator = Coordinator::start(
        config,
        depot.into(),
        Arc::new(Script),
        Arc::new(Keys),
        Arc::new(SystemClock::default()),
        dial,
    )
    .await?;
    let stop = CancellationToken::new();
    let router = Server::builder()
        .layer(MapRequestLayer::new(move |request: Request<Body>| {
            asked(request.uri().path());
            request
        }))
        .add_service(coordinator.raft_service())
        .add_service(coordinator.members_service());
    // On the address before this returns: whoever is started can be added.
    let incoming = until("the address of a member that just stopped", || async {
        let _on_raft = coordinator.raft_runtime().enter();
        TcpIncoming::bind(address).ok()
    });
    let served = router.serve_with_incoming_shutdown(
        incoming.await.with_nodelay(Some(true)),
        stop.clone().cancelled_owned(),
    );
    let _served = coordinator.raft_runtime().spawn(served);
    Ok((coordinator, stop))
}

pub(crate) async fn try_submit(
    coordinator: &Coordinator,
    task: TaskId,
) -> Result<Outcome, ProposeError> {
    let command = Command::SubmitTask {
        task,
        circuit: circuit_id(),
        input: Digest::of(b"sealed"),
        priority: Priority::DEFAULT,
        idempotency: None,
        now: 1_000_000,
        tenant: TenantId::default(),
        deadline: None,
        input_bytes: 0,
    };
    coordinator.propose(command).await
}

/// A task id from a number.
pub(crate) fn numbered(number: u64) -> TaskId {
    let digest = Digest::of(&number.to_be_bytes());
    TaskId::from_slice(&digest.as_bytes()[..16]).unwrap()
}

/// Waits until something comes about.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "out of patience: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
