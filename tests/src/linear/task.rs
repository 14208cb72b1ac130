//! What one task does when it is asked one thing at a time.
//!
//! Workers are not among the clients: that a task ends is something it may do by itself between two
//! calls, once, and an answer says that it has.

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Submits this input under the task's idempotency key.
    Submit {
        /// Tells inputs apart.
        input: u64,
    },
    /// Looks at it.
    Get,
    /// Cancels it.
    Cancel,
    /// Downloads its proof.
    Proof,
}

/// What the platform answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It is, or was before, accepted as the task of this id.
    Accepted(String),
    /// Its key was used for another input.
    Conflict,
    /// There is no such task.
    Missing,
    /// It waits or runs; there is no proof yet.
    Live,
    /// Its proof, by its digest.
    Done(String),
    /// It failed.
    Failed,
    /// It is cancelled.
    Cancelled,
    /// It had ended by itself before it could be cancelled.
    Ended,
}

/// A task under one idempotency key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Task {
    /// What was submitted first.
    input: Option<u64>,
    /// Its id, once an answer has told it.
    id: Option<String>,
    end: End,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
enum End {
    #[default]
    Not,
    /// It ended by itself; how, an answer will tell.
    Somehow,
    Done(String),
    Failed,
    Cancelled,
}

// === impl Task ===

impl Task {
    /// The tasks that this one may be after a call with that answer; none when the answer is wrong.
    pub(super) fn after(&self, call: &Call, answer: Option<&Answer>) -> Vec<Self> {
        let after = match call {
            Call::Submit { input } => self.submitted(*input, answer),
            Call::Get | Call::Proof => self.seen(answer),
            Call::Cancel => self.cancelled(answer),
        };
        after.into_iter().collect()
    }

    fn submitted(&self, input: u64, answer: Option<&Answer>) -> Option<Self> {
        let same = self.input.is_none_or(|first| first == input);
        match answer {
            Some(Answer::Conflict) => (!same).then(|| self.clone()),
            Some(Answer::Accepted(id)) => {
                let known = self.id.as_ref().is_none_or(|known| known == id);
                (same && known).then(|| Self {
                    input: Some(input),
                    id: Some(id.clone()),
                    end: self.end.clone(),
                })
            }
            None => Some(Self {
                input: self.input.or(Some(input)),
                ..self.clone()
            }),
            Some(_) => None,
        }
    }

    fn seen(&self, answer: Option<&Answer>) -> Option<Self> {
        let Some(answer) = answer else {
            return Some(self.clone());
        };
        if self.input.is_none() {
            return (*answer == Answer::Missing).then(|| self.clone());
        }
        match (answer, &self.end) {
            (Answer::Live, End::Not)
            | (Answer::Failed, End::Failed)
            | (Answer::Cancelled, End::Cancelled) => Some(self.clone()),
            (Answer::Done(proof), End::Done(known)) => (proof == known).then(|| self.clone()),
            (Answer::Done(proof), End::Not | End::Somehow) => {
                Some(self.ended(End::Done(proof.clone())))
            }
            (Answer::Failed, End::Not | End::Somehow) => Some(self.ended(End::Failed)),
            _ => None,
        }
    }

    fn cancelled(&self, answer: Option<&Answer>) -> Option<Self> {
        if self.input.is_none() {
            let right = answer.is_none_or(|answer| *answer == Answer::Missing);
            return right.then(|| self.clone());
        }
        match (answer, &self.end) {
            (Some(Answer::Cancelled) | None, End::Not | End::Cancelled) => {
                Some(self.ended(End::Cancelled))
            }
            (Some(Answer::Ended), End::Not) => Some(self.ended(End::Somehow)),
            (Some(Answer::Ended) | None, End::Somehow | End::Done(_) | End::Failed) => {
                Some(self.clone())
            }
            _ => None,
        }
    }

