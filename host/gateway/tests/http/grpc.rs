//! gRPC: the verbs, their refusals, reflection and health, by a client of generated code.

use std::{collections::BTreeSet, num::NonZeroU32};

use aureole_api::public::v1::{
    self, circuits_client::CircuitsClient, keys_client::KeysClient, plugins_client::PluginsClient,
    proofs_client::ProofsClient, receipts_client::ReceiptsClient, tasks_client::TasksClient,
};
use aureole_client::rest::{Stage, TaskState};
use aureole_gateway::{Config, Rates, limits};
use aureole_ledger::Role;
use tokio_stream::StreamExt as _;
use tonic::{
    Code, Request, Status,
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    house::{CIRCUIT, CIRCUIT_BYTES, DONE, KEY, PROOF, admit, done, task},
    wire::{Server, server, server_at, server_with},
};

const FIRST: &str = "tsk_00000000000000000000000000000001";

/// A connection that shows nothing.
async fn bare(server: &Server) -> Channel {
    let endpoint = Channel::from_shared(format!("http://{}", server.address));
    endpoint.unwrap().connect().await.unwrap()
}

/// Shows a key with every call.
#[derive(Clone)]
struct Shows(&'static str);

impl Interceptor for Shows {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let key = format!("Bearer {}", self.0).parse().unwrap();
        request.metadata_mut().insert("authorization", key);
        Ok(request)
    }
}

/// A connection that shows a key with every call.
async fn with(server: &Server, key: &'static str) -> InterceptedService<Channel, Shows> {
    InterceptedService::new(bare(server).await, Shows(key))
}

async fn channel(server: &Server) -> InterceptedService<Channel, Shows> {
    with(server, KEY).await
}

fn code(status: &Status) -> (&str, Code) {
    let code = status.metadata().get("aureole-code");
    let code = code.unwrap_or_else(|| panic!("no stable code: {status:?}"));
    assert!(status.metadata().contains_key("x-request-id"), "{status:?}");
    (code.to_str().unwrap(), status.code())
}

fn asked() -> v1::SubmitTaskRequest {
    v1::SubmitTaskRequest {
        target: Some(v1::submit_task_request::Target::Plugin("merkle".to_owned())),
        input: "{\"leaves\":[]}".to_owned(),
        priority: Some(9),
        idempotency_key: Some("order-7".to_owned()),
        ..v1::SubmitTaskRequest::default()
    }
}

#[tokio::test]
async fn a_task_is_submitted_shown_listed_explained_and_cancelled() {
    let server = server().await;
    let mut tasks = TasksClient::new(channel(&server).await);
    let task = tasks.submit_task(asked()).await.unwrap().into_inner();
    assert_eq!(
        (task.id.as_str(), task.state()),
        (FIRST, v1::TaskState::Queued)
    );
    let submission = server.house.0.borrow().submissions[0].clone();
    assert_eq!(submission.priority.level(), 9);
    assert_eq!(submission.idempotency_key.as_deref(), Some("order-7"));
    let by_id = |task: &str| v1::GetTaskRequest {
        task: task.to_owned(),
        wait: Some("1s".to_owned()),
    };
    let shown = tasks.get_task(by_id(DONE)).await.unwrap().into_inner();
    assert_eq!(shown.state(), v1::TaskState::Done);
    assert_eq!(shown.public_inputs["root"].values.len(), 1);
    let list = v1::ListTasksRequest {
        state: v1::TaskState::Failed.into(),
        sort: v1::Sort::Oldest.into(),
        limit: Some(7),
        ..v1::ListTasksRequest::default()
    };
    let page = tasks.list_tasks(list).await.unwrap().into_inner();
    assert_eq!(page.tasks.len(), 2);
    let filter = server.house.0.borrow().filters[0].clone();
    assert_eq!((filter.state, filter.limit), (Some(TaskState::Failed), 7));
    let why = v1::ExplainTaskRequest {
        task: FIRST.to_owned(),
    };
    assert_eq!(
        tasks.explain_task(why).await.unwrap().into_inner().wait,
        "slot"
    );
    let stop = v1::CancelTaskRequest {
        task: FIRST.to_owned(),
    };
    let cancelled = tasks.cancel_task(stop).await.unwrap().into_inner();
    assert_eq!(cancelled.state(), v1::TaskState::Cancelled);
    let proof = v1::GetProofRequest {
        task: DONE.to_owned(),
    };
    assert_eq!(
        tasks.get_proof(proof).await.unwrap().into_inner().bytes,
        PROOF
    );
}

