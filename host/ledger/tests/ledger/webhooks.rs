//! Subscriptions: who is told of what, until it is settled, and never of another's.

use aureole_ledger::limits::{
    DELIVERIES_KEPT, PENDING_EVENTS_OF_WEBHOOK_MAX, WEBHOOKS_OF_TENANT_MAX,
};
use aureole_ledger::{
    CircuitId, Command, DeliveryState, EventKind, EventSet, Expiry, Failure, Outcome, Refusal,
    Settlement, State, TaskId, TenantId, WebhookId, WebhookRecord,
};
use proptest::prelude::*;

use crate::kit::{Ledger, proved, task_id, wide_id};

fn hook(number: u8) -> WebhookId {
    WebhookId::from_bytes([number; 16])
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

impl Ledger {
    fn hook_record(&self, number: u8, of: &str, events: &[EventKind]) -> WebhookRecord {
        WebhookRecord {
            id: hook(number),
            tenant: tenant(of),
            url: "https://hooks.example/".to_owned(),
            events: events.iter().copied().collect(),
            public_inputs: false,
            created_at: self.now,
            missed: 7,
        }
    }

    fn subscribe(&mut self, number: u8, of: &str, events: &[EventKind]) {
        let webhook = self.hook_record(number, of, events);
        let outcome = self.apply(&Command::CreateWebhook { webhook });
        assert_eq!(outcome, Outcome::WebhookCreated);
    }

    fn settle(&mut self, number: u8, task: TaskId, settlement: Settlement) -> Outcome {
        let command = Command::SettleDelivery {
            webhook: hook(number),
            task,
            settlement,
            attempts: 3,
            now: self.now,
        };
        self.apply(&command)
    }

    fn replay_command(&self, number: u8, of: &str, task: TaskId) -> Command {
        Command::ReplayDelivery {
            webhook: hook(number),
            tenant: tenant(of),
            task,
            now: self.now,
        }
    }

    fn pending(&self) -> Vec<(WebhookId, Vec<TaskId>)> {
        let pending = self.state.pending_events(10);
        let tasks = |events: Vec<aureole_ledger::PendingEvent>| {
            events.into_iter().map(|event| event.task).collect()
        };
        pending
            .map(|(webhook, events)| (webhook.id, tasks(events)))
            .collect()
    }

    /// Submits a proof and cancels it: the shortest life of a task.
    fn cancelled(&mut self, of: &str, circuit: CircuitId, task: TaskId) {
        self.submit_as(of, circuit, task);
        let now = self.now;
        let _ = self.apply(&Command::CancelTask { task, now });
    }
}

const DELIVERED: Settlement = Settlement::Delivered { status: 200 };

#[test]
fn each_end_of_a_proof_is_told_to_those_of_its_tenant_who_want_to_hear_it() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    ledger.subscribe(1, "default", &EventKind::ALL);
    ledger.subscribe(2, "default", &[EventKind::Done]);
    ledger.subscribe(3, "default", &[EventKind::Failed]);
    ledger.subscribe(4, "other", &EventKind::ALL);
    for task in 1..=3 {
        ledger.submit_as("default", circuit, task_id(task));
    }
    assert_eq!(ledger.pending(), [], "nothing has ended");
    let attempt = ledger.lease(1, "a");
    ledger.complete(attempt, "a", proved("one"));
    let attempt = ledger.lease(2, "a");
    let _ = ledger.fail(attempt, "a", "bad", false);
    let cancel = ledger.cancel_command(3);
    let _ = ledger.apply(&cancel);
    let expected = [
        (hook(1), vec![task_id(1), task_id(2), task_id(3)]),
        (hook(2), vec![task_id(1)]),
        (hook(3), vec![task_id(2)]),
    ];
    assert_eq!(ledger.pending(), expected);
    let event = |task| {
        ledger
            .state
            .delivery(&hook(1), &task_id(task))
            .unwrap()
            .event
    };
    let events = [event(1), event(2), event(3)];
    assert_eq!(events, EventKind::ALL);
    assert_eq!(ledger.state.pending_count(), 5);
}

