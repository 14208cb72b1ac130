//! Tenants on a real node: whose is whose, what is the same as unknown, what a quota refuses, and keys
//! that open nothing any more.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use aureole_client::rest::{
    KeyRequest, Quotas, Role, Sharing, TaskRequest, TaskState, TenantRequest, Timestamp,
};
use aureole_client::{Client, Error, TaskQuery};
use aureole_tests::http::{self, Answer};
use aureole_tests::{KEY, Node, client_of, eventually, key_of, preimage_input};
use serde_json::{Value, json};

/// Asks with a key.
fn ask(node: &Node, key: &str, method: &str, path: &str) -> anyhow::Result<Answer> {
    let bearer = format!("Bearer {key}");
    http::send(node.url(), method, path, &[("authorization", &bearer)], b"")
}

/// The code of a refusal.
fn code<T: std::fmt::Debug>(refused: Result<T, Error>) -> anyhow::Result<String> {
    let error = refused.err().context("it was not refused")?;
    let problem = error.problem().context("it was no refusal of the node")?;
    Ok(problem.code().to_owned())
}

/// What a refusal says, but for the ids that were asked for.
fn refusal(answer: &Answer, asked: &str) -> anyhow::Result<(u16, Value)> {
    let mut body = answer.json()?;
    body["request_id"] = Value::Null;
    let text = body.to_string().replace(asked, "ID");
    Ok((answer.status, serde_json::from_str(&text)?))
}

#[tokio::test]
async fn what_is_anothers_is_answered_as_if_it_were_not_there() -> anyhow::Result<()> {
    let node = Node::with_plugins(&["preimage"]).await?;
    let task = node
        .client()?
        .submit_to("preimage", &preimage_input(1))
        .await?;
    let task = node.done(&task.id).await?;
    let circuit = task.circuit.clone().context("no circuit")?;
    let plugin = node.client()?.plugin("preimage", Duration::ZERO).await?;
    let key = key_of(node.url(), "acme", Role::Author).await?.secret;
    let none = "0".repeat(32);
    let pairs = [
        ("GET", "/api/v1/tasks/ID", &*task.id, format!("tsk_{none}")),
        (
            "DELETE",
            "/api/v1/tasks/ID",
            &task.id,
            format!("tsk_{none}"),
        ),
        (
            "GET",
            "/api/v1/tasks/ID?wait=10ms",
            &task.id,
            format!("tsk_{none}"),
        ),
        (
            "GET",
            "/api/v1/tasks/ID/proof",
            &task.id,
            format!("tsk_{none}"),
        ),
        (
            "GET",
            "/api/v1/tasks/ID/explain",
            &task.id,
            format!("tsk_{none}"),
        ),
        (
            "GET",
            "/api/v1/circuits/ID",
            &circuit,
            format!("cir_{none}"),
        ),
        (
            "GET",
            "/api/v1/circuits/ID/ir",
            &circuit,
            format!("cir_{none}"),
        ),
        ("GET", "/api/v1/plugins/ID", &plugin.digest, none.repeat(2)),
        (
            "DELETE",
            "/api/v1/plugins/ID",
            &plugin.digest,
            none.repeat(2),
        ),
        ("GET", "/api/v1/plugins/ID", "preimage", "nobody".to_owned()),
    ];
    for (method, path, foreign, unknown) in pairs {
        let foreign_answer = ask(&node, &key, method, &path.replace("ID", foreign))?;
        let unknown_answer = ask(&node, &key, method, &path.replace("ID", &unknown))?;
        ensure!(
            foreign_answer.status == 404,
            "{method} {path}: {foreign_answer:?}"
        );
        let (foreign, unknown) = (
            refusal(&foreign_answer, foreign)?,
            refusal(&unknown_answer, &unknown)?,
        );
        ensure!(
            foreign == unknown,
            "{method} {path}: {foreign:?} {unknown:?}"
        );
    }
    let acme = Client::new(node.url())?.with_key(&key);
    let request = TaskRequest {
        circuit: Some(circuit),
        input: preimage_input(1),
        ..TaskRequest::default()
    };
    ensure!(code(acme.submit(&request).await)? == "circuit.unknown");
    ensure!(acme.plugins().await?.plugins.is_empty());
    ensure!(acme.tasks(&TaskQuery::default()).await?.tasks.is_empty());
    // The administrator sees everything, and the task says whose it is.
    ensure!(node.client()?.task(&task.id, Duration::ZERO).await?.tenant == "default");
    Ok(())
}

