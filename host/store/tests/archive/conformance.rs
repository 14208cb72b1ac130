//! What every archive does, whatever it is made of: each check runs on SQLite and on PostgreSQL.

use std::time::Duration;

use aureole_store::{
    ARCHIVE_PAGE_MAX, ActFilter, ArchiveError, ArchivedAct, ArchivedTask, Digest, Expiry,
    Retention, TaskFilter,
};
use proptest::prelude::*;
use serde_json::json;

use super::{Database, all, limit, numbered, task, tasks};

macro_rules! on_both {
    ($($check:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test] async fn $check() { super::$check(super::Database::sqlite()).await; })*
        }
        mod on_postgres {
            $(#[tokio::test] async fn $check() { super::$check(super::Database::postgres()).await; })*
        }
    };
}

on_both! {
    a_task_comes_back_as_it_was_put_after_a_restart
    putting_a_task_again_changes_nothing
    pages_go_either_way_and_show_each_task_once
    a_page_that_is_just_full_is_the_last
    a_cursor_stays_valid_while_tasks_are_added_and_removed
    each_filter_gives_what_a_search_by_hand_gives
    a_filter_is_text_and_no_statement
    a_text_that_a_database_refuses_keeps_nothing_out_of_history
    a_limit_outside_its_bounds_is_taken_as_the_nearest
    a_time_that_does_not_fit_is_refused_and_nothing_is_stored
    a_row_that_was_changed_by_hand_is_an_error_and_no_guess
    a_table_that_is_gone_is_a_failed_query_and_no_outage
    the_digests_that_history_names_are_found_in_its_documents
    what_is_past_its_time_goes_the_oldest_first
    a_policy_keeps_each_task_as_long_as_its_entry_says
    two_that_put_the_same_tasks_at_once_store_each_once
    acts_are_kept_once_and_paged_from_the_newest_back
}

async fn acts_are_kept_once_and_paged_from_the_newest_back(database: Database) {
    let archive = database.open().await;
    let act = |number: u64| ArchivedAct {
        number,
        tenant: if number % 3 == 0 { "acme" } else { "default" }.to_owned(),
        document: json!({"number": number, "actor": "nul \u{0} and é"}),
    };
    let acts: Vec<ArchivedAct> = (1..=7).map(act).collect();
    archive.put_acts(&acts[..5]).await.unwrap();
    let mut again = acts.clone();
    again[0].tenant = "another".to_owned();
    archive.put_acts(&again).await.unwrap();
    archive.put_acts(&[]).await.unwrap();
    archive.close().await;
    let archive = database.open().await;
    let page = |tenant: Option<&str>, before, limit| ActFilter {
        tenant: tenant.map(str::to_owned),
        before,
        limit,
    };
    let newest: Vec<ArchivedAct> = (5..=7).rev().map(act).collect();
    assert_eq!(archive.acts(&page(None, None, 3)).await.unwrap(), newest);
    let rest: Vec<ArchivedAct> = (1..=4).rev().map(act).collect();
    assert_eq!(archive.acts(&page(None, Some(5), 500)).await.unwrap(), rest);
    let acme = archive.acts(&page(Some("acme"), Some(6), 9)).await.unwrap();
    assert_eq!(acme, [act(3)]);
    assert_eq!(archive.acts(&page(None, Some(1), 9)).await.unwrap(), []);
    let all = archive.acts(&page(None, Some(u64::MAX), 1)).await.unwrap();
    assert_eq!(all, [act(7)]);
}

async fn a_task_comes_back_as_it_was_put_after_a_restart(database: Database) {
    let archive = database.open().await;
    archive.put_tasks(&tasks(2)).await.unwrap();
    archive.close().await;
    let archive = database.open().await;
    archive.ping().await.unwrap();
    assert_eq!(archive.task(task(1).id).await.unwrap(), Some(task(1)));
    assert_eq!(archive.task(task(9).id).await.unwrap(), None);
}

