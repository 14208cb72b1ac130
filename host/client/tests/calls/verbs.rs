//! Each operation of the API has its method: the document says what there is, and each method is
//! called and must ask for just that. What a client does without stands here, with the reason.

use std::{collections::BTreeMap, future::Future, pin::Pin, time::Duration};

use aureole_client::rest::{
    CheckRequest, CircuitRequest, ComponentSignature, KeyRequest, ProofClaim, Role, Sharing,
    TaskRequest, TaskState, TenantRequest, Timestamp, VerifyBatchRequest, VerifyRequest,
    WebhookRequest,
};
use aureole_client::{Client, EntityTag, Sort, TaskQuery};
use bytes::Bytes;
use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::script::{Asked, TASK, answer, refusal, serve, task};

/// The document that the gateway's tests hold to the gateway.
const OPENAPI: &str = include_str!("../../../api/openapi.json");

/// Operations without a method.
const ABSENT: [(&str, &str); 9] = [
    (
        "listErrors",
        "the table is compiled in: `aureole_client::codes`",
    ),
    (
        "showError",
        "the table is compiled in: `aureole_client::codes`",
    ),
    ("root", "leads browsers to the console"),
    ("console", "a page for browsers"),
    ("consoleFile", "a part of a page for browsers"),
    ("docs", "a page for browsers"),
    ("docsStyle", "a part of a page for browsers"),
    ("docsScript", "a part of a page for browsers"),
    ("openapi", "for generators of clients; this one is written"),
];

/// Parameters that no method gives: of an operation, or of all.
const UNUSED: [(&str, &str, &str); 3] = [
    (
        "*",
        "If-None-Match",
        "nothing is kept that could be asked after",
    ),
    (
        "putPlugin",
        "Idempotency-Key",
        "a component's digest is its identity",
    ),
    (
        "putCircuit",
        "Idempotency-Key",
        "a circuit's id is computed from the request",
    ),
];

const CIRCUIT: &str = "cir_0000000000000000000000000000000c";
const WAIT: Duration = Duration::from_millis(1);

type Called = Pin<Box<dyn Future<Output = ()> + Send>>;
type Call = fn(Client) -> Called;

macro_rules! calls {
    ($($operation:literal: |$client:ident| $call:expr;)*) => {
        &[$(($operation, |$client| Box::pin(async move { let _answer = $call.await; }))),*]
    };
}

/// Every operation with the call that makes it.
const CALLS: &[(&str, Call)] = calls! {
    "live": |client| client.live();
    "ready": |client| client.ready();
    "me": |client| client.me();
    "listPlugins": |client| client.plugins();
    "showPlugin": |client| client.plugin("merkle", WAIT);
    "showPluginVersion": |client| client.plugin("merkle@0.1.0", WAIT);
    "putPlugin": |client| client.publish_plugin(component(), Some(&signature()), WAIT, |_, _| {});
    "sharePlugin": |client| client.share_plugin("merkle", &Sharing::Public);
    "retirePlugin": |client| client.retire_plugin_if(&"0".repeat(64), &tag().await);
    "retirePluginVersion": |client| client.retire_plugin_if("merkle@0.1.0", &tag().await);
    "putCircuit": |client| client.put_circuit(&circuit(), WAIT);
    "showCircuit": |client| client.circuit(CIRCUIT, WAIT);
    "downloadCircuit": |client| client.circuit_ir(CIRCUIT);
    "checkInput": |client| client.check(CIRCUIT, &check());
    "showCircuitKey": |client| client.circuit_key(CIRCUIT);
    "revokeVerifyingKey": |client| client.revoke_verifying_key(CIRCUIT, "leaked");
    "listVerifyingKeys": |client| client.verifying_keys();
    "showVerifyingKey": |client| client.verifying_key("rollup");
    "publishVerifyingKey": |client| client.publish_verifying_key("rollup", CIRCUIT);
    "submitTask": |client| client.submit(&TaskRequest::default());
    "prove": |client| client.submit_to("merkle", &json!({}));
    "submitTasks": |client| client.submit_batch(vec![TaskRequest::default()]);
    "listTasks": |client| client.tasks(&query());
    "showTask": |client| client.task(TASK, WAIT);
    "explainTask": |client| client.explain(TASK);
    "cancelTask": |client| client.cancel_if(TASK, &tag().await);
    "downloadProof": |client| client.proof(TASK);
    "downloadReceipt": |client| client.receipt(TASK);
    "verifyProof": |client| client.verify(&verify());
    "verifyProofs": |client| client.verify_batch(&verify_batch());
    "checkpoint": |client| client.log_checkpoint();
    "logKey": |client| client.log_key();
    "tile": |client| client.log_tile("tile/0/000");
    "inclusion": |client| client.log_inclusion(1, Some(2));
    "consistency": |client| client.log_consistency(1, Some(2));
    "listWorkers": |client| client.workers();
    "trustWorker": |client| client.trust_worker("worker-1");
    "createWebhook": |client| client.create_webhook(&webhook());
    "listWebhooks": |client| client.webhooks();
    "showWebhook": |client| client.webhook("whk_1");
    "deleteWebhook": |client| client.delete_webhook("whk_1");
    "testWebhook": |client| client.test_webhook("whk_1");
    "listDeliveries": |client| client.deliveries("whk_1");
    "replayDelivery": |client| client.replay("whk_1", TASK);
    "listTenants": |client| client.tenants();
    "showTenant": |client| client.tenant("acme");
    "putTenant": |client| client.put_tenant("acme", &TenantRequest::default());
    "showUsage": |client| client.usage("acme");
    "listKeys": |client| client.keys(Some("acme"));
    "createKey": |client| client.create_key(&key());
    "revokeKey": |client| client.revoke_key("aur_0000000000000000");
    "audit": |client| client.audit_page(Some(7), 10);
    "overview": |client| client.overview();
    "watchTask": |client| watch(client);
};

