//! A gateway that is no coordinator and finds none.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use aureole_tests::{ACCESS, binary, http, preimage_input};
use serde_json::{Value, json};

/// What every caller is promised.
const PROMISED: Duration = Duration::from_secs(8);

/// Killed when dropped.
struct Gateway(Child);

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_gateway_without_a_leader_lives_and_says_that_it_is_not_ready() -> anyhow::Result<()> {
    // Accepts connections and never says a word.
    let nobody = TcpListener::bind("127.0.0.1:0")?;
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("gateway.toml");
    fs::write(
        &config,
        format!(
            "roles = [\"gateway\"]\n[http]\nlisten = \"127.0.0.1:0\"\n[tls]\nenabled = \
             false\n[cluster]\ncoordinators = [\"{}\"]\n{ACCESS}",
            nobody.local_addr()?
        ),
    )?;
    let mut process = Command::new(binary()?)
        .args(["--output", "json", "serve", "--config"])
        .arg(&config)
        .arg("--data-dir")
        .arg(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let stdout = process.stdout.take().context("no output")?;
    let _gateway = Gateway(process);
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let ready: Value = serde_json::from_str(&line)?;
    let url = ready["url"].as_str().context("no url")?;

    assert_eq!(http::get(url, "/health/live")?.status, 200);
    let health = http::get(url, "/health/ready")?;
    assert_eq!(health.status, 503, "{:?}", health.json());
    let ledger = &health.json()?["checks"][0];
    assert_eq!(ledger["name"], "ledger");
    assert_eq!(ledger["detail"], "no leader has answered yet");

    let asked = Instant::now();
    let body = json!({"plugin": "preimage", "input": preimage_input(1)}).to_string();
    let refused = http::post_json(url, "/api/v1/tasks", &body)?;
    assert_eq!(refused.json()?["code"], "node.no_leader");
    assert!(asked.elapsed() < PROMISED, "{:?}", asked.elapsed());
    Ok(())
}
