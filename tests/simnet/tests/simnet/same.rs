//! A seed is a schedule: lived through again, the same happens at the same times.

use aureole_simnet::{Plan, run};

#[test]
fn a_seed_gives_the_same_history_again() -> Result<(), String> {
    for seed in [3, 4] {
        let plan = Plan::of(seed);
        let (first, again) = (run(&plan)?, run(&plan)?);
        assert!(!first.promises.is_empty());
        assert_eq!(first.digest(), again.digest(), "seed {seed}");
    }
    Ok(())
}
