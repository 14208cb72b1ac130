//! What a plugin may not say of itself.

use aureole_runtime::Error;

use crate::fixture::{Parts, described};

/// The description with one string in another place: at 4096, `bytes` long.
fn with(field: u32, text: &str) -> Result<aureole_runtime::Description, Error> {
    let data = format!(r#"(data (i32.const 4096) "{text}")"#);
    let length = wat_length(text);
    let describe = format!(
        "(i32.store (i32.const {}) (i32.const 4096))
         (i32.store (i32.const {}) (i32.const {length}))
         i32.const 1024",
        1024 + field,
        1024 + field + 4,
    );
    described(Parts {
        describe: &describe,
        data: &data,
        ..Parts::default()
    })
}

/// Bytes that a WAT string with `\xx` escapes stands for.
fn wat_length(text: &str) -> usize {
    text.len() - 2 * text.matches('\\').count()
}

const NAME: u32 = 0;
const VERSION: u32 = 8;
const SUMMARY: u32 = 16;
const PARAMS_SCHEMA: u32 = 28;
const INPUT_SCHEMA: u32 = 36;
const DEFAULT_PARAMS: u32 = 48;

#[test]
fn names_are_lower_case_letters_digits_and_dashes() {
    let long = "a".repeat(64);
    let bad = [
        "",
        "../../etc/passwd",
        "a\\00b",
        "Upper",
        "sch\\c3\\b6n",
        "-a",
        "a-",
        "a_b",
        &long,
    ];
    for name in bad {
        assert_eq!(
            with(NAME, name).unwrap_err().code(),
            "plugin.name",
            "{name}"
        );
    }
    assert_eq!(with(NAME, &"a".repeat(63)).unwrap().name.len(), 63);
    assert_eq!(with(NAME, "a-1").unwrap().name, "a-1");
}

#[test]
fn versions_are_semantic() {
    for version in ["", "1", "1.2", "01.2.3", "1.2.3 ", "v1.2.3"] {
        assert_eq!(
            with(VERSION, version).unwrap_err().code(),
            "plugin.version",
            "{version}"
        );
    }
    assert_eq!(with(VERSION, "1.2.3-rc.1").unwrap().version, "1.2.3-rc.1");
}

#[test]
fn a_summary_is_cleaned_and_cut() {
    assert_eq!(
        with(SUMMARY, "a\\1b[2Jb\\e2\\80\\aec").unwrap().summary,
        "a[2Jbc"
    );
    assert!(with(SUMMARY, &"a".repeat(5000)).unwrap().summary.len() <= 512);
}

#[test]
fn schemas_are_json_objects_of_bounded_length() {
    let long = format!("[{}1]", "1,".repeat(40_000));
    for schema in ["", "{", "1", "null", "[]", &long] {
        for field in [PARAMS_SCHEMA, INPUT_SCHEMA] {
            assert_eq!(with(field, schema).unwrap_err().code(), "plugin.schema");
        }
    }
    assert_eq!(with(INPUT_SCHEMA, "true").unwrap().input_schema, true);
}

#[test]
fn a_schema_nested_without_end_is_refused_not_recursed_into() {
    let deep = "[".repeat(60_000);
    assert_eq!(
        with(PARAMS_SCHEMA, &deep).unwrap_err().code(),
        "plugin.schema"
    );
}

#[test]
fn default_parameters_are_json() {
    assert_eq!(
        with(DEFAULT_PARAMS, "{").unwrap_err().code(),
        "plugin.default_params"
    );
}

#[test]
fn public_inputs_are_few_and_have_distinct_names() {
    let list = |count: u32| {
        format!(
            "(i32.store (i32.const 1080) (i32.const 8192))
             (i32.store (i32.const 1084) (i32.const {count})) i32.const 1024"
        )
    };
    // Entries of 16 bytes: name and summary; two alike, then zeros, which are empty names.
    let entry = r#""\00\02\00\00\04\00\00\00" "\00\00\00\00\00\00\00\00""#;
    let data = format!("(data (i32.const 8192) {entry} {entry})");
    let describe = |count| {
        described(Parts {
            describe: &list(count),
            data: &data,
            ..Parts::default()
        })
    };
    assert_eq!(describe(1).unwrap().public_inputs[0].name, "tiny");
    for count in [2, 257] {
        assert_eq!(describe(count).unwrap_err().code(), "plugin.public_inputs");
    }
    let nameless = described(Parts {
        describe: &list(1),
        ..Parts::default()
    });
    assert_eq!(nameless.unwrap_err().code(), "plugin.public_inputs");
}
