//! HTTP byte by byte: what a client library would tidy up is sent as it is, with the testkit's key
//! unless the headers name another.

use std::{
    io::{Read as _, Write as _},
    net::{TcpStream, ToSocketAddrs as _},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::{key::KEY, wait::PATIENCE};

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// Its body, decoded.
    pub body: Vec<u8>,
}

/// Sends a JSON document with POST.
///
/// # Errors
/// When no answer comes.
pub fn post_json(url: &str, path: &str, body: &str) -> anyhow::Result<Answer> {
    send(
        url,
        "POST",
        path,
        &[("content-type", "application/json")],
        body.as_bytes(),
    )
}

/// Asks for a path.
///
/// # Errors
/// When no answer comes.
pub fn get(url: &str, path: &str) -> anyhow::Result<Answer> {
    send(url, "GET", path, &[], b"")
}

/// Sends a request on a connection of its own.
///
/// # Errors
/// When there is no connection, or no whole answer comes.
pub fn send(
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> anyhow::Result<Answer> {
    send_within(PATIENCE, url, method, path, headers, body)
}

/// Sends a request as [`send`] does, to a node that may be cut off or stand still.
///
/// # Errors
/// When no answer comes; a connection, and each part of an answer, may take this long.
pub fn send_within(
    patience: Duration,
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> anyhow::Result<Answer> {
    let host = url
        .strip_prefix("http://")
        .context("the address is not http")?;
    let address = host
        .to_socket_addrs()?
        .next()
        .context("the address is none")?;
    let mut stream = TcpStream::connect_timeout(&address, patience)
        .with_context(|| format!("no connection to {host}"))?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    if !body.is_empty() || method == "POST" {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    let names_key = |(name, _): &&(&str, &str)| name.eq_ignore_ascii_case("authorization");
    if headers.iter().find(names_key).is_none() {
        head.push_str(&format!("authorization: Bearer {KEY}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    // A node may refuse before it has read the whole body, and close: its answer counts.
    let _ = stream.write_all(body);
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes);
    parse(&bytes).with_context(|| match end {
        Ok(_) => format!("{method} {path} gave no whole answer"),
        Err(error) => format!("{method} {path} broke off: {error}"),
    })
}

fn parse(bytes: &[u8]) -> anyhow::Result<Answer> {
    let split = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .context("no head")?;
    let (head, rest) = bytes.split_at(split);
    let body = rest.get(4..).unwrap_or_default();
    let head = std::str::from_utf8(head).context("the head is no text")?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .context("no status")?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut answer = Answer {
        status: status.parse()?,
        headers,
        body: Vec::new(),
    };
    answer.body = match (
        answer.header("transfer-encoding"),
        answer.header("content-length"),
    ) {
        (Some("chunked"), _) => unchunked(body)?,
        (_, Some(length)) => {
            let length: usize = length.parse()?;
            ensure!(
                body.len() == length,
                "{} of {length} bytes came",
                body.len()
            );
            body.to_vec()
        }
        _ => body.to_vec(),
    };
    Ok(answer)
}

fn unchunked(mut rest: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest
            .windows(2)
            .position(|two| two == b"\r\n")
            .context("a chunk has no size")?;
        let (size, after) = rest.split_at(end);
        let size = usize::from_str_radix(std::str::from_utf8(size)?.trim(), 16)?;
        if size == 0 {
            return Ok(body);
        }
        let Some(chunk) = after.get(2..2 + size) else {
            bail!("a chunk ends early")
        };
        body.extend_from_slice(chunk);
        rest = after.get(2 + size + 2..).context("a chunk has no end")?;
    }
}

// === impl Answer ===

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as a document.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }
}
