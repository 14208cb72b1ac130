//! `cargo xtask tidy`: house rules that compilers do not check.
//!
//! Every Rust file says what it is for, no file holds two rooms, nothing stands at the top level
//! that the layout has no place for, crates import only along the arrows of
//! `host/ARCHITECTURE.md`, heavy dependencies stay with their owners, and none is locked below the
//! version that is safe.

mod floors;
mod owners;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

/// A file longer than this is perhaps two rooms in one; generated code is exempt.
const FILE_LINES_MAX: usize = 600;

/// The only names at the top level, beside dotfiles and licences.
const TOP_LEVEL: [&str; 12] = [
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "README.md",
    "host",
    "plugins",
    "wit",
    "proto",
    "migrations",
    "configs",
    "deployments",
    "tests",
];

/// Which crates of ours a crate may import; a crate that is not listed may import any.
const ARROWS: [(&str, &[&str]); 22] = [
    ("plugins/ir", &[]),
    ("plugins/sdk", &["ir"]),
    ("plugins/merkle", &["sdk"]),
    ("plugins/range", &["sdk"]),
    ("plugins/preimage", &["sdk"]),
    ("host/build", &[]),
    ("plugins/audit", &["ir"]),
    ("host/ledger", &["receipts"]),
    ("host/receipts", &[]),
    ("host/api", &[]),
    ("host/runtime", &["ir"]),
    ("host/prover", &["ir"]),
    ("host/draw", &["ir"]),
    ("host/store", &["ledger", "receipts"]),
    (
        "host/coordinator",
        &["ledger", "receipts", "store", "api", "telemetry"],
    ),
    ("host/gateway", &["ledger", "api", "telemetry"]),
    ("host/telemetry", &[]),
    ("host/oidc", &[]),
    ("host/webhooks", &["ledger"]),
    ("host/client", &["api"]),
    ("host/top", &["client"]),
    ("tests/servers", &[]),
];

/// Checks all rules and names every breach.
pub(crate) fn run(workspace: &Path) -> anyhow::Result<()> {
    let files = tracked(workspace)?;
    let mut breaches = top_level(&files);
    for file in files.iter().filter(|file| file.ends_with(".rs")) {
        let Ok(text) = fs::read_to_string(workspace.join(file)) else {
            continue;
        };
        breaches.extend(source_file(file, &text));
    }
    for (room, allowed) in ARROWS {
        let manifest = fs::read_to_string(workspace.join(room).join("Cargo.toml"))
            .with_context(|| format!("{room} has no manifest"))?;
        breaches.extend(arrows(room, allowed, &manifest));
    }
    breaches.extend(owners::check(workspace, &rooms(&files))?);
    breaches.extend(floors::check(workspace)?);
    if breaches.is_empty() {
        return Ok(());
    }
    for breach in &breaches {
        eprintln!("{breach}");
    }
    bail!("{} breaches of the house rules", breaches.len())
}

fn tracked(workspace: &Path) -> anyhow::Result<Vec<String>> {
    let listing = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(workspace)
        .output()
        .context("could not ask git which files there are")?;
    let listing = String::from_utf8(listing.stdout).context("a file name is not UTF-8")?;
    Ok(listing.lines().map(str::to_owned).collect())
}

fn top_level(files: &[String]) -> Vec<String> {
    let mut names: Vec<&str> = files
        .iter()
        .filter_map(|file| file.split('/').next())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .filter(|name| {
            !name.starts_with('.') && !name.starts_with("LICENSE-") && !TOP_LEVEL.contains(name)
        })
        .map(|name| format!("{name}: the top level has no room for it"))
        .collect()
}

fn source_file(file: &str, text: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    let generated = file.contains("/generated/");
    if !generated && !text.lines().take(12).any(|line| line.starts_with("//!")) {
        breaches.push(format!("{file}: does not open with //! and what it is for"));
    }
    let lines = text.lines().count();
    if !generated && !file.contains("/tests/") && lines > FILE_LINES_MAX {
        breaches.push(format!("{file}: {lines} lines, more than {FILE_LINES_MAX}"));
    }
    // Below tests/ it is cargo's way to say that a file is no test of its own.
    if file.ends_with("/mod.rs") && !file.contains("/tests/") {
        breaches.push(format!("{file}: name the module's file after the module"));
    }
    // Spelt in two halves so that this rule does not find itself.
    for mark in [
        concat!("FIX", "ME"),
        concat!("todo", "!("),
        concat!("#[ig", "nore"),
    ] {
        if text.contains(mark) {
            breaches.push(format!("{file}: holds `{mark}`"));
        }
    }
    breaches
}

/// The folders of the workspace's crates.
fn rooms(files: &[String]) -> Vec<String> {
    files
        .iter()
        .filter_map(|file| file.strip_suffix("/Cargo.toml"))
        .filter(|room| room.split('/').count() <= 2)
        .map(str::to_owned)
        .collect()
}

fn arrows(room: &str, allowed: &[&str], manifest: &str) -> Vec<String> {
    dependencies(manifest)
        .filter_map(|name| name.strip_prefix("aureole-"))
        .filter(|name| !allowed.contains(name))
        .map(|name| format!("{room}: may not import aureole-{name}"))
        .collect()
}

/// The names under a manifest's `dependencies`, those of single targets included, tests' not.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let sections = manifest.split("\n[").filter(|section| {
        let heading = section.split(']').next().unwrap_or_default();
        heading.ends_with("dependencies") && !heading.ends_with("dev-dependencies")
    });
    sections
        .flat_map(|section| section.lines().skip(1))
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
}

#[cfg(test)]
mod tests {
    //! The house is tidy, and each rule can tell when it is not.

    use super::{arrows, source_file, top_level, workspace_is_tidy};

    #[test]
    fn the_workspace_keeps_the_house_rules() -> anyhow::Result<()> {
        workspace_is_tidy()
    }

    #[test]
    fn a_file_without_a_header_is_named() {
        assert_eq!(source_file("host/a.rs", "fn a() {}\n").len(), 1);
        assert!(source_file("host/a.rs", "//! What it is.\n").is_empty());
    }

    #[test]
    fn a_stray_file_at_the_top_level_is_named() {
        let files = ["notes.txt".to_owned(), "host/api/src/lib.rs".to_owned()];
        assert_eq!(
            top_level(&files),
            ["notes.txt: the top level has no room for it"]
        );
    }

    #[test]
    fn an_arrow_that_the_design_does_not_have_is_named() {
        let manifest = "[package]\n\n[dependencies]\naureole-prover.workspace = true\n\n[dev-dependencies]\naureole-node.workspace = true\n";
        assert_eq!(
            arrows("host/gateway", &["api"], manifest),
            ["host/gateway: may not import aureole-prover"]
        );
    }
}

#[cfg(test)]
fn workspace_is_tidy() -> anyhow::Result<()> {
    run(&crate::workspace()?)
}
