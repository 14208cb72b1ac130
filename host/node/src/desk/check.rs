//! Checks of inputs on demand, and the reports that failed tasks carry.
//!
//! A check uses the worker's own sandboxes and provers, so it meets the same limits and the same
//! code as a task. It leaves nothing behind: no task, no blob, no log line with a value.

use std::sync::Arc;
use std::time::Duration;

use aureole_api::{Problem, codes, rest};
use aureole_gateway::{Caller, InputCheck};
use aureole_ledger::Digest;
use aureole_prover::{Failure, Fault, Values};
use aureole_store::Secret;
use aureole_worker::{Provers, Sandboxes, Unsatisfied};
use tokio::sync::Semaphore;

use super::{Desk, circuits::usable, storage};

/// Checks at a time, those that wait for a free process included. A check takes a tenth of a
/// second; four keep a console lively, and more would make proofs wait.
const CHECKS_MAX: usize = 4;

/// How long a check may take, its wait for a process included. Behind a long proof it is better
/// to say so than to hold the connection.
const CHECK_WAIT: Duration = Duration::from_secs(55);

/// Parameters are stored as the desk took them, at most 64 KiB.
const PARAMS_BYTES_MAX: u64 = 1 << 20;

/// The worker's processes, as far as checks use them.
#[derive(Clone, Debug)]
pub(crate) struct Checker {
    sandboxes: Sandboxes,
    provers: Provers,
    permits: Arc<Semaphore>,
}

/// One check, ready to run.
struct Job {
    component: Digest,
    circuit: Digest,
    params: Vec<u8>,
    input: Secret,
    values: Values,
}

// === impl Checker ===

impl Checker {
    pub(crate) fn new(sandboxes: Sandboxes, provers: Provers) -> Self {
        let permits = Arc::new(Semaphore::new(CHECKS_MAX));
        Self {
            sandboxes,
            provers,
            permits,
        }
    }

    async fn run(&self, job: Job) -> Result<Result<Duration, Unsatisfied>, aureole_worker::Error> {
        let Job {
            component,
            circuit,
            params,
            input,
            values,
        } = job;
        let witness = self.sandboxes.witness(&component, &params, &input).await?;
        drop(input);
        let mut session = self.provers.open(&circuit).await?;
        // Names cost a second run of the plugin: only a failure needs them.
        match session.check(&witness.value).await? {
            Ok(took) => Ok(Ok(took)),
            Err(_) => {
                let names = self.sandboxes.annotate(&component, &params).await?;
                session.diagnose(&names.value, &witness.value, values).await
            }
        }
    }
}

// === impl Desk ===

impl Desk {
    /// Says whether an input satisfies a circuit, and what it breaks.
    pub(crate) async fn check_against(
        &self,
        caller: &Caller,
        check: InputCheck,
    ) -> Result<rest::CheckReport, Problem> {
        let InputCheck {
            circuit,
            input,
            reveal,
        } = check;
        let facts = self.ready_facts(caller, &circuit)?;
        let record = self.circuit_record(caller, &circuit)?;
        // The component of a retired plugin may be gone.
        let reference = rest::PluginRef::Digest(*record.plugin.as_bytes());
        usable(&self.plugin_record(caller, &reference)?, &reference)?;
        self.check_input(caller, &circuit, &input).await?;
        let params = self
            .depot
            .get(&record.params, PARAMS_BYTES_MAX)
            .await
            .map_err(|error| storage(&error, "the circuit's parameters cannot be read"))?;
        let job = Job {
            component: record.plugin,
            circuit: facts.circuit_digest,
            params: params.to_vec(),
            input: Secret::new(input.to_string().into_bytes()),
            values: if reveal {
                Values::Shown
            } else {
                Values::Hidden
            },
        };
        let busy = |detail: &str| Problem::new(codes::node::BUSY, detail);
        let permit = Arc::clone(&self.checker.permits)
            .try_acquire_owned()
            .map_err(|_| {
                busy(&format!(
                    "{CHECKS_MAX} checks run already, the most at a time; try again"
                ))
            })?;
        // On a task of its own: a caller who goes away must not kill a process with warm keys.
        let checker = self.checker.clone();
        let running = tokio::spawn(async move {
            let result = checker.run(job).await;
            drop(permit);
            result
        });
        let result = tokio::time::timeout(CHECK_WAIT, running)
            .await
            .map_err(|_| {
                busy(
                    "every prover is at work on a proof; try again, or submit a task, which queues",
                )
            })?;
        match result {
            Ok(Ok(Ok(_))) => Ok(rest::CheckReport {
                satisfied: true,
                code: None,
                failures: Vec::new(),
                more: 0,
            }),
            Ok(Ok(Err(unsatisfied))) => Ok(report(&unsatisfied)),
            Ok(Err(error)) => {
                let problem = error.to_problem().0;
                let shown = Problem::named(&problem.code, &problem.detail);
                Err(match problem.path {
                    Some(path) => shown.at(path),
                    None => shown,
                })
            }
            Err(error) => {
                tracing::error!(%error, "a check ended without a result");
                Err(Problem::new(
                    codes::node::INTERNAL,
                    "the check could not be finished",
                ))
            }
        }
    }

