//! Request lines, headers, methods, ids and queries.

use serde_json::Value;

use crate::{
    house::{AUTH, CIRCUIT, DONE},
    wire::server,
};

const GETS: [&str; 12] = [
    "/health/live",
    "/health/ready",
    "/api/v1/plugins",
    "/api/v1/plugins/merkle",
    "/api/v1/plugins/merkle/0.1.0",
    "/api/v1/circuits/cir_0000000000000000000000000000000c",
    "/api/v1/circuits/cir_0000000000000000000000000000000c/ir",
    "/api/v1/tasks",
    "/api/v1/tasks/tsk_0000000000000000000000000000000d",
    "/api/v1/tasks/tsk_0000000000000000000000000000000d/proof",
    "/api/v1/errors",
    "/api/v1/errors/json.syntax",
];

#[tokio::test]
async fn head_answers_what_get_answers_without_the_body() {
    let server = server().await;
    let upload = server
        .client
        .upload_plugin("good".into(), Default::default(), |_, _| {})
        .await;
    upload.unwrap();
    for path in GETS {
        let get = server.ask("GET", path).await;
        let head = server.ask("HEAD", path).await;
        assert_eq!((get.status, head.status), (200, 200), "{path}");
        assert!(!get.body.is_empty() && head.body.is_empty(), "{path}");
        for name in ["content-type", "content-length", "etag", "cache-control"] {
            assert_eq!(get.header(name), head.header(name), "{path} {name}");
        }
    }
    let refused = server.ask("HEAD", "/api/v1/tasks/nothing").await;
    assert_eq!((refused.status, refused.body.as_str()), (400, ""));
}

#[tokio::test]
async fn a_path_outside_the_table_is_no_route() {
    let server = server().await;
    for path in [
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v2/plugins",
        "/api/v1/plugins/",
        "//",
        "*",
        "/api/v1/plugins/a/b/c",
        "/metrics",
        "/debug/pprof",
        "/../etc/passwd",
        "/api/v1/tasks/../plugins",
        "/api/v1/circuits/x/y",
    ] {
        let reply = server.ask("GET", path).await;
        assert!(matches!(reply.status, 404 | 400), "{path} {reply:?}");
        if reply.status == 404 {
            assert_eq!(reply.code(), "request.route", "{path}");
        }
    }
    server.assert_alive().await;
}

#[tokio::test]
async fn a_method_that_does_not_belong_to_its_route_is_told_which_do() {
    let server = server().await;
    for (method, path, allowed) in [
        ("POST", "/health/live", "get,head"),
        ("PUT", "/api/v1/plugins", "get,head,post"),
        ("PROPFIND", "/api/v1/plugins/merkle", "get,head,delete"),
        ("TRACE", "/api/v1/tasks", "get,head,post"),
        ("get", "/api/v1/tasks", "get,head,post"),
        ("OPTIONS", "/api/v1/proofs/verify", "post"),
        ("GET", "/api/v1/circuits", "post"),
        ("PATCH", "/api/v1/tasks/merkle", "get,head,post,delete"),
        ("DELETE", "/api/v1/errors", "get,head"),
    ] {
        let reply = server.ask(method, path).await;
        assert_eq!(reply.status, 405, "{method} {path}");
        assert_eq!(reply.code(), "request.method");
        let mut allow: Vec<_> = reply.header("allow").unwrap().split(',').collect();
        let mut expected: Vec<_> = allowed.split(',').collect();
        allow.sort_unstable();
        expected.sort_unstable();
        assert_eq!(allow, expected, "{method} {path}");
    }
    let connect = server.ask("CONNECT", "example.com:80").await;
    assert!((400..500).contains(&connect.status), "{connect:?}");
    server.assert_alive().await;
}

