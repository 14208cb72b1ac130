//! Requests and answers: one place that sends, bounds, and tells a refusal from a foreign answer.

use std::time::Duration;

use aureole_api::{MEDIA_TYPE, Problem};
use bytes::{Bytes, BytesMut};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, header};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Error,
    retry::{Retries, Tries, Twice},
    trust::tls,
};

/// Bytes of one answer. The largest are circuits; a node's limit on the k of a circuit keeps them
/// below a quarter of this.
pub(crate) const ANSWER_MAX: u64 = 256 * 1024 * 1024;

/// How long a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// How long an answer may take beyond what it was asked to wait, unless the caller says otherwise.
const PATIENCE: Duration = Duration::from_secs(30);

/// An HTTP client bound to one node.
#[derive(Clone)]
pub(crate) struct Http {
    inner: reqwest::Client,
    base: Url,
    patience: Duration,
    key: Option<String>,
    retries: Retries,
}

/// An answer that was no refusal.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) bytes: Bytes,
    /// The validator of the document.
    tag: Option<String>,
    url: String,
}

// === impl Http ===

impl Http {
    pub(crate) fn new(base: &str, authorities: Option<&[u8]>) -> Result<Self, Error> {
        let refuse = |reason| Error::Address {
            url: base.to_owned(),
            reason,
        };
        let url =
            Url::parse(base).map_err(|_| refuse("expected a form such as http://host:8080"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refuse("this client speaks http and https"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(refuse("it names no host"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("it must end after host and port"));
        }
        let inner = reqwest::Client::builder()
            .connect_timeout(CONNECT_MAX)
            .tls_backend_preconfigured(tls(url.scheme() == "https", authorities)?)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("aureole-client/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|source| Error::Connect {
                url: base.to_owned(),
                source,
            })?;
        Ok(Self {
            inner,
            base: url,
            patience: PATIENCE,
            key: None,
            retries: Retries::NONE,
        })
    }

    /// Sets how long an answer may take beyond its wait.
    pub(crate) fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Sets the key that goes with every request.
    pub(crate) fn set_key(&mut self, key: &str) {
        self.key = Some(key.to_owned());
    }

    /// Sets how often calls are made again.
    pub(crate) fn set_retries(&mut self, retries: Retries) {
        self.retries = retries;
    }

    /// How long an answer may take beyond its wait.
    pub(crate) const fn patience(&self) -> Duration {
        self.patience
    }

    /// Whether calls that may be made twice are.
    pub(crate) fn retries(&self) -> bool {
        self.retries.most > 0
    }

    /// The node's address.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// A request to a path of the API, given in segments: each is escaped.
    pub(crate) fn request(&self, method: Method, segments: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(segments);
        }
        let request = self.inner.request(method, url);
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// Sends, and reads the whole answer; again where that may be. `wait` is how long the node was
    /// asked to wait.
    pub(crate) async fn send(
        &self,
        request: RequestBuilder,
        wait: Duration,
        twice: Twice,
    ) -> Result<Answer, Error> {
        let mut tries = Tries::new(self.retries, twice);
        let mut request = request;
        loop {
            // A body that is a stream is sent once.
            let next = request.try_clone();
            let error = match self.send_once(request, wait).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let (Some(next), Some(pause)) = (next, tries.after(&error)) else {
                return Err(error);
            };
            tokio::time::sleep(pause).await;
            request = next;
        }
    }

    /// Sends once, and reads the whole answer.
    pub(crate) async fn send_once(
        &self,
        request: RequestBuilder,
        wait: Duration,
    ) -> Result<Answer, Error> {
        let limit = wait.saturating_add(self.patience);
        let response = request
            .timeout(limit)
            .send()
            .await
            .map_err(|e| self.lost(e, limit))?;
        self.read(response, limit).await
    }

    /// Opens an answer of a kind that goes on: its head comes within the client's patience, its
    /// body whenever it comes. `None` says that there is none.
    pub(crate) async fn open(
        &self,
        request: RequestBuilder,
        kind: &str,
    ) -> Result<Option<Response>, Error> {
        let limit = self.patience;
        let opened = async {
            let response = request.send().await.map_err(|e| self.lost(e, limit))?;
            let is_kind = response
                .headers()
                .get(header::CONTENT_TYPE)
                .is_some_and(|found| found.as_bytes().starts_with(kind.as_bytes()));
            if response.status() == StatusCode::OK && is_kind {
                return Ok(Some(response));
            }
            let answer = self.read(response, limit).await?;
            match answer.status {
                StatusCode::NO_CONTENT => Ok(None),
                _ => Err(answer.foreign(format!("no {kind}"))),
            }
        };
        let late = |_| Error::Timeout {
            url: self.base.to_string(),
            seconds: limit.as_secs(),
        };
        tokio::time::timeout(limit, opened).await.map_err(late)?
    }

    async fn read(&self, mut response: Response, limit: Duration) -> Result<Answer, Error> {
        let status = response.status();
        let refusal = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(MEDIA_TYPE.as_bytes()));
        if response
            .content_length()
            .is_some_and(|bytes| bytes > ANSWER_MAX)
        {
            return Err(Error::TooLarge { max: ANSWER_MAX });
        }
        let retry_after = retry_after(response.headers());
        let tag = text(response.headers(), &header::ETAG);
        let mut bytes = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.lost(e, limit))? {
            if bytes.len().saturating_add(chunk.len()) as u64 > ANSWER_MAX {
                return Err(Error::TooLarge { max: ANSWER_MAX });
            }
            bytes.extend_from_slice(&chunk);
        }
        let answer = Answer {
            status,
            bytes: bytes.freeze(),
            tag,
            url: self.base.to_string(),
        };
        if refusal {
            let problem = answer.json::<Problem>()?;
            return Err(Error::Problem {
                problem,
                retry_after,
            });
        }
        Ok(answer)
    }