#[tokio::test]
async fn a_batch_is_taken_item_by_item() {
    let server = server().await;
    let mut tasks = TasksClient::new(channel(&server).await);
    let plain = v1::SubmitTaskRequest {
        idempotency_key: None,
        ..asked()
    };
    let refused = v1::SubmitTaskRequest {
        input: "{\"refuse\":1}".to_owned(),
        ..plain.clone()
    };
    let batch = v1::SubmitTasksRequest {
        tasks: vec![plain, refused],
        idempotency_key: Some("all".to_owned()),
    };
    let items = tasks
        .submit_tasks(batch.clone())
        .await
        .unwrap()
        .into_inner()
        .items;
    let statuses: Vec<u32> = items.iter().map(|item| item.status).collect();
    assert_eq!(statuses, [202, 422]);
    let keyed = v1::SubmitTasksRequest {
        tasks: vec![asked()],
        ..batch
    };
    let status = tasks.submit_tasks(keyed).await.unwrap_err();
    assert_eq!(code(&status), ("request.batch", Code::InvalidArgument));
}

#[tokio::test]
async fn a_watched_task_tells_its_stages_until_its_end() {
    let server = server().await;
    server.house.change(|facts| {
        facts.tasks.insert(FIRST.to_owned(), task(FIRST));
    });
    let mut tasks = TasksClient::new(channel(&server).await);
    let watch = v1::WatchTaskRequest {
        task: FIRST.to_owned(),
        last_event_id: None,
    };
    let mut events = tasks.watch_task(watch).await.unwrap().into_inner();
    let first = events.next().await.unwrap().unwrap();
    assert_eq!(
        (first.state(), first.ends_in_ms),
        (v1::TaskState::Queued, Some(950))
    );
    server.house.change(|facts| {
        let task = facts.tasks.get_mut(FIRST).unwrap();
        (task.state, task.stage) = (TaskState::Running, Some(Stage::Prove));
    });
    let second = events.next().await.unwrap().unwrap();
    assert_eq!(second.stage.as_deref(), Some("prove"));
    server.house.change(|facts| {
        let ended = done(facts.tasks[FIRST].clone());
        facts.tasks.insert(FIRST.to_owned(), ended);
    });
    let last = events.next().await.unwrap().unwrap();
    assert_eq!(last.state(), v1::TaskState::Done);
    assert!(events.next().await.is_none());
    let again = v1::WatchTaskRequest {
        task: FIRST.to_owned(),
        last_event_id: Some(last.id),
    };
    let mut events = tasks.watch_task(again).await.unwrap().into_inner();
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_component_is_uploaded_in_parts_and_known_afterwards() {
    let server = server().await;
    let mut plugins = PluginsClient::new(channel(&server).await);
    let head = v1::put_plugin_request::Part::Head(v1::put_plugin_request::Head::default());
    let bytes = |text: &str| v1::put_plugin_request::Part::Bytes(text.as_bytes().to_vec());
    let parts = |parts: Vec<v1::put_plugin_request::Part>| {
        let messages: Vec<_> = parts
            .into_iter()
            .map(|part| v1::PutPluginRequest { part: Some(part) })
            .collect();
        tokio_stream::iter(messages)
    };
    let sent = parts(vec![head.clone(), bytes("a "), bytes("component")]);
    let put = plugins.put_plugin(sent).await.unwrap().into_inner();
    let plugin = put.plugin.unwrap();
    assert!(put.created);
    assert_eq!(plugin.name.as_deref(), Some("merkle"));
    let named = v1::GetPluginRequest {
        plugin: "merkle".to_owned(),
        wait: None,
    };
    let shown = plugins.get_plugin(named).await.unwrap().into_inner();
    assert_eq!(shown.digest, plugin.digest);
    let all = plugins
        .list_plugins(v1::ListPluginsRequest {})
        .await
        .unwrap();
    assert_eq!(all.into_inner().plugins.len(), 1);
    for (sent, wanted) in [
        (vec![bytes("a")], "request.message"),
        (vec![head.clone(), head.clone()], "request.message"),
        (vec![], "request.message"),
        (vec![head, bytes("bad")], "plugin.import_denied"),
    ] {
        let refused = plugins.put_plugin(parts(sent)).await.unwrap_err();
        assert_eq!(code(&refused), (wanted, Code::InvalidArgument));
    }
    let loose = v1::RetirePluginRequest {
        plugin: "merkle".to_owned(),
    };
    let refused = plugins.retire_plugin(loose).await.unwrap_err();
    assert_eq!(code(&refused).0, "plugin.version_required");
    let exact = v1::RetirePluginRequest {
        plugin: plugin.digest,
    };
    let retired = plugins.retire_plugin(exact).await.unwrap().into_inner();
    assert_eq!(retired.state(), v1::PluginState::Retired);
}

#[tokio::test]
async fn a_circuit_is_registered_downloaded_and_checked_against() {
    let server = server().await;
    let mut circuits = CircuitsClient::new(channel(&server).await);
    let put = v1::PutCircuitRequest {
        plugin: "merkle".to_owned(),
        params: Some("{\"depth\":8}".to_owned()),
        wait: None,
    };
    let put = circuits.put_circuit(put).await.unwrap().into_inner();
    assert_eq!(put.circuit.unwrap().params, "{\"depth\":8}");
    let shown = v1::GetCircuitRequest {
        circuit: CIRCUIT.to_owned(),
        wait: None,
    };
    let shown = circuits.get_circuit(shown).await.unwrap().into_inner();
    assert_eq!(shown.state(), v1::CircuitState::Ready);
    let download = v1::DownloadCircuitRequest {
        circuit: CIRCUIT.to_owned(),
    };
    let mut parts = circuits
        .download_circuit(download)
        .await
        .unwrap()
        .into_inner();
    let mut bytes = Vec::new();
    let mut digest = String::new();
    while let Some(part) = parts.next().await {
        let part = part.unwrap();
        digest.push_str(&part.digest);
        bytes.extend(part.bytes);
    }
    assert_eq!(bytes, CIRCUIT_BYTES);
    assert_eq!(digest, shown.circuit_digest.unwrap());
    let check = v1::CheckInputRequest {
        circuit: CIRCUIT.to_owned(),
        input: "{\"good\":1}".to_owned(),
        reveal: false,
    };
    assert!(
        circuits
            .check_input(check)
            .await
            .unwrap()
            .into_inner()
            .satisfied
    );
}

#[tokio::test]
async fn proofs_have_their_verdicts_alone_and_in_batches() {
    let server = server().await;
    let mut proofs = ProofsClient::new(channel(&server).await);
    let root = v1::Elements {
        values: vec![format!("0x{}", "07".repeat(32))],
    };
    let one = v1::VerifyProofRequest {
        circuit: CIRCUIT.to_owned(),
        public_inputs: [("root".to_owned(), root.clone())].into(),
        proof: PROOF.to_vec(),
    };
    assert!(proofs.verify_proof(one).await.unwrap().into_inner().valid);
    let claim = |proof: &[u8]| v1::verify_proofs_request::Claim {
        public_inputs: [("root".to_owned(), root.clone())].into(),
        proof: proof.to_vec(),
    };
    let batch = |claims| v1::VerifyProofsRequest {
        circuit: CIRCUIT.to_owned(),
        proofs: claims,
    };
    let many = batch(vec![claim(PROOF), claim(b"another")]);
    let report = proofs.verify_proofs(many).await.unwrap().into_inner();
    let valid: Vec<bool> = report
        .verdicts
        .iter()
        .map(|verdict| verdict.valid)
        .collect();
    assert_eq!(
        (report.valid, valid.as_slice()),
        (false, &[true, false][..])
    );
    let refused = proofs.verify_proofs(batch(vec![])).await.unwrap_err();
    assert_eq!(code(&refused).0, "request.batch");
    let refused = proofs
        .verify_proofs(batch(vec![claim(PROOF); 100]))
        .await
        .unwrap_err();
    assert_eq!(code(&refused).0, "request.batch");
}

#[tokio::test]
async fn every_refusal_has_its_stable_code_and_the_status_that_belongs_to_it() {
    let server = server().await;
    let mut tasks = TasksClient::new(channel(&server).await);
    let with = |change: fn(&mut v1::SubmitTaskRequest)| {
        let mut request = asked();
        change(&mut request);
        request
    };
    for (request, wanted) in [
        (with(|r| r.input = "{".to_owned()), "json.syntax"),
        (with(|r| r.input = "[".repeat(1000)), "json.depth"),
        (
            with(|r| r.input = "{\"a\":1,\"a\":1}".to_owned()),
            "json.duplicate_key",
        ),
        (with(|r| r.input = "1e400".to_owned()), "json.number"),
        (with(|r| r.params = Some("nul".to_owned())), "json.syntax"),
        (with(|r| r.target = None), "task.target"),
        (with(|r| r.priority = Some(4_000_000_000)), "task.priority"),
        (with(|r| r.deadline = Some("soon".to_owned())), "json.type"),
        (
            with(|r| r.idempotency_key = Some(String::new())),
            "request.idempotency_key",
        ),
        (with(|r| r.wait = Some("2h".to_owned())), "request.wait"),
    ] {
        let status = tasks.submit_task(request).await.unwrap_err();
        assert_eq!(code(&status), (wanted, Code::InvalidArgument));
    }
    let list = |change: fn(&mut v1::ListTasksRequest)| {
        let mut request = v1::ListTasksRequest::default();
        change(&mut request);
        request
    };
    for (request, wanted) in [
        (list(|r| r.state = 99), "request.query"),
        (list(|r| r.sort = -1), "request.query"),
        (list(|r| r.limit = Some(0)), "request.query"),
        (list(|r| r.before = Some("é".to_owned())), "request.cursor"),
    ] {
        let status = tasks.list_tasks(request).await.unwrap_err();
        assert_eq!(code(&status), (wanted, Code::InvalidArgument));
    }
    let get = |task: &str| v1::GetTaskRequest {
        task: task.to_owned(),
        wait: None,
    };
    let status = tasks.get_task(get("tsk_1")).await.unwrap_err();
    assert_eq!(code(&status), ("request.id", Code::InvalidArgument));
    let status = tasks.get_task(get(FIRST)).await.unwrap_err();
    assert_eq!(code(&status), ("task.unknown", Code::NotFound));
    let stop = v1::CancelTaskRequest {
        task: DONE.to_owned(),
    };
    let status = tasks.cancel_task(stop).await.unwrap_err();
    assert_eq!(code(&status), ("task.finished", Code::FailedPrecondition));
    let panics = with(|r| r.input = "{\"panic\":1}".to_owned());
    let status = tasks.submit_task(panics).await.unwrap_err();
    assert_eq!(code(&status), ("internal", Code::Internal));
    server.assert_alive().await;
}

#[tokio::test]
async fn health_is_told_by_service_and_as_it_changes() {
    let server = server().await;
    let mut health = HealthClient::new(bare(&server).await);
    let of = |service: &str| HealthCheckRequest {
        service: service.to_owned(),
    };
    for (unready, status) in [(false, 1), (true, 2)] {
        server.house.change(|facts| facts.unready = unready);
        for service in ["", "aureole.v1.Tasks"] {
            let told = health.check(of(service)).await.unwrap().into_inner();
            assert_eq!(told.status, status, "{service}");
        }
        let mut told = health.watch(of("")).await.unwrap().into_inner();
        assert_eq!(told.next().await.unwrap().unwrap().status, status);
    }
    let refused = health.check(of("nobody")).await.unwrap_err();
    assert_eq!(code(&refused), ("request.service", Code::NotFound));
}

#[tokio::test]
async fn reflection_lists_every_service_and_every_method_has_its_row() {
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let server = server().await;
    let mut reflection = ServerReflectionClient::new(bare(&server).await);
    let asked = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut told = reflection
        .server_reflection_info(tokio_stream::iter([asked]))
        .await
        .unwrap()
        .into_inner();
    let answer = told.next().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else {
        panic!("{answer:?}")
    };
    let listed: BTreeSet<String> = list.service.into_iter().map(|one| one.name).collect();
    let routed: BTreeSet<String> = aureole_gateway::table()
        .filter_map(|(_, path, _)| {
            let (service, _) = path.strip_prefix('/')?.split_once('/')?;
            service.contains('.').then(|| service.to_owned())
        })
        .collect();
    assert_eq!(listed, routed);
}

/// A key of each role but the administrator's, and which of an author's, a user's and a reader's
/// calls it may make.
const ROLES: [(Role, &str, [bool; 3]); 3] = [
    (
        Role::Author,
        "aur_b000000000000000_b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0",
        [true, true, true],
    ),
    (
        Role::Submitter,
        "aur_c000000000000000_c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0",
        [false, true, true],
    ),
    (
        Role::Auditor,
        "aur_d000000000000000_d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0",
        [false, false, true],
    ),
];

fn admit_all(server: &Server) {
    server.house.change(|facts| {
        for (role, key, _) in ROLES {
            facts.keys.push(admit(key, "acme", role));
        }
    });
}

#[tokio::test]
async fn a_key_opens_the_methods_of_its_role_and_no_other_and_without_one_none_is_open() {
    let server = server().await;
    admit_all(&server);
    let retire = || v1::RetirePluginRequest {
        plugin: "merkle@0.1.0".to_owned(),
    };
    for (role, key, may) in ROLES {
        let mut plugins = PluginsClient::new(with(&server, key).await);
        let mut tasks = TasksClient::new(with(&server, key).await);
        let authors = plugins.retire_plugin(retire()).await.map(drop);
        let users = tasks.submit_task(asked()).await.map(drop);
        let list = v1::ListTasksRequest::default();
        let readers = tasks.list_tasks(list).await.map(drop);
        for (answer, may) in [authors, users, readers].iter().zip(may) {
            let refused = answer.as_ref().err().map(code);
            let forbidden = Some(("access.forbidden", Code::PermissionDenied));
            assert_eq!(refused == forbidden, !may, "{role} {answer:?}");
        }
    }
    let unknown = "aur_0000000000000000_7e577e577e577e577e577e577e577e577e577e57";
    for nobody in [Some(unknown), Some("nonsense"), None] {
        let status = match nobody {
            Some(key) => {
                let mut tasks = TasksClient::new(with(&server, key).await);
                tasks.submit_task(asked()).await.unwrap_err()
            }
            None => {
                let mut tasks = TasksClient::new(bare(&server).await);
                tasks.submit_task(asked()).await.unwrap_err()
            }
        };
        let wanted = ("access.unauthenticated", Code::Unauthenticated);
        assert_eq!(code(&status), wanted, "{nobody:?}");
    }
    // The author's and the submitter's, and nobody else's.
    assert_eq!(server.house.0.borrow().submissions.len(), 2);
}

#[tokio::test]
async fn both_wires_take_from_one_bucket() {
    let server = server_at(Rates {
        tenant: NonZeroU32::new(5),
        key: None,
    })
    .await;
    admit_all(&server);
    let [(_, key, _), ..] = ROLES;
    let mut tasks = TasksClient::new(with(&server, key).await);
    let mut refused = None;
    for _ in 0..100 {
        if let Err(status) = tasks.list_tasks(v1::ListTasksRequest::default()).await {
            refused = Some(status);
            break;
        }
    }
    let refused = refused.expect("a hundred calls passed a limit of five a second");
    assert_eq!(code(&refused), ("access.rate", Code::ResourceExhausted));
    let wait = refused.metadata().get("retry-after").unwrap();
    assert!(["1", "2"].contains(&wait.to_str().unwrap()), "{wait:?}");
    let over_rest = format!(
        "GET /api/v1/me HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\r\n"
    );
    assert_eq!(server.raw(over_rest).await.status, 429);
}

#[tokio::test]
async fn receipts_and_the_log_are_read_as_rest_reads_them() {
    let server = server().await;
    let mut receipts = ReceiptsClient::new(channel(&server).await);
    let task = |task: &str| v1::GetReceiptRequest {
        task: task.to_owned(),
    };
    let receipt = receipts.get_receipt(task(DONE)).await.unwrap().into_inner();
    let receipt: serde_json::Value = serde_json::from_str(&receipt.json).unwrap();
    assert_eq!(receipt["format"], "aureole-receipt/1");
    let unknown = receipts.get_receipt(task(FIRST)).await.unwrap_err();
    assert_eq!(code(&unknown), ("task.unknown", Code::NotFound));
    let note = receipts.get_checkpoint(v1::GetCheckpointRequest {}).await;
    assert_eq!(note.unwrap().into_inner().note, "Checkpoint");
    let key = receipts.get_log_key(v1::GetLogKeyRequest {}).await;
    assert_eq!(key.unwrap().into_inner().key, "Key");
    let tile = |path: &str| v1::GetTileRequest {
        path: path.to_owned(),
    };
    let found = receipts.get_tile(tile("0/x001/234.p/5")).await.unwrap();
    assert_eq!(found.into_inner().digest.len(), 64);
    let none = receipts.get_tile(tile("../0")).await.unwrap_err();
    assert_eq!(code(&none), ("log.tile", Code::NotFound));
    let index = v1::ProveInclusionRequest {
        index: 7,
        size: Some(9),
    };
    let proof = receipts.prove_inclusion(index).await.unwrap().into_inner();
    assert_eq!((proof.of, proof.size), (7, 9));
    let from = v1::ProveConsistencyRequest { from: 3, to: None };
    let proof = receipts.prove_consistency(from).await.unwrap().into_inner();
    assert_eq!((proof.of, proof.size), (3, 10));
}

#[tokio::test]
async fn verifying_keys_are_listed_published_and_revoked() {
    let server = server().await;
    let mut keys = KeysClient::new(channel(&server).await);
    let list = keys.list_verifying_keys(v1::ListVerifyingKeysRequest {});
    assert_eq!(list.await.unwrap().into_inner().keys[0].name, "votes");
    let named = |name: &str| v1::GetVerifyingKeyRequest {
        name: name.to_owned(),
    };
    let shown = keys.get_verifying_key(named("votes")).await.unwrap();
    let shown = shown.into_inner();
    assert_eq!(shown.versions[0].state(), v1::VerifyingKeyState::Current);
    let unknown = keys.get_verifying_key(named("none")).await.unwrap_err();
    assert_eq!(code(&unknown), ("verifying_key.unknown", Code::NotFound));
    let publish = |circuit: &str| v1::PublishVerifyingKeyRequest {
        name: "votes".to_owned(),
        circuit: circuit.to_owned(),
    };
    let published = keys.publish_verifying_key(publish(CIRCUIT)).await.unwrap();
    assert_eq!(published.into_inner().versions[0].circuit, CIRCUIT);
    let malformed = keys.publish_verifying_key(publish("cir_")).await;
    assert_eq!(code(&malformed.unwrap_err()).0, "request.id");
    let of = v1::GetCircuitKeyRequest {
        circuit: CIRCUIT.to_owned(),
    };
    let key = keys.get_circuit_key(of).await.unwrap().into_inner();
    assert_eq!((key.names.len(), key.revoked), (1, None));
    let revoke = v1::RevokeVerifyingKeyRequest {
        circuit: CIRCUIT.to_owned(),
        reason: "a gate lacks a constraint".to_owned(),
    };
    let revoked = keys.revoke_verifying_key(revoke).await.unwrap();
    let revoked = revoked.into_inner().revoked.unwrap();
    assert_eq!(revoked.reason, "a gate lacks a constraint");
}

#[tokio::test]
async fn who_watches_health_without_a_key_takes_nobodys_place() {
    let server = server_with(Config {
        watchers_max: 1,
        ..Config::default()
    })
    .await;
    server.house.change(|facts| {
        facts.tasks.insert(FIRST.to_owned(), task(FIRST));
    });
    let of_node = HealthCheckRequest::default;
    let mut health = HealthClient::new(bare(&server).await);
    let mut held = Vec::new();
    for _ in 0..limits::HEALTH_WATCHERS_MAX {
        held.push(health.watch(of_node()).await.unwrap().into_inner());
    }
    let mut another = HealthClient::new(bare(&server).await);
    let refused = another.watch(of_node()).await.unwrap_err();
    assert_eq!(code(&refused), ("node.busy", Code::Unavailable));
    let mut tasks = TasksClient::new(channel(&server).await);
    let watch = v1::WatchTaskRequest {
        task: FIRST.to_owned(),
        last_event_id: None,
    };
    let mut events = tasks.watch_task(watch).await.unwrap().into_inner();
    assert!(events.next().await.unwrap().is_ok());
}

#[tokio::test]
async fn a_message_without_a_key_is_small() {
    let server = server().await;
    let mut health = HealthClient::new(bare(&server).await);
    let large = HealthCheckRequest {
        service: "x".repeat(20 * 1024),
    };
    let refused = health.check(large).await.unwrap_err();
    assert_eq!(
        code(&refused),
        ("request.too_large", Code::ResourceExhausted)
    );
}

#[tokio::test]
async fn a_batch_of_many_empty_items_is_refused_before_it_is_decoded() {
    let server = server().await;
    let mut tasks = TasksClient::new(channel(&server).await);
    // Four bytes under two MiB: two for each item, and with each a hundred and fifty in memory.
    let flood = v1::SubmitTasksRequest {
        tasks: vec![v1::SubmitTaskRequest::default(); 1_000_000],
        ..v1::SubmitTasksRequest::default()
    };
    let refused = tasks.submit_tasks(flood).await.unwrap_err();
    assert_eq!(code(&refused), ("request.batch", Code::InvalidArgument));
    let detail = refused.message();
    assert!(detail.contains("fields"), "it was decoded: {detail}");
}

#[tokio::test]
async fn a_large_message_takes_from_the_budget_until_it_is_answered() {
    let server = server_with(Config {
        json_in_flight_max: 100 * 1024,
        ..Config::default()
    })
    .await;
    let large = |wait: Option<&str>| v1::SubmitTaskRequest {
        input: format!("{{\"leaves\":\"{}\"}}", "x".repeat(150 * 1024)),
        idempotency_key: None,
        wait: wait.map(str::to_owned),
        ..asked()
    };
    let mut tasks = TasksClient::new(channel(&server).await);
    let waiting = tokio::spawn({
        let (mut tasks, large) = (tasks.clone(), large(Some("60s")));
        async move { tasks.submit_task(large).await }
    });
    server
        .house
        .until(|facts| facts.submissions.len() == 1)
        .await;
    let refused = tasks.submit_task(large(None)).await.unwrap_err();
    assert_eq!(code(&refused), ("node.busy", Code::Unavailable));
    server.house.change(|facts| {
        let ended = done(facts.tasks[FIRST].clone());
        facts.tasks.insert(FIRST.to_owned(), ended);
    });
    waiting.await.unwrap().unwrap();
    tasks.submit_task(large(None)).await.unwrap();
}

#[tokio::test]
async fn an_upload_that_is_put_off_says_so_and_not_that_it_is_malformed() {
    let server = server_with(Config {
        json_in_flight_max: 200 * 1024,
        ..Config::default()
    })
    .await;
    let head = v1::put_plugin_request::Part::Head(v1::put_plugin_request::Head::default());
    let part = || v1::put_plugin_request::Part::Bytes(vec![7; 100 * 1024]);
    let parts = [head, part(), part(), part(), part()];
    let messages = parts.map(|part| v1::PutPluginRequest { part: Some(part) });
    let mut plugins = PluginsClient::new(channel(&server).await);
    let sent = tokio_stream::iter(messages);
    let refused = plugins.put_plugin(sent).await.unwrap_err();
    assert_eq!(code(&refused), ("node.busy", Code::Unavailable));
}
