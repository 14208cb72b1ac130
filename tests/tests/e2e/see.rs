//! What an author sees: inspections, pictures, forgotten constraints, and why an input fails.

use std::fs;
use std::path::Path;

use aureole_tests::{Node, cli, fixture, merkle_input, plugin_path, preimage_input, range_input};
use serde_json::{Value, json};

/// A folder with the leaky plugin, an input it takes, and one that breaks it.
fn folder() -> anyhow::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text);
    write("leaky.wasm", &fixture("leaky")?)?;
    write("good.json", br#"{"low": 10, "high": 5}"#)?;
    write("bad.json", br#"{"low": 99, "high": 5}"#)?;
    Ok(folder)
}

fn alone(folder: &Path, line: &str) -> anyhow::Result<cli::Ran> {
    cli::aureole(None, folder, line.split(' '))
}

#[test]
fn fuzz_finds_a_forgotten_range_check_by_name_and_exits_with_1() -> anyhow::Result<()> {
    let folder = folder()?;
    let ran = alone(folder.path(), "plugin fuzz leaky.wasm --input good.json")?;
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let found =
        "SUSPICIOUS: a0 in 'the number' +0 and a1 in 'the number' +0 can be changed together";
    assert!(ran.stdout.contains(found), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("gate 0 'split' constraint 0 'parts'"),
        "{}",
        ran.stdout
    );

    let accepted = [
        "plugin",
        "fuzz",
        "leaky.wasm",
        "--input",
        "good.json",
        "--accept",
        "'the number'",
    ];
    let ran = cli::aureole(None, folder.path(), accepted)?;
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let ran = alone(folder.path(), "plugin fuzz leaky.wasm --input bad.json")?;
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("nothing to change"), "{}", ran.stderr);
    Ok(())
}

#[test]
fn fuzz_has_no_finding_in_the_first_party_circuits_and_counts_their_free_values()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    // What an honest prover chooses: a message, a value and its blinding, x.
    for (name, input, free) in [
        ("preimage", preimage_input(7), "2"),
        ("range", range_input(), "2"),
        ("cubic-c", json!({"x": 3}), "1"),
    ] {
        let file = plugin_path(name)?.display().to_string();
        fs::write(folder.path().join("input.json"), input.to_string())?;
        let fuzz = |free| {
            let line = [
                "plugin",
                "fuzz",
                &file,
                "--input",
                "input.json",
                "--free",
                free,
            ];
            cli::aureole(None, folder.path(), line)
        };
        let ran = fuzz(free)?;
        assert_eq!(ran.code, Some(0), "{name}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("nothing suspicious"), "{}", ran.stdout);
        assert!(!ran.stdout.contains("not reached"), "{}", ran.stdout);
        let ran = fuzz("0")?;
        assert_eq!(ran.code, Some(1), "{name}: {}{}", ran.stdout, ran.stderr);
        let words = format!("SUSPICIOUS: {free} directions are free, 0 expected: a");
        assert!(ran.stdout.contains(&words), "{}", ran.stdout);
    }
    Ok(())
}

#[test]
fn fuzz_of_a_large_circuit_keeps_to_its_time_and_says_what_it_left_out() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = plugin_path("merkle")?.display().to_string();
    fs::write(folder.path().join("input.json"), merkle_input().to_string())?;
    let fuzz = |time| {
        let line = [
            "--output",
            "json",
            "plugin",
            "fuzz",
            &file,
            "--input",
            "input.json",
            "--time",
            time,
        ];
        cli::aureole(None, folder.path(), line)?.json()
    };
    let (hurried, whole) = (fuzz("0")?, fuzz("60")?);
    assert!(hurried["unseen"].as_u64() > Some(1000), "{hurried}");
    assert_eq!(whole["unseen"], 0, "{whole}");
    assert_eq!(whole["suspicious"], false, "{whole}");
    Ok(())
}

