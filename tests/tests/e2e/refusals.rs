//! Bad requests are refused with a status, a stable code and the place; the node stays up.

use aureole_tests::{MERKLE_REQUEST, Node, fixture, http, plugin};
use serde_json::{Value, json};

/// What a refusal must say.
struct Expected<'a> {
    status: u16,
    code: &'static str,
    path: Option<&'a str>,
    /// A part of the detail.
    detail: &'static str,
}

fn refused(what: &str, answer: &http::Answer, expected: &Expected<'_>) -> anyhow::Result<()> {
    let problem = answer.json()?;
    let said = format!("{what}: {problem}");
    assert_eq!(answer.status, expected.status, "{said}");
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{said}"
    );
    assert_eq!(problem["code"], expected.code, "{said}");
    assert_eq!(problem["status"], expected.status, "{said}");
    assert_eq!(problem["path"].as_str(), expected.path, "{said}");
    let detail = problem["detail"].as_str().unwrap_or_default();
    assert!(detail.contains(expected.detail), "{said}");
    assert!(problem["request_id"].is_string(), "{said}");
    Ok(())
}

/// The node lives and proves.
fn node_is_well(node: &Node) -> anyhow::Result<()> {
    assert_eq!(http::get(node.url(), "/health/ready")?.status, 200);
    let input = aureole_tests::preimage_input(1).to_string();
    let answer = http::post_json(node.url(), "/api/v1/tasks/preimage?wait=60s", &input)?;
    assert_eq!(
        (answer.status, answer.json()?["state"].clone()),
        (200, json!("done"))
    );
    Ok(())
}

fn upload(node: &Node, component: &[u8]) -> anyhow::Result<http::Answer> {
    let kind = [("content-type", "application/wasm")];
    http::send(
        node.url(),
        "POST",
        "/api/v1/plugins?wait=60s",
        &kind,
        component,
    )
}

macro_rules! expect {
    ($status:literal, $code:literal) => {
        expect!($status, $code, None, "")
    };
    ($status:literal, $code:literal, $path:expr, $detail:literal) => {
        Expected {
            status: $status,
            code: $code,
            path: $path,
            detail: $detail,
        }
    };
}

#[tokio::test]
async fn bodies_that_are_no_request_are_refused_with_the_place() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let deepest = "/0".repeat(64);
    let tasks = "/api/v1/tasks";
    let merkle = "/api/v1/tasks/merkle";
    let table: Vec<(&str, &str, &str, Expected<'_>)> = vec![
        (
            "not JSON",
            merkle,
            "{leaves",
            expect!(400, "json.syntax", None, "line 1"),
        ),
        ("an empty body", merkle, "", expect!(400, "json.syntax")),
        (
            "something after the document",
            merkle,
            "{} {}",
            expect!(400, "json.syntax"),
        ),
        (
            "a key twice",
            tasks,
            r#"{"input":1,"input":2}"#,
            expect!(400, "json.duplicate_key", Some("/input"), ""),
        ),
        (
            "a hundred levels",
            merkle,
            &deep,
            expect!(400, "json.depth", Some(&deepest), "64"),
        ),
        (
            "an unknown field",
            tasks,
            r#"{"plugin":"merkle","inptu":{},"input":{}}"#,
            expect!(422, "json.unknown_field", Some("/inptu"), ""),
        ),
        (
            "a missing field",
            tasks,
            r#"{"plugin":"merkle"}"#,
            expect!(422, "json.missing_field", None, "input"),
        ),
        (
            "a wrong type",
            tasks,
            r#"{"plugin":7,"input":{}}"#,
            expect!(422, "json.type", Some("/plugin"), ""),
        ),
        (
            "a huge number",
            merkle,
            r#"{"leaves":[],"leaf_index":99999999999999999999999}"#,
            expect!(422, "json.number", Some("/leaf_index"), ""),
        ),
        (
            "no target",
            tasks,
            r#"{"input":{}}"#,
            expect!(422, "task.target"),
        ),
        (
            "a priority of ten",
            tasks,
            r#"{"plugin":"merkle","input":{},"priority":10}"#,
            expect!(422, "task.priority", Some("/priority"), "9"),
        ),
    ];
    for (what, path, body, expected) in &table {
        refused(what, &http::post_json(node.url(), path, body)?, expected)?;
    }
    node_is_well(&node)
}

