//! Codes of tasks.

codes! {
    UNKNOWN = "task.unknown", 404, "no such task",
        "No task has this id.",
        "List the tasks with GET /api/v1/tasks.";
    TARGET = "task.target", 422, "the task names no circuit, or two",
        "A task names either a circuit by its id, or a plugin with optional params.",
        "Send exactly one of circuit and plugin; params belong to plugin.";
    PRIORITY = "task.priority", 422, "the priority is out of range",
        "A priority is 0 to 9; 9 goes first and 5 is the default.",
        "Send a number from 0 to 9.";
    DEADLINE_PAST = "task.deadline_past", 422, "the deadline is in the past",
        "A task was submitted with a deadline that has passed already, by the cluster's clock.",
        "Send a later deadline, or none; look at the clock of the machine that made it.";
    NOT_DONE = "task.not_done", 409, "the task has no proof yet",
        "A proof can be downloaded once the task's state is done.",
        "Ask GET /api/v1/tasks/{id}?wait=30s first.";
    NO_PROOF = "task.no_proof", 409, "the task ended without a proof",
        "The task failed, was cancelled, or is not a proving task.",
        "GET /api/v1/tasks/{id} shows why.";
    FINISHED = "task.finished", 409, "the task has finished already",
        "A finished task stays as it is; the cancel came too late.",
        "GET /api/v1/tasks/{id} shows how it ended.";
    CANCELLED = "task.cancelled", 409, "the task was cancelled",
        "Somebody cancelled the task before it finished.",
        "Submit it again.";
    ATTEMPTS_EXHAUSTED = "task.attempts_exhausted", 500, "every attempt failed",
        "The task lost as many workers as it is given; it is parked so that it cannot take more.",
        "The attempts list what was seen at each; if the input or plugin is to blame it shows there.";
    LEASE_EXPIRED = "task.lease_expired", 500, "the worker was lost",
        "The attempt's worker fell silent; the task goes on with the next attempt.",
        "Nothing, unless every attempt ends so.";
    HANDED_BACK = "task.handed_back", 503, "the worker gave the attempt back",
        "The worker was stopped; the attempt does not count and the task goes on with the next one.",
        "Nothing.";
    WORKER_RESTARTED = "task.worker_restarted", 503, "the worker was restarted",
        "The worker came back without this attempt; the task goes on with the next one.",
        "Nothing.";
    NODE_RESTARTED = "task.node_restarted", 503, "the worker was lost with its leader",
        "The worker came back without the attempt after a change or restart of the leader; that does not count.",
        "Nothing.";
    PROVER_CRASHED = "task.prover_crashed", 500, "the prover ended unexpectedly",
        "The process that ran the attempt crashed or met its memory limit.",
        "The task is tried again; the detail says what was seen.";
    TIMEOUT = "task.timeout", 500, "the attempt took too long",
        "An attempt has a deadline.",
        "The detail names the limit.";
    INPUT_LOST = "task.input_lost", 500, "the input can no longer be read",
        "The sealed input or its key is gone.",
        "Submit the task again.";
    SANDBOX_CRASHED = "task.sandbox_crashed", 500, "the sandbox ended unexpectedly",
        "The process that ran the plugin crashed or met its memory limit.",
        "The task is tried again; the detail says what was seen.";
    WORKER_FAILED = "task.worker_failed", 500, "the worker failed",
        "A fault of the worker's node, not of the task.",
        "The task is tried again; the node's log has the cause.";
    RESULT_MISSING = "task.result_missing", 500, "the worker's result cannot be read",
        "A blob that the result names is missing or damaged.",
        "The task is tried again.";
    NOT_CANCELLABLE = "task.not_cancellable", 409, "the task serves others too",
        "Only proofs can be cancelled: inspections and preparations belong to a plugin or circuit.",
        "Retire the plugin instead.";
    EXISTS = "task.exists", 409, "the task's id is taken",
        "A submission drew the id of another task.",
        "Submit again.";
    NOT_LEASED = "task.not_leased", 409, "no worker has the task",
        "A worker spoke of a lease that has ended.",
        "Nothing: the worker drops the attempt.";
    NOT_WAITING = "task.not_waiting", 409, "the task does not wait for a worker",
        "It runs, has finished, or its circuit is not ready.",
        "Nothing: the scheduler looks again.";
    STALE_ATTEMPT = "task.stale_attempt", 409, "the attempt is not the current one",
        "A worker spoke of an attempt that a later one replaced; its result does not count.",
        "Nothing: the worker drops the attempt.";
    FOREIGN_LEASE = "task.foreign_lease", 409, "the lease is another worker's",
        "A worker spoke of an attempt that it does not have.",
        "Nothing: the worker drops the attempt.";
    DEADLINE = "task.deadline", 504, "the deadline has passed",
        "The task was not done when its deadline came; what was running was stopped.",
        "Submit it with a later deadline, or add workers; the task's explanation shows the queue.";
    TOO_LARGE_FOR_WORKERS = "task.too_large_for_workers", 503, "no worker is large enough",
        "A proof of the circuit takes more memory than any worker that is joined has.",
        "Start a worker with the memory that the detail names, or make the circuit smaller.";
    SUPERSEDED = "task.superseded", 409, "the task ended under this attempt",
        "Another attempt brought the result first, or the task failed or was cancelled meanwhile.",
        "Nothing: the worker drops the attempt.";
    DEADLINE_AHEAD = "task.deadline_ahead", 409, "the deadline has not passed",
        "A task was called late that has no deadline, or one that is ahead.",
        "Nothing: the scheduler looks again.";
    NOT_SPECULATIVE = "task.not_speculative", 409, "there is no second attempt",
        "A running task gets a second attempt on another worker only, only one, and not as its last.",
        "Nothing: the scheduler looks again.";
    LEASE_ALIVE = "task.lease_alive", 409, "the lease still lasts",
        "A lease was renewed before it could be called expired.",
        "Nothing: the scheduler looks again.";
    COMPLETION_MISMATCH = "task.completion_mismatch", 409, "the result is of another kind",
        "A worker ended a task with a result of another kind of task.",
        "Nothing: the attempt does not count; worker and node may have different versions.";
}
