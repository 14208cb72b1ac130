//! `aureole task`: submit, list, show, explain, cancel, watch, bundle.

mod list;
mod submit;

use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use aureole_client::rest::{Task as View, TaskEvent};
use futures::StreamExt as _;

use super::{Context, prove};
use crate::arguments::{Output, Task};
use crate::{print, progress};

/// How long `watch` and `prove` follow a task: a day, which no proof of this size takes.
pub(crate) const FOLLOW: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs the verb.
pub(crate) async fn run(context: &Context, verb: Task) -> anyhow::Result<ExitCode> {
    let client = context.client()?;
    match verb {
        Task::Submit(options) => return submit::run(context, options).await,
        Task::List(options) => list::run(context, options).await?,
        Task::Show { id } => {
            let task = client.task(&id, Duration::ZERO).await?;
            print::result(context.output, &without_proof(task), print::task)?;
        }
        Task::Explain { id } => print::result(
            context.output,
            &client.explain(&id).await?,
            print::explanation,
        )?,
        Task::Cancel { id } => {
            let task = client.cancel(&id).await?;
            print::result(context.output, &task, |task| {
                print::line(format_args!("{} is {}", task.id, task.state));
            })?;
        }
        Task::Watch { id } => {
            let task = follow(context, &id).await?;
            print::result(context.output, &without_proof(task), print::task)?;
        }
        Task::Bundle { id, out } => {
            prove::download(&client, &id, &out).await?;
            print::result(context.output, &serde_json::json!({"bundle": out}), |_| {
                print::written(&out);
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Follows a task to its end, showing its stages.
pub(crate) async fn follow(context: &Context, id: &str) -> anyhow::Result<View> {
    let spinner = progress::spinner(context.output, "queued");
    let client = context.client()?;
    let mut watch = pin!(client.watch(id, FOLLOW));
    let mut shown = String::new();
    while let Some(event) = watch.next().await {
        let event = event?;
        let stage = stage(&event);
        // An estimate comes again and again; a log wants to hear of a stage once.
        if spinner.is_hidden() && context.output == Output::Text && shown != stage {
            print::remark(format_args!("{id}: {stage}"));
        }
        spinner.set_message(format!("{stage}{}", remains(&event)));
        shown = stage;
    }
    spinner.finish_and_clear();
    Ok(client.task(id, Duration::ZERO).await?)
}

fn stage(event: &TaskEvent) -> String {
    event
        .stage
        .map_or_else(|| event.state.to_string(), |stage| stage.to_string())
}

/// What remains, while it can be foreseen.
fn remains(event: &TaskEvent) -> String {
    let seconds = event.ends_in_ms.map(|ms| ms.div_ceil(1000));
    seconds.map_or(String::new(), |seconds| {
        format!(", done in about {seconds} s")
    })
}

/// A task with its proof's digest but not its bytes, which `prove -o` writes to a file.
pub(crate) fn without_proof(mut task: View) -> View {
    if let Some(proof) = &mut task.proof {
        proof.base64 = None;
    }
    task
}
