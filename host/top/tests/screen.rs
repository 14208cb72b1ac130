//! What is drawn, of which state, at which size; and what is counted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

use aureole_client::rest::{Overview, Task, TaskState};
use aureole_top::{App, Frame, Key, Pane, Recent, Stats, draw, plain};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;
use serde_json::{Value, json};

/// 2026-01-31T12:00:00Z.
const NOW: u64 = 1_769_860_800_000;

fn at(seconds_ago: u64) -> String {
    aureole_client::rest::Timestamp::from_millis(NOW - seconds_ago * 1000).to_string()
}

fn task(id: u64, state: &str, seconds_ago: u64, total: f64) -> Task {
    let mut task = json!({
        "id": format!("tsk_{id:032x}"), "kind": "prove", "state": state, "priority": 5,
        "submitted_at": at(seconds_ago + 1), "finished_at": at(seconds_ago),
        "timings_ms": {"queue": 1.0, "prove": total / 2.0, "total": total},
    });
    if state == "failed" {
        let code = ["witness.unsatisfied", "task.deadline"][(id % 2) as usize];
        task["error"] = json!({"code": code, "status": 422, "detail": "no"});
    }
    serde_json::from_value(task).unwrap()
}

fn overview(tenants: u64, workers: u64) -> Overview {
    let tenant = |number| {
        json!({"tenant": format!("tenant-{number}"), "live": 500 - number, "running": 1,
            "proofs": 12_345, "failed": 6})
    };
    let worker = |number: u64| {
        json!({"name": format!("worker-{number}"), "joined": number != 2, "slots": 2, "cores": 8,
            "draining": number == 1, "leases": 1, "warm": 3, "invalid_proofs": 0,
            "quarantined_at": (number == 3).then(|| at(60))})
    };
    let members = json!([
        {"id": 1, "leader": true, "voter": true, "lag": 0},
        {"id": 2, "leader": false, "voter": true, "lag": 17},
        {"id": 3, "leader": false, "voter": false},
    ]);
    let overview = json!({
        "at": at(0),
        "cluster": {"name": "house", "term": 4, "leader": 1, "applied": 9000, "members": members},
        "tasks": {"queued": 42, "waiting": 3, "running": 7},
        "tenants": (0..tenants).map(tenant).collect::<Vec<Value>>(),
        "tenant_count": tenants,
        "workers": (0..workers).map(worker).collect::<Vec<Value>>(),
    });
    serde_json::from_value(overview).unwrap()
}

fn recent() -> Recent {
    let mut recent = Recent::default();
    let done = (0..40).map(|id| task(id, "done", id * 20, 100.0 * (id + 1) as f64));
    recent.take(done.collect());
    recent.take((100..103).map(|id| task(id, "failed", 30, 5.0)).collect());
    recent
}

fn frame() -> Frame {
    Frame {
        node: "http://127.0.0.1:8080/".to_owned(),
        ready: true,
        version: "0.1.0".to_owned(),
        checks: Vec::new(),
        overview: overview(30, 5),
        recent: Stats::of(&recent(), NOW),
    }
}

fn app(color: bool) -> App {
    let mut app = App::new(color);
    app.take(Ok(frame()));
    app
}

/// The screen as lines, and whether anything on it has a color.
fn drawn(app: &App, width: u16, height: u16) -> (Vec<String>, bool) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| draw(app, frame.area(), frame.buffer_mut()))
        .unwrap();
    let buffer = terminal.backend().buffer();
    let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect();
    let colored = buffer.content().iter().any(|cell| cell.fg != Color::Reset);
    ((0..height).map(line).collect(), colored)
}

#[test]
fn everything_is_on_the_screen_at_every_size() {
    for (width, height) in [(80, 24), (200, 50)] {
        let (lines, _) = drawn(&app(false), width, height);
        let text = lines.join("\n");
        for wanted in [
            "http://127.0.0.1:8080  ready  leader 1  term 4  12:00:00",
            "Queue: 42 queued",
            "tenant-0",
            "4 workers, 8 slots",
            "worker-0",
            "joined",
            "draining",
            "1/2",
            "Throughput, last 15 min: 40 done, 3 failed",
            "at most",
            "half under",
            "total",
            "Failures, last 15 min",
            "witness.unsatisfied",
            "3 coordinators, entry 9000",
            "leader",
            "17",
            "q quit",
        ] {
            assert!(
                text.contains(wanted),
                "{width}x{height} lacks {wanted}:\n{text}"
            );
        }
        assert!(
            lines
                .iter()
                .all(|line| line.chars().count() == usize::from(width))
        );
    }
    // A larger screen has room for more.
    let (lines, _) = drawn(&app(false), 200, 50);
    let text = lines.join("\n");
    for wanted in ["quarantine", "away", "learner", "unknown", "task.deadline"] {
        assert!(text.contains(wanted), "{wanted}:\n{text}");
    }
}

#[test]
fn a_screen_too_small_for_anything_is_no_fault() {
    for (width, height) in [(0, 0), (1, 1), (5, 2), (20, 4), (79, 3), (3, 40)] {
        drawn(&app(true), width, height);
        assert_eq!(plain(frame(), width, height).lines().count(), usize::from(height));
    }
}

#[test]
fn colors_are_there_only_when_they_may_be() {
    assert!(drawn(&app(true), 80, 24).1);
    assert!(!drawn(&app(false), 80, 24).1);
    assert!(!plain(frame(), 80, 24).contains('\u{1b}'));
}

