//! What a caller may call: decided by the role in its certificate, before a service sees the request.

use std::sync::Arc;

use tonic::service::Interceptor;
use tonic::{Request, Status};

use super::{Name, Role};

/// Lets the calls of some roles through. A service behind it finds the caller's [`Name`] among the
/// request's extensions.
#[derive(Clone, Debug)]
pub struct Guard {
    /// `None` where the transport is plain: then everybody on this machine may call.
    cluster: Option<Arc<str>>,
    allowed: &'static [Role],
}

// === impl Guard ===

impl Guard {
    /// Lets everybody through: for connections within a process, and plain loopback ones.
    pub(crate) fn open() -> Self {
        Self {
            cluster: None,
            allowed: &[],
        }
    }

    /// Lets some roles of a cluster through.
    pub(crate) fn of(cluster: &str, allowed: &'static [Role]) -> Self {
        Self {
            cluster: Some(cluster.into()),
            allowed,
        }
    }

    /// Says who calls, if that one may.
    fn admit(&self, caller: Option<Name>, cluster: &str) -> Result<Name, Status> {
        let Some(caller) = caller else {
            return Err(Status::unauthenticated(format!(
                "no certificate of cluster {cluster} was shown; `aureole cluster certificate` makes one"
            )));
        };
        if caller.cluster != cluster {
            return Err(Status::unauthenticated(format!(
                "the certificate is of cluster {}, this is cluster {cluster}",
                caller.cluster
            )));
        }
        if !self.allowed.contains(&caller.role) {
            let allowed: Vec<_> = self.allowed.iter().map(|role| role.name()).collect();
            return Err(Status::permission_denied(format!(
                "a {} may not call this; it is for: {}",
                caller.role,
                allowed.join(", ")
            )));
        }
        Ok(caller)
    }
}

impl Interceptor for Guard {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(cluster) = &self.cluster {
            let certificates = request.peer_certs();
            let caller = certificates
                .as_ref()
                .and_then(|chain| Name::of_certificate(chain.first()?));
            let caller = self.admit(caller, cluster)?;
            request.extensions_mut().insert(caller);
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    //! Each way of being refused.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::Guard;
    use crate::tls::{Name, Role};
    use tonic::Code;

    fn verdict(caller: Option<Name>) -> Result<Name, Code> {
        Guard::of("c1", &[Role::Coordinator, Role::Worker])
            .admit(caller, "c1")
            .map_err(|status| status.code())
    }

    #[test]
    fn only_the_roles_that_are_named_come_through() {
        let worker = Name::new("c1", Role::Worker, "w").unwrap();
        assert_eq!(verdict(Some(worker.clone())), Ok(worker));
        let gateway = Name::new("c1", Role::Gateway, "g");
        assert_eq!(verdict(gateway), Err(Code::PermissionDenied));
    }

    #[test]
    fn a_stranger_and_a_member_of_another_cluster_are_refused() {
        assert_eq!(verdict(None), Err(Code::Unauthenticated));
        let foreign = Name::new("c2", Role::Worker, "w");
        assert_eq!(verdict(foreign), Err(Code::Unauthenticated));
    }
}
