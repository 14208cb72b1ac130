//! The archivist: what happens to a task after its end.
//!
//! As soon as a task has ended its input's key is destroyed. Some time later its record moves to
//! the archive, and only then does the ledger forget it.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aureole_coordinator::Event;
use aureole_ledger::{Command, Millis, TaskId, TaskKind, TaskRecord};
use aureole_store::ArchivedTask;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::clock;
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

/// Destroys the keys of inputs whose task never came to be, because the process ended between
/// sealing and committing. Called once, before requests are taken.
pub(crate) async fn clear_orphans(desk: &Desk) {
    let vault = desk.vault.clone();
    let coordinator = desk.coordinator.clone();
    let cleared = tokio::task::spawn_blocking(move || {
        for task in vault.tasks()? {
            if coordinator.read(|state| state.task(&task).is_none()) {
                vault.destroy(task)?;
            }
        }
        Ok::<_, aureole_store::VaultError>(())
    });
    match cleared.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(
                error = &error as &dyn Error,
                "keys without a task are not cleared"
            );
        }
        Err(error) => tracing::error!(%error, "keys without a task are not cleared"),
    }
}

/// Runs until told to stop.
pub(crate) async fn run(desk: Arc<Desk>, stop: CancellationToken) {
    let mut events = desk.coordinator.subscribe();
    sweep(&desk).await;
    let mut round = tokio::time::interval(ROUND);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            event = events.recv() => match event {
                Ok(Event::TaskChanged(task)) => settle(&desk, task).await,
                Ok(Event::Replaced) | Err(RecvError::Lagged(_)) => sweep(&desk).await,
                Ok(_) => {}
                Err(RecvError::Closed) => return,
            },
            _ = round.tick() => while archive(&desk).await {},
        }
    }
}

/// Forgets the input of a task that has ended.
async fn settle(desk: &Desk, id: TaskId) {
    let input = desk.coordinator.read(|state| {
        let task = state.task(&id).filter(|task| task.is_finished())?;
        match task.kind {
            TaskKind::Prove { input, .. } => Some(input),
            _ => None,
        }
    });
    if let Some(input) = input {
        desk.forget_input(id, &input).await;
    }
}

/// Forgets every input whose task has ended or never came to be: after a start, or after events
/// were missed. A submission that is under way keeps its key, because its task may follow.
async fn sweep(desk: &Desk) {
    let vault = desk.vault.clone();
    let keys = match tokio::task::spawn_blocking(move || vault.tasks()).await {
        Ok(Ok(keys)) => keys,
        Ok(Err(error)) => {
            tracing::error!(error = &error as &dyn Error, "the vault cannot be listed");
            return;
        }
        Err(_) => return,
    };
    for task in keys {
        settle(desk, task).await;
    }
}

/// Moves a batch of finished tasks to the archive; says whether there may be more.
async fn archive(desk: &Desk) -> bool {
    let now = clock::now();
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
