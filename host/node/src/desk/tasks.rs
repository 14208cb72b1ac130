//! Tasks: submit, show, list, cancel.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use aureole_api::{Problem, codes, rest};
use aureole_coordinator::TaskView;
use aureole_gateway::{Caller, Sort, Submission, Target, TaskFilter};
use aureole_ledger::{
    CircuitId, Command, Digest, Idempotency, Millis, Outcome, Role, Stage, State, TaskId, TaskKind,
    TaskPhase, TaskRecord, TenantId,
};
use aureole_store::{ArchivedTask, Cursor, Page};
use base64::Engine as _;
use serde_json::Value;

use super::{Desk, blocking, circuits::usable, storage};

/// How long a submission waits for a worker to take the task; one that is free takes it in a few
/// milliseconds, and a queue is no reason to hold the answer.
const LEASE_WAIT: Duration = Duration::from_millis(250);

/// How long a submission waits for the verdict on its input once a worker has it. Witness and
/// check take a small share of a proof; past this the answer is 202 and the task tells.
const VERDICT_WAIT: Duration = Duration::from_secs(5);

/// Largest input as canonical JSON: what the gateway accepts as a body.
pub(crate) const INPUT_BYTES_MAX: usize = 8 << 20;

// === impl Desk ===

impl Desk {
    /// Commits a task under an id that the caller chose; answers with the problem if its input is
    /// refused at once. The same submission under the same id, also while the first is being made
    /// or at another leader, answers with the one task. The answer waits for `verdict` at the most.
    ///
    /// It is made on a task of its own: a caller who goes away leaves none half made.
    pub(crate) async fn submit_as(
        self: &Arc<Self>,
        caller: &Caller,
        id: TaskId,
        submission: Submission,
        verdict: Duration,
    ) -> Result<rest::Task, Problem> {
        let (desk, caller) = (Arc::clone(self), caller.clone());
        let made = tokio::spawn(async move {
            let turn = {
                let mut submitting = desk.submitting();
                submitting.retain(|_, turn| Arc::strong_count(turn) > 1);
                Arc::clone(submitting.entry(id).or_default())
            };
            let held = turn.lock().await;
            let made = desk.submit_task(&caller, id, submission, verdict).await;
            drop(held);
            made
        });
        made.await.map_err(|error| {
            tracing::error!(%error, "a submission ended without a result");
            Problem::new(
                codes::node::INTERNAL,
                "the submission could not be finished",
            )
        })?
    }

    fn submitting(&self) -> MutexGuard<'_, BTreeMap<TaskId, Arc<tokio::sync::Mutex<()>>>> {
        self.submitting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A repeated submission under the same idempotency key answers with the first one's task.
    async fn submit_task(
        &self,
        caller: &Caller,
        fresh: TaskId,
        submission: Submission,
        verdict: Duration,
    ) -> Result<rest::Task, Problem> {
        if self.coordinator.read(|state| state.task(&fresh).is_some()) {
            // An earlier try got through.
            self.early_verdict(fresh, verdict).await;
            return self.submitted(caller, fresh).await;
        }
        let finished = self.coordinator.read(|state| state.finished_count());
        let members = self.coordinator.member_count();
        self.history.admit(finished, members)?;
        let circuit = self.target(caller, &submission.target).await?;
        self.admit_proof(&circuit)?;
        self.check_input(caller, &circuit, &submission.input)
            .await?;
        let idempotency = self.idempotency(caller, &circuit, &submission);
        self.admit_deadline(submission.deadline, idempotency)?;
        let (input, input_bytes) = self.seal(fresh, submission.input).await?;
        let command = Command::SubmitTask {
            task: fresh,
            circuit,
            input,
            priority: submission.priority,
            idempotency,
            now: self.coordinator.now(),
            tenant: caller.tenant.clone(),
            deadline: submission.deadline,
            input_bytes,
        };
        let outcome = self.propose(command).await;
        let task = match outcome {
            Ok(Outcome::TaskSubmitted { task, .. }) => task,
            Ok(_) => {
                return Err(Problem::new(
                    codes::node::INTERNAL,
                    "the ledger answered another command",
                ));
            }
            Err(problem) => {
                // Only a refusal is certain to have left no task behind.
                if problem.status() < 500 {
                    self.forget_input(fresh, &input).await;
                }
                return Err(problem);
            }
        };
        if task == fresh {
            self.early_verdict(task, verdict).await;
        } else {
            self.forget_input(fresh, &input).await;
        }
        self.submitted(caller, task).await
    }

