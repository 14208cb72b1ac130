//! Sealed inputs and their keys.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::thread;

use aureole_store::{
    Digest, InputKey, InputVault, SEALED_OVERHEAD_BYTES, Sealed, TaskId, VaultError, open_input,
    seal_input,
};
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

/// An input of a task, sealed, with its key in the vault.
fn sealed(vault: &InputVault, task: TaskId) -> Sealed {
    let sealed = seal_input(task, INPUT).unwrap();
    vault.put(task, &sealed.digest, &sealed.key).unwrap();
    sealed
}

fn key_file(dir: &TempDir, task: TaskId, input: &Digest) -> PathBuf {
    dir.path().join("keys").join(format!("{task}.{input}"))
}

#[test]
fn a_sealed_input_opens_with_its_key_after_a_restart() {
    let (dir, vault) = vault();
    let sealed = sealed(&vault, task(1));
    assert_eq!(sealed.bytes.len(), INPUT.len() + SEALED_OVERHEAD_BYTES);
    assert_eq!(sealed.digest, Digest::of(&sealed.bytes));
    assert!(!sealed.bytes.windows(6).any(|window| window == b"canary"));
    let vault = InputVault::open(dir.path()).unwrap();
    let key = vault.key(task(1), &sealed.digest).unwrap().unwrap();
    let opened = open_input(key.expose(), task(1), &sealed.bytes).unwrap();
    assert_eq!(opened.expose(), INPUT);
}

#[test]
fn once_its_key_is_destroyed_an_input_is_unreadable() {
    let (dir, vault) = vault();
    let first = sealed(&vault, task(1));
    let keys = vault.keys().unwrap();
    assert_eq!((keys[0].task, keys[0].input), (task(1), first.digest));
    assert!(vault.destroy(task(1), &first.digest).unwrap());
    assert!(vault.key(task(1), &first.digest).unwrap().is_none());
    assert!(!key_file(&dir, task(1), &first.digest).exists());
    assert!(vault.keys().unwrap().is_empty());
    assert!(!vault.destroy(task(1), &first.digest).unwrap());
    // A new key for the same task does not open what the old one sealed.
    let second = sealed(&vault, task(1));
    assert!(open_input(second.key.expose(), task(1), &first.bytes).is_err());
}

#[test]
fn an_input_opens_for_no_other_task_and_with_no_change() {
    let Sealed { bytes, key, .. } = seal_input(task(1), INPUT).unwrap();
    let opens = |task, sealed: &[u8]| open_input(key.expose(), task, sealed).is_ok();
    assert!(opens(task(1), &bytes));
    assert!(!opens(task(2), &bytes));
    for at in [0, 24, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(!opens(task(1), &changed), "byte {at}");
    }
    for length in [0, 23, 39, bytes.len() - 1] {
        assert!(!opens(task(1), &bytes[..length]), "{length} bytes");
    }
    let error = open_input(&[0; 32], task(1), &bytes).unwrap_err();
    assert!(matches!(error, VaultError::Unopenable { task: of } if of == task(1)));
}

#[test]
fn each_sealing_has_a_key_of_its_own_and_both_stay_readable() {
    let (_dir, vault) = vault();
    let (first, second) = (sealed(&vault, task(1)), sealed(&vault, task(1)));
    assert_ne!(first.digest, second.digest);
    assert_ne!(first.key.expose(), second.key.expose());
    for sealed in [first, second] {
        let key = vault.key(task(1), &sealed.digest).unwrap().unwrap();
        let opened = open_input(key.expose(), task(1), &sealed.bytes).unwrap();
        assert_eq!(opened.expose(), INPUT);
    }
}

#[test]
fn concurrent_puts_of_one_key_agree_and_another_key_is_refused() {
    let (_dir, vault) = vault();
    let sealed = seal_input(task(1), INPUT).unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| vault.put(task(1), &sealed.digest, &sealed.key).unwrap());
        }
    });
    let other = InputKey::from_bytes(vec![7; 32]).unwrap();
    let error = vault.put(task(1), &sealed.digest, &other).unwrap_err();
    assert!(matches!(error, VaultError::OtherKey { task: of } if of == task(1)));
    let key = vault.key(task(1), &sealed.digest).unwrap().unwrap();
    assert_eq!(key.expose(), sealed.key.expose());
}

#[test]
fn only_the_owner_can_read_a_key() {
    let (dir, vault) = vault();
    let sealed = sealed(&vault, task(1));
    let file = fs::metadata(key_file(&dir, task(1), &sealed.digest)).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_damaged_key_file_is_an_error_and_no_key() {
    let (dir, vault) = vault();
    let sealed = sealed(&vault, task(1));
    fs::write(key_file(&dir, task(1), &sealed.digest), b"short").unwrap();
    let error = vault.key(task(1), &sealed.digest).unwrap_err();
    assert!(
        matches!(error, VaultError::BadKey { bytes: 5, .. }),
        "{error}"
    );
}

#[test]
fn a_key_of_a_version_that_named_no_input_is_destroyed_when_keys_are_listed() {
    let (dir, vault) = vault();
    let old = dir.path().join("keys").join(task(1).to_string());
    fs::write(&old, [7; 32]).unwrap();
    fs::write(dir.path().join("keys/notes.txt"), "foreign").unwrap();
    assert!(vault.keys().unwrap().is_empty());
    assert!(!old.exists());
    assert!(dir.path().join("keys/notes.txt").exists());
}

#[test]
fn a_key_is_not_in_debug_output_and_has_32_bytes() {
    let sealed = seal_input(task(1), INPUT).unwrap();
    assert_eq!(format!("{:?}", sealed.key), "InputKey(..)");
    assert!(InputKey::from_bytes(vec![0; 31]).is_none());
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
