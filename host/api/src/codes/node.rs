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
    ARCHIVE = "node.archive", 503, "the archive does not answer",
        "What was asked for is, or may be, in history, and the database that holds it is away.",
        "Try again after Retry-After; tasks that have just ended and those under way are served meanwhile.";
    ARCHIVE_BEHIND = "node.archive_behind", 503, "too many finished tasks wait for the archive",
        "The database that takes history has been away for long, and nothing acknowledged is given up for new tasks.",
        "Try again after Retry-After; the operator brings the database back.";
    DISK_FULL = "node.disk_full", 507, "a disk of the cluster is full",
        "A coordinator refuses to store more: what is left is kept back for its log.",
        "Ask the operator to make room, with `aureole cluster gc` or a larger disk.";
    NO_MAJORITY = "node.no_majority", 503, "too few coordinators store the bytes",
        "A majority did not have the bytes on disk in time, so nothing was accepted.",
        "Try again after Retry-After.";
    NO_WORKER = "node.no_worker", 503, "no worker takes this task",
        "No worker is connected.",
        "Ask the operator.";
    INPUT_KEY = "node.input_key", 503, "the node has no key for the input",
        "The key that opens the sealed input is gone or cannot be read.",
        "Submit the task again.";
    VERIFIER_FAILED = "node.verifier_failed", 503, "the verifier failed",
        "It says nothing of the proof.",
        "The task is tried again.";
    PROVER_PROCESSOR = "prover.processor", 500, "the processor lacks instructions",
        "The build's field arithmetic needs BMI2 and ADX, which this machine's processor does not have.",
        "Ask the operator for another kind of machine, or for a build without assembly.";
    PROVER_PARAMS_FILE = "prover.params_file", 500, "the prover's parameters cannot be read or written",
        "The file of the public parameters or its folder is not accessible.",
        "Ask the operator; the node's log names the file.";
    PROVER_PARAMS_DIGEST = "prover.params_digest", 500, "generated parameters are not the known ones",
        "The processor or memory of this machine made a mistake, or the build is not ours.",
        "Ask the operator to check the machine.";
    PROVER_PANICKED = "prover.panicked", 500, "the proof system panicked",
        "halo2 stopped on this circuit; the process was not lost.",
        "Report the circuit's id.";
    PROVER_REFUSED = "prover.refused", 500, "the proof system refused",
        "halo2 returned an error on a circuit that was accepted.",
        "Report the circuit's id.";
    PROVER_PINNED = "prover.pinned", 500, "the verifying key has an unknown form",
        "The proof system's version differs from the one that this build knows.",
        "Ask the operator to run an unmodified build.";
    SANDBOX_FAILED = "sandbox.failed", 500, "the sandbox failed",
        "A fault of the sandbox, not of the plugin.",
        "The task is tried again; the node's log has the cause.";
    INTERNAL = "internal", 500, "the node failed",
        "A fault of the platform; the log has the cause under the request id.",
        "Report it with the request id.";
}