async fn putting_a_task_again_changes_nothing(database: Database) {
    let archive = database.open().await;
    archive.put_tasks(&tasks(2)).await.unwrap();
    let other = ArchivedTask {
        state: "cancelled".to_owned(),
        ..task(1)
    };
    archive.put_tasks(&[other, task(2), task(2)]).await.unwrap();
    archive.put_tasks(&[]).await.unwrap();
    assert_eq!(archive.task(task(1).id).await.unwrap(), Some(task(1)));
    assert_eq!(archive.task(task(2).id).await.unwrap(), Some(task(2)));
}

async fn pages_go_either_way_and_show_each_task_once(database: Database) {
    let archive = database.open().await;
    archive.put_tasks(&tasks(20)).await.unwrap();
    let (found, pages) = all(&archive, limit(3)).await;
    assert_eq!((found, pages), (numbered((0..20).rev()), 7));
    let oldest_first = TaskFilter {
        oldest_first: true,
        ..limit(3)
    };
    let (found, pages) = all(&archive, oldest_first).await;
    assert_eq!((found, pages), (tasks(20), 7));
}

async fn a_page_that_is_just_full_is_the_last(database: Database) {
    let archive = database.open().await;
    archive.put_tasks(&tasks(4)).await.unwrap();
    let (found, pages) = all(&archive, limit(4)).await;
    assert_eq!((found.len(), pages), (4, 1));
}

async fn a_cursor_stays_valid_while_tasks_are_added_and_removed(database: Database) {
    let archive = database.open().await;
    archive.put_tasks(&tasks(6)).await.unwrap();
    let first = archive.list(&limit(2)).await.unwrap();
    assert_eq!(first.tasks, numbered([5, 4]));
    archive.put_tasks(&[task(200)]).await.unwrap();
    let oldest = Expiry {
        finished_before_ms: 2_001,
        ..Expiry::default()
    };
    assert_eq!(archive.expire(&oldest, 10).await.unwrap(), 1);
    let rest = TaskFilter {
        after: first.next,
        ..limit(9)
    };
    assert_eq!(all(&archive, rest).await.0, numbered([3, 2, 1]));
}

async fn each_filter_gives_what_a_search_by_hand_gives(database: Database) {
    let archive = database.open().await;
    archive.put_tasks(&tasks(60)).await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    let shows = |filter: &TaskFilter, task: &ArchivedTask| {
        let same = |asked: &Option<String>, has: &str| asked.as_deref().is_none_or(|a| a == has);
        let known = |asked: &Option<String>, has: &Option<String>| asked.is_none() || asked == has;
        same(&filter.tenant, &task.tenant)
            && same(&filter.kind, &task.kind)
            && same(&filter.state, &task.state)
            && same(&filter.plugin, &task.plugin)
            && known(&filter.circuit, &task.circuit)
            && known(&filter.code, &task.code)
            && filter
                .since_ms
                .is_none_or(|since| task.submitted_at_ms >= since)
            && filter
                .until_ms
                .is_none_or(|until| task.submitted_at_ms < until)
    };
    for number in 0..256_u32 {
        let chosen = |bit: u32| number & (1 << bit) != 0;
        let filter = TaskFilter {
            tenant: text("acme").filter(|_| chosen(0)),
            kind: text("prove").filter(|_| chosen(1)),
            state: text("failed").filter(|_| chosen(2)),
            plugin: text("merkle").filter(|_| chosen(3)),
            circuit: text("cir_4").filter(|_| chosen(4)),
            code: text("witness.unsatisfied").filter(|_| chosen(5)),
            since_ms: Some(1_004).filter(|_| chosen(6)),
            until_ms: Some(1_025).filter(|_| chosen(7)),
            ..limit(50)
        };
        let mut expected = numbered((0..60).rev());
        expected.retain(|task| shows(&filter, task));
        assert_eq!(
            all(&archive, filter.clone()).await.0,
            expected,
            "{filter:?}"
        );
    }
    let elsewhere = TaskFilter {
        kind: text("inspect"),
        ..limit(5)
    };
    assert!(all(&archive, elsewhere).await.0.is_empty());
}

