//! Verification in gRPC.

use async_trait::async_trait;
use aureole_api::{
    Problem,
    public::v1::{self, proofs_server::Proofs},
};
use tonic::{Request, Response, Status};

use super::{Wire, caller, read, show, status};
use crate::routes::{verification, verification_batch};

#[async_trait]
impl Proofs for Wire {
    async fn verify_proof(
        &self,
        request: Request<v1::VerifyProofRequest>,
    ) -> Result<Response<v1::Verdict>, Status> {
        let done = self.verify(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }

    async fn verify_proofs(
        &self,
        request: Request<v1::VerifyProofsRequest>,
    ) -> Result<Response<v1::VerifyProofsReply>, Status> {
        let done = self.verify_many(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }
}

// === impl Wire ===

impl Wire {
    async fn verify(
        &self,
        request: Request<v1::VerifyProofRequest>,
    ) -> Result<v1::Verdict, Problem> {
        let caller = caller(&request)?;
        let asked = verification(&read::verification(request.into_inner()))?;
        self.0
            .platform
            .verify(&caller, asked)
            .await
            .map(show::verdict)
    }

    async fn verify_many(
        &self,
        request: Request<v1::VerifyProofsRequest>,
    ) -> Result<v1::VerifyProofsReply, Problem> {
        let caller = caller(&request)?;
        let asked = verification_batch(&read::verifications(request.into_inner()))?;
        let verdicts = self.0.platform.verify_batch(&caller, asked).await?;
        Ok(v1::VerifyProofsReply {
            valid: verdicts.iter().all(|verdict| verdict.valid),
            verdicts: verdicts.into_iter().map(show::verdict).collect(),
        })
    }
}
