//! Plugins: inspected once, named once, retired and brought back.

use aureole_ledger::limits::{ATTEMPTS_MAX, COMPONENT_BYTES_MAX};
use aureole_ledger::{
    CircuitId, CircuitState, Command, Completion, Outcome, PluginState, Refusal, Signer, TaskPhase,
    TenantId, codes,
};

use crate::kit::{Ledger, digest, facts, inspected, task_id};

fn retire(ledger: &Ledger, component: &str) -> Command {
    Command::RetirePlugin {
        component: digest(component),
        now: ledger.now,
        tenant: None,
        actor: "somebody".to_owned(),
    }
}

#[test]
fn registering_twice_inspects_once() {
    let mut ledger = Ledger::new();
    let first = Outcome::PluginRegistered {
        task: task_id(1),
        created: true,
    };
    let again = Outcome::PluginRegistered {
        task: task_id(1),
        created: false,
    };
    assert_eq!(ledger.register_plugin("a", 1), first);
    assert_eq!(ledger.register_plugin("a", 2), again);
    let attempt = ledger.lease(1, "w");
    ledger.complete(attempt, "w", inspected("merkle", "1.0.0"));
    assert_eq!(ledger.register_plugin("a", 3), again);
    assert_eq!(ledger.state.task_count(), 1);
}

#[test]
fn an_inspection_with_defaults_brings_a_ready_circuit() {
    let mut ledger = Ledger::new();
    let _ = ledger.register_plugin("a", 1);
    let attempt = ledger.lease(1, "w");
    let completion = Completion::PluginInspected {
        name: "merkle".to_owned(),
        version: "1.0.0".to_owned(),
        description: digest("description"),
        default_params: Some(digest("params")),
        default_circuit: Some(facts("a")),
    };
    ledger.complete(attempt, "w", completion);
    let id = CircuitId::of(&digest("a"), &digest("params"));
    let plugin = ledger
        .state
        .latest_plugin(&TenantId::default(), "merkle")
        .unwrap();
    assert_eq!(plugin.facts.as_ref().unwrap().default_circuit, Some(id));
    let circuit = ledger.state.circuit(&id).unwrap();
    assert_eq!(circuit.state, CircuitState::Ready(facts("a")));
    assert_eq!(circuit.task, None);
}

#[test]
fn a_name_and_version_belong_to_the_first_bytes() {
    let mut ledger = Ledger::with_plugin("first");
    ledger.add_plugin("second", "plugin", "1.0.0", 1);
    let second = ledger.state.plugin(&digest("second")).unwrap();
    let PluginState::Rejected(problem) = &second.state else {
        panic!("{second:?}")
    };
    assert_eq!(problem.code, codes::VERSION_IMMUTABLE);
    assert!(
        problem.detail.contains(&digest("first").to_string()),
        "{}",
        problem.detail
    );
    assert_eq!(ledger.task(task_id(1)).problem(), Some(problem));
    let owner = ledger
        .state
        .plugin_version(&TenantId::default(), "plugin", "1.0.0")
        .unwrap();
    assert_eq!(owner.component, digest("first"));
}

#[test]
fn malformed_names_and_versions_reject_the_plugin() {
    for (name, version, code) in [
        ("../../etc", "1.0.0", codes::PLUGIN_NAME),
        ("", "1.0.0", codes::PLUGIN_NAME),
        ("ok", "one", codes::PLUGIN_VERSION),
    ] {
        let mut ledger = Ledger::new();
        ledger.add_plugin("a", name, version, 1);
        let plugin = ledger.state.plugin(&digest("a")).unwrap();
        let PluginState::Rejected(problem) = &plugin.state else {
            panic!("{plugin:?}")
        };
        assert_eq!(problem.code, code);
        assert!(
            ledger
                .state
                .plugin_versions(&TenantId::default(), name)
                .is_empty()
        );
    }
}

