//! Leaders follow each other in one order, that of their terms and, in a term, of their ids: no member
//! ever follows one that comes before one it followed, not after a restart either.
//!
//! openraft orders leaders by term and id, unless built otherwise: in a term a member with a higher id
//! may be elected after one with a lower, which then leads no more. A leader is a term and an id.

use std::collections::{BTreeMap, BTreeSet};

use aureole_simnet::{History, Reign, every_run};

use crate::every::holds;

pub(crate) fn check(history: &History) -> Result<(), String> {
    let mut followed = BTreeMap::<u64, &Reign>::new();
    for reign in &history.reigns {
        let before = *followed.entry(reign.member).or_insert(reign);
        if (reign.term, reign.leader) < (before.term, before.leader) {
            return Err(format!(
                "member {} follows member {} in term {} at {} ms, and followed member {} in term {} at {} ms",
                reign.member,
                reign.leader,
                reign.term,
                reign.at,
                before.leader,
                before.term,
                before.at
            ));
        }
        followed.insert(reign.member, reign);
    }
    Ok(())
}

#[test]
fn no_member_follows_a_leader_of_before() -> Result<(), String> {
    holds("no_member_follows_a_leader_of_before", check)
}

#[test]
fn leadership_does_change_hands() -> Result<(), String> {
    let runs = every_run()?;
    let leaders = runs.iter().filter_map(|ran| {
        let history = ran.history.as_ref().ok()?;
        let reigns = history.reigns.iter();
        let leaders: BTreeSet<u64> = reigns.map(|reign| reign.leader).collect();
        Some(leaders.len())
    });
    let leaders: usize = leaders.sum();
    if runs.len() < 10 || leaders > runs.len() {
        return Ok(());
    }
    Err(format!("{leaders} leaders in {} groups", runs.len()))
}

#[test]
fn a_step_back_to_an_earlier_leader_is_seen() {
    let reign = |member, life, term, leader| Reign {
        at: 1,
        member,
        life,
        term,
        leader,
    };
    let check_of = |reigns: Vec<Reign>| {
        check(&History {
            reigns,
            ..History::default()
        })
    };
    let good = vec![reign(1, 1, 1, 1), reign(2, 1, 1, 1), reign(1, 2, 1, 2)];
    assert_eq!(check_of(good), Ok(()));
    for back in [reign(1, 1, 2, 2), reign(1, 2, 2, 2), reign(1, 2, 1, 3)] {
        let error = check_of(vec![reign(1, 1, 2, 3), back]).unwrap_err();
        assert!(error.contains("and followed member 3 in term 2"), "{error}");
    }
}
