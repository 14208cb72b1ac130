//! Uploads that must not become plugins.

use aureole_handmade::{Parts, assembled, compile_bombs};
use aureole_tests::{Node, Random, http, merkle_input, plugin};
use serde_json::json;

use crate::neighbour::{Neighbour, is_unharmed, node};

fn upload(node: &Node, component: &[u8]) -> anyhow::Result<http::Answer> {
    upload_with(node, &[], component)
}

fn upload_with(
    node: &Node,
    headers: &[(&str, &str)],
    component: &[u8],
) -> anyhow::Result<http::Answer> {
    let mut all = vec![("content-type", "application/wasm")];
    all.extend(headers);
    http::send(
        node.url(),
        "POST",
        "/api/v1/plugins?wait=60s",
        &all,
        component,
    )
}

#[track_caller]
fn refused(what: &str, answer: &http::Answer, codes: &[&str]) -> anyhow::Result<()> {
    let problem = answer.json()?;
    let code = problem["code"].as_str().unwrap_or_default();
    assert!(codes.contains(&code), "{what}: {problem}");
    assert!((400..500).contains(&answer.status), "{what}: {problem}");
    let shown = String::from_utf8_lossy(&answer.body);
    assert!(shown.len() < 4096, "{what}: {} bytes", shown.len());
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{what}: {shown}");
    Ok(())
}

/// The plugin with a name of these bytes, as a WebAssembly string.
fn named(name: &str) -> Vec<u8> {
    Parts {
        name,
        ..Parts::default()
    }
    .build()
}

