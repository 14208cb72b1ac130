//! Verdicts for callers: by children that judge no worker's proof, a bounded number at a time of
//! which no tenant takes more than it leaves free, and many proofs of one circuit share the work.

mod places;

use std::sync::Arc;

use aureole_api::{Problem, codes, rest};
use aureole_coordinator::{Verdict, Verifier as _, VerifyError};
use aureole_gateway::{BatchVerification, Caller};
use aureole_ledger::{Digest, TenantId};

use self::places::Places;
use super::{
    Desk,
    proofs::{flat, verdict, wrong_length},
    storage,
};
use crate::verifier::ChildVerifier;

/// Verifications for callers at a time, those that wait for the one child included. One proof takes
/// tens of milliseconds and a full batch about a second: sixteen are an answer within the gateway's
/// patience, and more would wait only to be told so later.
const VERIFICATIONS_MAX: usize = 16;

/// Verifies what callers bring. Its child is not the one that completions wait for: a proof that was
/// made is not held up by those that are asked about.
#[derive(Clone, Debug)]
pub(crate) struct Verifications {
    verifier: Arc<ChildVerifier>,
    places: Arc<Places>,
}

// === impl Verifications ===

impl Verifications {
    /// Takes children that nobody else verifies in.
    pub(crate) fn new(verifier: ChildVerifier) -> Self {
        Self {
            verifier: Arc::new(verifier),
            places: Places::new(VERIFICATIONS_MAX),
        }
    }

    /// Verifies one proof.
    pub(super) async fn one(
        &self,
        tenant: &TenantId,
        circuit: Digest,
        public_inputs: Vec<u8>,
        proof: Vec<u8>,
    ) -> Result<Verdict, Problem> {
        let verifier = Arc::clone(&self.verifier);
        let work = async move { verifier.verify(circuit, public_inputs, proof).await };
        self.run(tenant, work).await
    }

    /// Verifies many proofs of a circuit, each with its public inputs.
    async fn many(
        &self,
        tenant: &TenantId,
        circuit: Digest,
        claims: Vec<(Vec<u8>, Vec<u8>)>,
    ) -> Result<Vec<Verdict>, Problem> {
        let verifier = Arc::clone(&self.verifier);
        let work = async move { verifier.verify_batch(circuit, &claims).await };
        self.run(tenant, work).await
    }

    /// Does the work if there is room, on a task of its own: a caller who goes away must not kill the
    /// child, nor make room while it still works.
    async fn run<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        work: impl Future<Output = Result<T, VerifyError>> + Send + 'static,
    ) -> Result<T, Problem> {
        let place = self.places.take(tenant).map_err(|none| {
            let detail = format!(
                "{} verifications of yours run already and {} of {VERIFICATIONS_MAX} places are \
                 free; a tenant takes no more than it leaves: try again",
                none.held, none.free
            );
            Problem::new(codes::node::BUSY, detail)
        })?;
        let running = tokio::spawn(async move {
            let done = work.await;
            drop(place);
            done
        });
        match running.await {
            Ok(done) => done.map_err(|error| storage(&error, "the verifier could not be asked")),
            Err(error) => {
                tracing::error!(%error, "a verification ended without a result");
                let detail = "the verification could not be finished";
                Err(Problem::new(codes::node::INTERNAL, detail))
            }
        }
    }
}

// === impl Desk ===

