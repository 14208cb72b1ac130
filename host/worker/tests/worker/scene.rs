//! A worker with its children, scripted coordinators, and things to lease to it.

use std::net::SocketAddr;
use std::time::Duration;

use aureole_api::internal::v1::complete_request::Result as Outcome;
use aureole_api::internal::v1::{self, lease::Work};
use aureole_store::{Digest, TaskId, seal_input};
use aureole_telemetry::WorkerMeters;
use aureole_worker::{Sandboxes, Worker, WorkerConfig};

use crate::coordinators::{Coordinators, Heard, connect};
use crate::fixture::{Fixture, upload};

/// A worker that has joined, and whom it has joined.
pub struct Scene {
    pub fixture: Fixture,
    pub coordinators: Coordinators,
    pub heard: Heard,
    pub worker: Worker,
    pub component: Digest,
}

/// Starts a worker that knows some coordinators.
pub async fn start_worker(
    fixture: &Fixture,
    slots: u32,
    coordinators: &[SocketAddr],
    drain: Duration,
) -> Worker {
    let mut sandboxes = fixture.sandboxes_config();
    // Long enough that only a kill explains why a looping plugin ends.
    sandboxes.limits.call_time = Duration::from_secs(300);
    let config = WorkerConfig {
        id: "w1".to_owned(),
        coordinators: coordinators.iter().map(ToString::to_string).collect(),
        slots,
        cores: 2,
        memory_bytes: 1 << 30,
        meters: WorkerMeters::default(),
        drain,
    };
    Worker::start(
        config,
        connect,
        fixture.depot.clone().into(),
        Sandboxes::new(sandboxes, fixture.depot.clone().into()).unwrap(),
        fixture.provers(),
    )
    .await
    .unwrap()
}

impl Scene {
    pub async fn new(tag: &str, slots: u32) -> Self {
        let (coordinators, heard, address) = Coordinators::start().await;
        Self::with(tag, slots, coordinators, heard, &[address]).await
    }

    /// A worker that knows some addresses, and has joined these coordinators.
    pub async fn with(
        tag: &str,
        slots: u32,
        coordinators: Coordinators,
        mut heard: Heard,
        addresses: &[SocketAddr],
    ) -> Self {
        let fixture = Fixture::new(tag);
        let worker = start_worker(&fixture, slots, addresses, Duration::from_millis(200)).await;
        let component = upload(&fixture.depot).await;
        let join = heard.join().await;
        assert_eq!((join.worker_id.as_str(), join.slots), ("w1", slots));
        Self {
            fixture,
            coordinators,
            heard,
            worker,
            component,
        }
    }

    /// Leases a plugin's inspection and gives the result.
    pub async fn inspect(&mut self) -> v1::PluginInspected {
        let component = self.component.as_bytes().to_vec();
        let work = Work::InspectPlugin(v1::InspectPlugin { component });
        self.coordinators.lease(attempt(100), work).await;
        match self.heard.completion().await.result {
            Some(Outcome::PluginInspected(result)) => result,
            other => panic!("{other:?}"),
        }
    }

    /// Leases a proof for an input of the test plugin.
    pub async fn prove(&mut self, number: u8, input: &str) {
        let inspected = self.inspect().await;
        self.prove_more(number, input, &inspected).await;
    }

    pub async fn prove_more(&mut self, number: u8, input: &str, inspected: &v1::PluginInspected) {
        let task = TaskId::from_bytes([number; 16]);
        let sealed = seal_input(task, input.as_bytes()).unwrap();
        let work = Work::Prove(v1::Prove {
            component: self.component.as_bytes().to_vec(),
            params: inspected.default_params.clone().unwrap(),
            circuit: inspected.default_circuit.clone().unwrap().circuit,
            input: self
                .fixture
                .depot
                .put(sealed.bytes)
                .await
                .unwrap()
                .as_bytes()
                .to_vec(),
            input_key: sealed.key.expose().to_vec(),
        });
        self.coordinators.lease(attempt(number), work).await;
    }
}

pub fn attempt(number: u8) -> v1::AttemptId {
    v1::AttemptId {
        task_id: vec![number; 16],
        attempt: 1,
    }
}
