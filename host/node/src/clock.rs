//! Time and randomness enter the platform here, as fields of commands.

use std::time::{SystemTime, UNIX_EPOCH};

use aureole_ledger::{Millis, TaskId};

/// Milliseconds since the Unix epoch; 0 on a clock set before it.
pub(crate) fn now() -> Millis {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Millis::try_from(elapsed.as_millis()).unwrap_or(Millis::MAX)
}

/// A fresh task id from the operating system's randomness.
///
/// # Errors
/// When the operating system has none to give.
pub(crate) fn task_id() -> Result<TaskId, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(TaskId::from_bytes(bytes))
}
