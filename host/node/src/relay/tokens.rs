//! Callers by the tokens of an identity provider: its word for the tenant and the role.

use std::collections::BTreeSet;

use aureole_api::{Problem, codes};
use aureole_gateway::{Caller, Credential};
use aureole_ledger::{Role, TenantId};
use aureole_oidc::{Bearer, CheckError, Issuer};

/// Seconds after which a caller may ask again whose token could not be checked.
const ASK_AGAIN: u32 = 10;

/// Knows the bearers of tokens.
#[derive(Debug)]
pub(crate) struct Tokens(Issuer);

// === impl Tokens ===

impl Tokens {
    pub(crate) const fn new(issuer: Issuer) -> Self {
        Self(issuer)
    }

    /// Who bears a token, if it is good and says one tenant and one role.
    pub(super) async fn bearer(&self, token: &str) -> Result<Option<Caller>, Problem> {
        match self.0.check(token).await {
            Ok(bearer) => {
                let caller = caller_of(&bearer);
                if caller.is_none() {
                    tracing::debug!("a token does not say one tenant and one role");
                }
                Ok(caller)
            }
            Err(CheckError::Refused(refusal)) => {
                tracing::debug!(%refusal, "a token is refused");
                Ok(None)
            }
            Err(error) => {
                tracing::debug!(%error, "a token cannot be checked");
                let detail = "the issuer of tokens does not give its keys";
                Err(Problem::new(codes::access::ISSUER_AWAY, detail).retry_after(ASK_AGAIN))
            }
        }
    }
}

/// The caller that a token makes. Roles of other systems may stand beside ours; two of ours, or two
/// tenants, say nothing.
fn caller_of(bearer: &Bearer) -> Option<Caller> {
    let tenants: BTreeSet<TenantId> = known(&bearer.tenants);
    let roles: BTreeSet<Role> = known(&bearer.roles);
    Some(Caller {
        tenant: only(tenants)?,
        role: only(roles)?,
        credential: Credential::Token(bearer.subject.clone()),
    })
}

fn known<T: std::str::FromStr + Ord>(texts: &[String]) -> BTreeSet<T> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

fn only<T: Ord>(found: BTreeSet<T>) -> Option<T> {
    let mut found = found.into_iter();
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    //! A token makes a caller where it says one tenant and one role, and nobody otherwise.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use aureole_gateway::Credential;
    use aureole_ledger::Role;
    use aureole_oidc::Bearer;

    use super::caller_of;

    fn bearer(tenants: &[&str], roles: &[&str]) -> Bearer {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Bearer {
            subject: "ada".to_owned(),
            tenants: owned(tenants),
            roles: owned(roles),
        }
    }

    #[test]
    fn a_bearer_of_one_tenant_and_one_role_is_a_caller() {
        let caller = caller_of(&bearer(&["acme"], &["offline", "author"])).unwrap();
        assert_eq!(caller.tenant.as_str(), "acme");
        assert_eq!(caller.role, Role::Author);
        assert_eq!(caller.credential, Credential::Token("ada".to_owned()));
        assert_eq!(caller.actor(), "token:ada");
    }

    #[test]
    fn a_bearer_of_none_or_of_several_is_nobody() {
        for (tenants, roles) in [
            (&[][..], &["author"][..]),
            (&["acme"], &[]),
            (&["acme"], &["root"]),
            (&["acme", "other"], &["author"]),
            (&["acme"], &["author", "submitter"]),
            (&["No Tenant"], &["author"]),
        ] {
            let caller = caller_of(&bearer(tenants, roles));
            assert!(caller.is_none(), "{tenants:?} {roles:?}");
        }
    }
}
