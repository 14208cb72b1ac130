//! One heavy dependency has one owner: the rooms that may import it, and no other.

use std::path::Path;

use anyhow::Context as _;

/// Dependency, and the rooms that may have it outside tests.
const OWNERS: [(&str, &[&str]); 22] = [
    ("wasmtime", &["host/runtime"]),
    ("wasmparser", &["host/runtime"]),
    ("wit-bindgen", &["plugins/sdk"]),
    ("openraft", &["host/coordinator"]),
    ("sqlx", &["host/store"]),
    ("redis", &["host/store"]),
    ("deadpool-redis", &["host/store"]),
    ("axum", &["host/gateway", "tests"]),
    ("reqwest", &["host/client", "host/oidc"]),
    ("jsonwebtoken", &["host/oidc"]),
    ("ratatui", &["host/top"]),
    ("prost", &["host/api"]),
    ("jsonschema", &["host/node"]),
    ("chacha20poly1305", &["host/store"]),
    ("tikv-jemallocator", &["host/cli", "tests"]),
    ("prometheus", &["host/telemetry"]),
    ("opentelemetry_sdk", &["host/telemetry"]),
    ("opentelemetry-otlp", &["host/telemetry"]),
    ("tracing-opentelemetry", &["host/telemetry"]),
    ("tracing-subscriber", &["host/telemetry"]),
    // Whoever trusts the world's authorities speaks to strangers: that is one room's business.
    ("webpki-roots", &["host/webhooks"]),
    ("turmoil", &["tests/simnet"]),
];

/// Names every import of a dependency outside its owners.
pub(super) fn check(workspace: &Path, rooms: &[String]) -> anyhow::Result<Vec<String>> {
    let mut breaches = Vec::new();
    for room in rooms {
        let manifest = std::fs::read_to_string(workspace.join(room).join("Cargo.toml"))
            .with_context(|| format!("{room} has no manifest"))?;
        breaches.extend(in_manifest(room, &manifest));
    }
    Ok(breaches)
}

fn in_manifest(room: &str, manifest: &str) -> Vec<String> {
    let names: Vec<&str> = super::dependencies(manifest).collect();
    OWNERS
        .iter()
        .filter(|(name, owners)| names.contains(name) && !owners.contains(&room))
        .map(|(name, owners)| {
            format!(
                "{room}: may not import {name}, which {} owns",
                owners.join(" and ")
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    //! A second room that takes an owned dependency is named.

    use super::in_manifest;

    #[test]
    fn a_dependency_outside_its_owner_is_named() {
        let manifest = "[dependencies]\nsqlx.workspace = true\n";
        assert_eq!(
            in_manifest("host/gateway", manifest),
            ["host/gateway: may not import sqlx, which host/store owns"]
        );
        assert!(in_manifest("host/store", manifest).is_empty());
    }

    #[test]
    fn a_test_may_import_what_it_likes() {
        let manifest = "[dependencies]\n\n[dev-dependencies]\nsqlx = \"1\"\n";
        assert!(in_manifest("host/gateway", manifest).is_empty());
    }
}