/// Cases 1 to 5, 8, 9, 11 to 13 and 16.
fn files() -> anyhow::Result<Vec<(String, Vec<u8>, &'static str)>> {
    let good = plugin("preimage")?;
    let module = |body: &str| assembled(&format!("(component (core module {body}))"));
    let import = |name: &str| assembled(&format!(r#"(component (import "{name}" (instance)))"#));
    let memory = "(memory (export \"memory\") 65536)";
    let mut files: Vec<(String, Vec<u8>, &'static str)> = [
        ("nothing", Vec::new(), "plugin.empty"),
        ("a core module", assembled("(module)"), "plugin.not_component"),
        ("an ELF file", b"\x7fELF\x02\x01\x01".to_vec(), "plugin.precompiled_rejected"),
        ("the file system", import("wasi:filesystem/types@0.2.0"), "plugin.import_denied"),
        ("the command line", import("wasi:cli/environment@0.2.0"), "plugin.import_denied"),
        ("sockets", import("wasi:sockets/tcp@0.2.0"), "plugin.import_denied"),
        ("HTTP", import("wasi:http/outgoing-handler@0.2.0"), "plugin.import_denied"),
        ("something unknown", import("acme:spy/ears@1.0.0"), "plugin.import_denied"),
        ("no exports", assembled("(component)"), "plugin.world_mismatch"),
        (
            "another contract",
            assembled(
                r#"(component (instance $i) (export "aureole:circuit/plugin@1.0.0" (instance $i)))"#,
            ),
            "plugin.world_mismatch",
        ),
        (
            "a memory of 4 GiB",
            Parts { memory, ..Parts::default() }.build(),
            "plugin.limits",
        ),
        (
            "a table of ten million",
            Parts { extra: "(table 10000000 funcref)", ..Parts::default() }.build(),
            "plugin.limits",
        ),
        ("shared memory", module("(memory 1 1 shared)"), "plugin.feature_denied"),
        ("64-bit memory", module("(memory i64 1)"), "plugin.feature_denied"),
        ("garbage collection", module("(type (struct))"), "plugin.feature_denied"),
        ("exceptions", module("(tag)"), "plugin.feature_denied"),
        (
            "vectors",
            module("(func (drop (v128.const i64x2 0 0)))"),
            "plugin.feature_denied",
        ),
        ("a path for a name", named("../../etc"), "plugin.name"),
        ("capitals for a name", named("Tiny"), "plugin.name"),
        ("a name with a zero byte", named("\\00tiny"), "plugin.name"),
        ("a picture for a name", named("🦀"), "plugin.name"),
        ("no name", named(""), "plugin.name"),
    ]
    .into_iter()
    .map(|(what, bytes, code)| (what.to_owned(), bytes, code))
    .collect();
    for part in 1..8 {
        let cut = good[..good.len() * part / 8].to_vec();
        files.push((
            format!("{part} eighths of a plugin"),
            cut,
            "plugin.malformed",
        ));
    }
    for bomb in compile_bombs() {
        files.push((bomb.name.to_owned(), bomb.bytes, bomb.code));
    }
    Ok(files)
}

#[tokio::test]
async fn every_hostile_upload_is_refused_by_its_code_beside_a_neighbour_who_proves()
-> anyhow::Result<()> {
    let node = node().await?;
    let before = node.client()?.plugins().await?.plugins.len();
    let neighbour = Neighbour::of(&node);
    for (what, bytes, code) in files()? {
        refused(&what, &upload(&node, &bytes)?, &[code])?;
    }
    let mut random = Random::seeded()?;
    for _ in 0..100 {
        let mut noise = b"\0asm\x0d\0\x01\0".to_vec();
        noise.extend((0..random.below(2_000)).map(|_| random.number().to_le_bytes()[0]));
        let codes = [
            "plugin.malformed",
            "plugin.too_complex",
            "plugin.world_mismatch",
        ];
        refused("noise", &upload(&node, &noise)?, &codes)?;
    }
    let large = vec![0; (8 << 20) + 1];
    refused(
        "8 MiB and a byte",
        &upload(&node, &large)?,
        &["plugin.too_large", "request.too_large"],
    )?;
    let packed = upload_with(&node, &[("content-encoding", "gzip")], b"\x1f\x8b")?;
    refused("a packed upload", &packed, &["request.content_encoding"])?;
    assert_eq!(packed.status, 415);
    assert!(neighbour.done()? > 0);
    // Names are found out by running the plugin, so those stay in the list as rejected.
    let after = node.client()?.plugins().await?.plugins;
    assert!(
        after.len() <= before + 5,
        "{} were taken",
        after.len() - before
    );
    is_unharmed(&node)
}

#[tokio::test]
async fn a_component_full_of_escape_sequences_is_taken_and_never_shown() -> anyhow::Result<()> {
    let node = node().await?;
    let noise = "\u{1b}[2J\u{202e}".repeat(1 << 18);
    let mut component = named("noisy");
    let name = "producers\u{202e}";
    let mut section = vec![u8::try_from(name.len())?];
    section.extend_from_slice(name.as_bytes());
    section.extend_from_slice(noise.as_bytes());
    component.push(0);
    let mut length = section.len();
    while length >= 0x80 {
        component.push(length.to_le_bytes()[0] | 0x80);
        length >>= 7;
    }
    component.push(length.to_le_bytes()[0]);
    component.append(&mut section);
    let answer = upload(&node, &component)?;
    let shown = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, 201, "{shown}");
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
    is_unharmed(&node)
}

#[tokio::test]
async fn the_bytes_of_a_circuit_or_a_proof_uploaded_as_a_component_stay_where_they_are()
-> anyhow::Result<()> {
    let node = Node::with_plugins(&["merkle"]).await?;
    let params = json!({"depth": 3});
    let circuit = node.circuit("merkle", params.clone()).await?.id;
    let request = json!({"circuit": circuit, "input": merkle_input()}).to_string();
    let proved = http::post_json(node.url(), "/api/v1/tasks?wait=60s", &request)?.json()?;
    assert_eq!(proved["state"], "done", "{proved}");
    let id = proved["id"].as_str().unwrap_or_default();
    let served = [
        format!("/api/v1/circuits/{circuit}/ir"),
        format!("/api/v1/tasks/{id}/proof"),
    ];
    let mut kept = Vec::new();
    for path in &served {
        let answer = http::get(node.url(), path)?;
        assert_eq!(answer.status, 200, "{path}");
        kept.push(answer.body);
    }
    let codes = ["plugin.not_component", "plugin.malformed"];
    refused(
        "the parameters",
        &upload(&node, params.to_string().as_bytes())?,
        &codes,
    )?;
    for (path, bytes) in served.iter().zip(&kept) {
        refused(path, &upload(&node, bytes)?, &codes)?;
    }
    for (path, bytes) in served.iter().zip(&kept) {
        let answer = http::get(node.url(), path)?;
        assert_eq!((answer.status, &answer.body), (200, bytes), "{path}");
    }
    // The witness is made from the parameters, so those are there too.
    let again = http::post_json(node.url(), "/api/v1/tasks?wait=60s", &request)?.json()?;
    assert_eq!(again["state"], "done", "{again}");
    is_unharmed(&node)
}