    fn ended(&self, end: End) -> Self {
        Self {
            end,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    //! Planted violations are found, and what may happen is not called one.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::super::{History, Operation, check};
    use super::{Answer, Call};

    const SUBMIT: Call = Call::Submit { input: 1 };

    fn accepted() -> Answer {
        Answer::Accepted("tsk_1".to_owned())
    }

    fn done(proof: &str) -> Answer {
        Answer::Done(proof.to_owned())
    }

    /// Calls with their beginnings and ends; an end of 0 is none.
    fn history(calls: &[(u64, u64, Call, Answer)]) -> Vec<Operation> {
        let operation = |(called, at, call, answer): &(u64, u64, Call, Answer)| Operation {
            call: call.clone(),
            called: *called,
            answered: (*at > 0).then(|| (*at, answer.clone())),
        };
        calls.iter().map(operation).collect()
    }

    fn explained(calls: &[(u64, u64, Call, Answer)]) -> Result<(), usize> {
        check(&history(calls))
    }

    #[test]
    fn a_life_one_call_after_the_other_is_explained() {
        let life = [
            (1, 2, Call::Get, Answer::Missing),
            (3, 4, SUBMIT, accepted()),
            (5, 6, Call::Get, Answer::Live),
            (7, 8, SUBMIT, accepted()),
            (9, 10, Call::Submit { input: 2 }, Answer::Conflict),
            (11, 12, Call::Get, done("a")),
            (13, 14, Call::Cancel, Answer::Ended),
            (15, 16, Call::Proof, done("a")),
        ];
        assert_eq!(explained(&life), Ok(()));
    }

    #[test]
    fn a_lost_task_is_found() {
        let lost = [
            (1, 2, SUBMIT, accepted()),
            (3, 4, Call::Get, Answer::Missing),
        ];
        assert_eq!(explained(&lost), Err(1));
    }

    #[test]
    fn a_stale_read_is_found_and_one_that_overlaps_is_none() {
        let stale = [
            (1, 2, SUBMIT, accepted()),
            (3, 4, Call::Get, done("a")),
            (5, 6, Call::Get, Answer::Live),
        ];
        assert_eq!(explained(&stale), Err(2));
        let overlapping = [
            (1, 2, SUBMIT, accepted()),
            (3, 6, Call::Get, done("a")),
            (4, 5, Call::Get, Answer::Live),
        ];
        assert_eq!(explained(&overlapping), Ok(()));
    }

    #[test]
    fn a_second_completion_is_found() {
        let twice = [
            (1, 2, SUBMIT, accepted()),
            (3, 4, Call::Proof, done("a")),
            (5, 6, Call::Proof, done("b")),
        ];
        assert_eq!(explained(&twice), Err(2));
    }

    #[test]
    fn a_proof_after_a_cancellation_is_found() {
        let undone = [
            (1, 2, SUBMIT, accepted()),
            (3, 4, Call::Cancel, Answer::Cancelled),
            (5, 6, Call::Proof, done("a")),
        ];
        assert_eq!(explained(&undone), Err(2));
    }

    #[test]
    fn a_cancellation_that_nobody_asked_for_is_found() {
        let unasked = [
            (1, 2, SUBMIT, accepted()),
            (3, 4, Call::Get, Answer::Cancelled),
        ];
        assert_eq!(explained(&unasked), Err(1));
    }

    #[test]
    fn a_cancellation_without_an_answer_may_take_effect_late_or_never() {
        let late = [
            (1, 2, SUBMIT, accepted()),
            (3, 0, Call::Cancel, Answer::Cancelled),
            (4, 5, Call::Get, Answer::Live),
            (6, 7, Call::Get, Answer::Cancelled),
        ];
        assert_eq!(explained(&late), Ok(()));
        let never = [
            (1, 2, SUBMIT, accepted()),
            (3, 0, Call::Cancel, Answer::Cancelled),
            (4, 5, Call::Get, done("a")),
        ];
        assert_eq!(explained(&never), Ok(()));
        let back = [
            (1, 2, SUBMIT, accepted()),
            (3, 0, Call::Cancel, Answer::Cancelled),
            (4, 5, Call::Get, Answer::Cancelled),
            (6, 7, Call::Get, Answer::Live),
        ];
        assert_eq!(explained(&back), Err(3));
    }

    #[test]
    fn two_tasks_under_one_key_are_found() {
        let two = [
            (1, 5, SUBMIT, accepted()),
            (2, 6, SUBMIT, Answer::Accepted("tsk_2".to_owned())),
        ];
        assert_eq!(explained(&two), Err(1));
    }

    #[test]
    fn another_input_under_a_used_key_is_found() {
        let other = [
            (1, 2, SUBMIT, accepted()),
            (3, 4, Call::Submit { input: 2 }, accepted()),
        ];
        assert_eq!(explained(&other), Err(1));
    }

    #[test]
    fn a_task_that_ended_by_itself_was_not_cancelled() {
        let ended = [
            (1, 2, SUBMIT, accepted()),
            (3, 4, Call::Cancel, Answer::Ended),
            (5, 6, Call::Get, Answer::Cancelled),
        ];
        assert_eq!(explained(&ended), Err(2));
    }

    #[test]
    fn a_violation_among_many_overlapping_calls_is_found_at_once() {
        let mut calls = vec![(1, 2, SUBMIT, accepted())];
        calls.extend((0..60).map(|index| (3 + index, 100 + index, Call::Get, Answer::Live)));
        calls.push((200, 201, Call::Get, done("a")));
        calls.extend((0..60).map(|index| (202 + index, 300 + index, Call::Get, done("a"))));
        calls.push((400, 401, Call::Get, Answer::Live));
        assert_eq!(explained(&calls), Err(122));
    }

    #[test]
    fn a_history_numbers_its_events_and_names_the_task_that_breaks() {
        let history = History::default();
        let submit = history.begin("b", SUBMIT);
        history.end(&submit, accepted());
        let get = history.begin("b", Call::Get);
        history.end(&get, Answer::Missing);
        let _unanswered = history.begin("a", SUBMIT);
        assert_eq!(history.counts(), (3, 2));
        assert!(history.was_asked("a", &SUBMIT) && history.was_asked("b", &Call::Get));
        assert!(!history.was_asked("a", &Call::Get) && !history.was_asked("c", &SUBMIT));
        let violation = history.check().unwrap_err();
        assert_eq!(violation.task, "b");
        assert!(
            violation.to_string().contains("Get -> Missing"),
            "{violation}"
        );
    }
}
