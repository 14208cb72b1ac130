//! Codes of workers.

codes! {
    QUARANTINED = "worker.quarantined", 409, "the worker is in quarantine",
        "Three of its proofs did not verify, so it gets no further leases.",
        "Look at the machine, then DELETE /api/v1/workers/{worker}/quarantine or `aureole worker trust`.";
    UNKNOWN = "worker.unknown", 404, "no such worker",
        "No worker of this name is joined, and nothing is held against one.",
        "GET /api/v1/workers lists them.";
}
