//! The calls, one method a route.

use std::time::Duration;

use aureole_api::rest::{
    CheckReport, CheckRequest, Circuit, CircuitRequest, Explanation, Health, Plugin, PluginList,
    Task, TaskRequest, Verdict, VerifyRequest,
};
use bytes::Bytes;
use reqwest::{Method, StatusCode};
use serde::Serialize;

use crate::{Builder, Error, Retries, http::Http, retry::Twice};

/// The prefix of every route but health.
const API: [&str; 2] = ["api", "v1"];

/// The header of a submission that may be made twice.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// How long a node takes for a check at the most: it answers `node.busy` then.
const CHECK_WAIT: Duration = Duration::from_secs(60);

/// A node, from outside. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) http: Http,
}

// === impl Client ===

impl Client {
    /// A client of the node at an address such as `http://localhost:8080`, without a key, that makes
    /// each call once. [`Client::builder`] makes one with more.
    ///
    /// # Errors
    /// [`Error::Address`] when the text is no address of a node.
    pub fn new(base: &str) -> Result<Self, Error> {
        Self::builder(base).retries(Retries::NONE).build()
    }

    /// The settings of a client of the node at an address; unless told otherwise it makes calls
    /// again that may be.
    pub fn builder(base: &str) -> Builder {
        Builder::new(base)
    }

    /// The same client with a key, which goes with every request.
    #[must_use]
    pub fn with_key(mut self, key: &str) -> Self {
        self.http.set_key(key);
        self
    }

