//! The relay: the gateway's verbs, done by the desk of the coordinator that leads.
//!
//! ```text
//!            this member leads:  linearizable? ──▸ its desk
//! gateway ──▸ relay
//!            another one leads:  Desk.Call, Desk.Upload, Desk.Fetch ──▸ linearizable? ──▸ its desk
//! ```
//!
//! Every answer comes from a leader that a majority confirmed after the request came in, so none is
//! stale; without a majority the answer is `node.no_leader`. Every verb may be done twice and counts
//! once: registrations and cancels by their nature, a submission because the relay gives the task its
//! id before the first try. So when a leader is lost under a request, the request goes to the next one,
//! and a long wait goes on there. Whatever is cut, there is an answer in time: see `patience`.

mod call;
mod doorman;
mod patience;
mod perform;
mod platform;
mod pulse;
mod remote;
mod route;
mod service;
#[cfg(test)]
mod tests;
mod tokens;
mod webhooks;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aureole_api::{Problem, codes};
use aureole_coordinator::Coordinator;
use aureole_gateway::Caller;
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;

pub(crate) use doorman::Doorman;
pub(crate) use pulse::Heard;
pub(crate) use service::DeskService;
pub(crate) use tokens::Tokens;

use self::call::Call;
use self::patience::{Pace, Tries};
use self::pulse::Pulse;
use self::remote::Remote;
use self::route::Route;
use crate::desk::Desk;
use crate::hot::Hot;
use crate::tls::Transport;

/// Why a try brought no answer.
#[derive(Debug)]
pub(crate) enum Lost {
    /// The answer: nobody else has another.
    Problem(Problem),
    /// Nobody who leads was reached, or leadership went while the verb ran.
    Leader(String),
}

/// The desk of this process and the member it stands at.
#[derive(Clone)]
pub(crate) struct Local {
    pub(crate) desk: Arc<Desk>,
    pub(crate) coordinator: Coordinator,
    /// This member's id.
    pub(crate) member: u64,
}

/// Does the gateway's verbs at the leader.
pub(crate) struct Relay {
    local: Option<Local>,
    remote: Remote,
    pulse: Pulse,
    hot: Hot,
    doorman: Doorman,
}

// === impl Relay ===

impl Relay {
    /// A relay beside a coordinator: the way to the leader is what that member knows.
    pub(crate) fn beside(local: Local, transport: Transport, hot: Hot, doorman: Doorman) -> Self {
        let remote = Remote::new(transport, Route::new(Vec::new()));
        Self {
            local: Some(local),
            remote,
            pulse: Pulse::default(),
            hot,
            doorman,
        }
    }

    /// A relay on its own: it asks the coordinators that it is told of.
    pub(crate) fn apart(
        coordinators: Vec<String>,
        transport: Transport,
        hot: Hot,
        doorman: Doorman,
    ) -> Self {
        Self {
            local: None,
            remote: Remote::new(transport, Route::new(coordinators)),
            pulse: Pulse::default(),
            hot,
            doorman,
        }
    }

    /// The desk of this process, if it has one.
    fn local(&self) -> Option<&Local> {
        self.local.as_ref()
    }

    /// Does a verb that answers with a document, here or at the leader, again where that is lost.
    async fn ask<T: DeserializeOwned>(
        &self,
        caller: Option<&Caller>,
        pace: Pace,
        call: impl Fn() -> Call + Sync,
        here: impl Fn(Arc<Desk>) -> BoxFuture<'static, Result<T, Problem>> + Sync,
    ) -> Result<T, Problem> {
        self.until_answered(
            caller,
            pace,
            |address, left| {
                let call = call();
                async move { self.remote.call(&address, caller, &call, left).await }
            },
            here,
        )
        .await
    }

    /// Does something at the leader, again where that is lost, until patience ends.
    async fn until_answered<T, F>(
        &self,
        caller: Option<&Caller>,
        pace: Pace,
        there: impl Fn(String, Duration) -> F,
        here: impl Fn(Arc<Desk>) -> BoxFuture<'static, Result<T, Problem>>,
    ) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, Lost>>,
    {
        let mut tries = Tries::new(pace);
        loop {
            let left = tries.begin();
            let lost = match self.once(caller, left, &there, &here).await {
                Ok(answer) => return Ok(answer),
                Err(Lost::Problem(problem)) if !problem.is(codes::node::NO_LEADER) => {
                    return Err(problem);
                }
                Err(Lost::Problem(problem)) => problem.detail().to_owned(),
                Err(Lost::Leader(reason)) => reason,
            };
            tracing::debug!(reason = lost, "no answer from a leader");
            if !tries.pause().await {
                tracing::warn!(reason = lost, "a request found no leader in time");
                return Err(no_leader(tries.took()));
            }
        }
    }

    async fn once<T, F>(
        &self,
        caller: Option<&Caller>,
        left: Duration,
        there: &impl Fn(String, Duration) -> F,
        here: &impl Fn(Arc<Desk>) -> BoxFuture<'static, Result<T, Problem>>,
    ) -> Result<T, Lost>
    where
        F: Future<Output = Result<T, Lost>>,
    {
        let Some(local) = &self.local else {
            let address = self.remote.route().next();
            return there(address, left).await;
        };
        let mut leader = local.coordinator.leader();
        let Some(leads) = leader.now() else {
            return Err(Lost::Leader("nobody leads".to_owned()));
        };
        let id = leads.id;
        let work = async {
            if id == local.member {
                let done = async {
                    local.confirm().await?;
                    if let Some(caller) = caller {
                        local.desk.recognise(caller).map_err(Lost::Problem)?;
                    }
                    here(Arc::clone(&local.desk)).await.map_err(Lost::Problem)
                };
                let done = tokio::time::timeout(left, done).await;
                done.unwrap_or_else(|_| Err(Lost::Leader("no answer in time".to_owned())))
            } else {
                there(leads.address, left).await
            }
        };
        // Not waited for: an answer from one who leads no more may never come.
        let another = async {
            drop(
                leader
                    .until(|now| now.as_ref().map(|now| now.id) != Some(id))
                    .await,
            );
        };
        tokio::select! {
            biased;
            answer = work => answer,
            () = another => Err(Lost::Leader("the leader is another".to_owned())),
        }
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").finish_non_exhaustive()
    }
}

// === impl Local ===

impl Local {
    /// Makes sure that this member leads and has applied all that was committed before.
    async fn confirm(&self) -> Result<(), Lost> {
        self.coordinator
            .linearizable()
            .await
            .map_err(|error| Lost::Leader(error.to_string()))
    }
}

/// What a caller is told when there is no leader.
fn no_leader(took: Duration) -> Problem {
    let detail = format!(
        "no leader answered within {:.1} s; a majority of the coordinators must be up and reachable. A \
         submission may have been accepted: repeat it with the same idempotency-key",
        took.as_secs_f64()
    );
    Problem::new(codes::node::NO_LEADER, detail)
}
