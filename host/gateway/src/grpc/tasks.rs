//! Tasks in gRPC.

use std::{pin::Pin, time::Duration};

use async_trait::async_trait;
use aureole_api::{
    Problem, codes,
    public::v1::{self, tasks_server::Tasks},
    rest::{BATCH_TASKS_MAX, Task, TaskState},
};
use futures::{Stream, stream};
use tonic::{Request, Response, Status};

use super::{Wire, caller, read, show, status};
use crate::{
    limits,
    routes::{check_size, submit_all},
    serve::Streaming,
    submission::submission,
    watch::{Note, Subscription, places::Place},
};

type Events = Pin<Box<dyn Stream<Item = Result<v1::TaskEvent, Status>> + Send>>;

#[async_trait]
impl Tasks for Wire {
    async fn submit_task(
        &self,
        request: Request<v1::SubmitTaskRequest>,
    ) -> Result<Response<v1::Task>, Status> {
        let done = self.submit(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }

    async fn submit_tasks(
        &self,
        request: Request<v1::SubmitTasksRequest>,
    ) -> Result<Response<v1::SubmitTasksReply>, Status> {
        let done = self.submit_many(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }

    async fn get_task(
        &self,
        request: Request<v1::GetTaskRequest>,
    ) -> Result<Response<v1::Task>, Status> {
        let done = self.get(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }

    async fn list_tasks(
        &self,
        request: Request<v1::ListTasksRequest>,
    ) -> Result<Response<v1::ListTasksReply>, Status> {
        let done = self.list(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }

    async fn cancel_task(
        &self,
        request: Request<v1::CancelTaskRequest>,
    ) -> Result<Response<v1::Task>, Status> {
        let done = self.cancel(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }

    async fn explain_task(
        &self,
        request: Request<v1::ExplainTaskRequest>,
    ) -> Result<Response<v1::Explanation>, Status> {
        let done = self.explain(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }

    async fn get_proof(
        &self,
        request: Request<v1::GetProofRequest>,
    ) -> Result<Response<v1::Proof>, Status> {
        let done = self.proof(request).await;
        done.map(Response::new)
            .map_err(|problem| status::of(&problem))
    }

    type WatchTaskStream = Events;

    async fn watch_task(
        &self,
        request: Request<v1::WatchTaskRequest>,
    ) -> Result<Response<Events>, Status> {
        let watched = self.watch(request).await;
        let (watched, place) = watched.map_err(|problem| status::of(&problem))?;
        let mut response = Response::new(events(watched));
        response.extensions_mut().insert(Streaming::new(place));
        Ok(response)
    }
}

// === impl Wire ===

impl Wire {
    async fn submit(&self, request: Request<v1::SubmitTaskRequest>) -> Result<v1::Task, Problem> {
        let caller = caller(&request)?;
        let mut asked = request.into_inner();
        let wait = read::wait(asked.wait.take(), Duration::ZERO)?;
        let key = asked.idempotency_key.take();
        let key = read::key(key, limits::IDEMPOTENCY_KEY_MAX)?;
        let submission = submission(read::submission(asked).await?, key)?;
        let shared = &self.0;
        let mut task = shared.platform.submit(&caller, submission).await?;
        if !task.state.is_final()
            && !wait.is_zero()
            && let Ok(id) = task.id.parse()
        {
            task = shared
                .waiting(wait, |wait| shared.platform.task(&caller, id, wait))
                .await?;
        }
        ended_well(task).map(show::task)
    }

    async fn submit_many(
        &self,
        request: Request<v1::SubmitTasksRequest>,
    ) -> Result<v1::SubmitTasksReply, Problem> {
        let caller = caller(&request)?;
        let asked = request.into_inner();
        let key = read::key(asked.idempotency_key, limits::BATCH_KEY_MAX)?;
        check_size(asked.tasks.len(), BATCH_TASKS_MAX, "tasks")?;
        let mut tasks = Vec::with_capacity(asked.tasks.len());
        for (index, task) in asked.tasks.into_iter().enumerate() {
            if task.idempotency_key.is_some() || task.wait.is_some() {
                let detail = "an item of a batch has no key and no wait of its own";
                let problem = Problem::new(codes::request::BATCH, detail);
                return Err(problem.at(format!("/tasks/{index}")));
            }
            let read = read::submission(task).await;
            tasks.push(read.map_err(|problem| {
                let path = problem.path().unwrap_or_default().to_owned();
                problem.at(format!("/tasks/{index}{path}"))
            })?);
        }
        let items = submit_all(&self.0, &caller, tasks, key.as_deref()).await?;
        Ok(v1::SubmitTasksReply {
            items: items.into_iter().map(show::item).collect(),
        })
    }

    async fn get(&self, request: Request<v1::GetTaskRequest>) -> Result<v1::Task, Problem> {
        let caller = caller(&request)?;
        let asked = request.into_inner();
        let (id, wait) = (
            read::task(&asked.task)?,
            read::wait(asked.wait, Duration::ZERO)?,
        );
        let shared = &self.0;
        let task = shared.waiting(wait, |wait| shared.platform.task(&caller, id, wait));
        task.await.map(show::task)
    }

    async fn list(
        &self,
        request: Request<v1::ListTasksRequest>,
    ) -> Result<v1::ListTasksReply, Problem> {
        let caller = caller(&request)?;
        let filter = read::filter(request.into_inner())?;
        let page = self.0.platform.tasks(&caller, filter).await?;
        Ok(v1::ListTasksReply {
            tasks: page.tasks.into_iter().map(show::task).collect(),
            next: page.next,
        })
    }

    async fn cancel(&self, request: Request<v1::CancelTaskRequest>) -> Result<v1::Task, Problem> {
        let caller = caller(&request)?;
        let id = read::task(&request.get_ref().task)?;
        self.0.platform.cancel(&caller, id).await.map(show::task)
    }

    async fn explain(
        &self,
        request: Request<v1::ExplainTaskRequest>,
    ) -> Result<v1::Explanation, Problem> {
        let caller = caller(&request)?;
        let id = read::task(&request.get_ref().task)?;
        let told = self.0.platform.explain(&caller, id).await?;
        Ok(show::explanation(told))
    }

    async fn proof(&self, request: Request<v1::GetProofRequest>) -> Result<v1::Proof, Problem> {
        let caller = caller(&request)?;
        let id = read::task(&request.get_ref().task)?;
        let blob = self.0.platform.proof(&caller, id).await?;
        Ok(v1::Proof {
            digest: blob.digest.to_string(),
            bytes: blob.bytes.into(),
        })
    }

    async fn watch(
        &self,
        request: Request<v1::WatchTaskRequest>,
    ) -> Result<(Subscription, Place), Problem> {
        let caller = caller(&request)?;
        let asked = request.into_inner();
        let id = read::task(&asked.task)?;
        let (mut watched, place) = self.0.hub.watch(&self.0, &caller, id).await?;
        if let Some(id) = read::event_id(asked.last_event_id) {
            // Nothing may follow: then the stream ends at once.
            watched.resume(&id);
        }
        Ok((watched, place))
    }
}

/// A task that failed while it was waited for answers its own problem.
fn ended_well(task: Task) -> Result<Task, Problem> {
    if task.state != TaskState::Failed {
        return Ok(task);
    }
    let unnamed = || Problem::new(codes::node::INTERNAL, "the task failed without a reason");
    Err(task.error.unwrap_or_else(unnamed).of_task(task.id))
}

/// Notes as messages. HTTP/2 has its own sign of life, so silence stays silence.
fn events(watched: Subscription) -> Events {
    Box::pin(stream::unfold(Some(watched), |watched| async move {
        let mut watched = watched?;
        loop {
            return match watched.next().await? {
                Note::Alive => continue,
                Note::Stands { id, event, .. } => {
                    Some((Ok(show::event(id, &event)), Some(watched)))
                }
                Note::Problem(problem) => Some((Err(status::of(&problem)), None)),
                Note::Lagged { missed } => {
                    let detail = format!("{missed} events were not read in time: watch again");
                    let problem = Problem::new(codes::node::BUSY, detail);
                    Some((Err(status::of(&problem)), None))
                }
                Note::Stopping => {
                    let problem = Problem::new(codes::node::STOPPING, "watch again elsewhere");
                    Some((Err(status::of(&problem)), None))
                }
            };
        }
    }))
}
