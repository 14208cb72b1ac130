//! Codes of a tenant's quotas. Each detail names the unit, the limit and the use.

codes! {
    LIVE_TASKS = "quota.live_tasks", 429, "the tenant has as many unfinished tasks as it may",
        "Proofs, inspections and preparations that have not ended count alike.",
        "Wait until some have ended, or ask the administrator for a larger quota.";
    QUEUED_BYTES = "quota.queued_bytes", 429, "the tenant has as many bytes of inputs queued as it may",
        "The inputs of unfinished tasks count.",
        "Wait until some have ended, or ask the administrator for a larger quota.";
    CORE_SECONDS = "quota.core_seconds", 429, "the tenant has used its core-seconds of this hour",
        "The time of one core that its tasks took since the hour began, in seconds; running tasks count with what they are expected to take.",
        "Try again after Retry-After, or ask the administrator for a larger quota.";
    STORED_BYTES = "quota.stored_bytes", 429, "the tenant stores as many bytes of components as it may",
        "Every plugin that it uploaded and did not retire counts.",
        "Retire what is not needed, or ask the administrator for a larger quota.";
    PLUGINS = "quota.plugins", 429, "the tenant has as many plugins as one may",
        "A tenth of the plugins that a cluster knows is the most for each tenant. Ready ones count, and retired ones that have circuits: their proofs are still verified.",
        "Give new parameters to a plugin that is here instead of uploading another; rejected plugins, and retired ones without a circuit, make room by themselves.";
    CIRCUITS = "quota.circuits", 429, "the tenant has registered as many circuits as one may",
        "A tenth of the circuits that a cluster knows is the most for each tenant; a circuit stays, because its proofs do.",
        "Use circuits that are here, or spread the work over tenants of their own.";
}
