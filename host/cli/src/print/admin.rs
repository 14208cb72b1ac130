//! Tenants, keys, usage and the trail as text.

use aureole_client::rest::{AuditTrail, Key, Quotas, Tenant, Usage};

use super::line;

/// A tenant in one line.
pub(crate) fn tenant(tenant: &Tenant) {
    let state = if tenant.suspended {
        "suspended"
    } else {
        "active"
    };
    let quotas = quotas(&tenant.quotas);
    line(format_args!(
        "{:<24} {state:<10} weight {:<6} {quotas}",
        tenant.id, tenant.weight
    ));
}

fn quotas(quotas: &Quotas) -> String {
    let limits = [
        ("live tasks", quotas.live_tasks),
        ("queued bytes", quotas.queued_bytes),
        ("core-seconds an hour", quotas.core_seconds),
        ("stored bytes", quotas.stored_bytes),
    ];
    let given = limits
        .into_iter()
        .filter_map(|(name, limit)| Some(format!("{} {name}", limit?)));
    let given: Vec<String> = given.collect();
    if given.is_empty() {
        "no quotas".to_owned()
    } else {
        format!("at most {}", given.join(", "))
    }
}

/// A key in one line.
pub(crate) fn key(key: &Key) {
    let state = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(end)) => format!("until {end}"),
        (None, None) => "without an end".to_owned(),
    };
    line(format_args!(
        "{}  {:<10} {:<24} {state:<34} {}",
        key.id,
        key.role.name(),
        key.tenant,
        key.label
    ));
}

/// What a tenant has used and has.
pub(crate) fn usage(usage: &Usage) {
    let limit = |limit: Option<u64>| limit.map_or("no limit".to_owned(), |limit| limit.to_string());
    let rows = [
        ("live tasks", usage.live_tasks, usage.quotas.live_tasks),
        (
            "queued bytes",
            usage.queued_bytes,
            usage.quotas.queued_bytes,
        ),
        (
            "core-seconds this hour",
            usage.core_seconds_this_hour,
            usage.quotas.core_seconds,
        ),
        (
            "stored bytes",
            usage.stored_bytes,
            usage.quotas.stored_bytes,
        ),
    ];
    for (name, used, may) in rows {
        line(format_args!("{name:<24} {used:>16} of {}", limit(may)));
    }
    let totals = [
        ("tasks so far", usage.tasks),
        ("proofs so far", usage.proofs),
        ("failed so far", usage.failed),
        ("core-seconds so far", usage.core_seconds),
        ("input bytes so far", usage.input_bytes),
        ("running now", usage.running),
        ("plugins", usage.plugins),
    ];
    for (name, count) in totals {
        line(format_args!("{name:<24} {count:>16}"));
    }
}

/// The trail, newest first.
pub(crate) fn audit(trail: &AuditTrail) {
    for entry in &trail.acts {
        let subject = entry.subject.as_deref().unwrap_or("");
        line(format_args!(
            "{:>6}  {}  {}  {:<14} {}  {subject} {}",
            entry.number, entry.at, entry.actor, entry.act, entry.tenant, entry.detail
        ));
    }
    if let Some(next) = trail.next {
        line(format_args!("older ones: --before {next}"));
    }
}
