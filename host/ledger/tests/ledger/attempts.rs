//! Attempts: fenced, renewed, lost, given back, counted.

use aureole_ledger::limits::{
    ATTEMPT_MS_MIN, ATTEMPT_RECORDS_MAX, ATTEMPTS_MAX, BACKOFF_FIRST_MS, BACKOFF_MAX_MS,
    RETURNS_AT_ONCE, RETURNS_MAX,
};
use aureole_ledger::{AttemptRef, Command, Expiry, Outcome, Refusal, TaskPhase, TaskState, codes};

use crate::kit::{LEASE_MS, Ledger, proved, task_id, worker};

const ONE: AttemptRef = AttemptRef {
    task: aureole_ledger::TaskId::from_bytes([1; 16]),
    attempt: 1,
};

#[test]
fn only_the_holder_ends_an_attempt() {
    let mut ledger = Ledger::with_proof();
    let early = ledger.complete_command(ONE, "w", proved("proof"));
    let stale = Refusal::StaleAttempt {
        task: task_id(1),
        attempt: 1,
        current: 0,
    };
    assert_eq!(ledger.refusal(&early), stale);
    let attempt = ledger.lease(1, "w");
    let foreign = Refusal::ForeignLease {
        task: task_id(1),
        attempt: 1,
    };
    let command = ledger.complete_command(attempt, "thief", proved("proof"));
    assert_eq!(ledger.refusal(&command), foreign);
    let command = ledger.fail_command(attempt, "thief", "x", false);
    assert_eq!(ledger.refusal(&command), foreign);
    ledger.complete(attempt, "w", proved("proof"));
}

#[test]
fn a_late_attempt_is_refused_and_the_new_one_wins() {
    let mut ledger = Ledger::with_proof();
    let old = ledger.lease(1, "slow");
    ledger.now += LEASE_MS;
    let expire = ledger.expire_command(old, Expiry::Deadline);
    assert_eq!(
        ledger.apply(&expire),
        Outcome::AttemptEnded {
            requeued: true,
            stop: vec![]
        }
    );
    let command = ledger.complete_command(old, "slow", proved("late"));
    assert_eq!(ledger.refusal(&command), Refusal::NotLeased(task_id(1)));
    ledger.now += BACKOFF_FIRST_MS;
    let new = ledger.lease(1, "fast");
    let stale = Refusal::StaleAttempt {
        task: task_id(1),
        attempt: 1,
        current: 2,
    };
    let command = ledger.complete_command(old, "slow", proved("late"));
    assert_eq!(ledger.refusal(&command), stale);
    ledger.complete(new, "fast", proved("proof"));
    assert_eq!(ledger.task(task_id(1)).completion(), Some(&proved("proof")));
}

#[test]
fn the_same_completion_is_accepted_again_and_another_is_not() {
    let mut ledger = Ledger::with_proof();
    let attempt = ledger.lease(1, "w");
    ledger.complete(attempt, "w", proved("proof"));
    let before = ledger.state.digest();
    ledger.complete(attempt, "w", proved("proof"));
    assert_eq!(ledger.state.digest(), before);
    let other = ledger.complete_command(attempt, "w", proved("other"));
    let phase = TaskPhase::Done;
    assert_eq!(
        ledger.refusal(&other),
        Refusal::TaskFinished {
            task: task_id(1),
            phase
        }
    );
    let thief = ledger.complete_command(attempt, "thief", proved("proof"));
    assert_eq!(
        ledger.refusal(&thief),
        Refusal::TaskFinished {
            task: task_id(1),
            phase
        }
    );
}

#[test]
fn a_lease_is_given_once() {
    let mut ledger = Ledger::with_proof();
    ledger.lease(1, "w");
    let again = ledger.lease_command(1, 1, "w");
    assert_eq!(ledger.apply(&again), Outcome::Leased);
    let other = ledger.lease_command(1, 1, "other");
    assert_eq!(ledger.refusal(&other), Refusal::NotWaiting(task_id(1)));
    let next = ledger.lease_command(1, 2, "other");
    assert_eq!(ledger.refusal(&next), Refusal::NotWaiting(task_id(1)));
    let unknown = ledger.lease_command(77, 1, "w");
    assert_eq!(ledger.refusal(&unknown), Refusal::UnknownTask(task_id(77)));
}

#[test]
fn attempts_are_numbered_without_a_gap() {
    let mut ledger = Ledger::with_proof();
    let command = ledger.lease_command(1, 2, "w");
    let stale = Refusal::StaleAttempt {
        task: task_id(1),
        attempt: 2,
        current: 0,
    };
    assert_eq!(ledger.refusal(&command), stale);
}

