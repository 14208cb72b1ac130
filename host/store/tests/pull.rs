//! Copying a blob from holders that lie, are slow, lack it or break off.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use aureole_store::{DepotError, Digest, Holder, HolderError, PART_BYTES, Part, pull};
use bytes::Bytes;

/// How a holder behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Honest,
    Lacks,
    Fails,
    /// Gives the first part and then breaks off.
    BreaksOff,
    /// Flips a bit of the last part.
    Lies,
    /// Says that the blob is longer than it is.
    Boasts,
}

#[derive(Debug)]
struct Script {
    manner: Manner,
    bytes: Bytes,
    asked: AtomicUsize,
}

#[async_trait]
impl Holder for Script {
    fn name(&self) -> String {
        format!("{:?}", self.manner)
    }

    async fn part(
        &self,
        _digest: &Digest,
        offset: u64,
        length: u64,
    ) -> Result<Option<Part>, HolderError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let reason = || HolderError {
            reason: "on fire".to_owned(),
        };
        let mut total = self.bytes.len() as u64;
        let (from, to) = (offset.min(total), (offset + length).min(total));
        let mut part = self.bytes.slice(from as usize..to as usize).to_vec();
        match self.manner {
            Manner::Honest => {}
            Manner::Lacks => return Ok(None),
            Manner::Fails => return Err(reason()),
            Manner::BreaksOff if offset > 0 => return Err(reason()),
            Manner::BreaksOff => {}
            Manner::Lies => {
                if to == total
                    && let Some(last) = part.last_mut()
                {
                    *last ^= 1;
                }
            }
            Manner::Boasts => total += 1,
        }
        Ok(Some(Part {
            total,
            bytes: part.into(),
        }))
    }
}

fn blob() -> Bytes {
    let length = 5 * PART_BYTES as usize + 17;
    (0..length)
        .map(|at| (at % 251) as u8)
        .collect::<Vec<_>>()
        .into()
}

fn holders(bytes: &Bytes, manners: &[Manner]) -> (Vec<Arc<Script>>, Vec<Arc<dyn Holder>>) {
    let scripts: Vec<Arc<Script>> = manners
        .iter()
        .map(|manner| {
            Arc::new(Script {
                manner: *manner,
                bytes: bytes.clone(),
                asked: AtomicUsize::new(0),
            })
        })
        .collect();
    let shared = scripts.iter().map(|one| Arc::clone(one) as Arc<dyn Holder>);
    (scripts.clone(), shared.collect())
}

#[tokio::test]
async fn the_parts_come_from_all_who_have_them() {
    let blob = blob();
    let (scripts, shared) = holders(&blob, &[Manner::Honest, Manner::Honest]);
    assert_eq!(
        pull(&Digest::of(&blob), 1 << 30, &shared).await.unwrap(),
        blob
    );
    let asked: Vec<usize> = scripts
        .iter()
        .map(|one| one.asked.load(Ordering::SeqCst))
        .collect();
    assert_eq!(asked.iter().sum::<usize>(), 6);
    assert!(asked.iter().all(|times| *times >= 2), "{asked:?}");
}

#[tokio::test]
async fn one_honest_holder_is_enough_whatever_the_others_do() {
    use Manner::{Boasts, BreaksOff, Fails, Honest, Lacks, Lies};
    let blob = blob();
    for other in [Boasts, BreaksOff, Fails, Lacks, Lies] {
        for manners in [[other, Honest], [Honest, other]] {
            let (_, shared) = holders(&blob, &manners);
            let pulled = pull(&Digest::of(&blob), 1 << 30, &shared).await;
            assert_eq!(pulled.unwrap(), blob, "{manners:?}");
        }
    }
}

#[tokio::test]
async fn wrong_bytes_are_never_given() {
    for bytes in [blob(), Bytes::from_static(b"small")] {
        let (_, shared) = holders(&bytes, &[Manner::Lies, Manner::Lies]);
        let error = pull(&Digest::of(&bytes), 1 << 30, &shared)
            .await
            .unwrap_err();
        assert!(matches!(error, DepotError::Unreachable { .. }), "{error}");
        assert!(error.to_string().contains("another digest"), "{error}");
    }
}

#[tokio::test]
async fn not_found_is_said_only_when_everybody_says_so() {
    let digest = Digest::of(b"x");
    let (_, nobody) = holders(&Bytes::new(), &[Manner::Lacks, Manner::Lacks]);
    let error = pull(&digest, 10, &nobody).await.unwrap_err();
    assert!(matches!(error, DepotError::NotFound { .. }), "{error}");
    let (_, unsure) = holders(&Bytes::new(), &[Manner::Lacks, Manner::Fails]);
    let error = pull(&digest, 10, &unsure).await.unwrap_err();
    assert!(matches!(error, DepotError::Unreachable { .. }), "{error}");
    let error = pull(&digest, 10, &[]).await.unwrap_err();
    assert!(matches!(error, DepotError::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn more_than_the_caller_takes_is_refused_before_it_is_copied() {
    let blob = blob();
    let (scripts, shared) = holders(&blob, &[Manner::Honest]);
    let error = pull(&Digest::of(&blob), 10, &shared).await.unwrap_err();
    assert!(matches!(error, DepotError::TooLarge { max: 10 }), "{error}");
    assert_eq!(scripts[0].asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_empty_blob_is_a_blob() {
    let (_, shared) = holders(&Bytes::new(), &[Manner::Honest]);
    let empty = pull(&Digest::of(b""), 10, &shared).await.unwrap();
    assert!(empty.is_empty());
}
