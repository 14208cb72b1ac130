//! The checkers see: a member whose disk forgets what it acknowledged, which no real one may, breaks
//! its group, and the invariants say so.

use std::collections::BTreeSet;

use aureole_simnet::{Action, Plan, run};

use crate::{acknowledged, catch_up, committed, digests, leaders};

/// Two of three acknowledge while the third is away. Then both are killed, and only one comes back,
/// with a folder from before; the third and it are a majority that knows nothing.
fn story(forgets: bool) -> Plan {
    let away = BTreeSet::from([3]);
    let mut actions = vec![
        (2_500, Action::Cut(away.clone())),
        (3_000, Action::Crash(2)),
        (3_000, Action::Keep(2)),
        (3_100, Action::Restart(2)),
        (8_000, Action::Crash(1)),
        (8_000, Action::Crash(2)),
        (8_100, Action::Mend(away)),
        (8_100, Action::Restart(2)),
    ];
    if forgets {
        actions.insert(6, (8_000, Action::Forget(2)));
    }
    Plan {
        actions,
        ..Plan::calm(72, 3)
    }
}

#[test]
fn a_member_that_forgets_what_it_acknowledged_is_found_out() -> Result<(), String> {
    let history = run(&story(true))?;
    let lost = acknowledged::check(&history).unwrap_err();
    assert!(
        lost.contains("by client") || lost.contains("to client"),
        "{lost}"
    );
    // The entries that were forgotten had other facts after them than those that came in their place.
    let other = committed::check(&history)
        .and(digests::check(&history))
        .unwrap_err();
    assert!(
        other.contains("other facts after entry") || other.contains("differ"),
        "{other}"
    );
    Ok(())
}

#[test]
fn the_same_story_with_a_disk_that_remembers_breaks_nothing() -> Result<(), String> {
    let history = run(&story(false))?;
    catch_up::check(&history)?;
    acknowledged::check(&history)?;
    committed::check(&history)?;
    digests::check(&history)?;
    leaders::check(&history)
}
