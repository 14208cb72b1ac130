//! The ledger's time: steady, never back, right in the long run.

use std::time::Duration;

use aureole_ledger::{Command, Millis, Reading, SteadyClock};

use crate::kit::{Ledger, task_id};

const HOUR: Millis = 3_600_000;

/// A wall clock of today and a stopwatch, both so many milliseconds later.
fn later(ms: Millis) -> Reading {
    Reading {
        stopwatch: Duration::from_millis(ms),
        wall: 1_790_000_000_000 + ms,
    }
}

fn set(reading: Reading, by_ms: i64) -> Reading {
    Reading {
        wall: reading.wall.saturating_add_signed(by_ms),
        ..reading
    }
}

#[test]
fn a_right_clock_is_followed_to_the_millisecond() {
    let mut clock = SteadyClock::new(later(0));
    for ms in [0, 1, 2, 10, 11, 5_000, HOUR] {
        assert_eq!(clock.now(later(ms), 0), later(ms).wall);
    }
}

#[test]
fn a_wall_clock_set_forth_or_back_by_hours_moves_a_lease_by_a_twentieth() {
    for hours in [-2, 1, 1_000] {
        let mut clock = SteadyClock::new(later(0));
        let before = clock.now(later(0), 0);
        let after = clock.now(set(later(10_000), hours * 3_600_000), 0);
        assert!((9_500..=10_500).contains(&(after - before)), "{after}");
    }
}

#[test]
fn a_wall_clock_that_stays_set_is_caught_up_with() {
    let mut clock = SteadyClock::new(later(0));
    let mut shown = 0;
    for minute in 0..=20 * 60 {
        shown = clock.now(set(later(minute * 60_000), 3_600_000), 0);
    }
    assert_eq!(shown, later(21 * HOUR).wall);
}

#[test]
fn looking_often_slews_as_much_as_looking_seldom() {
    let (mut often, mut seldom) = (SteadyClock::new(later(0)), SteadyClock::new(later(0)));
    let wrong = |ms| set(later(ms), -3_600_000);
    for ms in 0..10_000 {
        let _ = often.now(wrong(ms), 0);
    }
    assert_eq!(often.now(wrong(10_000), 0), seldom.now(wrong(10_000), 0));
}

#[test]
fn a_clock_behind_the_facts_goes_on_from_them() {
    let mut clock = SteadyClock::new(later(0));
    let facts = later(HOUR).wall;
    assert_eq!(clock.now(later(1), facts), facts);
    let next = clock.now(later(1_001), facts);
    assert!((950..=1_000).contains(&(next - facts)), "{next}");
}

#[test]
fn the_facts_keep_the_newest_time_of_what_changed_something() {
    let mut ledger = Ledger::with_proof();
    let submitted = ledger.state.time();
    assert_eq!(submitted, ledger.now);
    let refused = Command::CancelTask {
        task: task_id(99),
        now: submitted + HOUR,
    };
    let _ = ledger.state.apply(&refused);
    assert_eq!(ledger.state.time(), submitted, "a refusal changes nothing");
    ledger.now += 5;
    let attempt = ledger.lease(1, "w");
    assert_eq!(ledger.state.time(), submitted + 5);
    ledger.now -= 1_000;
    assert!(ledger.fail(attempt, "w", "crashed", true));
    assert_eq!(ledger.state.time(), submitted + 5, "it never goes back");
}