    fn lost(&self, source: reqwest::Error, limit: Duration) -> Error {
        let url = self.base.to_string();
        if source.is_timeout() && !source.is_connect() {
            return Error::Timeout {
                url,
                seconds: limit.as_secs(),
            };
        }
        Error::Connect { url, source }
    }

    /// Asks for a document.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        query: &[(&str, String)],
        wait: Duration,
    ) -> Result<T, Error> {
        let request = self.request(Method::GET, segments).query(query);
        self.send(request, wait, Twice::Same).await?.document()
    }

    /// Sends a document.
    pub(crate) async fn post<T: Serialize + Sync + ?Sized>(
        &self,
        segments: &[&str],
        query: &[(&str, String)],
        body: &T,
        wait: Duration,
        twice: Twice,
    ) -> Result<Answer, Error> {
        let request = self.request(Method::POST, segments).query(query).json(body);
        self.send(request, wait, twice).await
    }
}

/// The seconds of a `Retry-After`; its other form, a date, is nothing that a node sends.
fn retry_after(fields: &header::HeaderMap) -> Option<Duration> {
    let text = text(fields, &header::RETRY_AFTER)?;
    text.parse().ok().map(Duration::from_secs)
}

fn text(fields: &header::HeaderMap, name: &header::HeaderName) -> Option<String> {
    fields.get(name)?.to_str().ok().map(str::to_owned)
}

/// Leaves the key out.
impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http")
            .field("base", &self.base.as_str())
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

// === impl Answer ===

impl Answer {
    /// Refuses what is no success, and reads the document.
    pub(crate) fn document<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.success()?.json()
    }

    /// Reads the document with its validator.
    pub(crate) fn tagged<T: DeserializeOwned>(self) -> Result<(T, String), Error> {
        let answer = self.success()?;
        match &answer.tag {
            Some(tag) => Ok((answer.json()?, tag.clone())),
            None => Err(answer.foreign("a document without an entity tag")),
        }
    }

    /// The bytes of a success.
    pub(crate) fn raw(self) -> Result<Bytes, Error> {
        Ok(self.success()?.bytes)
    }

    fn success(self) -> Result<Self, Error> {
        if self.status.is_success() {
            return Ok(self);
        }
        Err(self.foreign("neither a success nor a problem document"))
    }

    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.bytes).map_err(|error| self.foreign(error.to_string()))
    }

    fn foreign(&self, reason: impl Into<String>) -> Error {
        Error::Foreign {
            url: self.url.clone(),
            status: self.status.as_u16(),
            reason: reason.into(),
        }
    }
}