/// Watches to where the stream is made again, which is when it says what it has.
async fn watch(client: Client) -> usize {
    let watch = client.watch(TASK, Duration::from_secs(20));
    watch.collect::<Vec<_>>().await.len()
}

/// A tag, from a document that has one.
async fn tag() -> EntityTag {
    let body = task("queued").to_string();
    let tagged = answer(200, "etag: \"a\"\r\n", "application/json", &body);
    let (builder, _server) = serve(vec![tagged]).await;
    let client = builder.build().unwrap();
    client.task_tagged(TASK).await.unwrap().tag
}

fn component() -> Bytes {
    Bytes::from_static(b"\0asm")
}

fn signature() -> ComponentSignature {
    ComponentSignature {
        signer: [1; 32],
        signature: [2; 64],
    }
}

fn circuit() -> CircuitRequest {
    CircuitRequest {
        plugin: "merkle".parse().unwrap(),
        params: None,
    }
}

fn check() -> CheckRequest {
    CheckRequest {
        input: json!({}),
        reveal: false,
    }
}

fn query() -> TaskQuery {
    let at = Some(Timestamp::from_millis(0));
    TaskQuery {
        state: Some(TaskState::Done),
        plugin: Some("merkle".to_owned()),
        circuit: Some(CIRCUIT.to_owned()),
        since: at,
        until: at,
        sort: Sort::Oldest,
        before: Some("a".to_owned()),
        limit: Some(1),
    }
}

fn verify() -> VerifyRequest {
    VerifyRequest {
        circuit: CIRCUIT.to_owned(),
        public_inputs: BTreeMap::new(),
        proof: String::new(),
    }
}

fn verify_batch() -> VerifyBatchRequest {
    let VerifyRequest {
        circuit,
        public_inputs,
        proof,
    } = verify();
    VerifyBatchRequest {
        circuit,
        proofs: vec![ProofClaim {
            public_inputs,
            proof,
        }],
    }
}

fn webhook() -> WebhookRequest {
    WebhookRequest {
        url: "https://hooks.example".to_owned(),
        events: None,
        public_inputs: false,
    }
}

fn key() -> KeyRequest {
    KeyRequest {
        tenant: "acme".to_owned(),
        role: Role::Auditor,
        label: None,
        expires_at: None,
    }
}

/// The operations of the document: method, path and parameters by id.
fn operations() -> BTreeMap<String, (String, String, Vec<Value>)> {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let mut found = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(id) = operation["operationId"].as_str() else {
                continue;
            };
            let parameters = operation["parameters"].as_array().cloned();
            let what = (
                method.to_uppercase(),
                path.clone(),
                parameters.unwrap_or_default(),
            );
            found.insert(id.to_owned(), what);
        }
    }
    found
}

fn is_of(path: &str, template: &str) -> bool {
    let (path, template) = (path.split('/'), template.split('/'));
    let longer = template.clone().any(|segment| segment == "{tile}");
    let same = path.clone().zip(template.clone());
    same.into_iter()
        .all(|(found, wanted)| wanted.starts_with('{') || found == wanted)
        && (longer || path.count() == template.count())
}

fn is_unused(operation: &str, parameter: &str) -> bool {
    UNUSED
        .iter()
        .any(|(of, name, _)| (*of == "*" || *of == operation) && *name == parameter)
}

/// Whether a request has a parameter.
fn gives(asked: &Asked, parameter: &Value) -> bool {
    let name = parameter["name"].as_str().unwrap();
    match parameter["in"].as_str().unwrap() {
        "header" => asked.field(name).is_some(),
        "query" => {
            let query = asked.line().split_once('?').map_or("", |(_, query)| query);
            query
                .split('&')
                .any(|pair| pair.starts_with(&format!("{name}=")))
        }
        _ => true,
    }
}

#[test]
fn every_operation_has_a_method_or_a_reason() {
    let operations = operations();
    for operation in operations.keys() {
        let called = CALLS.iter().filter(|(name, _)| name == operation).count();
        let absent = ABSENT.iter().filter(|(name, _)| name == operation).count();
        assert_eq!(
            called + absent,
            1,
            "{operation}: called {called}, absent {absent}"
        );
    }
    let known = CALLS.iter().map(|(name, _)| name);
    for name in known.chain(ABSENT.iter().map(|(name, _)| name)) {
        assert!(operations.contains_key(*name), "there is no {name}");
    }
}

#[tokio::test]
async fn every_method_asks_for_its_operation_with_all_its_parameters() {
    let operations = operations();
    for (operation, call) in CALLS {
        let (method, template, parameters) = &operations[*operation];
        // A watched task is told of once; the reader comes back, and is refused.
        let stream = "HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n\
                      id: 1\nevent: task\ndata: {\"task\":\"t\",\"state\":\"queued\",\"attempt\":0}\n\n";
        let refused = refusal(404, "task.unknown");
        let replies = match *operation {
            "watchTask" => vec![crate::script::Reply::Whole(stream.to_owned()), refused],
            _ => vec![refused],
        };
        let (builder, server) = serve(replies).await;
        call(builder.build().unwrap()).await;
        let asked = server.await.unwrap().pop().unwrap();
        let (found, target) = asked.line().split_once(' ').unwrap();
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        assert!(
            found == method && is_of(path, template),
            "{operation} is {method} {template}, asked was {}",
            asked.line()
        );
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap();
            assert_ne!(
                gives(&asked, parameter),
                is_unused(operation, name),
                "{operation}: {name} in {}",
                asked.line()
            );
        }
    }
}
