//! The log of accepted proofs in gRPC.

use async_trait::async_trait;
use aureole_api::{
    Problem, codes,
    public::v1::{self, receipts_server::Receipts},
    rest,
};
use tonic::{Request, Response, Status};

use super::{Wire, caller, read, show, status};
use crate::{Blob, LogRead};

#[async_trait]
impl Receipts for Wire {
    async fn get_receipt(
        &self,
        request: Request<v1::GetReceiptRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        let done = self.receipt(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }

    async fn get_checkpoint(
        &self,
        request: Request<v1::GetCheckpointRequest>,
    ) -> Result<Response<v1::Checkpoint>, Status> {
        let note = self.log_text(&request, LogRead::Checkpoint).await;
        note.map(|note| Response::new(v1::Checkpoint { note }))
            .map_err(|problem| status::of(&problem))
    }

    async fn get_log_key(
        &self,
        request: Request<v1::GetLogKeyRequest>,
    ) -> Result<Response<v1::LogKey>, Status> {
        let key = self.log_text(&request, LogRead::Key).await;
        key.map(|key| Response::new(v1::LogKey { key }))
            .map_err(|problem| status::of(&problem))
    }

    async fn get_tile(
        &self,
        request: Request<v1::GetTileRequest>,
    ) -> Result<Response<v1::BytesPart>, Status> {
        let read = LogRead::Tile(format!("tile/{}", request.get_ref().path));
        let tile = self.log(&request, read).await;
        let tile = tile.map_err(|problem| status::of(&problem))?;
        Ok(Response::new(v1::BytesPart {
            digest: tile.digest.to_string(),
            bytes: tile.bytes.into(),
        }))
    }

    async fn prove_inclusion(
        &self,
        request: Request<v1::ProveInclusionRequest>,
    ) -> Result<Response<v1::LogProof>, Status> {
        let v1::ProveInclusionRequest { index, size } = *request.get_ref();
        let read = LogRead::Inclusion { index, size };
        let proof = self.log_proof(&request, read).await;
        proof
            .map(Response::new)
            .map_err(|problem| status::of(&problem))
    }

    async fn prove_consistency(
        &self,
        request: Request<v1::ProveConsistencyRequest>,
    ) -> Result<Response<v1::LogProof>, Status> {
        let v1::ProveConsistencyRequest { from, to } = *request.get_ref();
        let read = LogRead::Consistency { from, to };
        let proof = self.log_proof(&request, read).await;
        proof
            .map(Response::new)
            .map_err(|problem| status::of(&problem))
    }
}

// === impl Wire ===

impl Wire {
    async fn receipt(
        &self,
        request: Request<v1::GetReceiptRequest>,
    ) -> Result<v1::Receipt, Problem> {
        let caller = caller(&request)?;
        let task = read::task(&request.get_ref().task)?;
        let receipt = self.0.platform.receipt(&caller, task).await?;
        let json = show::json(&receipt);
        Ok(v1::Receipt { json })
    }

    async fn log<T: Sync>(&self, request: &Request<T>, read: LogRead) -> Result<Blob, Problem> {
        let caller = caller(request)?;
        self.0.platform.log(&caller, read).await
    }

    async fn log_text<T: Sync>(
        &self,
        request: &Request<T>,
        read: LogRead,
    ) -> Result<String, Problem> {
        let blob = self.log(request, read).await?;
        String::from_utf8(blob.bytes.into()).map_err(|_| unread("a note"))
    }

    async fn log_proof<T: Sync>(
        &self,
        request: &Request<T>,
        read: LogRead,
    ) -> Result<v1::LogProof, Problem> {
        let blob = self.log(request, read).await?;
        let proof: rest::LogProof =
            serde_json::from_slice(&blob.bytes).map_err(|_| unread("a proof"))?;
        Ok(v1::LogProof {
            of: proof.of,
            size: proof.size,
            root: proof.root,
            hashes: proof.hashes,
            checkpoint: proof.checkpoint,
        })
    }
}

fn unread(what: &str) -> Problem {
    let detail = format!("{what} of the log does not read");
    Problem::new(codes::node::INTERNAL, detail)
}
