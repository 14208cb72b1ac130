//! A task as it changes, for those who watch it.

use std::time::Duration;

use aureole_api::{Problem, rest};
use aureole_coordinator::TaskView;
use aureole_gateway::{Caller, Seen};
use aureole_ledger::{TaskId, TaskPhase};

use super::{
    Desk,
    view::{stage_name, task_state},
};

// === impl Desk ===

impl Desk {
    /// A task, after waiting until it does not stand any more where it was seen.
    pub(crate) async fn changed_task(
        &self,
        caller: &Caller,
        id: TaskId,
        seen: &Seen,
        wait: Duration,
    ) -> Result<rest::Task, Problem> {
        if !wait.is_zero() && self.owns(caller, &id) {
            let has_changed = |view: &TaskView| view.task.is_finished() || standing(view) != *seen;
            self.coordinator.wait_task(id, has_changed, wait).await;
        }
        self.task_anywhere(caller, id).await
    }
}

/// Where a task stands, as [`Seen::of`] reads it from the task that is shown.
fn standing(view: &TaskView) -> Seen {
    let phase = view.task.phase();
    Seen {
        state: task_state(phase),
        stage: view
            .stage
            .filter(|_| phase == TaskPhase::Running)
            .map(stage_name),
        attempt: view
            .task
            .attempts
            .last()
            .map_or(0, |attempt| attempt.attempt),
    }
}
