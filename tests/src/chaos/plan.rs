//! Which faults a run has: every kind in turn, in an order that the seed decides.

use std::time::Duration;

use super::fault::{Fault, Kind};
use crate::random::Random;

/// What a fault takes with its beginning, its healing and what clients do between two.
const OVERHEAD: Duration = Duration::from_secs(1);

/// The shortest and the longest that a fault lasts.
const LASTS_MS: (u64, u64) = (2_000, 8_000);

/// The faults of a run of so many minutes. All kinds occur before one occurs again.
#[must_use]
pub fn plan(minutes: u64, network: bool, random: &mut Random) -> Vec<Fault> {
    let (shortest, longest) = LASTS_MS;
    let mut left = Duration::from_secs(60 * minutes);
    let mut bag = Vec::new();
    let mut plan = Vec::new();
    loop {
        if bag.is_empty() {
            bag = Kind::ALL
                .into_iter()
                .filter(|kind| network || !kind.is_network())
                .collect();
        }
        let Ok(index) = usize::try_from(random.below(bag.len() as u64)) else {
            return plan;
        };
        let lasts = Duration::from_millis(shortest + random.below(longest - shortest));
        let Some(rest) = left.checked_sub(lasts + OVERHEAD) else {
            return plan;
        };
        left = rest;
        plan.push(Fault {
            kind: bag.swap_remove(index),
            lasts,
        });
    }
}

#[cfg(test)]
mod tests {
    //! A plan follows from its seed and leaves no kind out.

    use super::{Kind, plan};
    use crate::random::Random;
    use std::collections::BTreeSet;

    #[test]
    fn a_plan_follows_from_its_seed_and_has_all_kinds() {
        let planned = |seed| plan(5, true, &mut Random::from_seed(seed));
        assert_eq!(planned(1), planned(1));
        assert_ne!(planned(1), planned(2));
        let kinds: BTreeSet<Kind> = planned(1).iter().map(|fault| fault.kind).collect();
        assert_eq!(kinds.len(), Kind::ALL.len());
        let plain = plan(5, false, &mut Random::from_seed(1));
        assert!(plain.iter().all(|fault| !fault.kind.is_network()));
    }
}
