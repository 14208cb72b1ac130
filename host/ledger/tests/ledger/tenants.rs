//! Tenants, keys, quotas, who sees which plugin, usage and the trail.

use std::collections::BTreeSet;

use aureole_ledger::limits::{KEY_KEPT_MS, LABEL_BYTES_MAX, SHARED_WITH_MAX};
use aureole_ledger::{
    CORE_WINDOW_MS, CircuitId, Command, Digest, KeyId, KeyRecord, Millis, Outcome, PluginState,
    Priority, QuotaItem, Quotas, Refusal, Role, TaskId, TenantId, Timings, Visibility,
};

use crate::kit::{Ledger, digest, inspected, proved, task_id, view, wide_id};

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

fn put(ledger: &Ledger, name: &str, quotas: Quotas, suspended: bool) -> Command {
    Command::PutTenant {
        tenant: tenant(name),
        weight: Some(100),
        quotas: Some(quotas),
        suspended: Some(suspended),
        actor: "operator".to_owned(),
        now: ledger.now,
    }
}

fn make(ledger: &mut Ledger, name: &str, quotas: Quotas) {
    let command = put(ledger, name, quotas, false);
    assert_eq!(ledger.apply(&command), Outcome::TenantPut { created: true });
}

fn key(number: u8, of: &str, now: Millis) -> KeyRecord {
    KeyRecord {
        id: KeyId::from_bytes([number; 8]),
        secret: digest("secret"),
        tenant: tenant(of),
        role: Role::Submitter,
        label: "ci".to_owned(),
        created_at: now,
        expires_at: None,
        revoked_at: None,
    }
}

fn create(key: KeyRecord) -> Command {
    Command::CreateKey {
        key,
        actor: "operator".to_owned(),
    }
}

fn submit(ledger: &Ledger, of: &str, circuit: CircuitId, task: TaskId, bytes: u64) -> Command {
    Command::SubmitTask {
        task,
        circuit,
        input: digest("input"),
        priority: Priority::DEFAULT,
        idempotency: None,
        now: ledger.now,
        tenant: tenant(of),
        deadline: None,
        input_bytes: bytes,
    }
}

fn register(ledger: &Ledger, of: &str, component: &str, task: u8) -> Command {
    Command::RegisterPlugin {
        component: digest(component),
        bytes: 1000,
        task: task_id(task),
        now: ledger.now,
        tenant: tenant(of),
    }
}

fn share(ledger: &Ledger, of: &str, component: &str, visibility: Visibility) -> Command {
    Command::SharePlugin {
        component: digest(component),
        tenant: tenant(of),
        visibility,
        actor: "operator".to_owned(),
        now: ledger.now,
    }
}

fn with(names: &[&str]) -> Visibility {
    Visibility::Shared(names.iter().map(|name| tenant(name)).collect())
}

fn retire(ledger: &Ledger, component: &str, of: Option<&str>) -> Command {
    Command::RetirePlugin {
        component: digest(component),
        now: ledger.now,
        tenant: of.map(tenant),
        actor: "operator".to_owned(),
    }
}