#[tokio::test]
async fn inputs_that_do_not_fit_are_refused_with_the_place() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    let leaf = format!("0x{}", "11".repeat(32));
    let long = format!("0x{}", "11".repeat(33));
    let merkle = |leaves: Value, index: Value| json!({"leaves": leaves, "leaf_index": index});
    let table: Vec<(&str, &str, Value, Expected<'_>)> = vec![
        (
            "a leaf too long",
            "merkle",
            merkle(json!([leaf, long]), json!(0)),
            expect!(422, "input.schema", Some("/leaves/1"), ""),
        ),
        (
            "a leaf of another type",
            "merkle",
            merkle(json!([7]), json!(0)),
            expect!(422, "input.schema", Some("/leaves/0"), ""),
        ),
        (
            "no leaves",
            "merkle",
            merkle(json!([]), json!(0)),
            expect!(422, "input.schema", Some("/leaves"), ""),
        ),
        (
            "an index out of range",
            "merkle",
            merkle(json!([leaf]), json!(1)),
            expect!(422, "input.invalid", Some("/leaf_index"), "1"),
        ),
        (
            "a negative index",
            "merkle",
            merkle(json!([leaf]), json!(-1)),
            expect!(422, "input.schema", Some("/leaf_index"), ""),
        ),
        (
            "an unknown field",
            "merkle",
            json!({"leaves": [leaf], "leaf_index": 0, "x": 1}),
            expect!(422, "input.schema", Some(""), "'x'"),
        ),
        (
            "a missing field",
            "merkle",
            json!({"leaves": [leaf]}),
            expect!(422, "input.schema", Some(""), "leaf_index"),
        ),
        (
            "no object",
            "merkle",
            json!([]),
            expect!(422, "input.schema", Some(""), "object"),
        ),
        (
            "lo above hi",
            "range",
            json!({"value": 5, "lo": 9, "hi": 1, "blinding": leaf}),
            expect!(422, "input.invalid", Some("/lo"), ""),
        ),
        (
            "a value outside",
            "range",
            json!({"value": 50, "lo": 1, "hi": 9, "blinding": leaf}),
            expect!(422, "input.invalid", Some("/value"), ""),
        ),
        (
            "no field element",
            "preimage",
            json!({"message": [format!("0x{}", "f".repeat(64)), leaf]}),
            expect!(422, "input.invalid", Some("/message/0"), "modulus"),
        ),
    ];
    for (what, plugin, input, expected) in &table {
        let path = format!("/api/v1/tasks/{plugin}");
        refused(
            what,
            &http::post_json(node.url(), &path, &input.to_string())?,
            expected,
        )?;
    }
    node_is_well(&node)
}

#[tokio::test]
async fn what_is_not_here_is_named() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    let task = format!("tsk_{}", "0".repeat(32));
    let circuit = format!("cir_{}", "0".repeat(32));
    let gets: [(String, Expected<'_>); 7] = [
        (
            "/api/v1/plugins/nothing".into(),
            expect!(404, "plugin.unknown", None, "nothing"),
        ),
        (
            "/api/v1/plugins/merkle/9.9.9".into(),
            expect!(404, "plugin.unknown", None, "9.9.9"),
        ),
        (
            format!("/api/v1/circuits/{circuit}"),
            expect!(404, "circuit.unknown"),
        ),
        (
            format!("/api/v1/tasks/{task}"),
            expect!(404, "task.unknown"),
        ),
        (
            format!("/api/v1/tasks/{task}/proof"),
            expect!(404, "task.unknown"),
        ),
        ("/api/v1/tasks/tsk_short".into(), expect!(400, "request.id")),
        ("/api/v1/nowhere".into(), expect!(404, "request.route")),
    ];
    for (path, expected) in &gets {
        refused(path, &http::get(node.url(), path)?, expected)?;
    }
    let answer = http::post_json(node.url(), "/api/v1/tasks/nothing", "{}")?;
    refused(
        "an unknown plugin",
        &answer,
        &expect!(404, "plugin.unknown", None, "nothing"),
    )?;
    let body = json!({"circuit": circuit, "input": {}}).to_string();
    let answer = http::post_json(node.url(), "/api/v1/tasks", &body)?;
    refused(
        "an unknown circuit",
        &answer,
        &expect!(404, "circuit.unknown"),
    )?;
    let answer = http::send(node.url(), "PUT", "/api/v1/plugins", &[], b"")?;
    refused("another method", &answer, &expect!(405, "request.method"))?;
    assert!(
        answer
            .header("allow")
            .is_some_and(|allow| allow.contains("POST"))
    );
    node_is_well(&node)
}

#[tokio::test]
async fn requests_of_another_kind_are_refused() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    let path = "/api/v1/tasks/merkle";
    let post = |headers: &[(&str, &str)]| {
        http::send(node.url(), "POST", path, headers, MERKLE_REQUEST.as_bytes())
    };
    let text = post(&[("content-type", "text/plain")])?;
    refused("text", &text, &expect!(415, "request.content_type"))?;
    let json = ("content-type", "application/json");
    let packed = post(&[json, ("content-encoding", "gzip")])?;
    refused("packed", &packed, &expect!(415, "request.content_encoding"))?;
    let wait = http::post_json(node.url(), "/api/v1/tasks/merkle?wait=2h", MERKLE_REQUEST)?;
    refused("a wait of hours", &wait, &expect!(422, "request.wait"))?;
    let large = http::post_json(node.url(), path, &" ".repeat((8 << 20) + 1))?;
    refused("nine megabytes", &large, &expect!(413, "request.too_large"))?;
    node_is_well(&node)
}