#[test]
fn a_failed_inspection_rejects_and_a_new_upload_tries_again() {
    let mut ledger = Ledger::new();
    let _ = ledger.register_plugin("a", 1);
    let attempt = ledger.lease(1, "w");
    assert!(!ledger.fail(attempt, "w", "plugin.malformed", false));
    let plugin = ledger.state.plugin(&digest("a")).unwrap();
    assert!(
        matches!(&plugin.state, PluginState::Rejected(problem) if problem.code == "plugin.malformed")
    );
    let outcome = ledger.register_plugin("a", 2);
    assert_eq!(
        outcome,
        Outcome::PluginRegistered {
            task: task_id(2),
            created: true
        }
    );
    let attempt = ledger.lease(2, "w");
    ledger.complete(attempt, "w", inspected("merkle", "1.0.0"));
    assert_eq!(
        ledger.state.plugin(&digest("a")).unwrap().state,
        PluginState::Ready
    );
}

#[test]
fn an_inspection_that_kills_its_workers_rejects_the_plugin() {
    let mut ledger = Ledger::new();
    let _ = ledger.register_plugin("a", 1);
    for _ in 0..ATTEMPTS_MAX {
        ledger.now += 60_000;
        let attempt = ledger.lease(1, "w");
        ledger.fail(attempt, "w", "worker.crashed", true);
    }
    let plugin = ledger.state.plugin(&digest("a")).unwrap();
    assert!(
        matches!(&plugin.state, PluginState::Rejected(problem) if problem.code == codes::ATTEMPTS_EXHAUSTED)
    );
}

#[test]
fn a_retired_plugin_takes_nothing_new_but_finishes_what_it_had() {
    let mut ledger = Ledger::with_proof();
    let command = retire(&ledger, "component");
    assert_eq!(
        ledger.apply(&command),
        Outcome::PluginRetired { stop: vec![] }
    );
    assert_eq!(
        ledger.apply(&command),
        Outcome::PluginRetired { stop: vec![] }
    );
    let circuit = CircuitId::of(&digest("component"), &digest("params"));
    let submit = ledger.submit_command(circuit, 2);
    assert_eq!(
        ledger.refusal(&submit),
        Refusal::PluginRetired(digest("component"))
    );
    let register = ledger.circuit_command("component", "others", 3);
    assert_eq!(
        ledger.refusal(&register),
        Refusal::PluginRetired(digest("component"))
    );
    assert!(
        ledger
            .state
            .latest_plugin(&TenantId::default(), "plugin")
            .is_none()
    );
    let attempt = ledger.lease(1, "w");
    ledger.complete(attempt, "w", crate::kit::proved("proof"));
}

#[test]
fn uploading_a_retired_plugin_brings_it_back() {
    let mut ledger = Ledger::with_plugin("component");
    let command = retire(&ledger, "component");
    let _ = ledger.apply(&command);
    let outcome = ledger.register_plugin("component", 9);
    assert_eq!(
        outcome,
        Outcome::PluginRegistered {
            task: task_id(200),
            created: false
        }
    );
    assert_eq!(
        ledger
            .state
            .latest_plugin(&TenantId::default(), "plugin")
            .unwrap()
            .state,
        PluginState::Ready
    );
}

#[test]
fn retiring_during_the_inspection_stops_it() {
    let mut ledger = Ledger::new();
    let _ = ledger.register_plugin("a", 1);
    let attempt = ledger.lease(1, "w");
    let command = retire(&ledger, "a");
    assert_eq!(
        ledger.apply(&command),
        Outcome::PluginRetired {
            stop: vec![attempt]
        }
    );
    assert_eq!(
        ledger.task(task_id(1)).problem().unwrap().code,
        codes::PLUGIN_RETIRED
    );
    let late = ledger.complete_command(attempt, "w", inspected("a", "1.0.0"));
    let refusal = Refusal::TaskFinished {
        task: task_id(1),
        phase: TaskPhase::Failed,
    };
    assert_eq!(ledger.refusal(&late), refusal);
    let again = ledger.register_plugin("a", 2);
    assert_eq!(
        again,
        Outcome::PluginRegistered {
            task: task_id(2),
            created: true
        }
    );
}

