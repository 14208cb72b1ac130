//! Many at once: batches of tasks and of proofs, the list over ledger and archive in either order,
//! and a task's events to its end.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use aureole_tests::{KEY, Node, Options, PATIENCE, http, preimage_input};
use serde_json::{Value, json};

/// The ids of a list, page by page.
fn listed(node: &Node, query: &str) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    let mut before = String::new();
    loop {
        let path = format!("/api/v1/tasks?limit=2{query}{before}");
        let page = http::get(node.url(), &path)?.json()?;
        let tasks = page["tasks"].as_array().context("no tasks")?;
        ids.extend(
            tasks
                .iter()
                .filter_map(|task| task["id"].as_str())
                .map(str::to_owned),
        );
        match page["next"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => return Ok(ids),
        }
        ensure!(ids.len() < 100, "the list does not end: {ids:?}");
    }
}

/// A done task as the claim of a batch.
fn claim(task: &Value) -> Value {
    json!({"public_inputs": task["public_inputs"], "proof": task["proof"]["base64"]})
}

#[tokio::test]
async fn a_batch_is_proved_listed_in_both_orders_and_verified_at_once() -> anyhow::Result<()> {
    // What is finished moves to the archive, all but the newest two.
    let options = Options {
        config: "[archive]\nledger_tasks = 2\n".to_owned(),
        ..Options::default()
    };
    let node = Node::start_with(options)?.having(&["preimage"]).await?;
    let items: Vec<Value> = (1..=5)
        .map(|seed| json!({"plugin": "preimage", "input": preimage_input(seed)}))
        .collect();
    let mut wrong = items.clone();
    wrong.push(json!({"plugin": "nobody", "input": {}}));
    let asked = json!({"tasks": wrong}).to_string();
    let report = http::post_json(node.url(), "/api/v1/tasks:batch", &asked)?.json()?;
    let items = report["items"].as_array().context("no items")?;
    ensure!(items.len() == 6, "{report}");
    assert_eq!(items[5]["problem"]["code"], "plugin.unknown", "{report}");
    let mut submitted = Vec::new();
    for item in &items[..5] {
        submitted.push(item["task"]["id"].as_str().context("refused")?.to_owned());
    }
    for id in &submitted {
        node.done(id).await?;
    }
    let newest = listed(&node, "")?;
    let mut oldest = listed(&node, "&sort=oldest")?;
    oldest.reverse();
    assert_eq!(newest, oldest);
    let mut sorted = [submitted.clone(), newest.clone()];
    sorted.iter_mut().for_each(|ids| ids.sort());
    assert_eq!(sorted[0], sorted[1], "each once");
    let tasks: Vec<Value> = submitted
        .iter()
        .map(|id| http::get(node.url(), &format!("/api/v1/tasks/{id}"))?.json())
        .collect::<Result<_, _>>()?;
    let circuit = tasks[0]["circuit"].as_str().context("no circuit")?;
    assert_eq!(listed(&node, &format!("&circuit={circuit}"))?, newest);
    let elsewhere = "&circuit=cir_00000000000000000000000000000000";
    assert!(listed(&node, elsewhere)?.is_empty());

    let mut swapped = claim(&tasks[1]);
    swapped["public_inputs"] = tasks[2]["public_inputs"].clone();
    let mut short = claim(&tasks[3]);
    short["proof"] = json!("AAAA");
    let asked = json!({
        "circuit": circuit,
        "proofs": [claim(&tasks[0]), swapped, short, claim(&tasks[4])],
    });
    let path = "/api/v1/proofs/verify:batch";
    let report = http::post_json(node.url(), path, &asked.to_string())?.json()?;
    let verdicts: Vec<Option<bool>> = report["verdicts"]
        .as_array()
        .context("no verdicts")?
        .iter()
        .map(|verdict| verdict["valid"].as_bool())
        .collect();
    let wanted = [true, false, false, true].map(Some);
    assert_eq!(verdicts, wanted, "{report}");
    assert_eq!(report["valid"], false);
    Ok(())
}

#[tokio::test]
async fn behind_a_queue_a_submission_is_answered_at_once() -> anyhow::Result<()> {
    let node = Node::with_plugins(&["preimage"]).await?;
    let items: Vec<Value> = (0..100)
        .map(|number| json!({"plugin": "preimage", "input": preimage_input(number)}))
        .collect();
    let asked = json!({"tasks": items}).to_string();
    let report = http::post_json(node.url(), "/api/v1/tasks:batch", &asked)?.json()?;
    assert_eq!(report["items"].as_array().map(Vec::len), Some(100));
    let mut shortest = PATIENCE;
    for item in &items[..20] {
        let begun = Instant::now();
        let answer = http::post_json(node.url(), "/api/v1/tasks", &item.to_string())?;
        ensure!(answer.status == 202, "{answer:?}");
        shortest = shortest.min(begun.elapsed());
    }
    // Who waits for a worker waits a quarter of a second.
    assert!(shortest < Duration::from_millis(250), "{shortest:?}");
    Ok(())
}

#[tokio::test]
async fn the_events_of_a_task_end_with_its_proof() -> anyhow::Result<()> {
    let node = Node::with_plugins(&["preimage"]).await?;
    let asked = json!({"plugin": "preimage", "input": preimage_input(7)}).to_string();
    let task = http::post_json(node.url(), "/api/v1/tasks", &asked)?.json()?;
    let id = task["id"].as_str().context("refused")?;
    let key = format!("Bearer {KEY}");
    let path = format!("/api/v1/tasks/{id}/events");
    let headers = [("authorization", key.as_str())];
    // The answer is whole when the task has ended.
    let told = http::send_within(PATIENCE, node.url(), "GET", &path, &headers, b"")?;
    assert_eq!(told.status, 200);
    let text = String::from_utf8(told.body)?;
    let states: Vec<Value> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let last = states.last().context("nothing was told")?;
    assert_eq!(last["state"], "done", "{text}");
    assert_eq!(last["task"], id);
    ensure!(!text.contains("lagged"), "{text}");
    Ok(())
}
