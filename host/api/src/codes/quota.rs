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
        "Every plugin that it uploaded counts, retired ones too.",
        "Ask the administrator for a larger quota.";
}
