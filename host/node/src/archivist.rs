//! The archivist: what happens to a task after its end.
//!
//! Some time after its end a task's record moves to the archive, and only then does the ledger
//! forget it. What becomes of its input's key is the coordinator's upkeep's business, on every member.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aureole_ledger::{Command, Millis, TaskKind, TaskRecord};
use aureole_store::ArchivedTask;
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;

/// How often the archive takes what the ledger need not keep.
const ROUND: Duration = Duration::from_secs(5);

/// How long a finished task stays in the ledger: reads are cheapest there, and a repeated
/// idempotency key is recognised for as long.
const KEEP_MS: Millis = 60 * 60 * 1000;

/// Finished tasks kept whatever their age; more go to the archive early, so that memory and
/// snapshots stay small (about 1 KiB each).
const KEEP_MAX: usize = 2_000;

/// Tasks moved in one round of the loop; the ledger's limit for one command.
const BATCH_MAX: usize = 128;

/// Runs until told to stop.
pub(crate) async fn run(desk: Arc<Desk>, stop: CancellationToken) {
    let mut round = tokio::time::interval(ROUND);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = round.tick() => while keeps_history(&desk).await && archive(&desk).await {},
        }
    }
}

/// Whether this member's archive is the cluster's: it leads and is the only member. In a larger group
/// finished tasks stay in the ledger, which every member has.
async fn keeps_history(desk: &Desk) -> bool {
    desk.coordinator.is_leading() && desk.coordinator.status().await.members.len() == 1
}

/// Moves a batch of finished tasks to the archive; says whether there may be more.
async fn archive(desk: &Desk) -> bool {
    let now = desk.coordinator.now();
    let batch: Vec<TaskRecord> = desk.coordinator.read(|state| {
        let finished = state.finished_tasks().count();
        state
            .finished_tasks()
            .enumerate()
            .take_while(|(index, task)| {
                let age = now.saturating_sub(task.finished_at.unwrap_or(now));
                age >= KEEP_MS || finished - index > KEEP_MAX
            })
            .take(BATCH_MAX)
            .map(|(_, task)| task.clone())
            .collect()
    });
    if batch.is_empty() {
        return false;
    }
    let mut rows = Vec::with_capacity(batch.len());
    for record in &batch {
        match row(desk, record).await {
            Some(row) => rows.push(row),
            // Whatever cannot be shown cannot be archived: it stays in the ledger.
            None => return false,
        }
    }
    if let Err(error) = desk.archive.put_tasks(&rows).await {
        tracing::error!(error = &error as &dyn Error, "the archive takes no tasks");
        return false;
    }
    let tasks = batch.iter().map(|record| record.id).collect();
    match desk
        .coordinator
        .propose(Command::ForgetTasks { tasks })
        .await
    {
        Ok(_) => batch.len() == BATCH_MAX,
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn Error,
                "archived tasks stay in the ledger"
            );
            false
        }
    }
}

async fn row(desk: &Desk, record: &TaskRecord) -> Option<ArchivedTask> {
    let view = match desk.task_view(record).await {
        Ok(view) => view,
        Err(problem) => {
            tracing::error!(task = %record.id, %problem, "a task cannot be archived");
            return None;
        }
    };
    let component = match record.kind {
        TaskKind::InspectPlugin { plugin } => Some(plugin),
        TaskKind::PrepareCircuit { circuit } | TaskKind::Prove { circuit, .. } => desk
            .coordinator
            .read(|state| state.circuit(&circuit).map(|circuit| circuit.plugin)),
    };
    Some(ArchivedTask {
        id: record.id,
        kind: match record.kind {
            TaskKind::InspectPlugin { .. } => "inspect",
            TaskKind::PrepareCircuit { .. } => "prepare",
            TaskKind::Prove { .. } => "prove",
        }
        .to_owned(),
        plugin: component
            .map(|component| component.to_string())
            .unwrap_or_default(),
        circuit: view.circuit.clone(),
        state: view.state.name().to_owned(),
        code: record.problem().map(|problem| problem.code.clone()),
        submitted_at_ms: record.submitted_at,
        finished_at_ms: record.finished_at.unwrap_or(record.submitted_at),
        document: serde_json::to_value(view).ok()?,
    })
}