#[test]
fn versions_are_listed_newest_first_and_only_ready_ones_are_latest() {
    let mut ledger = Ledger::new();
    for (number, version) in (1..).zip(["1.2.0", "1.10.0", "1.9.0"]) {
        ledger.add_plugin(version, "merkle", version, number);
    }
    let versions: Vec<_> = ledger
        .state
        .plugin_versions(&TenantId::default(), "merkle")
        .into_iter()
        .collect();
    let names: Vec<_> = versions
        .iter()
        .map(|p| p.facts.as_ref().unwrap().version.as_str())
        .collect();
    assert_eq!(names, ["1.10.0", "1.9.0", "1.2.0"]);
    let command = retire(&ledger, "1.10.0");
    let _ = ledger.apply(&command);
    assert_eq!(
        ledger
            .state
            .latest_plugin(&TenantId::default(), "merkle")
            .unwrap()
            .component,
        digest("1.9.0")
    );
}

#[test]
fn what_is_unknown_or_too_large_is_refused() {
    let mut ledger = Ledger::new();
    let command = retire(&ledger, "nothing");
    assert_eq!(
        ledger.refusal(&command),
        Refusal::UnknownPlugin(digest("nothing"))
    );
    let command = Command::RegisterPlugin {
        component: digest("a"),
        bytes: COMPONENT_BYTES_MAX + 1,
        task: task_id(1),
        now: 0,
        tenant: TenantId::default(),
    };
    let refusal = ledger.refusal(&command);
    assert_eq!(refusal.code(), "limits.ledger");
    assert!(refusal.to_string().contains("8388609"), "{refusal}");
}

#[test]
fn a_task_id_is_used_once() {
    let mut ledger = Ledger::new();
    let _ = ledger.register_plugin("a", 1);
    let command = Command::RegisterPlugin {
        component: digest("b"),
        bytes: 1,
        task: task_id(1),
        now: 0,
        tenant: TenantId::default(),
    };
    assert_eq!(ledger.refusal(&command), Refusal::TaskExists(task_id(1)));
}

#[test]
fn an_inspection_cannot_be_ended_by_a_proof() {
    let mut ledger = Ledger::new();
    let _ = ledger.register_plugin("a", 1);
    let attempt = ledger.lease(1, "w");
    let command = ledger.complete_command(attempt, "w", crate::kit::proved("proof"));
    assert_eq!(
        ledger.refusal(&command),
        Refusal::CompletionMismatch(task_id(1))
    );
}

fn sign(component: &str, signer: u8) -> Command {
    Command::SignPlugin {
        component: digest(component),
        signer: Signer::from_bytes([signer; 32]),
    }
}

#[test]
fn the_first_signer_stays_over_every_later_one_and_a_new_inspection() {
    let mut ledger = Ledger::with_plugin("a");
    assert_eq!(ledger.state.apply(&sign("a", 1)), Outcome::PluginSigned);
    assert_eq!(ledger.state.apply(&sign("a", 2)), Outcome::PluginSigned);
    let _ = ledger.state.apply(&retire(&ledger, "a"));
    let _ = ledger.register_plugin("a", 9);
    let signer = ledger.state.plugin(&digest("a")).unwrap().signer;
    assert_eq!(signer, Some(Signer::from_bytes([1; 32])));
    assert!(signer.unwrap().to_string().starts_with("ed25519:0101"));
}

#[test]
fn a_signature_of_an_unknown_component_is_refused() {
    let mut ledger = Ledger::new();
    assert_eq!(
        ledger.state.apply(&sign("nothing", 1)),
        Outcome::Refused(Refusal::UnknownPlugin(digest("nothing")))
    );
}