#[test]
fn what_a_suspended_tenant_would_be_told_is_held_until_it_may_act_again() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    let put = |ledger: &mut Ledger, suspended| {
        let command = Command::PutTenant {
            tenant: tenant("acme"),
            weight: None,
            quotas: None,
            suspended: Some(suspended),
            actor: "operator".to_owned(),
            now: ledger.now,
        };
        let _ = ledger.apply(&command);
    };
    put(&mut ledger, false);
    ledger.subscribe(1, "acme", &EventKind::ALL);
    ledger.subscribe(2, "default", &EventKind::ALL);
    ledger.submit_as("acme", circuit, wide_id(1));
    ledger.cancelled("acme", circuit, wide_id(2));
    ledger.cancelled("default", circuit, wide_id(3));
    let others = (hook(2), vec![wide_id(3)]);
    assert_eq!(ledger.pending().len(), 2);
    put(&mut ledger, true);
    assert_eq!(ledger.pending(), [others.clone()]);
    // What ends meanwhile is held as well.
    let queued = ledger.state.queued_events();
    let now = ledger.now;
    let task = wide_id(1);
    let _ = ledger.apply(&Command::CancelTask { task, now });
    assert_ne!(ledger.state.queued_events(), queued);
    assert_eq!(ledger.pending(), [others.clone()]);
    put(&mut ledger, false);
    let mut told = ledger.pending();
    told[0].1.sort_unstable();
    assert_eq!(told, [(hook(1), vec![wide_id(1), wide_id(2)]), others]);
}

#[test]
fn inspections_and_preparations_are_nobodys_business() {
    let mut ledger = Ledger::new();
    ledger.subscribe(1, "default", &EventKind::ALL);
    ledger.add_plugin("component", "plugin", "1.0.0", 200);
    assert_eq!(ledger.pending(), []);
}

#[test]
fn a_task_that_is_given_up_or_too_late_is_told_as_failed() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    ledger.subscribe(1, "default", &EventKind::ALL);
    ledger.submit_as("default", circuit, task_id(1));
    for _ in 0..3 {
        let attempt = ledger.lease(1, "a");
        let expire = ledger.expire_command(attempt, Expiry::WorkerRestarted);
        let _ = ledger.apply(&expire);
        ledger.now += 60_000;
    }
    ledger.submit_until("default", circuit, task_id(2), Some(ledger.now + 1));
    ledger.now += 2;
    let (task, now) = (task_id(2), ledger.now);
    let _ = ledger.apply(&Command::ExpireTask { task, now });
    for task in [1, 2] {
        let delivery = ledger.state.delivery(&hook(1), &task_id(task));
        assert_eq!(delivery.unwrap().event, EventKind::Failed, "{task}");
    }
}

#[test]
fn a_delivery_ends_once_and_is_replayed_when_asked() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    ledger.subscribe(1, "default", &EventKind::ALL);
    ledger.cancelled("default", circuit, task_id(1));
    let dead = Settlement::Dead {
        failure: Failure::Timeout,
    };
    assert_eq!(ledger.settle(1, task_id(1), dead), Outcome::DeliverySettled);
    let before = ledger.state.digest();
    assert_eq!(
        ledger.settle(1, task_id(1), DELIVERED),
        Outcome::DeliverySettled
    );
    assert_eq!(ledger.state.digest(), before, "the first end stays");
    assert_eq!(ledger.pending(), []);
    ledger.now += 5;
    let replay = ledger.replay_command(1, "default", task_id(1));
    for _ in 0..2 {
        assert_eq!(ledger.apply(&replay), Outcome::DeliveryReplayed);
    }
    let delivery = ledger.state.delivery(&hook(1), &task_id(1)).unwrap();
    assert_eq!((delivery.since, delivery.is_pending()), (ledger.now, true));
    let _ = ledger.settle(1, task_id(1), DELIVERED);
    let (_, delivery) = ledger.state.deliveries_of(&hook(1)).next().unwrap();
    let settled = DeliveryState::Settled {
        at: ledger.now,
        settlement: DELIVERED,
        attempts: 3,
    };
    assert_eq!(delivery.state, settled);
}

#[test]
fn the_newest_ends_are_remembered_and_an_older_one_is_replayed_while_its_task_is_known() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    ledger.subscribe(1, "default", &EventKind::ALL);
    let count = u16::try_from(DELIVERIES_KEPT).unwrap() + 1;
    for number in 0..count {
        ledger.now += 1;
        ledger.cancelled("default", circuit, wide_id(number));
        let _ = ledger.settle(1, wide_id(number), DELIVERED);
    }
    let kept: Vec<TaskId> = ledger
        .state
        .deliveries_of(&hook(1))
        .map(|(id, _)| id)
        .collect();
    assert_eq!(kept.len(), DELIVERIES_KEPT);
    assert_eq!(kept.first(), Some(&wide_id(count - 1)), "newest first");
    let replay = ledger.replay_command(1, "default", wide_id(0));
    assert_eq!(ledger.apply(&replay), Outcome::DeliveryReplayed);
    let _ = ledger.settle(1, wide_id(0), DELIVERED);
    let unknown = ledger.replay_command(1, "default", task_id(99));
    let refusal = ledger.refusal(&unknown);
    assert!(matches!(refusal, Refusal::UnknownDelivery { .. }));
    assert_eq!(refusal.code(), "webhook.delivery_unknown");
}

