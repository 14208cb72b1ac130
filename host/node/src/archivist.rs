//! The archivist: what happens to a task after its end.
//!
//! Some time after its end a task's record moves to the archive, and only then does the ledger
//! forget it; while the archive is away the ledger holds on to it. So do administrative acts, for good. What has been there for longer than
//! the policy says is removed. Only the member that leads does any of this. What becomes of an input's
//! key is the coordinator's upkeep's business, on every member.

mod sweep;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aureole_ledger::limits::AUDIT_BATCH;
use aureole_ledger::{AuditEntry, Command, Millis, TaskKind, TaskRecord};
use aureole_store::{ArchivedAct, ArchivedTask, SharedArchive};
use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use tokio_util::sync::CancellationToken;

use self::sweep::Sweeper;
use crate::desk::Desk;
use crate::desk::admin::act_view;

/// How often the archive takes what the ledger need not keep.
const ROUND: Duration = Duration::from_secs(5);

/// The first and the longest pause after a failure, before jitter: an archive that was restarted is
/// found within seconds, and one that stays away is not hammered by every member that ever led.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// How long a finished task stays in the ledger: reads are cheapest there, and a repeated
/// idempotency key is recognised for as long.
const KEEP_MS: Millis = 60 * 60 * 1000;

/// Tasks moved in one round of the loop; the ledger's limit for one command.
const BATCH_MAX: usize = 128;

/// What came of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moved {
    /// There may be more.
    More,
    /// There is nothing more to do now.
    Nothing,
    /// The archive did not take it.
    Failed,
}

/// Moves finished tasks, one batch after the other, and remembers whether that works.
struct Archivist {
    desk: Arc<Desk>,
    sweeper: Sweeper,
    /// The pauses since the archive failed first.
    failing: Option<ExponentialBackoff>,
}

/// Runs until told to stop.
pub(crate) async fn run(desk: Arc<Desk>, stop: CancellationToken) {
    let mut archivist = Archivist {
        sweeper: Sweeper::new(desk.history.clone()),
        desk,
        failing: None,
    };
    loop {
        let pause = archivist.pause();
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => archivist.round().await,
        }
    }
}

// === impl Archivist ===

impl Archivist {
    /// How long to wait before the next round.
    fn pause(&mut self) -> Duration {
        match &mut self.failing {
            Some(pauses) => pauses.next().unwrap_or(PAUSE_MAX),
            None => ROUND,
        }
    }

    /// Does what there is to do, if this member leads.
    async fn round(&mut self) {
        if !self.desk.coordinator.is_leading() {
            self.failing = None;
            return;
        }
        let desk = self.desk.clone();
        let members = desk.coordinator.member_count();
        let Some(archive) = desk.history.archive_of(members) else {
            while forget_oldest(&desk).await {}
            return;
        };
        if !move_acts(&desk, archive).await {
            return self.fails();
        }
        loop {
            match move_batch(&desk, archive).await {
                Moved::More => self.works(),
                Moved::Nothing => break self.works(),
                Moved::Failed => return self.fails(),
            }
        }
        if desk.coordinator.is_leading() {
            self.sweeper.sweep(archive, desk.coordinator.now()).await;
        }
    }

    fn works(&mut self) {
        if self.failing.take().is_some() {
            tracing::info!("the archive takes tasks again");
        }
    }

    fn fails(&mut self) {
        self.failing.get_or_insert_with(|| {
            ExponentialBuilder::new()
                .with_min_delay(PAUSE_MIN)
                .with_max_delay(PAUSE_MAX)
                .with_jitter()
                .without_max_times()
                .build()
        });
    }
}

/// Moves a batch of finished tasks to the archive.
async fn move_batch(desk: &Desk, archive: &SharedArchive) -> Moved {
    let now = desk.coordinator.now();
    let keep = desk.history.ledger_tasks();
    let batch: Vec<TaskRecord> = desk.coordinator.read(|state| {
        let finished = state.finished_count();
        (0_u64..)
            .zip(state.finished_tasks())
            .take_while(|(index, task)| {
                let age = now.saturating_sub(task.finished_at.unwrap_or(now));
                age >= KEEP_MS || finished - index > keep
            })
            .take(BATCH_MAX)
            .map(|(_, task)| task.clone())
            .collect()
    });
    if batch.is_empty() {
        return Moved::Nothing;
    }
    let mut rows = Vec::with_capacity(batch.len());
    for record in &batch {
        match row(desk, record).await {
            Some(row) => rows.push(row),
            // Whatever cannot be shown cannot be archived: it stays in the ledger.
            None => return Moved::Failed,
        }
    }
    if let Err(error) = archive.put_tasks(&rows).await {
        let error: &dyn Error = &error;
        tracing::error!(error, tasks = rows.len(), "the archive takes no tasks");
        return Moved::Failed;
    }
    // An entry that was not committed is made in the next round, or by the next leader.
    match forget(desk, &batch).await && batch.len() == BATCH_MAX {
        true => Moved::More,
        false => Moved::Nothing,
    }
}

/// Copies the administrative acts that the archive lacks, and has the ledger know; says whether the
/// archive took them.
async fn move_acts(desk: &Desk, archive: &SharedArchive) -> bool {
    loop {
        let batch: Vec<AuditEntry> = desk.coordinator.read(|state| {
            let waiting = state.unarchived_acts();
            waiting.take(AUDIT_BATCH).cloned().collect()
        });
        let Some(through) = batch.last().map(|entry| entry.number) else {
            return true;
        };
        let acts: Vec<ArchivedAct> = batch.iter().filter_map(act_row).collect();
        if let Err(error) = archive.put_acts(&acts).await {
            let error: &dyn Error = &error;
            tracing::error!(error, acts = acts.len(), "the archive takes no acts");
            return false;
        }
        let noted = desk.coordinator.propose(Command::ArchiveActs { through });
        if let Err(error) = noted.await {
            let error: &dyn Error = &error;
            tracing::warn!(error, "administrative acts stay in the ledger");
            return true;
        }
    }
}

fn act_row(entry: &AuditEntry) -> Option<ArchivedAct> {
    Some(ArchivedAct {
        number: entry.number,
        tenant: entry.tenant.to_string(),
        document: serde_json::to_value(act_view(entry)).ok()?,
    })
}

/// Forgets the oldest finished tasks of a group without an archive; says whether there may be more.
async fn forget_oldest(desk: &Desk) -> bool {
    let keep = desk.history.buffer_tasks();
    let batch: Vec<TaskRecord> = desk.coordinator.read(|state| {
        let more = state.finished_count().saturating_sub(keep);
        let more = usize::try_from(more).unwrap_or(BATCH_MAX).min(BATCH_MAX);
        state.finished_tasks().take(more).cloned().collect()
    });
    if batch.is_empty() {
        return false;
    }
    tracing::warn!(
        tasks = batch.len(),
        kept = keep,
        "finished tasks are forgotten: there is no archive"
    );
    forget(desk, &batch).await && batch.len() == BATCH_MAX
}

async fn forget(desk: &Desk, batch: &[TaskRecord]) -> bool {
    let tasks = batch.iter().map(|record| record.id).collect();
    let forgotten = desk
        .coordinator
        .propose(Command::ForgetTasks { tasks })
        .await;
    if let Err(error) = &forgotten {
        let error: &dyn Error = error;
        tracing::warn!(error, "finished tasks stay in the ledger");
    }
    forgotten.is_ok()
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
        tenant: record.tenant.to_string(),
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
