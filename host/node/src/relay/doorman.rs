//! Who is let in: the administrator's first key by this process's configuration, every other by the
//! ledger, and who shows a token by the identity provider that made it.
//!
//! Beside a coordinator the ledger's copy is asked first, and the leader only where that does not know
//! the key yet. A gateway on its own asks the leader, and remembers for a moment who was let in. Neither
//! lets a revoked key do anything: the leader's desk looks at every caller again.
//!
//! What is read without asking the leader (see `hot`) is read by those alone whom the ledger's copy
//! beside this gateway still lets in, or whom a leader did a moment ago.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aureole_api::Problem;
use aureole_gateway::{Caller, Credential, KeyHash};
use aureole_ledger::{KeyId, Role, TenantId};
use futures::FutureExt as _;

use super::Relay;
use super::call::Call;
use super::patience::Pace;
use super::tokens::Tokens;

/// How long a gateway on its own remembers whom it let in.
const REMEMBERED_FOR: Duration = Duration::from_secs(10);

/// Callers remembered at a time; past it all are forgotten.
const REMEMBERED_MAX: usize = 4096;

/// Knows keys without asking.
#[derive(Debug, Default)]
pub(crate) struct Doorman {
    bootstrap: Option<KeyHash>,
    tokens: Option<Tokens>,
    remembered: Mutex<BTreeMap<KeyId, Remembered>>,
    /// Until when bearers of tokens are known to be let in, by tenant and subject.
    met: Mutex<BTreeMap<(TenantId, String), Instant>>,
}

#[derive(Debug)]
struct Remembered {
    key: KeyHash,
    caller: Caller,
    until: Instant,
}

// === impl Doorman ===

impl Doorman {
    pub(crate) fn new(bootstrap: Option<KeyHash>, tokens: Option<Tokens>) -> Self {
        Self {
            bootstrap,
            tokens,
            remembered: Mutex::default(),
            met: Mutex::default(),
        }
    }

    /// Notes that a leader has just done something for the bearer of a token.
    fn meet(&self, caller: &Caller, now: Instant) {
        let Credential::Token(subject) = &caller.credential else {
            return;
        };
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        if met.len() >= REMEMBERED_MAX {
            met.clear();
        }
        let until = now + REMEMBERED_FOR;
        met.insert((caller.tenant.clone(), subject.clone()), until);
    }

    /// Whether a caller was let in a moment ago. Keys are: that is how they came here.
    fn has_met(&self, caller: &Caller, now: Instant) -> bool {
        let Credential::Token(subject) = &caller.credential else {
            return true;
        };
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let until = met.get(&(caller.tenant.clone(), subject.clone()));
        until.is_some_and(|until| *until > now)
    }

    /// Who holds a key, as far as that is known here.
    fn knows(&self, key: &KeyHash) -> Option<Caller> {
        if self.bootstrap.is_some_and(|first| first.matches(key)) {
            return Some(Caller {
                tenant: TenantId::default(),
                role: Role::Admin,
                credential: Credential::Bootstrap(key.id),
            });
        }
        let remembered = self.lock();
        let known = remembered.get(&key.id)?;
        let fresh = known.until > Instant::now() && known.key.matches(key);
        fresh.then(|| known.caller.clone())
    }

    fn remember(&self, key: &KeyHash, caller: &Caller) {
        let mut remembered = self.lock();
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        let known = Remembered {
            key: *key,
            caller: caller.clone(),
            until: Instant::now() + REMEMBERED_FOR,
        };
        remembered.insert(key.id, known);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<KeyId, Remembered>> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Relay ===

impl Relay {
    /// Who holds a key.
    pub(super) async fn let_in(&self, key: &KeyHash) -> Result<Option<Caller>, Problem> {
        if let Some(caller) = self.doorman.knows(key) {
            return Ok(Some(caller));
        }
        if let Some(local) = self.local()
            && local.desk.knows(key)
        {
            return Ok(local.desk.holder(key));
        }
        let key = *key;
        let asked = self.ask(
            None,
            Pace::Prompt,
            || Call::Authenticate { key },
            |desk| async move { Ok(desk.holder(&key)) }.boxed(),
        );
        let caller: Option<Caller> = asked.await?;
        if let (Some(caller), None) = (&caller, self.local()) {
            self.doorman.remember(&key, caller);
        }
        Ok(caller)
    }

    /// Whether a caller may be shown what it read before without asking the leader.
    pub(super) fn is_let_in(&self, caller: &Caller) -> bool {
        match self.local() {
            Some(local) => local.desk.recognise(caller).is_ok(),
            None => self.doorman.has_met(caller, Instant::now()),
        }
    }

    /// Notes that a leader has just done something for a caller.
    pub(super) fn was_let_in(&self, caller: &Caller) {
        if self.local().is_none() {
            self.doorman.meet(caller, Instant::now());
        }
    }

    /// Who bears a token.
    pub(super) async fn let_in_by_token(&self, token: &str) -> Result<Option<Caller>, Problem> {
        match &self.doorman.tokens {
            Some(tokens) => tokens.bearer(token).await,
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    //! Who is shown what it read before without asking the leader.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    fn caller(tenant: &str, credential: Credential) -> Caller {
        Caller {
            tenant: TenantId::new(tenant).unwrap(),
            role: Role::Submitter,
            credential,
        }
    }

    #[test]
    fn the_bearer_of_a_token_is_known_for_a_moment_after_a_leader_let_it_in() {
        let (doorman, now) = (Doorman::default(), Instant::now());
        let bearer = |tenant| caller(tenant, Credential::Token("ada".to_owned()));
        assert!(!doorman.has_met(&bearer("acme"), now), "no leader said so");
        doorman.meet(&bearer("acme"), now);
        assert!(doorman.has_met(&bearer("acme"), now));
        assert!(!doorman.has_met(&bearer("beta"), now), "another tenant");
        let later = now + REMEMBERED_FOR;
        assert!(
            !doorman.has_met(&bearer("acme"), later),
            "it may be suspended"
        );
    }

    #[test]
    fn who_shows_a_key_was_let_in_by_it() {
        let (doorman, now) = (Doorman::default(), Instant::now());
        let key = Credential::Key(KeyId::from_bytes([1; 8]));
        assert!(doorman.has_met(&caller("acme", key), now));
    }
}
