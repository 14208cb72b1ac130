//! The catalogue of hostile plugins, in one sandbox with an honest one.

use std::time::{Duration, Instant};

use aureole_handmade::{
    ATTACK_INPUT, Constant, StringEncoding, attacks, compile_bombs, multiply, sources,
};
use aureole_runtime::{Error, Plugin, scan};

use crate::fixture::{LOG, Load as _, Parts, honest_plugin_works, limits, load, refused};

#[test]
fn every_attack_of_the_catalogue_ends_as_it_says_and_harms_nobody() {
    for attack in attacks() {
        let plugin = load(&attack.build()).expect("it is as honest as others until it is called");
        let started = Instant::now();
        let outcome = plugin.witness("{}", ATTACK_INPUT);
        let code = outcome.as_ref().err().map(aureole_runtime::Failure::code);
        match attack.code {
            // A machine too busy to count to the limit in time stops it by the clock.
            Some("plugin.hostcall_limit") if code == Some("plugin.timeout") => {}
            expected => assert_eq!(code, expected, "{}", attack.name),
        }
        assert!(
            started.elapsed() < limits().call_time + Duration::from_secs(20),
            "{}",
            attack.name
        );
        honest_plugin_works();
    }
}

#[test]
fn a_call_of_any_kind_is_stopped_when_it_does_not_end() {
    let endless = "(loop $l (br $l)) unreachable";
    let parts = Parts {
        describe: endless,
        circuit: endless,
        annotate: endless,
        ..Parts::default()
    };
    assert_eq!(
        refused(|plugin| plugin.describe(), parts).code(),
        "plugin.timeout"
    );
    assert_eq!(
        refused(|plugin| plugin.circuit("{}"), parts).code(),
        "plugin.timeout"
    );
    assert_eq!(
        refused(|plugin| plugin.annotate("{}"), parts).code(),
        "plugin.timeout"
    );
}

#[test]
fn names_that_are_one_text_four_thousand_times_meet_the_output_limit() {
    let attack = attacks()
        .into_iter()
        .find(|attack| attack.name == "aliased-texts")
        .unwrap();
    let failure = refused(|plugin| plugin.annotate("{}"), attack.parts());
    assert_eq!(failure.code(), "plugin.output_limit");
}

#[test]
fn the_compile_bombs_of_the_catalogue_are_refused_before_the_compiler_sees_them() {
    for bomb in compile_bombs() {
        let started = Instant::now();
        let error = scan(&bomb.bytes, &limits()).expect_err(bomb.name);
        assert_eq!(error.code(), bomb.code, "{}", bomb.name);
        assert!(started.elapsed() < Duration::from_secs(5), "{}", bomb.name);
    }
}

#[test]
fn ten_thousand_memories_meet_the_limits() {
    let text = format!("(component {})", "(core module (memory 1))".repeat(10));
    let error = scan(&aureole_handmade::assembled(&text), &limits()).unwrap_err();
    assert_eq!(error.code(), "plugin.limits");
    let text = format!("(component (core module {}))", "(memory 1)".repeat(10_000));
    let error = scan(&aureole_handmade::assembled(&text), &limits()).unwrap_err();
    assert!(["plugin.limits", "plugin.feature_denied"].contains(&error.code()));
}

/// An honest plugin whose strings are UTF-16, with its name as these code units.
fn in_utf16(units: &[u16], pointer: u32) -> Parts<'static> {
    let bytes: String = units
        .iter()
        .flat_map(|unit| unit.to_le_bytes())
        .map(|byte| format!("\\{byte:02x}"))
        .collect();
    let data = format!(r#"(data (i32.const {pointer}) "{bytes}")"#).leak();
    // The other texts stay where they are, as units of two bytes; none of them is read before.
    let describe = format!(
        "(i32.store (i32.const 1024) (i32.const {pointer}))
         (i32.store (i32.const 1028) (i32.const {}))
         i32.const 1024",
        units.len()
    )
    .leak();
    Parts {
        describe,
        data,
        ..Parts::default()
    }
}

#[test]
fn utf16_with_an_unpaired_surrogate_or_out_of_line_breaks_the_convention() {
    for (units, pointer) in [
        (&[0xd800_u16][..], 4096),
        (&[0xdc00], 4096),
        (&[0xd800, 0x0041], 4096),
        (&[0x0041], 4097),
    ] {
        let plugin = load(&in_utf16(units, pointer).build_in(StringEncoding::UTF16)).unwrap();
        let failure = plugin.describe().unwrap_err();
        assert_eq!(
            failure.code(),
            "plugin.abi_violation",
            "{units:x?} at {pointer}"
        );
        honest_plugin_works();
    }
}

