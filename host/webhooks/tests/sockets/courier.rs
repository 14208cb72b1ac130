//! Deliveries until they are taken or given up, and whom a bad receiver does not hold up.

use std::collections::BTreeSet;
use std::future::Future as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use async_trait::async_trait;
use aureole_ledger::{Failure, Settlement, TaskId};
use aureole_webhooks::limits::TRIALS_MAX;
use aureole_webhooks::{Courier, Denied, Letter, Resolve, ResolveError, Rules, SendError, Sender};

use crate::kit::{KEY, Receiver, Shelf, round, rules, task, webhook};

/// Longer than any of these stories.
const NEVER: Duration = Duration::from_secs(600);

/// A resolver that never answers.
#[derive(Default)]
struct Silent {
    asked: AtomicUsize,
}

#[async_trait]
impl Resolve for Silent {
    async fn resolve(&self, _: &str, _: u16) -> Result<Vec<IpAddr>, ResolveError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }
}

fn tasks(from: u8, count: u8) -> Vec<TaskId> {
    (from..from + count).map(task).collect()
}

#[tokio::test]
async fn a_dead_receiver_holds_up_nobody() {
    let (silent, failing) = (
        Receiver::silent().await,
        Receiver::answering("HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n").await,
    );
    let good = Receiver::good().await;
    let shelf = Shelf::new(vec![
        (webhook(1), silent.url(), tasks(1, 40)),
        (webhook(2), failing.url(), tasks(50, 40)),
        (webhook(3), good.url(), tasks(100, 40)),
    ]);
    let _round = round(&shelf, rules(&[&silent, &failing, &good]), NEVER);
    let got = good.until(|got| got.len() == 40).await;
    assert!(got.iter().all(|got| got.is_signed(&KEY)));
    let ids: BTreeSet<&str> = got.iter().map(|got| got.id()).collect();
    assert_eq!(ids.len(), 40, "each once");
    let settled = shelf.until(|settled| settled.len() == 40).await;
    let delivered = Settlement::Delivered { status: 204 };
    assert!(
        settled
            .iter()
            .all(|each| each.2 == delivered && each.3 == 1)
    );
    // It is tried on and on meanwhile, one at a time once it has failed.
    failing.until(|got| got.len() >= 6).await;
}

#[tokio::test]
async fn a_receiver_that_fails_for_ever_gets_the_same_events_again_until_they_are_given_up() {
    let failing = Receiver::answering("HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n").await;
    let shelf = Shelf::new(vec![(webhook(1), failing.url(), tasks(1, 2))]);
    let round = round(&shelf, rules(&[&failing]), Duration::from_secs(3));
    failing.until(|got| got.len() >= 5).await;
    let progress = round.courier.progress(webhook(1), task(1));
    let progress = progress.or_else(|| round.courier.progress(webhook(1), task(2)));
    let progress = progress.expect("attempts are shown while it waits");
    assert_eq!(progress.last.failure, Failure::Status(500));
    let settled = shelf.until(|settled| settled.len() == 2).await;
    for (_, _, settlement, attempts) in settled {
        let failure = Failure::Status(500);
        assert_eq!(settlement, Settlement::Dead { failure });
        assert!(attempts >= 2, "{attempts}");
    }
    let got = failing.until(|_| true).await;
    let ids: BTreeSet<&str> = got.iter().map(|got| got.id()).collect();
    assert_eq!(ids.len(), 2, "an event keeps its id over all attempts");
}

#[tokio::test]
async fn a_receiver_that_comes_back_gets_what_waited() {
    let back = Receiver::new(|mut stream, turn| async move {
        let answer: &[u8] = match turn {
            1..=3 => b"HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n",
            _ => b"HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n",
        };
        tokio::io::AsyncWriteExt::write_all(&mut stream, answer)
            .await
            .unwrap();
    })
    .await;
    let shelf = Shelf::new(vec![(webhook(1), back.url(), tasks(1, 12))]);
    let _round = round(&shelf, rules(&[&back]), NEVER);
    let settled = shelf.until(|settled| settled.len() == 12).await;
    let done = Settlement::Delivered { status: 200 };
    assert!(settled.iter().all(|each| each.2 == done));
}

#[tokio::test]
async fn a_receiver_that_is_gone_for_good_is_believed() {
    let gone = Receiver::answering("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n").await;
    let shelf = Shelf::new(vec![(webhook(1), gone.url(), tasks(1, 1))]);
    let _round = round(&shelf, rules(&[&gone]), NEVER);
    let settled = shelf.until(|settled| settled.len() == 1).await;
    let failure = Failure::Status(410);
    assert_eq!(settled[0].2, Settlement::Dead { failure });
    assert_eq!(gone.connections(), 1);
}

