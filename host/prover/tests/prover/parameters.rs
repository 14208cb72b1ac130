//! Parameters on disk: made once, checked on every read, made again when damaged.

use std::{fs, path::PathBuf};

use aureole_prover::{Error, K_MAX, ParamsDir};
use tempfile::TempDir;

fn file(dir: &TempDir, k: u32) -> PathBuf {
    dir.path().join(format!("halo2-ipa-vesta-k{k}.params"))
}

fn bytes(params: &halo2_proofs::poly::commitment::Params<pasta_curves::EqAffine>) -> Vec<u8> {
    let mut bytes = Vec::new();
    params.write(&mut bytes).unwrap();
    bytes
}

#[test]
fn parameters_are_stock_halo2s_and_survive_on_disk() {
    let dir = TempDir::new().unwrap();
    let made = ParamsDir::open(dir.path()).unwrap().get(5).unwrap();
    assert_eq!(
        bytes(&made),
        bytes(&halo2_proofs::poly::commitment::Params::new(5))
    );
    assert_eq!(fs::read(file(&dir, 5)).unwrap(), bytes(&made));
    let read = ParamsDir::open(dir.path()).unwrap().get(5).unwrap();
    assert_eq!(bytes(&read), bytes(&made));
}

#[test]
fn a_damaged_file_is_made_again() {
    let dir = TempDir::new().unwrap();
    let good = bytes(&ParamsDir::open(dir.path()).unwrap().get(4).unwrap());
    let mut flipped = good.clone();
    flipped[100] ^= 1;
    for damage in [flipped, good[..good.len() - 1].to_vec(), Vec::new()] {
        fs::write(file(&dir, 4), damage).unwrap();
        let again = ParamsDir::open(dir.path()).unwrap().get(4).unwrap();
        assert_eq!(bytes(&again), good);
        assert_eq!(fs::read(file(&dir, 4)).unwrap(), good);
    }
}

#[test]
fn parameters_of_another_k_under_the_name_of_this_one_are_made_again() {
    let dir = TempDir::new().unwrap();
    let params = ParamsDir::open(dir.path()).unwrap();
    params.get(4).unwrap();
    fs::copy(file(&dir, 4), file(&dir, 5)).unwrap();
    assert_eq!(params.get(5).unwrap().k(), 5);
}

#[test]
fn only_missing_and_damaged_files_are_generated() {
    let dir = TempDir::new().unwrap();
    let params = ParamsDir::open(dir.path()).unwrap();
    let mut seen = Vec::new();
    assert_eq!(params.generate_missing(3..=5, |k| seen.push(k)).unwrap(), 3);
    fs::write(file(&dir, 4), b"rot").unwrap();
    assert_eq!(params.generate_missing(3..=6, |k| seen.push(k)).unwrap(), 2);
    assert_eq!(seen, [3, 4, 5, 4, 6]);
    let leftovers = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(leftovers, 4, "temporary files stay behind");
}

#[test]
fn k_out_of_range_is_refused() {
    let dir = TempDir::new().unwrap();
    let params = ParamsDir::open(dir.path()).unwrap();
    for k in [0, 2, K_MAX + 1, 64, u32::MAX] {
        let error = params.get(k).unwrap_err();
        assert!(matches!(error, Error::K { max: K_MAX, .. }), "{error}");
        assert_eq!(error.code(), "circuit.k");
        params
            .generate_missing(k..=k, |_| panic!("generated k = {k}"))
            .unwrap_err();
    }
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = TempDir::new().unwrap();
    let blocked = dir.path().join("file");
    fs::write(&blocked, b"").unwrap();
    let error = ParamsDir::open(blocked.join("params")).unwrap_err();
    assert!(error.to_string().contains("file/params"), "{error}");
    assert_eq!(error.code(), "prover.params_file");
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_and_leaves_nothing() {
    let dir = TempDir::new().unwrap();
    let params = ParamsDir::open(dir.path()).unwrap();
    // A directory in the file's place: it can be neither read as a file nor replaced by one.
    fs::create_dir(file(&dir, 3)).unwrap();
    let error = params.get(3).unwrap_err();
    assert!(matches!(error, Error::ParamsFile { .. }), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}
