//! The calls, one method a route.

use std::time::Duration;

use aureole_api::rest::{
    CheckReport, CheckRequest, Circuit, CircuitRequest, Explanation, Health, Plugin, PluginList,
    Task, TaskPage, TaskRequest, TaskState, Verdict, VerifyRequest,
};
use bytes::Bytes;
use reqwest::{Method, StatusCode};
use serde::Serialize;

use crate::{Error, http::Http};

/// The prefix of every route but health.
const API: [&str; 2] = ["api", "v1"];

/// How long a node takes for a check at the most: it answers `node.busy` then.
const CHECK_WAIT: Duration = Duration::from_secs(60);

/// A node, from outside. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) http: Http,
}

/// Which tasks to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskQuery {
    /// In this state only.
    pub state: Option<TaskState>,
    /// Of this plugin only: name, name@version or digest.
    pub plugin: Option<String>,
    /// The `next` of an earlier page.
    pub before: Option<String>,
    /// How many at most; the node's default when absent.
    pub limit: Option<u32>,
}

// === impl Client ===

impl Client {
    /// A client of the node at an address such as `http://localhost:8080`. Connects lazily.
    ///
    /// # Errors
    /// [`Error::Address`] when the text is no address of a node.
    pub fn new(base: &str) -> Result<Self, Error> {
        Http::new(base).map(|http| Self { http })
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
        self.http.send(request, Duration::ZERO).await?.document()
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
            .post(&path(&["circuits"]), &query, request, wait)
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
        self.http.send(request, Duration::ZERO).await?.raw()
    }

    /// Checks an input against a ready circuit, without a task.
    pub async fn check(&self, id: &str, request: &CheckRequest) -> Result<CheckReport, Error> {
        self.http
            .post(&path(&["circuits", id, "check"]), &[], request, CHECK_WAIT)
            .await?
            .document()
    }

    /// Submits a task and answers at once.
    pub async fn submit(&self, request: &TaskRequest) -> Result<Task, Error> {
        self.http
            .post(&path(&["tasks"]), &[], request, Duration::ZERO)
            .await?
            .document()
    }

    /// Submits an input to a plugin's default circuit and answers at once.
    pub async fn submit_to<T: Serialize + Sync + ?Sized>(
        &self,
        plugin: &str,
        input: &T,
    ) -> Result<Task, Error> {
        let query = wait_query(Duration::ZERO);
        self.http
            .post(&path(&["tasks", plugin]), &query, input, Duration::ZERO)
            .await?
            .document()
    }

    /// One task. While it is not final, the node waits; at most a minute.
    pub async fn task(&self, id: &str, wait: Duration) -> Result<Task, Error> {
        self.http
            .get(&path(&["tasks", id]), &wait_query(wait), wait)
            .await
    }

    /// A page of tasks, newest first.
    pub async fn tasks(&self, query: &TaskQuery) -> Result<TaskPage, Error> {
        self.http
            .get(&path(&["tasks"]), &query.pairs(), Duration::ZERO)
            .await
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
        self.http.send(request, Duration::ZERO).await?.document()
    }

    /// A done task's proof, raw. Its digest is checked by [`Client::bundle`].
    pub async fn proof(&self, id: &str) -> Result<Bytes, Error> {
        let request = self
            .http
            .request(Method::GET, &path(&["tasks", id, "proof"]));
        self.http.send(request, Duration::ZERO).await?.raw()
    }

    /// Has a proof verified.
    pub async fn verify(&self, request: &VerifyRequest) -> Result<Verdict, Error> {
        self.http
            .post(&path(&["proofs", "verify"]), &[], request, Duration::ZERO)
            .await?
            .document()
    }

    /// Whether the process answers.
    pub async fn live(&self) -> Result<(), Error> {
        let request = self.http.request(Method::GET, &["health", "live"]);
        self.http
            .send(request, Duration::ZERO)
            .await?
            .raw()
            .map(drop)
    }

    /// Whether the node takes work; a node that does not is an answer too, not an error.
    pub async fn ready(&self) -> Result<Health, Error> {
        let request = self.http.request(Method::GET, &["health", "ready"]);
        self.http.send(request, Duration::ZERO).await?.json()
    }
}

/// A path under the API's prefix.
pub(crate) fn path<'a>(segments: &[&'a str]) -> Vec<&'a str> {
    API.into_iter().chain(segments.iter().copied()).collect()
}

/// `name@version` is `/plugins/{name}/{version}` on the wire.
fn plugin_path(plugin: &str) -> Vec<&str> {
    match plugin.split_once('@') {
        Some((name, version)) => vec!["plugins", name, version],
        None => vec!["plugins", plugin],
    }
}

/// The query that asks for a wait.
pub(crate) fn wait_query(wait: Duration) -> [(&'static str, String); 1] {
    [("wait", format!("{}ms", wait.as_millis()))]
}

// === impl TaskQuery ===

impl TaskQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let given = [
            ("state", self.state.map(|state| state.to_string())),
            ("plugin", self.plugin.clone()),
            ("before", self.before.clone()),
            ("limit", self.limit.map(|limit| limit.to_string())),
        ];
        given
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect()
    }
}
