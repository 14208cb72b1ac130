//! Children that end: killed, out of time, out of memory, without a parent, or not children.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aureole_store::Digest;
use aureole_worker::child::Kind;
use aureole_worker::{ChildCommand, Error, Provers, ProversConfig, Seen};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::oneshot;

use crate::fixture::{Fixture, circuit, secret_witness};

/// Work of many seconds: parameters for k = 15, in a folder that has none.
fn slow(fixture: &Fixture, timeout: Duration) -> Provers {
    let mut config = fixture.provers_config();
    config.params_dir = fixture.path().join("params");
    config.prove_timeout = timeout;
    Provers::new(config, fixture.depot.clone().into())
}

const LONG: Duration = Duration::from_secs(60);
const K: u32 = 15;

#[tokio::test]
async fn a_killed_child_is_a_typed_error_and_the_next_call_works() {
    let fixture = Fixture::new("killed");
    let provers = slow(&fixture, LONG);
    let on_k = |_| {
        for id in fixture.children("prover") {
            kill_process(Pid::from_raw(id).unwrap(), Signal::KILL).unwrap();
        }
    };
    let error = provers.generate_params(K, K, on_k).await.unwrap_err();
    let Error::Crashed {
        kind: Kind::Prover,
        ref seen,
        ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!(seen.signal, Some(9));
    let (problem, retryable) = error.to_problem();
    assert_eq!(
        (problem.code.as_str(), retryable),
        ("task.prover_crashed", true)
    );

    let digest = fixture.depot.put(circuit()).await.unwrap();
    assert!(
        provers
            .prove(&digest, &secret_witness(), |_| {})
            .await
            .unwrap()
            .is_ok()
    );
}

#[tokio::test]
async fn work_over_its_time_is_killed_and_the_next_call_works() {
    let fixture = Fixture::new("timeout");
    let provers = slow(&fixture, Duration::from_millis(300));
    let mut ids = Vec::new();
    let on_k = |_| ids = fixture.children("prover");
    let error = provers.generate_params(K, K, on_k).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Timeout {
                kind: Kind::Prover,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(error.to_problem().0.code, "task.timeout");
    fixture.gone("prover", &ids).await;
    provers.generate_params(5, 5, |_| {}).await.unwrap();
}

#[tokio::test]
async fn dropping_a_call_kills_the_child_that_works_on_it() {
    let fixture = Fixture::new("dropped");
    let provers = slow(&fixture, LONG);
    let (started, begun) = oneshot::channel();
    let mut started = Some(started);
    let on_k = |_| {
        started
            .take()
            .unwrap()
            .send(fixture.children("prover"))
            .unwrap();
    };
    let ids = tokio::select! {
        result = provers.generate_params(K, K, on_k) => panic!("{result:?}"),
        ids = begun => ids.unwrap(),
    };
    assert_eq!(ids.len(), 1);
    fixture.gone("prover", &ids).await;
    provers.generate_params(5, 5, |_| {}).await.unwrap();
}

#[tokio::test]
async fn dropping_the_pool_ends_its_children() {
    let fixture = Fixture::new("pool");
    let provers = fixture.provers();
    provers.fill().await.unwrap();
    let ids = fixture.children("prover");
    assert_eq!(ids.len(), 1);
    drop(provers);
    fixture.gone("prover", &ids).await;
}

// macOS knows the limit and does not enforce it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_child_out_of_memory_is_told_apart_from_a_crash() {
    let fixture = Fixture::new("memory");
    let with_memory = |memory_bytes| {
        let config = fixture.provers_config();
        let config = ProversConfig {
            address_bytes: memory_bytes,
            threads: 1,
            ..config
        };
        Provers::new(config, fixture.depot.clone().into())
    };
    let (large, digest) = (vec![0; 90 << 20], Digest::of(b""));
    let batch = [(large.as_slice(), large.as_slice())];
    let error = with_memory(100 << 20)
        .verify_batch(&digest, &batch)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::OutOfMemory { limit, .. } if limit == 100 << 20),
        "{error}"
    );
    assert_eq!(error.to_problem().0.code, "task.prover_crashed");
    // With more room the same message only lacks a circuit.
    let error = with_memory(400 << 20)
        .verify_batch(&digest, &batch)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Depot(_)), "{error}");
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_by_the_sender() {
    let fixture = Fixture::new("large");
    let large = vec![0; 100 << 20];
    let batch = [(large.as_slice(), large.as_slice())];
    let error = fixture
        .provers()
        .verify_batch(&Digest::of(b""), &batch)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    assert_eq!(error.to_problem().0.code, "limits.cost");
}