    /// The answer to a submission: the task, or the problem that it has failed with already.
    async fn submitted(&self, caller: &Caller, task: TaskId) -> Result<rest::Task, Problem> {
        let record = self.coordinator.read(|state| state.task(&task).cloned());
        match record {
            None => self.task_anywhere(caller, task).await,
            Some(record) => match record.problem() {
                Some(problem) => Err(self.domain_in_full(problem).await.of_task(task)),
                None => self.task_in_full(&record).await,
            },
        }
    }

    /// The circuit that a submission is for.
    async fn target(&self, caller: &Caller, target: &Target) -> Result<CircuitId, Problem> {
        match target {
            Target::Circuit(id) => {
                let record = self.circuit_record(caller, id)?;
                let reference = rest::PluginRef::Digest(*record.plugin.as_bytes());
                usable(&self.plugin_record(caller, &reference)?, &reference)?;
                Ok(*id)
            }
            Target::Plugin { plugin, params } => self
                .register(caller, plugin, params.as_ref())
                .await
                .map(|(id, _)| id),
        }
    }

    /// Refuses a deadline that has passed. One that is repeated under its key has a task.
    fn admit_deadline(
        &self,
        deadline: Option<Millis>,
        idempotency: Option<Idempotency>,
    ) -> Result<(), Problem> {
        let now = self.coordinator.now();
        let Some(deadline) = deadline.filter(|deadline| *deadline <= now) else {
            return Ok(());
        };
        let repeated = |idempotency: Idempotency| {
            let known = |state: &State| state.task_of_key(&idempotency).is_some();
            self.coordinator.read(known)
        };
        if idempotency.is_some_and(repeated) {
            return Ok(());
        }
        let [deadline, now] = [deadline, now].map(rest::Timestamp::from_millis);
        let detail = format!("{deadline} has passed: it is {now} here");
        Err(Problem::new(codes::task::DEADLINE_PAST, detail).at("/deadline"))
    }

    /// Digests of a submission's key and of what it asks for, under the node's secret: the ledger
    /// must not let anybody guess a private input from its digest.
    fn idempotency(
        &self,
        caller: &Caller,
        circuit: &CircuitId,
        submission: &Submission,
    ) -> Option<Idempotency> {
        let key = submission.idempotency_key.as_ref()?;
        let input = submission.input.to_string();
        let priority = [submission.priority.level()];
        let deadline = submission.deadline.map(Millis::to_be_bytes);
        let mut request: Vec<&[u8]> = vec![circuit.as_bytes(), &priority, input.as_bytes()];
        request.extend(deadline.iter().map(<[u8; 8]>::as_slice));
        Some(Idempotency {
            key: self.secret.digest(
                "idempotency key",
                &[caller.tenant.as_str().as_bytes(), key.as_bytes()],
            ),
            request: self.secret.digest("idempotent request", &request),
        })
    }

    /// Checks an input against its plugin's schema.
    pub(super) async fn check_input(
        &self,
        caller: &Caller,
        circuit: &CircuitId,
        input: &Value,
    ) -> Result<(), Problem> {
        let plugin = self.circuit_record(caller, circuit)?.plugin;
        let description = self.coordinator.read(|state| {
            state
                .plugin(&plugin)?
                .facts
                .as_ref()
                .map(|facts| facts.description)
        });
        let Some(description) = description else {
            return Err(Problem::new(
                codes::plugin::NOT_READY,
                "the plugin has no description yet",
            ));
        };
        let schema = self.schema(&description, "input_schema").await?;
        schema.check(input).map_err(|mismatch| {
            Problem::new(codes::witness::INPUT_SCHEMA, mismatch.message).at(mismatch.path)
        })
    }

    /// Seals an input under a key of its own and stores it; the plain bytes go no further.
    async fn seal(&self, task: TaskId, input: Value) -> Result<(Digest, u64), Problem> {
        let plain =
            blocking(move || aureole_store::Secret::new(input.to_string().into_bytes())).await?;
        if plain.len() > INPUT_BYTES_MAX {
            return Err(Problem::new(
                codes::witness::INPUT_TOO_LARGE,
                format!(
                    "the input has {} bytes, the limit is {INPUT_BYTES_MAX}",
                    plain.len()
                ),
            ));
        }
        let bytes = plain.len() as u64;
        let sealed = self
            .keys
            .seal(task, plain)
            .await
            .map_err(|error| self.not_stored(&error, "the input cannot be sealed"))?;
        let stored = self.depot.put(sealed.bytes.into()).await;
        let digest =
            stored.map_err(|error| self.not_stored(&error, "the input cannot be stored"))?;
        Ok((digest, bytes))
    }