#[tokio::test]
async fn a_plugin_is_used_by_whom_it_is_shared_with_and_retired_by_its_uploader()
-> anyhow::Result<()> {
    let node = Node::with_plugins(&["preimage"]).await?;
    let admin = node.client()?;
    let beta = client_of(node.url(), "beta", Role::Author).await?;
    let gamma = client_of(node.url(), "gamma", Role::Author).await?;
    let with = vec!["beta".to_owned()];
    let shared = admin
        .share_plugin("preimage", &Sharing::Shared { with })
        .await?;
    ensure!(shared.sharing.is_some());
    let task = beta.submit_to("preimage", &preimage_input(2)).await?;
    ensure!(beta.wait_task(&task.id, WAIT, |_| {}).await?.state == TaskState::Done);
    let seen = beta.plugin("preimage", Duration::ZERO).await?;
    ensure!(
        seen.sharing.is_none(),
        "whom it is shared with is its uploader's business"
    );
    ensure!(code(gamma.submit_to("preimage", &preimage_input(2)).await)? == "plugin.unknown");
    let retired = beta.retire_plugin(&seen.digest).await;
    ensure!(code(retired)? == "plugin.not_yours");
    let published = beta.share_plugin("preimage", &Sharing::Public).await;
    ensure!(code(published)? == "plugin.not_yours");
    // The same bytes, uploaded by another tenant, are its own; publishing is the administrator's.
    let component = aureole_tests::plugin("preimage")?;
    let (own, new) = gamma
        .upload_plugin(component.into(), WAIT, |_, _| {})
        .await?;
    ensure!(new && own.digest == seen.digest);
    let public = gamma.share_plugin("preimage", &Sharing::Public).await;
    ensure!(code(public)? == "access.forbidden");
    admin.retire_plugin(&seen.digest).await?;
    ensure!(code(beta.submit_to("preimage", &preimage_input(3)).await)? == "plugin.unknown");
    let task = gamma.submit_to("preimage", &preimage_input(3)).await?;
    ensure!(gamma.wait_task(&task.id, WAIT, |_| {}).await?.state == TaskState::Done);
    Ok(())
}

#[tokio::test]
async fn an_idempotency_key_is_each_tenants_own_and_no_oracle() -> anyhow::Result<()> {
    let node = Node::with_plugins(&["preimage"]).await?;
    node.client()?
        .share_plugin("preimage", &Sharing::Public)
        .await?;
    let submit = |key: &str, input: &Value| -> anyhow::Result<(u16, Value)> {
        let bearer = format!("Bearer {key}");
        let headers = [
            ("authorization", &*bearer),
            ("content-type", "application/json"),
            ("idempotency-key", "order-7"),
        ];
        let body = json!({"plugin": "preimage", "input": input}).to_string();
        let answer = http::send(
            node.url(),
            "POST",
            "/api/v1/tasks",
            &headers,
            body.as_bytes(),
        )?;
        Ok((answer.status, answer.json()?))
    };
    let acme = key_of(node.url(), "acme", Role::Submitter).await?.secret;
    let beta = key_of(node.url(), "beta", Role::Submitter).await?.secret;
    let (status, first) = submit(&acme, &preimage_input(1))?;
    ensure!(status == 202 || status == 200, "{first}");
    node.done(first["id"].as_str().context("no id")?).await?;
    // The same input and the same key of another tenant: another task.
    let (status, second) = submit(&beta, &preimage_input(1))?;
    ensure!(status == 202 && second["id"] != first["id"], "{second}");
    ensure!(second["tenant"] == "beta", "{second}");
    let second = node.done(second["id"].as_str().context("no id")?).await?;
    let (_, again) = submit(&acme, &preimage_input(1))?;
    ensure!(again["id"] == first["id"], "{again}");
    let (status, conflict) = submit(&acme, &preimage_input(2))?;
    ensure!(
        status == 409 && conflict["code"] == "request.idempotency_conflict",
        "{conflict}"
    );
    // Two proofs of one input by one circuit differ, and so do the tasks that made them.
    let proof =
        |task: &aureole_client::rest::Task| task.proof.as_ref().map(|proof| proof.digest.clone());
    let first = node.done(first["id"].as_str().context("no id")?).await?;
    ensure!(proof(&first) != proof(&second));
    Ok(())
}

