//! Bytes that must not reach the compiler.

use aureole_runtime::{Limits, ScanError, compile, scan};

use crate::fixture::{Parts, component};

fn code(bytes: &[u8]) -> &'static str {
    match scan(bytes, &Limits::default()) {
        Ok(report) => panic!("accepted: {report:?}"),
        Err(error) => {
            let shown = error.to_string();
            assert!(
                shown.len() < 2048 && !shown.chars().any(char::is_control),
                "{shown:?}"
            );
            error.code()
        }
    }
}

fn wat_code(text: &str) -> &'static str {
    code(&wat::parse_str(text).expect("the text parses"))
}

/// The honest plugin with one more function body or declaration.
fn with(extra: &str) -> Vec<u8> {
    Parts {
        extra,
        ..Parts::default()
    }
    .build()
}

#[test]
fn an_honest_component_is_accepted_and_counted() {
    let bytes = Parts::default().build();
    let report = scan(&bytes, &Limits::default()).unwrap();
    assert_eq!(report.bytes, u64::try_from(bytes.len()).unwrap());
    assert_eq!(report.contract, "0.1.0");
    assert!(report.functions >= 5);
    assert_eq!(report.initial_memory_bytes, 2 << 16);
}

#[test]
fn nothing_is_no_component() {
    assert_eq!(code(b""), "plugin.empty");
}

#[test]
fn a_byte_more_than_allowed_is_too_large() {
    let limits = Limits::default();
    let bytes = vec![0; usize::try_from(limits.component_bytes).unwrap() + 1];
    assert_eq!(code(&bytes), "plugin.too_large");
}

#[test]
fn a_core_module_text_and_other_files_are_no_components() {
    assert_eq!(wat_code("(module)"), "plugin.not_component");
    assert_eq!(code(b"(component)"), "plugin.not_component");
    assert_eq!(code(b"\x1f\x8b\x08 gzip"), "plugin.not_component");
}

#[test]
fn compiled_code_is_never_taken_from_outside() {
    let compiled = compile(&Parts::default().build(), &Limits::default()).unwrap();
    assert_eq!(code(&compiled), "plugin.precompiled_rejected");
    assert_eq!(code(b"\x7fELF"), "plugin.precompiled_rejected");
}

#[test]
fn every_prefix_of_a_component_is_refused() {
    let bytes = Parts::default().build();
    for length in 1..bytes.len() {
        let code = match scan(&bytes[..length], &Limits::default()) {
            // What is left out may be whole sections that nothing needs.
            Ok(_) => continue,
            Err(error) => error.code(),
        };
        assert!(
            ["plugin.malformed", "plugin.world_mismatch"].contains(&code),
            "{length} bytes: {code}"
        );
    }
    let boundary = bytes.len() / 2;
    assert_eq!(code(&bytes[..boundary]), "plugin.malformed");
}

#[test]
fn random_bytes_behind_a_valid_header_are_malformed() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    for length in 1..1000 {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.extend(std::iter::repeat_with(&mut random).take(length));
        let code = code(&bytes);
        assert!(
            [
                "plugin.malformed",
                "plugin.too_complex",
                "plugin.world_mismatch"
            ]
            .contains(&code)
        );
    }
}

#[test]
fn flipped_bytes_never_do_worse_than_be_refused() {
    let good = Parts::default().build();
    for place in 0..good.len() {
        let mut bytes = good.clone();
        bytes[place] ^= 0x55;
        if let Err(error) = scan(&bytes, &Limits::default()) {
            assert!(error.code().starts_with("plugin."));
        }
    }
}

#[test]
fn foreign_imports_are_named_in_the_refusal() {
    let text = r#"(component
        (import "wasi:filesystem/types@0.2.0" (instance))
        (import "wasi:cli/environment@0.2.0" (instance)))"#;
    let error = scan(&wat::parse_str(text).unwrap(), &Limits::default()).unwrap_err();
    assert_eq!(error.code(), "plugin.import_denied");
    let shown = error.to_string();
    assert!(shown.contains("wasi:filesystem/types@0.2.0"), "{shown}");
    assert!(shown.contains("wasi:cli/environment@0.2.0"), "{shown}");
}

