//! A page is what Prometheus takes, and nothing on it grows by what strangers send.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use aureole_telemetry::limits::CODES_MAX;
use aureole_telemetry::{Ended, HttpMeters, Kind, MeterError, Meters, Sheet, TEXT};

const SECOND: Duration = Duration::from_secs(1);

fn full() -> String {
    let meters = Meters::new().unwrap();
    meters
        .http()
        .answered("/api/v1/tasks/{task}", "GET", "200", SECOND);
    let leader = meters.leader();
    leader.submitted("prove");
    leader.ended("done", 1);
    leader.leased();
    leader.lost("task.timeout", true);
    leader.stage("prove", SECOND);
    leader.took(SECOND);
    let worker = meters.worker();
    worker.attempt("prove", Ended::Refused);
    worker.refused("plugin.trap");
    worker.stage("prove", SECOND);
    worker.looked("keys", true);
    let mut sheet = Sheet::default();
    let row = (vec!["acme".to_owned()], 12.5);
    let family = ("aureole_queue_seconds", "Seconds of queued work.");
    sheet
        .family(Kind::Gauge, family, &["tenant"], [row])
        .unwrap();
    meters.page(sheet).unwrap()
}

#[test]
fn a_page_tells_what_was_counted_and_what_was_looked_up() {
    let page = full();
    for line in [
        "aureole_http_requests_total{method=\"GET\",route=\"/api/v1/tasks/{task}\",status=\"200\"} 1",
        "aureole_leases_granted_total 1",
        "aureole_attempts_lost_total{reason=\"task.timeout\",retried=\"true\"} 1",
        "aureole_stage_duration_seconds_bucket{stage=\"prove\",le=\"1\"} 1",
        "aureole_queue_seconds{tenant=\"acme\"} 12.5",
    ] {
        assert!(
            page.lines().any(|found| found == line),
            "{line} is not in\n{page}"
        );
    }
    assert!(TEXT.starts_with("text/plain; version=0.0.4"), "{TEXT}");
}

#[test]
fn promtool_finds_nothing_to_complain_of() {
    let mut promtool = aureole_servers::promtool()
        .unwrap()
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool
        .stdin
        .take()
        .unwrap()
        .write_all(full().as_bytes())
        .unwrap();
    let told = promtool.wait_with_output().unwrap();
    let text =
        String::from_utf8_lossy(&told.stdout).into_owned() + &String::from_utf8_lossy(&told.stderr);
    assert!(told.status.success() && text.is_empty(), "{text}");
}

#[test]
fn a_workers_words_make_no_more_series_than_the_bound() {
    let meters = Meters::new().unwrap();
    for number in 0..CODES_MAX * 2 {
        meters.leader().lost(&format!("code.{number}"), false);
    }
    meters.http().answered("none", "PROPFIND", "405", SECOND);
    let page = meters.page(Sheet::default()).unwrap();
    let lost = page
        .lines()
        .filter(|line| line.starts_with("aureole_attempts_lost_total{"));
    // All codes with a name, a second series of the one that is there from the start, and the rest.
    assert_eq!(lost.count() as u64, u64::from(CODES_MAX) + 2);
    assert!(page.contains("method=\"other\"") && !page.contains("PROPFIND"));
}

#[test]
fn meters_of_nobody_count_nothing() {
    HttpMeters::default().answered("/", "GET", "200", SECOND);
    let page = Meters::new().unwrap().page(Sheet::default()).unwrap();
    assert!(!page.contains("route="), "{page}");
}

#[test]
fn a_row_that_does_not_fit_is_refused_with_both_numbers() {
    let row = (vec!["a".to_owned(), "b".to_owned()], 1.0);
    let error = Sheet::default()
        .family(Kind::Gauge, ("aureole_x", "X."), &["one"], [row])
        .unwrap_err();
    assert!(
        matches!(
            error,
            MeterError::Labels {
                found: 2,
                expected: 1,
                ..
            }
        ),
        "{error}"
    );
    let error = Sheet::default()
        .figure(Kind::Gauge, "no name", "X.", 1.0)
        .unwrap_err();
    assert!(matches!(error, MeterError::Family { .. }), "{error}");
}