/// Uploads and inspects a component for a tenant.
fn publish(ledger: &mut Ledger, of: &str, component: &str, version: &str, task: u8) {
    let command = register(ledger, of, component, task);
    assert!(matches!(
        ledger.apply(&command),
        Outcome::PluginRegistered { created: true, .. }
    ));
    let attempt = ledger.lease(task, "w");
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
fn a_tenant_is_made_changed_and_made_again_without_a_change() {
    let mut ledger = Ledger::new();
    assert!(ledger.state.has_tenant(&TenantId::default()));
    assert!(!ledger.state.has_tenant(&tenant("acme")));
    make(&mut ledger, "acme", Quotas::default());
    let again = put(&ledger, "acme", Quotas::default(), false);
    assert_eq!(ledger.apply(&again), Outcome::TenantPut { created: false });
    assert_eq!(ledger.state.audit().count(), 1);
    ledger.now += 5;
    let suspend = put(&ledger, "acme", Quotas::default(), true);
    assert_eq!(
        ledger.apply(&suspend),
        Outcome::TenantPut { created: false }
    );
    let record = ledger.state.tenant(&tenant("acme"));
    assert!(record.suspended && record.created_at == 1_000_000);
    let default = put(&ledger, "default", Quotas::default(), true);
    assert_eq!(ledger.refusal(&default), Refusal::DefaultTenant);
}

#[test]
fn a_weight_is_the_tenants_whoever_sets_it() {
    let mut ledger = Ledger::new();
    make(&mut ledger, "acme", Quotas::default());
    let heavy = Command::SetWeight {
        tenant: tenant("acme"),
        weight: 300,
    };
    assert_eq!(ledger.apply(&heavy), Outcome::WeightSet);
    assert_eq!(ledger.state.share(&tenant("acme")).weight, 300);
    assert_eq!(ledger.state.tenant(&tenant("acme")).weight, 300);
}

#[test]
fn a_key_opens_until_it_is_revoked_or_expires() {
    let mut ledger = Ledger::new();
    let now = ledger.now;
    let made = KeyRecord {
        expires_at: Some(now + 10),
        ..key(1, "default", now)
    };
    assert_eq!(ledger.apply(&create(made.clone())), Outcome::KeyCreated);
    assert_eq!(ledger.apply(&create(made.clone())), Outcome::KeyCreated);
    let known = ledger.state.key(&made.id).unwrap();
    assert!(known.is_alive(now + 9) && !known.is_alive(now + 10));
    let revoke = Command::RevokeKey {
        key: made.id,
        actor: "operator".to_owned(),
        now: now + 1,
    };
    assert_eq!(ledger.apply(&revoke), Outcome::KeyRevoked);
    assert_eq!(ledger.apply(&revoke), Outcome::KeyRevoked);
    let known = ledger.state.key(&made.id).unwrap();
    assert!(!known.is_alive(now + 1));
    assert_eq!(known.ended_at(now + 100), Some(now + 1));
    let acts: Vec<&str> = ledger.state.audit().map(|entry| entry.act.name()).collect();
    assert_eq!(acts, ["key_revoked", "key_created"]);
}

#[test]
fn a_key_that_cannot_be_is_refused() {
    let mut ledger = Ledger::new();
    let now = ledger.now;
    let foreign = create(key(1, "nobody", now));
    assert_eq!(
        ledger.refusal(&foreign),
        Refusal::UnknownTenant(tenant("nobody"))
    );
    let long = KeyRecord {
        label: "l".repeat(LABEL_BYTES_MAX + 1),
        ..key(1, "default", now)
    };
    assert!(matches!(
        ledger.refusal(&create(long)),
        Refusal::Limit { .. }
    ));
    let _ = ledger.apply(&create(key(1, "default", now)));
    let other = KeyRecord {
        secret: digest("another"),
        ..key(1, "default", now)
    };
    let id = other.id;
    assert_eq!(ledger.refusal(&create(other)), Refusal::KeyExists(id));
    let unknown = Command::RevokeKey {
        key: KeyId::from_bytes([9; 8]),
        actor: "operator".to_owned(),
        now,
    };
    assert!(matches!(ledger.refusal(&unknown), Refusal::UnknownKey(_)));
}

#[test]
fn an_actors_name_is_bounded() {
    let mut ledger = Ledger::new();
    let revoke = Command::RevokeKey {
        key: KeyId::from_bytes([1; 8]),
        actor: "x".repeat(161),
        now: ledger.now,
    };
    assert!(matches!(ledger.refusal(&revoke), Refusal::Limit { .. }));
}

#[test]
fn keys_that_ended_long_ago_are_forgotten() {
    let mut ledger = Ledger::new();
    let now = ledger.now;
    let short = KeyRecord {
        expires_at: Some(now + 1),
        ..key(1, "default", now)
    };
    let _ = ledger.apply(&create(short));
    let _ = ledger.apply(&create(key(2, "default", now + KEY_KEPT_MS)));
    assert_eq!(ledger.state.keys().count(), 2);
    let _ = ledger.apply(&create(key(3, "default", now + 1 + KEY_KEPT_MS)));
    let left: Vec<KeyId> = ledger.state.keys().map(|key| key.id).collect();
    assert_eq!(left, [KeyId::from_bytes([2; 8]), KeyId::from_bytes([3; 8])]);
}

#[test]
fn a_suspended_tenant_starts_nothing_and_its_queued_tasks_end() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    make(&mut ledger, "acme", Quotas::default());
    ledger.submit_as("acme", circuit, wide_id(1));
    let suspend = put(&ledger, "acme", Quotas::default(), true);
    let _ = ledger.apply(&suspend);
    let suspended = Refusal::TenantSuspended(tenant("acme"));
    let more = submit(&ledger, "acme", circuit, wide_id(2), 0);
    assert_eq!(ledger.refusal(&more), suspended);
    let plugin = register(&ledger, "acme", "other", 90);
    assert_eq!(ledger.refusal(&plugin), suspended);
    let leased = ledger.run(&[view("w", 1, 1, 0)]);
    assert_eq!(leased[0].attempt.task, wide_id(1));
}

