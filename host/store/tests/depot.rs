//! The depot on a real file system.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};

use aureole_store::{BLOB_BYTES_MAX, Depot, DepotError, Digest};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

fn depot() -> (TempDir, Depot) {
    let dir = tempfile::tempdir().unwrap();
    let depot = Depot::open(dir.path()).unwrap();
    (dir, depot)
}

fn file_of(dir: &TempDir, digest: &Digest) -> PathBuf {
    let name = digest.to_string();
    dir.path().join("blobs").join(&name[..2]).join(&name[2..])
}

fn temporary_files(dir: &TempDir) -> usize {
    fs::read_dir(dir.path().join("tmp")).unwrap().count()
}

#[tokio::test]
async fn a_blob_is_found_under_its_digest_after_a_restart() {
    let (dir, depot) = depot();
    let digest = depot.put(b"bytes".to_vec()).await.unwrap();
    assert_eq!(digest, Digest::of(b"bytes"));
    drop(depot);
    let depot = Depot::open(dir.path()).unwrap();
    assert!(depot.contains(&digest).await.unwrap());
    assert_eq!(depot.get(&digest, 5).await.unwrap().as_ref(), b"bytes");
}

#[tokio::test]
async fn an_unknown_digest_is_not_found() {
    let (_dir, depot) = depot();
    let digest = Digest::of(b"nothing");
    assert!(!depot.contains(&digest).await.unwrap());
    assert!(!depot.remove(&digest).await.unwrap());
    let error = depot.get(&digest, 10).await.unwrap_err();
    assert!(matches!(error, DepotError::NotFound { digest: found } if found == digest));
}

#[tokio::test]
async fn a_removed_blob_is_gone() {
    let (_dir, depot) = depot();
    let digest = depot.put(b"bytes".to_vec()).await.unwrap();
    assert!(depot.remove(&digest).await.unwrap());
    assert!(!depot.contains(&digest).await.unwrap());
}

#[tokio::test]
async fn a_corrupted_blob_is_detected_and_healed_by_putting_it_again() {
    let (dir, depot) = depot();
    let digest = depot.put(b"bytes".to_vec()).await.unwrap();
    fs::write(file_of(&dir, &digest), b"bytez").unwrap();
    let error = depot.get(&digest, 10).await.unwrap_err();
    assert!(
        matches!(error, DepotError::Corrupt { bytes: 5, .. }),
        "{error}"
    );
    assert_eq!(depot.put(b"bytes".to_vec()).await.unwrap(), digest);
    assert_eq!(depot.get(&digest, 10).await.unwrap().as_ref(), b"bytes");

    // A file cut short by a power cut is no different.
    fs::write(file_of(&dir, &digest), b"").unwrap();
    depot.put_stream(b"bytes".as_slice(), 10).await.unwrap();
    assert_eq!(depot.get(&digest, 10).await.unwrap().as_ref(), b"bytes");
}

#[tokio::test]
async fn what_a_crash_left_half_written_is_swept_at_the_next_start() {
    let (dir, depot) = depot();
    drop(depot);
    fs::write(dir.path().join("tmp/1234-0"), b"half").unwrap();
    let _depot = Depot::open(dir.path()).unwrap();
    assert_eq!(temporary_files(&dir), 0);
}

#[tokio::test]
async fn a_blob_larger_than_asked_for_is_refused() {
    let (_dir, depot) = depot();
    let digest = depot.put(b"bytes".to_vec()).await.unwrap();
    let error = depot.get(&digest, 4).await.unwrap_err();
    assert!(matches!(error, DepotError::TooLarge { max: 4 }), "{error}");
}

#[tokio::test]
async fn a_blob_over_the_depots_limit_is_refused() {
    let (dir, depot) = depot();
    let large = vec![0; usize::try_from(BLOB_BYTES_MAX).unwrap() + 1];
    let error = depot.put(large).await.unwrap_err();
    assert!(
        matches!(
            error,
            DepotError::TooLarge {
                max: BLOB_BYTES_MAX
            }
        ),
        "{error}"
    );
    assert_eq!(temporary_files(&dir), 0);
}

#[tokio::test]
async fn a_stream_is_hashed_on_the_way() {
    let (_dir, depot) = depot();
    let bytes = vec![7; 200_000];
    let (digest, length) = depot.put_stream(bytes.as_slice(), 200_000).await.unwrap();
    assert_eq!((digest, length), (Digest::of(&bytes), 200_000));
    assert_eq!(depot.get(&digest, 200_000).await.unwrap().as_ref(), bytes);
    // Once more is the same.
    depot.put_stream(bytes.as_slice(), 200_000).await.unwrap();
}

#[tokio::test]
async fn an_endless_stream_is_cut_off_at_its_limit_and_leaves_nothing() {
    let (dir, depot) = depot();
    let error = depot
        .put_stream(tokio::io::repeat(1), 100_000)
        .await
        .unwrap_err();
    assert!(
        matches!(error, DepotError::TooLarge { max: 100_000 }),
        "{error}"
    );
    assert_eq!(temporary_files(&dir), 0);
}

/// A client that goes away.
struct Broken;

impl AsyncRead for Broken {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
    }
}

#[tokio::test]
async fn a_stream_that_breaks_says_how_far_it_came_and_leaves_nothing() {
    let (dir, depot) = depot();
    let error = depot
        .put_stream(b"half".chain(Broken), 10)
        .await
        .unwrap_err();
    assert!(
        matches!(error, DepotError::Source { bytes: 4, .. }),
        "{error}"
    );
    assert_eq!(temporary_files(&dir), 0);
}

#[tokio::test]
async fn a_second_process_is_kept_out_while_the_first_lives() {
    let (dir, depot) = depot();
    let error = Depot::open(dir.path()).unwrap_err();
    assert!(matches!(error, DepotError::InUse { .. }), "{error}");
    let clone = depot.clone();
    drop(depot);
    assert!(Depot::open(dir.path()).is_err());
    drop(clone);
    Depot::open(dir.path()).unwrap();
}

#[tokio::test]
async fn many_writers_of_one_blob_agree() {
    let (dir, depot) = depot();
    let writers: Vec<_> = (0..16)
        .map(|_| {
            let depot = depot.clone();
            tokio::spawn(async move { depot.put(b"the same".to_vec()).await.unwrap() })
        })
        .collect();
    for writer in writers {
        assert_eq!(writer.await.unwrap(), Digest::of(b"the same"));
    }
    assert_eq!(temporary_files(&dir), 0);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let error = Depot::open("/dev/null/depot".as_ref()).unwrap_err();
    assert!(
        matches!(
            error,
            DepotError::Io {
                action: "create",
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("/dev/null/depot"));
}

#[test]
fn a_runtime_that_stops_is_an_error_and_no_hang() {
    let (_dir, depot) = depot();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let handle = runtime.handle().clone();
    drop(runtime);
    let _entered = handle.enter();
    let digest = Digest::of(b"");
    let mut get = Box::pin(depot.get(&digest, 1));
    let poll = get
        .as_mut()
        .poll(&mut Context::from_waker(std::task::Waker::noop()));
    assert!(matches!(poll, Poll::Ready(Err(DepotError::Stopped))));
}

#[tokio::test]
async fn only_the_owner_can_read_a_blob() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, depot) = depot();
    let digest = depot.put(b"bytes".to_vec()).await.unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(file_of(&dir, &digest)), 0o600);
    assert_eq!(mode(dir.path().join("blobs")), 0o700);
}
