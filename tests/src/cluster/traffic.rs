//! Clients of a cluster while it suffers: they submit, look, cancel, download and sometimes use a key
//! twice, through all gateways, and write down what they did and saw.
//!
//! A submission is repeated under its idempotency key, through one gateway after the other, until it
//! is acknowledged: what breaks off may have happened or not, and the history says just that.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail, ensure};
use aureole_client::codes;
use aureole_store::Digest;
use serde_json::{Value, json};

use crate::http::{self, Answer as Http};
use crate::inputs::preimage_input;
use crate::linear::{Answer, Call, History};
use crate::random::Random;
use crate::wait::PATIENCE;

/// How long a client waits for one answer: longer than the platform takes to say that it has no
/// leader, shorter than a pause or partition lasts.
const ANSWER: Duration = Duration::from_secs(8);

/// How long a client prefers the other gateways after one gave it no answer or a refusal: otherwise
/// all clients soon wait for the one that stands still or is cut off, and a story takes minutes.
const SHUN: Duration = Duration::from_secs(4);

/// One in so many calls goes to such a gateway all the same: what it shows when it goes on is what
/// matters.
const ALL_THE_SAME: u64 = 4;

/// How far the inputs of misused keys are from those of submissions: no story makes as many.
const OTHER_INPUTS: u64 = 1 << 32;

/// The pause of a client before it tries again.
const PAUSE: Duration = Duration::from_millis(25);

/// What clients do.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// Clients at a time.
    pub clients: u64,
    /// Submissions in total; they end before when they are told to.
    pub submissions: u64,
    /// The pause of each client between two submissions.
    pub pause: Duration,
    /// One in so many acknowledged tasks is cancelled; none when 0.
    pub cancel_one_in: u64,
    /// One in so many is looked at several times after its submission, and submitted again; none
    /// when 0.
    pub look_one_in: u64,
    /// After one in so many the proof of a task that was acknowledged before is downloaded; none
    /// when 0.
    pub download_one_in: u64,
    /// Under the key of one in so many another input is submitted; none when 0, as where the ledger
    /// forgets a task within moments, and its key with it.
    pub misuse_one_in: u64,
}

/// Clients at work.
#[derive(Debug)]
pub struct Traffic {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<anyhow::Result<()>>>,
}

/// What the clients did and saw.
#[derive(Debug)]
pub struct Recorded {
    /// All their calls.
    pub history: History,
    /// Every acknowledged submission by its number.
    pub acknowledged: BTreeMap<u64, Acknowledged>,
    /// When each acknowledgement came, since the beginning.
    pub moments: Vec<Duration>,
    /// Answers that said that there is no leader or no room, with a pause to keep.
    pub refused: u64,
    /// Calls without an answer.
    pub broken: u64,
}

/// A submission that was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// The task's id.
    pub id: String,
    /// Whether a cancellation of it was acknowledged.
    pub cancelled: bool,
}

#[derive(Debug)]
struct Shared {
    urls: Vec<String>,
    habits: Habits,
    began: Instant,
    next: AtomicU64,
    stop: AtomicBool,
    hold: AtomicBool,
    history: History,
    acknowledged: Mutex<BTreeMap<u64, Acknowledged>>,
    moments: Mutex<Vec<Duration>>,
    refused: AtomicU64,
    broken: AtomicU64,
}

/// One client.
struct Client {
    shared: Arc<Shared>,
    random: Random,
    /// The gateway that last gave it no answer or a refusal, and until when it is asked less often.
    useless: Option<(usize, Instant)>,
}

// === impl Habits ===

impl Default for Habits {
    fn default() -> Self {
        Self {
            clients: 4,
            submissions: u64::MAX,
            pause: Duration::ZERO,
            cancel_one_in: 8,
            look_one_in: 4,
            // Rare beside looks: both are there to be recorded, not to be a load.
            download_one_in: 8,
            misuse_one_in: 16,
        }
    }
}

// === impl Traffic ===

