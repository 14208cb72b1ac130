//! Deadlines, and second attempts at what would miss them.

use aureole_ledger::limits::{ATTEMPT_RECORDS_MAX, STRAGGLER_FACTOR};
use aureole_ledger::{
    AttemptRef, CircuitId, Command, Expiry, Outcome, Refusal, TaskPhase, WorkerView, codes,
};

use crate::kit::{LEASE_MS, Leased, Ledger, proved, task_id, view, worker};

/// The answer to a result that was taken before.
const REPEATED: Outcome = Outcome::Completed {
    stop: Vec::new(),
    leaf: None,
};

/// A circuit whose proof takes two seconds on one thread: 200,000 units of ten microseconds.
fn two_seconds() -> (Ledger, CircuitId) {
    let (mut ledger, _) = Ledger::with_circuit();
    let circuit = ledger.add_circuit("timed", 1, 200_000);
    (ledger, circuit)
}

fn both() -> [WorkerView; 2] {
    [view("a", 1, 1, 0), view("b", 1, 1, 0)]
}

fn expire_task(ledger: &Ledger, task: u8) -> Command {
    Command::ExpireTask {
        task: task_id(task),
        now: ledger.now,
    }
}

/// A straggler on one worker and its second attempt on the other.
fn doubled() -> (Ledger, Leased, Leased) {
    let (mut ledger, circuit) = two_seconds();
    let deadline = ledger.now + 9_000;
    ledger.submit_until("t", circuit, task_id(1), Some(deadline));
    let first = ledger.run(&both()).remove(0);
    ledger.now += 5_000;
    let second = ledger.run(&both()).remove(0);
    assert!(second.speculative && second.worker != first.worker);
    (ledger, first, second)
}

#[test]
fn a_task_past_its_deadline_fails_queued_or_running() {
    let (mut ledger, circuit) = two_seconds();
    let deadline = ledger.now + 1000;
    for task in [1, 2] {
        ledger.submit_until("t", circuit, task_id(task), Some(deadline));
    }
    let one = [view("w", 1, 1, 0)];
    let leased = ledger.run(&one);
    assert_eq!(ledger.state.next_deadline(ledger.now), Some(deadline));
    assert_eq!(
        ledger.refusal(&expire_task(&ledger, 1)),
        Refusal::DeadlineAhead(task_id(1))
    );
    ledger.now = deadline;
    let outcome = ledger.apply(&expire_task(&ledger, 1));
    let stop = vec![leased[0].attempt];
    assert_eq!(outcome, Outcome::TaskExpired { stop });
    assert!(ledger.run(&one).is_empty(), "nothing is leased too late");
    for task in [1, 2] {
        let problem = ledger.task(task_id(task)).problem().unwrap();
        assert_eq!(problem.code, codes::DEADLINE);
    }
    let again = ledger.refusal(&expire_task(&ledger, 1));
    assert!(matches!(again, Refusal::TaskFinished { .. }));
    assert_eq!(
        ledger.refusal(&expire_task(&ledger, 99)),
        Refusal::UnknownTask(task_id(99))
    );
}

#[test]
fn a_task_without_a_deadline_is_never_late() {
    let mut ledger = Ledger::with_proof();
    ledger.now *= 1000;
    assert_eq!(
        ledger.refusal(&expire_task(&ledger, 1)),
        Refusal::DeadlineAhead(task_id(1))
    );
}

#[test]
fn only_a_straggler_near_its_deadline_gets_a_second_attempt() {
    let (mut ledger, circuit) = two_seconds();
    let deadline = ledger.now + 60_000;
    ledger.submit_until("t", circuit, task_id(1), Some(deadline));
    let first = ledger.run(&both()).remove(0);
    let start = ledger.now;
    let expected = ledger
        .state
        .estimate(&ledger.task(task_id(1)).kind, 1, false)
        .duration_ms;
    let renew = |ledger: &mut Ledger| {
        let command = Command::RenewLeases {
            worker: worker(&first.worker),
            leases: vec![first.attempt],
            expires_at: deadline * 2,
            now: ledger.now,
        };
        let _ = ledger.apply(&command);
    };
    renew(&mut ledger);
    ledger.now = start + expected * STRAGGLER_FACTOR;
    assert!(ledger.run(&both()).is_empty(), "the deadline is far away");
    ledger.now = deadline - expected + 1;
    assert!(ledger.run(&both()).is_empty(), "a second would be late too");
    ledger.now = deadline - expected;
    assert!(ledger.run(&both()[..1]).is_empty(), "no other worker");
    assert_eq!(ledger.run(&both()).len(), 1);
    assert!(
        ledger.run(&both()).is_empty(),
        "there is one second at most"
    );
}

#[test]
fn the_first_result_of_two_attempts_wins_and_the_other_is_stopped() {
    for swap in [false, true] {
        let (mut ledger, mut winner, mut loser) = doubled();
        if swap {
            std::mem::swap(&mut winner, &mut loser);
        }
        let win = ledger.complete_command(winner.attempt, &winner.worker, proved("first"));
        let stop = vec![loser.attempt];
        let outcome = ledger.apply(&win);
        assert!(
            matches!(outcome, Outcome::Completed { stop: found, leaf: Some(_) } if found == stop)
        );
        let late = ledger.complete_command(loser.attempt, &loser.worker, proved("second"));
        let refusal = ledger.refusal(&late);
        assert!(matches!(refusal, Refusal::TaskFinished { .. }), "{refusal}");
        let same = ledger.complete_command(loser.attempt, &loser.worker, proved("first"));
        assert!(matches!(
            ledger.refusal(&same),
            Refusal::TaskFinished { .. }
        ));
        assert_eq!(ledger.apply(&win), REPEATED);
        let task = ledger.task(task_id(1));
        assert_eq!(task.completion(), Some(&proved("first")));
        assert_eq!(task.second, None);
        let lost = task
            .attempts
            .iter()
            .find(|a| a.attempt == loser.attempt.attempt)
            .unwrap();
        assert_eq!(lost.problem.as_ref().unwrap().code, codes::SUPERSEDED);
        assert_eq!(ledger.state.running_count(), 0);
    }
}

