//! Whether a leader answers: it is asked when somebody asks for this process's health, and what it
//! said is remembered for a moment.

use std::time::{Duration, Instant};

use aureole_api::rest::Check;
use futures::FutureExt as _;
use tokio::sync::Mutex;

use super::Relay;
use super::call::Call;
use super::patience::Pace;
use crate::health;

/// How long nobody is asked again: the probes of several load balancers are one question a second.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// How long a leader is looked for; probes wait 5 s as a rule.
const PATIENCE: Duration = Duration::from_secs(2);

/// How old an answer of a leader may be: an election under way, which requests wait through, is no
/// reason to take a gateway out of service; a second one after it is.
const AGE_MAX: Duration = Duration::from_secs(5);

/// What leaders said last.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    asked: Option<Instant>,
    answered: Option<Instant>,
    checks: Vec<Check>,
}

/// What the leader said, and how long ago.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// Nothing yet, or so long ago.
    pub(crate) age: Option<Duration>,
    /// The leader's checks then.
    pub(crate) checks: Vec<Check>,
}

// === impl Heard ===

impl Heard {
    /// Whether a leader answered lately.
    pub(crate) fn is_recent(&self) -> bool {
        self.age.is_some_and(|age| age <= AGE_MAX)
    }
}

// === impl Relay ===

impl Relay {
    /// What a leader says, asked now unless it was a moment ago. Whoever comes while another asks
    /// waits for that answer.
    pub(super) async fn heard(&self) -> Heard {
        let mut known = self.pulse.known.lock().await;
        if known.asked.is_none_or(|asked| asked.elapsed() > ASK_EVERY) {
            let asked = self.ask(
                None,
                Pace::Prompt,
                || Call::Checks,
                |desk| async move { Ok(health::of_leader(&desk).await) }.boxed(),
            );
            let answer = tokio::time::timeout(PATIENCE, asked).await;
            known.asked = Some(Instant::now());
            if let Ok(Ok(checks)) = answer {
                known.answered = known.asked;
                known.checks = checks;
            }
        }
        Heard {
            age: known.answered.map(|at| at.elapsed()),
            checks: known.checks.clone(),
        }
    }
}
