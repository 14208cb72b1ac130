//! The console's files: each served as what it is, under a strict policy, complete, and with nothing in
//! them that the policy forbids or that would be fetched from elsewhere.

use std::{collections::BTreeSet, fs, path::Path};

use axum::http::Method;

use crate::wire::{Reply, Server, server};

/// Where the files are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/console");

/// The paths of all files of the console, as they stand below its address.
fn files() -> BTreeSet<String> {
    fn walk(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
                continue;
            }
            let name = path.strip_prefix(FOLDER).unwrap().to_str().unwrap();
            found.insert(name.to_owned());
        }
    }
    let mut found = BTreeSet::new();
    walk(Path::new(FOLDER), &mut found);
    found
}

/// The address of a file: the page stands at the top.
fn address(name: &str) -> String {
    match name {
        "index.html" => "/console".to_owned(),
        name => format!("/console/{name}"),
    }
}

/// What stands between a text and the next quotation mark, each time.
fn between<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(before)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
}

/// A request without a key, as a browser sends for a file.
async fn open(server: &Server, method: Method, path: &str, headers: &str) -> Reply {
    server
        .raw(format!(
            "{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{headers}\r\n"
        ))
        .await
}

#[tokio::test]
async fn every_file_is_served_as_what_it_is_under_a_strict_policy() {
    let server = server().await;
    let files = files();
    assert!(files.len() > 20, "{files:?}");
    for name in &files {
        let kind = match name.rsplit('.').next().unwrap() {
            "html" => "text/html; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            "js" => "text/javascript; charset=utf-8",
            other => panic!("{name}: the gateway knows no {other}"),
        };
        let reply = open(&server, Method::GET, &address(name), "").await;
        assert_eq!(reply.status, 200, "{name}");
        assert_eq!(reply.header("content-type"), Some(kind), "{name}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(reply.header("x-frame-options"), Some("deny"));
        assert_eq!(
            reply.header("content-security-policy"),
            Some(
                "default-src 'none'; script-src 'self'; style-src 'self'; \
                 img-src 'self' blob: data:; connect-src 'self'; form-action 'none'; \
                 frame-ancestors 'none'; base-uri 'none'"
            )
        );
        let written = fs::read_to_string(format!("{FOLDER}/{name}")).unwrap();
        assert!(reply.body == written, "{name} is another file");
    }
}

#[tokio::test]
async fn a_file_that_the_browser_has_is_not_sent_again() {
    let server = server().await;
    for path in ["/console", "/console/app.js"] {
        let first = open(&server, Method::GET, path, "").await;
        let tag = first.header("etag").unwrap();
        assert_eq!(first.header("cache-control"), Some("no-cache"));
        let again = format!("if-none-match: {tag}\r\n");
        let again = open(&server, Method::GET, path, &again).await;
        assert_eq!(again.status, 304, "{path}");
        assert!(again.body.is_empty());
        assert_eq!(again.header("etag"), Some(tag));
        let other = open(&server, Method::GET, path, "if-none-match: \"x\"\r\n").await;
        assert_eq!(other.status, 200, "{path}");
    }
}

#[tokio::test]
async fn the_nodes_name_alone_leads_to_the_console_and_what_is_no_file_nowhere() {
    let server = server().await;
    let root = open(&server, Method::GET, "/", "").await;
    assert_eq!(root.status, 307);
    assert_eq!(root.header("location"), Some("/console"));
    for path in [
        "/console/none.js",
        "/console/index.html",
        "/console/pages",
        "/console/../Cargo.toml",
        "/console/%2e%2e/Cargo.toml",
        "/console//app.js",
    ] {
        let reply = open(&server, Method::GET, path, "").await;
        assert_eq!(reply.status, 404, "{path} {reply:?}");
        assert_eq!(reply.code(), "request.route", "{path}");
    }
    let put = open(
        &server,
        Method::PUT,
        "/console/app.js",
        "content-length: 0\r\n",
    )
    .await;
    assert_eq!(put.status, 405);
}

#[test]
fn nothing_stands_in_the_files_that_the_policy_forbids() {
    for name in files() {
        let text = fs::read_to_string(format!("{FOLDER}/{name}")).unwrap();
        // Texts of tenants become text nodes and nothing else.
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "DOMParser",
            "eval(",
            "new Function",
            "https://",
            "localStorage",
            "<style",
            " style=",
            " onclick=",
            "javascript:",
        ] {
            assert!(!text.contains(forbidden), "{name} holds {forbidden}");
        }
        let names = text.replace("http://www.w3.org/2000/svg", "");
        assert!(!names.contains("http://"), "{name} names a server");
        assert!(text.lines().count() < 600, "{name} is too long");
        let comment = text.starts_with("// ") || text.starts_with("/* ");
        assert!(
            comment || !name.ends_with("js") && !name.ends_with("css"),
            "{name} does not say what it is for"
        );
    }
    let page = fs::read_to_string(format!("{FOLDER}/index.html")).unwrap();
    for script in page.split("<script").skip(1) {
        let (head, rest) = script.split_once('>').unwrap();
        assert!(head.contains("src=\""), "{head}");
        assert!(rest.starts_with("</script>"), "a script stands in the page");
    }
}

#[test]
fn every_link_and_import_leads_to_a_file_and_every_file_is_reached() {
    let files = files();
    let mut reached = BTreeSet::from(["index.html".to_owned()]);
    let page = fs::read_to_string(format!("{FOLDER}/index.html")).unwrap();
    for place in between(&page, "href=\"").chain(between(&page, "src=\"")) {
        let Some(name) = place.strip_prefix("/console/") else {
            assert!(place.starts_with('#'), "{place} leads away");
            continue;
        };
        assert!(files.contains(name), "the page asks for {name}");
        reached.insert(name.to_owned());
    }
    for name in files.iter().filter(|name| name.ends_with(".js")) {
        let text = fs::read_to_string(format!("{FOLDER}/{name}")).unwrap();
        for place in between(&text, " from \"") {
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            let target = match place.strip_prefix("../") {
                Some(above) => above.to_owned(),
                None => {
                    let beside = place.strip_prefix("./").unwrap();
                    Path::new(folder).join(beside).to_str().unwrap().to_owned()
                }
            };
            assert!(files.contains(&target), "{name} imports {place}");
            reached.insert(target);
        }
    }
    assert_eq!(reached, files, "a file that nothing asks for");
}
