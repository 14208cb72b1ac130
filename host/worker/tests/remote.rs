//! Blobs of coordinators behind the worker's cache: real depots, real loopback TCP.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use aureole_api::internal::v1;
use aureole_api::internal::v1::blobs_server::{self, BlobsServer};
use aureole_api::transfer;
use aureole_store::{Blobs, Depot, DepotError, Digest};
use aureole_worker::{Connect, ConnectError, RemoteBlobs, RemoteConfig};
use bytes::Bytes;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status, Streaming};

/// How a coordinator behaves.
#[derive(Debug, Default)]
struct Mood {
    /// Parts sent so far.
    parts: AtomicUsize,
    calls: AtomicUsize,
    /// Breaks a stream off after its first message.
    breaks: AtomicBool,
    full: AtomicBool,
    silent: AtomicBool,
}

/// A coordinator's blobs service over a real depot.
#[derive(Clone, Debug)]
struct Office {
    depot: Depot,
    mood: Arc<Mood>,
}

type Parts = Pin<Box<dyn Stream<Item = Result<v1::BlobChunk, Status>> + Send>>;

#[tonic::async_trait]
impl blobs_server::Blobs for Office {
    type GetStream = Parts;

    async fn get(&self, request: Request<v1::GetBlobRequest>) -> Result<Response<Parts>, Status> {
        self.called().await?;
        let request = request.into_inner();
        let digest = Digest::from_slice(&request.digest).unwrap();
        let range = self
            .depot
            .range(&digest, request.offset, request.length)
            .await;
        let (total, bytes) = range.map_err(|_| Status::not_found("not here"))?;
        self.mood.parts.fetch_add(1, Ordering::SeqCst);
        let chunks = transfer::chunks(total, &bytes);
        if self.mood.breaks.load(Ordering::SeqCst) {
            let end = tokio_stream::once(Err(Status::unavailable("broke off")));
            return Ok(Response::new(Box::pin(chunks.take(1).chain(end))));
        }
        Ok(Response::new(Box::pin(chunks)))
    }

    async fn put(
        &self,
        request: Request<Streaming<v1::PutBlobRequest>>,
    ) -> Result<Response<v1::PutBlobReply>, Status> {
        self.called().await?;
        let mut stream = request.into_inner();
        let head = transfer::read_head(&mut stream, 64 << 20).await?;
        let upload = transfer::read_body(&mut stream, head).await?;
        if self.mood.full.load(Ordering::SeqCst) {
            let full = transfer::refusal(Code::ResourceExhausted, "node.disk_full", "no room");
            return Err(full);
        }
        self.depot.put(upload.bytes).await.unwrap();
        Ok(Response::new(v1::PutBlobReply {}))
    }

    async fn has(
        &self,
        request: Request<v1::HasBlobsRequest>,
    ) -> Result<Response<v1::HasBlobsReply>, Status> {
        self.called().await?;
        let mut has = Vec::new();
        for digest in request.into_inner().digests {
            let digest = Digest::from_slice(&digest).unwrap();
            has.push(self.depot.contains(&digest).await.unwrap());
        }
        Ok(Response::new(v1::HasBlobsReply { has }))
    }
}

impl Office {
    async fn called(&self) -> Result<(), Status> {
        self.mood.calls.fetch_add(1, Ordering::SeqCst);
        if self.mood.silent.load(Ordering::SeqCst) {
            return Err(Status::unavailable("out to lunch"));
        }
        Ok(())
    }
}

/// A coordinator that runs.
struct Running {
    office: Office,
    address: SocketAddr,
    stop: CancellationToken,
    served: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn start(dir: &Path, name: &str) -> Self {
        Self::at(dir, name, "127.0.0.1:0").await
    }

    async fn at(dir: &Path, name: &str, address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let office = Office {
            depot: Depot::open(&dir.join(name)).unwrap(),
            mood: Arc::default(),
        };
        let stop = CancellationToken::new();
        let server = Server::builder()
            .add_service(BlobsServer::new(office.clone()))
            .serve_with_incoming_shutdown(
                TcpListenerStream::new(listener),
                stop.clone().cancelled_owned(),
            );
        let served = tokio::spawn(async move { server.await.unwrap() });
        Self {
            office,
            address,
            stop,
            served,
        }
    }

    async fn stop(self) -> SocketAddr {
        self.stop.cancel();
        self.served.await.unwrap();
        self.address
    }

    fn mood(&self) -> &Mood {
        &self.office.mood
    }

    fn parts(&self) -> usize {
        self.mood().parts.load(Ordering::SeqCst)
    }
}

