//! Keys, proofs and verdicts from prover children.

use aureole_prover::{Reason, Values, Verdict};
use aureole_store::{DepotError, Digest, Secret};
use aureole_worker::{Error, Session, Stage, Unsatisfied, VERIFY_BATCH_MAX};

use crate::fixture::{Fixture, annotations, circuit, secret_witness, witness};

#[tokio::test]
async fn a_proof_made_in_one_process_is_verified_in_another() {
    let fixture = Fixture::new("proof");
    let prepared = fixture.provers().prepare(&circuit()).await.unwrap();
    let digest = fixture.depot.put(circuit()).await.unwrap();
    assert_eq!(prepared.circuit_digest, digest.to_string());
    assert_eq!(prepared.report["shape"]["k"], prepared.k);
    assert_eq!(prepared.report["public_inputs"][0]["name"], "digest");

    let mut stages = Vec::new();
    let on_stage = |stage| stages.push(stage);
    let proved = fixture
        .provers()
        .prove(&digest, &secret_witness(), on_stage)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stages, [Stage::Check, Stage::Prove]);
    assert_eq!(proved.proof.len(), prepared.proof_bytes as usize);
    assert_eq!(proved.public_inputs, witness().public_inputs);

    let verifiers = fixture.provers();
    let (verdict, _) = verifiers
        .verify(&digest, &proved.public_inputs, &proved.proof)
        .await
        .unwrap();
    assert_eq!(verdict, Verdict::Valid);
    let mut flipped = proved.proof.clone();
    flipped[100] ^= 1;
    let mut trailing = proved.proof.clone();
    trailing.push(0);
    let inputs = proved.public_inputs.as_slice();
    let batch = [
        (inputs, proved.proof.as_slice()),
        (inputs, &flipped),
        (inputs, &trailing),
    ];
    let verdicts = verifiers
        .verify_batch(&digest, &batch)
        .await
        .unwrap()
        .verdicts;
    assert_eq!(verdicts[0], Verdict::Valid);
    assert_eq!(
        verdicts[1],
        Verdict::Invalid {
            reason: Reason::Proof
        }
    );
    assert!(matches!(
        verdicts[2],
        Verdict::Invalid {
            reason: Reason::ProofLength { .. }
        }
    ));
}

#[tokio::test]
async fn keys_are_warm_the_second_time() {
    let fixture = Fixture::new("warm");
    let provers = fixture.provers();
    let first = provers.prepare(&circuit()).await.unwrap();
    let digest = Digest::of(&circuit());
    // The circuit is not in the depot: only a warm process can know it.
    let again = provers.open(&digest).await.unwrap().warm().await.unwrap();
    assert!(
        again.as_micros() < u128::from(first.keygen_micros) / 10,
        "{again:?}"
    );
}

#[tokio::test]
async fn an_unsatisfied_witness_is_explained_without_a_value() {
    let fixture = Fixture::new("unsatisfied");
    let digest = fixture.depot.put(circuit()).await.unwrap();
    let mut session = fixture.provers().open(&digest).await.unwrap();
    assert!(session.check(&secret_witness()).await.unwrap().is_ok());

    let mut bad = witness();
    bad.advice_values[0] ^= 1;
    let bad = Secret::new(bad.encode());
    let refused = session.prove(&bad, |_| {}).await.unwrap().unwrap_err();
    assert_eq!(session.check(&bad).await.unwrap().unwrap_err(), refused);
    assert_eq!(refused.code(), "witness.unsatisfied");
    let problem = refused.to_problem();
    let first = refused.0.failures[0].to_string();
    assert!(problem.detail.contains(&first), "{problem}");
    assert!(!problem.detail.contains("0x"), "{problem}");
    let report = String::from_utf8(refused.report().unwrap()).unwrap();
    assert!(
        report.contains("\"name\":\"a0") && !report.contains("0x"),
        "{report}"
    );

    let values = async |session: &mut Session, values| {
        session
            .diagnose(&annotations(), &bad, values)
            .await
            .unwrap()
            .unwrap_err()
    };
    let hidden = values(&mut session, Values::Hidden).await;
    assert!(hidden.0.failures[0].region.is_some(), "{hidden:?}");
    let shown = values(&mut session, Values::Shown).await;
    let cells = |unsatisfied: &Unsatisfied| {
        let cells = unsatisfied
            .0
            .failures
            .iter()
            .flat_map(|failure| failure.cells.clone());
        cells.map(|cell| cell.value.is_some()).collect::<Vec<_>>()
    };
    assert!(cells(&hidden).iter().all(|has| !has) && cells(&shown).iter().any(|has| *has));
    assert!(
        !format!("{shown:?}").contains("0x"),
        "a report's debug form shows a value"
    );
    let kept = String::from_utf8(shown.report().unwrap()).unwrap();
    assert!(!kept.contains("0x"), "a kept report shows a value: {kept}");
}

