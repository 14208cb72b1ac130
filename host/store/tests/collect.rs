//! Room on the disk, collection of what nothing refers to, and parts of blobs.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use aureole_store::{Depot, DepotConfig, DepotError, Digest, FileSystem, Probe};
use proptest::prelude::*;
use tempfile::TempDir;

const HOUR: Duration = Duration::from_secs(3600);

/// A disk whose free space is what a test says.
#[derive(Debug)]
struct Gauge(AtomicU64);

impl Probe for Gauge {
    fn probe(&self, _dir: &Path) -> io::Result<(u64, u64)> {
        Ok((1 << 40, self.0.load(Ordering::SeqCst)))
    }
}

/// A disk that does not answer.
#[derive(Debug)]
struct Broken;

impl Probe for Broken {
    fn probe(&self, _dir: &Path) -> io::Result<(u64, u64)> {
        Err(io::Error::other("on fire"))
    }
}

fn depot() -> (TempDir, Depot) {
    let dir = tempfile::tempdir().unwrap();
    let depot = Depot::open(dir.path()).unwrap();
    (dir, depot)
}

fn file_of(dir: &Path, digest: &Digest) -> PathBuf {
    let name = digest.to_string();
    dir.join("blobs").join(&name[..2]).join(&name[2..])
}

/// Makes a blob look as if it was put long ago.
fn age(dir: &Path, digest: &Digest) {
    let file = File::open(file_of(dir, digest)).unwrap();
    file.set_modified(SystemTime::now() - 2 * HOUR).unwrap();
}

