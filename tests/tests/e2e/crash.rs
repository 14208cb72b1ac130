//! The node is killed with SIGKILL again and again while tasks are submitted; nothing that it
//! acknowledged is lost, and nothing is done twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use aureole_client::{
    TaskQuery,
    rest::{PluginState, Task, TaskState},
};
use aureole_preimage::Preimage;
use aureole_tests::{Native, Node, PATIENCE, Random, http, preimage_input};
use serde_json::{Value, json};

const SUBMISSIONS: u64 = 50;

/// Submissions under way at a time, so that tasks also die in the queue.
const SUBMITTERS: u64 = 4;

/// How many submissions are under way or just over when the node is killed.
const KILLS: usize = 20;

/// A kill comes this long after its submission began, at most: before the request was read, while
/// it is answered, or while a proof runs.
const DELAY_MAX_MS: u64 = 250;

/// Submits one input until it is acknowledged, however often the node dies meanwhile. The key
/// makes a repeated submission the same task.
fn submit(url: &str, number: u64) -> anyhow::Result<String> {
    let body = json!({"plugin": "preimage", "input": preimage_input(number)}).to_string();
    let key = format!("submission-{number}");
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", key.as_str()),
    ];
    let start = Instant::now();
    loop {
        let answer = http::send(url, "POST", "/api/v1/tasks", &headers, body.as_bytes());
        match answer {
            Ok(answer) if answer.status < 300 => {
                let task: Value = answer.json()?;
                return Ok(task["id"].as_str().unwrap_or_default().to_owned());
            }
            Ok(answer) => assert_eq!(answer.status, 503, "refused: {:?}", answer.json()),
            Err(error) => assert!(start.elapsed() < PATIENCE, "never acknowledged: {error:#}"),
        }
        thread::park_timeout(Duration::from_millis(20));
    }
}

/// One death of the node.
#[derive(Clone, Copy, Debug)]
struct Death {
    /// How long after its submission began.
    delay: Duration,
    /// How long after the start that follows it dies again, if it does.
    again: Option<Duration>,
}

impl Death {
    fn chosen(random: &mut Random) -> Self {
        let mut moment = || Duration::from_millis(random.below(DELAY_MAX_MS));
        let (delay, again) = (moment(), moment());
        let again = (random.below(4) == 0).then_some(again);
        Self { delay, again }
    }
}

/// Kills the node after each announced submission, and starts it again.
fn kill_at(mut node: Node, announced: mpsc::Receiver<Death>) -> anyhow::Result<Node> {
    for death in announced {
        // A chosen moment, not a wait for something to happen.
        thread::sleep(death.delay);
        node.kill()?;
        if let Some(after) = death.again {
            node.die_starting(after)?;
        }
        node.restart()?;
    }
    Ok(node)
}

/// Makes every fourth submission, from `first` on.
fn submit_share(
    url: &str,
    first: u64,
    deaths: &BTreeMap<u64, Death>,
    announce: &mpsc::Sender<Death>,
) -> anyhow::Result<Vec<(u64, String)>> {
    let mut acknowledged = Vec::new();
    for number in (first..SUBMISSIONS).step_by(usize::try_from(SUBMITTERS)?) {
        if let Some(death) = deaths.get(&number) {
            announce.send(*death)?;
        }
        acknowledged.push((number, submit(url, number)?));
    }
    Ok(acknowledged)
}

/// Makes all submissions while the node dies at the given ones.
fn submit_all(
    node: Node,
    deaths: &BTreeMap<u64, Death>,
) -> anyhow::Result<(Node, BTreeMap<u64, String>)> {
    let url = node.url().to_owned();
    let (announce, announced) = mpsc::channel();
    thread::scope(|scope| {
        let killer = scope.spawn(move || kill_at(node, announced));
        let mut shares = Vec::new();
        for first in 0..SUBMITTERS {
            let (url, announce) = (&url, announce.clone());
            shares.push(scope.spawn(move || submit_share(url, first, deaths, &announce)));
        }
        drop(announce);
        let mut acknowledged = BTreeMap::new();
        for share in shares {
            acknowledged.extend(
                share
                    .join()
                    .map_err(|_| anyhow!("a submitter panicked"))??,
            );
        }
        let node = killer
            .join()
            .map_err(|_| anyhow!("the killer panicked"))??;
        Ok((node, acknowledged))
    })
}