#[tokio::test]
async fn one_idempotency_key_from_many_connections_is_one_task() -> anyhow::Result<()> {
    let node = Node::with_plugins(&["preimage"]).await?;
    let body = json!({"plugin": "preimage", "input": preimage_input(9)}).to_string();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (url, body) = (node.url().to_owned(), body.clone());
        calls.spawn_blocking(move || {
            let headers = [
                ("content-type", "application/json"),
                ("idempotency-key", "order-32"),
            ];
            http::send(&url, "POST", "/api/v1/tasks", &headers, body.as_bytes())
        });
    }
    let mut ids = Vec::new();
    while let Some(answer) = calls.join_next().await {
        let answer = answer??;
        ensure!(answer.status < 300, "{answer:?}");
        ids.push(answer.json()?["id"].clone());
    }
    ids.dedup();
    ensure!(ids.len() == 1, "{ids:?}");
    Ok(())
}

#[tokio::test]
async fn a_cursor_of_another_tenant_shows_nothing_of_it() -> anyhow::Result<()> {
    let node = Node::with_plugins(&["preimage"]).await?;
    node.client()?
        .share_plugin("preimage", &Sharing::Public)
        .await?;
    let acme = client_of(node.url(), "acme", Role::Submitter).await?;
    let beta = client_of(node.url(), "beta", Role::Submitter).await?;
    let mine = beta.submit_to("preimage", &preimage_input(0)).await?;
    for number in 1..4 {
        acme.submit_to("preimage", &preimage_input(number)).await?;
    }
    let page = acme.tasks(&query(1, None)).await?;
    let page = beta.tasks(&query(10, page.next)).await?;
    let seen: Vec<&str> = page.tasks.iter().map(|task| &*task.id).collect();
    ensure!(seen == [&*mine.id], "{seen:?}");
    let forged = beta
        .tasks(&query(10, Some("ffff.nothing".to_owned())))
        .await;
    ensure!(code(forged)? == "request.cursor");
    Ok(())
}

#[tokio::test]
async fn a_key_that_was_revoked_expired_or_suspended_opens_nothing_at_once() -> anyhow::Result<()> {
    let node = Node::start()?;
    let admin = node.client()?;
    let status =
        |key: &str| -> anyhow::Result<u16> { Ok(ask(&node, key, "GET", "/api/v1/me")?.status) };
    let made = key_of(node.url(), "acme", Role::Auditor).await?;
    ensure!(status(&made.secret)? == 200);
    let me = Client::new(node.url())?.with_key(&made.secret).me().await?;
    ensure!((&*me.tenant, me.role, &*me.credential) == ("acme", Role::Auditor, &*made.key.id));
    let suspend = |suspended| TenantRequest {
        suspended: Some(suspended),
        ..TenantRequest::default()
    };
    admin.put_tenant("acme", &suspend(true)).await?;
    ensure!(status(&made.secret)? == 401);
    admin.put_tenant("acme", &suspend(false)).await?;
    ensure!(status(&made.secret)? == 200);
    admin.revoke_key(&made.key.id).await?;
    ensure!(status(&made.secret)? == 401);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let soon = u64::try_from(now.as_millis())? + 2_000;
    let request = KeyRequest {
        tenant: "acme".to_owned(),
        role: Role::Auditor,
        label: Some("short".to_owned()),
        expires_at: Some(Timestamp::from_millis(soon)),
    };
    let short = admin.create_key(&request).await?;
    eventually("the key to expire", || async {
        Ok((status(&short.secret)? == 401).then_some(()))
    })
    .await?;
    // What is refused is no tenant's and no key's to make.
    ensure!(code(admin.put_tenant("default", &suspend(true)).await)? == "tenant.default");
    ensure!(code(admin.create_key(&request).await)? == "tenant.field");
    let nobody = KeyRequest {
        tenant: "nobody".to_owned(),
        expires_at: None,
        ..request
    };
    ensure!(code(admin.create_key(&nobody).await)? == "tenant.unknown");
    ensure!(code(admin.revoke_key("aur_0000000000000000").await)? == "key.unknown");
    ensure!(code(admin.usage("nobody").await)? == "tenant.unknown");
    // The trail names who did it, and the secret stands nowhere.
    let trail = serde_json::to_string(&admin.audit().await?)?;
    ensure!(
        trail.contains(&made.key.id) && trail.contains(&KEY[..20]),
        "{trail}"
    );
    for secret in [&made.secret[21..], &KEY[21..]] {
        ensure!(!trail.contains(secret) && !node.log()?.contains(secret));
    }
    Ok(())
}

