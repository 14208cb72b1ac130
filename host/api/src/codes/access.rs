//! Codes of callers, tenants and keys: who asks, and whether they may.

codes! {
    UNAUTHENTICATED = "access.unauthenticated", 401, "no valid key came with the request",
        "The Authorization header is missing, stands twice, or holds no key or token that opens anything here: unknown, expired and revoked ones answer alike.",
        "Send `Authorization: Bearer aur_...`; ask your administrator for a key.";
    FORBIDDEN = "access.forbidden", 403, "the key's role may not do this",
        "The key is valid, and its role is none of those that the route asks for.",
        "Use a key with one of the roles that the detail names.";
    ISSUER_AWAY = "access.issuer_away", 503, "tokens cannot be checked now",
        "The keys of the issuer of tokens are not to be had, and those that were known are too old.",
        "Try again after Retry-After, or use an API key: those need no issuer.";
    RATE = "access.rate", 429, "too many requests",
        "The tenant, or this key, made more requests within a second than it may.",
        "Try again after Retry-After; other tenants are not affected.";
    CONCURRENCY = "access.concurrency", 429, "too many requests at once",
        "The tenant has as many requests in work as it may, those that wait for a task included.",
        "Try again after Retry-After, when some have been answered; wait for several tasks by their events or by a webhook.";
    TENANT_UNKNOWN = "tenant.unknown", 404, "no such tenant",
        "No tenant has this name.",
        "List tenants with `aureole admin tenant list`.";
    TENANT_SUSPENDED = "tenant.suspended", 403, "the tenant is suspended",
        "Nothing new is accepted for the tenant, its keys open nothing, and what its webhooks would be told is held.",
        "Ask the administrator of the cluster.";
    TENANT_DEFAULT = "tenant.default", 409, "the default tenant cannot be suspended",
        "The administrator's keys are the default tenant's.",
        "Revoke the keys that should open nothing.";
    TENANT_FIELD = "tenant.field", 422, "a tenant or key is asked for that cannot be",
        "A weight, an expiry or a label is outside its bounds.",
        "Correct the field that the path names.";
    KEY_UNKNOWN = "key.unknown", 404, "no such key",
        "No key has this public part.",
        "List keys with `aureole admin key list`.";
    KEY_EXISTS = "key.exists", 409, "the key's public part is taken",
        "The public part that was drawn for the key belongs to another one.",
        "Ask again: another one is drawn.";
}
