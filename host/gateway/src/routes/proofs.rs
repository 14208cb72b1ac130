//! `/proofs/verify`: whether a proof verifies, or each of many.

use std::collections::BTreeMap;

use aureole_api::{
    Problem,
    codes::{proof, request},
    rest::{BATCH_PROOFS_MAX, PublicInputs, VerifyBatchReport, VerifyBatchRequest, VerifyRequest},
};
use aureole_ledger::CircuitId;
use axum::{
    Json,
    extract::{Request, State},
    response::IntoResponse as _,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{
    BatchVerification, Caller, Claim, Verification,
    answer::Answer,
    body::read_json,
    extract::{Asked, Nothing},
    json,
    shared::Shared,
};

/// A proof that does not verify is an answer (`valid: false`); text that is no proof is refused.
pub(super) async fn verify(
    State(shared): State<Shared>,
    caller: Caller,
    _: Asked<Nothing>,
    request: Request,
) -> Answer {
    let body = read_json(&shared, request).await?;
    let asked: VerifyRequest = json::typed(body.value)?;
    Ok(Json(shared.platform.verify(&caller, parse(&asked)?).await?).into_response())
}

/// Verifies many proofs of one circuit; each has its verdict.
pub(super) async fn verify_batch(
    State(shared): State<Shared>,
    caller: Caller,
    _: Asked<Nothing>,
    request: Request,
) -> Answer {
    let body = read_json(&shared, request).await?;
    let asked: VerifyBatchRequest = json::typed(body.value)?;
    let batch = parse_batch(&asked)?;
    let verdicts = shared.platform.verify_batch(&caller, batch).await?;
    let valid = verdicts.iter().all(|verdict| verdict.valid);
    Ok(Json(VerifyBatchReport { valid, verdicts }).into_response())
}

pub(crate) fn parse_batch(asked: &VerifyBatchRequest) -> Result<BatchVerification, Problem> {
    check_size(asked.proofs.len(), BATCH_PROOFS_MAX, "proofs")?;
    let claims = asked.proofs.iter().enumerate().map(|(index, claim)| {
        let place = format!("/proofs/{index}");
        Ok(Claim {
            public_inputs: elements(&claim.public_inputs, &place)?,
            proof: decoded(&claim.proof, &place)?,
        })
    });
    Ok(BatchVerification {
        circuit: circuit(&asked.circuit)?,
        claims: claims.collect::<Result<_, Problem>>()?,
    })
}

/// Refuses an empty batch, and one of too many.
pub(crate) fn check_size(count: usize, max: u32, what: &str) -> Result<(), Problem> {
    if (1..=max as usize).contains(&count) {
        return Ok(());
    }
    let detail = format!("the batch has {count} {what}; it may have 1 to {max}");
    Err(Problem::new(request::BATCH, detail).at(format!("/{what}")))
}

pub(crate) fn parse(asked: &VerifyRequest) -> Result<Verification, Problem> {
    Ok(Verification {
        circuit: circuit(&asked.circuit)?,
        public_inputs: elements(&asked.public_inputs, "")?,
        proof: decoded(&asked.proof, "")?,
    })
}

fn circuit(text: &str) -> Result<CircuitId, Problem> {
    let form = "a circuit is cir_ and 32 lower-case hex digits";
    let malformed = |_| Problem::new(request::ID, form).at("/circuit");
    text.parse().map_err(malformed)
}

fn decoded(proof: &str, place: &str) -> Result<Vec<u8>, Problem> {
    BASE64_STANDARD.decode(proof).map_err(|error| {
        let detail = format!("{error}: expected standard base64 with padding");
        Problem::new(proof::ENCODING, detail).at(format!("{place}/proof"))
    })
}

fn elements(given: &PublicInputs, place: &str) -> Result<BTreeMap<String, Vec<[u8; 32]>>, Problem> {
    let each = given.iter().map(|(name, elements)| {
        let texts = elements.texts().iter().enumerate();
        let parsed = texts.map(|(index, text)| {
            element(text).ok_or_else(|| {
                let detail = "expected 0x and 64 lower-case hex digits";
                let name = name.replace('~', "~0").replace('/', "~1");
                Problem::new(proof::PUBLIC_INPUTS_ENCODING, detail)
                    .at(format!("{place}/public_inputs/{name}/{index}"))
            })
        });
        Ok((name.clone(), parsed.collect::<Result<_, Problem>>()?))
    });
    each.collect()
}

/// One element has one form: an upper-case digit or a missing zero would be a second one.
fn element(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_prefix("0x")?;
    if digits.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}
