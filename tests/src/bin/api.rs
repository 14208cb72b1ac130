//! `api SECONDS`: submissions and status reads a second through a gateway, over a bare axum echo
//! server in the same run.
//!
//! The same connections send to both, turn by turn: to the node with an administrator's key, whose
//! rate is not limited there. No proof is waited for; the node's prover works beside on what was
//! submitted, as it would. The last line is one JSON object; what comes before is for people.
#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use aureole_tests::{KEY, Node, Options, preimage_input};
use axum::{Router, body::Bytes, routing::post};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Connections that ask at the same time.
const CONNECTIONS: usize = 16;

/// Turns of each server.
const ROUNDS: u32 = 3;

/// What a server did in one turn, or in all.
#[derive(Default)]
struct Load {
    seconds: f64,
    millis: Vec<f64>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let seconds: f64 = match std::env::args().nth(1) {
        Some(text) => text
            .parse()
            .context("give the seconds of a turn, such as 5")?,
        None => 5.0,
    };
    ensure!(seconds > 0.0, "give a time to measure");
    let turn = Duration::from_secs_f64(seconds / f64::from(ROUNDS));
    let options = Options {
        unlimited: true,
        ..Options::default()
    };
    let node = Node::start_with(options)?.having(&["preimage"]).await?;
    let client = node.client()?;
    let plugin = client.plugin("preimage", Duration::ZERO).await?;
    let circuit = plugin.default_circuit.context("preimage has no circuit")?;
    let task = node.submit(&circuit, preimage_input(7)).await?;
    node.done(&task.id).await?;
    let echo = echo().await?;
    let address: SocketAddr = node.url().trim_start_matches("http://").parse()?;

    let read = request("GET", &format!("/api/v1/tasks/{}", task.id), "");
    let body = json!({"circuit": circuit, "input": preimage_input(7)}).to_string();
    let submission = request("POST", "/api/v1/tasks", &body);
    let plain = request("POST", "/echo", &body);

    let [mut echoes, mut reads, mut submissions] = [(); 3].map(|()| Load::default());
    for round in 1..=ROUNDS {
        echoes.add(load(echo, &plain, turn).await?);
        reads.add(load(address, &read, turn).await?);
        submissions.add(load(address, &submission, turn).await?);
        println!("  turn {round} of {ROUNDS}");
    }
    let (echoed, read, submitted) = (echoes.rate(), reads.rate(), submissions.rate());
    for (what, load) in [
        ("echo", &mut echoes),
        ("status reads", &mut reads),
        ("submissions", &mut submissions),
    ] {
        let (rate, p50, p99) = (load.rate(), load.at(0.5), load.at(0.99));
        println!("  {what}: {rate:.0}/s, p50 {p50:.2} ms, p99 {p99:.2} ms");
    }
    let report = json!({
        "bench": "api",
        "connections": CONNECTIONS,
        "echo_per_s": echoed,
        "echo_p99_ms": echoes.at(0.99),
        "status_reads_per_s": read,
        "status_reads_p99_ms": reads.at(0.99),
        "submissions_per_s": submitted,
        "submissions_p99_ms": submissions.at(0.99),
        "ratio": read / echoed,
        "submissions_ratio": submitted / echoed,
    });
    println!("{report}");
    Ok(())
}

/// A server that answers with what it got.
async fn echo() -> anyhow::Result<SocketAddr> {
    let router = Router::new().route("/echo", post(|body: Bytes| async move { body }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

fn request(method: &str, path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {KEY}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Sends the same request again and again on every connection.
async fn load(server: SocketAddr, request: &[u8], turn: Duration) -> anyhow::Result<Load> {
    let start = Instant::now();
    let askers: Vec<_> = (0..CONNECTIONS)
        .map(|_| tokio::spawn(ask(server, request.to_vec(), start + turn)))
        .collect();
    let mut load = Load::default();
    for asker in askers {
        load.millis.extend(asker.await??);
    }
    load.seconds = start.elapsed().as_secs_f64();
    Ok(load)
}

async fn ask(server: SocketAddr, request: Vec<u8>, end: Instant) -> anyhow::Result<Vec<f64>> {
    let mut stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let mut times = Vec::new();
    while Instant::now() < end {
        let start = Instant::now();
        stream.write_all(&request).await?;
        answer(&mut stream).await?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(times)
}

/// Reads one answer that says its length.
async fn answer(stream: &mut TcpStream) -> anyhow::Result<()> {
    let mut bytes = Vec::with_capacity(4096);
    loop {
        let count = stream.read_buf(&mut bytes).await?;
        ensure!(count > 0, "the server closed the connection");
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(bytes.get(..end).unwrap_or_default())?.to_lowercase();
        let ok = head.starts_with("http/1.1 20");
        ensure!(ok, "refused: {head}");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .context("an answer without its length")?;
        let whole = end + 4 + length.trim().parse::<usize>()?;
        while bytes.len() < whole {
            let count = stream.read_buf(&mut bytes).await?;
            ensure!(count > 0, "the server closed the connection");
        }
        return Ok(());
    }
}

// === impl Load ===

impl Load {
    fn add(&mut self, turn: Self) {
        self.seconds += turn.seconds;
        self.millis.extend(turn.millis);
    }

    fn rate(&self) -> f64 {
        self.millis.len() as f64 / self.seconds.max(f64::EPSILON)
    }

    /// The time that this part of all requests took at the most.
    fn at(&mut self, part: f64) -> f64 {
        self.millis.sort_by(f64::total_cmp);
        let index = (self.millis.len().saturating_sub(1)) as f64 * part;
        self.millis.get(index as usize).copied().unwrap_or_default()
    }
}
