//! One attempt: what is sent, what counts as taken, and where it does not go.

use std::time::{Duration, Instant};

use aureole_ledger::Failure;
use aureole_webhooks::{Denied, Letter, Rules, SendError, Sender, SystemResolver};
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::oneshot;

use crate::kit::{KEY, PATIENCE, Receiver, Told, rules, sender};

fn letter() -> Letter<'static> {
    Letter {
        id: "evt_1",
        seconds: 1_700_000_000,
        body: "{\"a\":1}".into(),
        key: &KEY,
    }
}

async fn send(receiver: &Receiver) -> Result<u16, SendError> {
    let sender = sender(rules(&[receiver]));
    sender.send(&receiver.url(), &letter()).await
}

#[tokio::test]
async fn a_letter_arrives_signed_with_nothing_else() {
    let receiver = Receiver::good().await;
    assert_eq!(send(&receiver).await.unwrap(), 204);
    let got = receiver.until(|got| got.len() == 1).await.remove(0);
    assert_eq!(got.line, "POST /hooks?a=b HTTP/1.1");
    assert_eq!(got.body, b"{\"a\":1}");
    assert!(got.is_signed(&KEY));
    assert_eq!(got.fields["host"], receiver.address.to_string());
    let names: Vec<&str> = got.fields.keys().map(String::as_str).collect();
    let expected = [
        "connection",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let inner = Receiver::good().await;
    let location = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
        inner.url()
    );
    let receiver = Receiver::answering(location.leak()).await;
    let sender = sender(rules(&[&receiver, &inner]));
    let error = sender.send(&receiver.url(), &letter()).await.unwrap_err();
    assert_eq!(error.failure(), Failure::Status(307));
    assert_eq!(inner.connections(), 0);
}

#[tokio::test]
async fn an_answer_without_end_is_left() {
    let (told, left) = oneshot::channel();
    let told = std::sync::Mutex::new(Some(told));
    let receiver = Receiver::new(move |mut stream, _| {
        let told = told.lock().unwrap().take();
        async move {
            let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1099511627776\r\n\r\n";
            stream.write_all(head).await.unwrap();
            while stream.write_all(&[b'x'; 64 * 1024]).await.is_ok() {}
            let _ = told.unwrap().send(());
        }
    })
    .await;
    assert_eq!(send(&receiver).await.unwrap(), 200, "the status counts");
    tokio::time::timeout(Duration::from_secs(10), left)
        .await
        .expect("it reads on and on")
        .unwrap();
}

#[tokio::test]
async fn a_head_without_end_is_no_answer() {
    let receiver = Receiver::new(|mut stream, _| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
        while stream.write_all(b"x-x: yyyyyyyyyyyyyyyy\r\n").await.is_ok() {}
    })
    .await;
    assert_eq!(
        send(&receiver).await.unwrap_err().failure(),
        Failure::Answer
    );
}

#[tokio::test]
async fn what_is_no_http_is_no_answer() {
    for answer in ["SSH-2.0-OpenSSH_9.6\r\n", "", "220 mail.example ESMTP\r\n"] {
        let receiver = Receiver::answering(answer).await;
        let failure = send(&receiver).await.unwrap_err().failure();
        assert_eq!(failure, Failure::Answer, "{answer:?}");
    }
}

#[tokio::test]
async fn a_receiver_that_never_answers_costs_the_limit_and_loses_its_connection() {
    let (told, left) = oneshot::channel();
    let told = std::sync::Mutex::new(Some(told));
    let receiver = Receiver::new(move |mut stream, _| {
        let told = told.lock().unwrap().take();
        async move {
            let mut rest = [0];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut rest).await;
            let _ = told.unwrap().send(());
        }
    })
    .await;
    let begun = Instant::now();
    let error = send(&receiver).await.unwrap_err();
    assert_eq!(error.failure(), Failure::Timeout, "{error}");
    assert!(begun.elapsed() >= PATIENCE && begun.elapsed() < 10 * PATIENCE);
    tokio::time::timeout(Duration::from_secs(10), left)
        .await
        .expect("the connection stays")
        .unwrap();
}

