//! The way to the leader: which coordinators there are, and which of them this worker follows.
//!
//! ```text
//!  join loop ── follow(address) ──▸ leader ──▸ reports and heartbeats call it
//!      ▴                              │
//!      └───────── doubt(leader) ◂─────┘  a refusal, silence, the end of the stream
//! ```
//!
//! The join loop alone decides who is followed: who accepted this worker's Join leads. Whoever sees
//! reason to doubt says so, with the leader's name if a refusal gave one; the join loop looks again,
//! and all others wait for it instead of asking around themselves.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aureole_api::leader::{COORDINATORS_MAX, Redirect, is_address};
use tokio::sync::watch;

/// The coordinator that accepted this worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leader {
    pub(super) address: Arc<str>,
    /// Counts the Joins: the same address, joined again, is another leader.
    pub(super) reign: u64,
}

/// What this worker knows of the coordinators.
#[derive(Debug)]
pub(super) struct Route {
    /// Configured, and never forgotten: the last resort when the whole group has moved.
    seeds: Vec<String>,
    known: Mutex<Known>,
    leader: watch::Sender<Option<Leader>>,
}

#[derive(Debug, Default)]
struct Known {
    /// The members, as one of them said last.
    members: Vec<String>,
    /// Whom a refusal named.
    hint: Option<String>,
    /// Who was doubted last: asked last, for there is a reason.
    doubted: Option<Arc<str>>,
    reigns: u64,
}

// === impl Route ===

impl Route {
    pub(super) fn new(seeds: Vec<String>) -> Self {
        Self {
            seeds,
            known: Mutex::default(),
            leader: watch::Sender::new(None),
        }
    }

    /// Addresses to ask for the leader, each once, the likeliest first.
    pub(super) fn candidates(&self) -> VecDeque<String> {
        let known = self.lock();
        let mut found: VecDeque<String> = VecDeque::new();
        let listed = known.hint.iter().chain(&known.members).chain(&self.seeds);
        for address in listed {
            if !found.contains(address) {
                found.push_back(address.clone());
            }
        }
        let last = known.doubted.as_deref();
        if known.hint.as_deref() != last
            && let Some(at) = found.iter().position(|address| Some(&**address) == last)
            && let Some(address) = found.remove(at)
        {
            found.push_back(address);
        }
        found
    }

    /// Notes who the members are. What cannot be an address is left out, and an empty list says
    /// nothing.
    pub(super) fn learn(&self, members: &[String]) {
        let members = members.iter().filter(|address| is_address(address));
        let members: Vec<String> = members.take(COORDINATORS_MAX).cloned().collect();
        if !members.is_empty() {
            self.lock().members = members;
        }
    }

    /// Who is followed, now and from now on.
    pub(super) fn watch(&self) -> watch::Receiver<Option<Leader>> {
        self.leader.subscribe()
    }

    /// Notes who accepted this worker.
    pub(super) fn follow(&self, address: &str) -> Leader {
        let mut known = self.lock();
        known.reigns += 1;
        known.hint = None;
        known.doubted = None;
        let leader = Leader {
            address: address.into(),
            reign: known.reigns,
        };
        drop(known);
        self.leader.send_replace(Some(leader.clone()));
        leader
    }

    /// Notes that a coordinator does not lead, or does not answer. Of one that is not followed any
    /// more nothing is new.
    pub(super) fn doubt(&self, leader: &Leader, redirect: Option<&Redirect>) {
        let mut known = self.lock();
        let followed = self.leader.borrow().as_ref() == Some(leader);
        if !followed {
            return;
        }
        known.doubted = Some(Arc::clone(&leader.address));
        known.hint = redirect.and_then(|redirect| redirect.leader.clone());
        drop(known);
        if let Some(redirect) = redirect {
            self.learn(&redirect.coordinators);
        }
        self.leader.send_replace(None);
    }

    /// Who was followed last, while nobody is.
    pub(super) fn lost_leader(&self) -> Option<String> {
        self.lock().doubted.as_deref().map(str::to_owned)
    }

    /// The coordinator that is followed now.
    pub(super) fn leader(&self) -> Option<Leader> {
        self.leader.borrow().clone()
    }

    /// Waits until somebody is followed.
    pub(super) async fn wait(&self) -> Leader {
        let mut leader = self.leader.subscribe();
        loop {
            if let Some(leader) = leader.borrow_and_update().clone() {
                return leader;
            }
            // The sender is in `self`: this never fails.
            let _ = leader.changed().await;
        }
    }

    /// Waits until this coordinator is no longer followed.
    pub(super) async fn left(&self, leader: &Leader) {
        let mut now = self.leader.subscribe();
        // The sender is in `self`: this never fails.
        let _ = now.wait_for(|now| now.as_ref() != Some(leader)).await;
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route() -> Route {
        Route::new(vec!["seed:1".to_owned()])
    }

    fn redirect(leader: Option<&str>, coordinators: &[&str]) -> Redirect {
        Redirect {
            leader: leader.map(str::to_owned),
            coordinators: coordinators.iter().map(|&one| one.to_owned()).collect(),
        }
    }

    #[test]
    fn one_address_is_enough_to_learn_the_others() {
        let route = route();
        assert_eq!(route.candidates(), ["seed:1"]);
        route.learn(&["a:1".to_owned(), "no address".to_owned(), "b:1".to_owned()]);
        assert_eq!(route.candidates(), ["a:1", "b:1", "seed:1"]);
        route.learn(&["c:1".to_owned()]);
        assert_eq!(
            route.candidates(),
            ["c:1", "seed:1"],
            "a member that left is forgotten, a seed never"
        );
        route.learn(&[]);
        assert_eq!(route.candidates(), ["c:1", "seed:1"]);
    }

    #[test]
    fn whom_a_refusal_names_is_asked_first_and_who_was_doubted_last() {
        let route = route();
        let old = route.follow("a:1");
        route.doubt(&old, Some(&redirect(Some("c:1"), &["a:1", "b:1", "c:1"])));
        assert_eq!(route.candidates(), ["c:1", "b:1", "seed:1", "a:1"]);
        let _new = route.follow("c:1");
        assert_eq!(route.candidates(), ["a:1", "b:1", "c:1", "seed:1"]);
    }

    #[test]
    fn a_late_doubt_about_an_earlier_leader_changes_nothing() {
        let route = route();
        let old = route.follow("a:1");
        let new = route.follow("a:1");
        route.doubt(&old, None);
        assert_eq!(route.leader(), Some(new.clone()));
        route.doubt(&new, None);
        assert_eq!(route.leader(), None);
    }

    #[tokio::test]
    async fn waiters_hear_of_a_new_leader_and_of_the_old_ones_end() {
        let route = route();
        let (leader, _) = tokio::join!(route.wait(), async { route.follow("a:1") });
        let ((), ()) = tokio::join!(route.left(&leader), async { route.doubt(&leader, None) });
        let again = route.follow("a:1");
        route.left(&leader).await;
        assert_eq!(route.wait().await, again);
    }
}
