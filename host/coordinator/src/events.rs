//! What changed, for those who wait. Events are hints: whoever misses one reads the facts.

use aureole_ledger::{
    CircuitId, Command, Completion, Digest, Outcome, Stage, State, TaskId, TaskKind,
};

/// Something changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A task's record.
    TaskChanged(TaskId),
    /// A plugin's record.
    PluginChanged(Digest),
    /// A circuit's record.
    CircuitChanged(CircuitId),
    /// A worker says where an attempt stands.
    Progress {
        /// The task.
        task: TaskId,
        /// The attempt.
        attempt: u32,
        /// What it is doing now.
        stage: Stage,
    },
    /// A snapshot replaced the facts: anything may have changed.
    Replaced,
}

/// Returns what a command that was just applied changed.
pub(crate) fn events_of(state: &State, command: &Command, outcome: &Outcome) -> Vec<Event> {
    if matches!(outcome, Outcome::Refused(_)) {
        return Vec::new();
    }
    match command {
        Command::RegisterPlugin {
            component, task, ..
        } => {
            vec![Event::PluginChanged(*component), Event::TaskChanged(*task)]
        }
        Command::RegisterCircuit { task, .. } => {
            let mut events = vec![Event::TaskChanged(*task)];
            if let Outcome::CircuitRegistered { circuit, .. } = outcome {
                events.push(Event::CircuitChanged(*circuit));
            }
            events
        }
        Command::SubmitTask { task, .. }
        | Command::LeaseTask { task, .. }
        | Command::ExpireTask { task, .. }
        | Command::CancelTask { task, .. } => vec![Event::TaskChanged(*task)],
        Command::CompleteTask {
            task, completion, ..
        } => ended(state, *task, Some(completion)),
        Command::FailAttempt { task, .. } | Command::ExpireLease { task, .. } => {
            ended(state, *task, None)
        }
        Command::RetirePlugin { component, .. } => {
            let mut events = vec![Event::PluginChanged(*component)];
            if let Some(plugin) = state.plugin(component) {
                events.push(Event::TaskChanged(plugin.task));
            }
            events
        }
        Command::SignPlugin { component, .. } | Command::SharePlugin { component, .. } => {
            vec![Event::PluginChanged(*component)]
        }
        // Nobody waits for what these change; a forgotten task has no record to read.
        Command::RenewLeases { .. }
        | Command::ForgetTasks { .. }
        | Command::ReserveWorker { .. }
        | Command::CreateWebhook { .. }
        | Command::DeleteWebhook { .. }
        | Command::SettleDelivery { .. }
        | Command::ReplayDelivery { .. }
        | Command::SetWeight { .. }
        | Command::PutTenant { .. }
        | Command::CreateKey { .. }
        | Command::RevokeKey { .. }
        | Command::PublishVerifyingKey { .. }
        | Command::ArchiveActs { .. }
        | Command::TrustWorker { .. } => Vec::new(),
        // Any number of tasks may have failed by it.
        Command::RevokeVerifyingKey { .. } => vec![Event::Replaced],
    }
}

/// The end of an attempt may be the end of its plugin's inspection or its circuit's preparation.
fn ended(state: &State, task: TaskId, completion: Option<&Completion>) -> Vec<Event> {
    let mut events = vec![Event::TaskChanged(task)];
    match state.task(&task).map(|task| task.kind) {
        Some(TaskKind::InspectPlugin { plugin }) => {
            events.push(Event::PluginChanged(plugin));
            let facts = state
                .plugin(&plugin)
                .and_then(|plugin| plugin.facts.as_ref());
            if let (Some(facts), Some(_)) = (facts, completion)
                && let Some(circuit) = facts.default_circuit
            {
                events.push(Event::CircuitChanged(circuit));
            }
        }
        Some(TaskKind::PrepareCircuit { circuit }) => events.push(Event::CircuitChanged(circuit)),
        Some(TaskKind::Prove { .. }) | None => {}
    }
    events
}