#[tokio::test]
async fn files_that_are_no_plugin_are_refused_and_leave_nothing() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    let before = node.client()?.plugins().await?.plugins.len();
    let wasi = r#"(component (import "wasi:io/poll@0.2.0" (instance)))"#;
    let truncated = plugin("merkle")?;
    let truncated = &truncated[..truncated.len() / 2];
    let table: Vec<(&str, Vec<u8>, Expected<'_>)> = vec![
        ("an empty file", Vec::new(), expect!(422, "plugin.empty")),
        (
            "a text",
            b"Lorem ipsum dolor sit amet".to_vec(),
            expect!(422, "plugin.not_component"),
        ),
        (
            "a core module",
            wat::parse_str("(module)")?,
            expect!(422, "plugin.not_component"),
        ),
        (
            "WASI imports",
            wat::parse_str(wasi)?,
            expect!(422, "plugin.import_denied", None, "wasi:io/poll"),
        ),
        (
            "no exports",
            wat::parse_str("(component)")?,
            expect!(422, "plugin.world_mismatch"),
        ),
        (
            "half a plugin",
            truncated.to_vec(),
            expect!(422, "plugin.malformed"),
        ),
    ];
    for (what, component, expected) in &table {
        refused(what, &upload(&node, component)?, expected)?;
    }
    assert_eq!(node.client()?.plugins().await?.plugins.len(), before);
    node_is_well(&node)
}

#[tokio::test]
async fn a_version_never_changes_its_bytes() -> anyhow::Result<()> {
    let node = Node::with_plugins(&["preimage"]).await?;
    let known = plugin("preimage")?;
    assert_eq!(
        upload(&node, &known)?.status,
        200,
        "the same bytes again are no news"
    );
    // A custom section changes the bytes of a component and nothing else.
    let other = [&known[..], &[0, 3, 1, b'x', 0]].concat();
    refused(
        "other bytes",
        &upload(&node, &other)?,
        &expect!(409, "plugin.version_immutable"),
    )?;
    node_is_well(&node)
}

#[tokio::test]
async fn circuits_over_a_limit_are_refused_with_the_number() -> anyhow::Result<()> {
    let node = Node::with_plugins(&["merkle", "preimage"]).await?;
    assert_eq!(upload(&node, &fixture("workload")?)?.status, 201);
    let table: [(&str, Value, Expected<'_>); 5] = [
        (
            "k over the limit",
            json!({"plugin": "workload", "params": {"k": 15}}),
            expect!(422, "ir.k", None, "15"),
        ),
        (
            "a depth beyond the schema",
            json!({"plugin": "merkle", "params": {"depth": 33}}),
            expect!(422, "params.schema", Some("/params/depth"), ""),
        ),
        (
            "params of another type",
            json!({"plugin": "merkle", "params": {"depth": "3"}}),
            expect!(422, "params.schema", Some("/params/depth"), ""),
        ),
        (
            "an unknown parameter",
            json!({"plugin": "merkle", "params": {"dept": 3}}),
            expect!(422, "params.schema", Some("/params"), "dept"),
        ),
        (
            "an unknown plugin",
            json!({"plugin": "nothing"}),
            expect!(404, "plugin.unknown"),
        ),
    ];
    for (what, body, expected) in &table {
        let answer = http::post_json(node.url(), "/api/v1/circuits?wait=60s", &body.to_string())?;
        refused(what, &answer, expected)?;
    }
    node_is_well(&node)
}

#[tokio::test]
async fn an_input_that_breaks_its_circuit_is_refused_with_the_gate() -> anyhow::Result<()> {
    let node = Node::with_plugins(&["preimage"]).await?;
    assert_eq!(upload(&node, &fixture("workload")?)?.status, 201);
    let path = "/api/v1/tasks/workload?wait=60s";
    let answer = http::post_json(node.url(), path, r#"{"start":3,"mode":"unsatisfied"}"#)?;
    refused(
        "a wrong cell",
        &answer,
        &expect!(422, "witness.unsatisfied", None, "squares"),
    )?;
    let answer = http::post_json(node.url(), path, r#"{"start":3,"mode":"panic"}"#)?;
    refused("a panic", &answer, &expect!(422, "plugin.trap"))?;
    let answer = http::post_json(node.url(), path, r#"{"start":3}"#)?;
    assert_eq!(
        (answer.status, answer.json()?["state"].clone()),
        (200, json!("done"))
    );
    node_is_well(&node)
}

#[tokio::test]
async fn every_code_in_a_refusal_has_its_page() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    let problem = http::get(node.url(), "/api/v1/plugins/nothing")?.json()?;
    let page = http::get(node.url(), problem["type"].as_str().unwrap_or_default())?;
    assert_eq!(page.status, 200);
    assert_eq!(page.json()?["code"], "plugin.unknown");
    Ok(())
}