fn connect() -> Arc<dyn Connect> {
    Arc::new(|address: &str| -> Result<Channel, ConnectError> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"));
        let endpoint = endpoint.map_err(|error| ConnectError {
            address: address.to_owned(),
            reason: error.to_string(),
        })?;
        let endpoint = endpoint.connect_timeout(Duration::from_millis(300));
        Ok(endpoint.connect_lazy())
    })
}

async fn remote(dir: &TempDir, cache_bytes: u64, coordinators: &[&Running]) -> RemoteBlobs {
    let addresses = coordinators.iter().map(|one| one.address.to_string());
    let config = RemoteConfig {
        cache_bytes,
        patience: Duration::from_secs(10),
        ..RemoteConfig::new(dir.path().join("cache"), addresses.collect())
    };
    RemoteBlobs::open(config, connect()).await.unwrap()
}

fn cached_files(dir: &TempDir) -> u64 {
    let mut bytes = 0;
    for folder in std::fs::read_dir(dir.path().join("cache/blobs")).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            bytes += file.unwrap().metadata().unwrap().len();
        }
    }
    bytes
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
    assert!(waited.is_ok(), "out of patience: {what}");
}

#[tokio::test]
async fn a_blob_is_pulled_once_and_then_read_from_the_cache_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let office = Running::start(dir.path(), "a").await;
    let bytes = vec![7; 3_000_000];
    let digest = office.office.depot.put(bytes.clone()).await.unwrap();
    let blobs = remote(&dir, 10 << 20, &[&office]).await;
    let get = || blobs.get(&digest, 8 << 20);
    let (first, second) = tokio::join!(get(), get());
    assert!(first.unwrap() == bytes && second.unwrap() == bytes);
    assert_eq!(office.parts(), 3, "two who ask at once pull once");
    until("cached", || blobs.cached_bytes() == 3_000_000).await;
    drop(blobs);

    let blobs = remote(&dir, 10 << 20, &[&office]).await;
    office.stop().await;
    assert_eq!(blobs.cached_bytes(), 3_000_000);
    assert!(blobs.get(&digest, 8 << 20).await.unwrap() == bytes);
    assert!(blobs.contains(&digest).await.unwrap());
    let error = blobs.get(&digest, 10).await.unwrap_err();
    assert!(matches!(error, DepotError::TooLarge { max: 10 }), "{error}");
}

#[tokio::test]
async fn the_cache_stays_within_its_bound_and_keeps_what_was_used_last() {
    let dir = tempfile::tempdir().unwrap();
    let office = Running::start(dir.path(), "a").await;
    let mut digests = Vec::new();
    for number in 0..6_u8 {
        digests.push(
            office
                .office
                .depot
                .put(vec![number; 100_000])
                .await
                .unwrap(),
        );
    }
    let blobs = remote(&dir, 350_000, &[&office]).await;
    for (number, digest) in digests.iter().enumerate() {
        blobs.get(digest, 1 << 20).await.unwrap();
        until("kept", || {
            blobs.cached_bytes() == 100_000 * (number as u64 + 1).min(3)
        })
        .await;
        blobs.get(&digests[0], 1 << 20).await.unwrap();
        until("kept", || {
            blobs.cached_bytes() == 100_000 * (number as u64 + 1).min(3)
        })
        .await;
        assert!(cached_files(&dir) <= 350_000);
    }
    let parts = office.parts();
    for used_last in [digests[5], digests[0]] {
        blobs.get(&used_last, 1 << 20).await.unwrap();
    }
    assert_eq!(office.parts(), parts, "both come from the cache");
    // A smaller bound at the next start is kept at once.
    drop(blobs);
    let blobs = remote(&dir, 150_000, &[&office]).await;
    assert_eq!(
        (blobs.cached_bytes(), cached_files(&dir)),
        (100_000, 100_000)
    );
}

#[tokio::test]
async fn a_rotten_blob_of_the_cache_is_pulled_again() {
    let dir = tempfile::tempdir().unwrap();
    let office = Running::start(dir.path(), "a").await;
    let blobs = remote(&dir, 1 << 20, &[&office]).await;
    let digest = blobs.put("precious".into()).await.unwrap();
    let name = digest.to_string();
    let file = dir
        .path()
        .join("cache/blobs")
        .join(&name[..2])
        .join(&name[2..]);
    std::fs::write(&file, "precioux").unwrap();
    assert_eq!(blobs.get(&digest, 100).await.unwrap().as_ref(), b"precious");
    until("mended", || {
        std::fs::read(&file).is_ok_and(|read| read == b"precious")
    })
    .await;
    assert!(blobs.remove(&digest).await.unwrap() && !file.exists());
}