#[tokio::test]
async fn a_node_killed_at_random_points_finishes_every_acknowledged_task_once() -> anyhow::Result<()>
{
    let mut random = Random::seeded()?;
    let node = Node::with_plugins(&["preimage"]).await?;
    let mut deaths = BTreeMap::new();
    while deaths.len() < KILLS {
        deaths.insert(random.below(SUBMISSIONS), Death::chosen(&mut random));
    }
    let (node, acknowledged) = submit_all(node, &deaths)?;
    let mut cut_off = 0;
    for (number, id) in &acknowledged {
        cut_off += ends_with_one_verified_proof(&node, *number, id).await?;
    }
    eprintln!("{KILLS} kills cut {cut_off} attempts off");
    nothing_is_there_twice(&node, acknowledged.into_values().collect()).await
}

/// Returns how many attempts at the task a kill cut off.
async fn ends_with_one_verified_proof(node: &Node, number: u64, id: &str) -> anyhow::Result<usize> {
    let task = node.done(id).await?;
    let accepted = task
        .attempts
        .iter()
        .filter(|attempt| attempt.problem.is_none())
        .count();
    assert_eq!(
        accepted, 1,
        "task {id} of submission {number}: {:?}",
        task.attempts
    );
    let native = native()?;
    let shown = task
        .public_inputs
        .as_ref()
        .expect("a done task has public inputs");
    let (_, expected) = native.assign(&preimage_input(number))?;
    assert_eq!(
        native.instance(shown)?,
        expected,
        "task {id} proves another submission"
    );
    let proof = node.client()?.proof(id).await?;
    assert!(
        native.verifies(&expected, &proof),
        "the proof of {id} does not verify"
    );
    Ok(task.attempts.len() - accepted)
}

fn native() -> anyhow::Result<&'static Native<Preimage>> {
    static NATIVE: std::sync::OnceLock<Native<Preimage>> = std::sync::OnceLock::new();
    if let Some(native) = NATIVE.get() {
        return Ok(native);
    }
    let k = Native::<Preimage>::recorded(&json!({}))?.k;
    let native = Native::new(&json!({}), k)?;
    Ok(NATIVE.get_or_init(|| native))
}

async fn nothing_is_there_twice(node: &Node, acknowledged: BTreeSet<String>) -> anyhow::Result<()> {
    assert_eq!(
        acknowledged.len() as u64,
        SUBMISSIONS,
        "two submissions have one task"
    );
    let client = node.client()?;
    let mut listed: Vec<Task> = Vec::new();
    let mut query = TaskQuery {
        limit: Some(20),
        ..TaskQuery::default()
    };
    loop {
        let page = client.tasks(&query).await?;
        listed.extend(page.tasks);
        query.before = page.next;
        if query.before.is_none() {
            break;
        }
    }
    let ids: BTreeSet<String> = listed.iter().map(|task| task.id.clone()).collect();
    assert_eq!(ids.len(), listed.len(), "the list shows a task twice");
    assert_eq!(ids, acknowledged, "the list is not what was acknowledged");
    assert!(listed.iter().all(|task| task.state == TaskState::Done));
    let plugins = client.plugins().await?.plugins;
    let states: Vec<_> = plugins
        .iter()
        .map(|plugin| (plugin.label(), plugin.state))
        .collect();
    assert_eq!(states, [("preimage@0.1.0".to_owned(), PluginState::Ready)]);
    Ok(())
}

#[tokio::test]
async fn a_node_killed_during_an_upload_keeps_what_it_acknowledged() -> anyhow::Result<()> {
    let mut node = Node::start()?;
    let component = aureole_tests::plugin("merkle")?;
    let kind = [("content-type", "application/wasm")];
    let answer = http::send(
        node.url(),
        "POST",
        "/api/v1/plugins?wait=0s",
        &kind,
        &component,
    )?;
    assert_eq!(
        answer.status,
        202,
        "it is still being inspected: {:?}",
        answer.json()
    );
    node.kill()?;
    node.restart()?;
    let plugin = node.upload(component).await?;
    assert_eq!(plugin.state, PluginState::Ready);
    assert_eq!(answer.json()?["digest"], plugin.digest.as_str());
    let task = node
        .client()?
        .submit_to("merkle", &aureole_tests::merkle_input())
        .await?;
    node.done(&task.id).await?;
    Ok(())
}
