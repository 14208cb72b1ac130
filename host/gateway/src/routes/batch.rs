//! `/tasks:batch`: many submissions in one request, each with its own end.

use aureole_api::{
    Problem,
    rest::{BATCH_TASKS_MAX, BatchItem, BatchReport, BatchRequest, TaskRequest, TaskState},
};
use axum::{
    Json,
    extract::{Request, State},
    response::IntoResponse as _,
};
use futures::{StreamExt as _, stream};

use super::proofs::check_size;
use crate::{
    Caller, Submission,
    answer::Answer,
    body::read_json,
    extract::{Asked, Nothing, batch_key},
    json, limits,
    shared::Shared,
    submission::submission,
};

/// Submits each item; what one is refused for stops no other, unless the request itself shows it.
pub(super) async fn submit(
    State(shared): State<Shared>,
    caller: Caller,
    _: Asked<Nothing>,
    request: Request,
) -> Answer {
    let key = batch_key(request.headers())?;
    let body = read_json(&shared, request).await?;
    let asked: BatchRequest = json::typed(body.value)?;
    let items = submit_all(&shared, &caller, asked.tasks, key.as_deref()).await?;
    Ok(Json(BatchReport { items }).into_response())
}

/// What came of each submission, in the order given.
///
/// # Errors
/// `request.batch` when there are none, or too many; and what [`submission`] says of an item, with
/// its place: then none was submitted.
pub(crate) async fn submit_all(
    shared: &Shared,
    caller: &Caller,
    tasks: Vec<TaskRequest>,
    key: Option<&str>,
) -> Result<Vec<BatchItem>, Problem> {
    check_size(tasks.len(), BATCH_TASKS_MAX, "tasks")?;
    let items = tasks.into_iter().enumerate().map(|(index, asked)| {
        let key = key.map(|key| format!("{key}-{index}"));
        submission(asked, key).map_err(|problem| placed(problem, index))
    });
    let items = items.collect::<Result<Vec<_>, _>>()?;
    let items = items.into_iter().enumerate();
    let items = items.map(|(index, item)| submit_one(shared, caller, item, index));
    let at_once = limits::BATCH_AT_ONCE as usize;
    Ok(stream::iter(items).buffered(at_once).collect().await)
}

async fn submit_one(
    shared: &Shared,
    caller: &Caller,
    submission: Submission,
    index: usize,
) -> BatchItem {
    match shared.platform.submit(caller, submission).await {
        Ok(task) => BatchItem {
            status: match task.state {
                TaskState::Done | TaskState::Cancelled => 200,
                TaskState::Queued | TaskState::Running | TaskState::Failed => 202,
            },
            task: Some(task),
            problem: None,
        },
        Err(problem) => BatchItem {
            status: problem.status(),
            task: None,
            problem: Some(placed(problem, index)),
        },
    }
}

/// A problem of an item with its place in the batch.
fn placed(problem: Problem, index: usize) -> Problem {
    let path = problem.path().unwrap_or_default().to_owned();
    problem.at(format!("/tasks/{index}{path}"))
}
