//! Codes of an input and of the witness that a plugin makes from it.

codes! {
    INPUT_SCHEMA = "input.schema", 422, "the input does not fit its schema",
        "The plugin's JSON Schema for inputs does not hold.",
        "The path names the place; GET /api/v1/plugins/{name} shows the schema.";
    INPUT_INVALID = "input.invalid", 422, "the plugin refused the input",
        "The plugin answered with an error of the input.",
        "The path names the place.";
    INPUT_TOO_LARGE = "input.too_large", 413, "the input is too large",
        "An input has at most 8 MiB as JSON.",
        "Send less in one task.";
    SHAPE = "witness.shape", 422, "the witness does not fit the circuit",
        "The plugin assigned cells that the circuit does not have, or too many values.",
        "Build the witness with the same parameters as the circuit.";
    UNSATISFIED = "witness.unsatisfied", 422, "the input does not satisfy the circuit",
        "A gate, copy or lookup does not hold; the detail names the first ones, never values.",
        "Check the input; nothing was proved.";
    LOOKUP = "witness.lookup", 422, "a looked-up value is not in its table",
        "A lookup does not hold.",
        "Check the input's ranges.";
    FIELD_NON_CANONICAL = "witness.field_non_canonical", 422, "a witness value is not canonical",
        "32 bytes of the witness hold a number that is not below the field's modulus.",
        "Build with the SDK.";
}
