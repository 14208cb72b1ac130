//! What is promised of the table of codes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{all, find, page};

#[test]
fn every_code_stands_once_and_is_found_by_its_name() {
    let mut seen = BTreeSet::new();
    for code in all() {
        assert!(seen.insert(code.code), "{} stands twice", code.code);
        assert_eq!(find(code.code).unwrap().title, code.title);
    }
    assert!(find("plugin.no_such").is_none());
}

#[test]
fn every_code_has_a_form_a_status_and_all_its_texts() {
    for code in all() {
        let plain = |c: char| c.is_ascii_lowercase() || c == '_' || c == '.';
        assert!(code.code.chars().all(plain), "{}", code.code);
        assert!((400..=599).contains(&code.status), "{}", code.code);
        let title = code.title;
        assert!(!title.is_empty() && !title.ends_with('.'), "{}", code.code);
        assert!(code.meaning.ends_with('.'), "{}", code.code);
        assert!(code.what_to_do.ends_with('.'), "{}", code.code);
    }
}

#[test]
fn a_family_stands_together() {
    let mut closed = BTreeSet::new();
    let mut family = "";
    for code in all() {
        let of = code.code.split('.').next().unwrap();
        if of != family {
            assert!(closed.insert(of), "family {of} stands in two places");
            family = of;
        }
    }
}

#[test]
fn the_page_in_the_repository_is_the_generated_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/CODES.md");
    if option_env!("AUREOLE_BLESS").is_some() {
        fs::write(path, page::markdown()).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(committed, page::markdown(), "run with AUREOLE_BLESS=1");
}

/// The rooms that name codes as strings.
const ROOMS: [&str; 7] = [
    "../coordinator",
    "../ledger",
    "../prover",
    "../runtime",
    "../store",
    "../worker",
    "../../plugins/ir",
];

/// Families that those rooms write; `node.`, `task.` and so on in other texts are not codes.
const WRITTEN: [&str; 16] = [
    "circuit",
    "input",
    "ir",
    "limits",
    "node",
    "params",
    "plugin",
    "proof",
    "prover",
    "public_inputs",
    "sandbox",
    "task",
    "verifying_key",
    "webhook",
    "witness",
    "worker",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_code_that_a_room_names_is_in_the_table() {
    let mut files = Vec::new();
    for room in ROOMS {
        sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(room).join("src"),
            &mut files,
        );
    }
    let mut named = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for literal in text.split('"').filter(|literal| is_code(literal)) {
            assert!(
                find(literal).is_some(),
                "{literal} of {} has no entry",
                file.display()
            );
            named += 1;
        }
    }
    assert!(
        named > 50,
        "only {named} codes were found: has their form changed?"
    );
}

fn is_code(literal: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c == '_';
    literal.split_once('.').is_some_and(|(family, item)| {
        WRITTEN.contains(&family) && !item.is_empty() && item.chars().all(plain)
    })
}