    /// The same client with another patience: how long an answer may take beyond what the node
    /// was asked to wait. 30 s unless set; an upload over a thin line needs more.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.http.set_patience(patience);
        self
    }

    /// The node's address, for people and for curl lines; it ends with a slash.
    pub fn base(&self) -> &str {
        self.http.base().as_str()
    }

    /// Every plugin.
    ///
    /// # Errors
    /// See [`Error`]; so with every call.
    pub async fn plugins(&self) -> Result<PluginList, Error> {
        self.http
            .get(&path(&["plugins"]), &[], Duration::ZERO)
            .await
    }

    /// One plugin by name, name@version or digest. While it is being inspected, the node waits.
    pub async fn plugin(&self, plugin: &str, wait: Duration) -> Result<Plugin, Error> {
        self.http
            .get(&path(&plugin_path(plugin)), &wait_query(wait), wait)
            .await
    }

    /// Retires a plugin, named exactly: name@version or digest.
    pub async fn retire_plugin(&self, plugin: &str) -> Result<Plugin, Error> {
        let request = self
            .http
            .request(Method::DELETE, &path(&plugin_path(plugin)));
        self.http
            .send(request, Duration::ZERO, Twice::Same)
            .await?
            .document()
    }

    /// Registers a plugin's circuit and has its keys made, waiting for that. `true` says that it
    /// is new.
    pub async fn put_circuit(
        &self,
        request: &CircuitRequest,
        wait: Duration,
    ) -> Result<(Circuit, bool), Error> {
        let query = wait_query(wait);
        let answer = self
            .http
            .post(&path(&["circuits"]), &query, request, wait, Twice::Same)
            .await?;
        let new = answer.status != StatusCode::OK;
        Ok((answer.document()?, new))
    }

    /// One circuit. While it is being prepared, the node waits.
    pub async fn circuit(&self, id: &str, wait: Duration) -> Result<Circuit, Error> {
        self.http
            .get(&path(&["circuits", id]), &wait_query(wait), wait)
            .await
    }

    /// A circuit's canonical bytes. They are checked against nothing here; see
    /// [`Client::bundle`].
    pub async fn circuit_ir(&self, id: &str) -> Result<Bytes, Error> {
        let request = self
            .http
            .request(Method::GET, &path(&["circuits", id, "ir"]));
        self.http
            .send(request, Duration::ZERO, Twice::Same)
            .await?
            .raw()
    }

    /// Checks an input against a ready circuit, without a task.
    pub async fn check(&self, id: &str, request: &CheckRequest) -> Result<CheckReport, Error> {
        self.http
            .post(
                &path(&["circuits", id, "check"]),
                &[],
                request,
                CHECK_WAIT,
                Twice::Same,
            )
            .await?
            .document()
    }

    /// Submits a task and answers at once. A client that makes calls again gives it an idempotency
    /// key of its own, so that the node does it once.
    pub async fn submit(&self, request: &TaskRequest) -> Result<Task, Error> {
        let key = self.fresh_key()?;
        self.submitted(&["tasks"], request, key.as_deref()).await
    }

    /// Submits a task under a key of the caller's: the same key with the same request is the same
    /// task, also after a restart of the caller. 1 to 128 visible characters.
    pub async fn submit_once(&self, key: &str, request: &TaskRequest) -> Result<Task, Error> {
        self.submitted(&["tasks"], request, Some(key)).await
    }

    /// Submits an input to a plugin's default circuit and answers at once.
    pub async fn submit_to<T: Serialize + Sync + ?Sized>(
        &self,
        plugin: &str,
        input: &T,
    ) -> Result<Task, Error> {
        let key = self.fresh_key()?;
        self.submitted(&["tasks", plugin], input, key.as_deref())
            .await
    }

    async fn submitted<T: Serialize + Sync + ?Sized>(
        &self,
        segments: &[&str],
        body: &T,
        key: Option<&str>,
    ) -> Result<Task, Error> {
        let mut request = self
            .http
            .request(Method::POST, &path(segments))
            .query(&wait_query(Duration::ZERO))
            .json(body);
        let twice = match key {
            Some(key) => {
                request = request.header(IDEMPOTENCY_KEY, key);
                Twice::Same
            }
            None => Twice::Differs,
        };
        self.http
            .send(request, Duration::ZERO, twice)
            .await?
            .document()
    }

    /// A key that nobody else has, where calls are made again.
    pub(crate) fn fresh_key(&self) -> Result<Option<String>, Error> {
        if !self.http.retries() {
            return Ok(None);
        }
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|_| Error::Randomness)?;
        Ok(Some(hex::encode(bytes)))
    }

    /// One task. While it is not final, the node waits; at most a minute.
    pub async fn task(&self, id: &str, wait: Duration) -> Result<Task, Error> {
        self.http
            .get(&path(&["tasks", id]), &wait_query(wait), wait)
            .await
    }

    /// One task, asked for once: whoever waits asks again anyway.
    pub(crate) async fn task_once(&self, id: &str, wait: Duration) -> Result<Task, Error> {
        let request = self.http.request(Method::GET, &path(&["tasks", id]));
        let request = request.query(&wait_query(wait));
        self.http.send_once(request, wait).await?.document()
    }

    /// Why a task waits, and for how long it should.
    pub async fn explain(&self, id: &str) -> Result<Explanation, Error> {
        self.http
            .get(&path(&["tasks", id, "explain"]), &[], Duration::ZERO)
            .await
    }

    /// Cancels a task.
    pub async fn cancel(&self, id: &str) -> Result<Task, Error> {
        let request = self.http.request(Method::DELETE, &path(&["tasks", id]));
        self.http
            .send(request, Duration::ZERO, Twice::Same)
            .await?
            .document()
    }

    /// A done task's proof, raw. Its digest is checked by [`Client::bundle`].
    pub async fn proof(&self, id: &str) -> Result<Bytes, Error> {
        let request = self
            .http
            .request(Method::GET, &path(&["tasks", id, "proof"]));
        self.http
            .send(request, Duration::ZERO, Twice::Same)
            .await?
            .raw()
    }

    /// Has a proof verified.
    pub async fn verify(&self, request: &VerifyRequest) -> Result<Verdict, Error> {
        self.http
            .post(
                &path(&["proofs", "verify"]),
                &[],
                request,
                Duration::ZERO,
                Twice::Same,
            )
            .await?
            .document()
    }

    /// Whether the process answers.
    pub async fn live(&self) -> Result<(), Error> {
        let request = self.http.request(Method::GET, &["health", "live"]);
        self.http
            .send(request, Duration::ZERO, Twice::Same)
            .await?
            .raw()
            .map(drop)
    }

    /// Whether the node takes work; a node that does not is an answer too, not an error.
    pub async fn ready(&self) -> Result<Health, Error> {
        let request = self.http.request(Method::GET, &["health", "ready"]);
        self.http
            .send(request, Duration::ZERO, Twice::Same)
            .await?
            .json()
    }
}

/// A path under the API's prefix.
pub(crate) fn path<'a>(segments: &[&'a str]) -> Vec<&'a str> {
    API.into_iter().chain(segments.iter().copied()).collect()
}

/// `name@version` is `/plugins/{name}/{version}` on the wire.
pub(crate) fn plugin_path(plugin: &str) -> Vec<&str> {
    match plugin.split_once('@') {
        Some((name, version)) => vec!["plugins", name, version],
        None => vec!["plugins", plugin],
    }
}

/// The query that asks for a wait.
pub(crate) fn wait_query(wait: Duration) -> [(&'static str, String); 1] {
    [("wait", format!("{}ms", wait.as_millis()))]
}
