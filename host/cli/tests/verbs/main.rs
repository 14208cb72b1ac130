//! Each operation of the API can be reached by a command: the document says what there is, and each
//! command is run against a server that keeps what it was asked. What the command line does without
//! stands here, with the reason.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod recorder;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use aureole_receipts::{Digest, Hash, Leaf, Receipt, SignerKey, TaskId};
use serde_json::{Value, json};

use recorder::{CIRCUIT, EMPTY, KEY_DIGEST, Recorder, TASK, checkpoint};

/// The document that the gateway's tests hold to the gateway.
const OPENAPI: &str = include_str!("../../../api/openapi.json");

/// Operations that no command asks for.
const ABSENT: [(&str, &str); 10] = [
    (
        "prove",
        "submitTask does it with more options: `aureole prove`",
    ),
    ("listErrors", "the table is compiled in: `aureole errors`"),
    (
        "showError",
        "the table is compiled in: `aureole errors CODE`",
    ),
    ("root", "leads browsers to the console"),
    ("console", "a page for browsers"),
    ("consoleFile", "a part of a page for browsers"),
    ("docs", "a page for browsers"),
    ("docsStyle", "a part of a page for browsers"),
    ("docsScript", "a part of a page for browsers"),
    ("openapi", "for generators of clients"),
];

/// Every other operation with a command that comes to it. Words in capitals are filled in.
const COMMANDS: &[(&str, &str)] = &[
    ("live", "health"),
    ("ready", "health"),
    ("me", "me"),
    ("listPlugins", "plugin list"),
    ("showPlugin", "plugin show merkle"),
    ("showPluginVersion", "plugin show merkle@0.1.0"),
    ("putPlugin", "plugin upload plugin.wasm"),
    ("sharePlugin", "plugin share merkle --public"),
    ("retirePlugin", "plugin retire DIGEST"),
    ("retirePluginVersion", "plugin retire merkle@0.1.0"),
    ("putCircuit", "circuit show merkle"),
    ("showCircuit", "circuit show CIRCUIT"),
    ("checkInput", "circuit check CIRCUIT --input input.json"),
    ("downloadCircuit", "task bundle TASK -o downloaded"),
    ("showCircuitKey", "verifying-key show CIRCUIT"),
    (
        "revokeVerifyingKey",
        "verifying-key revoke CIRCUIT --reason leaked",
    ),
    ("listVerifyingKeys", "verifying-key list"),
    ("showVerifyingKey", "verifying-key show rollup"),
    (
        "publishVerifyingKey",
        "verifying-key publish rollup CIRCUIT",
    ),
    ("submitTask", "task submit merkle --input input.json"),
    ("submitTasks", "task submit --batch tasks.jsonl"),
    ("listTasks", "task list"),
    ("showTask", "task show TASK"),
    ("explainTask", "task explain TASK"),
    ("cancelTask", "task cancel TASK"),
    ("watchTask", "task watch TASK"),
    ("downloadProof", "task bundle TASK -o downloaded"),
    ("downloadReceipt", "receipts show TASK"),
    ("verifyProof", "verify bundle --on-node --circuit CIRCUIT"),
    (
        "verifyProofs",
        "verify bundle bundle --on-node --circuit CIRCUIT",
    ),
    ("checkpoint", "receipts checkpoint"),
    ("logKey", "receipts key"),
    ("tile", "receipts audit --key VKEY"),
    ("inclusion", "receipts inclusion receipt.json --key VKEY"),
    ("consistency", "receipts consistency checkpoint --key VKEY"),
    ("listWorkers", "worker list"),
    ("trustWorker", "worker trust worker-1"),
    ("createWebhook", "webhook create https://hooks.example"),
    ("listWebhooks", "webhook list"),
    ("showWebhook", "webhook show whk_1"),
    ("deleteWebhook", "webhook delete whk_1"),
    ("testWebhook", "webhook test whk_1"),
    ("listDeliveries", "webhook deliveries whk_1"),
    ("replayDelivery", "webhook replay whk_1 TASK"),
    ("listTenants", "admin tenant list"),
    ("showTenant", "admin tenant show acme"),
    ("putTenant", "admin tenant set acme --weight 200"),
    ("showUsage", "admin usage acme"),
    ("listKeys", "admin key list"),
    ("createKey", "admin key new --role auditor"),
    ("revokeKey", "admin key revoke aur_0000000000000000"),
    ("audit", "admin audit"),
    ("overview", "top --once"),
];

