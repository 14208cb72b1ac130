//! What a node tells a collector: figures that are true, a page that Prometheus takes, nothing private,
//! and nowhere but at its own address.

use std::io::Write as _;
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use aureole_tests::{Busy, Node, Options, eventually, http, plugin, preimage_input};
use serde_json::json;

async fn node() -> anyhow::Result<Node> {
    let node = Node::start_with(Options {
        config: "[metrics]\nlisten = \"127.0.0.1:0\"\n".to_owned(),
        ..Options::default()
    })?;
    node.upload(plugin("preimage")?).await?;
    Ok(node)
}

fn page(node: &Node) -> anyhow::Result<String> {
    let url = node.metrics_url()?;
    let base = url.strip_suffix("/metrics").context("another path")?;
    let answer = http::get(base, "/metrics")?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(String::from_utf8(answer.body)?)
}

/// The figure of a series, written as on the page.
fn figure(page: &str, series: &str) -> Option<f64> {
    let line = page.lines().find_map(|line| line.strip_prefix(series));
    line?.trim().parse().ok()
}

/// Series of a node that has proved, and the least that they say.
const TOLD: [(&str, f64); 24] = [
    ("aureole_tasks_submitted_total{kind=\"prove\"}", 1.0),
    ("aureole_tasks_submitted_total{kind=\"inspect\"}", 1.0),
    ("aureole_tasks_ended_total{state=\"done\"}", 2.0),
    ("aureole_leases_granted_total", 2.0),
    ("aureole_stage_duration_seconds_count{stage=\"prove\"}", 1.0),
    (
        "aureole_stage_duration_seconds_count{stage=\"verify\"}",
        1.0,
    ),
    ("aureole_stage_duration_seconds_count{stage=\"queue\"}", 1.0),
    (
        "aureole_worker_stage_duration_seconds_sum{stage=\"prove\"}",
        0.001,
    ),
    (
        "aureole_worker_attempts_total{ended=\"done\",work=\"prove\"}",
        1.0,
    ),
    ("aureole_worker_cache_bytes{cache=\"keys\"}", 1.0),
    ("aureole_worker_cache_bytes{cache=\"code\"}", 1.0),
    ("aureole_receipts_total", 1.0),
    ("aureole_receipts_stored", 1.0),
    ("aureole_raft_is_leader", 1.0),
    ("aureole_raft_term", 1.0),
    ("aureole_raft_log_bytes", 1.0),
    ("aureole_raft_lag_entries{member=\"1\"}", 0.0),
    ("aureole_disk_free_bytes", 1.0),
    ("aureole_queue_seconds{tenant=\"default\"}", 0.0),
    ("aureole_archive_lag_seconds", 0.0),
    ("aureole_tenant_proofs_total{tenant=\"default\"}", 1.0),
    (
        "aureole_tenant_core_seconds_total{tenant=\"default\"}",
        0.001,
    ),
    ("aureole_health_check{check=\"ledger\"}", 1.0),
    ("aureole_worker_joined", 1.0),
];

#[tokio::test]
async fn a_proof_is_told_by_leader_worker_and_gateway() -> anyhow::Result<()> {
    let node = node().await?;
    let task = node
        .client()?
        .submit_to("preimage", &preimage_input(7))
        .await?;
    node.done(&task.id).await?;
    // The leaf of a receipt is written after its proof was accepted.
    let page = eventually("a leaf on disk", || async {
        let page = page(&node)?;
        let stored = figure(&page, "aureole_receipts_stored");
        Ok((stored >= Some(1.0)).then_some(page))
    })
    .await?;
    for (series, least) in TOLD {
        let found = figure(&page, series);
        assert!(
            found.is_some_and(|found| found >= least),
            "{series}: {found:?} in\n{page}"
        );
    }
    let submitted = "aureole_http_requests_total{method=\"POST\",route=\"/api/v1/tasks/{task}\"";
    assert!(
        page.lines().any(|line| line.starts_with(submitted)),
        "{page}"
    );
    Ok(())
}

#[tokio::test]
async fn what_waits_is_told_by_tenant_priority_and_time() -> anyhow::Result<()> {
    let listen = "[metrics]\nlisten = \"127.0.0.1:0\"";
    let Busy { node, .. } = Busy::proving(listen).await?;
    // The only slot is taken for seconds.
    for number in 0..3 {
        let body = json!({"plugin": "preimage", "input": preimage_input(number), "priority": 7});
        let answer = http::post_json(node.url(), "/api/v1/tasks", &body.to_string())?;
        assert_eq!(answer.status, 202, "{answer:?}");
    }
    eventually("a queue on the page", || async {
        let page = page(&node)?;
        let labels = "{priority=\"7\",tenant=\"default\"}";
        let tasks = figure(&page, &format!("aureole_queue_tasks{labels}"));
        let age = figure(&page, &format!("aureole_queue_oldest_age_seconds{labels}"));
        let work = figure(&page, "aureole_queue_seconds{tenant=\"default\"}");
        let told = tasks.zip(age).zip(work);
        Ok(told.filter(|((tasks, age), work)| *tasks >= 1.0 && *age > 0.0 && *work > 0.0))
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn promtool_takes_a_nodes_page() -> anyhow::Result<()> {
    let node = node().await?;
    let mut promtool = aureole_servers::promtool()?
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut input = promtool.stdin.take().context("no input")?;
    input.write_all(page(&node)?.as_bytes())?;
    drop(input);
    let told = promtool.wait_with_output()?;
    ensure!(
        told.status.success() && told.stdout.is_empty() && told.stderr.is_empty(),
        "{told:?}"
    );
    Ok(())
}

#[tokio::test]
async fn no_input_and_no_key_is_on_the_page_and_the_page_is_at_no_other_address()
-> anyhow::Result<()> {
    let node = node().await?;
    let secret = format!("0x{:064x}", 0x5ec3_e7c0_ffee_u64);
    let input = json!({"message": [secret, "not a number"]});
    let refused = http::post_json(node.url(), "/api/v1/tasks/preimage", &input.to_string())?;
    assert!(refused.status >= 400, "{refused:?}");
    let path = format!("/api/v1/plugins/{secret}");
    assert_eq!(http::get(node.url(), &path)?.status, 400);
    let page = page(&node)?;
    assert!(
        !page.contains("5ec3e7c0ffee") && !page.contains("aur_"),
        "{page}"
    );
    assert_eq!(http::get(node.url(), "/metrics")?.status, 404);
    let base = node.metrics_url()?.trim_end_matches("/metrics").to_owned();
    for path in ["/", "/api/v1/tasks", "/metrics/x"] {
        assert_eq!(http::get(&base, path)?.status, 404, "{path}");
    }
    assert_eq!(http::send(&base, "POST", "/metrics", &[], b"")?.status, 405);
    Ok(())
}
