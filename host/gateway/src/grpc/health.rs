//! `grpc.health.v1`: the same health as `/health/ready`, for balancers that ask in gRPC.

use std::pin::Pin;

use async_trait::async_trait;
use aureole_api::{Problem, codes::request};
use futures::{Stream, stream};
use tokio::time::{Instant, sleep, sleep_until};
use tonic::{Request, Response, Status};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
    health_server::Health,
};

use super::{Wire, status};
use crate::{limits, serve::Streaming};

/// The services that can be asked for by name; the empty name is the node.
const SERVICES: [&str; 7] = [
    "",
    "aureole.v1.Circuits",
    "aureole.v1.Keys",
    "aureole.v1.Plugins",
    "aureole.v1.Proofs",
    "aureole.v1.Receipts",
    "aureole.v1.Tasks",
];

type Answers = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

#[async_trait]
impl Health for Wire {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        known(request.get_ref()).map_err(|problem| status::of(&problem))?;
        Ok(Response::new(self.serving().await))
    }

    type WatchStream = Answers;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Answers>, Status> {
        known(request.get_ref()).map_err(|problem| status::of(&problem))?;
        let place = self.0.hub.places.take_of_health();
        let place = place.map_err(|problem| status::of(&problem))?;
        let first: Option<i32> = None;
        let ends = Instant::now() + limits::HEALTH_WATCH_MAX;
        let answers = stream::unfold((self.clone(), first), move |(wire, told)| async move {
            loop {
                let now = wire.serving().await;
                if told != Some(now.status) {
                    let told = Some(now.status);
                    return Some((Ok(now), (wire, told)));
                }
                tokio::select! {
                    () = wire.0.stopping.cancelled() => return None,
                    () = sleep_until(ends) => return None,
                    () = sleep(limits::ESTIMATE_EVERY) => {}
                }
            }
        });
        let answers: Answers = Box::pin(answers);
        let mut response = Response::new(answers);
        response.extensions_mut().insert(Streaming::new(place));
        Ok(response)
    }
}

// === impl Wire ===

impl Wire {
    async fn serving(&self) -> HealthCheckResponse {
        let status = if self.0.platform.health().await.ready {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        HealthCheckResponse {
            status: status.into(),
        }
    }
}

fn known(asked: &HealthCheckRequest) -> Result<(), Problem> {
    if SERVICES.contains(&asked.service.as_str()) {
        return Ok(());
    }
    let detail = "no such service; the empty name asks for the node";
    Err(Problem::new(request::SERVICE, detail))
}
