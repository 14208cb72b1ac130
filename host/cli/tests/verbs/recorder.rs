//! A server that keeps what it was asked. It says just enough for a command to come to its last
//! question, and knows nothing else.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use aureole_receipts::{Checkpoint, Hash, Head, SignerKey};
use serde_json::{Value, json};

pub(crate) const TASK: &str = "tsk_0000000000000000000000000000000d";
pub(crate) const CIRCUIT: &str = "cir_0000000000000000000000000000000c";
/// SHA-256 of nothing: of the circuit's bytes and of the proof's.
pub(crate) const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
pub(crate) const KEY_DIGEST: &str =
    "0000000000000000000000000000000000000000000000000000000000000001";

/// The server, and what it was asked since somebody looked.
#[derive(Debug)]
pub(crate) struct Recorder {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// A checkpoint of a log of one leaf.
pub(crate) fn checkpoint(key: &SignerKey) -> String {
    let head = Head {
        size: 1,
        root: Hash::of_leaf(b""),
    };
    let checkpoint = Checkpoint::new(key.verifier().name(), head).unwrap();
    checkpoint.sign(&[key]).unwrap().to_string()
}

// === impl Recorder ===

impl Recorder {
    /// Starts it; it ends with the test's process.
    pub(crate) fn start(checkpoint: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &log, &checkpoint);
            }
        });
        Self { url, asked }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What was asked since the last time: methods and paths.
    pub(crate) fn take(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut asked)
    }
}

/// Answers the one request of a connection.
fn answer(stream: TcpStream, log: &Mutex<Vec<String>>, checkpoint: &str) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap_or("/"));
    let path = target.split('?').next().unwrap();
    let mut length = 0;
    loop {
        let mut field = String::new();
        if reader.read_line(&mut field).unwrap() == 0 || field == "\r\n" {
            break;
        }
        let field = field.to_ascii_lowercase();
        if let Some(value) = field.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let asked = format!("{method} {path}");
    let (status, kind, body) = said(&asked, checkpoint);
    log.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(asked);
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let text = format!("{head}{body}");
    reader.get_mut().write_all(text.as_bytes()).unwrap();
}

fn said(asked: &str, checkpoint: &str) -> (u16, &'static str, String) {
    let document = |value: Value| (200, "application/json", value.to_string());
    let circuit = format!("/api/v1/circuits/{CIRCUIT}");
    let task = format!("/api/v1/tasks/{TASK}");
    let (_, path) = asked.split_once(' ').unwrap();
    match path {
        "/health/live" => document(json!({"live": true})),
        "/api/v1/log/checkpoint" => (200, "text/plain", checkpoint.to_owned()),
        "/api/v1/circuits" => document(ready()),
        path if asked.starts_with("GET") && path == circuit => document(ready()),
        path if asked.starts_with("GET") && path == task => document(done()),
        path if path == format!("{circuit}/ir") || path == format!("{task}/proof") => {
            (200, "application/octet-stream", String::new())
        }
        path if path == format!("{task}/events") => {
            let event = json!({"task": TASK, "state": "done", "attempt": 1});
            let text = format!("id: 1\nevent: task\ndata: {event}\n\n");
            (200, "text/event-stream", text)
        }
        _ => {
            let problem = json!({"code": "request.route", "status": 404, "detail": "no"});
            (404, "application/problem+json", problem.to_string())
        }
    }
}

fn ready() -> Value {
    json!({
        "id": CIRCUIT, "state": "ready", "component": EMPTY, "params": {},
        "registered_at": "2026-01-31T12:00:00.000Z", "circuit_digest": EMPTY,
        "key_digest": KEY_DIGEST,
    })
}

fn done() -> Value {
    json!({
        "id": TASK, "kind": "prove", "state": "done", "priority": 5, "circuit": CIRCUIT,
        "submitted_at": "2026-01-31T12:00:00.000Z", "attempts": [],
        "proof": {"digest": EMPTY, "bytes": 0, "url": ""},
    })
}
