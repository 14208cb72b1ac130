//! The contract's version rules, as `wit/README.md` states them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

/// `0.1.0` of `package aureole:circuit@0.1.0;`
fn version(text: &str) -> String {
    let line = text.lines().find(|line| line.starts_with("package "));
    line.and_then(|line| line.strip_prefix("package aureole:circuit@"))
        .and_then(|line| line.strip_suffix(';'))
        .unwrap_or_else(|| panic!("no package line"))
        .to_owned()
}

#[test]
fn the_contract_has_a_version_that_its_readme_lists() {
    let version = version(&fs::read_to_string(wit().join("circuit.wit")).unwrap());
    assert_eq!(version.split('.').count(), 3);
    let readme = fs::read_to_string(wit().join("README.md")).unwrap();
    assert!(readme.contains(&format!("| {version} |")), "{version}");
}

#[test]
fn a_released_version_of_the_contract_never_changes() {
    let current = fs::read_to_string(wit().join("circuit.wit")).unwrap();
    let released = match fs::read_dir(wit().join("released")) {
        Ok(released) => released,
        // Nothing is released yet.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => panic!("{error}"),
    };
    for folder in released {
        let folder = folder.unwrap();
        let text = fs::read_to_string(folder.path().join("circuit.wit")).unwrap();
        assert_eq!(folder.file_name().to_str(), Some(version(&text).as_str()));
        if version(&current) == version(&text) {
            assert!(current == text, "circuit.wit differs from its release");
        }
    }
}
