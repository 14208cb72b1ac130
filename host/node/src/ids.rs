//! Randomness enters the ledger here, as the ids in commands.

use aureole_ledger::TaskId;

/// A fresh task id from the operating system's randomness.
///
/// # Errors
/// When the operating system has none to give.
pub(crate) fn task_id() -> Result<TaskId, getrandom::Error> {
    random().map(TaskId::from_bytes)
}

/// What nobody else has.
///
/// # Errors
/// When the operating system has none to give.
pub(crate) fn random() -> Result<[u8; 16], getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
