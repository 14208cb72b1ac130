//! Holds an invariant against every schedule.

use aureole_simnet::{History, every_run};

/// Checks every run, and names the seed of the first that an invariant does not hold in.
pub(crate) fn holds(
    test: &str,
    check: impl Fn(&History) -> Result<(), String>,
) -> Result<(), String> {
    for ran in every_run()? {
        let seen = ran.history.as_ref().map_err(Clone::clone);
        seen.and_then(&check).map_err(|error| {
            let seed = ran.plan.seed;
            format!(
                "seed {seed}: {error}\nagain: AUREOLE_TEST_SEED={seed} cargo test -p aureole-simnet {test}\n\
                 {:#?}",
                ran.plan
            )
        })?;
    }
    Ok(())
}
