//! Receivers on the loopback interface, a resolver that says what it is told, an outbox in memory.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aureole_ledger::{Millis, PendingEvent, Settlement, TaskId, WebhookId};
use aureole_webhooks::{
    Courier, Endpoint, Outbox, Parcel, Resolve, ResolveError, Rules, Schedule, Sender, SigningKey,
    Unsent, verify,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const KEY: SigningKey = SigningKey::from_bytes([9; 32]);

/// The limit on an attempt in these tests.
pub(crate) const PATIENCE: Duration = Duration::from_millis(400);

pub(crate) fn webhook(number: u8) -> WebhookId {
    WebhookId::from_bytes([number; 16])
}

pub(crate) fn task(number: u8) -> TaskId {
    TaskId::from_bytes([number; 16])
}

/// What a receiver got.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) line: String,
    pub(crate) fields: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Got {
    /// Whether the signature is that of the key, over what came.
    pub(crate) fn is_signed(&self, key: &SigningKey) -> bool {
        let seconds = self.fields["webhook-timestamp"].parse().unwrap();
        let signature = &self.fields["webhook-signature"];
        verify(key, self.id(), seconds, &self.body, signature)
    }

    pub(crate) fn id(&self) -> &str {
        &self.fields["webhook-id"]
    }
}

/// Reads one request.
pub(crate) async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Got> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap().to_owned();
    let field = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_owned(), value.to_owned())
    };
    let fields: BTreeMap<_, _> = lines.map(field).collect();
    let length: usize = fields["content-length"].parse().unwrap();
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        stream.read_buf(&mut body).await.ok()?;
    }
    Some(Got { line, fields, body })
}

/// A receiver; dropping it closes it.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    got: watch::Receiver<Vec<Got>>,
    connections: watch::Receiver<u32>,
    server: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Receiver {
    /// One that does as it is told with each connection's request.
    pub(crate) async fn new<F>(answer: impl Fn(TcpStream, u32) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, got) = watch::channel(Vec::new());
        let (count, connections) = watch::channel(0);
        let seen = Arc::new(seen);
        let answer = Arc::new(Mutex::new(answer));
        let server = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.send_modify(|count| *count += 1);
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                tokio::spawn(async move {
                    let Some(got) = request(&mut stream).await else {
                        return;
                    };
                    let mut turn = 0;
                    seen.send_modify(|all| {
                        all.push(got);
                        turn = u32::try_from(all.len()).unwrap();
                    });
                    let answering = (answer.lock().unwrap())(stream, turn);
                    answering.await;
                });
            }
        });
        Self {
            address,
            got,
            connections,
            server,
        }
    }

    /// One that answers each request with the same bytes.
    pub(crate) async fn answering(answer: &'static str) -> Self {
        Self::new(move |mut stream, _| async move {
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await
    }

    /// One that takes everything.
    pub(crate) async fn good() -> Self {
        Self::answering("HTTP/1.1 204 No Content\r\n\r\n").await
    }

    /// One that reads and never answers.
    pub(crate) async fn silent() -> Self {
        Self::new(|stream, _| async move {
            let _held = stream;
            std::future::pending::<()>().await;
        })
        .await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hooks?a=b", self.address)
    }

    pub(crate) fn connections(&self) -> u32 {
        *self.connections.borrow()
    }

    /// What came, once it is what is waited for.
    pub(crate) async fn until(&self, enough: impl FnMut(&Vec<Got>) -> bool) -> Vec<Got> {
        let mut got = self.got.clone();
        let waited = tokio::time::timeout(Duration::from_secs(20), got.wait_for(enough)).await;
        waited.expect("it never came").unwrap().clone()
    }
}

/// Says for each look-up what it is told to, the last thing for ever.
#[derive(Default)]
pub(crate) struct Told {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Told {
    pub(crate) fn new(answers: &[&str]) -> Arc<Self> {
        let answers = answers.iter().rev();
        Arc::new(Self {
            answers: Mutex::new(answers.map(|text| vec![text.parse().unwrap()]).collect()),
            asked: Mutex::default(),
        })
    }
}

#[async_trait]
impl Resolve for Told {
    async fn resolve(&self, name: &str, _: u16) -> Result<Vec<IpAddr>, ResolveError> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answer = match answers.len() {
            0 => return Err(io::Error::other("no such name").into()),
            1 => answers[0].clone(),
            _ => answers.pop().unwrap(),
        };
        Ok(answer)
    }
}

/// Rules that allow the loopback interface and the receivers' ports.
pub(crate) fn rules(receivers: &[&Receiver]) -> Rules {
    Rules {
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        allow_http: true,
        ports: receivers.iter().map(|each| each.address.port()).collect(),
    }
}

pub(crate) fn sender(rules: Rules) -> Sender {
    let resolver = Told::new(&[&Ipv4Addr::LOCALHOST.to_string()]);
    Sender::new(rules, resolver, None)
        .unwrap()
        .with_patience(PATIENCE)
}

/// Events in memory; the state of each, and how many settlements are still to be lost.
pub(crate) struct Shelf {
    endpoints: Mutex<Vec<Endpoint>>,
    settled: watch::Sender<Vec<(WebhookId, TaskId, Settlement, u32)>>,
    pub(crate) lose: Mutex<u32>,
    pub(crate) forgotten: Mutex<Vec<TaskId>>,
    pub(crate) leads: Mutex<bool>,
}

impl Shelf {
    pub(crate) fn new(endpoints: Vec<(WebhookId, String, Vec<TaskId>)>) -> Arc<Self> {
        let since = millis();
        let endpoint = |(webhook, url, tasks): (WebhookId, String, Vec<TaskId>)| Endpoint {
            webhook,
            url,
            events: tasks
                .into_iter()
                .map(|task| PendingEvent { task, since })
                .collect(),
        };
        Arc::new(Self {
            endpoints: Mutex::new(endpoints.into_iter().map(endpoint).collect()),
            settled: watch::Sender::new(Vec::new()),
            lose: Mutex::new(0),
            forgotten: Mutex::default(),
            leads: Mutex::new(true),
        })
    }

    /// What was settled, once it is what is waited for.
    pub(crate) async fn until(
        &self,
        enough: impl FnMut(&Vec<(WebhookId, TaskId, Settlement, u32)>) -> bool,
    ) -> Vec<(WebhookId, TaskId, Settlement, u32)> {
        let mut settled = self.settled.subscribe();
        let waited = tokio::time::timeout(Duration::from_secs(20), settled.wait_for(enough)).await;
        waited.expect("it never was").unwrap().clone()
    }
}

pub(crate) fn millis() -> Millis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since.unwrap().as_millis()).unwrap()
}