    /// Destroys this member's key of an input that no task will use, and removes the sealed bytes.
    /// The other members do so when they sweep.
    pub(crate) async fn forget_input(&self, task: TaskId, input: &Digest) {
        if let Err(error) = self.keys.forget(task, *input).await {
            tracing::error!(%task, error = &error as &dyn std::error::Error, "an input's key is not destroyed");
        }
        if let Err(error) = self.depot.remove(input).await {
            tracing::warn!(%task, error = &error as &dyn std::error::Error, "a sealed input stays in the depot");
        }
    }

    /// Waits until the task's witness has passed its check, the task has ended, or the bounds have
    /// passed. See decision 3.
    async fn early_verdict(&self, task: TaskId, longest: Duration) {
        let leased = self
            .coordinator
            .wait_task(
                task,
                |view| view.task.phase() != TaskPhase::Queued,
                LEASE_WAIT,
            )
            .await;
        if leased.is_some_and(|view| view.task.phase() == TaskPhase::Running) {
            let verdict =
                |view: &TaskView| view.stage >= Some(Stage::Prove) || view.task.is_finished();
            self.coordinator
                .wait_task(task, verdict, VERDICT_WAIT.min(longest))
                .await;
        }
    }

    /// A task, after waiting for its end.
    pub(crate) async fn show_task(
        &self,
        caller: &Caller,
        id: TaskId,
        wait: Duration,
    ) -> Result<rest::Task, Problem> {
        if !wait.is_zero() && self.owns(caller, &id) {
            self.coordinator
                .wait_task(id, |view| view.task.is_finished(), wait)
                .await;
        }
        self.task_anywhere(caller, id).await
    }

    /// Whether the ledger has a task that the caller may know of.
    pub(super) fn owns(&self, caller: &Caller, id: &TaskId) -> bool {
        let of = |task: &TaskRecord| caller.sees(&task.tenant);
        self.coordinator
            .read(|state| state.task(id).is_some_and(of))
    }

    /// A task that the caller may know of, from the ledger or the archive.
    pub(super) async fn task_anywhere(
        &self,
        caller: &Caller,
        id: TaskId,
    ) -> Result<rest::Task, Problem> {
        let unknown = || Problem::new(codes::task::UNKNOWN, format!("no task {id} is here"));
        if let Some(record) = self.coordinator.read(|state| state.task(&id).cloned()) {
            if !caller.sees(&record.tenant) {
                return Err(unknown());
            }
            return self.task_in_full(&record).await;
        }
        let archive = self.history.archive().ok_or_else(unknown)?;
        let archived = archive
            .task(id)
            .await
            .map_err(|error| storage(&error, "the archive cannot be read"))?
            .filter(|task| TenantId::new(&*task.tenant).is_ok_and(|tenant| caller.sees(&tenant)))
            .ok_or_else(unknown)?;
        self.with_proof(unarchived(&archived)?).await
    }

    async fn task_in_full(&self, record: &TaskRecord) -> Result<rest::Task, Problem> {
        let view = self.task_view(record).await?;
        self.with_proof(view).await
    }

    /// Adds the proof's bytes, which lists leave out.
    async fn with_proof(&self, mut view: rest::Task) -> Result<rest::Task, Problem> {
        if let Some(proof) = &mut view.proof {
            let digest = proof
                .digest
                .parse()
                .map_err(|error| storage(&error, "a proof's digest does not read"))?;
            let bytes = self.proof_blob(&digest).await?;
            proof.base64 = Some(base64::engine::general_purpose::STANDARD.encode(bytes));
        }
        Ok(view)
    }