#[tokio::test]
async fn a_malformed_id_is_refused_with_its_form() {
    let server = server().await;
    let upper = DONE.to_uppercase();
    let long = format!("tsk_{}", "0".repeat(10_000));
    for id in [
        "x",
        "tsk_",
        "nil",
        "'; DROP TABLE tasks",
        CIRCUIT,
        &upper,
        &long,
        "%00",
        "%2e%2e",
    ] {
        let id = id.replace(' ', "%20");
        let reply = server.ask("GET", &format!("/api/v1/tasks/{id}")).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (400, "request.id"),
            "{id}"
        );
    }
    let circuit = server
        .ask("GET", &format!("/api/v1/circuits/{DONE}/ir"))
        .await;
    assert_eq!(circuit.code(), "request.id");
    for plugin in [
        "Merkle",
        "%2e%2e%2fetc",
        "a%00b",
        "%F0%9F%92%A5",
        "merkle/latest",
        "a%20b",
    ] {
        let reply = server
            .ask("GET", &format!("/api/v1/plugins/{plugin}"))
            .await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (400, "request.id"),
            "{plugin}"
        );
    }
}

#[tokio::test]
async fn a_well_formed_id_of_nothing_is_unknown() {
    let server = server().await;
    let nobody = "0".repeat(32);
    for (path, code) in [
        (format!("/api/v1/tasks/tsk_{nobody}"), "task.unknown"),
        (format!("/api/v1/tasks/tsk_{nobody}/proof"), "task.unknown"),
        (format!("/api/v1/circuits/cir_{nobody}"), "circuit.unknown"),
        ("/api/v1/plugins/nobody".to_owned(), "plugin.unknown"),
        ("/api/v1/plugins/nobody/1.0.0".to_owned(), "plugin.unknown"),
        ("/api/v1/errors/no.such".to_owned(), "request.route"),
    ] {
        let reply = server.ask("GET", &path).await;
        assert_eq!((reply.status, reply.code().as_str()), (404, code), "{path}");
    }
}

#[tokio::test]
async fn a_path_that_does_not_decode_is_refused() {
    let server = server().await;
    for path in [
        "/api/v1/tasks/%ff",
        "/api/v1/plugins/%c3%28/1.0.0",
        "/api/v1/errors/%80",
    ] {
        let reply = server.ask("GET", path).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (400, "request.path"),
            "{path}"
        );
    }
    assert_eq!(server.ask("GET", "/api/v1/tasks/%zz").await.status, 400);
    let raw = b"GET /\xff\xfe HTTP/1.1\r\nconnection: close\r\n\r\n";
    assert_eq!(server.raw(raw).await.status, 400);
}

#[tokio::test]
async fn a_query_that_is_not_understood_is_refused() {
    let server = server().await;
    for (path, code) in [
        ("/api/v1/plugins?sort=name", "request.query"),
        ("/api/v1/tasks?limit=0", "request.query"),
        ("/api/v1/tasks?limit=-1", "request.query"),
        ("/api/v1/tasks?limit=1000000000", "request.query"),
        ("/api/v1/tasks?limit=abc", "request.query"),
        ("/api/v1/tasks?limit=1&limit=2", "request.query"),
        ("/api/v1/tasks?state=finished", "request.query"),
        ("/api/v1/tasks?plugin=../etc", "request.query"),
        ("/api/v1/tasks?before=%20or%201=1", "request.cursor"),
        ("/api/v1/tasks?before=", "request.cursor"),
        ("/api/v1/plugins/merkle?wait=61s", "request.wait"),
        ("/api/v1/plugins/merkle?wait=30", "request.wait"),
        ("/api/v1/plugins/merkle?wait=-1s", "request.wait"),
        ("/api/v1/plugins/merkle?wait=", "request.wait"),
        (
            "/api/v1/plugins/merkle?wait=9999999999999years",
            "request.wait",
        ),
    ] {
        let reply = server.ask("GET", path).await;
        assert_eq!((reply.status, reply.code().as_str()), (422, code), "{path}");
    }
}

#[tokio::test]
async fn a_request_keeps_its_id_or_gets_one() {
    let server = server().await;
    let with = |id: &str| {
        format!("GET /none HTTP/1.1\r\nhost: a\r\nx-request-id: {id}\r\nconnection: close\r\n\r\n")
    };
    let kept = server.raw(with("deploy-7_a.b")).await;
    assert_eq!(kept.header("x-request-id"), Some("deploy-7_a.b"));
    assert_eq!(kept.problem()["request_id"], "deploy-7_a.b");
    for id in ["", "two words", "<script>", &"x".repeat(65), "é"] {
        let fresh = server.raw(with(id)).await;
        let given = fresh.header("x-request-id").unwrap();
        assert!(
            given.starts_with("req_") && given.len() == 36,
            "{id:?} became {given}"
        );
        assert_eq!(fresh.problem()["request_id"], given);
    }
    let (one, two) = (
        server.ask("GET", "/health/live").await,
        server.ask("GET", "/health/live").await,
    );
    assert_ne!(
        one.header("x-request-id").unwrap(),
        two.header("x-request-id").unwrap()
    );
}

