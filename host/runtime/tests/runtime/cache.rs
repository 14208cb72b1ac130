//! Compiled code that somebody else wrote, or wrote into.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use aureole_runtime::{CacheError, CodeCache, compile};

use crate::fixture::{Parts, limits, sandbox};

const DIGEST: [u8; 32] = [7; 32];

fn filled() -> (tempfile::TempDir, CodeCache, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let cache = CodeCache::open(dir.path()).unwrap();
    let code = compile(&Parts::default().build(), &limits()).unwrap();
    cache.put(&DIGEST, &code).unwrap();
    let file = artifacts(&dir).pop().unwrap();
    (dir, cache, file)
}

fn artifacts(dir: &tempfile::TempDir) -> Vec<PathBuf> {
    let paths = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|kind| kind == "cwasm"))
        .collect()
}

#[test]
fn what_was_put_is_found_again_by_another_process_of_the_node() {
    let (dir, _, _) = filled();
    let again = CodeCache::open(dir.path()).unwrap();
    let trusted = again.get(&DIGEST).unwrap();
    assert_eq!(trusted.component(), DIGEST);
    assert_eq!(
        sandbox()
            .load(&trusted)
            .unwrap()
            .circuit("{}")
            .unwrap()
            .value
            .k,
        4
    );
    assert!(again.get(&[8; 32]).is_none());
}

#[test]
fn one_flipped_bit_anywhere_is_no_hit_and_the_code_can_be_put_again() {
    let (_dir, cache, file) = filled();
    let good = fs::read(&file).unwrap();
    let places = [0, 15, 16, 47, 48, good.len() / 2, good.len() - 1];
    for place in places {
        let mut bad = good.clone();
        bad[place] ^= 1;
        fs::write(&file, &bad).unwrap();
        assert!(cache.get(&DIGEST).is_none(), "byte {place}");
        assert!(!file.exists(), "the altered file is removed");
    }
    cache.put(&DIGEST, &good[48..]).unwrap();
    assert!(cache.get(&DIGEST).is_some());
}

#[test]
fn a_truncated_or_extended_file_is_no_hit() {
    let (_dir, cache, file) = filled();
    let good = fs::read(&file).unwrap();
    for length in [0, 10, 48, good.len() - 1] {
        fs::write(&file, &good[..length]).unwrap();
        assert!(cache.get(&DIGEST).is_none(), "{length} bytes");
    }
    let longer = [good.as_slice(), b"x"].concat();
    fs::write(&file, longer).unwrap();
    assert!(cache.get(&DIGEST).is_none());
}

#[test]
fn code_signed_with_another_nodes_secret_is_no_hit() {
    let (_dir, _, theirs) = filled();
    let (_own_dir, cache, ours) = filled();
    fs::copy(theirs, ours).unwrap();
    assert!(cache.get(&DIGEST).is_none());
}

#[test]
fn code_of_another_component_under_a_components_name_is_no_hit() {
    let (dir, cache, file) = filled();
    cache.put(&[9; 32], b"code of another component").unwrap();
    let other = artifacts(&dir)
        .into_iter()
        .find(|path| *path != file)
        .unwrap();
    fs::copy(other, &file).unwrap();
    assert!(cache.get(&DIGEST).is_none());
}

#[test]
fn a_secret_that_others_may_read_is_refused() {
    let (dir, _, _) = filled();
    let secret = dir.path().join("secret");
    let mode = fs::metadata(&secret).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(
        CodeCache::open(dir.path()),
        Err(CacheError::Secret { .. })
    ));
}

#[test]
fn a_secret_of_another_length_is_refused() {
    let (dir, _, _) = filled();
    fs::write(dir.path().join("secret"), b"short").unwrap();
    assert!(matches!(
        CodeCache::open(dir.path()),
        Err(CacheError::Secret { .. })
    ));
}

#[test]
fn signed_bytes_that_are_no_code_for_this_engine_do_not_load() {
    let (_dir, cache, _) = filled();
    let trusted = cache.put(&DIGEST, b"not code at all").unwrap();
    assert_eq!(
        sandbox().load(&trusted).unwrap_err().code(),
        "plugin.artifact"
    );
}

#[test]
fn code_of_a_wrong_size_is_not_kept() {
    let (_dir, cache, _) = filled();
    let huge = vec![0; (64 << 20) + 1];
    assert!(matches!(
        cache.put(&DIGEST, &huge),
        Err(CacheError::TooLarge { .. })
    ));
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = CodeCache::open(&file.path().join("below")).unwrap_err();
    assert!(error.to_string().contains("below"));
}
