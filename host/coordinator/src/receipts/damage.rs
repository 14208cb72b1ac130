//! Whether a member's tiles are what was written: read whole, and damage believed only when a second
//! reading agrees.
//!
//! A member's log is forgotten on this word, and another may be all that is left of it then. What only
//! could not be read, or was not there because the log grew while it was read, proves nothing.

use std::error::Error;

use aureole_receipts::{AuditError, Checkpoint, CheckpointError, LogError, audit};
use aureole_store::{TileLog, TileLogError};
use thiserror::Error;

/// What was met while the tiles were read.
#[derive(Debug, Error)]
pub(super) enum Finding {
    /// It could not be said what they are to be held against.
    #[error("the tiles of the log on this disk have no head")]
    Head(#[from] CheckpointError),
    /// Something does not hold.
    #[error("the tiles of the log on this disk")]
    Audit(#[from] AuditError<TileLogError>),
}

// === impl Finding ===

impl Finding {
    /// Says whether bytes are there that are not what was written.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Audit(error) => {
                matches!(
                    error,
                    AuditError::Rewritten { .. }
                        | AuditError::Reordered { .. }
                        | AuditError::Dropped { .. }
                        | AuditError::Surplus { .. }
                        | AuditError::NoLeaf { .. }
                        | AuditError::Tile { .. }
                        | AuditError::Root { .. }
                        | AuditError::Log(LogError::Malformed { .. } | LogError::Bundle { .. })
                )
            }
            Self::Head(_) => false,
        }
    }
}

/// What reading everything says of the tiles.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They are what was written.
    Sound,
    /// Some could not be read, which proves nothing.
    Unread(String),
    /// Bytes are there that are not what was written.
    Damaged(String),
}

/// Reads everything, once more if bytes are not what they should be.
pub(super) fn inspect(log: &TileLog) -> Verdict {
    twice(|| examine(log))
}

/// Believes damage that two examinations in a row find.
fn twice(examine: impl Fn() -> Result<(), Finding>) -> Verdict {
    let mut found = Verdict::Sound;
    for _ in 0..2 {
        let Err(finding) = examine() else {
            return Verdict::Sound;
        };
        let damage = finding.is_damage();
        let error = &finding as &dyn Error;
        tracing::error!(error, damage, "the tiles of the log do not pass an audit");
        let told = chain(error);
        if !damage {
            return Verdict::Unread(told);
        }
        found = Verdict::Damaged(told);
    }
    found
}

/// An error with its causes, for people.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}

fn examine(log: &TileLog) -> Result<(), Finding> {
    let checkpoint = Checkpoint::new("audit", log.head())?;
    audit(log.folder(), &checkpoint, None)?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use aureole_receipts::{Digest, Leaf, TaskId, Tile};
    use tempfile::TempDir;

    use super::*;

    fn is_damaged(log: &TileLog) -> bool {
        matches!(inspect(log), Verdict::Damaged(_))
    }

    fn grown(leaves: u8) -> (TempDir, TileLog) {
        let dir = tempfile::tempdir().unwrap();
        let log = TileLog::open(dir.path()).unwrap();
        for number in 0..leaves {
            let digest = Digest::of(&[number]);
            let leaf = Leaf {
                task: TaskId::from_bytes([number; 16]),
                circuit: digest,
                key: digest,
                public_inputs: digest,
                proof: digest,
                verifier: digest,
                submitted_ms: 1,
                finished_ms: 2,
            };
            log.append(number.into(), leaf);
        }
        log.settle().unwrap();
        (dir, log)
    }

    #[test]
    fn rot_is_damage() {
        for name in ["tile/0/000.p/9", "tile/entries/000.p/9"] {
            let (dir, log) = grown(9);
            assert!(!is_damaged(&log));
            let path = dir.path().join(name);
            let mut bytes = fs::read(&path).unwrap();
            bytes[100] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert!(is_damaged(&log), "{name}");
            bytes.pop();
            fs::write(&path, &bytes).unwrap();
            assert!(is_damaged(&log), "{name} cut");
        }
    }

    #[test]
    fn a_tile_that_cannot_be_read_or_is_not_there_is_none() {
        for name in ["tile/0/000.p/9", "tile/entries/000.p/9"] {
            let (dir, log) = grown(9);
            let path = dir.path().join(name);
            fs::remove_file(&path).unwrap();
            let finding = examine(&log).unwrap_err();
            assert!(
                matches!(
                    finding,
                    Finding::Audit(AuditError::Log(LogError::Missing { .. }))
                ),
                "{finding:?}"
            );
            let verdict = inspect(&log);
            assert!(
                matches!(&verdict, Verdict::Unread(why) if why.contains("000")),
                "{name} is not there: {verdict:?}"
            );
            // Which opens and cannot be read, by root neither.
            fs::create_dir(&path).unwrap();
            let finding = examine(&log).unwrap_err();
            assert!(
                matches!(
                    finding,
                    Finding::Audit(AuditError::Log(LogError::Read { .. }))
                ),
                "{finding:?}"
            );
            assert!(!is_damaged(&log), "{name} cannot be read");
        }
    }

    #[test]
    fn two_leaves_of_a_task_are_none() {
        let (_dir, log) = grown(3);
        let again = log.leaf(1).unwrap();
        log.append(3, again);
        log.settle().unwrap();
        let finding = examine(&log).unwrap_err();
        assert!(
            matches!(finding, Finding::Audit(AuditError::Duplicated { .. })),
            "{finding:?}"
        );
        assert!(!is_damaged(&log));
    }

    #[test]
    fn damage_that_a_second_reading_does_not_see_is_none() {
        let found = || {
            let tile = Tile::hashes(0, 0, 9).unwrap();
            Err(Finding::Audit(AuditError::Tile { tile }))
        };
        let readings = Cell::new(0);
        let flickers = || {
            readings.set(readings.get() + 1);
            if readings.get() == 1 { found() } else { Ok(()) }
        };
        assert_eq!(twice(flickers), Verdict::Sound);
        assert_eq!(readings.get(), 2);
        assert!(matches!(twice(found), Verdict::Damaged(_)));
    }
}
