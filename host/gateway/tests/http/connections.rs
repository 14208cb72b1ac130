//! Connections: slow, silent, too many, gone, in HTTP/2, and while the gateway stops.

use std::{sync::Arc, time::Duration};

use aureole_client::rest::TaskState;
use aureole_gateway::Config;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use crate::house::{AUTH, CIRCUIT};
use crate::wire::{PATIENCE, last_reply, server, server_with};

const FIRST: &str = "/api/v1/tasks/tsk_00000000000000000000000000000001";

fn hasty() -> Config {
    let short = Duration::from_millis(50);
    Config {
        head_timeout: short,
        flush_time_max: short,
        ..Config::default()
    }
}

#[tokio::test]
async fn a_peer_that_never_ends_its_head_is_closed() {
    let server = server_with(hasty()).await;
    for begun in [
        "",
        "P",
        "PRI * HTTP/2.0\r\n",
        "GET /health/live HT",
        "GET / HTTP/1.1\r\nhost: a\r\n",
    ] {
        let mut stream = server.connect().await;
        stream.write_all(begun.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let closed = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
        assert!(closed.is_ok(), "{begun:?} is still connected");
        assert!(!bytes.starts_with(b"HTTP/1.1 2"), "{begun:?}");
    }
    server.assert_alive().await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_waiting_one_is_not() {
    let server = server_with(hasty()).await;
    server.post("/api/v1/tasks/merkle?wait=0s", "{}").await;
    let mut idle = server.connect().await;
    let live = "GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n";
    idle.write_all(live.as_bytes()).await.unwrap();
    let mut waiting = server.connect().await;
    let wait =
        format!("GET {FIRST}?wait=400ms HTTP/1.1\r\nhost: a\r\n{AUTH}connection: close\r\n\r\n");
    waiting.write_all(wait.as_bytes()).await.unwrap();
    // The one that waits eight times as long as an idle one may stay gets its answer.
    assert_eq!(last_reply(idle).await.status, 200);
    let reply = last_reply(waiting).await;
    assert!(reply.body.contains("queued"), "{reply:?}");
}

#[tokio::test]
async fn a_silent_http2_connection_is_closed() {
    let server = server_with(hasty()).await;
    let mut stream = server.connect().await;
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    stream.write_all(&settings).await.unwrap();
    let mut bytes = Vec::new();
    let closed = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    assert!(closed.is_ok() && !bytes.is_empty());
}

#[tokio::test]
async fn http2_without_tls_is_spoken_to_who_knows_it() {
    let server = server().await;
    // hyper's client half, straight on the socket.
    let stream = server.connect().await;
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io)
        .await
        .unwrap();
    let driver = tokio::spawn(connection);
    let uri = format!("http://{}/api/v1/plugins/nobody", server.address);
    let (name, value) = AUTH.trim_end().split_once(": ").unwrap();
    let request = hyper::Request::get(uri)
        .header(name, value)
        .body(axum::body::Body::empty())
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    driver.abort();
}

#[tokio::test]
async fn one_connection_too_many_is_told_so_and_the_next_is_served() {
    let server = server_with(Config {
        connections_max: 2,
        ..Config::default()
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect().await;
        stream
            .write_all(b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .unwrap();
        let mut byte = [0; 1];
        stream.read_exact(&mut byte).await.unwrap();
        held.push(stream);
    }
    let refused = server.connect().await;
    let reply = last_reply(refused).await;
    assert_eq!(reply.status, 503);
    assert!(reply.body.contains("node.busy") && reply.header("retry-after") == Some("1"));
    drop(held);
    // The slots come back as soon as the gateway sees the connections gone.
    let served = async {
        while server.client.live().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, served).await.unwrap();
}

#[tokio::test]
async fn requests_over_the_limit_are_refused_and_health_is_not() {
    let server = Arc::new(
        server_with(Config {
            requests_max: 1,
            ..Config::default()
        })
        .await,
    );
    let waiting = {
        let server = Arc::clone(&server);
        tokio::spawn(async move { server.post("/api/v1/tasks/merkle?wait=20s", "{}").await })
    };
    server.house.until(|facts| facts.waits == 1).await;
    let refused = server.ask("GET", "/api/v1/plugins").await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (503, "node.busy")
    );
    assert_eq!(server.ask("GET", "/health/live").await.status, 200);
    assert_eq!(server.ask("GET", "/health/ready").await.status, 200);
    waiting.abort();
}

#[tokio::test]
async fn a_panic_in_a_handler_is_an_answer_and_the_gateway_lives() {
    let server = server().await;
    let reply = server
        .post("/api/v1/tasks/merkle", r#"{"panic":"0xsecret"}"#)
        .await;
    assert_eq!((reply.status, reply.code().as_str()), (500, "internal"));
    assert!(!reply.body.contains("secret") && !reply.body.contains(".rs"));
    server.assert_alive().await;
}

#[tokio::test]
async fn a_node_that_is_not_ready_says_so_and_lives() {
    let server = server().await;
    assert!(server.client.ready().await.unwrap().ready);
    server.house.change(|facts| facts.unready = true);
    assert_eq!(server.ask("GET", "/health/ready").await.status, 503);
    assert!(!server.client.ready().await.unwrap().ready);
    server.assert_alive().await;
}

#[tokio::test]
async fn callers_that_leave_give_their_slots_back() {
    let config = Config {
        requests_max: 4,
        connections_max: 8,
        ..Config::default()
    };
    let server = server_with(config).await;
    for round in 1..=20 {
        let mut stream = server.connect().await;
        let wait = format!(
            "POST /api/v1/tasks/merkle?wait=60s HTTP/1.1\r\nhost: a\r\n{AUTH}\
             content-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        stream.write_all(wait.as_bytes()).await.unwrap();
        let begun = server
            .house
            .until(|facts| facts.submissions.len() >= round)
            .await;
        assert_eq!(begun.submissions.len(), round);
        drop(stream);
        let free = async {
            while server.client.plugins().await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, free).await.unwrap();
    }
}

#[tokio::test]
async fn a_stop_answers_those_who_wait_with_the_state_of_that_moment() {
    let server = server().await;
    let waiting = server.post("/api/v1/tasks/merkle?wait=60s", "{}");
    let stop = async {
        server.house.until(|facts| facts.waits == 1).await;
        server.stop.cancel();
    };
    let (reply, ()) = tokio::join!(waiting, stop);
    assert_eq!(reply.status, 202);
    assert!(reply.body.contains(TaskState::Queued.name()));
    timeout(PATIENCE, server.running)
        .await
        .expect("the gateway does not stop")
        .unwrap();
}

#[tokio::test]
async fn a_stop_ends_idle_connections_and_drops_those_that_never_end() {
    let drain = Config {
        drain_time_max: Duration::from_millis(50),
        ..Config::default()
    };
    let server = server_with(drain).await;
    let mut stuck = server.connect().await;
    let upload = format!(
        "POST /api/v1/plugins HTTP/1.1\r\nhost: a\r\n{AUTH}\
         content-type: application/wasm\r\ncontent-length: 9\r\n\r\ng"
    );
    stuck.write_all(upload.as_bytes()).await.unwrap();
    server.house.until(|facts| facts.uploads_begun == 1).await;
    let silent = server.connect().await;
    server.stop.cancel();
    timeout(PATIENCE, server.running)
        .await
        .expect("the gateway does not stop")
        .unwrap();
    assert!(
        tokio::net::TcpStream::connect(server.address)
            .await
            .is_err()
    );
    drop((stuck, silent));
}

#[tokio::test]
async fn five_hundred_slow_peers_do_not_keep_the_others_waiting() {
    let server = server().await;
    let mut slow = Vec::new();
    for _ in 0..500 {
        let mut stream = server.connect().await;
        stream.write_all(b"GET /health").await.unwrap();
        slow.push(stream);
    }
    let start = std::time::Instant::now();
    server.assert_alive().await;
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_peer_that_does_not_read_its_answer_is_dropped() {
    let server = server_with(Config {
        connections_max: 1,
        ..hasty()
    })
    .await;
    // More than the socket buffers of both sides hold.
    server
        .house
        .change(|facts| facts.circuit_bytes = Some(vec![7; 32 << 20].into()));
    let mut deaf = server.connect().await;
    let ask = format!("GET /api/v1/circuits/{CIRCUIT}/ir HTTP/1.1\r\nhost: a\r\n{AUTH}\r\n");
    deaf.write_all(ask.as_bytes()).await.unwrap();
    let mut byte = [0; 1];
    deaf.read_exact(&mut byte).await.unwrap();
    let served = async {
        while server.client.live().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, served)
        .await
        .expect("the slot is still taken");
    drop(deaf);
}