#[test]
fn a_renewed_lease_does_not_expire() {
    let mut ledger = Ledger::with_proof();
    let attempt = ledger.lease(1, "w");
    let first = ledger.now + LEASE_MS;
    ledger.now += LEASE_MS - 1;
    let stranger = AttemptRef {
        task: task_id(9),
        attempt: 1,
    };
    let renew = Command::RenewLeases {
        worker: worker("w"),
        leases: vec![attempt, stranger],
        expires_at: ledger.now + LEASE_MS,
        now: ledger.now,
    };
    assert_eq!(
        ledger.apply(&renew),
        Outcome::Renewed {
            lost: vec![stranger]
        }
    );
    ledger.now = first;
    assert!(ledger.plan(&[]).is_empty());
    let expire = ledger.expire_command(attempt, Expiry::Deadline);
    let expires_at = first - 1 + LEASE_MS;
    assert_eq!(
        ledger.refusal(&expire),
        Refusal::LeaseAlive {
            task: task_id(1),
            expires_at
        }
    );
}

#[test]
fn a_renewal_never_shortens_a_lease() {
    let mut ledger = Ledger::with_proof();
    let attempt = ledger.lease(1, "w");
    let expires_at = ledger.now + LEASE_MS;
    let leases = vec![attempt];
    let renew = Command::RenewLeases {
        worker: worker("w"),
        leases,
        expires_at: 1,
        now: 0,
    };
    assert_eq!(ledger.apply(&renew), Outcome::Renewed { lost: vec![] });
    assert_eq!(
        ledger.task(task_id(1)).lease().unwrap().expires_at,
        expires_at
    );
}

#[test]
fn three_lost_attempts_end_a_task_with_what_was_seen() {
    let mut ledger = Ledger::with_proof();
    for number in 1..=ATTEMPTS_MAX {
        ledger.now += 60_000;
        let attempt = ledger.lease(1, "w");
        assert_eq!(
            ledger.fail(attempt, "w", "worker.crashed", true),
            number < ATTEMPTS_MAX
        );
    }
    let task = ledger.task(task_id(1));
    let problem = task.problem().unwrap();
    assert_eq!(problem.code, codes::ATTEMPTS_EXHAUSTED);
    assert!(
        problem.detail.contains("worker.crashed: it went wrong"),
        "{}",
        problem.detail
    );
    assert_eq!(task.attempts.len(), 3);
}

#[test]
fn a_final_failure_is_not_tried_again() {
    let mut ledger = Ledger::with_proof();
    let attempt = ledger.lease(1, "w");
    assert!(!ledger.fail(attempt, "w", "witness.unsatisfied", false));
    assert_eq!(
        ledger.task(task_id(1)).problem().unwrap().code,
        "witness.unsatisfied"
    );
    let command = ledger.expire_command(attempt, Expiry::WorkerRestarted);
    let phase = TaskPhase::Failed;
    assert_eq!(
        ledger.refusal(&command),
        Refusal::TaskFinished {
            task: task_id(1),
            phase
        }
    );
}

#[test]
fn back_off_doubles_with_each_strike() {
    let mut ledger = Ledger::with_proof();
    for number in 0..ATTEMPTS_MAX - 1 {
        let attempt = ledger.lease(1, "w");
        assert!(ledger.fail(attempt, "w", "worker.crashed", true));
        let not_before = ledger.now + (BACKOFF_FIRST_MS << number);
        assert_eq!(
            ledger.task(task_id(1)).state,
            TaskState::Queued { not_before }
        );
        assert!(ledger.plan(&[("w", 1)]).is_empty());
        assert_eq!(ledger.state.next_deadline(ledger.now), Some(not_before));
        let early = ledger.lease_command(1, number + 2, "w");
        assert_eq!(ledger.refusal(&early), Refusal::NotWaiting(task_id(1)));
        ledger.now = not_before;
        assert_eq!(ledger.planned(&[("w", 1)]), [task_id(1)]);
    }
}

#[test]
fn a_lease_handed_back_is_no_strike() {
    let mut ledger = Ledger::with_proof();
    for _ in 0..ATTEMPTS_MAX + 2 {
        let attempt = ledger.lease(1, "w");
        assert!(ledger.fail(attempt, "w", codes::HANDED_BACK, true));
        assert_eq!(
            ledger.planned(&[("w", 1)]),
            [task_id(1)],
            "it waits for no back-off"
        );
    }
    assert_eq!(ledger.task(task_id(1)).strikes, 0);
}

