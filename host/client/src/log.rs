//! The log of accepted proofs, verifying keys, and workers.

use std::time::Duration;

use aureole_api::codes;
use aureole_api::rest::{
    CircuitKey, LogProof, RevocationRequest, VerifyingKey, VerifyingKeyList, VerifyingKeyRequest,
    WorkerList,
};
use bytes::Bytes;
use reqwest::Method;
use serde_json::Value;

use crate::client::path;
use crate::retry::Twice;
use crate::{Client, Error};

// === impl Client ===

impl Client {
    /// The receipt of a task's proof: a JSON document that verifies offline under the log's key.
    ///
    /// # Errors
    /// See [`Error`]; so with every call.
    pub async fn receipt(&self, task: &str) -> Result<Value, Error> {
        let segments = path(&["tasks", task, "receipt"]);
        self.http.get(&segments, &[], Duration::ZERO).await
    }

    /// The newest signed checkpoint of the log. Nothing of it is checked here.
    pub async fn log_checkpoint(&self) -> Result<Bytes, Error> {
        self.log_bytes(&["checkpoint"]).await
    }

    /// What the node says is the key of its log. Whoever trusts it has got it another way.
    pub async fn log_key(&self) -> Result<Bytes, Error> {
        self.log_bytes(&["key"]).await
    }

    /// A tile or entry bundle of the log by its path, `tile/...`; `None` if the log has none.
    pub async fn log_tile(&self, tile: &str) -> Result<Option<Bytes>, Error> {
        let segments: Vec<&str> = tile.split('/').collect();
        match self.log_bytes(&segments).await {
            Err(Error::Problem { problem, .. }) if problem.is(codes::log::TILE) => Ok(None),
            read => read.map(Some),
        }
    }

    async fn log_bytes(&self, rest: &[&str]) -> Result<Bytes, Error> {
        let segments: Vec<&str> = ["log"].iter().chain(rest).copied().collect();
        let request = self.http.request(Method::GET, &path(&segments));
        self.http
            .send(request, Duration::ZERO, Twice::Same)
            .await?
            .raw()
    }

    /// The proof that a leaf is in the log as it was with so many leaves, or as it is at its newest
    /// checkpoint. Nothing of it is checked here.
    pub async fn log_inclusion(&self, index: u64, size: Option<u64>) -> Result<LogProof, Error> {
        self.log_proof("inclusion", ("index", index), ("size", size))
            .await
    }

    /// The proof that the log, as it was with `to` leaves or is at its newest checkpoint, only grew
    /// since it had `from`. Nothing of it is checked here.
    pub async fn log_consistency(&self, from: u64, to: Option<u64>) -> Result<LogProof, Error> {
        self.log_proof("consistency", ("from", from), ("to", to))
            .await
    }

    async fn log_proof(
        &self,
        what: &str,
        of: (&str, u64),
        at: (&str, Option<u64>),
    ) -> Result<LogProof, Error> {
        let mut query = vec![(of.0, of.1.to_string())];
        query.extend(at.1.map(|size| (at.0, size.to_string())));
        let segments = path(&["log", what]);
        self.http.get(&segments, &query, Duration::ZERO).await
    }

    /// The keys that are published, and those that are revoked.
    pub async fn verifying_keys(&self) -> Result<VerifyingKeyList, Error> {
        let segments = path(&["verifying-keys"]);
        self.http.get(&segments, &[], Duration::ZERO).await
    }

    /// The keys under a name.
    pub async fn verifying_key(&self, name: &str) -> Result<VerifyingKey, Error> {
        let segments = path(&["verifying-keys", name]);
        self.http.get(&segments, &[], Duration::ZERO).await
    }

    /// Makes a circuit's key the current one under a name; those before it go on verifying.
    pub async fn publish_verifying_key(
        &self,
        name: &str,
        circuit: &str,
    ) -> Result<VerifyingKey, Error> {
        let body = VerifyingKeyRequest {
            circuit: circuit.to_owned(),
        };
        let segments = path(&["verifying-keys", name]);
        let request = self.http.request(Method::PUT, &segments).json(&body);
        self.http
            .send(request, Duration::ZERO, Twice::Same)
            .await?
            .document()
    }

    /// A circuit's key, and whether it is revoked.
    pub async fn circuit_key(&self, circuit: &str) -> Result<CircuitKey, Error> {
        let segments = path(&["circuits", circuit, "key"]);
        self.http.get(&segments, &[], Duration::ZERO).await
    }

    /// Revokes a circuit's key for good.
    pub async fn revoke_verifying_key(
        &self,
        circuit: &str,
        reason: &str,
    ) -> Result<CircuitKey, Error> {
        let body = RevocationRequest {
            reason: reason.to_owned(),
        };
        let segments = path(&["circuits", circuit, "revocation"]);
        let answer = self
            .http
            .post(&segments, &[], &body, Duration::ZERO, Twice::Same)
            .await?;
        answer.document()
    }

    /// The workers that are joined or in quarantine.
    pub async fn workers(&self) -> Result<WorkerList, Error> {
        let segments = path(&["workers"]);
        self.http.get(&segments, &[], Duration::ZERO).await
    }

    /// Ends a worker's quarantine.
    pub async fn trust_worker(&self, worker: &str) -> Result<WorkerList, Error> {
        let segments = path(&["workers", worker, "quarantine"]);
        let request = self.http.request(Method::DELETE, &segments);
        self.http
            .send(request, Duration::ZERO, Twice::Same)
            .await?
            .document()
    }
}
