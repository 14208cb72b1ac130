//! Bodies: media types, encodings, sizes, times, and JSON.

use std::time::Duration;

use aureole_gateway::Config;
use tokio::io::AsyncWriteExt as _;

use crate::house::AUTH;
use crate::wire::{Reply, Server, last_reply, server, server_with};

const TASKS: &str = "/api/v1/tasks";
const JSON: &str = "content-type: application/json\r\n";
const WASM: &str = "content-type: application/wasm\r\n";

fn small() -> Config {
    Config {
        component_max: 1000,
        json_max: 1000,
        ..Config::default()
    }
}

async fn chunked(server: &Server, path: &str, headers: &str, chunks: &[&str]) -> Reply {
    let body: String = chunks
        .iter()
        .map(|c| format!("{:x}\r\n{c}\r\n", c.len()))
        .collect();
    let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\n{AUTH}connection: close\r\n{headers}");
    server
        .raw(format!(
            "{head}transfer-encoding: chunked\r\n\r\n{body}0\r\n\r\n"
        ))
        .await
}

#[tokio::test]
async fn a_json_route_takes_json_in_utf8_only() {
    let server = server().await;
    for kind in [
        "",
        "content-type: text/plain\r\n",
        "content-type: application/x-www-form-urlencoded\r\n",
        "content-type: multipart/form-data; boundary=x\r\n",
        "content-type: application/json; charset=utf-16\r\n",
        "content-type: application/jsonx\r\n",
        "content-type: \r\n",
        "content-type: application/json\r\ncontent-type: application/json\r\n",
        "content-type: application/json\u{e9}\r\n",
    ] {
        let reply = server.post_as(TASKS, kind, "{}").await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (415, "request.content_type"),
            "{kind}"
        );
    }
    for kind in [
        "application/json",
        "Application/JSON; charset=\"UTF-8\"",
        "application/json;q=1",
    ] {
        let reply = server
            .post_as(TASKS, &format!("content-type: {kind}\r\n"), "{}")
            .await;
        assert_eq!(reply.code(), "json.missing_field", "{kind}");
    }
}

