//! Plugins that attack while they run. Each ends as it must, and an honest one works after it.

use std::time::{Duration, Instant};

use aureole_runtime::{Error, Limits, Sandbox, TrapKind};

use crate::fixture::{LOG, Load as _, Parts, honest_plugin_works, limits, load, refused};

#[test]
fn an_endless_loop_ends_at_the_deadline() {
    let started = Instant::now();
    let failure = refused(
        |plugin| plugin.circuit("{}"),
        Parts {
            circuit: "(loop $l (br $l)) unreachable",
            ..Parts::default()
        },
    );
    assert_eq!(failure.code(), "plugin.timeout");
    assert!(failure.duration >= limits().call_time);
    assert!(started.elapsed() < limits().call_time + Duration::from_secs(20));
}

#[test]
fn an_endless_start_function_ends_at_the_deadline() {
    let parts = Parts {
        extra: "(func $s (loop $l (br $l))) (start $s)",
        ..Parts::default()
    };
    assert_eq!(parts.load().unwrap_err().code(), "plugin.timeout");
    honest_plugin_works();
}

#[test]
fn an_endless_allocator_ends_at_the_deadline() {
    let failure = refused(
        |plugin| plugin.witness("{}", "{}"),
        Parts {
            realloc: "(loop $l (br $l)) unreachable",
            ..Parts::default()
        },
    );
    assert_eq!(failure.code(), "plugin.timeout");
}

#[test]
fn endless_recursion_overflows_the_plugins_stack_only() {
    let failure = refused(
        |plugin| plugin.circuit("{}"),
        Parts {
            extra: "(func $f (param i32) (result i32)
                      (i32.add (call $f (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))",
            circuit: "(call $f (i32.const 0))",
            ..Parts::default()
        },
    );
    assert_eq!(failure.code(), "plugin.stack_overflow");
}

#[test]
fn a_memory_bomb_stops_at_the_limit() {
    let failure = refused(
        |plugin| plugin.circuit("{}"),
        Parts {
            circuit: "(local i32)
              (loop $l
                (local.set 2 (memory.grow (i32.const 16)))
                (i32.store (i32.shl (local.get 2) (i32.const 16)) (i32.const 1))
                (br_if $l (i32.ne (local.get 2) (i32.const -1))))
              unreachable",
            ..Parts::default()
        },
    );
    let limit = limits().memory_bytes;
    assert!(
        matches!(failure.error, Error::MemoryLimit { asked, limit: l } if l == limit
        && asked > limit && asked <= limit + (16 << 16))
    );
}

#[test]
fn a_growth_of_the_whole_address_space_stops_at_the_limit() {
    let failure = refused(
        |plugin| plugin.circuit("{}"),
        Parts {
            circuit: "(drop (memory.grow (i32.const 65000))) i32.const 1536",
            ..Parts::default()
        },
    );
    assert_eq!(failure.code(), "plugin.memory_limit");
}

#[test]
fn a_table_bomb_stops_at_the_limit() {
    let failure = refused(
        |plugin| plugin.circuit("{}"),
        Parts {
            extra: "(table $t 1 funcref)",
            circuit: "(loop $l
                (br_if $l (i32.ne (table.grow $t (ref.null func) (i32.const 1000))
                                  (i32.const -1))))
              i32.const 1536",
            ..Parts::default()
        },
    );
    assert_eq!(failure.code(), "plugin.table_limit");
}

/// The circuit at 1536 with `fixed-cells` elsewhere.
fn fixed_cells(pointer: u32, length: u32) -> String {
    format!(
        "(i32.store (i32.const 1644) (i32.const {pointer}))
         (i32.store (i32.const 1648) (i32.const {length})) i32.const 1536"
    )
}