#[tokio::test]
async fn a_quota_refuses_in_its_unit_and_the_usage_shows_why() -> anyhow::Result<()> {
    let node = Node::with_plugins(&["preimage"]).await?;
    let admin = node.client()?;
    admin.share_plugin("preimage", &Sharing::Public).await?;
    let acme = client_of(node.url(), "acme", Role::Author).await?;
    let limit = async |quotas: Quotas| {
        let change = TenantRequest {
            quotas: Some(quotas),
            ..TenantRequest::default()
        };
        admin.put_tenant("acme", &change).await.map(drop)
    };
    let refused = async |quotas: Quotas, wanted: &str, unit: &str| -> anyhow::Result<()> {
        limit(quotas).await?;
        let error = acme.submit_to("preimage", &preimage_input(1)).await;
        let error = error.err().context("it was not refused")?;
        let problem = error.problem().context("no problem")?;
        ensure!(
            (problem.status(), problem.code()) == (429, wanted),
            "{problem}"
        );
        ensure!(problem.detail().contains(unit), "{problem}");
        ensure!(problem.retry_seconds().is_some());
        Ok(())
    };
    let none = Quotas::default();
    let tasks = Quotas {
        live_tasks: Some(0),
        ..none
    };
    refused(tasks, "quota.live_tasks", "unfinished tasks").await?;
    let bytes = Quotas {
        queued_bytes: Some(10),
        ..none
    };
    refused(bytes, "quota.queued_bytes", "bytes of queued inputs").await?;
    let cores = Quotas {
        core_seconds: Some(0),
        ..none
    };
    refused(cores, "quota.core_seconds", "core-seconds within an hour").await?;
    limit(Quotas {
        stored_bytes: Some(10),
        ..none
    })
    .await?;
    let component = aureole_tests::plugin("merkle")?;
    let upload = acme.upload_plugin(component.into(), WAIT, |_, _| {}).await;
    ensure!(code(upload)? == "quota.stored_bytes");
    limit(none).await?;
    let task = acme.submit_to("preimage", &preimage_input(1)).await?;
    ensure!(acme.wait_task(&task.id, WAIT, |_| {}).await?.state == TaskState::Done);
    let usage = admin.usage("acme").await?;
    ensure!(
        (usage.tasks, usage.proofs, usage.live_tasks) == (1, 1, 0),
        "{usage:?}"
    );
    ensure!(
        usage.input_bytes > 10 && usage.queued_bytes == 0,
        "{usage:?}"
    );
    ensure!(acme.me().await?.usage == usage);
    Ok(())
}

/// How long a proof may take here.
const WAIT: Duration = Duration::from_secs(60);

fn query(limit: u32, before: Option<String>) -> TaskQuery {
    TaskQuery {
        limit: Some(limit),
        before,
        ..TaskQuery::default()
    }
}
