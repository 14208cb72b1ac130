//! A request for a proof, from whichever wire, as the submission that the platform takes.

use aureole_api::{
    Problem,
    codes::{request, task},
    rest::{PRIORITY_MAX, TaskRequest, Timestamp},
};
use aureole_ledger::Priority;

use crate::{Submission, Target};

/// Checks what a request asks for.
///
/// # Errors
/// `task.target`, `task.priority` or `request.id`, with the place.
pub(crate) fn submission(
    asked: TaskRequest,
    idempotency_key: Option<String>,
) -> Result<Submission, Problem> {
    Ok(Submission {
        priority: priority(asked.priority)?,
        deadline: asked.deadline.map(Timestamp::millis),
        target: target(&asked)?,
        input: asked.input,
        idempotency_key,
    })
}

fn priority(asked: Option<u8>) -> Result<Priority, Problem> {
    let Some(level) = asked else {
        return Ok(Priority::DEFAULT);
    };
    Priority::new(level).ok_or_else(|| {
        let detail = format!("{level} is over the highest priority, {PRIORITY_MAX}");
        Problem::new(task::PRIORITY, detail).at("/priority")
    })
}

fn target(asked: &TaskRequest) -> Result<Target, Problem> {
    match (&asked.circuit, &asked.plugin, &asked.params) {
        (None, Some(plugin), params) => Ok(Target::Plugin {
            plugin: plugin.clone(),
            params: params.clone(),
        }),
        (Some(circuit), None, None) => {
            let form = "a circuit is cir_ and 32 lower-case hex digits";
            let malformed = |_| Problem::new(request::ID, form).at("/circuit");
            circuit.parse().map(Target::Circuit).map_err(malformed)
        }
        (Some(_), None, Some(_)) => {
            let detail = "a circuit has its params already; params go with plugin";
            Err(Problem::new(task::TARGET, detail).at("/params"))
        }
        (Some(_), Some(_), _) => {
            Err(Problem::new(task::TARGET, "both circuit and plugin are given").at("/plugin"))
        }
        (None, None, _) => Err(Problem::new(
            task::TARGET,
            "neither circuit nor plugin is given",
        )),
    }
}
