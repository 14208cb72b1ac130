//! Sealed inputs and their keys.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::thread;

use aureole_store::{InputVault, SEALED_OVERHEAD_BYTES, TaskId, VaultError, open_input};
use tempfile::TempDir;

const INPUT: &[u8] = b"a private input with a canary";

fn vault() -> (TempDir, InputVault) {
    let dir = tempfile::tempdir().unwrap();
    let vault = InputVault::open(dir.path()).unwrap();
    (dir, vault)
}

fn task(number: u8) -> TaskId {
    TaskId::from_bytes([number; 16])
}

fn key_file(dir: &TempDir, task: TaskId) -> PathBuf {
    dir.path().join("keys").join(task.to_string())
}

#[test]
fn a_sealed_input_opens_with_its_key_after_a_restart() {
    let (dir, vault) = vault();
    let sealed = vault.seal(task(1), INPUT).unwrap();
    assert_eq!(sealed.len(), INPUT.len() + SEALED_OVERHEAD_BYTES);
    assert!(!sealed.windows(6).any(|window| window == b"canary"));
    let vault = InputVault::open(dir.path()).unwrap();
    let key = vault.key(task(1)).unwrap().unwrap();
    assert_eq!(
        open_input(key.expose(), task(1), &sealed).unwrap().expose(),
        INPUT
    );
}

#[test]
fn once_its_key_is_destroyed_an_input_is_unreadable() {
    let (dir, vault) = vault();
    let sealed = vault.seal(task(1), INPUT).unwrap();
    assert_eq!(vault.tasks().unwrap(), [task(1)]);
    assert!(vault.destroy(task(1)).unwrap());
    assert!(vault.key(task(1)).unwrap().is_none());
    assert!(!key_file(&dir, task(1)).exists());
    assert!(vault.tasks().unwrap().is_empty());
    assert!(!vault.destroy(task(1)).unwrap());
    // A new key for the same task does not open what the old one sealed.
    vault.seal(task(1), b"other").unwrap();
    let key = vault.key(task(1)).unwrap().unwrap();
    assert!(open_input(key.expose(), task(1), &sealed).is_err());
}

#[test]
fn an_input_opens_for_no_other_task_and_with_no_change() {
    let (_dir, vault) = vault();
    let sealed = vault.seal(task(1), INPUT).unwrap();
    let key = vault.key(task(1)).unwrap().unwrap();
    let opens = |task, sealed: &[u8]| open_input(key.expose(), task, sealed).is_ok();
    assert!(opens(task(1), &sealed));
    assert!(!opens(task(2), &sealed));
    for at in [0, 24, sealed.len() - 1] {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(!opens(task(1), &changed), "byte {at}");
    }
    for length in [0, 23, 39, sealed.len() - 1] {
        assert!(!opens(task(1), &sealed[..length]), "{length} bytes");
    }
    let error = open_input(&[0; 32], task(1), &sealed).unwrap_err();
    assert!(matches!(error, VaultError::Unopenable { task: of } if of == task(1)));
}

#[test]
fn sealing_a_task_twice_keeps_its_key_and_changes_the_bytes() {
    let (_dir, vault) = vault();
    let first = vault.seal(task(1), INPUT).unwrap();
    let second = vault.seal(task(1), INPUT).unwrap();
    assert_ne!(first, second);
    let key = vault.key(task(1)).unwrap().unwrap();
    for sealed in [first, second] {
        assert_eq!(
            open_input(key.expose(), task(1), &sealed).unwrap().expose(),
            INPUT
        );
    }
}

#[test]
fn concurrent_seals_of_one_task_agree_on_a_key() {
    let (_dir, vault) = vault();
    let sealed: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| vault.seal(task(1), INPUT).unwrap()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let key = vault.key(task(1)).unwrap().unwrap();
    assert!(
        sealed
            .iter()
            .all(|sealed| open_input(key.expose(), task(1), sealed).is_ok())
    );
}

#[test]
fn only_the_owner_can_read_a_key() {
    let (dir, vault) = vault();
    vault.seal(task(1), INPUT).unwrap();
    let mode = fs::metadata(key_file(&dir, task(1)))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_damaged_key_file_is_an_error_and_no_key() {
    let (dir, vault) = vault();
    vault.seal(task(1), INPUT).unwrap();
    fs::write(key_file(&dir, task(1)), b"short").unwrap();
    let error = vault.key(task(1)).unwrap_err();
    assert!(
        matches!(error, VaultError::BadKey { bytes: 5, .. }),
        "{error}"
    );
}

#[test]
fn a_key_is_not_in_debug_output() {
    let (_dir, vault) = vault();
    vault.seal(task(1), INPUT).unwrap();
    let key = vault.key(task(1)).unwrap().unwrap();
    assert_eq!(format!("{key:?}"), "InputKey(..)");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let error = InputVault::open("/dev/null/vault".as_ref()).unwrap_err();
    assert!(
        matches!(
            error,
            VaultError::Io {
                action: "create",
                ..
            }
        ),
        "{error}"
    );
}