#[test]
fn unfinished_tasks_are_limited_and_an_end_makes_room() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    let quotas = Quotas {
        live_tasks: Some(2),
        ..Quotas::default()
    };
    make(&mut ledger, "acme", quotas);
    ledger.submit_as("acme", circuit, wide_id(1));
    ledger.submit_as("acme", circuit, wide_id(2));
    let third = submit(&ledger, "acme", circuit, wide_id(3), 0);
    let refusal = ledger.refusal(&third);
    assert_eq!(quota(&refusal), (QuotaItem::LiveTasks, 2, 2));
    assert_eq!(refusal.code(), "quota.live_tasks");
    assert!(
        refusal.to_string().contains("unfinished tasks"),
        "{refusal}"
    );
    // Work on plugins and circuits counts alike: a thousand tiny registrations do not pass either.
    let upload = register(&ledger, "acme", "other", 90);
    assert_eq!(quota(&ledger.refusal(&upload)).0, QuotaItem::LiveTasks);
    // Others are not affected, and a repeated submission is no new one.
    ledger.submit_as("default", circuit, wide_id(4));
    let repeated = submit(&ledger, "acme", circuit, wide_id(2), 0);
    assert!(matches!(
        ledger.apply(&repeated),
        Outcome::TaskSubmitted { created: false, .. }
    ));
    let cancel = Command::CancelTask {
        task: wide_id(1),
        now: ledger.now,
    };
    let _ = ledger.apply(&cancel);
    assert!(matches!(
        ledger.apply(&third),
        Outcome::TaskSubmitted { created: true, .. }
    ));
}

#[test]
fn queued_bytes_are_limited() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    let quotas = Quotas {
        queued_bytes: Some(1000),
        ..Quotas::default()
    };
    make(&mut ledger, "acme", quotas);
    let publish = share(&ledger, "default", "component", Visibility::Public);
    let _ = ledger.apply(&publish);
    let first = submit(&ledger, "acme", circuit, wide_id(1), 600);
    let _ = ledger.apply(&first);
    assert_eq!(ledger.state.holdings(&tenant("acme")).queued_bytes, 600);
    let second = submit(&ledger, "acme", circuit, wide_id(2), 401);
    assert_eq!(
        quota(&ledger.refusal(&second)),
        (QuotaItem::QueuedBytes, 600, 1000)
    );
    let fits = submit(&ledger, "acme", circuit, wide_id(2), 400);
    assert!(matches!(ledger.apply(&fits), Outcome::TaskSubmitted { .. }));
}

#[test]
fn core_seconds_are_limited_by_the_hour_and_say_when_it_ends() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    let quotas = Quotas {
        core_seconds: Some(3),
        ..Quotas::default()
    };
    make(&mut ledger, "acme", quotas);
    ledger.submit_as("acme", circuit, wide_id(1));
    let one = [view("w", 1, 1, 0)];
    let attempt = ledger.run(&one)[0].attempt;
    let complete = Command::CompleteTask {
        task: attempt.task,
        attempt: 1,
        worker: crate::kit::worker("w"),
        completion: proved("proof"),
        timings: Timings::from([(aureole_ledger::Stage::Prove, 3_500_000)]),
        now: ledger.now,
        peak_memory_bytes: None,
        acceptance: aureole_ledger::Acceptance::none(),
    };
    let _ = ledger.apply(&complete);
    let usage = ledger.state.usage(&tenant("acme"));
    assert_eq!((usage.core_ms, usage.within(ledger.now)), (3_500, 3_500));
    assert_eq!((usage.tasks, usage.proofs, usage.failed), (1, 1, 0));
    let next = submit(&ledger, "acme", circuit, wide_id(2), 0);
    match ledger.refusal(&next) {
        Refusal::Quota { item, retry_ms, .. } => {
            assert_eq!(item, QuotaItem::CoreSeconds);
            assert_eq!(retry_ms, CORE_WINDOW_MS - ledger.now % CORE_WINDOW_MS);
        }
        other => panic!("{other}"),
    }
    ledger.now += CORE_WINDOW_MS;
    ledger.submit_as("acme", circuit, wide_id(2));
    assert_eq!(ledger.state.usage(&tenant("acme")).core_ms, 3_500);
}

