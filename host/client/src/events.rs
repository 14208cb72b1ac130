//! A task's events as they come over one connection.

use std::time::Duration;

use aureole_api::{Problem, rest::TaskEvent};
use reqwest::{Method, Response, header};
use tokio::time::timeout;

use crate::{
    Client, Error,
    client::path,
    sse::{Parser, Told},
};

/// The header of a reader that comes back.
const LAST_EVENT_ID: &str = "last-event-id";

/// An open stream.
#[derive(Debug)]
pub(crate) struct Events {
    response: Response,
    parser: Parser,
    /// How long nothing may come, not even the sign of life of a node, which it gives every ten
    /// seconds.
    silence: Duration,
    url: String,
}

/// What a node says of a task.
#[derive(Debug)]
pub(crate) enum News {
    /// Where it stands, and the name of that.
    Stands(Option<String>, Box<TaskEvent>),
    /// The reader was too slow and has missed some; it should look again.
    Lagged,
    /// The stream has ended, though the task perhaps has not: the node stops, or the connection
    /// broke.
    Over,
}

// === impl Events ===

impl Events {
    /// Opens a task's events for a reader that has the one it names; `None` says that it has all.
    pub(crate) async fn open(
        client: &Client,
        task: &str,
        last: Option<&str>,
    ) -> Result<Option<Self>, Error> {
        let http = &client.http;
        let request = http.request(Method::GET, &path(&["tasks", task, "events"]));
        let mut request = request.header(header::ACCEPT, "text/event-stream");
        if let Some(last) = last {
            request = request.header(LAST_EVENT_ID, last);
        }
        let opened = http.open(request, "text/event-stream").await?;
        Ok(opened.map(|response| Self {
            response,
            parser: Parser::default(),
            silence: http.patience(),
            url: http.base().to_string(),
        }))
    }

    /// What comes next.
    ///
    /// # Errors
    /// [`Error::Timeout`] when the stream is silent, [`Error::Problem`] when the task cannot be
    /// watched further, [`Error::Foreign`] and [`Error::TooLarge`] when it is no stream of a node's.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub(crate) async fn next(&mut self) -> Result<News, Error> {
        loop {
            while let Some(told) = self.parser.next()? {
                if let Some(news) = self.read(told)? {
                    return Ok(news);
                }
            }
            let silent = |_| Error::Timeout {
                url: self.url.clone(),
                seconds: self.silence.as_secs(),
            };
            match timeout(self.silence, self.response.chunk()).await {
                Ok(Ok(Some(bytes))) => self.parser.push(&bytes),
                // It broke off, or it ended: the difference is nothing to whoever comes back.
                Ok(Ok(None) | Err(_)) => return Ok(News::Over),
                Err(elapsed) => return Err(silent(elapsed)),
            }
        }
    }

    /// What an event means; `None` for one that this reader does not know.
    fn read(&self, told: Told) -> Result<Option<News>, Error> {
        let foreign = |error: serde_json::Error| Error::Foreign {
            url: self.url.clone(),
            status: 200,
            reason: error.to_string(),
        };
        Ok(match told.kind.as_str() {
            "task" => {
                let event = serde_json::from_str(&told.data).map_err(foreign)?;
                Some(News::Stands(told.id, Box::new(event)))
            }
            "problem" => {
                let problem: Problem = serde_json::from_str(&told.data).map_err(foreign)?;
                return Err(Error::Problem {
                    problem,
                    retry_after: None,
                });
            }
            "lagged" => Some(News::Lagged),
            "stopping" => Some(News::Over),
            _ => None,
        })
    }
}