#[tokio::test]
async fn a_coordinator_that_breaks_off_in_the_middle_is_replaced_by_another() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (
        Running::start(dir.path(), "a").await,
        Running::start(dir.path(), "b").await,
    );
    let bytes: Vec<u8> = (0..4_500_000_u32).map(|at| (at % 251) as u8).collect();
    let digest = a.office.depot.put(bytes.clone()).await.unwrap();
    b.office.depot.put(bytes.clone()).await.unwrap();
    a.mood().breaks.store(true, Ordering::SeqCst);
    let blobs = remote(&dir, 10 << 20, &[&a, &b]).await;
    assert!(blobs.get(&digest, 8 << 20).await.unwrap() == bytes);
    assert!(
        a.parts() > 0 && b.parts() >= 5,
        "{} {}",
        a.parts(),
        b.parts()
    );
}

#[tokio::test]
async fn a_put_survives_a_coordinator_that_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let office = Running::start(dir.path(), "a").await;
    let blobs = remote(&dir, 1 << 20, &[&office]).await;
    blobs.put("before".into()).await.unwrap();
    let address = office.stop().await.to_string();
    let (put, office) = tokio::join!(blobs.put("while it is down".into()), async {
        // The first try has failed by then.
        tokio::time::sleep(Duration::from_millis(100)).await;
        Running::at(dir.path(), "a", &address).await
    });
    let digest = put.unwrap();
    assert!(office.office.depot.contains(&digest).await.unwrap());
    let streamed = blobs
        .put_stream(Box::pin(b"streamed".as_slice()), 8)
        .await
        .unwrap();
    assert_eq!(streamed, (Digest::of(b"streamed"), 8));
    let error = blobs
        .put_stream(Box::pin(b"streamed".as_slice()), 7)
        .await
        .unwrap_err();
    assert!(matches!(error, DepotError::TooLarge { max: 7 }), "{error}");
}

#[tokio::test]
async fn whoever_is_preferred_is_asked_first_and_another_when_its_disk_is_full() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (
        Running::start(dir.path(), "a").await,
        Running::start(dir.path(), "b").await,
    );
    let blobs = remote(&dir, 1 << 20, &[&a, &b]).await;
    blobs.prefer(vec![b.address.to_string()]);
    let digest = blobs.put("for b".into()).await.unwrap();
    assert!(b.office.depot.contains(&digest).await.unwrap());
    b.mood().full.store(true, Ordering::SeqCst);
    let digest = blobs.put("for a".into()).await.unwrap();
    assert!(a.office.depot.contains(&digest).await.unwrap());
    a.mood().full.store(true, Ordering::SeqCst);
    let error = blobs.put("for nobody".into()).await.unwrap_err();
    assert!(matches!(error, DepotError::Refused { .. }), "{error}");
    assert_eq!(error.code(), "node.disk_full");
}

#[tokio::test]
async fn a_coordinator_that_keeps_failing_is_left_alone_for_a_while() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (
        Running::start(dir.path(), "a").await,
        Running::start(dir.path(), "b").await,
    );
    let blobs = remote(&dir, 1 << 20, &[&a, &b]).await;
    a.mood().silent.store(true, Ordering::SeqCst);
    for number in 0..20 {
        let bytes = Bytes::from(format!("blob {number}"));
        blobs.put(bytes).await.unwrap();
    }
    let calls = a.mood().calls.load(Ordering::SeqCst);
    assert!(calls < 12, "it was called {calls} times");
    // When it has recovered it is called again.
    a.mood().silent.store(false, Ordering::SeqCst);
    until("called again", || {
        let blobs = blobs.clone();
        tokio::spawn(async move { blobs.contains(&Digest::of(b"nothing")).await });
        a.mood().calls.load(Ordering::SeqCst) > calls
    })
    .await;
}

#[tokio::test]
async fn nobody_to_ask_is_an_error_and_nobody_who_has_it_another() {
    let dir = tempfile::tempdir().unwrap();
    let office = Running::start(dir.path(), "a").await;
    let blobs = remote(&dir, 1 << 20, &[&office]).await;
    let nothing = Digest::of(b"nothing");
    assert!(!blobs.contains(&nothing).await.unwrap());
    let error = blobs.get(&nothing, 10).await.unwrap_err();
    assert!(matches!(error, DepotError::NotFound { .. }), "{error}");
    drop(blobs);
    let config = RemoteConfig {
        patience: Duration::from_millis(200),
        ..RemoteConfig::new(dir.path().join("other"), Vec::new())
    };
    let blobs = RemoteBlobs::open(config, connect()).await.unwrap();
    for error in [
        blobs.put("x".into()).await.map(drop).unwrap_err(),
        blobs.get(&nothing, 10).await.map(drop).unwrap_err(),
        blobs.contains(&nothing).await.map(drop).unwrap_err(),
    ] {
        assert!(matches!(error, DepotError::Unreachable { .. }), "{error}");
    }
    assert!(format!("{blobs:?}").contains("RemoteBlobs"));
}
