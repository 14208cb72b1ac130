//! A gateway under test, and the two ways to speak to it: the client, and raw bytes.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use aureole_client::Client;
use aureole_gateway::{Config, MemoryLimiter, Rates};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::house::{House, KEY};

/// No exchange of these tests takes this long; one that does is a hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running gateway with its platform.
pub(crate) struct Server {
    pub(crate) house: Arc<House>,
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
    pub(crate) stop: CancellationToken,
    pub(crate) running: JoinHandle<()>,
}

/// An answer in parts.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Starts a gateway with the default limits.
pub(crate) async fn server() -> Server {
    server_with(Config::default()).await
}

/// Starts a gateway whose callers may ask so often.
pub(crate) async fn server_at(rates: Rates) -> Server {
    start(Config::default(), rates).await
}

/// Starts a gateway.
pub(crate) async fn server_with(config: Config) -> Server {
    start(config, Rates::default()).await
}

async fn start(config: Config, rates: Rates) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let house = Arc::new(House::default());
    let stop = CancellationToken::new();
    let running = tokio::spawn(aureole_gateway::serve(
        listener,
        Arc::clone(&house) as _,
        Arc::new(MemoryLimiter::new(rates)),
        config,
        stop.clone().cancelled_owned(),
    ));
    let client = Client::new(&format!("http://{address}")).unwrap();
    let client = client.with_key(KEY);
    Server {
        house,
        address,
        client,
        stop,
        running,
    }
}

// === impl Server ===

impl Server {
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes on a fresh connection and reads until the gateway closes it.
    pub(crate) async fn raw(&self, bytes: impl AsRef<[u8]>) -> Reply {
        let mut stream = self.connect().await;
        // The gateway may answer and close before it has read everything.
        let _refused_midway = stream.write_all(bytes.as_ref()).await;
        let reply = last_reply(stream).await;
        crate::contract::check(bytes.as_ref(), &reply);
        reply
    }

    /// A request without a body on a connection of its own.
    pub(crate) async fn ask(&self, method: &str, path: &str) -> Reply {
        self.raw(format!(
            "{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer {KEY}\r\n\r\n"
        ))
        .await
    }

    /// A JSON request on a connection of its own.
    pub(crate) async fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Reply {
        self.post_as(path, "content-type: application/json\r\n", body)
            .await
    }

    /// A request with a body and headers on a connection of its own.
    pub(crate) async fn post_as(&self, path: &str, headers: &str, body: impl AsRef<[u8]>) -> Reply {
        let body = body.as_ref();
        let mut bytes = format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer {KEY}\r\n{headers}content-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        self.raw(bytes).await
    }

    /// Asserts that the gateway still does its work.
    pub(crate) async fn assert_alive(&self) {
        let live = timeout(PATIENCE, self.client.live()).await;
        live.expect("the gateway hangs")
            .expect("the gateway is gone");
    }
}

/// Reads until the peer closes.
pub(crate) async fn last_reply(mut stream: TcpStream) -> Reply {
    let mut bytes = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    let read = read.expect("the gateway left the connection open");
    assert!(
        read.is_ok() || !bytes.is_empty(),
        "reset without an answer: {read:?}"
    );
    Reply::parse(&bytes)
}

// === impl Reply ===

impl Reply {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Self {
            status: status.unwrap_or(0),
            head: head.to_lowercase(),
            body: body.to_owned(),
        }
    }

    /// The code of a refusal, whose every promised part is checked on the way.
    pub(crate) fn code(&self) -> String {
        let document = self.problem();
        document["code"].as_str().unwrap().to_owned()
    }

    /// The problem document.
    pub(crate) fn problem(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let document: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(document["status"], self.status, "{self:?}");
        assert_eq!(
            document["request_id"].as_str(),
            self.header("x-request-id"),
            "{self:?}"
        );
        for part in ["type", "title", "code", "detail"] {
            assert!(
                document[part].as_str().is_some_and(|text| !text.is_empty()),
                "{self:?}"
            );
        }
        document
    }

    /// A header's value, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}
