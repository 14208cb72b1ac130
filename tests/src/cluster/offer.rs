//! A result offered by hand, under a worker's own certificate: what a worker says that wakes up too
//! late, said at the moment that a story wants.

use std::fs;

use anyhow::Context as _;
use aureole_api::internal::v1::{self, complete_request, workers_client::WorkersClient};
use aureole_store::{Digest, TaskId};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use super::Cluster;

/// The name that every coordinator's certificate bears.
const COORDINATOR: &str = "coordinator.aureole.internal";

impl Cluster {
    /// Offers whoever leads a result for an attempt of a worker, and returns the code under which it
    /// is refused; nothing when it was taken. Its blobs exist nowhere: a refusal that names a missing
    /// blob says that the attempt itself was let through.
    ///
    /// # Errors
    /// When the leader does not answer.
    pub async fn offer(
        &self,
        worker: &str,
        task: &str,
        attempt: u32,
    ) -> anyhow::Result<Option<String>> {
        let leader = self.leader().await?;
        let address = self.server(&leader)?.internal.as_deref();
        let address = address.context("a leader without an address")?;
        let task: TaskId = task.parse()?;
        let proved = v1::Proved {
            proof: Digest::of(b"a proof that is nowhere").as_bytes().to_vec(),
            public_inputs: Digest::of(b"public inputs that are nowhere")
                .as_bytes()
                .to_vec(),
        };
        let request = v1::CompleteRequest {
            worker_id: worker.to_owned(),
            attempt: Some(v1::AttemptId {
                task_id: task.as_bytes().to_vec(),
                attempt,
            }),
            result: Some(complete_request::Result::Proved(proved)),
            ..v1::CompleteRequest::default()
        };
        let endpoint = Endpoint::from_shared(format!("https://{address}"))?;
        let channel = endpoint.tls_config(self.tls_of(worker)?)?.connect().await?;
        let reply = WorkersClient::new(channel).complete(request).await?;
        Ok(reply.into_inner().refused.map(|problem| problem.code))
    }

    /// What a worker shows to coordinators, and whom it trusts.
    fn tls_of(&self, worker: &str) -> anyhow::Result<ClientTlsConfig> {
        let number = worker.trim_start_matches('w');
        let folder = self.folder().join(format!("cluster/worker-{number}/tls"));
        let read = |file: &str| fs::read(folder.join(file));
        Ok(ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(read("ca.pem")?))
            .identity(Identity::from_pem(read("node.pem")?, read("node.key")?))
            .domain_name(COORDINATOR))
    }
}