#[tokio::test]
async fn nobody_there_is_said() {
    let receiver = Receiver::good().await;
    let (rules, url) = (rules(&[&receiver]), receiver.url());
    drop(receiver);
    let failure = loop {
        // The port is free a moment after its owner is told to go.
        match sender(rules.clone()).send(&url, &letter()).await {
            Err(error) if error.failure() == Failure::Connect => break error.failure(),
            _ => tokio::task::yield_now().await,
        }
    };
    assert_eq!(failure, Failure::Connect);
}

#[tokio::test]
async fn a_name_that_leads_inside_after_it_was_checked_is_not_connected_to() {
    let receiver = Receiver::good().await;
    let ports = rules(&[&receiver]).ports;
    let rules = Rules {
        ports,
        ..Rules::default()
    };
    let resolver = Told::new(&["1.1.1.1", "127.0.0.1"]);
    let sender = Sender::new(rules, resolver.clone(), None).unwrap();
    let url = format!("https://rebound.example:{}/", receiver.address.port());
    sender.check(&url).await.unwrap();
    let error = sender.send(&url, &letter()).await.unwrap_err();
    assert!(
        matches!(error, SendError::Denied(Denied::Address { .. })),
        "{error}"
    );
    assert_eq!(error.failure(), Failure::Denied);
    assert_eq!(receiver.connections(), 0);
    assert_eq!(
        *resolver.asked.lock().unwrap(),
        ["rebound.example", "rebound.example"],
        "once a look"
    );
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_what_it_led_to_is_connected_to() {
    let receiver = Receiver::good().await;
    // A second look-up in the same attempt would lead where nobody listens.
    let resolver = Told::new(&["127.0.0.1", "127.9.9.9"]);
    let sender = Sender::new(rules(&[&receiver]), resolver.clone(), None).unwrap();
    let url = format!("http://hooks.internal:{}/", receiver.address.port());
    assert_eq!(sender.send(&url, &letter()).await.unwrap(), 204);
    let got = receiver.until(|got| got.len() == 1).await.remove(0);
    assert!(got.fields["host"].starts_with("hooks.internal:"));
    assert_eq!(resolver.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_said_when_it_is_checked_and_when_it_is_used() {
    let sender = Sender::new(Rules::default(), Told::new(&[]), None).unwrap();
    let denied = sender.check("https://nowhere.example/").await.unwrap_err();
    assert_eq!(denied, Denied::Nowhere);
    let error = sender.send("https://nowhere.example/", &letter()).await;
    assert_eq!(error.unwrap_err().failure(), Failure::Unresolved);
}

#[tokio::test]
async fn the_machines_own_names_lead_inside() {
    let resolver = Arc::new(SystemResolver::default());
    let sender = Sender::new(Rules::default(), resolver, None).unwrap();
    let error = sender.send("https://localhost/", &letter()).await;
    let error = error.unwrap_err();
    assert!(
        matches!(error, SendError::Denied(Denied::Address { .. })),
        "{error}"
    );
}

#[tokio::test]
async fn what_a_name_leads_to_is_not_told_to_whoever_makes_a_webhook() {
    let rules = Rules {
        allow_http: true,
        ports: [80, 443].into_iter().collect(),
        ..Rules::default()
    };
    let told = |answers: &[&str]| Sender::new(rules.clone(), Told::new(answers), None).unwrap();
    let (inside, public, nowhere) = (told(&["10.1.2.3"]), told(&["1.1.1.1"]), told(&[]));
    let denied = [
        inside.check("https://db.internal/").await.unwrap_err(),
        public.check("http://db.internal/").await.unwrap_err(),
        nowhere.check("https://db.internal/").await.unwrap_err(),
    ];
    for denied in denied {
        let text = "its host leads to no address that may be reached";
        assert_eq!(denied.to_string(), text);
    }
    let literal = inside.check("https://10.1.2.3/").await.unwrap_err();
    assert!(matches!(literal, Denied::Address { .. }), "{literal}");
}
