//! The handbook's commands are commands of this build.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::fs;
use std::path::Path;

use clap::Parser as _;
use clap::error::ErrorKind;

use super::Arguments;

/// The words of a command that a shell would hand over: without what follows a comment, a pipe or a
/// redirection. A variable stands for some text.
fn words(line: &str) -> Vec<String> {
    let line = line.split(" #").next().unwrap_or_default();
    let mut words = Vec::new();
    for word in line.split_whitespace() {
        if matches!(word, "|" | ">" | "<" | "&&" | "||" | ";" | "&") {
            break;
        }
        words.push(word.trim_matches(['"', '\'']).replace('$', ""));
    }
    words
}

/// The lines of fenced blocks that run this binary.
fn commands(page: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced && line.trim_start().starts_with("aureole ") {
            found.push(line.trim());
        }
    }
    found
}

#[test]
fn every_command_of_the_handbook_and_the_guides_parses() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut count = 0;
    for page in ["README.md", "deployments/README.md", "plugins/README.md"] {
        let text = fs::read_to_string(root.join(page)).unwrap();
        let text = text.replace("\\\n", " ");
        for command in commands(&text) {
            count += 1;
            let Err(error) = Arguments::try_parse_from(words(command)) else {
                continue;
            };
            // What an operator sets once, by a variable, is not repeated on each line.
            let is_set_elsewhere = error.kind() == ErrorKind::MissingRequiredArgument
                && error.to_string().contains("--coordinator");
            assert!(is_set_elsewhere, "{page}: {command}\n{error}");
        }
    }
    assert!(count > 20, "only {count} commands were found");
}