#[test]
fn an_allocator_that_answers_null_out_of_line_or_the_same_place_twice_harms_itself_only() {
    for (realloc, expected) in [
        // Text may stand at any address, zero included, and over what stood there.
        ("i32.const 0", None),
        ("i32.const 65537", None),
        ("i32.const 65536", None),
        ("i32.const 131072", Some("plugin.abi_violation")),
    ] {
        let plugin = Parts {
            realloc,
            ..Parts::default()
        }
        .load()
        .unwrap();
        let outcome = plugin.witness("{}", "{}");
        assert_eq!(
            outcome.err().map(|failure| failure.code()),
            expected,
            "{realloc}"
        );
        honest_plugin_works();
    }
}

#[test]
fn nothing_that_a_plugin_could_count_on_differs_between_two_calls() {
    let plugin = sources().load().unwrap();
    let circuit = |plugin: &Plugin| plugin.circuit("{}").unwrap().value;
    let witness = |plugin: &Plugin| plugin.witness("{}", "[]").unwrap().value;
    let first = (circuit(&plugin), witness(&plugin));
    for _ in 0..50 {
        assert_eq!((circuit(&plugin), witness(&plugin)), first);
    }
    let again = sources().load().unwrap();
    assert_eq!((circuit(&again), witness(&again)), first);
    // Nor between two machines: what it finds is all in the standard.
    let found = first.0.layout.fixed_cells[0].value.to_hex();
    assert_eq!(found, FOUND, "a processor or an engine shows through");
}

/// What the plugin of `sources` makes of everything that it finds, on any machine.
const FOUND: &str = "0x0000000000000000000000000000000000000000000000007e4df7fa6f67a384";

#[test]
fn the_stack_ends_at_the_same_depth_in_every_call() {
    let plugin = sources().load().unwrap();
    let again = sources().load().unwrap();
    let overflows = |plugin: &Plugin, length: usize| match plugin.circuit(&"x".repeat(length)) {
        Ok(_) => false,
        Err(failure) => {
            assert_eq!(failure.code(), "plugin.stack_overflow");
            true
        }
    };
    let (mut fits, mut too_deep) = (1, 4096);
    assert!(overflows(&plugin, too_deep));
    while too_deep - fits > 1 {
        let middle = usize::midpoint(fits, too_deep);
        if overflows(&plugin, middle) {
            too_deep = middle;
        } else {
            fits = middle;
        }
    }
    for _ in 0..5 {
        for plugin in [&plugin, &again] {
            assert!(!overflows(plugin, fits), "{fits}");
            assert!(overflows(plugin, too_deep), "{too_deep}");
        }
    }
}

#[test]
fn a_panic_message_with_escapes_arrives_fit_to_be_shown() {
    let parts = Parts {
        imports: LOG,
        circuit: "(call $log (i32.const 3) (i32.const 4096) (i32.const 25)) unreachable",
        data: r#"(data (i32.const 4096) "\1b[2J\1b[31m\0a{\22code\22:\22x\22}\e2\80\ae")"#,
        ..Parts::default()
    };
    let failure = refused(|plugin| plugin.circuit("{}"), parts);
    let shown = failure.to_string();
    assert!(matches!(failure.error, Error::Trap { .. }));
    assert!(
        !shown.chars().any(char::is_control) && !shown.contains('\u{202e}'),
        "{shown:?}"
    );
}

#[test]
fn a_plugin_of_given_data_says_exactly_that() {
    let (circuit, witness) = multiply();
    let mut other = circuit.clone();
    other.k = 5;
    let mut plugin = Constant::new("given", circuit.clone(), witness.clone());
    plugin.circuits.push(other.clone());
    let plugin = load(&plugin.build()).unwrap();
    assert_eq!(plugin.describe().unwrap().value.name, "given");
    assert_eq!(plugin.circuit("0").unwrap().value, circuit);
    assert_eq!(plugin.circuit("1").unwrap().value, other);
    assert_eq!(plugin.witness("0", "0").unwrap().value, witness);
    assert_eq!(
        plugin.annotate("0").unwrap().value,
        aureole_ir::Annotations::default()
    );
}