#[test]
fn lists_outside_the_memory_break_the_convention() {
    for (pointer, length) in [
        (0xffff_fff0, 40),
        (0, u32::MAX),
        (131_072, 1),
        (131_071, 2),
        (u32::MAX, u32::MAX),
    ] {
        let failure = refused(
            |plugin| plugin.circuit("{}"),
            Parts {
                circuit: &fixed_cells(pointer, length),
                ..Parts::default()
            },
        );
        assert_eq!(failure.code(), "plugin.abi_violation", "{pointer} {length}");
    }
}

#[test]
fn a_list_that_is_no_whole_number_of_entries_is_refused_by_name() {
    for length in [1, 39, 41] {
        let failure = refused(
            |plugin| plugin.circuit("{}"),
            Parts {
                circuit: &fixed_cells(2048, length),
                ..Parts::default()
            },
        );
        assert!(matches!(failure.error,
            Error::OutputMalformed { item: "fixed-cells", bytes, unit: 40 }
                if bytes == u64::from(length)));
    }
}

#[test]
fn a_list_whose_items_are_one_large_text_many_times_meets_the_output_limit() {
    // 1,000 gates, all zeros but a name of 64 KiB: 64 MiB out of 80 KB.
    let failure = refused(
        |plugin| plugin.circuit("{}"),
        Parts {
            memory: "(memory (export \"memory\") 4)",
            circuit: "(local i32)
              (loop $l
                (i32.store offset=65536 (i32.shl (local.get 2) (i32.const 4)) (i32.const 131072))
                (i32.store offset=65540 (i32.shl (local.get 2) (i32.const 4)) (i32.const 65536))
                (local.set 2 (i32.add (local.get 2) (i32.const 1)))
                (br_if $l (i32.lt_u (local.get 2) (i32.const 1000))))
              (i32.store (i32.const 1596) (i32.const 65536))
              (i32.store (i32.const 1600) (i32.const 1000))
              i32.const 1536",
            ..Parts::default()
        },
    );
    assert_eq!(failure.code(), "plugin.output_limit");
}

#[test]
fn one_large_list_meets_the_output_limit() {
    let large = u32::try_from(limits().output_bytes).unwrap() + 40;
    let failure = refused(
        |plugin| plugin.circuit("{}"),
        Parts {
            memory: "(memory (export \"memory\") 300)",
            circuit: &fixed_cells(65536, large),
            ..Parts::default()
        },
    );
    let limit = limits().output_bytes;
    assert!(matches!(failure.error, Error::OutputTooLarge { limit: l } if l == limit));
}

#[test]
fn text_that_is_not_utf8_breaks_the_convention() {
    let failure = refused(
        |plugin| plugin.describe(),
        Parts {
            describe: "(i32.store8 (i32.const 600) (i32.const 255)) i32.const 1024",
            ..Parts::default()
        },
    );
    assert_eq!(failure.code(), "plugin.abi_violation");
}

#[test]
fn unknown_cases_break_the_convention() {
    let wrong_enum = refused(
        |plugin| plugin.describe(),
        Parts {
            describe: "(i32.store8 (i32.const 1048) (i32.const 9)) i32.const 1024",
            ..Parts::default()
        },
    );
    assert_eq!(wrong_enum.code(), "plugin.abi_violation");
    let wrong_result = refused(
        |plugin| plugin.circuit("{}"),
        Parts {
            circuit: "(i32.store8 (i32.const 1536) (i32.const 7)) i32.const 1536",
            ..Parts::default()
        },
    );
    assert_eq!(wrong_result.code(), "plugin.abi_violation");
}

#[test]
fn results_outside_the_memory_or_out_of_line_break_the_convention() {
    for pointer in ["0xffffffff", "0xfffffffc", "131068", "1537"] {
        let circuit = format!("i32.const {pointer}");
        let failure = refused(
            |plugin| plugin.circuit("{}"),
            Parts {
                circuit: &circuit,
                ..Parts::default()
            },
        );
        assert_eq!(failure.code(), "plugin.abi_violation", "{pointer}");
    }
}

