//! The trail of administrative acts: what is kept, until when, and what the archive is to have.

use aureole_ledger::limits::{AUDIT_KEPT, AUDIT_WAITING_MAX};
use aureole_ledger::{Act, Command, Outcome, Quotas, State, TenantId};

use crate::kit::Ledger;

/// Changes a tenant so often, each time to something else.
fn act(ledger: &mut Ledger, times: usize) {
    for _ in 0..times {
        ledger.now += 1;
        let quotas = Quotas {
            live_tasks: Some(ledger.now),
            ..Quotas::default()
        };
        let command = Command::PutTenant {
            tenant: TenantId::new("acme").unwrap(),
            weight: None,
            quotas: Some(quotas),
            suspended: None,
            actor: "operator".to_owned(),
            now: ledger.now,
        };
        assert!(matches!(ledger.apply(&command), Outcome::TenantPut { .. }));
    }
}

fn numbers(ledger: &Ledger) -> Vec<u64> {
    ledger.state.audit().map(|entry| entry.number).collect()
}

fn waiting(ledger: &Ledger) -> usize {
    ledger.state.unarchived_acts().count()
}

fn archive(ledger: &mut Ledger, through: u64) {
    let outcome = ledger.apply(&Command::ArchiveActs { through });
    assert_eq!(outcome, Outcome::ActsArchived);
}

#[test]
fn an_act_is_kept_until_the_archive_has_it() {
    let mut ledger = Ledger::new();
    act(&mut ledger, AUDIT_KEPT + 3);
    let all = numbers(&ledger);
    assert_eq!((all.len(), all[0]), (AUDIT_KEPT + 3, 503));
    let newest = ledger.state.audit().next().unwrap();
    assert!(matches!(newest.act, Act::TenantPut { .. }));
    assert_eq!(newest.actor, "operator");
    let first = ledger.state.unarchived_acts().next().unwrap();
    assert_eq!(first.number, 1);
    archive(&mut ledger, 2);
    let all = numbers(&ledger);
    assert_eq!((all.len(), all.last()), (AUDIT_KEPT + 1, Some(&3)));
    // What the archive has may be said twice, and too much.
    archive(&mut ledger, 1);
    archive(&mut ledger, 9_999);
    assert_eq!((waiting(&ledger), numbers(&ledger).len()), (0, AUDIT_KEPT));
    act(&mut ledger, 1);
    assert_eq!((waiting(&ledger), numbers(&ledger)[0]), (1, 504));
    assert_eq!(numbers(&ledger).len(), AUDIT_KEPT, "an archived one went");
}

#[test]
fn without_an_archive_the_oldest_acts_are_forgotten_at_a_bound() {
    let mut ledger = Ledger::new();
    act(&mut ledger, AUDIT_WAITING_MAX + 2);
    let all = numbers(&ledger);
    assert_eq!((all.len(), all.last()), (AUDIT_WAITING_MAX, Some(&3)));
    let copy = State::decode(&ledger.state.encode().unwrap()).unwrap();
    assert_eq!(copy.unarchived_acts().count(), AUDIT_WAITING_MAX);
}
