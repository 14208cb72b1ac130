//! Circuits in gRPC.

use std::{pin::Pin, time::Duration};

use async_trait::async_trait;
use aureole_api::{
    Problem,
    public::v1::{self, circuits_server::Circuits},
    rest::CircuitState,
};
use futures::{Stream, stream};
use tonic::{Request, Response, Status};

use super::{Wire, caller, read, show, status};
use crate::{Blob, InputCheck, limits, routes::rejected};

type Parts = Pin<Box<dyn Stream<Item = Result<v1::BytesPart, Status>> + Send>>;

#[async_trait]
impl Circuits for Wire {
    async fn put_circuit(
        &self,
        request: Request<v1::PutCircuitRequest>,
    ) -> Result<Response<v1::PutCircuitReply>, Status> {
        let done = self.register(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }

    async fn get_circuit(
        &self,
        request: Request<v1::GetCircuitRequest>,
    ) -> Result<Response<v1::Circuit>, Status> {
        let done = self.look(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }

    type DownloadCircuitStream = Parts;

    async fn download_circuit(
        &self,
        request: Request<v1::DownloadCircuitRequest>,
    ) -> Result<Response<Parts>, Status> {
        let blob = async {
            let caller = caller(&request)?;
            let id = read::circuit(&request.get_ref().circuit)?;
            self.0.platform.circuit_ir(&caller, id).await
        };
        let blob = blob.await.map_err(|problem| status::of(&problem))?;
        Ok(Response::new(parts(blob)))
    }

    async fn check_input(
        &self,
        request: Request<v1::CheckInputRequest>,
    ) -> Result<Response<v1::CheckInputReply>, Status> {
        let done = self.check(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }
}

// === impl Wire ===

impl Wire {
    async fn register(
        &self,
        request: Request<v1::PutCircuitRequest>,
    ) -> Result<v1::PutCircuitReply, Problem> {
        let caller = caller(&request)?;
        let asked = request.into_inner();
        let shared = &self.0;
        let wait = read::wait(asked.wait, shared.config.wait_default)?;
        let plugin = read::plugin(&asked.plugin)?;
        let params = read::params(asked.params).await?;
        let put = shared.platform.put_circuit(&caller, &plugin, params);
        let (mut circuit, created) = put.await?;
        if !circuit.is_settled()
            && !wait.is_zero()
            && let Ok(id) = circuit.id.parse()
        {
            circuit = shared
                .waiting(wait, |wait| shared.platform.circuit(&caller, id, wait))
                .await?;
        }
        if circuit.state == CircuitState::Rejected {
            return Err(rejected(circuit.problem));
        }
        Ok(v1::PutCircuitReply {
            circuit: Some(show::circuit(circuit)),
            created,
        })
    }

    async fn look(&self, request: Request<v1::GetCircuitRequest>) -> Result<v1::Circuit, Problem> {
        let caller = caller(&request)?;
        let asked = request.into_inner();
        let id = read::circuit(&asked.circuit)?;
        let wait = read::wait(asked.wait, Duration::ZERO)?;
        let shared = &self.0;
        let found = shared.waiting(wait, |wait| shared.platform.circuit(&caller, id, wait));
        found.await.map(show::circuit)
    }

    async fn check(
        &self,
        request: Request<v1::CheckInputRequest>,
    ) -> Result<v1::CheckInputReply, Problem> {
        let caller = caller(&request)?;
        let asked = request.into_inner();
        let check = InputCheck {
            circuit: read::circuit(&asked.circuit)?,
            input: read::value(asked.input, "input").await?,
            reveal: asked.reveal,
        };
        let report = self.0.platform.check_input(&caller, check).await?;
        Ok(show::report(&report))
    }
}

/// Whole bytes in parts, the digest with the first.
fn parts(blob: Blob) -> Parts {
    let Blob { digest, mut bytes } = blob;
    let mut digest = Some(digest.to_string());
    Box::pin(stream::iter(std::iter::from_fn(move || {
        if bytes.is_empty() && digest.is_none() {
            return None;
        }
        let part = bytes.split_to(bytes.len().min(limits::PART_BYTES as usize));
        Some(Ok(v1::BytesPart {
            digest: digest.take().unwrap_or_default(),
            bytes: part.into(),
        }))
    })))
}
