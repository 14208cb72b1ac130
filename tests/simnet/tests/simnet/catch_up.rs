//! A member that was cut off, killed or far behind stands where the others stand soon after the
//! storm, and none gives up.

use aureole_simnet::{Action, History, Plan, every_run, run};

use crate::every::holds;

pub(crate) fn check(history: &History) -> Result<(), String> {
    if let Some(stopped) = history.stopped.first() {
        return Err(stopped.clone());
    }
    let after = match (history.healed, history.returned) {
        (Some(_), Some(_)) => return Ok(()),
        (None, _) => "the storm",
        (Some(_), None) => "all were killed and started again",
    };
    Err(format!(
        "the members do not agree after {after}: {:#?}",
        history.now
    ))
}

#[test]
fn everybody_catches_up() -> Result<(), String> {
    holds("everybody_catches_up", check)
}

/// The schedule whose third member misses so much that only a snapshot helps.
fn absence(action: fn(u64) -> (Action, Action)) -> Plan {
    let (leaves, comes) = action(3);
    Plan {
        snapshot_every: 15,
        actions: vec![(2_500, leaves), (9_000, comes)],
        ..Plan::calm(71, 3)
    }
}

fn by_snapshot(plan: &Plan) -> Result<(), String> {
    let history = run(plan)?;
    check(&history)?;
    if history.installs > 0 {
        return Ok(());
    }
    Err(format!("no snapshot was sent: {:#?}", history.now))
}

#[test]
fn a_member_that_was_killed_catches_up_by_a_snapshot() -> Result<(), String> {
    by_snapshot(&absence(|id| (Action::Crash(id), Action::Restart(id))))
}

#[test]
fn a_member_that_was_cut_off_catches_up_by_a_snapshot() -> Result<(), String> {
    by_snapshot(&absence(|id| {
        let side = [id].into();
        (Action::Cut(side), Action::Mend([id].into()))
    }))
}

#[test]
fn snapshots_travel_in_storms_too() -> Result<(), String> {
    let runs = every_run()?;
    let installs = runs
        .iter()
        .filter_map(|ran| Some(ran.history.as_ref().ok()?.installs));
    if runs.len() < 10 || installs.sum::<u64>() > 0 {
        return Ok(());
    }
    Err(format!("no snapshot was sent in {} storms", runs.len()))
}

#[test]
fn a_member_that_stays_away_is_seen() {
    let apart = History::default();
    assert!(check(&apart).unwrap_err().contains("after the storm"));
    let lost = History {
        healed: Some(1),
        ..History::default()
    };
    assert!(check(&lost).unwrap_err().contains("started again"));
    let stopped = History {
        stopped: vec!["member 2 stopped".to_owned()],
        ..History::default()
    };
    assert_eq!(check(&stopped), Err("member 2 stopped".to_owned()));
}
