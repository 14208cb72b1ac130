//! What was committed does not change: a member that applied an entry has the same facts after it in
//! every later life, and goes back within a life never.

use std::collections::BTreeMap;

use aureole_ledger::{Digest, TaskId, TaskPhase};
use aureole_simnet::{End, History, Sample};

use crate::every::holds;

pub(crate) fn check(history: &History) -> Result<(), String> {
    let mut seen = BTreeMap::<(u64, u64), Digest>::new();
    let mut last = BTreeMap::<(u64, u64), u64>::new();
    for sample in &history.samples {
        let Sample {
            at,
            member,
            life,
            applied,
            digest,
        } = sample;
        let before = *seen.entry((*member, *applied)).or_insert(*digest);
        if before != *digest {
            return Err(format!(
                "member {member} had other facts after entry {applied} before, at {at} ms of its life {life}"
            ));
        }
        let reached = last.entry((*member, *life)).or_insert(*applied);
        if applied < reached {
            return Err(format!(
                "member {member} went back from entry {reached} to {applied}, at {at} ms of its life {life}"
            ));
        }
        *reached = *applied;
    }
    // The end is one more life on what was on the disks. A deadline may pass meanwhile.
    for (member, end) in &history.ends {
        let Some(kept) = history.kept.get(member) else {
            continue;
        };
        let ended = end
            .tasks
            .iter()
            .filter(|(_, phase)| **phase != TaskPhase::Queued);
        if let Some((task, phase)) = ended
            .into_iter()
            .find(|(task, phase)| kept.tasks.get(task) != Some(phase))
        {
            return Err(format!(
                "task {task} was {} at member {member} before it was killed",
                phase.name()
            ));
        }
        if !end.tasks.keys().eq(kept.tasks.keys()) {
            return Err(format!(
                "member {member} knows other tasks after it was killed"
            ));
        }
    }
    Ok(())
}

#[test]
fn what_was_committed_stays() -> Result<(), String> {
    holds("what_was_committed_stays", check)
}

#[test]
fn an_entry_that_changed_and_a_step_back_are_seen() {
    let sample = |life, applied, text: &[u8]| Sample {
        at: 1,
        member: 1,
        life,
        applied,
        digest: Digest::of(text),
    };
    let check_of = |samples: Vec<Sample>| {
        check(&History {
            samples,
            ..History::default()
        })
    };
    let good = vec![sample(1, 4, b"a"), sample(1, 5, b"b"), sample(2, 4, b"a")];
    assert_eq!(check_of(good), Ok(()));
    let changed = check_of(vec![sample(1, 4, b"a"), sample(2, 4, b"b")]).unwrap_err();
    assert!(changed.contains("other facts after entry 4"), "{changed}");
    let back = check_of(vec![sample(1, 5, b"b"), sample(1, 4, b"a")]).unwrap_err();
    assert!(back.contains("from entry 5 to 4"), "{back}");
}

#[test]
fn a_task_that_a_disk_lost_or_revived_is_seen() {
    let member = |tasks: &[(u8, TaskPhase)]| {
        let tasks = tasks.iter();
        let end = End {
            digest: Digest::of(b"facts"),
            tasks: tasks
                .map(|(id, phase)| (TaskId::from_bytes([*id; 16]), *phase))
                .collect(),
        };
        BTreeMap::from([(1, end)])
    };
    let check_of = |ends: &[(u8, TaskPhase)], kept: &[(u8, TaskPhase)]| {
        check(&History {
            ends: member(ends),
            kept: member(kept),
            ..History::default()
        })
    };
    let (queued, cancelled) = ((1, TaskPhase::Queued), (2, TaskPhase::Cancelled));
    let expired = (1, TaskPhase::Failed);
    assert_eq!(
        check_of(&[queued, cancelled], &[expired, cancelled]),
        Ok(())
    );
    let lost = check_of(&[queued, cancelled], &[cancelled]).unwrap_err();
    assert!(lost.contains("knows other tasks"), "{lost}");
    let revived = check_of(&[cancelled], &[(2, TaskPhase::Queued)]).unwrap_err();
    assert!(revived.contains("was cancelled at member 1"), "{revived}");
}