#[test]
fn an_allocator_that_points_outside_the_memory_breaks_the_convention() {
    for pointer in ["0xffffffff", "131071"] {
        let realloc = format!("i32.const {pointer}");
        let failure = refused(
            |plugin| plugin.circuit("{\"a\":1}"),
            Parts {
                realloc: &realloc,
                ..Parts::default()
            },
        );
        assert_eq!(failure.code(), "plugin.abi_violation", "{pointer}");
    }
}

#[test]
fn traps_are_told_apart() {
    let cases = [
        ("unreachable", TrapKind::Unreachable),
        ("(i32.load (i32.const -8))", TrapKind::MemoryOutOfBounds),
        (
            "(i32.load offset=0xffffffff (i32.const -1))",
            TrapKind::MemoryOutOfBounds,
        ),
        (
            "(i32.div_u (i32.const 1) (i32.const 0))",
            TrapKind::DivisionByZero,
        ),
        (
            "(i32.div_s (i32.const 0x80000000) (i32.const -1))",
            TrapKind::IntegerOverflow,
        ),
        ("(i32.trunc_f64_s (f64.const nan))", TrapKind::BadConversion),
        (
            "(call_indirect $t (result i32) (i32.const 9))",
            TrapKind::TableOutOfBounds,
        ),
        (
            "(call_indirect $t (result i32) (i32.const 1))",
            TrapKind::IndirectCallToNull,
        ),
        (
            "(call_indirect $t (result i32) (i32.const 0))",
            TrapKind::BadSignature,
        ),
    ];
    for (circuit, expected) in cases {
        let failure = refused(
            |plugin| plugin.circuit("{}"),
            Parts {
                extra: "(table $t 2 2 funcref) (func $f) (elem (table $t) (i32.const 0) func $f)",
                circuit,
                ..Parts::default()
            },
        );
        assert_eq!(failure.code(), "plugin.trap");
        assert!(
            matches!(failure.error, Error::Trap { kind, .. } if kind == expected),
            "{circuit}"
        );
    }
}

#[test]
fn a_panic_message_is_shown_where_no_input_was_given_and_kept_back_where_one_was() {
    let panicking = "(call $log (i32.const 3) (i32.const 4096) (i32.const 6)) unreachable";
    let parts = Parts {
        imports: LOG,
        circuit: panicking,
        witness: panicking,
        data: r#"(data (i32.const 4096) "secret")"#,
        ..Parts::default()
    };
    let public = refused(|plugin| plugin.circuit("{}"), parts);
    assert!(public.to_string().ends_with(": secret"));
    let private = refused(|plugin| plugin.witness("{}", "{}"), parts);
    assert!(!private.to_string().contains("secret"));
    assert!(!format!("{:?}", private.error).contains("secret"));
    assert_eq!(private.log.lines[0].message, "secret");
}

#[test]
fn a_gigabyte_of_log_is_cut_and_the_rest_counted() {
    let parts = Parts {
        imports: LOG,
        circuit: "(local i32)
          (memory.fill (i32.const 65536) (i32.const 97) (i32.const 65536))
          (loop $l
            (call $log (i32.const 1) (i32.const 65536) (i32.const 65536))
            (local.set 2 (i32.add (local.get 2) (i32.const 1)))
            (br_if $l (i32.lt_u (local.get 2) (i32.const 16384))))
          i32.const 1536",
        ..Parts::default()
    };
    let log = parts.load().unwrap().circuit("{}").unwrap().log;
    let kept: u64 = log
        .lines
        .iter()
        .map(|line| u64::try_from(line.message.len()).unwrap())
        .sum();
    assert!(kept <= limits().log_bytes);
    assert_eq!(
        u64::try_from(log.lines.len()).unwrap() + log.dropped_lines,
        16_384
    );
    assert_eq!(kept + log.dropped_bytes, 1 << 30);
    honest_plugin_works();
}

