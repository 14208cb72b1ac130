//! `aureole verifying-key`: publish, rotate, revoke.

use aureole_client::rest;

use super::Context;
use crate::arguments::VerifyingKey;
use crate::print;

/// Runs the verb.
pub(crate) async fn run(context: &Context, verb: VerifyingKey) -> anyhow::Result<()> {
    let client = context.client()?;
    match verb {
        VerifyingKey::List => {
            let listed = client.verifying_keys().await?;
            print::result(context.output, &listed, |listed| {
                listed.keys.iter().for_each(key);
                listed.revocations.iter().for_each(revocation);
            })
        }
        VerifyingKey::Show { key: id } if id.starts_with("cir_") => {
            let shown = client.circuit_key(&id).await?;
            print::result(context.output, &shown, circuit_key)
        }
        VerifyingKey::Show { key: name } => {
            let shown = client.verifying_key(&name).await?;
            print::result(context.output, &shown, key)
        }
        VerifyingKey::Publish { name, circuit } => {
            let published = client.publish_verifying_key(&name, &circuit).await?;
            print::result(context.output, &published, key)
        }
        VerifyingKey::Revoke { circuit, reason } => {
            let revoked = client.revoke_verifying_key(&circuit, &reason).await?;
            print::result(context.output, &revoked, circuit_key)
        }
    }
}

fn key(key: &rest::VerifyingKey) {
    for version in &key.versions {
        let state = match version.state {
            rest::VerifyingKeyState::Current => "current",
            rest::VerifyingKeyState::Superseded => "superseded",
            rest::VerifyingKeyState::Revoked => "revoked",
        };
        print::line(format_args!(
            "{}@{}  {state}  {}  {}",
            key.name, version.version, version.circuit, version.key_digest
        ));
    }
}

fn circuit_key(key: &rest::CircuitKey) {
    print::line(format_args!("key        {}", key.key_digest));
    print::line(format_args!("circuit    {}", key.circuit));
    print::line(format_args!("digest     {}", key.circuit_digest));
    print::line(format_args!("proofs     {} bytes", key.proof_bytes));
    if !key.names.is_empty() {
        print::line(format_args!("names      {}", key.names.join(", ")));
    }
    key.revoked.iter().for_each(revocation);
}

fn revocation(revocation: &rest::Revocation) {
    print::line(format_args!(
        "REVOKED {} at {}: {}",
        revocation.key_digest, revocation.at, revocation.reason
    ));
}