impl Traffic {
    /// Lets clients loose on these gateways.
    #[must_use]
    pub fn start(urls: Vec<String>, habits: Habits, random: &mut Random) -> Self {
        let shared = Arc::new(Shared {
            urls,
            habits,
            began: Instant::now(),
            next: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            hold: AtomicBool::new(false),
            history: History::default(),
            acknowledged: Mutex::default(),
            moments: Mutex::default(),
            refused: AtomicU64::new(0),
            broken: AtomicU64::new(0),
        });
        let clients = (0..habits.clients).map(|_| {
            let client = Client {
                shared: Arc::clone(&shared),
                random: random.fork(),
                useless: None,
            };
            thread::spawn(move || client.run())
        });
        let clients = clients.collect();
        Self { shared, clients }
    }

    /// How many submissions have been acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        lock(&self.shared.acknowledged).len() as u64
    }

    /// The id of a task that was acknowledged.
    #[must_use]
    pub fn some_task(&self) -> Option<String> {
        let acknowledged = lock(&self.shared.acknowledged);
        Some(acknowledged.values().next()?.id.clone())
    }

    /// Waits until so many more submissions have been acknowledged.
    ///
    /// # Errors
    /// When they are not in time.
    pub async fn goes_on(&self, more: u64) -> anyhow::Result<()> {
        let wanted = (self.acknowledged() + more).min(self.shared.habits.submissions);
        crate::eventually("submissions to be acknowledged", || async {
            Ok((self.acknowledged() >= wanted).then_some(()))
        })
        .await
    }

    /// Has every client wait before its next submission, or go on.
    pub fn hold(&self, hold: bool) {
        self.shared.hold.store(hold, Ordering::SeqCst);
    }

    /// Lets every client finish what it does, and no more.
    ///
    /// # Errors
    /// When a client saw something that no gateway may say.
    pub fn stop(self) -> anyhow::Result<Recorded> {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.finish()
    }

    /// Waits until all submissions are made.
    ///
    /// # Errors
    /// See [`Traffic::stop`].
    pub fn finish(self) -> anyhow::Result<Recorded> {
        for client in self.clients {
            client.join().map_err(|_| anyhow!("a client panicked"))??;
        }
        let shared = Arc::into_inner(self.shared).context("a client still runs")?;
        let unlocked = PoisonError::into_inner;
        Ok(Recorded {
            history: shared.history,
            acknowledged: shared.acknowledged.into_inner().unwrap_or_else(unlocked),
            moments: shared
                .moments
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
            refused: shared.refused.into_inner(),
            broken: shared.broken.into_inner(),
        })
    }
}

// === impl Recorded ===

impl Recorded {
    /// The longest time without an acknowledgement while submissions were under way.
    #[must_use]
    pub fn longest_gap(&self) -> Duration {
        let mut moments = self.moments.clone();
        moments.sort_unstable();
        let gaps = moments.windows(2).map(|two| match two {
            [before, after] => after.saturating_sub(*before),
            _ => Duration::ZERO,
        });
        gaps.max().unwrap_or_default()
    }
}

// === impl Client ===

impl Client {
    fn run(mut self) -> anyhow::Result<()> {
        let habits = self.shared.habits;
        while !self.stopped() {
            if self.shared.hold.load(Ordering::SeqCst) {
                thread::sleep(PAUSE);
                continue;
            }
            let number = self.shared.next.fetch_add(1, Ordering::SeqCst);
            if number >= habits.submissions {
                break;
            }
            let Some(id) = self.submit(number)? else {
                break;
            };
            if self.one_in(habits.look_one_in) {
                for _ in 0..3 {
                    self.look(number, &id)?;
                }
                self.submit(number)?;
            }
            if self.one_in(habits.misuse_one_in) {
                self.misuse(number)?;
            }
            if self.one_in(habits.download_one_in) {
                self.download_one_up_to(number)?;
            }
            if self.one_in(habits.cancel_one_in) {
                thread::sleep(Duration::from_millis(self.random.below(200)));
                self.cancel(number, &id)?;
                self.look(number, &id)?;
            }
            thread::sleep(habits.pause);
        }
        Ok(())
    }