#[tokio::test]
async fn what_was_delivered_and_not_written_down_is_delivered_again_under_its_id() {
    let good = Receiver::good().await;
    let shelf = Shelf::new(vec![(webhook(1), good.url(), tasks(1, 1))]);
    *shelf.lose.lock().unwrap() = 2;
    let _round = round(&shelf, rules(&[&good]), NEVER);
    shelf.until(|settled| settled.len() == 1).await;
    let got = good.until(|got| got.len() == 3).await;
    assert!(got.iter().all(|each| each.id() == got[0].id()));
}

#[tokio::test]
async fn an_event_without_a_task_is_given_up_unsent() {
    let good = Receiver::good().await;
    let shelf = Shelf::new(vec![(webhook(1), good.url(), tasks(1, 1))]);
    shelf.forgotten.lock().unwrap().push(task(1));
    let _round = round(&shelf, rules(&[&good]), NEVER);
    let settled = shelf.until(|settled| settled.len() == 1).await;
    let failure = Failure::Forgotten;
    assert_eq!(settled[0].2, Settlement::Dead { failure });
    assert_eq!(good.connections(), 0);
}

#[tokio::test]
async fn only_who_leads_delivers() {
    let good = Receiver::good().await;
    let shelf = Shelf::new(vec![(webhook(1), good.url(), tasks(1, 1))]);
    *shelf.leads.lock().unwrap() = false;
    let round = round(&shelf, rules(&[&good]), NEVER);
    // It has looked at least once more when it is asked again.
    round.courier.wake();
    tokio::task::yield_now().await;
    assert_eq!(good.connections(), 0);
    *shelf.leads.lock().unwrap() = true;
    round.courier.wake();
    good.until(|got| got.len() == 1).await;
}

#[tokio::test]
async fn more_trials_than_may_run_at_a_time_are_refused_before_the_resolver_is_asked() {
    let resolver = Arc::new(Silent::default());
    let sender = Sender::new(Rules::default(), resolver.clone(), None).unwrap();
    let schedule = aureole_webhooks::Schedule {
        first: NEVER,
        longest: NEVER,
        give_up: NEVER,
    };
    let courier = Courier::new(Shelf::new(Vec::new()), sender, schedule);
    let mut trials: Vec<_> = (0..TRIALS_MAX)
        .map(|_| Box::pin(courier.check("https://slow.example/")))
        .collect();
    for trial in &mut trials {
        let mut context = Context::from_waker(Waker::noop());
        assert!(trial.as_mut().poll(&mut context).is_pending());
    }
    let letter = Letter {
        id: "evt_1",
        seconds: 1,
        body: "{}".into(),
        key: &KEY,
    };
    let checked = courier.check("https://slow.example/").await;
    let tested = courier.test("https://slow.example/", &letter).await;
    assert!(matches!(checked, Err(Denied::Busy { .. })), "{checked:?}");
    assert!(
        matches!(tested, Err(SendError::Denied(Denied::Busy { .. }))),
        "{tested:?}"
    );
    assert_eq!(resolver.asked.load(Ordering::SeqCst), TRIALS_MAX);
    drop(trials);
    let checked = courier.check("ftp://slow.example/").await;
    assert!(matches!(checked, Err(Denied::Scheme { .. })), "{checked:?}");
}

#[tokio::test]
async fn an_event_that_somebody_asks_for_again_does_not_wait() {
    let failing = Receiver::new(|mut stream, turn| async move {
        let status = if turn == 1 { 500 } else { 200 };
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
        tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes())
            .await
            .unwrap();
    })
    .await;
    let shelf = Shelf::new(vec![(webhook(1), failing.url(), tasks(1, 1))]);
    let schedule = aureole_webhooks::Schedule {
        first: NEVER,
        longest: NEVER,
        give_up: NEVER,
    };
    let sender = crate::kit::sender(rules(&[&failing]));
    let courier = Courier::new(shelf.clone(), sender, schedule);
    let stop = tokio_util::sync::CancellationToken::new();
    let (running, until) = (courier.clone(), stop.clone());
    tokio::spawn(async move { running.run(until).await });
    failing.until(|got| got.len() == 1).await;
    while courier.progress(webhook(1), task(1)).is_none() {
        tokio::task::yield_now().await;
    }
    courier.again(webhook(1), task(1));
    shelf.until(|settled| settled.len() == 1).await;
    stop.cancel();
}