#[test]
fn another_tenants_subscription_is_as_unknown_as_none() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    ledger.subscribe(1, "default", &EventKind::ALL);
    ledger.cancelled("other", circuit, task_id(1));
    ledger.cancelled("default", circuit, task_id(2));
    for number in [1, 9] {
        let delete = Command::DeleteWebhook {
            webhook: hook(number),
            tenant: tenant("other"),
        };
        let replay = ledger.replay_command(number, "other", task_id(1));
        for command in [delete, replay] {
            let refusal = ledger.refusal(&command);
            assert_eq!(refusal, Refusal::UnknownWebhook(hook(number)));
            assert_eq!(refusal.code(), "webhook.unknown");
        }
    }
    // Its own subscription tells nobody of a stranger's task.
    let foreign = ledger.replay_command(1, "default", task_id(1));
    assert!(matches!(
        ledger.refusal(&foreign),
        Refusal::UnknownDelivery { .. }
    ));
}

#[test]
fn a_subscription_is_made_once_and_gone_with_what_it_waited_for() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    ledger.subscribe(1, "default", &EventKind::ALL);
    assert_eq!(ledger.state.webhook(&hook(1)).unwrap().missed, 0);
    ledger.subscribe(1, "default", &EventKind::ALL);
    assert_eq!(ledger.state.webhook_count(), 1);
    let webhook = ledger.hook_record(1, "default", &[EventKind::Done]);
    let refusal = ledger.refusal(&Command::CreateWebhook { webhook });
    assert_eq!(refusal, Refusal::WebhookExists(hook(1)));
    assert_eq!(refusal.code(), "webhook.exists");
    let webhook = ledger.hook_record(2, "default", &[]);
    let refusal = ledger.refusal(&Command::CreateWebhook { webhook });
    assert_eq!(refusal.code(), "webhook.events");
    ledger.cancelled("default", circuit, task_id(1));
    let delete = Command::DeleteWebhook {
        webhook: hook(1),
        tenant: tenant("default"),
    };
    assert_eq!(ledger.apply(&delete), Outcome::WebhookDeleted);
    assert_eq!(ledger.pending(), []);
    assert_eq!(ledger.state.pending_count(), 0);
    assert_eq!(ledger.state.webhooks_of(&tenant("default")).count(), 0);
    let settle = Command::SettleDelivery {
        webhook: hook(1),
        task: task_id(1),
        settlement: DELIVERED,
        attempts: 1,
        now: ledger.now,
    };
    assert!(matches!(
        ledger.refusal(&settle),
        Refusal::UnknownDelivery { .. }
    ));
}

#[test]
fn subscriptions_and_urls_have_limits() {
    let mut ledger = Ledger::new();
    for number in 0..u8::try_from(WEBHOOKS_OF_TENANT_MAX).unwrap() {
        ledger.subscribe(number, "default", &EventKind::ALL);
    }
    let webhook = ledger.hook_record(99, "default", &EventKind::ALL);
    let refusal = ledger.refusal(&Command::CreateWebhook { webhook });
    assert!(
        matches!(refusal, Refusal::Limit { max: 16, .. }),
        "{refusal}"
    );
    ledger.subscribe(99, "other", &EventKind::ALL);
    let webhook = WebhookRecord {
        url: "x".repeat(1025),
        ..ledger.hook_record(98, "other", &EventKind::ALL)
    };
    let refusal = ledger.refusal(&Command::CreateWebhook { webhook });
    assert!(matches!(refusal, Refusal::Limit { max: 1024, .. }));
    let webhook = WebhookRecord {
        url: "x".repeat(1024),
        tenant: tenant(&"t".repeat(63)),
        ..ledger.hook_record(97, "other", &EventKind::ALL)
    };
    let bytes = Command::CreateWebhook { webhook }.encode().unwrap().len();
    assert!(bytes <= 2048, "{bytes}");
}

#[test]
fn what_a_full_subscription_misses_is_counted() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    ledger.subscribe(1, "default", &EventKind::ALL);
    let count = u16::try_from(PENDING_EVENTS_OF_WEBHOOK_MAX).unwrap();
    for number in 0..count + 2 {
        ledger.cancelled("default", circuit, wide_id(number));
    }
    assert_eq!(ledger.state.pending_of(&hook(1)), u64::from(count));
    assert_eq!(ledger.state.webhook(&hook(1)).unwrap().missed, 2);
    let replay = ledger.replay_command(1, "default", wide_id(count));
    assert!(matches!(ledger.refusal(&replay), Refusal::Limit { .. }));
    let _ = ledger.settle(1, wide_id(0), DELIVERED);
    assert_eq!(ledger.apply(&replay), Outcome::DeliveryReplayed);
}