    fn stopped(&self) -> bool {
        self.shared.stop.load(Ordering::SeqCst)
    }

    fn one_in(&mut self, many: u64) -> bool {
        many > 0 && self.random.below(many) == 0
    }

    /// Submits until it is acknowledged; nothing when it was told to stop before.
    fn submit(&mut self, number: u64) -> anyhow::Result<Option<String>> {
        let key = name(number);
        let begun = Instant::now();
        loop {
            let call = self
                .shared
                .history
                .begin(&key, Call::Submit { input: number });
            if let Some(answer) = self.send_submission(&key, number)? {
                ensure!(
                    answer.status < 300,
                    "a submission got {}: {:?}",
                    answer.status,
                    answer.json()
                );
                let id = text(&answer.json()?, "id")?;
                self.shared.history.end(&call, Answer::Accepted(id.clone()));
                lock(&self.shared.moments).push(self.shared.began.elapsed());
                lock(&self.shared.acknowledged)
                    .entry(number)
                    .or_insert_with(|| Acknowledged {
                        id: id.clone(),
                        cancelled: false,
                    });
                return Ok(Some(id));
            }
            if self.stopped() {
                return Ok(None);
            }
            ensure!(
                begun.elapsed() < PATIENCE,
                "submission {number} was never acknowledged"
            );
        }
    }

    /// Submits another input under the key of one that was acknowledged, once.
    fn misuse(&mut self, number: u64) -> anyhow::Result<()> {
        let key = name(number);
        let input = number + OTHER_INPUTS;
        let call = self.shared.history.begin(&key, Call::Submit { input });
        let Some(answer) = self.send_submission(&key, input)? else {
            return Ok(());
        };
        let told = match answer.status {
            // Wrong, which the checker is to say, with all that was seen of the task.
            200..=202 => Answer::Accepted(text(&answer.json()?, "id")?),
            409 if is(&answer, codes::request::IDEMPOTENCY_CONFLICT.code)? => Answer::Conflict,
            status => bail!("a used key got {status}: {:?}", answer.json()),
        };
        self.shared.history.end(&call, told);
        Ok(())
    }

    fn send_submission(&mut self, key: &str, input: u64) -> anyhow::Result<Option<Http>> {
        let body = json!({"plugin": "preimage", "input": preimage_input(input)}).to_string();
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        self.send("POST", "/api/v1/tasks", &headers, body.as_bytes())
    }

    /// Downloads the proof of a task that was acknowledged by now: most that are younger have none.
    fn download_one_up_to(&mut self, newest: u64) -> anyhow::Result<()> {
        let number = self.random.below(newest + 1);
        let known = lock(&self.shared.acknowledged).get(&number).cloned();
        // Another client may still wait for its acknowledgement.
        match known {
            Some(known) => self.download(number, &known.id),
            None => Ok(()),
        }
    }

    fn download(&mut self, number: u64, id: &str) -> anyhow::Result<()> {
        let call = self.shared.history.begin(&name(number), Call::Proof);
        let Some(answer) = self.send("GET", &format!("/api/v1/tasks/{id}/proof"), &[], b"")? else {
            return Ok(());
        };
        let told = match answer.status {
            200 => Answer::Done(Digest::of(&answer.body).to_string()),
            404 => Answer::Missing,
            409 if is(&answer, codes::task::NOT_DONE.code)? => Answer::Live,
            409 if is(&answer, codes::task::CANCELLED.code)? => Answer::Cancelled,
            status => bail!("the proof of {id} got {status}: {:?}", answer.json()),
        };
        self.shared.history.end(&call, told);
        Ok(())
    }

    fn look(&mut self, number: u64, id: &str) -> anyhow::Result<()> {
        let call = self.shared.history.begin(&name(number), Call::Get);
        let Some(answer) = self.send("GET", &format!("/api/v1/tasks/{id}"), &[], b"")? else {
            return Ok(());
        };
        let seen = match answer.status {
            200 => seen(&answer.json()?)?,
            404 => Answer::Missing,
            status => bail!("a look at {id} got {status}: {:?}", answer.json()),
        };
        self.shared.history.end(&call, seen);
        Ok(())
    }