#[tokio::test]
async fn a_witness_of_another_shape_is_refused_and_the_process_stays() {
    let fixture = Fixture::new("shape");
    let digest = fixture.depot.put(circuit()).await.unwrap();
    let mut session = fixture.provers().open(&digest).await.unwrap();
    let mut bad = witness();
    bad.public_inputs.clear();
    let error = session
        .prove(&Secret::new(bad.encode()), |_| {})
        .await
        .unwrap_err();
    let (problem, retryable) = error.to_problem();
    assert!(!retryable && problem.code.contains("."), "{problem}");
    let error = session
        .prove(&Secret::new(b"no witness".to_vec()), |_| {})
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Failed { .. }), "{error}");
    assert!(
        session
            .prove(&secret_witness(), |_| {})
            .await
            .unwrap()
            .is_ok()
    );
}

#[tokio::test]
async fn a_circuit_over_the_limits_is_refused_before_any_key_is_made() {
    let fixture = Fixture::new("limits");
    let mut config = fixture.provers_config();
    config.limits.key_bytes_max = 1000;
    let cost = aureole_worker::Provers::new(config.clone(), fixture.depot.clone().into());
    assert_eq!(
        code(&cost.prepare(&circuit()).await.unwrap_err()),
        "limits.cost"
    );
    let small = fixture.provers_config().within(1 << 20);
    let small = aureole_worker::Provers::new(small, fixture.depot.clone().into());
    let refused = small.prepare(&circuit()).await.unwrap_err();
    assert_eq!(code(&refused), "limits.cost");
    assert!(
        refused.to_string().contains("this worker has 1048576"),
        "{refused}"
    );
    config.limits.k_max = 3;
    let k = aureole_worker::Provers::new(config, fixture.depot.clone().into());
    assert_eq!(code(&k.prepare(&circuit()).await.unwrap_err()), "ir.k");
    let provers = fixture.provers();
    assert_eq!(
        code(&provers.prepare(b"no circuit").await.unwrap_err()),
        "ir.malformed"
    );
}

#[tokio::test]
async fn a_circuit_that_nobody_has_is_an_error_of_the_depot() {
    let fixture = Fixture::new("missing");
    let digest = Digest::of(b"nothing");
    let error = fixture
        .provers()
        .verify(&digest, &[], &[])
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Depot(DepotError::NotFound { .. })),
        "{error}"
    );
    assert_eq!(error.to_problem().0.code, "node.storage");
}

#[tokio::test]
async fn a_batch_over_the_limit_is_refused() {
    let fixture = Fixture::new("batch");
    let proofs = vec![([].as_slice(), [].as_slice()); VERIFY_BATCH_MAX as usize + 1];
    let error = fixture
        .provers()
        .verify_batch(&Digest::of(b""), &proofs)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

fn code(error: &Error) -> String {
    let (problem, retryable) = error.to_problem();
    assert!(!retryable);
    problem.code
}