    /// A problem with the failures of its report, which the worker left in the depot. The problem
    /// stands without them if they cannot be read: it names the first ones itself.
    pub(super) async fn domain_in_full(&self, problem: &aureole_ledger::Problem) -> Problem {
        let shown = super::domain(problem);
        let Some(digest) = &problem.report else {
            return shown;
        };
        let Ok(document) = self.documents.get(digest).await else {
            return shown;
        };
        match serde_json::from_value::<aureole_prover::Unsatisfied>((*document).clone()) {
            Ok(report) => shown.with_failures(report.failures.iter().map(failure).collect()),
            Err(error) => {
                tracing::error!(%digest, %error, "a task's report does not read");
                shown
            }
        }
    }
}

fn report(unsatisfied: &Unsatisfied) -> rest::CheckReport {
    rest::CheckReport {
        satisfied: false,
        code: Some(unsatisfied.code().to_owned()),
        failures: unsatisfied.0.failures.iter().map(failure).collect(),
        more: unsatisfied.0.more,
    }
}

/// A failure as the API shows it, with the values it has.
fn failure(failure: &Failure) -> rest::Failure {
    let message = failure.to_string();
    let mut shown = rest::Failure {
        fault: String::new(),
        message,
        gate: None,
        gate_name: None,
        constraint: None,
        constraint_name: None,
        lookup: None,
        row: failure.row,
        rows: failure.rows,
        region: failure.region.as_ref().map(|region| rest::Region {
            name: region.name.clone(),
            offset: region.offset,
        }),
        cells: failure.cells.iter().map(cell).collect(),
    };
    let (name, gate) = match &failure.fault {
        Fault::Constraint {
            gate,
            gate_name,
            constraint,
            constraint_name,
        } => (
            "constraint",
            Some((gate, gate_name, constraint, constraint_name)),
        ),
        Fault::UnusableRow {
            gate,
            gate_name,
            constraint,
            constraint_name,
        } => (
            "unusable_row",
            Some((gate, gate_name, constraint, constraint_name)),
        ),
        Fault::Lookup { lookup } => {
            shown.lookup = Some(*lookup);
            ("lookup", None)
        }
        Fault::Copy { .. } => ("copy", None),
        _ => ("malformed", None),
    };
    name.clone_into(&mut shown.fault);
    if let Some((gate, gate_name, constraint, constraint_name)) = gate {
        shown.gate = Some(*gate);
        shown.gate_name = Some(gate_name.clone());
        shown.constraint = Some(*constraint);
        shown.constraint_name = Some(constraint_name.clone()).filter(|name| !name.is_empty());
    }
    shown
}

fn cell(cell: &aureole_prover::Cell) -> rest::Cell {
    rest::Cell {
        name: cell.name.clone(),
        kind: cell.place.kind.clone(),
        column: cell.place.column,
        row: cell.place.row,
        public_input: cell.place.public_input.clone(),
        value: cell.value.as_ref().map(|value| value.expose().to_owned()),
    }
}