#[tokio::test]
async fn a_head_over_the_limits_is_refused_and_the_connection_closed() {
    let server = server().await;
    let many = "x: y\r\n".repeat(200);
    let reply = server
        .raw(format!(
            "GET /health/live HTTP/1.1\r\nhost: a\r\n{many}\r\n"
        ))
        .await;
    assert_eq!(reply.status, 431, "{reply:?}");
    let large = format!("x: {}\r\n", "y".repeat(20_000));
    let reply = server
        .raw(format!(
            "GET /health/live HTTP/1.1\r\nhost: a\r\n{large}\r\n"
        ))
        .await;
    assert_eq!(reply.status, 431, "{reply:?}");
    let line = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(65_536));
    let reply = server.raw(line).await;
    assert!(matches!(reply.status, 414 | 431), "{reply:?}");
    server.assert_alive().await;
}

#[tokio::test]
async fn a_head_that_two_readers_would_split_differently_is_refused_or_closed() {
    let server = server().await;
    let post = format!(
        "POST /api/v1/tasks HTTP/1.1\r\nhost: a\r\n{AUTH}content-type: application/json\r\n"
    );
    for head in [
        format!("{post}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}"),
        format!("{post}content-length: +2\r\n\r\n{{}}"),
        format!("{post}content-length: 99999999999999999999\r\n\r\n{{}}"),
        format!("{post}content-length : 2\r\n\r\n{{}}"),
        format!("{post}x: a\r\n b\r\ncontent-length: 2\r\n\r\n{{}}"),
        format!("{post}x: a\0b\r\ncontent-length: 2\r\n\r\n{{}}"),
        format!("{post}transfer-encoding: gzip\r\n\r\n{{}}"),
        format!("{post}transfer-encoding: chunked, identity\r\n\r\n{{}}"),
        "GET /health/live HTTP/1.9\r\n\r\n".to_owned(),
        "GET /health/live\r\n\r\n".to_owned(),
        "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n".to_owned(),
    ] {
        let reply = server.raw(&head).await;
        assert!(
            reply.status == 400 || reply.status == 505,
            "{head:?} {reply:?}"
        );
    }
    server.assert_alive().await;
}

#[tokio::test]
async fn chunked_wins_over_a_content_length_and_ends_the_connection_state_cleanly() {
    let server = server().await;
    let both = format!(
        "POST /api/v1/tasks HTTP/1.1\r\nhost: a\r\n{AUTH}content-type: application/json\r\n\
         content-length: 4\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n\
         2\r\n{{}}\r\n0\r\n\r\n"
    );
    let reply = server.raw(both).await;
    assert_eq!(reply.code(), "json.missing_field");
}

#[tokio::test]
async fn the_type_of_a_problem_leads_to_its_explanation() {
    let server = server().await;
    let refused = server.ask("GET", "/api/v1/plugins/nobody").await;
    let kind = refused.problem()["type"].as_str().unwrap().to_owned();
    let explained = server.ask("GET", &kind).await;
    let code: Value = serde_json::from_str(&explained.body).unwrap();
    assert_eq!(
        (code["code"].as_str(), code["status"].as_u64()),
        (Some("plugin.unknown"), Some(404))
    );
    let all = server.ask("GET", "/api/v1/errors").await;
    let table: Value = serde_json::from_str(&all.body).unwrap();
    assert!(table["errors"].as_array().unwrap().contains(&code));
}

#[tokio::test]
async fn what_another_origin_or_a_proxy_claims_changes_nothing() {
    let server = server().await;
    let reply = server
        .raw(
            "GET /health/live HTTP/1.1\r\nhost: evil.example\r\norigin: https://evil.example\r\n\
             x-forwarded-for: 127.0.0.1\r\naccept: application/xml\r\nrange: bytes=9-1\r\n\
             connection: close\r\n\r\n",
        )
        .await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("access-control-allow-origin"), None);
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
}
