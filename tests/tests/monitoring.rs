//! What `deployments/monitoring` promises: each alert fires when it should and no query of a dashboard
//! is empty, asked of a real Prometheus that collects a real cluster.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};
use aureole_client::Client;
use aureole_servers::{Prometheus, promtool};
use aureole_tests::{binary, eventually, http, params_dir, plugin, preimage_input};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Coordinators and workers of the cluster that is collected.
const PROCESSES: usize = 5;

fn monitoring() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deployments/monitoring")
}

/// The processes of `aureole dev`; gone when dropped.
struct Cluster {
    parent: Child,
    ready: Value,
}

impl Cluster {
    fn start(folder: &Path) -> anyhow::Result<Self> {
        let mut parent = Command::new(binary()?)
            .args(["--output", "json", "dev", "--nodes", "3", "--workers", "2"])
            .args(["--log", "warn", "--data-dir"])
            .arg(folder)
            .arg("--params-dir")
            .arg(params_dir()?)
            .env("AUREOLE_METRICS_LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = parent.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let ready = serde_json::from_str(&line).with_context(|| format!("not ready: {line}"))?;
        Ok(Self { parent, ready })
    }

    fn client(&self) -> anyhow::Result<Client> {
        let admin = self.ready["admin"].as_str().context("no admin")?;
        let key = std::fs::read_to_string(Path::new(admin).join("admin.key"))?;
        let url = self.ready["processes"][0]["url"].as_str();
        Ok(Client::new(url.context("no gateway")?)?.with_key(key.trim()))
    }

    /// host:port of each process's figures.
    fn targets(&self) -> anyhow::Result<Vec<String>> {
        let processes = self.ready["processes"].as_array().context("no processes")?;
        let targets = processes.iter().map(|process| {
            let url = process["metrics"]
                .as_str()
                .context("a process tells nothing")?;
            let target = url
                .trim_start_matches("http://")
                .trim_end_matches("/metrics");
            Ok(target.to_owned())
        });
        targets.collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let pid = i32::try_from(self.parent.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It stops its own; what is gone already is as good.
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.parent.wait();
    }
}

/// A Prometheus that collects these every second, with our alerts.
fn collector(targets: &[String]) -> anyhow::Result<Prometheus> {
    let config = json!({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [monitoring().join("alerts.yaml").canonicalize()?],
        "scrape_configs": [{
            "job_name": "aureole",
            "static_configs": [{"targets": targets}],
        }],
    });
    // JSON is YAML.
    Prometheus::start(&config.to_string())
}

fn ask(prometheus: &Prometheus, path: &str) -> anyhow::Result<Value> {
    let answer = http::get(&prometheus.url(), path)?;
    let told = answer.json()?;
    ensure!(told["status"] == "success", "{path}: {told}");
    Ok(told["data"].clone())
}

fn query(prometheus: &Prometheus, query: &str) -> anyhow::Result<Vec<Value>> {
    let data = ask(
        prometheus,
        &format!("/api/v1/query?query={}", encoded(query)),
    )?;
    Ok(data["result"].as_array().cloned().unwrap_or_default())
}

/// Text as it stands in a query of a URL.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Dashboard, panel and query, of every dashboard.
fn queries() -> anyhow::Result<Vec<(String, String, String)>> {
    let mut queries = Vec::new();
    for file in std::fs::read_dir(monitoring().join("dashboards"))? {
        let board: Value = serde_json::from_slice(&std::fs::read(file?.path())?)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for panel in board["panels"].as_array().context("no panels")? {
            for target in panel["targets"].as_array().into_iter().flatten() {
                queries.push((
                    text(&board["title"]),
                    text(&panel["title"]),
                    text(&target["expr"]),
                ));
            }
        }
    }
    Ok(queries)
}

/// Series that a cluster tells of only in circumstances that this one is not in, and what they need.
const ONLY_WITH: [(&str, &str); 3] = [
    ("aureole_archive_lag_seconds", "an archive"),
    ("aureole_queue_oldest_age_seconds", "a task that waits"),
    ("aureole_queue_tasks", "a task that waits"),
];

/// The names of our own series in a text.
fn series(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.split(move |letter| !is_part(letter))
        .filter(|name| name.starts_with("aureole_"))
}

/// Proofs, and an input that its circuit refuses: what the dashboards tell of.
async fn work(cluster: &Cluster) -> anyhow::Result<()> {
    let client = cluster.client()?;
    let wait = std::time::Duration::from_secs(60);
    client
        .upload_plugin(plugin("preimage")?.into(), wait, |_, _| {})
        .await?;
    for number in 0..3 {
        let task = client
            .submit_to("preimage", &preimage_input(number))
            .await?;
        eventually("a proof", || async {
            let task = client.task(&task.id, wait).await?;
            Ok(task.state.is_final().then_some(()))
        })
        .await?;
    }
    // Refused by the plugin: the second is a number, and not below the modulus. Whether the answer
    // waits for that is not told here: a panel tells of the refusal.
    let (leaf, too_large) = (format!("0x{:064x}", 1), format!("0x{}", "f".repeat(64)));
    let _ = client
        .submit_to("preimage", &json!({"message": [leaf, too_large]}))
        .await;
    Ok(())
}

#[test]
fn each_alert_fires_when_it_should_and_is_silent_otherwise() -> anyhow::Result<()> {
    for arguments in [
        ["check", "rules", "alerts.yaml"],
        ["test", "rules", "alerts.test.yaml"],
        ["check", "config", "prometheus.yml"],
    ] {
        let told = promtool()?
            .args(arguments)
            .current_dir(monitoring())
            .output()?;
        ensure!(told.status.success(), "{arguments:?}: {told:?}");
    }
    Ok(())
}

#[test]
fn every_alert_has_a_test_and_a_line_in_the_handbook() -> anyhow::Result<()> {
    let read = |path: PathBuf| std::fs::read_to_string(path);
    let rules = read(monitoring().join("alerts.yaml"))?;
    let tests = read(monitoring().join("alerts.test.yaml"))?;
    let handbook = read(monitoring().join("../README.md"))?;
    let names: Vec<&str> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    ensure!(names.len() > 10, "{names:?}");
    for name in names {
        ensure!(
            tests.contains(&format!("alertname: {name}\n")),
            "{name} has no test"
        );
        ensure!(
            handbook.contains(&format!("`{name}`")),
            "{name} is not in the handbook"
        );
    }
    Ok(())
}

#[tokio::test]
async fn every_query_of_every_dashboard_returns_data_of_a_real_cluster() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let cluster = Cluster::start(&folder.path().join("cluster"))?;
    let targets = cluster.targets()?;
    ensure!(targets.len() == PROCESSES, "{targets:?}");
    let prometheus = collector(&targets)?;
    work(&cluster).await?;
    let ask_for = |text: &str| query(&prometheus, text);
    let queries = queries()?;
    ensure!(queries.len() > 40, "only {} queries", queries.len());
    for (board, panel, query) in &queries {
        let what = format!("{board}, {panel}: {query}");
        eventually(&what, || async {
            let rows = ask_for(query)?;
            Ok((!rows.is_empty()).then_some(()))
        })
        .await?;
    }
    let names = ask(&prometheus, "/api/v1/label/__name__/values")?;
    let told: BTreeSet<&str> = names
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let alerts = std::fs::read_to_string(monitoring().join("alerts.yaml"))?;
    let mut asked: BTreeSet<&str> = series(&alerts).collect();
    asked.extend(queries.iter().flat_map(|(_, _, query)| series(query)));
    let unknown: Vec<_> = asked
        .difference(&told)
        .filter(|name| !ONLY_WITH.iter().any(|(series, _)| series == *name))
        .collect();
    ensure!(unknown.is_empty(), "nobody tells {unknown:?}");
    let up = ask_for("up{job=\"aureole\"} == 1")?;
    ensure!(up.len() == PROCESSES, "{up:?}");
    let rules = ask(&prometheus, "/api/v1/rules")?;
    for rule in rules["groups"][0]["rules"].as_array().context("no rules")? {
        ensure!(rule["health"] == "ok", "{rule}");
        ensure!(rule["state"] != "firing", "{rule}");
    }
    Ok(())
}
