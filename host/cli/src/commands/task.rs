//! `aureole task`: list, show, explain, cancel, watch.

use std::time::Duration;

use anyhow::bail;
use aureole_client::TaskQuery;
use aureole_client::rest::{Task as View, TaskState};

use super::Context;
use crate::arguments::{Output, Task};
use crate::{print, progress};

/// How long `watch` and `prove` follow a task: a day, which no proof of this size takes.
pub(crate) const FOLLOW: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs the verb.
pub(crate) async fn run(context: &Context, verb: Task) -> anyhow::Result<()> {
    let client = context.client()?;
    match verb {
        Task::List { state, limit } => {
            let state = state.as_deref().map(parse_state).transpose()?;
            let query = TaskQuery {
                state,
                limit: Some(limit),
                ..TaskQuery::default()
            };
            print::result(context.output, &client.tasks(&query).await?, print::tasks)
        }
        Task::Show { id } => {
            let task = client.task(&id, Duration::ZERO).await?;
            print::result(context.output, &without_proof(task), print::task)
        }
        Task::Explain { id } => print::result(
            context.output,
            &client.explain(&id).await?,
            print::explanation,
        ),
        Task::Cancel { id } => {
            let task = client.cancel(&id).await?;
            print::result(context.output, &task, |task| {
                print::line(format_args!("{} is {}", task.id, task.state));
            })
        }
        Task::Watch { id } => {
            let task = follow(context, &id).await?;
            print::result(context.output, &without_proof(task), print::task)
        }
    }
}

/// Waits until a task has ended, showing its stages.
pub(crate) async fn follow(context: &Context, id: &str) -> anyhow::Result<View> {
    let spinner = progress::spinner(context.output, "queued");
    let client = context.client()?;
    let task = client
        .wait_task(id, FOLLOW, |task| {
            let stage = task
                .stage
                .map_or_else(|| task.state.to_string(), |stage| stage.to_string());
            if spinner.is_hidden() && context.output == Output::Text {
                print::remark(format_args!("{}: {stage}", task.id));
            }
            spinner.set_message(stage);
        })
        .await?;
    spinner.finish_and_clear();
    Ok(task)
}

/// A task with its proof's digest but not its bytes, which `prove -o` writes to a file.
pub(crate) fn without_proof(mut task: View) -> View {
    if let Some(proof) = &mut task.proof {
        proof.base64 = None;
    }
    task
}

fn parse_state(text: &str) -> anyhow::Result<TaskState> {
    let known = TaskState::ALL
        .into_iter()
        .find(|state| state.name() == text);
    match known {
        Some(state) => Ok(state),
        None => {
            let names = TaskState::ALL.map(TaskState::name).join(", ");
            bail!("`{text}` is no state of a task; the states are {names}")
        }
    }
}