#[tokio::test]
async fn above_the_watermark_nothing_is_stored_and_what_is_there_is_still_read() {
    let dir = tempfile::tempdir().unwrap();
    let gauge = Arc::new(Gauge(AtomicU64::new(1_000)));
    let config = DepotConfig {
        reserve_bytes: Some(100),
        probe: Arc::clone(&gauge) as Arc<dyn Probe>,
    };
    let depot = Depot::open_with(dir.path(), config).unwrap();
    let stored = depot.put(vec![1; 900]).await.unwrap();
    let error = depot.put(vec![2; 901]).await.unwrap_err();
    assert!(
        matches!(
            error,
            DepotError::DiskFull {
                free: 1_000,
                bytes: 901,
                reserve: 100
            }
        ),
        "{error}"
    );
    assert_eq!(error.code(), "node.disk_full");
    gauge.0.store(99, Ordering::SeqCst);
    let error = depot.put_stream(b"x".as_slice(), 10).await.unwrap_err();
    assert_eq!(error.code(), "node.disk_full");
    // What is there needs no room.
    assert_eq!(depot.put(vec![1; 900]).await.unwrap(), stored);
    assert_eq!(depot.get(&stored, 900).await.unwrap().len(), 900);
    assert_eq!(fs::read_dir(dir.path().join("tmp")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_disk_that_fills_while_a_stream_is_read_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let gauge = Arc::new(Gauge(AtomicU64::new(1_000)));
    let config = DepotConfig {
        reserve_bytes: Some(100),
        probe: Arc::clone(&gauge) as Arc<dyn Probe>,
    };
    let depot = Depot::open_with(dir.path(), config).unwrap();
    let (reader, mut writer) = tokio::io::duplex(64 << 10);
    let put = tokio::spawn(async move { depot.put_stream(reader, 8 << 20).await });
    let chunk = vec![0; 64 << 10];
    let mut written = 0;
    while tokio::io::AsyncWriteExt::write_all(&mut writer, &chunk)
        .await
        .is_ok()
    {
        written += chunk.len();
        gauge.0.store(0, Ordering::SeqCst);
    }
    let error = put.await.unwrap().unwrap_err();
    assert!(
        matches!(error, DepotError::DiskFull { free: 0, .. }),
        "{error}"
    );
    assert!(written <= 2 << 20, "{written}");
}

#[tokio::test]
async fn the_reserve_is_a_twentieth_within_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let config = DepotConfig {
        reserve_bytes: None,
        probe: Arc::new(Gauge(AtomicU64::new(0))),
    };
    let depot = Depot::open_with(dir.path(), config).unwrap();
    assert_eq!(depot.space().await.unwrap().reserve, 1 << 30);
    let (total, free) = FileSystem.probe(dir.path()).unwrap();
    assert!(total >= free && total > 0);
}

#[tokio::test]
async fn a_disk_that_does_not_answer_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let config = DepotConfig {
        reserve_bytes: None,
        probe: Arc::new(Broken),
    };
    let depot = Depot::open_with(dir.path(), config).unwrap();
    let error = depot.put(b"x".to_vec()).await.unwrap_err();
    assert!(
        matches!(
            error,
            DepotError::Io {
                action: "ask for free space at",
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(error.code(), "node.storage");
}

/// Where the machine permits it: a file system of 4 MiB, really filled.
#[tokio::test]
async fn a_real_small_disk_is_never_filled_to_the_brim() {
    let dir = tempfile::tempdir().unwrap();
    let mount = |args: &[&str]| {
        let status = Command::new(args[0])
            .args(&args[1..])
            .arg(dir.path())
            .output();
        status.is_ok_and(|output| output.status.success())
    };
    if !mount(&["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs"]) {
        eprintln!("skipped: this machine does not let the test mount a tmpfs");
        return;
    }
    let config = DepotConfig {
        reserve_bytes: Some(1 << 20),
        ..DepotConfig::default()
    };
    let depot = Depot::open_with(dir.path(), config).unwrap();
    let mut refused = None;
    for number in 0..64_u8 {
        match depot.put(vec![number; 256 << 10]).await {
            Ok(_) => {}
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    let (_, free) = FileSystem.probe(dir.path()).unwrap();
    drop(depot);
    assert!(mount(&["umount"]), "the test's file system stays mounted");
    assert_eq!(refused.unwrap().code(), "node.disk_full");
    assert!(free >= 1 << 20, "{free}");
}

#[tokio::test]
async fn only_what_is_old_and_not_referred_to_is_collected() {
    let (dir, depot) = depot();
    let mut digests = Vec::new();
    for name in ["referenced", "old", "young"] {
        digests.push(depot.put(name.as_bytes().to_vec()).await.unwrap());
    }
    let [referenced, old, young] = digests[..] else {
        panic!()
    };
    age(dir.path(), &referenced);
    age(dir.path(), &old);
    let is_referenced = move |digest: &Digest| *digest == referenced;
    let would = depot.collect(is_referenced, HOUR, true).await.unwrap();
    assert_eq!(would.removed, [(old, 3)]);
    assert_eq!((would.referenced, would.young, would.bytes()), (1, 1, 3));
    assert!(
        depot.contains(&old).await.unwrap(),
        "a dry run removes nothing"
    );
    let done = depot.collect(is_referenced, HOUR, false).await.unwrap();
    assert_eq!(done, would);
    assert!(!depot.contains(&old).await.unwrap());
    assert!(depot.contains(&young).await.unwrap());
}

#[tokio::test]
async fn a_blob_that_is_put_again_is_young_again() {
    let (dir, depot) = depot();
    let digest = depot.put(b"again".to_vec()).await.unwrap();
    age(dir.path(), &digest);
    depot.put(b"again".to_vec()).await.unwrap();
    let collected = depot.collect(|_| false, HOUR, false).await.unwrap();
    assert_eq!((collected.removed.len(), collected.young), (0, 1));
}

#[tokio::test]
async fn a_listing_shows_blobs_and_no_foreign_files() {
    let (dir, depot) = depot();
    let digest = depot.put(b"bytes".to_vec()).await.unwrap();
    fs::write(dir.path().join("blobs/00/notes.txt"), "foreign").unwrap();
    let listed = depot.list().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].digest, listed[0].bytes), (digest, 5));
    let nobody = Digest::of(b"nobody");
    assert_eq!(depot.missing(vec![digest, nobody]).await.unwrap(), [nobody]);
}

#[tokio::test]
async fn parts_are_given_only_of_a_blob_that_is_whole() {
    let (dir, depot) = depot();
    let digest = depot.put(b"0123456789".to_vec()).await.unwrap();
    let part = |offset, length| depot.range(&digest, offset, length);
    assert_eq!(part(2, 3).await.unwrap(), (10, "234".into()));
    // Believed for a moment, so read another way.
    assert_eq!(part(8, 30).await.unwrap(), (10, "89".into()));
    assert_eq!(part(30, 1).await.unwrap(), (10, "".into()));
    drop(depot);
    let depot = Depot::open(dir.path()).unwrap();
    fs::write(file_of(dir.path(), &digest), b"012345678x").unwrap();
    let error = depot.range(&digest, 0, 1).await.unwrap_err();
    assert!(matches!(error, DepotError::Corrupt { .. }), "{error}");
    let error = depot.range(&Digest::of(b"nobody"), 0, 1).await.unwrap_err();
    assert!(matches!(error, DepotError::NotFound { .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    /// Whatever is there, whatever its age, whoever refers to what.
    #[test]
    fn what_is_referred_to_is_never_collected(
        blobs in proptest::collection::vec((any::<bool>(), any::<bool>()), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (dir, depot) = depot();
            let mut referenced = BTreeSet::new();
            let mut gone = BTreeSet::new();
            for (number, (is_referenced, is_old)) in blobs.iter().enumerate() {
                let digest = depot.put(number.to_string().into_bytes()).await.unwrap();
                if *is_old {
                    age(dir.path(), &digest);
                }
                match (is_referenced, is_old) {
                    (true, _) => { referenced.insert(digest); }
                    (false, true) => { gone.insert(digest); }
                    (false, false) => {}
                }
            }
            let roots = referenced.clone();
            let is_referenced = move |digest: &Digest| roots.contains(digest);
            let collected = depot.collect(is_referenced, HOUR, false).await.unwrap();
            let removed: BTreeSet<_> = collected.removed.iter().map(|(digest, _)| *digest).collect();
            assert_eq!(removed, gone);
            for digest in &referenced {
                assert!(depot.contains(digest).await.unwrap());
            }
            assert_eq!(depot.list().await.unwrap().len(), blobs.len() - gone.len());
        });
    }
}