async fn a_filter_is_text_and_no_statement(database: Database) {
    let archive = database.open().await;
    archive.put_tasks(&tasks(2)).await.unwrap();
    let filter = TaskFilter {
        plugin: Some("' OR 1=1; DROP TABLE tasks; --".to_owned()),
        ..limit(10)
    };
    assert!(all(&archive, filter).await.0.is_empty());
    assert!(archive.task(task(1).id).await.unwrap().is_some());
}

async fn a_text_that_a_database_refuses_keeps_nothing_out_of_history(database: Database) {
    let archive = database.open().await;
    let odd = ArchivedTask {
        code: Some("a\0b".to_owned()),
        ..task(1)
    };
    archive.put_tasks(&[odd, task(2)]).await.unwrap();
    let found = archive.task(task(1).id).await.unwrap().unwrap();
    assert_eq!(found.code.as_deref(), Some("a\u{fffd}b"));
    assert!(archive.task(task(2).id).await.unwrap().is_some());
}

async fn a_limit_outside_its_bounds_is_taken_as_the_nearest(database: Database) {
    let archive = database.open().await;
    archive.put_tasks(&tasks(3)).await.unwrap();
    for (asked, expected) in [(0, 1), (ARCHIVE_PAGE_MAX + 1, 3), (u32::MAX, 3)] {
        let page = archive.list(&limit(asked)).await.unwrap();
        assert_eq!(page.tasks.len(), expected);
    }
}

async fn a_time_that_does_not_fit_is_refused_and_nothing_is_stored(database: Database) {
    let archive = database.open().await;
    let late = ArchivedTask {
        finished_at_ms: u64::MAX,
        ..task(2)
    };
    let error = archive.put_tasks(&[task(1), late]).await.unwrap_err();
    assert!(
        matches!(error, ArchiveError::BadTime { ms: u64::MAX }) && !error.is_outage(),
        "{error}"
    );
    assert_eq!(archive.task(task(1).id).await.unwrap(), None);
}

async fn a_row_that_was_changed_by_hand_is_an_error_and_no_guess(database: Database) {
    let archive = database.open().await;
    archive.put_tasks(&[task(1)]).await.unwrap();
    for (statement, damaged) in [
        ("UPDATE tasks SET document = '{'", "document"),
        ("UPDATE tasks SET submitted_at_ms = -1", "submitted_at_ms"),
    ] {
        database.execute(statement).await;
        let error = archive.task(task(1).id).await.unwrap_err();
        assert!(
            matches!(&error, ArchiveError::BadRow { column, .. } if *column == damaged),
            "{error}"
        );
        database.execute("UPDATE tasks SET document = '{}'").await;
    }
}

async fn a_table_that_is_gone_is_a_failed_query_and_no_outage(database: Database) {
    let archive = database.open().await;
    database.execute("DROP TABLE tasks").await;
    let error = archive.put_tasks(&[task(1)]).await.unwrap_err();
    let action = "store tasks";
    assert!(
        matches!(&error, ArchiveError::Query { action: failed, .. } if *failed == action)
            && !error.is_outage(),
        "{error}"
    );
}

async fn the_digests_that_history_names_are_found_in_its_documents(database: Database) {
    let archive = database.open().await;
    let proof = Digest::of(b"proof");
    let mut task = task(1);
    task.document = json!({
        "proof": {"digest": proof.to_string(), "url": "/api/v1/tasks/tsk_00/proof"},
        "longer": format!("{proof}0"),
    });
    archive.put_tasks(&[task]).await.unwrap();
    assert_eq!(archive.digests().await.unwrap(), [proof]);
}

