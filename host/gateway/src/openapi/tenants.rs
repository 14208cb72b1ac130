//! Who asks, and tenants, their keys and the trail, in the document.

use aureole_api::{
    codes::{access, circuit, request},
    rest::{
        AuditTrail, Key, KeyList, KeyRequest, Me, NewKey, Plugin, Sharing, Tenant, TenantList,
        TenantRequest, Usage,
    },
};
use axum::http::Method;
use serde_json::json;

use super::{
    operation::{Header, Operation},
    parameters,
    refusals::{OF_COMPONENTS, facts, families},
};

const TAG: &str = "tenants";

pub(super) fn operations() -> Vec<Operation> {
    let mut all = vec![me(), share(), audit()];
    all.extend(tenants());
    all.extend(keys());
    all
}

fn me() -> Operation {
    Operation::new(TAG, "me", Method::GET, "/api/v1/me")
        .says(
            "Says who asks",
            "The tenant and role of the key, and what the tenant has used and may.",
        )
        .answers::<Me>(200, &[], "The caller.")
        .refuses(facts())
}

fn share() -> Operation {
    let path = "/api/v1/plugins/{plugin}/visibility";
    Operation::new(TAG, "sharePlugin", Method::PUT, path)
        .says(
            "Says who may use a plugin",
            "Beside the tenant that uploaded it: nobody, tenants by name, or everybody, which is \
             an administrator's to say.",
        )
        .with(parameters::plugin())
        .takes::<Sharing>("Who.")
        .example("shared", json!({"visibility": "shared", "with": ["acme"]}))
        .answers::<Plugin>(200, &[], "The plugin as it is shared now.")
        .refuses(families(OF_COMPONENTS))
        .refuses([access::TENANT_UNKNOWN, access::TENANT_FIELD])
        .refuses(facts())
}

fn audit() -> Operation {
    Operation::new(TAG, "audit", Method::GET, "/api/v1/admin/audit")
        .says(
            "Shows the trail of administrative acts",
            "Newest first: an auditor's are those that concern its tenant. All that ever were, where \
             there is an archive.",
        )
        .with(parameters::before_act())
        .with(parameters::limit())
        .answers::<AuditTrail>(200, &[], "A page of acts.")
        .refuses(facts())
}

fn tenants() -> [Operation; 4] {
    let of = |id, method, path| {
        Operation::new(TAG, id, method, path)
            .with(parameters::tenant())
            .refuses(facts())
    };
    let one = "/api/v1/admin/tenants/{tenant}";
    [
        Operation::new(TAG, "listTenants", Method::GET, "/api/v1/admin/tenants")
            .says("Lists tenants", "By name, each with its weight and quotas.")
            .answers::<TenantList>(200, &[], "All tenants.")
            .refuses(facts()),
        of("showTenant", Method::GET, one)
            .says("Shows a tenant", "")
            .answers::<Tenant>(200, &[], "The tenant.")
            .refuses([access::TENANT_UNKNOWN]),
        of("putTenant", Method::PUT, one)
            .says(
                "Makes or changes a tenant",
                "What is absent stays as it is. A tenant that is suspended accepts nothing new, \
                 and its keys open nothing.",
            )
            .takes::<TenantRequest>("Weight, quotas, and whether it is suspended.")
            .example(
                "quotas",
                json!({"weight": 200, "quotas": {"live_tasks": 500, "core_seconds": 7200}}),
            )
            .answers::<Tenant>(200, &[], "The tenant as it is now.")
            .refuses([access::TENANT_FIELD, access::TENANT_DEFAULT])
            .refuses([access::TENANT_UNKNOWN, circuit::LEDGER]),
        of(
            "showUsage",
            Method::GET,
            "/api/v1/admin/tenants/{tenant}/usage",
        )
        .says("Shows what a tenant has used", "")
        .answers::<Usage>(200, &[], "Use beside quotas.")
        .refuses([access::TENANT_UNKNOWN]),
    ]
}

fn keys() -> [Operation; 3] {
    let all = "/api/v1/admin/keys";
    [
        Operation::new(TAG, "listKeys", Method::GET, all)
            .says(
                "Lists keys",
                "By their public parts; the secrets are kept nowhere.",
            )
            .with(parameters::of_tenant())
            .answers::<KeyList>(200, &[], "The keys.")
            .refuses([request::ID])
            .refuses(facts()),
        Operation::new(TAG, "createKey", Method::POST, all)
            .says(
                "Makes a key",
                "The answer holds the key itself, this once. Asked again it makes another one.",
            )
            .takes::<KeyRequest>("Whose, and what it lets its holder do.")
            .example(
                "ci",
                json!({"tenant": "default", "role": "submitter", "label": "ci"}),
            )
            .answers::<NewKey>(201, &[Header::Location], "The key.")
            .refuses([request::ID, access::TENANT_UNKNOWN, access::TENANT_FIELD])
            .refuses([access::KEY_EXISTS, circuit::LEDGER])
            .refuses(facts())
            .leads_to("revokeKey", "key", "$response.body#/key/id"),
        Operation::new(TAG, "revokeKey", Method::DELETE, "/api/v1/admin/keys/{key}")
            .says(
                "Revokes a key",
                "It opens nothing from now on. Revoking twice is no error.",
            )
            .with(parameters::key())
            .answers::<Key>(200, &[], "The key as it stands now.")
            .refuses([access::KEY_UNKNOWN])
            .refuses(facts()),
    ]
}