impl Desk {
    /// Whether each proof verifies under the circuit's key for exactly its public inputs.
    pub(crate) async fn verdicts(
        &self,
        caller: &Caller,
        batch: BatchVerification,
    ) -> Result<Vec<rest::Verdict>, Problem> {
        let record = self.circuit_record(caller, &batch.circuit)?;
        let facts = self.ready_facts(caller, &batch.circuit)?;
        let inputs = self.circuit_view(&record).await?.public_inputs;
        let revoked = self.revocation_of(&facts.key_digest);
        let expected = facts.proof_bytes as usize;
        // A proof of another length is none of the circuit's: it never reaches the verifier.
        let mut verdicts = Vec::with_capacity(batch.claims.len());
        let mut claims = Vec::with_capacity(batch.claims.len());
        for (index, claim) in batch.claims.into_iter().enumerate() {
            let place = |problem: Problem| {
                let path = problem.path().unwrap_or_default().to_owned();
                problem.at(format!("/proofs/{index}{path}"))
            };
            let flat = flat(&inputs, &claim.public_inputs).map_err(place)?;
            let found = claim.proof.len();
            let is_known = found != expected;
            verdicts.push(is_known.then(|| wrong_length(found, expected, revoked.clone())));
            if found == expected {
                claims.push((flat, claim.proof));
            }
        }
        let found = self
            .verifications
            .many(&caller.tenant, facts.circuit_digest, claims);
        let found = found.await?.into_iter();
        let found = found.map(|found| verdict(found, revoked.clone()));
        Ok(merged(verdicts, found))
    }
}

/// The verifier's verdicts in the places that have none yet.
fn merged(
    known: Vec<Option<rest::Verdict>>,
    mut found: impl Iterator<Item = rest::Verdict>,
) -> Vec<rest::Verdict> {
    let places = known.into_iter();
    places
        .filter_map(|known| known.or_else(|| found.next()))
        .collect()
}

#[cfg(test)]
mod tests {
    //! Room for callers, and those who go away.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use std::task::{Context, Waker};

    use aureole_store::Depot;
    use aureole_worker::{ChildCommand, Provers, ProversConfig};
    use tokio::sync::oneshot;

    use super::*;

    /// Verifications whose child is never started.
    fn verifications(folder: &tempfile::TempDir) -> Verifications {
        let command = ChildCommand::current().unwrap();
        let config = ProversConfig::new(command, folder.path().to_owned(), 1);
        let depot = Depot::open(&folder.path().join("depot")).unwrap();
        let provers = Provers::new(config, Arc::new(depot));
        Verifications::new(ChildVerifier::new(provers))
    }

    #[tokio::test]
    async fn one_verification_more_than_a_tenant_leaves_free_is_busy_and_another_tenants_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let verifications = verifications(&folder);
        let mut running = Vec::new();
        let (flood, beside) = (TenantId::default(), "beside".parse().unwrap());
        for _ in 0..VERIFICATIONS_MAX / 2 {
            let (end, ended) = oneshot::channel::<()>();
            let (own, work) = (verifications.clone(), async move {
                drop(ended.await);
                Ok(())
            });
            let mut run = Box::pin(async move { own.run(&TenantId::default(), work).await });
            let polled = run.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
            running.push((run, end));
        }
        let busy = verifications.run(&flood, async { Ok(()) }).await;
        assert_eq!(busy.unwrap_err().code(), codes::node::BUSY.code);
        verifications.run(&beside, async { Ok(()) }).await.unwrap();
        let (run, end) = running.pop().unwrap();
        drop(end);
        run.await.unwrap();
        verifications.run(&flood, async { Ok(()) }).await.unwrap();
    }

    #[tokio::test]
    async fn a_caller_who_goes_away_ends_no_verification_and_makes_no_room() {
        let folder = tempfile::tempdir().unwrap();
        let verifications = verifications(&folder);
        let (end, ended) = oneshot::channel::<()>();
        let (tell, done) = oneshot::channel();
        let tenant = TenantId::default();
        let mut run = Box::pin(verifications.run(&tenant, async move {
            drop(ended.await);
            tell.send(()).unwrap();
            Ok(())
        }));
        let polled = run.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        drop(run);
        let rest = std::iter::from_fn(|| verifications.places.take(&tenant).ok());
        assert_eq!(rest.collect::<Vec<_>>().len(), VERIFICATIONS_MAX / 2 - 1);
        drop(end);
        done.await.unwrap();
    }
}
