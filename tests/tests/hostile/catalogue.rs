//! The page of hostile things names tests that exist, and leaves no number out.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::Context as _;

/// A row of one of the page's tables.
struct Row {
    number: String,
    tests: Vec<(String, String)>,
}

/// The pages: hostile plugins, and bad requests.
const PAGES: [&str; 2] = ["hostile/README.md", "hostile/REQUESTS.md"];

fn rows(page: &str) -> anyhow::Result<Vec<Row>> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let page = fs::read_to_string(&page).context("the page is there")?;
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [number, _, _, proved] = cells.as_slice() else {
            return None;
        };
        let is_number = number.trim_start_matches('T').parse::<u8>().is_ok();
        let tests = proved
            .split('`')
            .filter_map(|quoted| quoted.rsplit_once("::"));
        is_number.then(|| Row {
            number: (*number).to_owned(),
            tests: tests
                .map(|(file, test)| (file.to_owned(), test.to_owned()))
                .collect(),
        })
    });
    Ok(rows.collect())
}

#[test]
fn every_test_that_the_page_names_exists() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let pages = PAGES.into_iter().map(rows).collect::<Result<Vec<_>, _>>()?;
    for row in pages.into_iter().flatten() {
        assert!(!row.tests.is_empty(), "{} is proved by nothing", row.number);
        for (file, test) in &row.tests {
            let text = fs::read_to_string(root.join(file))
                .with_context(|| format!("{}: {file}", row.number))?;
            let at = text.find(&format!("fn {test}("));
            let before = at.and_then(|at| text.get(at.saturating_sub(120)..at));
            let is_test = before.is_some_and(|it| it.contains("test]") || it.contains("test("));
            assert!(is_test, "{}: {file} has no test {test}", row.number);
        }
    }
    Ok(())
}

#[test]
fn every_case_every_threat_and_every_request_has_its_row() -> anyhow::Result<()> {
    let found: BTreeSet<String> = rows(PAGES[0])?.into_iter().map(|row| row.number).collect();
    let threats = (1..=30).map(|number| format!("T{number}"));
    let expected: BTreeSet<String> = (1..=57)
        .map(|case| case.to_string())
        .chain(threats)
        .collect();
    assert_eq!(found, expected);
    let found: Vec<String> = rows(PAGES[1])?.into_iter().map(|row| row.number).collect();
    let expected: Vec<String> = (1..=45).map(|case| case.to_string()).collect();
    assert_eq!(found, expected);
    Ok(())
}
