//! What of a tenant changes, and the room that its plugins and circuits take.

use aureole_ledger::limits::{CIRCUITS_OF_TENANT_MAX, PLUGINS_OF_TENANT_MAX, QUOTAS_DEFAULT};
use aureole_ledger::{
    Command, Digest, Outcome, PluginState, Problem, QuotaItem, Quotas, Refusal, State, TenantId,
    Visibility,
};

use crate::kit::{Ledger, digest, idempotency, inspected, task_id, wide_id, worker};

fn acme() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn change(ledger: &Ledger, weight: Option<u32>, suspended: Option<bool>) -> Command {
    Command::PutTenant {
        tenant: acme(),
        weight,
        quotas: None,
        suspended,
        actor: "operator".to_owned(),
        now: ledger.now,
    }
}

fn with_quotas(quotas: Quotas) -> Ledger {
    let mut ledger = Ledger::new();
    let made = Command::PutTenant {
        tenant: acme(),
        weight: None,
        quotas: Some(quotas),
        suspended: None,
        actor: "operator".to_owned(),
        now: ledger.now,
    };
    assert_eq!(ledger.apply(&made), Outcome::TenantPut { created: true });
    ledger
}

fn register(ledger: &Ledger, component: Digest, task: u16) -> Command {
    Command::RegisterPlugin {
        component,
        bytes: 1000,
        task: wide_id(task),
        now: ledger.now,
        tenant: acme(),
    }
}

fn retire(ledger: &Ledger, component: Digest) -> Command {
    Command::RetirePlugin {
        component,
        now: ledger.now,
        tenant: Some(acme()),
        actor: "operator".to_owned(),
    }
}

fn circuit(ledger: &Ledger, component: Digest, params: &str, task: u16) -> Command {
    Command::RegisterCircuit {
        plugin: component,
        params: digest(params),
        task: wide_id(task),
        now: ledger.now,
        tenant: acme(),
    }
}

/// Leases a task and ends it: an inspection well, or as refused.
fn inspect(ledger: &mut Ledger, task: u16, version: Option<&str>) {
    let (task, now) = (wide_id(task), ledger.now);
    let lease = Command::LeaseTask {
        task,
        attempt: 1,
        worker: worker("w"),
        expires_at: now + 10_000,
        now,
        threads: 1,
        memory_bytes: 0,
        speculative: false,
    };
    assert_eq!(ledger.apply(&lease), Outcome::Leased);
    let attempt = aureole_ledger::AttemptRef { task, attempt: 1 };
    let Some(version) = version else {
        let failed = Command::FailAttempt {
            task,
            attempt: 1,
            worker: worker("w"),
            problem: Problem::new("plugin.trap", "it went wrong"),
            retryable: false,
            now,
        };
        let _ = ledger.apply(&failed);
        return;
    };
    ledger.complete(attempt, "w", inspected("plugin", version));
}

fn quota(refusal: &Refusal) -> (QuotaItem, u64, u64) {
    match refusal {
        Refusal::Quota {
            item, used, limit, ..
        } => (*item, *used, *limit),
        other => panic!("no quota: {other}"),
    }
}

#[test]
fn of_two_changes_prepared_from_one_state_neither_undoes_the_other() {
    let mut ledger = Ledger::new();
    let made = change(&ledger, None, None);
    assert_eq!(ledger.apply(&made), Outcome::TenantPut { created: true });
    let fresh = ledger.state.tenant(&acme());
    assert_eq!(fresh.quotas, QUOTAS_DEFAULT, "a new tenant has limits");
    let suspension = change(&ledger, None, Some(true));
    let heavier = change(&ledger, Some(200), None);
    for command in [suspension, heavier] {
        let outcome = ledger.apply(&command);
        assert_eq!(outcome, Outcome::TenantPut { created: false });
    }
    let record = ledger.state.tenant(&acme());
    assert!(record.suspended, "the weight undid the suspension");
    assert_eq!((record.weight, record.quotas), (200, QUOTAS_DEFAULT));
}

#[test]
fn the_default_tenant_is_changed_from_what_it_is_and_not_from_what_a_new_one_gets() {
    let mut ledger = Ledger::new();
    let heavier = Command::PutTenant {
        tenant: TenantId::default(),
        weight: Some(300),
        quotas: None,
        suspended: None,
        actor: "operator".to_owned(),
        now: ledger.now,
    };
    let _ = ledger.apply(&heavier);
    let record = ledger.state.tenant(&TenantId::default());
    assert_eq!((record.weight, record.quotas), (300, Quotas::default()));
}

#[test]
fn a_retired_plugin_takes_no_room_until_it_is_brought_back() {
    let mut ledger = with_quotas(Quotas {
        stored_bytes: Some(1500),
        ..Quotas::default()
    });
    let (one, two) = (digest("one"), digest("two"));
    let _ = ledger.apply(&register(&ledger, one, 1));
    inspect(&mut ledger, 1, Some("1.0.0"));
    let second = register(&ledger, two, 2);
    assert_eq!(
        quota(&ledger.refusal(&second)),
        (QuotaItem::StoredBytes, 1000, 1500)
    );
    let _ = ledger.apply(&retire(&ledger, one));
    assert_eq!(ledger.state.holdings(&acme()).stored_bytes, 0);
    let outcome = ledger.apply(&second);
    assert!(matches!(
        outcome,
        Outcome::PluginRegistered { created: true, .. }
    ));
    let back = register(&ledger, one, 3);
    assert_eq!(
        quota(&ledger.refusal(&back)),
        (QuotaItem::StoredBytes, 1000, 1500),
        "it takes room again"
    );
}