    /// A page of tasks in the order asked for: those of the ledger and those of the archive as one list.
    pub(crate) async fn list_tasks(
        &self,
        caller: &Caller,
        filter: TaskFilter,
    ) -> Result<rest::TaskPage, Problem> {
        let before = filter.before.as_deref().map(cursor).transpose()?;
        let plugin = match &filter.plugin {
            Some(reference) => Some(self.plugin_record(caller, reference)?.component),
            None => None,
        };
        let limit = filter.limit as usize;
        // Before the archive: what moves there meanwhile is seen in one of them.
        let live = self.live_tasks(caller, &filter, plugin.as_ref(), before.as_ref());
        let archived = aureole_store::TaskFilter {
            tenant: (caller.role != Role::Admin).then(|| caller.tenant.to_string()),
            kind: Some("prove".to_owned()),
            state: filter.state.map(|state| state.name().to_owned()),
            plugin: plugin.map(|component| component.to_string()),
            circuit: filter.circuit.map(|circuit| circuit.to_string()),
            since_ms: filter.since,
            until_ms: filter.until,
            oldest_first: filter.sort == Sort::Oldest,
            after: before,
            limit: filter.limit,
            ..aureole_store::TaskFilter::default()
        };
        // What has not ended is not in history, and listed while that is away.
        let ended = filter.state.is_none_or(rest::TaskState::is_final);
        let page = match self.history.archive().filter(|_| ended) {
            Some(archive) => archive
                .list(&archived)
                .await
                .map_err(|error| storage(&error, "the archive cannot be read"))?,
            None => Page {
                tasks: Vec::new(),
                next: None,
            },
        };
        let mut tasks = Vec::with_capacity(live.len() + page.tasks.len());
        for record in &live {
            tasks.push(in_list(self.task_view(record).await?));
        }
        for archived in &page.tasks {
            // Archived and not yet forgotten: the ledger's record is the same task.
            if !live.iter().any(|record| record.id == archived.id) {
                tasks.push(in_list(unarchived(archived)?));
            }
        }
        tasks.sort_by(|a, b| (a.submitted_at, &a.id).cmp(&(b.submitted_at, &b.id)));
        if filter.sort == Sort::Newest {
            tasks.reverse();
        }
        let more = page.next.is_some() || tasks.len() >= limit;
        tasks.truncate(limit);
        let next = tasks.last().filter(|_| more).and_then(|task| {
            let id = task.id.parse().ok()?;
            Some(
                Cursor {
                    submitted_at_ms: task.submitted_at.millis(),
                    id,
                }
                .to_string(),
            )
        });
        Ok(rest::TaskPage { tasks, next })
    }

    fn live_tasks(
        &self,
        caller: &Caller,
        filter: &TaskFilter,
        plugin: Option<&Digest>,
        before: Option<&Cursor>,
    ) -> Vec<TaskRecord> {
        let TaskFilter { state, sort, .. } = *filter;
        self.coordinator.read(|ledger| {
            let of_plugin = |task: &TaskRecord| match task.kind {
                TaskKind::Prove { circuit, .. } => {
                    filter.circuit.is_none_or(|wanted| wanted == circuit)
                        && plugin.is_none_or(|component| {
                            ledger
                                .circuit(&circuit)
                                .is_some_and(|circuit| circuit.plugin == *component)
                        })
                }
                _ => false,
            };
            let mut live: Vec<&TaskRecord> = ledger
                .tasks()
                .filter(|task| caller.sees(&task.tenant) && of_plugin(task))
                .filter(|task| state.is_none_or(|state| state.name() == task.phase().name()))
                .filter(|task| filter.since.is_none_or(|since| task.submitted_at >= since))
                .filter(|task| filter.until.is_none_or(|until| task.submitted_at < until))
                .filter(|task| before.is_none_or(|before| is_past(task, before, sort)))
                .collect();
            live.sort_unstable_by_key(|task| (task.submitted_at, task.id));
            if sort == Sort::Newest {
                live.reverse();
            }
            let limit = filter.limit as usize;
            live.into_iter().take(limit).cloned().collect()
        })
    }

    /// Cancels a task; the answer shows it as it stands then.
    pub(crate) async fn cancel_task(
        &self,
        caller: &Caller,
        id: TaskId,
    ) -> Result<rest::Task, Problem> {
        if !self.owns(caller, &id) {
            let task = self.task_anywhere(caller, id).await?;
            return Err(Problem::new(
                codes::task::FINISHED,
                format!("task {id} has ended already: {}", task.state),
            ));
        }
        // The record shown below says what came of it.
        let _ = self
            .propose(Command::CancelTask {
                task: id,
                now: self.coordinator.now(),
            })
            .await?;
        self.task_anywhere(caller, id).await
    }
}

/// Whether a task comes after a cursor in a list of this order.
fn is_past(task: &TaskRecord, cursor: &Cursor, sort: Sort) -> bool {
    let (task, cursor) = (
        (task.submitted_at, task.id),
        (cursor.submitted_at_ms, cursor.id),
    );
    match sort {
        Sort::Newest => task < cursor,
        Sort::Oldest => task > cursor,
    }
}

fn cursor(text: &str) -> Result<Cursor, Problem> {
    text.parse().map_err(|_| {
        Problem::new(
            codes::request::CURSOR,
            "`before` is no cursor: give the `next` of a page",
        )
    })
}

/// A task as a list shows it: what an input breaks stands with the task itself.
fn in_list(mut task: rest::Task) -> rest::Task {
    task.error = task.error.map(|problem| problem.with_failures(Vec::new()));
    task
}

pub(super) fn unarchived(archived: &ArchivedTask) -> Result<rest::Task, Problem> {
    serde_json::from_value(archived.document.clone())
        .map_err(|error| storage(&error, "an archived task does not read"))
}
