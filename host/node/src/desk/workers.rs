//! Workers: who is joined, who is in quarantine, and letting them out.

use std::collections::BTreeMap;

use aureole_api::{Problem, codes, rest};
use aureole_gateway::Caller;
use aureole_ledger::{Command, Distrust, WorkerId};

use super::Desk;

// === impl Desk ===

impl Desk {
    /// The workers that are joined, and those that something is held against.
    pub(crate) async fn list_workers(&self, _caller: &Caller) -> Result<rest::WorkerList, Problem> {
        let held: Vec<(WorkerId, Distrust)> = self.coordinator.read(|state| {
            let held = state.distrusted();
            held.map(|(worker, distrust)| (worker.clone(), *distrust))
                .collect()
        });
        let away = held.into_iter().map(|(worker, distrust)| {
            let info = info(&worker, distrust);
            (worker, info)
        });
        let mut workers: BTreeMap<WorkerId, rest::WorkerInfo> = away.collect();
        let joined = self.coordinator.workers();
        let leases: Vec<u64> = self.coordinator.read(|state| {
            let leases = joined.iter().map(|worker| state.leases_of(&worker.id));
            leases.map(|held| held.count() as u64).collect()
        });
        for (worker, leases) in joined.into_iter().zip(leases) {
            let joined = rest::WorkerInfo {
                joined: true,
                slots: Some(worker.slots),
                cores: Some(worker.cores),
                draining: worker.draining,
                leases,
                warm: worker.warm.len() as u64,
                ..info(&worker.id, worker.distrust)
            };
            workers.insert(worker.id, joined);
        }
        Ok(rest::WorkerList {
            workers: workers.into_values().collect(),
        })
    }

    /// Trusts a worker again, and forgets the proofs of it that did not verify.
    pub(crate) async fn trust_worker(
        &self,
        caller: &Caller,
        worker: WorkerId,
    ) -> Result<rest::WorkerList, Problem> {
        let listed = self.list_workers(caller).await?;
        if !listed
            .workers
            .iter()
            .any(|known| known.name == worker.as_str())
        {
            let detail = format!("no worker {worker} is joined, and nothing is held against it");
            return Err(Problem::new(codes::worker::UNKNOWN, detail));
        }
        tracing::warn!(%worker, by = %caller.credential, "a worker is trusted again");
        let command = Command::TrustWorker { worker };
        let _ = self.propose(command).await?;
        self.list_workers(caller).await
    }
}

fn info(worker: &WorkerId, distrust: Distrust) -> rest::WorkerInfo {
    rest::WorkerInfo {
        name: worker.to_string(),
        joined: false,
        slots: None,
        cores: None,
        draining: false,
        leases: 0,
        warm: 0,
        invalid_proofs: distrust.invalid_proofs,
        quarantined_at: distrust.quarantined_at.map(rest::Timestamp::from_millis),
    }
}
