//! `/proofs/verify`: whether a proof verifies.

use std::collections::BTreeMap;

use aureole_api::{
    Problem,
    codes::{proof, request},
    rest::{PublicInputs, VerifyRequest},
};
use axum::{
    Json,
    extract::{Request, State},
    response::IntoResponse as _,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{
    Caller, Verification,
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

fn parse(asked: &VerifyRequest) -> Result<Verification, Problem> {
    let form = "a circuit is cir_ and 32 lower-case hex digits";
    let malformed = |_| Problem::new(request::ID, form).at("/circuit");
    let proof = BASE64_STANDARD.decode(&asked.proof).map_err(|error| {
        let detail = format!("{error}: expected standard base64 with padding");
        Problem::new(proof::ENCODING, detail).at("/proof")
    })?;
    Ok(Verification {
        circuit: asked.circuit.parse().map_err(malformed)?,
        public_inputs: elements(&asked.public_inputs)?,
        proof,
    })
}

fn elements(given: &PublicInputs) -> Result<BTreeMap<String, Vec<[u8; 32]>>, Problem> {
    let each = given.iter().map(|(name, elements)| {
        let texts = elements.texts().iter().enumerate();
        let parsed = texts.map(|(index, text)| {
            element(text).ok_or_else(|| {
                let detail = "expected 0x and 64 lower-case hex digits";
                let name = name.replace('~', "~0").replace('/', "~1");
                Problem::new(proof::PUBLIC_INPUTS_ENCODING, detail)
                    .at(format!("/public_inputs/{name}/{index}"))
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
