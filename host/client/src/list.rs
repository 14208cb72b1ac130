//! Lists of tasks: which, in which order, page by page or as one stream.

use std::{collections::VecDeque, time::Duration};

use aureole_api::rest::{Task, TaskPage, TaskState, Timestamp};
use futures::{Stream, stream};

use crate::{Client, Error, client::path};

/// Which tasks to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskQuery {
    /// In this state only.
    pub state: Option<TaskState>,
    /// Of this plugin only: name, name@version or digest.
    pub plugin: Option<String>,
    /// Of this circuit only, by its id.
    pub circuit: Option<String>,
    /// Submitted then or later.
    pub since: Option<Timestamp>,
    /// Submitted before then.
    pub until: Option<Timestamp>,
    /// In which order.
    pub sort: Sort,
    /// The `next` of an earlier page.
    pub before: Option<String>,
    /// How many a page at most, up to 200; the node's default when absent.
    pub limit: Option<u32>,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
}

/// A list being read.
#[derive(Debug)]
struct Reading {
    client: Client,
    /// What to ask next; `None` after the last page.
    query: Option<TaskQuery>,
    page: VecDeque<Task>,
}

// === impl Client ===

impl Client {
    /// A page of tasks.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn tasks(&self, query: &TaskQuery) -> Result<TaskPage, Error> {
        self.http
            .get(&path(&["tasks"]), &query.pairs(), Duration::ZERO)
            .await
    }

    /// All tasks, a page at a time as they are taken. A task that is submitted or ends meanwhile is
    /// seen once or, if it was submitted later, perhaps not at all.
    ///
    /// # Errors
    /// An error is the stream's last item; see [`Error`].
    pub fn all_tasks(
        &self,
        query: TaskQuery,
    ) -> impl Stream<Item = Result<Task, Error>> + Send + 'static {
        let reading = Reading {
            client: self.clone(),
            query: Some(query),
            page: VecDeque::new(),
        };
        stream::unfold(reading, |mut reading| async move {
            let item = reading.next().await?;
            Some((item, reading))
        })
    }
}

// === impl Reading ===

impl Reading {
    async fn next(&mut self) -> Option<Result<Task, Error>> {
        loop {
            if let Some(task) = self.page.pop_front() {
                return Some(Ok(task));
            }
            let mut query = self.query.take()?;
            match self.client.tasks(&query).await {
                Ok(page) => {
                    self.page = page.tasks.into();
                    self.query = page.next.map(|next| {
                        query.before = Some(next);
                        query
                    });
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

// === impl TaskQuery ===

impl TaskQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let sort = match self.sort {
            Sort::Newest => None,
            Sort::Oldest => Some("oldest".to_owned()),
        };
        let given = [
            ("state", self.state.map(|state| state.to_string())),
            ("plugin", self.plugin.clone()),
            ("circuit", self.circuit.clone()),
            ("since", self.since.map(|since| since.to_string())),
            ("until", self.until.map(|until| until.to_string())),
            ("sort", sort),
            ("before", self.before.clone()),
            ("limit", self.limit.map(|limit| limit.to_string())),
        ];
        given
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect()
    }
}