#[test]
fn a_task_goes_on_with_the_attempt_that_is_left() {
    for swap in [false, true] {
        let (mut ledger, mut lost, mut left) = doubled();
        if swap {
            std::mem::swap(&mut lost, &mut left);
        }
        assert!(ledger.fail(lost.attempt, &lost.worker, "worker.crashed", true));
        let task = ledger.task(task_id(1));
        assert_eq!(task.running(), [left.attempt]);
        assert_eq!((task.strikes, task.phase()), (1, TaskPhase::Running));
        let again = ledger.fail_command(lost.attempt, &lost.worker, "worker.crashed", true);
        ledger.refusal(&again);
        ledger.complete(left.attempt, &left.worker, proved("proof"));
    }
}

#[test]
fn a_final_failure_of_one_attempt_stops_the_other() {
    let (mut ledger, first, second) = doubled();
    let command = ledger.fail_command(first.attempt, &first.worker, "witness.unsatisfied", false);
    let expected = Outcome::AttemptEnded {
        requeued: false,
        stop: vec![second.attempt],
    };
    assert_eq!(ledger.apply(&command), expected);
    assert_eq!(ledger.task(task_id(1)).phase(), TaskPhase::Failed);
}

#[test]
fn both_leases_are_renewed_expire_and_are_cancelled() {
    let (mut ledger, first, second) = doubled();
    let renew = Command::RenewLeases {
        worker: worker(&second.worker),
        leases: vec![second.attempt, first.attempt],
        expires_at: ledger.now + 2 * LEASE_MS,
        now: ledger.now,
    };
    let lost = vec![first.attempt];
    assert_eq!(ledger.apply(&renew), Outcome::Renewed { lost });
    let early = ledger.expire_command(second.attempt, Expiry::Deadline);
    assert!(matches!(ledger.refusal(&early), Refusal::LeaseAlive { .. }));
    let outcome = ledger.apply(&ledger.cancel_command(1));
    let stop = vec![first.attempt, second.attempt];
    assert_eq!(outcome, Outcome::Cancelled { stop });
    assert!(ledger.state.leases_of(&worker("a")).next().is_none());
    assert!(ledger.state.leases_of(&worker("b")).next().is_none());
}

#[test]
fn a_second_attempt_is_refused_where_it_makes_no_sense() {
    let double = |ledger: &Ledger, attempt: AttemptRef, to: &str| Command::LeaseTask {
        task: attempt.task,
        attempt: attempt.attempt + 1,
        worker: worker(to),
        expires_at: ledger.now + LEASE_MS,
        now: ledger.now,
        threads: 1,
        memory_bytes: 0,
        speculative: true,
    };
    let mut ledger = Ledger::with_proof();
    let held = ledger.lease(1, "w");
    let refused = Refusal::NotSpeculative(task_id(1));
    assert_eq!(
        ledger.refusal(&double(&ledger, held, "w")),
        refused,
        "the same worker"
    );
    let plain = ledger.lease_command(1, 2, "other");
    assert_eq!(
        ledger.refusal(&plain),
        Refusal::NotWaiting(task_id(1)),
        "not asked for"
    );
    assert_eq!(
        ledger.apply(&double(&ledger, held, "other")),
        Outcome::Leased
    );
    assert_eq!(
        ledger.apply(&double(&ledger, held, "other")),
        Outcome::Leased,
        "said again"
    );
    let third = AttemptRef { attempt: 2, ..held };
    assert_eq!(
        ledger.refusal(&double(&ledger, third, "third")),
        refused,
        "a third"
    );
    for attempt in [1, 2] {
        let by = if attempt == 1 { "w" } else { "other" };
        assert!(ledger.fail(AttemptRef { attempt, ..held }, by, "worker.crashed", true));
    }
    ledger.now += 60_000;
    let last = ledger.lease(1, "w");
    assert_eq!(
        ledger.refusal(&double(&ledger, last, "other")),
        refused,
        "the last strike"
    );
    let _ = ledger.register_plugin("another", 9);
    let inspection = ledger.lease(9, "w");
    let refused = Refusal::NotSpeculative(task_id(9));
    assert_eq!(
        ledger.refusal(&double(&ledger, inspection, "other")),
        refused,
        "no proof"
    );
}

#[test]
fn the_record_of_a_running_attempt_is_kept_when_others_are_dropped() {
    let (mut ledger, first, second) = doubled();
    let mut other = second.attempt;
    for _ in 0..ATTEMPT_RECORDS_MAX + 2 {
        assert!(ledger.fail(other, "b", codes::HANDED_BACK, true));
        other.attempt += 1;
        let again = Command::LeaseTask {
            task: other.task,
            attempt: other.attempt,
            worker: worker("b"),
            expires_at: ledger.now + LEASE_MS,
            now: ledger.now,
            threads: 1,
            memory_bytes: 0,
            speculative: true,
        };
        assert_eq!(ledger.apply(&again), Outcome::Leased);
    }
    let task = ledger.task(task_id(1));
    assert_eq!(task.attempts.len(), ATTEMPT_RECORDS_MAX);
    assert_eq!(task.attempts[0].attempt, first.attempt.attempt);
    let win = ledger.complete_command(first.attempt, &first.worker, proved("proof"));
    let _ = ledger.apply(&win);
    assert_eq!(ledger.apply(&win), REPEATED);
}
