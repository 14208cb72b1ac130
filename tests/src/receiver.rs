//! A receiver of webhooks on the loopback interface.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Context as _;
use serde_json::Value;

use crate::wait::PATIENCE;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// Names in lower case, with their values.
    pub headers: BTreeMap<String, String>,
    /// Its body.
    pub body: Vec<u8>,
    /// What it was answered with.
    pub status: u16,
}

/// Answers each request with a status that may be changed. Dropped, it closes.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    status: AtomicU16,
    closed: AtomicBool,
    received: Mutex<Vec<Received>>,
}

// === impl Received ===

impl Received {
    /// A header's value; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The event.
    ///
    /// # Errors
    /// When the body is no JSON.
    pub fn event(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).context("an event that is no JSON")
    }
}

// === impl Receiver ===

impl Receiver {
    /// One that answers with a status.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn answering(status: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            status: AtomicU16::new(status),
            closed: AtomicBool::new(false),
            received: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if serving.closed.load(Ordering::SeqCst) {
                    return;
                }
                let serving = Arc::clone(&serving);
                // Whoever sends half a request is not counted.
                thread::spawn(move || drop(serving.serve(&stream)));
            }
        });
        Ok(Self { address, shared })
    }

    /// The `[webhooks]` of a node that may send to some receivers and tries again within milliseconds.
    pub fn config(receivers: &[&Self], give_up_ms: u64) -> String {
        let ports: Vec<String> = receivers
            .iter()
            .map(|each| each.address.port().to_string())
            .collect();
        format!(
            "[webhooks]\nenabled = true\nallow = [\"127.0.0.0/8\"]\nallow_http = true\nports = [{}]\n\
             wait_first_ms = 20\nwait_max_ms = 200\ngive_up_ms = {give_up_ms}\n",
            ports.join(", ")
        )
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    /// Answers with another status from now on.
    pub fn answer(&self, status: u16) {
        self.shared.status.store(status, Ordering::SeqCst);
    }

    /// What came so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        // The one who waits for a connection looks when it gets one.
        drop(TcpStream::connect(self.address));
    }
}

// === impl Shared ===

impl Shared {
    fn received(&self) -> std::sync::MutexGuard<'_, Vec<Received>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: &TcpStream) -> anyhow::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut reader = BufReader::new(stream);
        let mut headers = BTreeMap::new();
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            if let Some((name, value)) = line.trim_end().split_once(": ") {
                headers.insert(name.to_ascii_lowercase(), value.to_owned());
            }
            line.clear();
        }
        let length = headers.get("content-length").context("no length")?;
        let mut body = vec![0; length.parse()?];
        reader.read_exact(&mut body)?;
        let status = self.status.load(Ordering::SeqCst);
        self.received().push(Received {
            headers,
            body,
            status,
        });
        let mut stream = stream;
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
        Ok(stream.write_all(answer.as_bytes())?)
    }
}
