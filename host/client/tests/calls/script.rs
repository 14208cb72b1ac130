//! A server that gives each connection the next answer, and keeps what it was asked.

use aureole_client::{Builder, Client};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

pub(crate) const TASK: &str = "tsk_0000000000000000000000000000000d";

/// What one connection is answered.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// This, and the connection is closed.
    Whole(String),
    /// This, and then nothing more.
    Held(String),
}

/// A request: its head, and as much of its body as its length says.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    head: String,
    body: String,
}

/// Starts it, and gives a client that makes each call once.
pub(crate) async fn script(replies: Vec<Reply>) -> (Client, JoinHandle<Vec<Asked>>) {
    let (builder, asked) = serve(replies).await;
    let builder = builder.retries(aureole_client::Retries::NONE);
    (builder.build().unwrap(), asked)
}

/// Starts it, and gives the settings of a client of it.
pub(crate) async fn serve(replies: Vec<Reply>) -> (Builder, JoinHandle<Vec<Asked>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let builder = Client::builder(&format!("http://{}", listener.local_addr().unwrap()));
    let server = tokio::spawn(async move {
        let (mut asked, mut held) = (Vec::new(), Vec::new());
        for reply in replies {
            let (mut stream, _) = listener.accept().await.unwrap();
            asked.push(read(&mut stream).await);
            match reply {
                Reply::Whole(text) => stream.write_all(text.as_bytes()).await.unwrap(),
                Reply::Held(text) => {
                    stream.write_all(text.as_bytes()).await.unwrap();
                    held.push(stream);
                }
            }
        }
        // A stream that is held goes on until the test has ended.
        if !held.is_empty() {
            std::future::pending::<()>().await;
        }
        asked
    });
    (builder, server)
}

async fn read(stream: &mut tokio::net::TcpStream) -> Asked {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_owned();
            let length = value(&head, "content-length").map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                let body = body.to_owned();
                return Asked { head, body };
            }
        }
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "{text}");
    }
}

fn value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    })
}

// === impl Asked ===

impl Asked {
    /// The method and the target.
    pub(crate) fn line(&self) -> &str {
        self.head
            .lines()
            .next()
            .unwrap()
            .trim_end_matches(" HTTP/1.1")
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        value(&self.head, name)
    }

    pub(crate) fn body(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A whole answer.
pub(crate) fn answer(status: u16, fields: &str, kind: &str, body: &str) -> Reply {
    Reply::Whole(format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\nconnection: close\r\n{fields}\
         content-length: {}\r\n\r\n{body}",
        body.len()
    ))
}

pub(crate) fn document(body: &Value) -> Reply {
    answer(200, "", "application/json", &body.to_string())
}

pub(crate) fn refusal(status: u16, code: &str) -> Reply {
    let body = json!({"code": code, "status": status, "detail": "no"});
    answer(status, "", "application/problem+json", &body.to_string())
}

pub(crate) fn task(state: &str) -> Value {
    json!({"id": TASK, "kind": "prove", "state": state, "priority": 5,
        "submitted_at": "2026-01-31T12:00:00.000Z", "attempts": []})
}
