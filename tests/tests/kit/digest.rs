//! The same source has the same digest, wherever it is built.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use crate::author::{Author, checkout};

fn digest(author: &Author, arguments: &[&str]) -> anyhow::Result<Value> {
    Ok(author.json(&[&["plugin", "build"], arguments].concat())?["sha256"].clone())
}

/// A checkout of the SDK at another place, as on another machine.
fn another_checkout(place: &Path) -> anyhow::Result<()> {
    let checkout = checkout()?;
    fs::create_dir_all(place.join("plugins"))?;
    for file in ["Cargo.lock", "rust-toolchain.toml"] {
        fs::copy(checkout.join(file), place.join(file))?;
    }
    // The workspace without the rooms that a plugin does not see.
    let manifest = fs::read_to_string(checkout.join("Cargo.toml"))?;
    let members: Vec<&str> = manifest
        .lines()
        .map(|line| match line.starts_with("members = ") {
            true => "members = [\"plugins/*\"]",
            false => line,
        })
        .filter(|line| !line.starts_with("exclude = "))
        .collect();
    fs::write(place.join("Cargo.toml"), members.join("\n"))?;
    symlink(checkout.join("wit"), place.join("wit"))?;
    for room in ["sdk", "ir", "audit"] {
        copy(
            &checkout.join("plugins").join(room),
            &place.join("plugins").join(room),
        )?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

#[test]
fn the_same_source_has_the_same_digest_in_two_folders_and_with_another_checkout()
-> anyhow::Result<()> {
    let here = Author::of("circles", None)?;
    let first = digest(&here, &["circles"])?;

    let there = Author::new(None)?;
    let place = there.path().join("somewhere/else/entirely");
    another_checkout(&place)?;
    let place = place.display().to_string();
    there
        .run(&[
            "plugin",
            "new",
            "circles",
            "--sdk",
            &place,
            "--folder",
            "another/name",
        ])?
        .text()?;
    // What an author's environment says of compilers does not reach the build.
    let mut build = there.program(&aureole_tests::binary()?)?;
    build
        .env("RUSTFLAGS", "-Copt-level=0 -Cdebug-assertions=on")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .args(["--output", "json", "plugin", "build", "another/name"]);
    let second = crate::author::ran(&mut build)?.json()?["sha256"].clone();
    assert_eq!(first, second);

    // Not by looking away: other source has another digest.
    here.edit("circles/src/plugin.rs", "must have", "must be")?;
    assert_ne!(digest(&here, &["circles", "--locked"])?, first);
    Ok(())
}

#[test]
fn a_component_names_no_folder_of_the_machine_it_was_built_on() -> anyhow::Result<()> {
    let author = Author::of("circles", None)?;
    let out = author.path().join("circles.wasm").display().to_string();
    digest(&author, &["circles", "-o", &out])?;
    let component = fs::read(&out)?;
    let holds = |text: &str| {
        component
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    let home = std::env::var("HOME")?;
    for folder in [
        author.path().display().to_string(),
        checkout()?.display().to_string(),
        format!("{home}/.cargo"),
        format!("{home}/.rustup"),
    ] {
        assert!(!holds(&folder), "{folder} stands in the component");
    }
    Ok(())
}