/// Sends a message in the pipes' own form.
fn send(child: &mut std::process::Child, header: &str) {
    let stdin = child.stdin.as_mut().unwrap();
    stdin
        .write_all(&u32::try_from(header.len()).unwrap().to_le_bytes())
        .unwrap();
    stdin.write_all(&0_u32.to_le_bytes()).unwrap();
    stdin.write_all(header.as_bytes()).unwrap();
    stdin.flush().unwrap();
}

fn receive(child: &mut std::process::Child) -> String {
    let stdout = child.stdout.as_mut().unwrap();
    let mut counts = [0; 8];
    stdout.read_exact(&mut counts).unwrap();
    let mut header = vec![0; u32::from_le_bytes(counts[..4].try_into().unwrap()) as usize];
    stdout.read_exact(&mut header).unwrap();
    String::from_utf8(header).unwrap()
}

#[test]
fn a_child_without_a_parent_ends_soon_even_while_it_works() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_aureole-child"))
        .arg("prover")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    send(
        &mut child,
        &format!(
            r#"{{"start":{{"memory_bytes":4294967296,"cpu_seconds":null,"nice":0,"role":
            {{"prover":{{"params_dir":{:?},"threads":2,"key_cache_bytes":1000,"limits":
            {{"k_max":14,"key_bytes_max":0,"prove_bytes_max":0,"memory_bytes":0}}}}}}}}}}"#,
            dir.path()
        ),
    );
    assert_eq!(receive(&mut child), r#""ready""#);
    send(&mut child, r#"{"generate_params":{"k_min":15,"k_max":15}}"#);
    assert_eq!(receive(&mut child), r#"{"params":{"k":15}}"#);
    let start = Instant::now();
    drop(child.stdin.take());
    child.wait().unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
}

/// Provers whose processes are a shell script.
fn script(fixture: &Fixture, script: &str) -> Provers {
    let mut config = fixture.provers_config();
    config.command = ChildCommand {
        program: "/bin/sh".into(),
        args: vec!["-c".to_owned(), script.to_owned()],
    };
    Provers::new(config, fixture.depot.clone().into())
}

#[tokio::test]
async fn a_crash_tells_exit_code_and_last_words_fit_to_be_shown() {
    let fixture = Fixture::new("words");
    let provers = script(
        &fixture,
        "printf 'first\\nlast \\033[31mword\\n\\n' >&2; exit 3",
    );
    let error = provers.fill().await.unwrap_err();
    let Error::Crashed { seen, .. } = &error else {
        panic!("{error}")
    };
    let last_line = Some("last  [31mword".to_owned());
    assert_eq!(
        *seen,
        Seen {
            code: Some(3),
            signal: None,
            last_line
        }
    );
    assert!(
        error
            .to_string()
            .contains("exit code 3, its last words: last"),
        "{error}"
    );
}

#[tokio::test]
async fn a_child_stopped_for_its_processor_time_is_told_apart() {
    let fixture = Fixture::new("xcpu");
    let error = script(&fixture, "kill -XCPU $$").fill().await.unwrap_err();
    assert!(matches!(error, Error::CpuTime { .. }), "{error}");
    assert_eq!(error.to_problem().0.code, "plugin.compile_timeout");
}

#[tokio::test]
async fn a_child_that_talks_nonsense_breaks_the_protocol() {
    let fixture = Fixture::new("nonsense");
    let zeros = script(&fixture, "head -c 8 /dev/zero; cat >/dev/null")
        .fill()
        .await
        .unwrap_err();
    assert!(matches!(zeros, Error::Protocol { .. }), "{zeros}");
    let done = r#"printf '\006\000\000\000\000\000\000\000"done"'; cat >/dev/null"#;
    let done = script(&fixture, done).fill().await.unwrap_err();
    assert!(matches!(done, Error::Protocol { .. }), "{done}");
    assert_eq!(done.to_problem().0.code, "task.worker_failed");
}

#[tokio::test]
async fn a_program_that_is_not_there_cannot_be_started() {
    let fixture = Fixture::new("absent");
    let mut config = fixture.provers_config();
    config.command.program = "/nonexistent/aureole".into();
    let error = Provers::new(config, fixture.depot.clone().into())
        .fill()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Spawn { .. }), "{error}");
    assert!(error.to_string().contains("/nonexistent/aureole"));
}

#[tokio::test]
async fn a_child_that_cannot_set_itself_up_says_why() {
    let fixture = Fixture::new("setup");
    let mut config = fixture.provers_config();
    config.params_dir = "/dev/null/params".into();
    let error = Provers::new(config, fixture.depot.clone().into())
        .fill()
        .await
        .unwrap_err();
    let Error::Crashed { seen, .. } = &error else {
        panic!("{error}")
    };
    assert!(
        seen.last_line
            .as_ref()
            .is_some_and(|line| line.contains("params")),
        "{error}"
    );
}