#[test]
fn imports_that_only_look_like_ours_are_denied() {
    for import in [
        "aureole:circuit/log",
        "aureole:circuit/log@0.2.0",
        "aureole:circuit/log@1.1.0",
        "aureole:circuit/log@0.1.0-rc.1",
        "aureole:circuit/logs@0.1.0",
        "aureole:circuit/plugin@0.1.0",
    ] {
        let text = format!(r#"(component (import "{import}" (instance)))"#);
        assert_eq!(wat_code(&text), "plugin.import_denied", "{import}");
    }
    let function = r#"(component (import "aureole:circuit/log@0.1.0" (func)))"#;
    assert_eq!(wat_code(function), "plugin.import_denied");
    assert_eq!(
        wat_code(r#"(component (import "log" (func)))"#),
        "plugin.import_denied"
    );
    assert_eq!(
        wat_code(r#"(component (import "m" (core module)))"#),
        "plugin.import_denied"
    );
}

#[test]
fn a_component_without_our_export_or_with_another_version_is_no_plugin() {
    assert_eq!(wat_code("(component)"), "plugin.world_mismatch");
    for version in ["0.2.0", "1.0.0", "0.1.0-rc.1"] {
        let text = format!(
            r#"(component (instance $i) (export "aureole:circuit/plugin@{version}" (instance $i)))"#
        );
        assert_eq!(wat_code(&text), "plugin.world_mismatch", "{version}");
    }
}

#[test]
fn any_compatible_release_of_the_contract_is_accepted() {
    let text = r#"(component (import "aureole:circuit/log@0.1.7" (instance))
        (instance $i) (export "aureole:circuit/plugin@0.1.7" (instance $i)))"#;
    let report = scan(&wat::parse_str(text).unwrap(), &Limits::default()).unwrap();
    assert_eq!(report.contract, "0.1.7");
}

#[test]
fn compile_bombs_are_too_complex() {
    let many_functions = "(func)".repeat(25_000);
    let many_locals = format!("(func (local{}))", " i64".repeat(6_000));
    let deep = format!("(func {}{})", "(block ".repeat(2_000), ")".repeat(2_000));
    let wide = format!("(func {})", "(block)".repeat(12_000));
    let table = format!("(func (br_table {} (i32.const 0)))", "0 ".repeat(20_000));
    let large = format!(
        "(func (local i64) {})",
        "(local.set 0 (i64.const 77777777777))".repeat(30_000)
    );
    let product = format!(
        "(func (local{}) {})",
        " i64".repeat(1_900),
        "(block)".repeat(4_900)
    )
    .repeat(2);
    let arity = format!("(func (param{}))", " i64".repeat(300));
    let results = format!("(func (result{}) unreachable)", " i64".repeat(40));
    let globals = "(global i32 (i32.const 0))".repeat(25_000);
    let cases = [
        many_functions,
        many_locals,
        deep,
        wide,
        table,
        large,
        product,
        arity,
        results,
        globals,
    ];
    for extra in cases {
        let start: String = extra.chars().take(40).collect();
        assert_eq!(code(&with(&extra)), "plugin.too_complex", "{start}");
    }
}

#[test]
fn parameters_count_like_locals() {
    // 250 parameters and few locals in many functions: what one function may, all may not.
    let function = format!(
        "(func (param{}) {})",
        " i64".repeat(250),
        "(block)".repeat(4_900)
    );
    assert_eq!(code(&with(&function.repeat(15))), "plugin.too_complex");
}

#[test]
fn components_of_very_many_parts_are_too_complex() {
    let nested = format!("(component {} {})", "(component".repeat(8), ")".repeat(8));
    let siblings = format!("(component {})", "(component)".repeat(40));
    let modules = format!("(component {})", "(core module)".repeat(40));
    let types = format!("(component {})", "(type (func))".repeat(3_000));
    let instances = format!(
        "(component (core module $m) {})",
        "(core instance (instantiate $m))".repeat(100)
    );
    let record = format!(
        "(component (type (record {})))",
        (0..9_000)
            .map(|field| format!("(field \"field-number-{field}\" u8)"))
            .collect::<String>()
    );
    for text in [nested, siblings, modules, types, instances, record] {
        let start: String = text.chars().take(50).collect();
        assert_eq!(wat_code(&text), "plugin.too_complex", "{start}");
    }
}

#[test]
fn components_that_ask_for_too_much_from_the_start_meet_the_limits() {
    let memory = Parts {
        memory: "(memory (export \"memory\") 65536)",
        ..Parts::default()
    };
    assert_eq!(code(&memory.build()), "plugin.limits");
    assert_eq!(code(&with("(table 10000000 funcref)")), "plugin.limits");
    assert_eq!(
        code(&with(&"(table 1 funcref)".repeat(10))),
        "plugin.limits"
    );
    let two = "(component (core module (memory 1)) (core module (memory 1)))";
    assert_eq!(wat_code(two), "plugin.limits");
}

#[test]
fn switched_off_features_are_named() {
    let module = |body: &str| wat_code(&format!("(component (core module {body}))"));
    for body in [
        "(memory 1 1 shared)",
        "(memory i64 1)",
        "(func (drop (v128.const i64x2 0 0)))",
        "(func $f (return_call $f))",
        "(tag)",
        "(type (struct))",
        "(global i32 (i32.add (i32.const 1) (i32.const 1)))",
        "(memory 1 (pagesize 1))",
    ] {
        assert_eq!(module(body), "plugin.feature_denied", "{body}");
    }
    let asynchronous = "(component (type (func async)))";
    assert_eq!(wat_code(asynchronous), "plugin.feature_denied");
}

#[test]
fn wide_arithmetic_is_on() {
    let bytes = with(
        "(func (param i64 i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (local.get 1)))",
    );
    scan(&bytes, &Limits::default()).unwrap();
    compile(&bytes, &Limits::default()).unwrap();
}

#[test]
fn custom_sections_of_any_content_are_neither_refused_nor_shown() {
    let mut bytes = component_with_custom_section(5 << 20);
    assert!(scan(&bytes, &Limits::default()).is_ok());
    bytes.truncate(bytes.len() - 1);
    let error = scan(&bytes, &Limits::default()).unwrap_err();
    assert!(matches!(error, ScanError::Malformed { .. }));
    assert!(!error.to_string().contains('\u{1b}'));
}

fn component_with_custom_section(bytes: usize) -> Vec<u8> {
    use wasm_encoder::{CustomSection, Encode, SectionId};

    let mut component = component(
        r#"(module (memory (export "memory") 1)
            (func (export "aureole:circuit/plugin@0.1.0#describe") (result i32) i32.const 0)
            (func (export "aureole:circuit/plugin@0.1.0#circuit") (param i32 i32) (result i32)
                i32.const 0)
            (func (export "aureole:circuit/plugin@0.1.0#annotate") (param i32 i32) (result i32)
                i32.const 0)
            (func (export "aureole:circuit/plugin@0.1.0#witness") (param i32 i32 i32 i32)
                (result i32) i32.const 0)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 0))"#,
    );
    let noise = b"\x1b[31m\xff".repeat(bytes / 6);
    component.push(SectionId::Custom.into());
    CustomSection {
        name: "producers\u{202e}".into(),
        data: noise.as_slice().into(),
    }
    .encode(&mut component);
    component
}
