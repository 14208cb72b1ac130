//! Codes of the node's own state; the caller did nothing wrong.

codes! {
    BUSY = "node.busy", 503, "the node is busy",
        "A limit on connections, requests, queued tasks or memory was met.",
        "Try again after Retry-After.";
    STARTING = "node.starting", 503, "the node is starting",
        "The node recovers its state before it answers.",
        "Try again after Retry-After.";
    STOPPING = "node.stopping", 503, "the node is stopping",
        "The node finishes what runs and takes nothing new.",
        "Try again after Retry-After.";
    NO_LEADER = "node.no_leader", 503, "the cluster has no leader now",
        "Facts cannot be written until a leader is elected.",
        "Try again after Retry-After.";
    STORAGE = "node.storage", 503, "the node's storage does not answer",
        "The disk is full or failed.",
        "Ask the operator; the log has the cause under the request id.";
    NO_WORKER = "node.no_worker", 503, "no worker takes this task",
        "No worker is connected.",
        "Ask the operator.";
    INTERNAL = "internal", 500, "the node failed",
        "A fault of the platform; the log has the cause under the request id.",
        "Report it with the request id.";
}
