//! What the kit refuses, and that it says what to do.

use aureole_tests::{fixture, plugin_path};

use crate::author::Author;

fn refusal(author: &Author, arguments: &[&str]) -> anyhow::Result<String> {
    let ran = author.run(arguments)?;
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    Ok(ran.stderr)
}

#[test]
fn a_name_that_no_node_takes_begins_nothing() -> anyhow::Result<()> {
    let author = Author::new(None)?;
    let said = refusal(&author, &["plugin", "new", "My_Plugin"])?;
    assert!(said.contains("lower-case letters"), "{said}");
    assert_eq!(author.path().read_dir()?.count(), 0);
    Ok(())
}

#[test]
fn a_folder_that_is_there_is_left_alone() -> anyhow::Result<()> {
    let author = Author::of("circles", None)?;
    let said = refusal(&author, &["plugin", "new", "circles"])?;
    assert!(said.contains("is there already"), "{said}");
    Ok(())
}

#[test]
fn an_sdk_that_is_none_is_refused_before_anything_is_written() -> anyhow::Result<()> {
    let author = Author::new(None)?;
    let said = refusal(&author, &["plugin", "new", "circles", "--sdk", "/tmp"])?;
    assert!(said.contains("no Aureole checkout"), "{said}");
    assert!(!author.path().join("circles").exists());
    Ok(())
}

#[test]
fn a_folder_without_a_plugin_is_refused_with_what_is_missing() -> anyhow::Result<()> {
    let author = Author::of("circles", None)?;
    let said = refusal(&author, &["plugin", "build", "."])?;
    assert!(said.contains("Cargo.toml"), "{said}");
    author.edit(
        "circles/Cargo.toml",
        "crate-type = [\"rlib\", \"cdylib\"]",
        "",
    )?;
    let said = refusal(&author, &["plugin", "build", "circles"])?;
    assert!(said.contains("cdylib"), "{said}");
    Ok(())
}

#[test]
fn a_crate_that_exports_nothing_is_refused_with_the_macro_it_lacks() -> anyhow::Result<()> {
    let author = Author::of("circles", None)?;
    author.edit(
        "circles/src/plugin.rs",
        "aureole_sdk::export!(ProductPlugin);",
        "",
    )?;
    let said = refusal(&author, &["plugin", "build", "circles"])?;
    assert!(said.contains("aureole_sdk::export!"), "{said}");
    Ok(())
}

#[test]
fn a_check_ends_at_the_refusal_with_its_code_and_what_to_do() -> anyhow::Result<()> {
    let author = Author::new(None)?;
    author.write("module.wasm", "\0asm\u{1}\0\0\0")?;
    let checked = author.run(&["plugin", "check", "module.wasm"])?;
    assert_eq!(checked.code, Some(1));
    for word in [
        "REFUSED",
        "plugin.not_component",
        "what to do",
        "refuses it",
    ] {
        assert!(
            checked.stdout.contains(word),
            "no {word:?} in {}",
            checked.stdout
        );
    }
    let document = author.json(&["plugin", "check", "module.wasm"])?;
    assert_eq!(document["ok"], false);
    assert_eq!(document["steps"][0]["code"], "plugin.not_component");
    Ok(())
}

#[test]
fn a_check_of_parameters_refuses_them_where_a_node_would() -> anyhow::Result<()> {
    let author = Author::new(None)?;
    author.write("params.json", r#"{"depth": 33}"#)?;
    let file = plugin_path("merkle")?.display().to_string();
    let document = author.json(&["plugin", "check", &file, "--params", "params.json"])?;
    let last = document["steps"]
        .as_array()
        .and_then(|steps| steps.last())
        .cloned();
    let last = last.unwrap_or_default();
    assert_eq!(
        (&last["code"], &last["path"]),
        (&"params.schema".into(), &"/depth".into()),
        "{last}"
    );
    Ok(())
}

#[test]
fn what_a_check_refuses_is_not_published() -> anyhow::Result<()> {
    // No node is there: it is not even asked.
    let author = Author::new(Some("http://127.0.0.1:9"))?;
    author.write("module.wasm", "\0asm\u{1}\0\0\0")?;
    let said = refusal(&author, &["plugin", "publish", "module.wasm"])?;
    assert!(
        said.contains("a node would refuse the plugin: plugin.not_component"),
        "{said}"
    );
    Ok(())
}

#[test]
fn an_example_that_comes_out_otherwise_fails_the_test() -> anyhow::Result<()> {
    let author = Author::new(None)?;
    std::fs::write(author.path().join("workload.wasm"), fixture("workload")?)?;
    author.write(
        "aureole-tests.json",
        r#"[{"name": "no such field", "input": {"nothing": 1}, "expect": "proves"},
            {"name": "refused for another reason", "input": {"nothing": 1},
             "expect": {"refused": {"code": "input.invalid"}}}]"#,
    )?;
    let tested = author.run(&["plugin", "test", "workload.wasm"])?;
    assert_eq!(tested.code, Some(1), "{}", tested.stderr);
    for word in [
        "FAILED",
        "input.schema",
        "expected: a proof",
        "0 of 2 examples",
    ] {
        assert!(
            tested.stdout.contains(word),
            "no {word:?} in {}",
            tested.stdout
        );
    }
    Ok(())
}

#[test]
fn a_crate_without_examples_is_told_how_to_write_one() -> anyhow::Result<()> {
    let author = Author::new(None)?;
    let file = plugin_path("preimage")?.display().to_string();
    let said = refusal(&author, &["plugin", "test", &file])?;
    assert!(said.contains("examples/NAME.json"), "{said}");
    Ok(())
}