#[test]
fn stored_bytes_are_limited() {
    let mut ledger = Ledger::new();
    let quotas = Quotas {
        stored_bytes: Some(1500),
        ..Quotas::default()
    };
    make(&mut ledger, "acme", quotas);
    publish(&mut ledger, "acme", "one", "1.0.0", 1);
    let second = register(&ledger, "acme", "two", 2);
    assert_eq!(
        quota(&ledger.refusal(&second)),
        (QuotaItem::StoredBytes, 1000, 1500)
    );
    let again = register(&ledger, "acme", "one", 2);
    assert!(matches!(
        ledger.apply(&again),
        Outcome::PluginRegistered { created: false, .. }
    ));
}

#[test]
fn a_plugin_is_its_uploaders_until_it_is_shared() {
    let mut ledger = Ledger::new();
    for name in ["acme", "beta", "gamma"] {
        make(&mut ledger, name, Quotas::default());
    }
    publish(&mut ledger, "acme", "mine", "1.0.0", 1);
    let seen = |ledger: &Ledger, by: &str| {
        let plugin = ledger.state.latest_plugin(&tenant(by), "plugin");
        plugin.map(|plugin| plugin.component)
    };
    let mine = Some(digest("mine"));
    assert_eq!((seen(&ledger, "acme"), seen(&ledger, "beta")), (mine, None));
    let foreign = Command::RegisterCircuit {
        plugin: digest("mine"),
        params: digest("params"),
        task: task_id(9),
        now: ledger.now,
        tenant: tenant("beta"),
    };
    assert_eq!(
        ledger.refusal(&foreign),
        Refusal::UnknownPlugin(digest("mine"))
    );
    let some = share(&ledger, "acme", "mine", with(&["beta"]));
    assert_eq!(ledger.apply(&some), Outcome::PluginShared);
    assert_eq!(
        (seen(&ledger, "beta"), seen(&ledger, "gamma")),
        (mine, None)
    );
    let all = share(&ledger, "acme", "mine", Visibility::Public);
    assert_eq!(ledger.apply(&all), Outcome::PluginShared);
    assert_eq!(seen(&ledger, "gamma"), mine);
    let back = share(&ledger, "acme", "mine", Visibility::Private);
    assert_eq!(ledger.apply(&back), Outcome::PluginShared);
    assert_eq!(
        (seen(&ledger, "beta"), seen(&ledger, "gamma")),
        (None, None)
    );
    assert!(matches!(ledger.apply(&foreign), Outcome::Refused(_)));
}

#[test]
fn a_task_of_a_circuit_that_is_not_shared_is_refused_as_unknown() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    make(&mut ledger, "beta", Quotas::default());
    let foreign = submit(&ledger, "beta", circuit, wide_id(1), 0);
    assert_eq!(ledger.refusal(&foreign), Refusal::UnknownCircuit(circuit));
}

#[test]
fn sharing_what_is_not_held_or_with_whom_there_is_not_is_refused() {
    let mut ledger = Ledger::new();
    make(&mut ledger, "acme", Quotas::default());
    make(&mut ledger, "beta", Quotas::default());
    publish(&mut ledger, "acme", "mine", "1.0.0", 1);
    let foreign = share(&ledger, "beta", "mine", Visibility::Public);
    assert_eq!(
        ledger.refusal(&foreign),
        Refusal::UnknownPlugin(digest("mine"))
    );
    let nobody = share(&ledger, "acme", "mine", with(&["nobody"]));
    assert_eq!(
        ledger.refusal(&nobody),
        Refusal::UnknownTenant(tenant("nobody"))
    );
    let many: BTreeSet<TenantId> = (0..=SHARED_WITH_MAX)
        .map(|number| tenant(&format!("t{number}")))
        .collect();
    let many = share(&ledger, "acme", "mine", Visibility::Shared(many));
    assert!(matches!(ledger.refusal(&many), Refusal::Limit { .. }));
    let begun = register(&ledger, "acme", "other", 2);
    let _ = ledger.apply(&begun);
    let early = share(&ledger, "acme", "other", Visibility::Public);
    assert_eq!(
        ledger.refusal(&early),
        Refusal::PluginInspecting(digest("other"))
    );
}