#[test]
fn keys_choose_panes_scroll_them_and_stop_time() {
    let mut app = app(false);
    let order: Vec<Pane> = std::iter::repeat_with(|| {
        app.press(Key::Next);
        app.pane()
    })
    .take(5)
    .collect();
    assert_eq!(order[4], Pane::Queue, "{order:?}");
    assert_eq!(order[..4], Pane::ALL[1..]);
    app.press(Key::Previous);
    assert_eq!(app.pane(), Pane::Cluster);
    app.press(Key::Next);
    (0..29).for_each(|_| app.press(Key::Down));
    let (lines, _) = drawn(&app, 80, 24);
    assert!(lines.join("\n").contains("tenant-29"), "{lines:#?}");
    assert!(!lines.join("\n").contains("tenant-28"), "{lines:#?}");
    (0..100).for_each(|_| app.press(Key::Down));
    assert_eq!(app.first_line(Pane::Queue), 29, "the last line stays");
    app.press(Key::Up);
    assert_eq!(app.first_line(Pane::Queue), 28);
    assert_eq!(app.first_line(Pane::Workers), 0);
    app.press(Key::Pause);
    app.take(Err("no answer".to_owned()));
    assert!(app.failure().is_none() && app.is_paused());
    assert!(drawn(&app, 80, 24).0[0].contains("PAUSED"));
    app.press(Key::Pause);
    let fewer = Frame {
        overview: overview(2, 1),
        ..frame()
    };
    app.take(Ok(fewer));
    assert_eq!(
        app.first_line(Pane::Queue),
        1,
        "fewer lines than were scrolled"
    );
    app.press(Key::Quit);
    assert!(app.is_over());
}

#[test]
fn what_is_wrong_is_said_and_the_last_frame_stays() {
    let mut app = App::new(false);
    assert!(drawn(&app, 80, 24).0[1].contains("asking"));
    app.take(Err("no answer from http://127.0.0.1:8080/".to_owned()));
    let (lines, _) = drawn(&app, 80, 24);
    assert!(lines[1].contains("nothing was seen yet"), "{lines:#?}");
    assert!(lines[23].contains("no answer from"), "{lines:#?}");
    let unready = Frame {
        ready: false,
        checks: serde_json::from_value(json!([
            {"name": "depot", "ok": true}, {"name": "workers", "ok": false},
        ]))
        .unwrap(),
        ..frame()
    };
    app.take(Ok(unready));
    app.take(Err("no answer".to_owned()));
    let (lines, _) = drawn(&app, 80, 24);
    assert!(lines[0].contains("NOT ready: workers"), "{lines:#?}");
    assert!(lines[23].contains("no answer"), "{lines:#?}");
    assert!(lines.join("\n").contains("tenant-0"));
}

#[test]
fn a_cluster_with_nothing_to_show_shows_that() {
    let idle = Frame {
        overview: overview(0, 0),
        recent: Stats::of(&Recent::default(), NOW),
        ..frame()
    };
    let text = plain(idle, 80, 24);
    for wanted in ["0 workers", "no proof was made", "none", "0 done"] {
        assert!(text.contains(wanted), "{wanted}:\n{text}");
    }
}

#[test]
fn ends_are_counted_by_minute_stage_and_code() {
    let stats = Stats::of(&recent(), NOW);
    assert!(stats.whole);
    assert_eq!((stats.done, stats.failed), (40, 3));
    assert_eq!(stats.minutes.len(), 15);
    // One every 20 seconds: three a minute, the newest minute with its start.
    let done: Vec<u64> = stats.minutes.iter().map(|minute| minute.done).collect();
    assert_eq!(done, [0, 1, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]);
    assert_eq!(stats.minutes[14].failed, 3);
    let total = &stats.stages[0];
    assert_eq!(
        (total.stage, total.half_ms, total.most_ms),
        ("total", 2000.0, 3800.0)
    );
    let names: Vec<&str> = stats.stages.iter().map(|times| times.stage).collect();
    assert_eq!(names, ["total", "queue", "prove"]);
    let failures: Vec<_> = stats
        .failures
        .iter()
        .map(|kind| (&*kind.code, kind.count))
        .collect();
    assert_eq!(failures, [("witness.unsatisfied", 2), ("task.deadline", 1)]);
}

#[test]
fn what_is_old_is_forgotten_and_what_was_missed_is_said() {
    let mut recent = recent();
    assert!(recent.take(vec![task(0, "done", 0, 1.0)]), "it is known");
    assert!(!recent.take(vec![task(500, "done", 0, 1.0)]), "it is new");
    recent.miss(NOW - 300_000);
    assert!(!Stats::of(&recent, NOW).whole);
    recent.forget(NOW - 200_000);
    assert!(recent.is_whole(), "what was missed does not count any more");
    let left = recent
        .ended()
        .filter(|(_, task)| task.state == TaskState::Done);
    assert_eq!(left.count(), 12);
    let most = u64::from(aureole_top::limits::TASKS_MAX);
    recent.take(
        (0..most + 5)
            .map(|id| task(id, "done", id % 100, 1.0))
            .collect(),
    );
    recent.forget(0);
    assert!(recent.ended().count() as u64 <= most);
    assert!(!recent.is_whole(), "some of too many were let go");
}

#[test]
fn the_document_has_what_the_screen_shows() {
    let document = serde_json::to_value(frame()).unwrap();
    assert_eq!(document["tasks"]["queued"], 42);
    assert_eq!(document["cluster"]["members"][1]["lag"], 17);
    assert_eq!(document["workers"][0]["leases"], 1);
    assert_eq!(document["recent"]["done"], 40);
    assert_eq!(document["recent"]["stages"][0]["stage"], "total");
}
