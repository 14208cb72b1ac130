//! gRPC that no generated client would send: frames, heads and messages by hand.

use aureole_client::rest::TaskState;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::time::timeout;

use crate::{
    house::{DONE, KEY},
    wire::{PATIENCE, Server, server},
};

const GET: &str = "/aureole.v1.Tasks/GetTask";

/// A frame around a message.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0][..], &length, message].concat()
}

/// A field of bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length > 127 {
        out.push((length & 127) as u8 | 128);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(bytes);
    out
}

/// Sends a request on a connection of its own.
async fn send(
    server: &Server,
    path: &str,
    head: &[(&str, &str)],
    body: Vec<u8>,
) -> Response<Incoming> {
    let stream = TokioIo::new(server.connect().await);
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    let key = format!("Bearer {KEY}");
    let mut request = Request::post(format!("http://{}{path}", server.address));
    request = request.header("authorization", key);
    for (name, value) in head {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(body))).unwrap();
    timeout(PATIENCE, sender.send_request(request))
        .await
        .unwrap()
        .unwrap()
}

/// The gRPC status and the stable code, from the head or the trailers.
async fn status(response: Response<Incoming>) -> (u32, String) {
    let (parts, body) = response.into_parts();
    let trailers = body
        .collect()
        .await
        .unwrap()
        .trailers()
        .cloned()
        .unwrap_or_default();
    let of = |name: &str| {
        let value = parts.headers.get(name).or_else(|| trailers.get(name));
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let code = of("aureole-code").unwrap_or_default();
    (of("grpc-status").unwrap().parse().unwrap(), code)
}

const HEAD: [(&str, &str); 2] = [("content-type", "application/grpc"), ("te", "trailers")];

#[tokio::test]
async fn a_message_that_is_none_is_refused_by_its_code_and_the_gateway_goes_on() {
    let server = server().await;
    let good = framed(&field(1, DONE.as_bytes()));
    assert_eq!(
        status(send(&server, GET, &HEAD, good.clone()).await).await,
        (0, String::new())
    );
    let too_large = 4 * 1024 * 1024 + 1;
    let nested = [vec![0x9b; 200], vec![0x9c; 200]].concat();
    let compressed = [&[1][..], &good[1..]].concat();
    for (what, body, wanted) in [
        ("nothing at all", vec![], (3, "request.message")),
        ("half a prefix", vec![0, 0, 0], (3, "request.message")),
        (
            "a prefix without its message",
            vec![0, 0, 0, 0, 9],
            (3, "request.message"),
        ),
        (
            "a prefix of 4 GiB",
            vec![0, 255, 255, 255, 255],
            (8, "request.too_large"),
        ),
        (
            "a prefix over the limit",
            vec![0, 0, 64, 0, 1],
            (8, "request.too_large"),
        ),
        (
            "a message over the limit",
            framed(&vec![0; too_large]),
            (8, "request.too_large"),
        ),
        (
            "a flag that is none",
            [&[7][..], &good[1..]].concat(),
            (3, "request.message"),
        ),
        (
            "a compressed flag without a codec",
            compressed,
            (3, "request.message"),
        ),
        (
            "a string that is not UTF-8",
            framed(&field(1, b"\xff\xfe")),
            (3, "request.message"),
        ),
        (
            "a field that ends early",
            framed(&[0x0a, 9, 1]),
            (3, "request.message"),
        ),
        (
            "a wire type that is none",
            framed(&[0x0f]),
            (3, "request.message"),
        ),
        (
            "groups nested 200 deep",
            framed(&nested),
            (3, "request.message"),
        ),
        (
            "an id that is none",
            framed(&field(1, b"tsk_1")),
            (3, "request.id"),
        ),
    ] {
        let answered = timeout(PATIENCE, status(send(&server, GET, &HEAD, body).await)).await;
        let (number, code) = answered.unwrap_or_else(|_| panic!("{what}: no answer"));
        assert_eq!((number, code.as_str()), wanted, "{what}");
    }
    // What it does not know it skips, as protobuf wants: a megabyte of it as well.
    let unknown = [field(1, DONE.as_bytes()), field(15, &vec![0; 1 << 20])].concat();
    assert_eq!(
        status(send(&server, GET, &HEAD, framed(&unknown)).await)
            .await
            .0,
        0
    );
    server.assert_alive().await;
}

#[tokio::test]
async fn a_head_that_is_none_is_refused_by_its_code() {
    let server = server().await;
    let body = || framed(&field(1, DONE.as_bytes()));
    let kind = ("content-type", "application/grpc");
    for (what, path, head, wanted) in [
        (
            "an unknown method",
            "/aureole.v1.Tasks/Steal",
            vec![kind],
            (12, "request.route"),
        ),
        (
            "an unknown service",
            "/aureole.v9.Tasks/GetTask",
            vec![kind],
            (12, "request.route"),
        ),
        (
            "no method",
            "/aureole.v1.Tasks",
            vec![kind],
            (12, "request.route"),
        ),
        (
            "another codec",
            GET,
            vec![("content-type", "application/grpc+json")],
            (3, "request.content_type"),
        ),
        (
            "an unknown compression",
            GET,
            vec![kind, ("grpc-encoding", "zstd")],
            (12, "request.content_encoding"),
        ),
        (
            "a timeout without unit",
            GET,
            vec![kind, ("grpc-timeout", "5")],
            (3, "request.wait"),
        ),
        (
            "a timeout that is none",
            GET,
            vec![kind, ("grpc-timeout", "-1S")],
            (3, "request.wait"),
        ),
        (
            "a timeout of ten digits",
            GET,
            vec![kind, ("grpc-timeout", "9999999999H")],
            (3, "request.wait"),
        ),
    ] {
        let (number, code) = status(send(&server, path, &head, body()).await).await;
        assert_eq!((number, code.as_str()), wanted, "{what}");
    }
    // `te: trailers` is a courtesy of clients, and the longest timeout is a timeout.
    for head in [vec![kind], vec![kind, ("grpc-timeout", "99999999H")]] {
        assert_eq!(status(send(&server, GET, &head, body()).await).await.0, 0);
    }
    // Without gRPC's content type it is a request like others, refused as such.
    let plain = send(&server, GET, &[("content-type", "text/plain")], body()).await;
    assert_eq!(plain.status(), 415);
    assert_eq!(plain.headers()["content-type"], "application/problem+json");
    server.assert_alive().await;
}

#[tokio::test]
async fn a_call_whose_time_is_over_says_so() {
    let server = server().await;
    server.house.change(|facts| {
        let mut running = facts.tasks[DONE].clone();
        running.state = TaskState::Running;
        facts.tasks.insert(DONE.to_owned(), running);
    });
    let patient = [field(1, DONE.as_bytes()), field(2, b"60s")].concat();
    for timeout in ["0S", "1n", "50m"] {
        let head = [HEAD[0], HEAD[1], ("grpc-timeout", timeout)];
        let answer = status(send(&server, GET, &head, framed(&patient)).await).await;
        assert_eq!(answer, (4, "request.deadline".to_owned()), "{timeout}");
    }
}