#[test]
fn names_are_each_tenants_own_and_a_public_one_is_everybodys() {
    let mut ledger = Ledger::new();
    for name in ["acme", "beta", "gamma"] {
        make(&mut ledger, name, Quotas::default());
    }
    publish(&mut ledger, "acme", "acmes", "1.0.0", 1);
    publish(&mut ledger, "beta", "betas", "1.0.0", 2);
    let named = |ledger: &Ledger, by: &str| {
        let plugin = ledger.state.plugin_version(&tenant(by), "plugin", "1.0.0");
        plugin.map(|plugin| plugin.component)
    };
    assert_eq!(named(&ledger, "acme"), Some(digest("acmes")));
    assert_eq!(named(&ledger, "beta"), Some(digest("betas")));
    let first = share(&ledger, "acme", "acmes", Visibility::Public);
    let _ = ledger.apply(&first);
    let second = share(&ledger, "beta", "betas", Visibility::Public);
    assert_eq!(
        ledger.refusal(&second),
        Refusal::PublicNameTaken {
            name: "plugin".to_owned(),
            version: "1.0.0".to_owned(),
        }
    );
    // A tenant's own comes before a public one, whatever others publish or share.
    assert_eq!(named(&ledger, "beta"), Some(digest("betas")));
    assert_eq!(named(&ledger, "gamma"), Some(digest("acmes")));
    let offer = share(&ledger, "beta", "betas", with(&["gamma"]));
    let _ = ledger.apply(&offer);
    assert_eq!(named(&ledger, "gamma"), Some(digest("acmes")));
    // Taken back, the public name is free.
    let back = share(&ledger, "acme", "acmes", Visibility::Private);
    let _ = ledger.apply(&back);
    assert_eq!(ledger.apply(&second), Outcome::PluginShared);
}

#[test]
fn the_same_bytes_are_one_plugin_that_each_holds_for_itself() {
    let mut ledger = Ledger::new();
    make(&mut ledger, "acme", Quotas::default());
    make(&mut ledger, "beta", Quotas::default());
    publish(&mut ledger, "acme", "same", "1.0.0", 1);
    let second = register(&ledger, "beta", "same", 2);
    assert!(matches!(
        ledger.apply(&second),
        Outcome::PluginRegistered { created: false, .. }
    ));
    let state = |ledger: &Ledger, by: &str| {
        let plugin = ledger.state.latest_plugin(&tenant(by), "plugin");
        plugin.map(|plugin| plugin.state.clone())
    };
    let leave = retire(&ledger, "same", Some("acme"));
    let _ = ledger.apply(&leave);
    assert_eq!(state(&ledger, "acme"), None);
    assert_eq!(state(&ledger, "beta"), Some(PluginState::Ready));
    assert!(matches!(ledger.refusal(&leave), Refusal::UnknownPlugin(_)));
    let last = retire(&ledger, "same", Some("beta"));
    let _ = ledger.apply(&last);
    assert_eq!(state(&ledger, "beta"), None);
    let record = ledger.state.plugin(&digest("same")).unwrap();
    assert!(matches!(record.state, PluginState::Retired { .. }));
    // Who brings it back has it for itself.
    let again = register(&ledger, "acme", "same", 3);
    let _ = ledger.apply(&again);
    assert_eq!(state(&ledger, "acme"), Some(PluginState::Ready));
    assert_eq!(state(&ledger, "beta"), None);
}

#[test]
fn a_tenant_with_other_bytes_under_the_name_cannot_hold_it_too() {
    let mut ledger = Ledger::new();
    make(&mut ledger, "acme", Quotas::default());
    make(&mut ledger, "beta", Quotas::default());
    publish(&mut ledger, "acme", "acmes", "1.0.0", 1);
    publish(&mut ledger, "beta", "betas", "1.0.0", 2);
    let taken = register(&ledger, "beta", "acmes", 3);
    assert_eq!(
        ledger.refusal(&taken),
        Refusal::VersionTaken {
            name: "plugin".to_owned(),
            version: "1.0.0".to_owned(),
        }
    );
}

#[test]
fn the_largest_commands_of_tenants_fit_half_a_page() {
    let names: Vec<TenantId> = (0..SHARED_WITH_MAX)
        .map(|number| tenant(&format!("{number:0>63}")))
        .collect();
    let share = Command::SharePlugin {
        component: Digest::of(b""),
        tenant: tenant(&"t".repeat(63)),
        visibility: Visibility::Shared(names.into_iter().collect()),
        actor: "a".repeat(160),
        now: u64::MAX,
    };
    let key = KeyRecord {
        label: "l".repeat(LABEL_BYTES_MAX),
        ..key(1, &"t".repeat(63), u64::MAX)
    };
    for command in [share, create(key)] {
        let bytes = command.encode().unwrap().len();
        assert!(bytes <= 2560, "{}: {bytes}", command.name());
    }
}
