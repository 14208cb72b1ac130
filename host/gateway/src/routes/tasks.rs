//! `/tasks`: submit, list, show, cancel, download the proof.

use std::time::Duration;

use aureole_api::{
    Problem,
    codes::node,
    rest::{Task, TaskRequest, TaskState},
};
use aureole_ledger::Priority;
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse as _,
};

use crate::{
    Caller, Submission, Target,
    answer::{self, Answer},
    body::read_json,
    extract::{Asked, Nothing, Page, Segment, Wait, idempotency_key},
    json,
    shared::Shared,
    submission::submission,
};

/// Submits a task; without a wait it answers 202 at once.
pub(super) async fn submit(
    State(shared): State<Shared>,
    caller: Caller,
    Asked(wait): Asked<Wait>,
    request: Request,
) -> Answer {
    let wait = wait.or(Duration::ZERO)?;
    let idempotency_key = idempotency_key(request.headers())?;
    let body = read_json(&shared, request).await?;
    let asked: TaskRequest = json::typed(body.value)?;
    let submission = submission(asked, idempotency_key)?;
    finish(&shared, &caller, submission, wait).await
}

/// Submits the body as the input of a plugin's default circuit, and waits for the proof.
pub(super) async fn submit_to(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    Asked(wait): Asked<Wait>,
    request: Request,
) -> Answer {
    let wait = wait.or(shared.config.wait_default)?;
    let plugin = segment.plugin()?;
    let idempotency_key = idempotency_key(request.headers())?;
    let body = read_json(&shared, request).await?;
    let submission = Submission {
        target: Target::Plugin {
            plugin,
            params: None,
        },
        input: body.value,
        priority: Priority::DEFAULT,
        deadline: None,
        idempotency_key,
    };
    finish(&shared, &caller, submission, wait).await
}

/// Submits, waits as asked, and answers: 202 while it goes on, 200 when it ended, and the task's
/// own problem when it failed.
async fn finish(
    shared: &Shared,
    caller: &Caller,
    submission: Submission,
    wait: Duration,
) -> Answer {
    let mut task = shared.platform.submit(caller, submission).await?;
    if !task.state.is_final()
        && !wait.is_zero()
        && let Ok(id) = task.id.parse()
    {
        task = shared
            .waiting(wait, |wait| shared.platform.task(caller, id, wait))
            .await?;
    }
    let status = match task.state {
        TaskState::Queued | TaskState::Running => StatusCode::ACCEPTED,
        TaskState::Done | TaskState::Cancelled => StatusCode::OK,
        TaskState::Failed => return Err(failed(task).into()),
    };
    let location = [(header::LOCATION, format!("/api/v1/tasks/{}", task.id))];
    Ok((status, location, Json(task)).into_response())
}

fn failed(task: Task) -> Problem {
    let unnamed = || Problem::new(node::INTERNAL, "the task failed without a reason");
    task.error.unwrap_or_else(unnamed).of_task(task.id)
}

pub(super) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    Asked(page): Asked<Page>,
) -> Answer {
    Ok(Json(shared.platform.tasks(&caller, page.filter()?).await?).into_response())
}

pub(super) async fn show(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    Asked(wait): Asked<Wait>,
    headers: HeaderMap,
) -> Answer {
    let (id, wait) = (segment.task()?, wait.or(Duration::ZERO)?);
    let task = shared
        .waiting(wait, |wait| shared.platform.task(&caller, id, wait))
        .await?;
    answer::document(&task, &headers)
}

pub(super) async fn explain(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
) -> Answer {
    Ok(Json(shared.platform.explain(&caller, segment.task()?).await?).into_response())
}

pub(super) async fn cancel(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
    headers: HeaderMap,
) -> Answer {
    let id = segment.task()?;
    if headers.contains_key(header::IF_MATCH) {
        let task = shared.platform.task(&caller, id, Duration::ZERO).await?;
        answer::check_precondition(&task, &headers)?;
    }
    Ok(Json(shared.platform.cancel(&caller, id).await?).into_response())
}

pub(super) async fn proof(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
    headers: HeaderMap,
) -> Answer {
    let blob = shared.platform.proof(&caller, segment.task()?).await?;
    Ok(answer::blob(blob, &headers))
}
