//! Verifying keys in gRPC.

use async_trait::async_trait;
use aureole_api::{
    Problem,
    public::v1::{self, keys_server::Keys},
};
use tonic::{Request, Response, Status};

use super::{Wire, caller, read, show, status};

#[async_trait]
impl Keys for Wire {
    async fn list_verifying_keys(
        &self,
        request: Request<v1::ListVerifyingKeysRequest>,
    ) -> Result<Response<v1::ListVerifyingKeysReply>, Status> {
        let done = self.names(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }

    async fn get_verifying_key(
        &self,
        request: Request<v1::GetVerifyingKeyRequest>,
    ) -> Result<Response<v1::VerifyingKey>, Status> {
        let done = self.name(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }

    async fn publish_verifying_key(
        &self,
        request: Request<v1::PublishVerifyingKeyRequest>,
    ) -> Result<Response<v1::VerifyingKey>, Status> {
        let done = self.publish(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }

    async fn get_circuit_key(
        &self,
        request: Request<v1::GetCircuitKeyRequest>,
    ) -> Result<Response<v1::CircuitKey>, Status> {
        let done = self.circuit_key(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }

    async fn revoke_verifying_key(
        &self,
        request: Request<v1::RevokeVerifyingKeyRequest>,
    ) -> Result<Response<v1::CircuitKey>, Status> {
        let done = self.revoke(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }
}

// === impl Wire ===

impl Wire {
    async fn names(
        &self,
        request: Request<v1::ListVerifyingKeysRequest>,
    ) -> Result<v1::ListVerifyingKeysReply, Problem> {
        let caller = caller(&request)?;
        let list = self.0.platform.verifying_keys(&caller).await?;
        Ok(v1::ListVerifyingKeysReply {
            keys: list.keys.into_iter().map(show::verifying_key).collect(),
            revocations: list.revocations.into_iter().map(show::revocation).collect(),
        })
    }

    async fn name(
        &self,
        request: Request<v1::GetVerifyingKeyRequest>,
    ) -> Result<v1::VerifyingKey, Problem> {
        let caller = caller(&request)?;
        let name = &request.get_ref().name;
        let key = self.0.platform.verifying_key(&caller, name).await;
        key.map(show::verifying_key)
    }

    async fn publish(
        &self,
        request: Request<v1::PublishVerifyingKeyRequest>,
    ) -> Result<v1::VerifyingKey, Problem> {
        let caller = caller(&request)?;
        let v1::PublishVerifyingKeyRequest { name, circuit } = request.into_inner();
        let circuit = read::circuit(&circuit)?;
        let platform = &self.0.platform;
        let key = platform.publish_verifying_key(&caller, &name, circuit);
        key.await.map(show::verifying_key)
    }

    async fn circuit_key(
        &self,
        request: Request<v1::GetCircuitKeyRequest>,
    ) -> Result<v1::CircuitKey, Problem> {
        let caller = caller(&request)?;
        let circuit = read::circuit(&request.get_ref().circuit)?;
        let key = self.0.platform.circuit_key(&caller, circuit).await;
        key.map(show::circuit_key)
    }

    async fn revoke(
        &self,
        request: Request<v1::RevokeVerifyingKeyRequest>,
    ) -> Result<v1::CircuitKey, Problem> {
        let caller = caller(&request)?;
        let v1::RevokeVerifyingKeyRequest { circuit, reason } = request.into_inner();
        let circuit = read::circuit(&circuit)?;
        let platform = &self.0.platform;
        let key = platform.revoke_verifying_key(&caller, circuit, reason);
        key.await.map(show::circuit_key)
    }
}
