//! Many seeds, or the one that failed.

use crate::{Invariant, Profile, Seen, World};

/// The variable that names one seed.
const SEED: &str = "AUREOLE_SIM_SEED";

/// What was run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// Schedules.
    pub schedules: u64,
    /// Commands that were applied over all of them.
    pub steps: u64,
    /// What went wrong in them.
    pub seen: Seen,
}

/// Runs a number of worlds under an invariant, each with a new one, and prints what was run. With
/// `AUREOLE_SIM_SEED` set it is that world alone.
///
/// # Errors
/// What the invariant found, with the seed that shows it again; or something that the profile asks for
/// and that happened in none of several worlds.
pub fn runs<I: Invariant + Default>(
    name: &str,
    profile: Profile,
    schedules: u64,
) -> Result<Ran, String> {
    let seeds = match std::env::var(SEED) {
        Ok(seed) => {
            let seed = seed
                .parse()
                .map_err(|_| format!("{SEED}={seed} is no number"))?;
            seed..seed + 1
        }
        Err(_) => 1..schedules + 1,
    };
    let (first, last) = (seeds.start, seeds.end - 1);
    let mut ran = Ran::default();
    for seed in seeds {
        let mut invariant = I::default();
        let steps = World::new(seed, profile).and_then(|mut world| {
            world.run(&mut [&mut invariant])?;
            Ok((world.node.applied() as u64, world.seen))
        });
        let again = || format!("{SEED}={seed} cargo test -p aureole-sim {name}");
        let (steps, seen) =
            steps.map_err(|error| format!("seed {seed}: {error}\nagain: {}", again()))?;
        ran.steps += steps;
        ran.seen += seen;
        ran.schedules += 1;
    }
    eprintln!(
        "{name}: seeds {first} to {last}, {} steps, {:?}",
        ran.steps, ran.seen
    );
    match ran.seen.lacks(&profile) {
        // One world alone may well be spared something.
        Some(what) if ran.schedules > 1 => Err(format!("{name}: {ran:?} without a {what}")),
        _ => Ok(ran),
    }
}
