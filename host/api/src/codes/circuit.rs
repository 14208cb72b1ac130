//! Codes of circuits, their parameters and what they cost.

codes! {
    UNKNOWN = "circuit.unknown", 404, "no such circuit",
        "No circuit has this id.",
        "Register it with POST /api/v1/circuits.";
    NOT_READY = "circuit.not_ready", 409, "the circuit is still being prepared",
        "A circuit can be downloaded and verified against once its keys were made.",
        "Ask GET /api/v1/circuits/{id}?wait=30s until it is ready.";
    REJECTED = "circuit.rejected", 409, "the circuit was rejected",
        "Its preparation found the reason that its record names.",
        "Read the record's problem.";
    KEYGEN = "circuit.keygen", 422, "keys cannot be made for the circuit",
        "The proof system refused the circuit.",
        "The detail says why; run keygen natively in the plugin's tests.";
    KEY_MISMATCH = "circuit.key_mismatch", 500, "two processes made different keys of the circuit",
        "A circuit's key is believed once a worker and the verifier have made the same one.",
        "Nodes of different versions, or a faulty machine: look at the log, then register the circuit again.";
    BACKEND = "circuit.backend", 422, "the circuit is for another proof system",
        "This node proves halo2 with the inner product argument over Vesta.",
        "Use a node that has the backend.";
    K = "circuit.k", 422, "this node has no parameters for the circuit's k",
        "The k is outside what the prover supports; the detail has the range.",
        "Make the circuit smaller.";
    PARAMS_REQUIRED = "params.required", 422, "the plugin needs parameters",
        "The plugin has no default parameters.",
        "Add params; GET /api/v1/plugins/{name} shows their schema.";
    PARAMS_SCHEMA = "params.schema", 422, "the parameters do not fit their schema",
        "The plugin's JSON Schema for parameters does not hold.",
        "The path names the place.";
    PARAMS_INVALID = "params.invalid", 422, "the plugin refused the parameters",
        "The plugin answered with an error of the parameters.",
        "The path names the place.";
    PARAMS_TOO_LARGE = "params.too_large", 413, "the parameters are too large",
        "Parameters have at most 64 KiB as JSON.",
        "Move bulk data into the input.";
    COST = "limits.cost", 422, "the circuit costs too much memory",
        "Its keys or a proof of it would need more bytes than this node allows.",
        "The detail has both numbers; use a smaller k or fewer columns.";
    LEDGER = "limits.ledger", 503, "the ledger is full",
        "The ledger holds as many plugins, circuits or tasks as it may; the detail has both numbers.",
        "Wait until finished tasks are archived, or ask the operator.";
}