    fn cancel(&mut self, number: u64, id: &str) -> anyhow::Result<()> {
        let call = self.shared.history.begin(&name(number), Call::Cancel);
        let Some(answer) = self.send("DELETE", &format!("/api/v1/tasks/{id}"), &[], b"")? else {
            return Ok(());
        };
        let told = match answer.status {
            200..=202 => match seen(&answer.json()?)? {
                Answer::Cancelled => Answer::Cancelled,
                Answer::Done(_) | Answer::Failed => Answer::Ended,
                other => bail!("a cancelled task is shown as {other:?}"),
            },
            404 => Answer::Missing,
            409 => Answer::Ended,
            status => bail!("a cancellation of {id} got {status}: {:?}", answer.json()),
        };
        if told == Answer::Cancelled
            && let Some(known) = lock(&self.shared.acknowledged).get_mut(&number)
        {
            known.cancelled = true;
        }
        self.shared.history.end(&call, told);
        Ok(())
    }

    /// Sends a request through some gateway. Nothing when no answer came, or one that says to come
    /// back later: in both cases the client pauses a moment.
    fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> anyhow::Result<Option<Http>> {
        let chosen = self.choose()?;
        let urls = &self.shared.urls;
        let url = urls.get(chosen).context("there is no gateway")?;
        match http::send_within(ANSWER, url, method, path, headers, body) {
            // A disk that fills up has been a leader's: another one leads soon.
            Ok(answer) if answer.status == 507 => {
                self.shared.refused.fetch_add(1, Ordering::SeqCst);
            }
            Ok(answer) if answer.status == 503 || answer.status == 429 => {
                ensure!(
                    answer.header("retry-after").is_some(),
                    "a refusal does not say when to come back: {:?}",
                    answer.json()
                );
                self.shared.refused.fetch_add(1, Ordering::SeqCst);
            }
            Ok(answer) => return Ok(Some(answer)),
            Err(_) => {
                self.shared.broken.fetch_add(1, Ordering::SeqCst);
            }
        }
        self.useless = Some((chosen, Instant::now() + SHUN));
        thread::sleep(PAUSE);
        Ok(None)
    }

    /// Chooses a gateway.
    fn choose(&mut self) -> anyhow::Result<usize> {
        let gateways = self.shared.urls.len() as u64;
        let any = usize::try_from(self.random.below(gateways))?;
        let shunned = self
            .useless
            .is_some_and(|(useless, until)| useless == any && Instant::now() < until);
        if shunned && !self.one_in(ALL_THE_SAME) {
            let next = 1 + self.random.below(gateways.saturating_sub(1));
            return Ok((any + usize::try_from(next)?) % self.shared.urls.len());
        }
        Ok(any)
    }
}

/// Whether an answer is the problem of this code.
fn is(answer: &Http, code: &str) -> anyhow::Result<bool> {
    Ok(text(&answer.json()?, "code")? == code)
}

/// What a submission's task is called in the history: its idempotency key.
pub(super) fn name(number: u64) -> String {
    format!("submission-{number}")
}

/// A task's document as the history has it.
fn seen(task: &Value) -> anyhow::Result<Answer> {
    Ok(match text(task, "state")?.as_str() {
        "queued" | "running" => Answer::Live,
        "failed" => Answer::Failed,
        "cancelled" => Answer::Cancelled,
        "done" => {
            let proof = task.get("proof").context("a done task shows no proof")?;
            Answer::Done(text(proof, "digest")?)
        }
        other => bail!("a task is {other}"),
    })
}

fn text(document: &Value, key: &str) -> anyhow::Result<String> {
    let text = document.get(key).and_then(Value::as_str);
    Ok(text
        .with_context(|| format!("no {key} in {document}"))?
        .to_owned())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