#[test]
fn a_set_of_events_knows_its_members() {
    let set: EventSet = [EventKind::Done, EventKind::Cancelled]
        .into_iter()
        .collect();
    let kinds: Vec<EventKind> = set.kinds().collect();
    assert_eq!(kinds, [EventKind::Done, EventKind::Cancelled]);
    assert!(!set.contains(EventKind::Failed) && !set.is_empty());
    assert_eq!(EventSet::ALL, EventKind::ALL.into_iter().collect());
}

/// One step of a story of subscriptions.
#[derive(Clone, Debug)]
enum Step {
    Subscribe(u8, u8, u8),
    Delete(u8),
    End(u8),
    Settle(u8, u8, bool),
    Replay(u8, u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (0..3_u8, 0..2_u8, 1..8_u8).prop_map(|(hook, of, set)| Step::Subscribe(hook, of, set)),
        1 => (0..3_u8).prop_map(Step::Delete),
        4 => (0..12_u8).prop_map(Step::End),
        4 => (0..3_u8, 0..12_u8, any::<bool>()).prop_map(|(hook, task, good)| Step::Settle(hook, task, good)),
        2 => (0..3_u8, 0..12_u8).prop_map(|(hook, task)| Step::Replay(hook, task)),
    ];
    proptest::collection::vec(step, 1..80)
}

fn play(ledger: &mut Ledger, circuit: CircuitId, step: &Step) {
    const TENANTS: [&str; 2] = ["default", "other"];
    ledger.now += 1;
    match *step {
        Step::Subscribe(number, of, set) => {
            let kinds = EventKind::ALL.into_iter().enumerate();
            let kinds = kinds.filter(|(bit, _)| set & (1 << bit) != 0);
            let kinds: Vec<EventKind> = kinds.map(|(_, kind)| kind).collect();
            let webhook = ledger.hook_record(number, TENANTS[usize::from(of)], &kinds);
            let _ = ledger.apply(&Command::CreateWebhook { webhook });
        }
        Step::Delete(number) => {
            for of in TENANTS {
                let (webhook, tenant) = (hook(number), tenant(of));
                let _ = ledger.apply(&Command::DeleteWebhook { webhook, tenant });
            }
        }
        Step::End(task) => {
            if ledger.state.task(&task_id(task)).is_none() {
                ledger.cancelled(TENANTS[usize::from(task % 2)], circuit, task_id(task));
            }
        }
        Step::Settle(number, task, good) => {
            let failure = Failure::Status(500);
            let settlement = if good {
                DELIVERED
            } else {
                Settlement::Dead { failure }
            };
            let _ = ledger.settle(number, task_id(task), settlement);
        }
        Step::Replay(number, task) => {
            for of in TENANTS {
                let replay = ledger.replay_command(number, of, task_id(task));
                let _ = ledger.apply(&replay);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// What ended while somebody wanted to hear of it stays pending until it is settled, and no
    /// subscription ever holds a stranger's task; a snapshot has the same orders.
    #[test]
    fn events_are_neither_lost_nor_told_to_strangers(steps in steps()) {
        let (mut ledger, circuit) = Ledger::with_circuit();
        for step in &steps {
            let before = ledger.state.clone();
            play(&mut ledger, circuit, step);
            for number in 0..3 {
                let id = hook(number);
                let Some(webhook) = ledger.state.webhook(&id) else {
                    prop_assert_eq!(ledger.state.deliveries_of(&id).count(), 0);
                    continue;
                };
                for (task, _) in ledger.state.deliveries_of(&id) {
                    prop_assert_eq!(&ledger.state.task(&task).unwrap().tenant, &webhook.tenant);
                }
                for (task, delivery) in before.deliveries_of(&id) {
                    let now = ledger.state.delivery(&id, &task);
                    let settled = matches!(step, Step::Settle(at, of, _) if hook(*at) == id && task_id(*of) == task);
                    if delivery.is_pending() && !settled {
                        prop_assert_eq!(now, Some(delivery));
                    }
                }
            }
        }
        let copy = State::decode(&ledger.state.encode().unwrap()).unwrap();
        prop_assert_eq!(&copy, &ledger.state);
        prop_assert_eq!(copy.pending_count(), ledger.state.pending_count());
        let pending = |state: &State| state.pending_events(99).map(|(hook, events)| (hook.id, events)).collect::<Vec<_>>();
        prop_assert_eq!(pending(&copy), pending(&ledger.state));
    }
}