#[async_trait]
impl Outbox for Shelf {
    fn pending(&self) -> Option<Vec<Endpoint>> {
        self.leads
            .lock()
            .unwrap()
            .then(|| self.endpoints.lock().unwrap().clone())
    }

    async fn parcel(&self, webhook: WebhookId, task: TaskId) -> Result<Parcel, Unsent> {
        if self.forgotten.lock().unwrap().contains(&task) {
            return Err(Unsent::Forgotten);
        }
        Ok(Parcel {
            id: format!("evt_{webhook}_{task}"),
            body: format!("{{\"task\":\"{task}\"}}").into(),
            key: KEY,
        })
    }

    async fn settle(
        &self,
        webhook: WebhookId,
        task: TaskId,
        settlement: Settlement,
        attempts: u32,
    ) -> Result<(), String> {
        {
            let mut lose = self.lose.lock().unwrap();
            if *lose > 0 {
                *lose -= 1;
                return Err("no leader".to_owned());
            }
        }
        for endpoint in &mut *self.endpoints.lock().unwrap() {
            if endpoint.webhook == webhook {
                endpoint.events.retain(|event| event.task != task);
            }
        }
        self.settled
            .send_modify(|all| all.push((webhook, task, settlement, attempts)));
        Ok(())
    }

    fn now(&self) -> Millis {
        millis()
    }
}

/// A courier that runs until it is dropped.
pub(crate) struct Round {
    pub(crate) courier: Courier,
    stop: CancellationToken,
}

impl Drop for Round {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Sends a shelf's events, with waits of milliseconds, giving up after `give_up`.
pub(crate) fn round(shelf: &Arc<Shelf>, rules: Rules, give_up: Duration) -> Round {
    let schedule = Schedule {
        first: Duration::from_millis(10),
        longest: Duration::from_millis(80),
        give_up,
    };
    let courier = Courier::new(shelf.clone(), sender(rules), schedule);
    let stop = CancellationToken::new();
    let (running, until) = (courier.clone(), stop.clone());
    tokio::spawn(async move { running.run(until).await });
    Round { courier, stop }
}