async fn what_is_past_its_time_goes_the_oldest_first(database: Database) {
    let archive = database.open().await;
    archive.put_tasks(&tasks(9)).await.unwrap();
    let past = Expiry {
        finished_before_ms: 2_005,
        ..Expiry::default()
    };
    assert_eq!(archive.expire(&past, 3).await.unwrap(), 3);
    assert_eq!(all(&archive, limit(9)).await.0, numbered((3..9).rev()));
    assert_eq!(archive.expire(&past, 3).await.unwrap(), 2);
    assert_eq!(archive.expire(&past, 3).await.unwrap(), 0);
    assert_eq!(all(&archive, limit(9)).await.0, numbered((5..9).rev()));
}

async fn a_policy_keeps_each_task_as_long_as_its_entry_says(database: Database) {
    let archive = database.open().await;
    archive.put_tasks(&tasks(60)).await.unwrap();
    let ms = Duration::from_millis;
    let retention = Retention {
        keep: Some(ms(20)),
        states: [("failed".to_owned(), ms(40))].into(),
        tenants: [("acme".to_owned(), ms(50))].into(),
    };
    // Task n ended at 2,000 + n.
    let now = 2_060;
    for expiry in retention.expiries(now) {
        archive.expire(&expiry, 100).await.unwrap();
    }
    let kept = |number: &u32| {
        let age = 60 - number;
        let keep = if number.is_multiple_of(5) {
            50
        } else if number.is_multiple_of(3) {
            40
        } else {
            20
        };
        age <= keep
    };
    let expected = numbered((0..60).rev().filter(kept));
    assert_eq!(all(&archive, limit(100)).await.0, expected);
}

async fn two_that_put_the_same_tasks_at_once_store_each_once(database: Database) {
    let (one, other) = (database.open().await, database.open().await);
    let tasks = tasks(100);
    let (first, second) = tokio::join!(one.put_tasks(&tasks), other.put_tasks(&tasks));
    first.unwrap();
    second.unwrap();
    let (found, _) = all(&one, limit(30)).await;
    assert_eq!(found, numbered((0..100).rev()));
}

/// One thing that is done to an archive.
#[derive(Clone, Debug)]
enum Step {
    Put(Vec<u32>),
    Expire {
        before: u64,
        limit: u32,
    },
    Page {
        after: Option<u32>,
        limit: u32,
        oldest_first: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        proptest::collection::vec(0..40_u32, 0..6).prop_map(Step::Put),
        (2_000..2_040_u64, 0..4_u32).prop_map(|(before, limit)| Step::Expire { before, limit }),
        (proptest::option::of(0..40_u32), 1..8_u32, any::<bool>()).prop_map(
            |(after, limit, oldest_first)| Step::Page {
                after,
                limit,
                oldest_first
            }
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]
    #[test]
    fn both_answer_the_same_whatever_is_done_to_them(
        steps in proptest::collection::vec(step(), 1..40)
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let (lite, large) = (Database::sqlite(), Database::postgres());
            let (one, other) = (lite.open().await, large.open().await);
            for step in &steps {
                match step {
                    Step::Put(numbers) => {
                        let tasks = numbered(numbers.iter().copied());
                        one.put_tasks(&tasks).await.unwrap();
                        other.put_tasks(&tasks).await.unwrap();
                    }
                    Step::Expire { before, limit } => {
                        let past = Expiry { finished_before_ms: *before, ..Expiry::default() };
                        let removed = one.expire(&past, *limit).await.unwrap();
                        assert_eq!(removed, other.expire(&past, *limit).await.unwrap());
                    }
                    Step::Page { after, limit: most, oldest_first } => {
                        let after = after.map(|number| aureole_store::Cursor {
                            submitted_at_ms: task(number).submitted_at_ms,
                            id: task(number).id,
                        });
                        let filter = TaskFilter {
                            after,
                            oldest_first: *oldest_first,
                            ..limit(*most)
                        };
                        let (a, b) = (one.list(&filter).await, other.list(&filter).await);
                        let (a, b) = (a.unwrap(), b.unwrap());
                        assert_eq!((a.tasks, a.next), (b.tasks, b.next));
                    }
                }
            }
            assert_eq!(all(&one, limit(500)).await, all(&other, limit(500)).await);
        });
    }
}