/// The operations of the document: method and path by id.
fn operations() -> BTreeMap<String, (String, String)> {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let mut found = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if let Some(id) = operation["operationId"].as_str() {
                found.insert(id.to_owned(), (method.to_uppercase(), path.clone()));
            }
        }
    }
    found
}

/// Whether a request that was asked is one of an operation.
fn is_of(asked: &str, (method, template): &(String, String)) -> bool {
    let Some((found, path)) = asked.split_once(' ') else {
        return false;
    };
    let mut rest = path.split('/');
    let same = template.split('/').all(|wanted| {
        let segment = rest.next();
        segment.is_some_and(|found| wanted.starts_with('{') || found == wanted)
    });
    found == method && same && (template.contains("{tile}") || rest.next().is_none())
}

/// The files that the commands name.
fn lay_out(folder: &Path, key: &SignerKey) {
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    write("plugin.wasm", b"\0asm");
    write("input.json", b"{}");
    write("tasks.jsonl", b"{\"plugin\":\"merkle\",\"input\":{}}\n");
    write("checkpoint", checkpoint(key).as_bytes());
    fs::create_dir(folder.join("bundle")).unwrap();
    let manifest = json!({
        "format": "aureole-bundle/1", "plugin": "merkle@0.1.0", "circuit_digest": EMPTY,
        "key_digest": KEY_DIGEST, "public_inputs": {},
    });
    write("bundle/bundle.json", manifest.to_string().as_bytes());
    write("bundle/circuit.bin", b"");
    write("bundle/proof.bin", b"");
    let digest = Digest::of(b"");
    let receipt = Receipt {
        format: "aureole-receipt/1".to_owned(),
        index: 0,
        leaf: Leaf {
            task: TASK.parse::<TaskId>().unwrap(),
            circuit: digest,
            key: digest,
            public_inputs: digest,
            proof: digest,
            verifier: digest,
            submitted_ms: 0,
            finished_ms: 0,
        },
        opening: None,
        inclusion: Vec::<Hash>::new(),
        checkpoint: checkpoint(key),
    };
    write("receipt.json", receipt.to_json().unwrap().as_bytes());
}

#[test]
fn every_operation_has_a_command_or_a_reason() {
    let operations = operations();
    for operation in operations.keys() {
        let named = COMMANDS
            .iter()
            .filter(|(name, _)| name == operation)
            .count();
        let absent = ABSENT.iter().filter(|(name, _)| name == operation).count();
        assert_eq!(
            named + absent,
            1,
            "{operation}: commands {named}, absent {absent}"
        );
    }
    let known = COMMANDS.iter().map(|(name, _)| name);
    for name in known.chain(ABSENT.iter().map(|(name, _)| name)) {
        assert!(operations.contains_key(*name), "there is no {name}");
    }
}

#[test]
fn every_command_comes_to_its_operation() {
    let operations = operations();
    let key = SignerKey::from_seed("log.example", &[7; 32]).unwrap();
    let recorder = Recorder::start(checkpoint(&key));
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &key);
    let vkey = key.verifier().to_string();
    for (operation, line) in COMMANDS {
        let words = line.split(' ').map(|word| match word {
            "TASK" => TASK,
            "CIRCUIT" => CIRCUIT,
            "DIGEST" => EMPTY,
            "VKEY" => vkey.as_str(),
            word => word,
        });
        let ran = Command::new(env!("CARGO_BIN_EXE_aureole"))
            .args(words)
            .args(["--url", recorder.url()])
            .current_dir(folder.path())
            .env("AUREOLE_KEY", "aur_test")
            .env_remove("AUREOLE_KEY_FILE")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let asked = recorder.take();
        let wanted = &operations[*operation];
        assert!(
            asked.iter().any(|asked| is_of(asked, wanted)),
            "`{line}` does not come to {wanted:?}: {asked:?}\n{}",
            String::from_utf8_lossy(&ran.stderr)
        );
    }
}