#[test]
fn too_many_calls_of_the_log_meet_the_hostcall_limit() {
    let failure = refused(
        |plugin| plugin.circuit("{}"),
        Parts {
            imports: LOG,
            circuit: "(loop $l (call $log (i32.const 1) (i32.const 0) (i32.const 0)) (br $l))
                      unreachable",
            ..Parts::default()
        },
    );
    // On a machine too busy for a million calls in the time, the deadline comes first.
    assert!(["plugin.hostcall_limit", "plugin.timeout"].contains(&failure.code()));
    assert!(u64::try_from(failure.log.lines.len()).unwrap() <= limits().log_bytes);
}

#[test]
fn one_huge_line_meets_the_hostcall_limit() {
    let failure = refused(
        |plugin| plugin.circuit("{}"),
        Parts {
            imports: LOG,
            memory: "(memory (export \"memory\") 300)",
            circuit: "(call $log (i32.const 1) (i32.const 0) (i32.const 19000000)) i32.const 1536",
            ..Parts::default()
        },
    );
    assert!(matches!(
        failure.error,
        Error::HostcallLimit { unit: "bytes", .. }
    ));
}

#[test]
fn a_log_line_that_is_no_text_breaks_the_convention() {
    for call in [
        "(call $log (i32.const 1) (i32.const 4096) (i32.const 2))",
        "(call $log (i32.const 9) (i32.const 0) (i32.const 0))",
        "(call $log (i32.const 1) (i32.const -1) (i32.const 9))",
    ] {
        let circuit = format!("{call} i32.const 1536");
        let failure = refused(
            |plugin| plugin.circuit("{}"),
            Parts {
                imports: LOG,
                circuit: &circuit,
                data: r#"(data (i32.const 4096) "\ff\fe")"#,
                ..Parts::default()
            },
        );
        assert_eq!(failure.code(), "plugin.abi_violation", "{call}");
    }
}

#[test]
fn a_call_of_the_host_while_memory_is_allocated_breaks_the_convention() {
    let failure = refused(
        |plugin| plugin.circuit("{}"),
        Parts {
            imports: LOG,
            realloc: "(call $log (i32.const 1) (i32.const 0) (i32.const 0)) i32.const 65536",
            ..Parts::default()
        },
    );
    assert_eq!(failure.code(), "plugin.abi_violation");
}

/// A component by hand whose exports have the contract's names and `result` as their type.
fn by_hand(start: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
          {start}
          (core module $m (func (export "f") (result i32) i32.const 1))
          (core instance $i (instantiate $m))
          (func $f (result u32) (canon lift (core func $i "f")))
          (instance $plugin
            (export "describe" (func $f)) (export "circuit" (func $f))
            (export "annotate" (func $f)) (export "witness" (func $f)))
          (export "aureole:circuit/plugin@0.1.0" (instance $plugin)))"#
    );
    wat::parse_str(text).expect("the component parses")
}

#[test]
fn functions_of_another_type_are_refused_when_the_plugin_is_loaded() {
    let error = load(&by_hand("")).unwrap_err();
    assert_eq!(error.code(), "plugin.world_mismatch");
    honest_plugin_works();
}

#[test]
fn a_loop_that_makes_handles_meets_the_handle_limit() {
    let start = r#"(type $r (resource (rep i32)))
      (core func $new (canon resource.new $r))
      (core module $handles
        (import "" "new" (func $new (param i32) (result i32)))
        (func $s (loop $l (drop (call $new (i32.const 0))) (br $l)))
        (start $s))
      (core instance (instantiate $handles (with "" (instance (export "new" (func $new))))))"#;
    assert_eq!(
        load(&by_hand(start)).unwrap_err().code(),
        "plugin.handle_limit"
    );
    honest_plugin_works();
}

#[test]
fn a_sandbox_that_the_machine_cannot_hold_is_refused() {
    let error = Sandbox::new(Limits {
        slots: 1_000_000,
        ..limits()
    })
    .unwrap_err();
    assert_eq!(error.code(), "sandbox.failed");
    assert!(error.is_retryable());
}