#[tokio::test]
async fn an_upload_without_its_media_type_is_told_which_header_to_send() {
    let server = server().await;
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let reply = server.post_as("/api/v1/plugins", form, "good").await;
    assert_eq!(reply.code(), "request.content_type");
    let detail = reply.problem()["detail"].to_string();
    assert!(
        detail.contains("-H 'content-type: application/wasm"),
        "{detail}"
    );
    let bytes = "content-type: application/octet-stream\r\n";
    assert_eq!(
        server
            .post_as("/api/v1/plugins", bytes, "good")
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn a_compressed_body_is_refused_unread() {
    let server = server().await;
    for encoding in ["gzip", "br", "zstd", "identity, gzip", "unknown"] {
        for (path, kind) in [(TASKS, JSON), ("/api/v1/plugins", WASM)] {
            let headers = format!("{kind}content-encoding: {encoding}\r\n");
            let reply = server.post_as(path, &headers, "\x1f\x08").await;
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (415, "request.content_encoding")
            );
        }
    }
    let plain = server
        .post_as(
            TASKS,
            &format!("{JSON}content-encoding: identity\r\n"),
            "{}",
        )
        .await;
    assert_eq!(plain.code(), "json.missing_field");
    assert_eq!(server.house.0.borrow().uploads_begun, 0);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_by_its_declared_length() {
    let server = server_with(small()).await;
    let huge = format!(
        "POST {TASKS} HTTP/1.1\r\nhost: a\r\n{AUTH}{JSON}content-length: 1000000000\r\n\r\n"
    );
    let reply = server.raw(huge).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (413, "request.too_large")
    );
    assert_eq!(reply.header("connection"), Some("close"));
    let one_over = server
        .post_as("/api/v1/plugins", WASM, "x".repeat(1001))
        .await;
    assert_eq!(
        (one_over.status, one_over.code().as_str()),
        (413, "plugin.too_large")
    );
    assert_eq!(
        server
            .post_as("/api/v1/plugins", WASM, "x".repeat(1000))
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn a_caller_that_reads_only_after_sending_everything_still_gets_the_refusal() {
    let server = server_with(small()).await;
    let body = "x".repeat(4 << 20);
    for _ in 0..10 {
        let reply = server.post_as("/api/v1/plugins", WASM, &body).await;
        assert_eq!(reply.code(), "plugin.too_large");
        let reply = chunked(&server, TASKS, JSON, &[&body]).await;
        assert_eq!(reply.code(), "request.too_large");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_while_it_comes() {
    let server = server_with(small()).await;
    let chunk = "x".repeat(400);
    let reply = chunked(&server, "/api/v1/plugins", WASM, &[&chunk, &chunk, &chunk]).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (413, "plugin.too_large")
    );
    let reply = chunked(&server, TASKS, JSON, &["[", &chunk, &chunk, &chunk]).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (413, "request.too_large")
    );
    assert!(server.house.0.borrow().plugins.is_empty());
    let fits = chunked(&server, "/api/v1/plugins", WASM, &[&chunk, &chunk]).await;
    assert_eq!(fits.status, 201);
}

#[tokio::test]
async fn an_endless_body_ends_at_the_limit() {
    let server = server_with(small()).await;
    let mut stream = server.connect().await;
    let head = format!(
        "POST {TASKS} HTTP/1.1\r\nhost: a\r\n{AUTH}{JSON}transfer-encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (reader, mut writer) = stream.into_split();
    let endless = tokio::spawn(async move {
        let chunk = format!("400\r\n{}\r\n", " ".repeat(1024));
        while writer.write_all(chunk.as_bytes()).await.is_ok() {}
        writer
    });
    // The write fails once the gateway has closed: it does not read for ever.
    let writer = tokio::time::timeout(crate::wire::PATIENCE, endless)
        .await
        .unwrap()
        .unwrap();
    drop((reader, writer));
    server.assert_alive().await;
}

#[tokio::test]
async fn a_body_that_pauses_or_drags_on_is_refused() {
    let pause = Config {
        body_pause_max: Duration::from_millis(40),
        ..Config::default()
    };
    let whole = Config {
        body_time_max: Duration::from_millis(40),
        ..Config::default()
    };
    for (config, word) in [(pause, "paused"), (whole, "longer than")] {
        let server = server_with(config).await;
        for (path, kind) in [(TASKS, JSON), ("/api/v1/plugins", WASM)] {
            let mut stream = server.connect().await;
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: a\r\n{AUTH}{kind}content-length: 9\r\n\r\n{{"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            let reply = last_reply(stream).await;
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (408, "request.timeout")
            );
            assert!(reply.problem()["detail"].to_string().contains(word));
        }
    }
}

#[tokio::test]
async fn a_body_that_ends_early_leaves_nothing_behind() {
    let server = server().await;
    let mut stream = server.connect().await;
    let head = format!(
        "POST /api/v1/plugins HTTP/1.1\r\nhost: a\r\n{AUTH}{WASM}content-length: 9\r\n\r\ngoo"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    server.house.until(|facts| facts.uploads_begun == 1).await;
    drop(stream);
    server.assert_alive().await;
    assert!(server.house.0.borrow().plugins.is_empty());
    let broken = "zz\r\nnot a chunk\r\n";
    let head = format!(
        "POST {TASKS} HTTP/1.1\r\nhost: a\r\n{AUTH}{JSON}transfer-encoding: chunked\r\n\r\n"
    );
    let reply = server.raw(format!("{head}{broken}")).await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "request.body"));
}

#[tokio::test]
async fn a_refused_head_gets_no_invitation_to_send_the_body() {
    let server = server_with(small()).await;
    let expect = "expect: 100-continue\r\ncontent-length: 5000\r\nconnection: close\r\n";
    let refused = format!("POST {TASKS} HTTP/1.1\r\nhost: a\r\n{AUTH}{JSON}{expect}\r\n");
    let reply = server.raw(refused).await;
    assert_eq!(reply.status, 413, "{reply:?}");
}

#[tokio::test]
async fn large_bodies_over_the_budget_are_turned_away_and_small_ones_are_not() {
    let budget = 200 * 1024;
    let server = server_with(Config {
        json_in_flight_max: budget,
        ..Config::default()
    })
    .await;
    let input = |bytes: usize| {
        format!(
            "{{\"plugin\":\"merkle\",\"input\":\"{}\"}}",
            "x".repeat(bytes)
        )
    };
    let busy = server.post(TASKS, input(400 * 1024)).await;
    assert_eq!((busy.status, busy.code().as_str()), (503, "node.busy"));
    assert_eq!(busy.header("retry-after"), Some("1"));
    assert_eq!(server.post(TASKS, input(10)).await.status, 202);
    // The budget comes back with the end of each request.
    for _ in 0..3 {
        assert_eq!(server.post(TASKS, input(150 * 1024)).await.status, 202);
    }
}

#[tokio::test]
async fn an_upload_takes_from_the_budget_as_it_comes() {
    let server = server_with(Config {
        json_in_flight_max: 200 * 1024,
        ..Config::default()
    })
    .await;
    let component = |bytes: usize| "x".repeat(bytes);
    let upload = |body: String| server.post_as("/api/v1/plugins", WASM, body);
    let busy = upload(component(400 * 1024)).await;
    assert_eq!((busy.status, busy.code().as_str()), (503, "node.busy"));
    // The budget comes back with the end of each request.
    for bytes in [150, 151, 152] {
        assert_eq!(upload(component(bytes * 1024)).await.status, 201);
    }
}

#[tokio::test]
async fn what_is_not_strict_json_never_reaches_the_platform() {
    let server = server().await;
    let deep = "[".repeat(100_000);
    for (body, status, code) in [
        ("", 400, "json.syntax"),
        ("{", 400, "json.syntax"),
        ("{} {}", 400, "json.syntax"),
        ("null", 422, "json.type"),
        ("[]", 422, "json.type"),
        ("\"x\"", 422, "json.type"),
        (deep.as_str(), 400, "json.depth"),
        (
            r#"{"plugin":"a","plugin":"b","input":1}"#,
            400,
            "json.duplicate_key",
        ),
        (
            r#"{"plugin":"a","input":{"x":[1,{"y":1,"y":2}]}}"#,
            400,
            "json.duplicate_key",
        ),
        (r#"{"plugin":"a","input":1e400}"#, 422, "json.number"),
        (r#"{"plugin":"a","input":"\ud800"}"#, 400, "json.syntax"),
        (
            r#"{"plugin":"a","input":1,"extra":1}"#,
            422,
            "json.unknown_field",
        ),
        (r#"{"plugin":"a"}"#, 422, "json.missing_field"),
        (
            r#"{"plugin":"a","input":1,"priority":1.5}"#,
            422,
            "json.type",
        ),
    ] {
        let reply = server.post(TASKS, body).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (status, code),
            "{body:.60}"
        );
    }
    let bytes = server.post(TASKS, b"{\"plugin\":\"\xff\"}").await;
    assert_eq!(bytes.code(), "json.encoding");
    assert!(server.house.0.borrow().submissions.is_empty());
    server.assert_alive().await;
}

#[tokio::test]
async fn a_long_document_is_read_as_strictly_as_a_short_one() {
    let server = server().await;
    let long = "x".repeat(200_000);
    let reply = server
        .post(TASKS, format!("{{\"input\":\"{long}\",\"input\":1}}"))
        .await;
    assert_eq!(reply.problem()["path"], "/input");
    assert_eq!(reply.code(), "json.duplicate_key");
}
