//! The way to the leader for a process that is no member: one coordinator after another, and whoever
//! a refusal names first.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aureole_api::leader::{COORDINATORS_MAX, Redirect, is_address};

/// Which coordinator to ask next.
#[derive(Debug)]
pub(super) struct Route {
    /// Configured, and never forgotten.
    seeds: Vec<String>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Who answered last, or was named by one who does not lead.
    leader: Option<String>,
    /// The members, as one of them said last.
    members: Vec<String>,
    /// Who is asked in turn while no leader is known.
    turn: VecDeque<String>,
    /// Who did not answer last: asked after the others, for it costs more time than a refusal.
    silent: Option<String>,
}

// === impl Route ===

impl Route {
    pub(super) fn new(seeds: Vec<String>) -> Self {
        Self {
            seeds,
            known: Mutex::default(),
        }
    }

    /// The address to ask now.
    pub(super) fn next(&self) -> String {
        let mut known = self.lock();
        if let Some(leader) = &known.leader {
            return leader.clone();
        }
        if known.turn.is_empty() {
            let mut turn: VecDeque<String> = VecDeque::new();
            for address in known.members.iter().chain(&self.seeds) {
                if !turn.contains(address) {
                    turn.push_back(address.clone());
                }
            }
            if let Some(silent) = known.silent.take()
                && let Some(place) = turn.iter().position(|address| *address == silent)
            {
                turn.remove(place);
                turn.push_back(silent);
            }
            known.turn = turn;
        }
        // Empty only without seeds, which the configuration refuses.
        known.turn.pop_front().unwrap_or_default()
    }

    /// Notes that an address answered as the leader.
    pub(super) fn follow(&self, address: &str) {
        let mut known = self.lock();
        if known.leader.as_deref() != Some(address) {
            known.leader = Some(address.to_owned());
            known.turn.clear();
        }
    }

    /// Notes that an address does not lead, or does not answer.
    pub(super) fn doubt(&self, address: &str, redirect: Option<Redirect>) {
        let mut known = self.lock();
        if known.leader.as_deref() == Some(address) {
            known.leader = None;
        }
        let Some(redirect) = redirect else {
            known.silent = Some(address.to_owned());
            return;
        };
        let members = redirect.coordinators.into_iter();
        let members: Vec<String> = members
            .filter(|address| is_address(address))
            .take(COORDINATORS_MAX)
            .collect();
        if !members.is_empty() {
            known.members = members;
        }
        // One who names itself, or was named and did not answer, is asked in turn like the others.
        let named = redirect.leader.filter(|named| named != address);
        if named.is_some() {
            known.leader = named;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    //! One address is enough; a lost leader is left; nobody is asked for ever.

    use super::{Redirect, Route};

    fn route() -> Route {
        Route::new(vec!["a:1".to_owned(), "b:1".to_owned()])
    }

    fn redirect(leader: Option<&str>, members: &[&str]) -> Option<Redirect> {
        Some(Redirect {
            leader: leader.map(str::to_owned),
            coordinators: members.iter().map(|&member| member.to_owned()).collect(),
        })
    }

    #[test]
    fn coordinators_are_asked_in_turn_until_one_leads() {
        let route = route();
        assert_eq!(
            [route.next(), route.next(), route.next()],
            ["a:1", "b:1", "a:1"]
        );
        route.follow("b:1");
        assert_eq!([route.next(), route.next()], ["b:1", "b:1"]);
        route.doubt("b:1", None);
        assert_eq!([route.next(), route.next()], ["a:1", "b:1"]);
    }

    #[test]
    fn who_fell_silent_is_asked_after_the_others() {
        let route = route();
        route.follow("a:1");
        route.doubt("a:1", None);
        assert_eq!([route.next(), route.next()], ["b:1", "a:1"]);
        assert_eq!(route.next(), "a:1", "once");
    }

    #[test]
    fn whom_a_refusal_names_is_asked_next_and_the_members_are_learnt() {
        let route = route();
        route.doubt("a:1", redirect(Some("c:1"), &["a:1", "c:1", "d:1"]));
        assert_eq!(route.next(), "c:1");
        route.doubt("c:1", None);
        let asked = [route.next(), route.next(), route.next(), route.next()];
        // What was left of the first turn, then the members as they are now.
        assert!(asked.contains(&"d:1".to_owned()), "{asked:?}");
    }

    #[test]
    fn a_refusal_that_names_the_refuser_names_nobody() {
        let route = route();
        route.follow("a:1");
        route.doubt("a:1", redirect(Some("a:1"), &[]));
        assert_eq!(route.next(), "a:1", "in turn");
        assert_eq!(route.next(), "b:1");
    }
}
