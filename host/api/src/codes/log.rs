//! Codes of the log of accepted proofs.

codes! {
    TILE = "log.tile", 404, "the log has no such tile",
        "The path is none of C2SP tlog-tiles, or the log is not yet so long.",
        "Read the checkpoint; it says how many leaves there are.";
    BEYOND = "log.beyond", 422, "the log has fewer leaves",
        "The index or size asked for is beyond the newest checkpoint, or the sizes are in the wrong order.",
        "The detail has the numbers; ask GET /api/v1/log/checkpoint for the size.";
    EMPTY = "log.empty", 404, "the log has no leaf yet",
        "The first checkpoint is signed when the first proof was accepted.",
        "Submit a task and wait for its proof.";
    UNAVAILABLE = "log.unavailable", 503, "the log cannot be read now",
        "The coordinator has no leader, lacks tiles or cannot sign; nothing is lost.",
        "Try again after Retry-After; the node's log has the cause.";
}
