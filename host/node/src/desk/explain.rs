//! Why a task waits, for people; and whether a proof has a worker to wait for.

use aureole_api::{Problem, codes, rest};
use aureole_gateway::Caller;
use aureole_ledger::{Basis, CircuitId, Explanation, TaskId, TaskPhase, Wait, admit, explain};

use super::{Desk, domain};

// === impl Desk ===

impl Desk {
    /// Says why a task waits. A task that the archive has has ended, and waits for nothing.
    pub(crate) async fn explain_task(
        &self,
        caller: &Caller,
        id: TaskId,
    ) -> Result<rest::Explanation, Problem> {
        let workers = self.coordinator.worker_views();
        let now = self.coordinator.now();
        let told = self
            .coordinator
            .read(|state| explain(state, now, &id, &workers));
        if let Some(told) = told.filter(|_| self.owns(caller, &id)) {
            return Ok(view(&told));
        }
        let task = self.task_anywhere(caller, id).await?;
        let detail = format!("task {id} has ended already: {}", task.state);
        Err(Problem::new(codes::task::FINISHED, detail))
    }

    /// Refuses a proof that no joined worker has the memory for.
    pub(super) fn admit_proof(&self, circuit: &CircuitId) -> Result<(), Problem> {
        let workers = self.coordinator.worker_views();
        self.coordinator
            .read(|state| admit(state, circuit, &workers))
            .map_err(|problem| domain(&problem))
    }
}

fn view(told: &Explanation) -> rest::Explanation {
    let (wait, summary) = words(&told.wait);
    let deadline = told.deadline.map(rest::Timestamp::from_millis);
    rest::Explanation {
        task: told.task.to_string(),
        state: state(told.phase),
        wait,
        summary,
        tenant: told.tenant.to_string(),
        weight: told.weight,
        tenant_running: told.tenant_running,
        ahead: told.position.map(|position| position.ahead),
        ahead_is_more: told.position.is_some_and(|position| !position.exact),
        queued: told.queued,
        estimate: rest::Estimate {
            duration_ms: told.estimate.duration_ms,
            memory_bytes: told.estimate.memory.bytes,
            threads: told.threads,
            basis: basis(told.estimate.basis),
        },
        starts_in_ms: told.starts_in_ms,
        ends_in_ms: told.ends_in_ms,
        deadline,
    }
}

const fn state(phase: TaskPhase) -> rest::TaskState {
    match phase {
        TaskPhase::Queued => rest::TaskState::Queued,
        TaskPhase::Running => rest::TaskState::Running,
        TaskPhase::Done => rest::TaskState::Done,
        TaskPhase::Failed => rest::TaskState::Failed,
        TaskPhase::Cancelled => rest::TaskState::Cancelled,
    }
}

fn basis(basis: Basis) -> String {
    match basis {
        Basis::Measured { proofs } => format!("measured {proofs} times here"),
        Basis::Shape { proofs: 0 } => "predicted from the circuit's shape".to_owned(),
        Basis::Shape { proofs } => {
            format!("predicted from the circuit's shape, at the pace of {proofs} other proofs here")
        }
        Basis::Assumed => "assumed: nothing is known of it yet".to_owned(),
    }
}

fn words(wait: &Wait) -> (rest::Wait, String) {
    match wait {
        Wait::Ended => (rest::Wait::Ended, "it has ended".to_owned()),
        Wait::Result { workers, since_ms } => {
            let names: Vec<&str> = workers.iter().map(|worker| worker.as_str()).collect();
            let names = names.join(" and ");
            let text = format!("worker {names} has had it for {since_ms} ms");
            (rest::Wait::Result, text)
        }
        Wait::Circuit { circuit } => {
            let text = format!("circuit {circuit} is being prepared");
            (rest::Wait::Circuit, text)
        }
        Wait::BackOff { until, strikes } => {
            let text = format!("it lost {strikes} attempts and is tried again at {until} ms");
            (rest::Wait::BackOff, text)
        }
        Wait::Worker => {
            let text = "no worker is joined that takes tasks".to_owned();
            (rest::Wait::Worker, text)
        }
        Wait::LargerWorker { needed, largest } => {
            let text =
                format!("it needs {needed} bytes of memory, the largest worker has {largest}");
            (rest::Wait::LargerWorker, text)
        }
        Wait::Memory {
            worker,
            needed,
            free,
            reserved,
        } => {
            let kept = if *reserved {
                ", which takes nothing else until it fits"
            } else {
                ""
            };
            let text =
                format!("it needs {needed} bytes of memory, {free} are free on {worker}{kept}");
            (rest::Wait::Memory, text)
        }
        Wait::Slot { slots } => {
            let text = format!("it is next, all {slots} slots are taken");
            (rest::Wait::Slot, text)
        }
        Wait::Turn => (rest::Wait::Turn, "others are before it".to_owned()),
        Wait::Nothing => (rest::Wait::Nothing, "it starts at once".to_owned()),
    }
}