#[test]
fn a_tenant_has_its_share_of_the_plugins_and_those_of_no_use_make_room() {
    let mut ledger = with_quotas(Quotas::default());
    let component = |number: u16| Digest::of(&number.to_be_bytes());
    let most = u16::try_from(PLUGINS_OF_TENANT_MAX).unwrap();
    for number in 1..=most {
        let command = register(&ledger, component(number), number);
        let outcome = ledger.apply(&command);
        assert!(matches!(outcome, Outcome::PluginRegistered { .. }));
    }
    let more = register(&ledger, component(most + 1), most + 1);
    let refusal = ledger.refusal(&more);
    let limit = PLUGINS_OF_TENANT_MAX;
    assert_eq!(quota(&refusal), (QuotaItem::Plugins, limit, limit));
    assert_eq!(refusal.code(), "quota.plugins");
    // Another tenant still has places.
    let _ = ledger.register_plugin("another's", 250);
    // One has a circuit and is retired: its proofs are still verified, so it stays.
    inspect(&mut ledger, 1, Some("1.0.0"));
    let command = circuit(&ledger, component(1), "params", 5000);
    assert!(matches!(
        ledger.apply(&command),
        Outcome::CircuitRegistered { created: true, .. }
    ));
    let _ = ledger.apply(&retire(&ledger, component(1)));
    assert_eq!(quota(&ledger.refusal(&more)).0, QuotaItem::Plugins);
    // One is rejected, and one retired before anybody used it.
    inspect(&mut ledger, 2, None);
    inspect(&mut ledger, 3, Some("3.0.0"));
    let _ = ledger.apply(&retire(&ledger, component(3)));
    assert!(matches!(
        ledger.apply(&more),
        Outcome::PluginRegistered { created: true, .. }
    ));
    assert!(ledger.state.plugin(&component(1)).is_some());
    assert_eq!(ledger.state.plugin(&component(2)), None);
    assert_eq!(ledger.state.plugin(&component(3)), None);
    assert_eq!(ledger.state.holdings(&acme()).plugins, limit - 1);
    // The version stays with the bytes that had it, and they may come back.
    let back = register(&ledger, component(3), 5001);
    let _ = ledger.apply(&back);
    inspect(&mut ledger, 5001, Some("3.0.0"));
    let plugin = ledger.state.plugin(&component(3)).unwrap();
    assert_eq!(plugin.state, PluginState::Ready);
}

#[test]
fn a_tenant_has_its_share_of_the_circuits_whoever_published_the_plugin() {
    let mut ledger = Ledger::with_plugin("component");
    let _ = ledger.apply(&change(&ledger, None, None));
    let quotas = Command::PutTenant {
        tenant: acme(),
        weight: None,
        quotas: Some(Quotas::default()),
        suspended: None,
        actor: "operator".to_owned(),
        now: ledger.now,
    };
    let _ = ledger.apply(&quotas);
    let publish = Command::SharePlugin {
        component: digest("component"),
        tenant: TenantId::default(),
        visibility: Visibility::Public,
        actor: "operator".to_owned(),
        now: ledger.now,
    };
    assert_eq!(ledger.apply(&publish), Outcome::PluginShared);
    let most = u16::try_from(CIRCUITS_OF_TENANT_MAX).unwrap();
    for number in 1..=most {
        let command = circuit(&ledger, digest("component"), &number.to_string(), number);
        let outcome = ledger.apply(&command);
        assert!(matches!(outcome, Outcome::CircuitRegistered { .. }));
    }
    let more = circuit(&ledger, digest("component"), "more", most + 1);
    let refusal = ledger.refusal(&more);
    let limit = CIRCUITS_OF_TENANT_MAX;
    assert_eq!(quota(&refusal), (QuotaItem::Circuits, limit, limit));
    assert_eq!(refusal.code(), "quota.circuits");
    // A copy of the state counts them too.
    let copy = State::decode(&ledger.state.encode().unwrap()).unwrap();
    let mut copy = Ledger {
        state: copy,
        now: ledger.now,
    };
    assert_eq!(copy.refusal(&more), refusal);
    let others = ledger.circuit_command("component", "more", 99);
    assert!(matches!(
        ledger.apply(&others),
        Outcome::CircuitRegistered { created: true, .. }
    ));
}

#[test]
fn a_key_leads_to_its_task_without_a_look_at_the_others() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    let mut command = ledger.submit_command(circuit, 1);
    if let Command::SubmitTask {
        idempotency: key, ..
    } = &mut command
    {
        *key = Some(idempotency("key", "request"));
    }
    let _ = ledger.apply(&command);
    let found = |key, request| {
        let task = ledger.state.task_of_key(&idempotency(key, request));
        task.map(|task| task.id)
    };
    assert_eq!(found("key", "request"), Some(task_id(1)));
    assert_eq!(found("key", "another"), None, "another request");
    assert_eq!(found("another", "request"), None);
}