#[test]
fn inspect_shows_gates_as_formulas_rows_by_region_and_cost() -> anyhow::Result<()> {
    let folder = folder()?;
    let text = alone(folder.path(), "plugin inspect leaky.wasm")?.text()?;
    for line in [
        "s0: a0 + 16 * a1 - a2 = 0",
        "(s1 * a0) in (f0)",
        "the number",
        "small numbers",
        "a proof",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let inspected = alone(folder.path(), "--output json plugin inspect leaky.wasm")?.json()?;
    assert_eq!(
        inspected["gates"][0]["constraints"][0]["when"],
        json!(["s0"])
    );
    assert!(
        inspected["cost"]["proof_bytes"].as_u64() > Some(500),
        "{inspected}"
    );
    assert!(
        inspected["cost"]["prove_seconds"].as_f64() > Some(0.0),
        "{inspected}"
    );
    Ok(())
}

#[test]
fn layout_draws_an_svg_or_a_png_and_nothing_else() -> anyhow::Result<()> {
    let folder = folder()?;
    let file = plugin_path("preimage")?.display().to_string();
    for (name, start) in [("a.svg", &b"<svg"[..]), ("a.png", &b"\x89PNG"[..])] {
        let ran = cli::aureole(None, folder.path(), ["plugin", "layout", &file, "-o", name])?;
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(
            fs::read(folder.path().join(name))?.starts_with(start),
            "{name}"
        );
    }
    let refused = alone(folder.path(), "plugin layout leaky.wasm -o a.gif")?;
    assert!(
        refused.stderr.contains("neither in .svg nor in .png"),
        "{}",
        refused.stderr
    );
    Ok(())
}

#[test]
fn a_local_check_names_the_lookup_and_shows_cells_only_when_told() -> anyhow::Result<()> {
    let folder = folder()?;
    let ran = alone(folder.path(), "circuit check leaky.wasm --input bad.json")?;
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    for words in ["lookup 0", "the number", "(s1 * a0) in (f0)", "cell     a0"] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("0x63"), "{}", ran.stdout);
    let ran = alone(
        folder.path(),
        "circuit check leaky.wasm --input bad.json --reveal",
    )?;
    assert!(ran.stdout.contains("= 0x63"), "{}", ran.stdout);
    let ran = alone(folder.path(), "circuit check leaky.wasm --input good.json")?;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let ran = alone(folder.path(), "prove --local leaky.wasm --input bad.json")?;
    assert!(
        ran.stdout.contains("(s1 * a0) in (f0)"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    Ok(())
}

#[tokio::test]
async fn a_node_checks_an_input_and_a_failed_task_carries_the_report_without_values()
-> anyhow::Result<()> {
    let node = Node::start()?;
    node.upload(fixture("leaky")?).await?;
    let client = node.client()?;
    let plugin = client
        .plugin("leaky", std::time::Duration::from_secs(60))
        .await?;
    let circuit = plugin.default_circuit.unwrap_or_default();
    let check = async |input: Value, reveal| {
        client
            .check(
                &circuit,
                &aureole_client::rest::CheckRequest { input, reveal },
            )
            .await
    };
    assert!(check(json!({"low": 10, "high": 5}), false).await?.satisfied);
    let bad = json!({"low": 99, "high": 5});
    let hidden = serde_json::to_value(check(bad.clone(), false).await?)?;
    assert_eq!(
        (&hidden["satisfied"], &hidden["code"]),
        (&json!(false), &json!("witness.lookup"))
    );
    assert_eq!(hidden["failures"][0]["region"]["name"], "the number");
    assert_eq!(hidden["failures"][0]["cells"][0]["name"], "a0");
    assert!(!hidden.to_string().contains("0x63"), "{hidden}");
    let shown = serde_json::to_value(check(bad.clone(), true).await?)?;
    assert!(shown.to_string().contains("0x63"), "{shown}");
    let refused = check(json!({"low": "no"}), false).await.err();
    assert!(refused.is_some_and(|error| error.to_string().contains("input.schema")));

    let refused = client.submit_to("leaky", &bad).await.err();
    let problem = refused.as_ref().and_then(aureole_client::Error::problem);
    let task = problem
        .and_then(aureole_client::Problem::task)
        .unwrap_or_default()
        .to_owned();
    let task = client
        .task(&task, std::time::Duration::from_secs(30))
        .await?;
    let error = task
        .error
        .ok_or_else(|| anyhow::anyhow!("the task did not fail"))?;
    let failure = error
        .failures()
        .first()
        .ok_or_else(|| anyhow::anyhow!("no report"))?;
    assert_eq!((failure.lookup, failure.row), (Some(0), 0));
    assert!(
        !serde_json::to_string(&error)?.contains("0x63"),
        "{error:?}"
    );
    Ok(())
}
