//! Calls of honest plugins.

use aureole_ir as ir;
use aureole_runtime::{Error, LogLevel, Problem, TEXT_BYTES};

use crate::fixture::{LOG, Load as _, Parts, limits, load, sandbox};

#[test]
fn an_honest_plugin_describes_itself() {
    let plugin = Parts::default().load().unwrap();
    let description = plugin.describe().unwrap().value;
    assert_eq!(description.name, "tiny");
    assert_eq!(description.version, "0.1.0");
    assert_eq!(description.summary, "Small.");
    assert_eq!(description.default_params, Some(serde_json::json!({})));
    let text = serde_json::to_string(&description).unwrap();
    assert_eq!(
        serde_json::from_str::<aureole_runtime::Description>(&text).unwrap(),
        description
    );
}

#[test]
fn a_circuit_arrives_as_the_plugin_recorded_it() {
    let call = Parts::default().load().unwrap().circuit("{}").unwrap();
    assert_eq!(call.value.k, 4);
    assert_eq!(call.value.constraint_system.fixed_columns, 1);
    assert_eq!(call.value.constraint_system.advice_columns, 2);
    let mut value = [0; 32];
    value[0] = 42;
    let cell = ir::FixedCell {
        column: 0,
        row: 3,
        value: ir::FieldElement(value),
    };
    assert_eq!(call.value.layout.fixed_cells, [cell]);
    assert_eq!(call.memory_bytes, 2 << 16);
}

#[test]
fn a_witness_arrives_as_the_plugin_recorded_it() {
    let witness = Parts::default()
        .load()
        .unwrap()
        .witness("{}", "{}")
        .unwrap()
        .value;
    assert_eq!(witness.advice_rows, [1, 0]);
    assert_eq!(witness.advice_values.len(), 32);
    assert_eq!(witness.advice_values[0], 7);
}

#[test]
fn annotations_may_be_empty() {
    let annotations = Parts::default()
        .load()
        .unwrap()
        .annotate("{}")
        .unwrap()
        .value;
    assert_eq!(annotations, ir::Annotations::default());
}

#[test]
fn every_call_has_a_fresh_instance() {
    let counting = Parts {
        extra: "(global $calls (mut i32) (i32.const 0))",
        circuit: "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
                  (i32.store (i32.const 1540) (global.get $calls))
                  i32.const 1536",
        ..Parts::default()
    };
    let plugin = counting.load().unwrap();
    let ks: Vec<u32> = (0..3)
        .map(|_| plugin.circuit("{}").unwrap().value.k)
        .collect();
    assert_eq!(ks, [1, 1, 1]);
}

#[test]
fn the_log_comes_with_the_answer_and_is_fit_to_be_shown() {
    let logging = Parts {
        imports: LOG,
        circuit: "(call $log (i32.const 2) (i32.const 4096) (i32.const 9)) i32.const 1536",
        data: r#"(data (i32.const 4096) "a\1b[31m\0ab\00")"#,
        ..Parts::default()
    };
    let log = logging.load().unwrap().circuit("{}").unwrap().log;
    assert_eq!(log.lines.len(), 1);
    assert_eq!(log.lines[0].level, LogLevel::Warn);
    assert_eq!(log.lines[0].message, "a[31m b");
}

#[test]
fn a_long_line_is_cut_and_the_rest_counted() {
    let logging = Parts {
        imports: LOG,
        circuit: "(memory.fill (i32.const 8192) (i32.const 97) (i32.const 10000))
                  (call $log (i32.const 0) (i32.const 8192) (i32.const 10000)) i32.const 1536",
        ..Parts::default()
    };
    let log = logging.load().unwrap().circuit("{}").unwrap().log;
    assert!(log.lines[0].message.len() <= TEXT_BYTES);
    let kept = u64::try_from(log.lines[0].message.len()).unwrap();
    assert_eq!(kept + log.dropped_bytes, 10_000);
    assert_eq!(log.dropped_lines, 0);
}

/// `result::err(error)` at 4096 with a problem whose texts stand at 4200 and 4216.
const PROBLEM: &str = r#"(data (i32.const 4096) "\01\00\00\00" "CASE\00\00\00" "\68\10\00\00"
    "\07\00\00\00" "\78\10\00\00" "\0b\00\00\00")
    (data (i32.const 4200) "/leaf/3")
    (data (i32.const 4216) "bad\1b[31m l!")"#;

#[test]
fn refused_parameters_carry_the_plugins_words_and_the_place() {
    let data = PROBLEM.replace("CASE", "\\00");
    let parts = Parts {
        circuit: "i32.const 4096",
        data: &data,
        ..Parts::default()
    };
    let failure = parts.load().unwrap().circuit("{}").unwrap_err();
    assert_eq!(failure.code(), "params.invalid");
    assert_eq!(failure.path(), Some("/leaf/3"));
    assert_eq!(failure.to_string(), "bad[31m l!");
}

#[test]
fn a_refused_input_carries_the_plugins_words_and_the_place() {
    let data = PROBLEM.replace("CASE", "\\01");
    let parts = Parts {
        witness: "i32.const 4096",
        data: &data,
        ..Parts::default()
    };
    let failure = parts.load().unwrap().witness("{}", "{}").unwrap_err();
    let expected = Problem {
        path: "/leaf/3".to_owned(),
        message: "bad[31m l!".to_owned(),
    };
    assert!(matches!(failure.error, Error::Input(problem) if problem == expected));
}

#[test]
fn a_plugin_may_say_that_it_failed() {
    let data = PROBLEM.replace("CASE", "\\02");
    let parts = Parts {
        annotate: "i32.const 4096",
        data: &data,
        ..Parts::default()
    };
    let failure = parts.load().unwrap().annotate("{}").unwrap_err();
    assert_eq!(failure.code(), "plugin.internal");
    assert_eq!(failure.to_string(), "the plugin failed: /leaf/3");
}

#[test]
fn parameters_and_input_have_a_longest_length() {
    let plugin = Parts::default().load().unwrap();
    let long = "x".repeat(usize::try_from(limits().input_bytes).unwrap() + 1);
    assert_eq!(
        plugin.circuit(&long).unwrap_err().code(),
        "params.too_large"
    );
    assert_eq!(
        plugin.annotate(&long).unwrap_err().code(),
        "params.too_large"
    );
    assert_eq!(
        plugin.witness("{}", &long).unwrap_err().code(),
        "input.too_large"
    );
}

#[test]
fn calls_beyond_the_slots_wait_for_one() {
    let plugin = Parts::default().load().unwrap();
    let slots = usize::try_from(sandbox().limits().slots).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..slots * 4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    plugin.circuit("{}").unwrap();
                }
            });
        }
    });
}

#[test]
fn a_plugin_of_another_compatible_release_of_the_contract_works() {
    let parts = Parts {
        imports: LOG,
        circuit: "(call $log (i32.const 1) (i32.const 512) (i32.const 4)) i32.const 1536",
        ..Parts::default()
    };
    for release in ["0.1.0", "0.1.7"] {
        let call = load(&parts.build_for(release))
            .unwrap()
            .circuit("{}")
            .unwrap();
        assert_eq!(call.value.k, 4, "{release}");
        assert_eq!(call.log.lines[0].message, "tiny", "{release}");
    }
    assert_eq!(
        load(&parts.build_for("0.2.0")).unwrap_err().code(),
        "plugin.import_denied"
    );
}
