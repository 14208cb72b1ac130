//! Who asks: the tenant, the role and the credential that a request was let in with.

use std::fmt;

use aureole_api::{Problem, codes};
use aureole_ledger::{KeyId, Role, TenantId, limits::ACTOR_BYTES_MAX};
use axum::{
    extract::FromRequestParts,
    http::request::Parts,
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};

use crate::answer::Refusal;

/// Who asks. Made where a credential was checked, and nowhere else; it goes with every verb to the
/// desk that does it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Whose tasks and plugins these are.
    pub tenant: TenantId,
    /// What the caller may do.
    pub role: Role,
    /// What the caller showed.
    pub credential: Credential,
}

/// What a caller showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// A key of the ledger, which the desk looks at again: a revoked one does nothing more.
    Key(KeyId),
    /// The administrator's first key, which stands in the gateway's configuration.
    Bootstrap(KeyId),
    /// A token of an identity provider, by the subject it names.
    Token(String),
}

// === impl Caller ===

impl Caller {
    /// The caller's name on the trail, cut to what fits there.
    #[must_use]
    pub fn actor(&self) -> String {
        let mut actor = self.credential.to_string();
        while actor.len() > ACTOR_BYTES_MAX {
            actor.pop();
        }
        actor
    }

    /// Whether the caller may know of what belongs to a tenant: its own, and for an administrator
    /// every one's.
    #[must_use]
    pub fn sees(&self, tenant: &TenantId) -> bool {
        self.role == Role::Admin || self.tenant == *tenant
    }
}

/// The caller of a request whose route asks for one: `access` has put it there.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let unguarded = || Problem::new(codes::node::INTERNAL, "the route asked for no caller");
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Refusal(unguarded()).into_response())
    }
}

// === impl Credential ===

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) | Self::Bootstrap(key) => key.fmt(f),
            Self::Token(subject) => write!(f, "token:{subject}"),
        }
    }
}
