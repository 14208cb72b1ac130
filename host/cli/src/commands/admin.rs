//! `aureole admin`: tenants, keys, quotas, usage, the trail.

use std::time::SystemTime;

use anyhow::Context as _;
use aureole_client::rest::{self, KeyRequest, Role, TenantRequest, Timestamp};
use aureole_node::ApiKey;
use serde_json::json;

use super::{Context, reverify};
use crate::arguments::{Admin, Key, KeyRole, Quotas, Tenant};
use crate::print;

/// Runs the verb.
pub(crate) async fn run(context: &Context, verb: Admin) -> anyhow::Result<()> {
    match verb {
        Admin::Tenant(verb) => tenant(context, verb).await,
        Admin::Key(verb) => key(context, verb).await,
        Admin::Quota { tenant, quotas } => {
            let change = TenantRequest {
                quotas: Some(limits(quotas)),
                ..TenantRequest::default()
            };
            put(context, &tenant, &change).await
        }
        Admin::Usage { tenant } => {
            let usage = context.client()?.usage(&tenant).await?;
            print::result(context.output, &usage, print::usage)
        }
        Admin::Audit { before, limit } => {
            let trail = context.client()?.audit_page(before, limit).await?;
            print::result(context.output, &trail, print::audit)
        }
        Admin::Reverify { circuit } => reverify::run(context, &circuit).await,
        Admin::BootstrapKey => {
            let key = ApiKey::fresh().context("no randomness for a key")?;
            let made = json!({"key": *key.text(), "hash": key.hash().to_string()});
            print::result(context.output, &made, |_| {
                print::line(format_args!("key   {}", *key.text()));
                print::line(format_args!("hash  {}", key.hash()));
                print::line(
                    "Keep the key; put the hash into access.bootstrap_key of every gateway.",
                );
            })
        }
    }
}

async fn tenant(context: &Context, verb: Tenant) -> anyhow::Result<()> {
    let suspended = |suspended| TenantRequest {
        suspended: Some(suspended),
        ..TenantRequest::default()
    };
    match verb {
        Tenant::List => {
            let tenants = context.client()?.tenants().await?;
            print::result(context.output, &tenants, |list| {
                list.tenants.iter().for_each(print::tenant);
            })
        }
        Tenant::Show { tenant } => {
            let tenant = context.client()?.tenant(&tenant).await?;
            print::result(context.output, &tenant, print::tenant)
        }
        Tenant::Set { tenant, weight } => {
            let change = TenantRequest {
                weight,
                ..TenantRequest::default()
            };
            put(context, &tenant, &change).await
        }
        Tenant::Suspend { tenant } => put(context, &tenant, &suspended(true)).await,
        Tenant::Resume { tenant } => put(context, &tenant, &suspended(false)).await,
    }
}

async fn put(context: &Context, tenant: &str, change: &TenantRequest) -> anyhow::Result<()> {
    let tenant = context.client()?.put_tenant(tenant, change).await?;
    print::result(context.output, &tenant, print::tenant)
}

async fn key(context: &Context, verb: Key) -> anyhow::Result<()> {
    let client = context.client()?;
    match verb {
        Key::New {
            tenant,
            role,
            label,
            expires,
        } => {
            let expires_at = expires.map(|after| {
                let end = SystemTime::now() + after;
                let since = end
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .unwrap_or_default();
                Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
            });
            let request = KeyRequest {
                tenant,
                role: named(role),
                label,
                expires_at,
            };
            let made = client.create_key(&request).await?;
            print::result(context.output, &made, |made| {
                print::line(&made.secret);
                print::remark("it is shown this once; it is kept nowhere");
            })
        }
        Key::List { tenant } => {
            let keys = client.keys(tenant.as_deref()).await?;
            print::result(context.output, &keys, |list| {
                list.keys.iter().for_each(print::key);
            })
        }
        Key::Revoke { key } => {
            let key = client.revoke_key(&key).await?;
            print::result(context.output, &key, print::key)
        }
    }
}

fn limits(quotas: Quotas) -> rest::Quotas {
    let Quotas {
        live_tasks,
        queued_bytes,
        core_seconds,
        stored_bytes,
    } = quotas;
    rest::Quotas {
        live_tasks,
        queued_bytes,
        core_seconds,
        stored_bytes,
    }
}

fn named(role: KeyRole) -> Role {
    match role {
        KeyRole::Admin => Role::Admin,
        KeyRole::Author => Role::Author,
        KeyRole::Submitter => Role::Submitter,
        KeyRole::Auditor => Role::Auditor,
    }
}