#[test]
fn a_lease_that_is_handed_back_again_and_again_waits_longer_each_time() {
    let mut ledger = Ledger::with_proof();
    for _ in 0..RETURNS_AT_ONCE {
        let attempt = ledger.lease(1, "w");
        assert!(ledger.fail(attempt, "w", codes::HANDED_BACK, true));
    }
    for wait in [BACKOFF_FIRST_MS, 2 * BACKOFF_FIRST_MS] {
        let attempt = ledger.lease(1, "w");
        assert!(ledger.fail(attempt, "w", codes::HANDED_BACK, true));
        ledger.now += wait - 1;
        assert!(ledger.planned(&[("w", 1)]).is_empty(), "it waits {wait} ms");
        ledger.now += 1;
        assert_eq!(ledger.planned(&[("w", 1)]), [task_id(1)]);
    }
}

#[test]
fn a_restart_of_the_whole_node_is_no_strike_and_a_restarted_worker_is() {
    let mut ledger = Ledger::with_proof();
    let attempt = ledger.lease(1, "w");
    let command = ledger.expire_command(attempt, Expiry::NodeRestarted);
    assert_eq!(
        ledger.apply(&command),
        Outcome::AttemptEnded {
            requeued: true,
            stop: vec![]
        }
    );
    assert_eq!(ledger.task(task_id(1)).strikes, 0);
    let attempt = ledger.lease(1, "w");
    let command = ledger.expire_command(attempt, Expiry::WorkerRestarted);
    assert_eq!(
        ledger.apply(&command),
        Outcome::AttemptEnded {
            requeued: true,
            stop: vec![]
        }
    );
    let task = ledger.task(task_id(1));
    assert_eq!((task.strikes, task.returns), (1, 1));
    let seen: Vec<_> = task
        .attempts
        .iter()
        .map(|a| a.problem.as_ref().unwrap().code.clone())
        .collect();
    assert_eq!(seen, [codes::NODE_RESTARTED, codes::WORKER_RESTARTED]);
}

#[test]
fn endless_returns_end_a_task_and_its_record_stays_small() {
    let mut ledger = Ledger::with_proof();
    for number in 1..=RETURNS_MAX {
        ledger.now += BACKOFF_MAX_MS;
        let attempt = ledger.lease(1, "w");
        let requeued = ledger.fail(attempt, "w", codes::HANDED_BACK, true);
        assert_eq!(requeued, number < RETURNS_MAX);
    }
    let task = ledger.task(task_id(1));
    assert_eq!(task.problem().unwrap().code, codes::ATTEMPTS_EXHAUSTED);
    assert_eq!(task.attempts.len(), ATTEMPT_RECORDS_MAX);
    assert_eq!(task.attempts.last().unwrap().attempt, RETURNS_MAX);
}

#[test]
fn an_expiry_needs_a_lease() {
    let mut ledger = Ledger::with_proof();
    let command = ledger.expire_command(ONE, Expiry::Deadline);
    let stale = Refusal::StaleAttempt {
        task: task_id(1),
        attempt: 1,
        current: 0,
    };
    assert_eq!(ledger.refusal(&command), stale);
    let attempt = ledger.lease(1, "w");
    ledger.fail(attempt, "w", codes::HANDED_BACK, true);
    let command = ledger.expire_command(attempt, Expiry::Deadline);
    assert_eq!(ledger.refusal(&command), Refusal::NotLeased(task_id(1)));
}

#[test]
fn a_lease_that_is_renewed_for_ever_ends_all_the_same() {
    let mut ledger = Ledger::with_proof();
    let attempt = ledger.lease(1, "w");
    let renew = |ledger: &mut Ledger| {
        let command = Command::RenewLeases {
            worker: worker("w"),
            leases: vec![attempt],
            expires_at: ledger.now + LEASE_MS,
            now: ledger.now,
        };
        let _ = ledger.apply(&command);
        ledger
            .task(task_id(1))
            .lease()
            .map(|lease| lease.expires_at)
    };
    let started = ledger.now;
    ledger.now = started + ATTEMPT_MS_MIN - 1;
    assert_eq!(renew(&mut ledger), Some(started + ATTEMPT_MS_MIN));
    ledger.now = started + ATTEMPT_MS_MIN;
    assert_eq!(renew(&mut ledger), Some(started + ATTEMPT_MS_MIN));
    let expire = ledger.expire_command(attempt, Expiry::Deadline);
    assert!(matches!(
        ledger.apply(&expire),
        Outcome::AttemptEnded { requeued: true, .. }
    ));
}
