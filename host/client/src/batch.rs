//! Many at once: tasks to be submitted, proofs to be verified.

use std::time::Duration;

use aureole_api::rest::{
    BatchReport, BatchRequest, TaskRequest, VerifyBatchReport, VerifyBatchRequest,
};
use reqwest::Method;

use crate::{
    Client, Error,
    client::{IDEMPOTENCY_KEY, path},
    retry::Twice,
};

// === impl Client ===

impl Client {
    /// Submits up to [`BATCH_TASKS_MAX`] tasks at once and answers at once, with an item for each in
    /// the order given. What one is refused for stops no other.
    ///
    /// A client that makes calls again gives the batch an idempotency key of its own, so that the
    /// node does each once.
    ///
    /// # Errors
    /// [`Error::Problem`] when the batch itself is refused: then nothing of it was submitted. See
    /// [`Error`] for the rest.
    ///
    /// [`BATCH_TASKS_MAX`]: aureole_api::rest::BATCH_TASKS_MAX
    pub async fn submit_batch(&self, tasks: Vec<TaskRequest>) -> Result<BatchReport, Error> {
        let key = self.fresh_key()?;
        self.submitted_batch(tasks, key.as_deref()).await
    }

    /// Submits a batch under a key of the caller's, 1 to 124 visible characters: the same key with
    /// the same batch gives the same tasks, also after a restart of the caller. Items that were
    /// refused for a reason that has passed are taken then.
    ///
    /// # Errors
    /// As [`Client::submit_batch`].
    pub async fn submit_batch_once(
        &self,
        key: &str,
        tasks: Vec<TaskRequest>,
    ) -> Result<BatchReport, Error> {
        self.submitted_batch(tasks, Some(key)).await
    }

    async fn submitted_batch(
        &self,
        tasks: Vec<TaskRequest>,
        key: Option<&str>,
    ) -> Result<BatchReport, Error> {
        let mut request = self
            .http
            .request(Method::POST, &path(&["tasks:batch"]))
            .json(&BatchRequest { tasks });
        let twice = match key {
            Some(key) => {
                request = request.header(IDEMPOTENCY_KEY, key);
                Twice::Same
            }
            None => Twice::Differs,
        };
        let answer = self.http.send(request, Duration::ZERO, twice);
        answer.await?.document()
    }

    /// Has up to [`BATCH_PROOFS_MAX`] proofs of one circuit verified at once, which costs little more
    /// than one; each has its verdict, in the order given.
    ///
    /// # Errors
    /// See [`Error`]. A proof that does not verify is an answer.
    ///
    /// [`BATCH_PROOFS_MAX`]: aureole_api::rest::BATCH_PROOFS_MAX
    pub async fn verify_batch(
        &self,
        request: &VerifyBatchRequest,
    ) -> Result<VerifyBatchReport, Error> {
        let path = path(&["proofs", "verify:batch"]);
        let answer = self
            .http
            .post(&path, &[], request, Duration::ZERO, Twice::Same)
            .await?;
        answer.document()
    }
}
