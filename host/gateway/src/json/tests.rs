//! What the strict reading takes and refuses.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use aureole_api::{
    Problem,
    codes::json,
    rest::{BatchRequest, Sharing, TaskRequest, TenantRequest},
};
use serde_json::{Value, json};

use super::{read, typed};
use crate::limits::{JSON_DEPTH_MAX, JSON_VALUES_MAX};

fn refusal(text: &str) -> Problem {
    read(text.as_bytes()).unwrap_err()
}

fn misfit(value: Value) -> Problem {
    typed::<TaskRequest>(value).unwrap_err()
}

#[test]
fn a_plain_document_reads_as_serde_json_reads_it() {
    let text = r#"{"a":[1,-2,0.5,"é\n\u0000",true,false,null,{}],"b":18446744073709551615,"":[]}"#;
    assert_eq!(
        read(text.as_bytes()).unwrap(),
        serde_json::from_str::<Value>(text).unwrap()
    );
}

#[test]
fn what_is_no_single_json_value_is_a_syntax_error_with_its_place() {
    for text in [
        "",
        " ",
        "{",
        "[1,",
        "{\"a\":1} x",
        "{}{}",
        "nul",
        "{'a':1}",
        "[1,]",
        "NaN",
        "01",
        "+1",
        "\"\\ud800\"",
        "\"\n\"",
        "{\"a\"}",
        "//",
        "[\u{a0}]",
    ] {
        let problem = refusal(text);
        assert_eq!(problem.code(), "json.syntax", "{text:?}");
        assert!(problem.detail().contains("line 1") || problem.detail().contains("line 2"));
    }
}

#[test]
fn bytes_that_are_no_utf8_are_named() {
    let problem = read(b"{\"a\":\"\xff\"}").unwrap_err();
    assert!(problem.is(json::ENCODING));
    assert_eq!(problem.detail(), "byte 6 is not UTF-8");
    assert!(read(b"\xef\xbb\xbf{}").unwrap_err().is(json::ENCODING));
    assert!(read(b"{\0}\0").unwrap_err().is(json::SYNTAX));
    assert!(read(b"\xff\xfe{\0}\0").unwrap_err().is(json::ENCODING));
}

#[test]
fn a_key_that_stands_twice_is_refused_with_its_path() {
    let problem = refusal(r#"{"a":[{},{"x/y":1,"b":2,"x/y":1}]}"#);
    assert!(problem.is(json::DUPLICATE_KEY));
    assert_eq!(problem.path(), Some("/a/1/x~1y"));
    // An escape does not make another key of it.
    assert!(refusal(r#"{"a":1,"\u0061":2}"#).is(json::DUPLICATE_KEY));
}

#[test]
fn nesting_is_taken_to_its_limit_and_no_further() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let max = JSON_DEPTH_MAX as usize;
    assert!(read(nested(max).as_bytes()).is_ok());
    assert!(refusal(&nested(max + 1)).is(json::DEPTH));
    assert!(refusal(&"[".repeat(100_000)).is(json::DEPTH));
    assert!(refusal(&"{\"a\":".repeat(100_000)).is(json::DEPTH));
}

#[test]
fn a_document_of_too_many_values_is_refused() {
    let zeros = |count: usize| format!("[{}]", vec!["0"; count].join(","));
    let max = JSON_VALUES_MAX as usize;
    assert!(read(zeros(max - 1).as_bytes()).is_ok());
    assert!(refusal(&zeros(max)).is(json::SIZE));
}

#[test]
fn a_number_that_would_lose_digits_is_refused_with_its_path() {
    for text in [
        "18446744073709551616",
        "-9223372036854775809",
        "1e20",
        "9007199254740992.0",
    ] {
        let problem = refusal(&format!("{{\"value\":{text}}}"));
        assert!(problem.is(json::NUMBER), "{text}");
        assert_eq!(problem.path(), Some("/value"), "{text}");
    }
    assert!(refusal("1e400").is(json::NUMBER));
}

#[test]
fn whole_numbers_of_64_bits_keep_every_digit() {
    for text in [
        "9007199254740993",
        "18446744073709551615",
        "-9223372036854775808",
    ] {
        assert_eq!(read(text.as_bytes()).unwrap().to_string(), text);
    }
}

#[test]
fn a_misfit_names_what_and_where() {
    let unknown = misfit(json!({"plugin": "merkle", "input": 1, "prio": 1}));
    assert!(unknown.is(json::UNKNOWN_FIELD), "{unknown}");
    assert_eq!(unknown.path(), Some("/prio"));
    assert!(unknown.detail().contains("`priority`"), "{unknown}");

    let missing = misfit(json!({"plugin": "merkle"}));
    assert!(missing.is(json::MISSING_FIELD), "{missing}");
    assert!(missing.detail().contains("`input`"), "{missing}");

    let wrong = misfit(json!({"plugin": "merkle", "input": 1, "priority": "high"}));
    assert!(wrong.is(json::TYPE), "{wrong}");
    assert_eq!(wrong.path(), Some("/priority"));

    let form = misfit(json!({"plugin": "../etc", "input": 1}));
    assert!(form.is(json::TYPE), "{form}");
    assert_eq!(form.path(), Some("/plugin"));
}

#[test]
fn a_request_that_is_no_object_is_a_misfit() {
    for value in [json!(null), json!([]), json!("x"), json!(1)] {
        let problem = misfit(value);
        assert!(
            problem.is(json::TYPE) || problem.is(json::MISSING_FIELD),
            "{problem}"
        );
    }
}

#[test]
fn an_array_is_no_object_at_any_depth() {
    let batch: Result<BatchRequest, _> = typed(json!({"tasks": [[null, "merkle", null, 1]]}));
    let problem = batch.unwrap_err();
    assert!(problem.is(json::TYPE), "{problem}");
    assert_eq!(problem.path(), Some("/tasks/0"));
    let tenant: Result<TenantRequest, _> = typed(json!({"quotas": [null, null]}));
    let problem = tenant.unwrap_err();
    assert!(problem.is(json::TYPE), "{problem}");
    assert_eq!(problem.path(), Some("/quotas"));
    let whole: TenantRequest = typed(json!({"quotas": {"live_tasks": 7}})).unwrap();
    assert_eq!(whole.quotas.unwrap().live_tasks, Some(7));
}

#[test]
fn a_plugin_is_shared_with_those_who_are_named_and_with_nobody_without_a_name() {
    let shared: Sharing = typed(json!({"visibility": "shared", "with": ["acme"]})).unwrap();
    let with = vec!["acme".to_owned()];
    assert_eq!(shared, Sharing::Shared { with });
    let private: Sharing = typed(json!({"visibility": "private"})).unwrap();
    assert_eq!(private, Sharing::Private);
    let public: Sharing = typed(json!({"visibility": "public"})).unwrap();
    assert_eq!(public, Sharing::Public);
    for (wrong, code) in [
        (json!({"visibility": "shared"}), json::MISSING_FIELD),
        (json!({"with": ["acme"]}), json::MISSING_FIELD),
        (
            json!({"visibility": "public", "with": ["acme"]}),
            json::UNKNOWN_FIELD,
        ),
        (
            json!({"visibility": "private", "until": 1}),
            json::UNKNOWN_FIELD,
        ),
        (json!({"visibility": "secret"}), json::TYPE),
    ] {
        let refused = typed::<Sharing>(wrong).unwrap_err();
        assert!(refused.is(code), "{refused}");
    }
}
